// The read-only panel on a node: what is being written, what was written, and what is to be said about it.

import { guarded, untilFault } from "./common/guarded.js";
import { t } from "./common/texts.js";

const NAME = "quillwork_answer";
const HOSTS_DISPLAY = "progressText";
const HEIGHT = 92;
const MARGINS = 20;
const SPARE = 120;
const GAP = 4;
const panels = new WeakMap();
const writing = new Set();

/** The panel of a node, or undefined for a node that has none. */
export function panelOf(node) {
  return panels.get(node);
}

/** The prompt has ended early: what is still being written will not be finished. */
export function stopAll() {
  for (const panel of [...writing]) panel.stop();
}

/** A record `{texts, negative, values}` as a person reads it. */
export function asText({ texts, negative, values }) {
  if (values?.length) return values.join("\n");
  const many = (texts?.length ?? 0) > 1;
  return (texts ?? [])
    .map((text, place) => {
      const numbered = many ? `${place + 1}. ${text}` : text;
      return negative?.[place] ? `${numbered}\n${t("node.negative", "Negative: {text}", { text: negative[place] })}` : numbered;
    })
    .join("\n\n");
}

class AnswerPanel {
  constructor(node, placeholder, app, choose) {
    this.node = node;
    this.written = "";
    this.element = document.createElement("div");
    this.element.className = "quillwork-answer";
    this.note = document.createElement("div");
    this.note.className = "quillwork-note";
    this.note.setAttribute("role", "status");
    this.choose = document.createElement("button");
    this.choose.type = "button";
    this.choose.className = "quillwork-choose";
    this.choose.hidden = true;
    this.choose.textContent = t("node.choose", "Choose a model …");
    this.choose.addEventListener("click", () => choose());
    this.text = document.createElement("textarea");
    this.text.className = "quillwork-text";
    this.text.readOnly = true;
    this.text.placeholder = placeholder;
    this.text.spellcheck = false;
    this.text.dataset.captureWheel = "true";
    this.text.setAttribute("aria-label", t("node.answer", "{node}: answer", { node: node.title || "Quillwork" }));
    this.element.append(this.note, this.choose, this.text);
    passToCanvas(this.element, this.text, app);
  }

  minHeight() {
    const above = [this.note.textContent && this.note, !this.choose.hidden && this.choose].filter(Boolean);
    return above.reduce((height, one) => height + one.offsetHeight + GAP, HEIGHT);
  }

  /** A new run of this node has begun: what was said about the former one no longer holds. */
  begin() {
    this.say([]);
  }

  showLive(text) {
    const { text: area } = this;
    const follows = area.scrollTop + area.clientHeight >= area.scrollHeight - 8;
    writing.add(this);
    area.value = text;
    if (follows) area.scrollTop = area.scrollHeight;
  }

  showAnswer(record, notes = []) {
    this.written = asText(record);
    this.choose.hidden = !record.no_model;
    this.settle();
    this.say(notes, "warning");
  }

  showError(message) {
    this.settle();
    this.say([message], "error");
  }

  stop() {
    this.settle();
    this.say([t("node.stopped", "Stopped before it was finished.")], "warning");
  }

  /** Say some lines above the text; `kind` is `warning` or `error` and gives the colour. */
  say(lines, kind = "warning") {
    const message = lines.filter(Boolean).join("\n");
    if (message === this.note.textContent && kind === this.note.dataset.kind) return;
    this.note.textContent = message;
    this.note.dataset.kind = kind;
    this.fit();
  }

  settle() {
    const unfinished = writing.delete(this);
    // Without a former answer the half-written one is better than nothing.
    if (this.written || !unfinished) this.text.value = this.written;
    if (unfinished) this.text.scrollTop = 0;
  }

  /** Hide what the host shows the same text in. Where it calls that otherwise, there are two displays. */
  standAlone() {
    const { widgets } = this.node;
    for (const widget of widgets.slice(widgets.indexOf(this.widget) + 1)) {
      if (widget.type !== HOSTS_DISPLAY) continue;
      widget.hidden = true;
      if (widget.options) widget.options.hidden = true;
    }
  }

  fit() {
    const { node } = this;
    const needed = node.computeSize?.();
    if (needed && node.size?.[1] < needed[1]) node.setSize?.([node.size[0], needed[1]]);
    node.setDirtyCanvas?.(true, true);
  }
}

// The panel lies over the canvas: what it has no use for goes on to it.
function passToCanvas(element, text, app) {
  text.addEventListener(
    "wheel",
    guarded((event) => {
      if (globalThis.LiteGraph?.vueNodesMode) return;
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!event.ctrlKey && !sideways && text.scrollHeight > text.clientHeight) {
        event.stopPropagation();
        return;
      }
      event.preventDefault();
      app.canvas?.processMouseWheel?.(event);
    }),
    { passive: false },
  );
  const middle = { pointerdown: "processMouseDown", pointermove: "processMouseMove", pointerup: "processMouseUp" };
  for (const [kind, method] of Object.entries(middle)) {
    element.addEventListener(kind, guarded((event) => {
      if (event.button === 1 || event.buttons & 4) app.canvas?.[method]?.(event);
    }));
  }
}

/** Give `node` its panel, as the last of its widgets and outside all that is saved or sent. `choose` opens the
 *  choice of a model, which the panel offers where there was none. */
export function addAnswerPanel(node, placeholder, app, choose = () => {}) {
  if (typeof node.addDOMWidget !== "function") return;
  useStyles();
  const panel = new AnswerPanel(node, placeholder, app, choose);
  const widget = node.addDOMWidget(NAME, NAME, panel.element, {
    serialize: false,
    hideOnZoom: true,
    getValue: () => panel.text.value,
    setValue: () => {},
    getMinHeight: untilFault(() => panel.minHeight() + MARGINS, () => HEIGHT + MARGINS),
  });
  if (!widget) return;
  widget.serialize = false;
  panel.widget = widget;
  giveRoom(node);
  panels.set(node, panel);
}

// The host sizes a new node before it has a panel; a saved size is set later and wins.
function giveRoom(node) {
  const least = node.computeSize?.();
  if (!least || !node.size) return;
  const spare = globalThis.LiteGraph?.vueNodesMode ? 0 : SPARE;
  node.setSize?.([Math.max(node.size[0], least[0]), Math.max(node.size[1], least[1] + spare)]);
}

let styles;
function useStyles() {
  if (styles) return;
  styles = document.createElement("link");
  styles.rel = "stylesheet";
  styles.href = new URL("./quillwork.css", import.meta.url).href;
  document.head.append(styles);
}
