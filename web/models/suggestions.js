// The list under a field for a model's id: grouped, filtered while one types. Any other text stays allowed.
import { asCallError } from "../common/calls.js";
import { el, useStyles } from "../common/elements.js";
import { t } from "../common/texts.js";
import { byProvider, knownModels, listModels, matches, noteChosen, standing } from "./catalog.js";
import { loadModes } from "./modes.js";

const MOST_SHOWN = 200;
const LEAST_WIDTH = 340;
const HEIGHT = 320;
const GAP = 4;
const attached = new WeakSet();
let count = 0;

/** Give `input` suggestions; `fits` may leave some models out. Opens at once where the field has the focus. */
export function suggestModels(input, fits = () => true) {
  if (attached.has(input)) return;
  attached.add(input);
  useStyles();
  const list = new SuggestionList(input, fits);
  input.addEventListener("focus", () => list.open());
  input.addEventListener("click", () => list.open());
  input.addEventListener("input", () => list.typed());
  input.addEventListener("blur", () => list.close());
  // In the capture phase, so that it comes before the host's own handling of Enter and Escape.
  input.addEventListener("keydown", (event) => list.key(event), true);
  if (document.activeElement === input) list.open();
}

function standingText(model) {
  return {
    ready: t("models.ready", "ready"),
    needs_key: t("models.needsKey", "needs key"),
    locked: t("models.locked", "locked by plan"),
  }[standing(model)];
}

class SuggestionList {
  constructor(input, fits) {
    this.input = input;
    this.fits = fits;
    this.id = `quillwork-models-${++count}`;
    this.query = "";
    this.notice = "";
    this.element = null;
    this.setRole();
  }

  setRole() {
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-haspopup": "listbox",
      autocomplete: "off",
      spellcheck: "false",
    })) {
      this.input.setAttribute(name, value);
    }
  }

  open() {
    if (this.element || this.input.readOnly || this.input.disabled) return;
    this.element = el("div", { className: "quillwork-ui quillwork-suggestions" });
    this.box = el("div", {
      id: this.id,
      role: "listbox",
      className: "quillwork-suggestion-list",
      "aria-label": t("models.title", "Models"),
    });
    this.status = el("div", { className: "quillwork-suggestion-note", role: "status" });
    this.element.append(this.box, this.status);
    // The field keeps the focus, and no dialog of the host takes this for a click beside it.
    for (const kind of ["pointerdown", "mousedown"]) {
      this.element.addEventListener(kind, (event) => {
        event.preventDefault();
        event.stopPropagation();
      });
    }
    this.element.addEventListener("wheel", (event) => event.stopPropagation(), { passive: true });
    (this.input.closest("dialog") ?? document.body).append(this.element);
    this.input.setAttribute("aria-expanded", "true");
    this.input.setAttribute("aria-controls", this.id);
    this.place = this.place.bind(this);
    this.outside = (event) => {
      if (!this.element?.contains(event.target) && event.target !== this.input) this.close();
    };
    window.addEventListener("resize", this.place);
    document.addEventListener("wheel", this.outside, { capture: true, passive: true });
    this.query = "";
    this.load();
  }

  close() {
    if (!this.element) return;
    this.element.remove();
    this.element = null;
    window.removeEventListener("resize", this.place);
    document.removeEventListener("wheel", this.outside, { capture: true });
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  async load(refresh = false) {
    this.notice = t("models.asking", "Loading models …");
    this.draw();
    try {
      await Promise.all([listModels({ refresh }), loadModes({ anew: refresh })]);
      this.notice = "";
    } catch (error) {
      this.notice = asCallError(error).text;
    }
    if (this.element) this.draw();
  }

  typed() {
    if (!this.element) this.open();
    this.query = this.input.value.trim();
    this.draw();
  }

  draw() {
    const { models = [], sources = [] } = knownModels() ?? {};
    const found = models.filter((model) => this.fits(model) && (!this.query || matches(model, this.query)));
    this.rows = [];
    const groups = [...byProvider(found.slice(0, MOST_SHOWN))].map(([name, members]) =>
      el(
        "div",
        { role: "group", "aria-label": name },
        el("div", { className: "quillwork-suggestion-group", textContent: name, "aria-hidden": "true" }),
        ...members.map((model) => this.row(model)),
      ),
    );
    this.box.replaceChildren(...groups, this.refreshRow());
    this.status.textContent = [
      this.notice,
      !found.length && !this.notice ? t("models.none", "No model in the list matches. The name is used as entered.") : "",
      found.length > MOST_SHOWN ? t("models.more", "{count} more: type to find them.", { count: found.length - MOST_SHOWN }) : "",
      ...sources.filter(({ state, message }) => ["refused", "down", "stale"].includes(state) && message).map(sourceText),
    ]
      .filter(Boolean)
      .join("\n");
    this.mark(null);
    this.place();
  }

  row(model) {
    const state = standing(model);
    return this.option(
      { title: model.id, "data-state": state, "data-current": model.id === this.input.value || null },
      () => this.choose(model.id),
      el("span", { className: "quillwork-suggestion-label", textContent: model.label || model.id }),
      !model.id.endsWith(model.label) && el("span", { className: "quillwork-hint", textContent: model.id }),
      el("span", { className: "quillwork-badge", "data-state": state, textContent: standingText(model) }),
    );
  }

  refreshRow() {
    const text = t("models.refresh", "Refresh the list of models");
    return this.option({ className: "quillwork-suggestion quillwork-suggestion-refresh" }, () => this.load(true), text);
  }

  option(given, act, ...children) {
    const row = el(
      "div",
      {
        className: "quillwork-suggestion",
        id: `${this.id}-${this.rows.length}`,
        role: "option",
        "aria-selected": "false",
        onclick: act,
        ...given,
      },
      ...children,
    );
    this.rows.push({ row, act });
    return row;
  }

  mark(index) {
    this.rows[this.marked]?.row.setAttribute("aria-selected", "false");
    this.marked = index;
    const row = index == null ? null : this.rows[index]?.row;
    if (!row) {
      this.input.removeAttribute("aria-activedescendant");
      return;
    }
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", row.id);
  }

  key(event) {
    if (event.isComposing) return;
    if (!this.element) {
      if (event.key === "ArrowDown") this.open();
      return;
    }
    const last = this.rows.length - 1;
    const moves = {
      ArrowDown: () => this.mark(this.marked == null || this.marked === last ? 0 : this.marked + 1),
      ArrowUp: () => this.mark(this.marked ? this.marked - 1 : last),
      Escape: () => this.close(),
    };
    if (event.key === "Enter" && this.marked != null) {
      const { act } = this.rows[this.marked];
      event.preventDefault();
      event.stopImmediatePropagation();
      act();
    } else if (moves[event.key]) {
      event.preventDefault();
      event.stopImmediatePropagation();
      moves[event.key]();
    } else if (event.key === "Tab" || event.key === "Enter") {
      this.close();
    }
  }

  choose(id) {
    const { input } = this;
    input.value = id;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    this.close();
    // The canvas asks for a text in a little dialog of its own, which takes it with its OK.
    input.closest(".graphdialog")?.querySelector("button")?.click();
    input.dispatchEvent(new Event("change", { bubbles: true }));
    noteChosen(id);
  }

  place() {
    if (!this.element) return;
    const at = this.input.getBoundingClientRect();
    const below = window.innerHeight - at.bottom - GAP;
    const upwards = below < HEIGHT && at.top > below;
    const width = Math.min(Math.max(at.width, LEAST_WIDTH), window.innerWidth - 2 * GAP);
    Object.assign(this.element.style, {
      left: `${Math.max(GAP, Math.min(at.left, window.innerWidth - width - GAP))}px`,
      width: `${width}px`,
      top: upwards ? "" : `${at.bottom + GAP}px`,
      bottom: upwards ? `${window.innerHeight - at.top + GAP}px` : "",
      maxHeight: `${Math.min(HEIGHT, (upwards ? at.top : below) - GAP)}px`,
    });
  }
}

function sourceText({ label, message, hint }) {
  return `${label}: ${[message, hint].filter(Boolean).join(" ")}`;
}
