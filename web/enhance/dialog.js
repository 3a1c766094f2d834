// Enhance, beside a text field: target and instruction, the text growing in the field, back and forth in its history.
import { app } from "../../../scripts/app.js";
import { CallError, asCallError } from "../common/calls.js";
import { openBeside } from "../common/dialogs.js";
import { button, el, labelled } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { fillTargets } from "../common/target_choices.js";
import { t } from "../common/texts.js";
import { loadModes, modeOf } from "../models/modes.js";
import { historyOf } from "./history.js";
import { ownChoice } from "./own_choice.js";
import { elementOf, placeOf, write } from "./text_fields.js";
import { summary, writeText } from "./writing.js";

const SHORT = 90;
let open = null;
let remembered = { target: "auto", instruction: "" };

/** Open for `field` (`{node, widget}`), in place of any that is open. With `shorten` (`{target, limit}`) it begins at
 *  once to have the text made to fit into so many tokens. */
export function openEnhance(field, shorten = null) {
  open?.close();
  open = new Enhancement(field);
  if (shorten) guarded(() => open.start(shorten))();
}

/** The workflow changes: what is being written has no place to go any more. */
export function closeEnhance() {
  open?.close();
}

/** The target chosen in the open frame, null for any model, if `element` is its field or in it; else undefined. */
export function targetInDialog(element) {
  const isIn = open && (open.frame.contains(element) || elementOf(open.field.node, open.field.widget) === element);
  return isIn ? (open.target.value === "auto" ? null : open.target.value) : undefined;
}

/** The element of the field that the open frame is for, if `element` is in the frame. */
export function fieldBehind(element) {
  return open?.frame.contains(element) ? elementOf(open.field.node, open.field.widget) : null;
}

class Enhancement {
  constructor(field) {
    this.field = field;
    this.history = historyOf(field);
    this.own = ownChoice(field).target;
    this.running = null;
    this.target = el("select", { className: "quillwork-field" });
    this.target.append(el("option", { value: "auto", textContent: t("enhance.anyModel", "Any model") }));
    this.instruction = el("input", {
      type: "text",
      className: "quillwork-field",
      value: remembered.instruction,
      placeholder: t("enhance.instructionExample", "Optional, e.g. at night, in watercolour"),
    });
    this.run = button(t("enhance.run", "Enhance"), guarded(() => this.start()), { className: "quillwork-primary" });
    this.stop = button(t("enhance.stop", "Stop"), () => this.cancel(), { hidden: true });
    this.undo = button(t("enhance.undo", "Undo"), () => this.put(this.history.step(-1)));
    this.redo = button(t("enhance.redo", "Redo"), () => this.put(this.history.step(1)));
    this.status = el("p", { className: "quillwork-hint", role: "status" });
    this.negative = el("p", { className: "quillwork-hint" });
    this.past = el("ol", { className: "quillwork-past" });
    this.details = el(
      "details",
      { hidden: true },
      el("summary", { textContent: t("enhance.history", "History of this session") }),
      this.past,
    );
    const title = t("enhance.title", "Enhance “{name}”", { name: field.widget.label || field.widget.name });
    const { frame, close } = openBeside(
      () => placeOf(app, field),
      title,
      () => this.closed(),
      labelled(t("enhance.target", "For model"), this.target),
      labelled(t("enhance.instruction", "Instruction"), this.instruction),
      el("div", { className: "quillwork-buttons" }, this.run, this.stop, this.undo, this.redo),
      this.status,
      this.negative,
      this.details,
    );
    this.frame = frame;
    this.close = close;
    this.key = guarded(this.key.bind(this));
    document.addEventListener("keydown", this.key, true);
    this.show();
    this.fillTargets();
    this.instruction.focus();
  }

  async fillTargets() {
    try {
      await fillTargets(this.target, this.own ?? remembered.target);
    } catch (error) {
      this.say(asCallError(error).text, "bad");
    }
  }

  // Escape counts in the field too, and where the focus went nowhere with a button that has just gone.
  key(event) {
    if (event.isComposing) return;
    const { target } = event;
    const here = this.frame.contains(target) || target === document.body || target === elementOf(this.field.node, this.field.widget);
    if (event.key === "Escape" && here) {
      event.preventDefault();
      event.stopPropagation();
      if (this.running) this.cancel();
      else this.close();
    } else if (event.key === "Enter" && target === this.instruction && !this.running) {
      event.preventDefault();
      this.run.click();
    }
  }

  /** Have the text written anew; with `shorten` (`{target, limit}`) only made to fit. */
  async start(shorten = null) {
    const before = String(this.field.widget.value ?? "");
    if (!before.trim()) {
      this.say(t("enhance.empty", "There is no text to enhance yet. Enter an idea first."), "bad");
      return;
    }
    this.history.note(before);
    const target = shorten?.target ?? this.target.value;
    if (!shorten) remembered = { target: this.own === undefined ? target : remembered.target, instruction: this.instruction.value };
    const { signal } = (this.running = new AbortController());
    this.negative.textContent = "";
    this.say(t("enhance.writing", "Writing … Press Esc to stop."));
    this.show();
    this.stop.focus();
    try {
      await loadModes();
      const request = { prompt: before, target, instruction: shorten ? shortening(shorten.limit) : remembered.instruction, ...ownChoice(this.field).model };
      // Another text each time, as a second press asks for.
      request.seed = Math.floor(Math.random() * 2 ** 32);
      const { text, negative, info } = await writeText(request, (so_far) => this.grow(so_far, signal), signal);
      if (signal.aborted) return;
      if (shorten && modeOf(info.mode).stands_in) {
        throw new CallError({ message: t("tokens.noModel", "Shortening needs a language model. Choose one under Settings › Quillwork.") });
      }
      this.history.note(text);
      write(app, this.field, text, true);
      this.say([summary(info), ...(info.warnings ?? [])].join("\n"), info.warnings?.length ? "" : "good");
      this.negative.textContent = negative ? t("enhance.negative", "Negative: {text}", { text: negative }) : "";
    } catch (error) {
      write(app, this.field, before, true);
      if (!signal.aborted) this.say(asCallError(error).text, "bad");
    } finally {
      if (this.running?.signal === signal) this.running = null;
      this.show();
      if (open === this) (signal.aborted ? this.instruction : this.run).focus();
    }
  }

  grow(text, signal) {
    if (signal.aborted) return;
    if (this.field.node.graph) write(app, this.field, text);
    else this.cancel();
  }

  cancel() {
    if (!this.running) return;
    this.running.abort();
    this.running = null;
    const text = this.history.texts[this.history.at];
    if (this.field.node.graph) write(app, this.field, text, true);
    this.say(t("enhance.cancelled", "Stopped. Your text is unchanged."));
    this.show();
  }

  put(text) {
    if (text != null) write(app, this.field, text, true);
    this.show();
    if (!this.frame.contains(document.activeElement) || document.activeElement.disabled) this.run.focus();
  }

  say(text, state = "") {
    this.status.textContent = text;
    this.status.dataset.state = state;
  }

  show() {
    const { history, running } = this;
    this.run.hidden = Boolean(running);
    this.stop.hidden = !running;
    this.undo.disabled = Boolean(running) || !history.canUndo;
    this.redo.disabled = Boolean(running) || !history.canRedo;
    this.details.hidden = history.texts.length < 2;
    this.past.replaceChildren(
      ...history.texts.map((text, place) =>
        el(
          "li",
          { "aria-current": place === history.at ? "true" : null },
          button(text.length > SHORT ? `${text.slice(0, SHORT)}…` : text || "–", () => this.put(history.go(place)), {
            disabled: Boolean(running),
            title: text,
          }),
        ),
      ),
    );
  }

  closed() {
    document.removeEventListener("keydown", this.key, true);
    this.cancel();
    if (open === this) open = null;
    elementOf(this.field.node, this.field.widget)?.focus?.();
  }
}

// For the model; a token is about three quarters of a word.
function shortening(limit) {
  return `Shorten the prompt to at most ${limit} tokens, which are about ${Math.floor(limit * 0.7)} words. Keep what matters most as it is worded, drop the rest, add nothing.`;
}
