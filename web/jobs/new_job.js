// A new job: what is wanted for it, a preview of the first texts, and then its start.
import { asCallError, call } from "../common/calls.js";
import { withConsent } from "../common/consent.js";
import { busy, button, el } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { fillTargets } from "../common/target_choices.js";
import { t } from "../common/texts.js";
import { suggestModels } from "../models/suggestions.js";
import { clock } from "./clock.js";

/** A form of `fields`; a kind of job names its `path`, and has `rows` of elements and the words of `wording`;
 * no target of a kind in `without` is to be chosen. */
export class NewJob {
  /** `begun` is called once a job has begun; `remembered` holds what was entered, for a sidebar that is opened again. */
  constructor({ begun, remembered, kind, path, fields, wording, without }) {
    Object.assign(this, { begun, remembered, path, fields, wording, without });
    const preview = guarded(() => this.preview());
    this.look = button(t("jobs.preview", "Preview"), preview, { className: "quillwork-primary" });
    this.stop = button(t("jobs.stop", "Stop"), () => this.running?.abort(), { hidden: true });
    const start = guarded(() => this.start());
    this.begin = button(t("jobs.start", "Start"), start, { className: "quillwork-primary", hidden: true });
    this.status = el("p", { className: "quillwork-hint", role: "status" });
    this.samples = el("dl", { className: "quillwork-samples" });
    this.element = el("details", { className: `quillwork-new-job quillwork-new-${kind}`, open: Boolean(remembered.isOpen) });
    for (const [name, control] of Object.entries(fields)) if (remembered[name]) control.value = remembered[name];
  }

  /** Show `rows` below the form's title. */
  show(title, ...rows) {
    const buttons = el("div", { className: "quillwork-buttons" }, this.look, this.stop, this.begin);
    this.element.append(el("summary", { textContent: title }), ...rows, buttons, this.status, this.samples);
    this.element.addEventListener("toggle", () => this.remember());
    this.element.addEventListener("input", () => this.changed());
    this.element.addEventListener("keydown", guarded((event) => this.key(event)));
    const { llm_model: model } = this.fields;
    model.addEventListener("focus", guarded(() => suggestModels(model)));
    this.fillTargets();
  }

  async fillTargets() {
    try {
      await fillTargets(this.fields.target, this.remembered.target, this.without);
    } catch (error) {
      this.say(asCallError(error).text, "bad");
    }
  }

  key(event) {
    if (event.isComposing || event.key !== "Enter" || event.target.tagName !== "INPUT" || event.defaultPrevented) return;
    event.preventDefault();
    if (!this.running) (this.begin.hidden ? this.look : this.begin).click();
  }

  remember() {
    Object.assign(this.remembered, this.entered(), { isOpen: this.element.open });
  }

  // What was shown is not what would be begun any more.
  changed() {
    this.remember();
    this.running?.abort();
    this.showFound(null);
    this.say("");
  }

  /** What stands in the fields. */
  entered() {
    return Object.fromEntries(Object.entries(this.fields).map(([name, { value }]) => [name, value.trim()]));
  }

  /** The body of the call. */
  wanted() {
    return this.entered();
  }

  async preview() {
    this.remember();
    const { signal } = (this.running = new AbortController());
    const body = { ...this.wanted(), preview: true };
    this.showFound(null);
    this.say(this.wording.previewing);
    this.look.hidden = true;
    this.stop.hidden = false;
    this.stop.focus();
    try {
      const found = await withConsent(() => call(this.path, { method: "POST", body, signal }));
      if (signal.aborted) return;
      this.showFound(found);
    } catch (error) {
      if (!signal.aborted) this.say(asCallError(error).text, "bad");
    } finally {
      if (this.running?.signal === signal) this.end(signal.aborted);
    }
  }

  end(wasStopped) {
    this.running = null;
    if (wasStopped) this.say("");
    this.stop.hidden = true;
    this.look.hidden = false;
    const isReady = !this.begin.hidden;
    this.look.classList.toggle("quillwork-primary", !isReady);
    if (this.element.contains(document.activeElement) || document.activeElement === document.body) (isReady ? this.begin : this.look).focus();
  }

  showFound(found) {
    this.begin.hidden = !found?.left;
    this.look.classList.toggle("quillwork-primary", !found?.left);
    this.samples.replaceChildren(
      ...(found?.samples ?? []).flatMap(({ file, idea, text, error }) => [
        el("dt", { textContent: file ?? idea }),
        el("dd", { textContent: text || error, "data-state": error ? "bad" : null }),
      ]),
    );
    if (!found) return;
    const takes = found.left_s ? t("jobs.takes", "At most about {time} for the rest.", { time: clock(found.left_s) }) : "";
    const costs = found.cost_usd ? t("jobs.costs", "About ${cost}.", { cost: found.cost_usd.toFixed(2) }) : "";
    this.say([...this.wording.found(found), takes, costs].filter(Boolean).join(" "));
  }

  async start() {
    try {
      await busy(this.begin, () => withConsent(() => call(this.path, { method: "POST", body: this.wanted() })));
    } catch (error) {
      this.say(asCallError(error).text, "bad");
      return;
    }
    this.showFound(null);
    this.say("");
    this.element.open = false;
    this.begun();
  }

  say(text, state = "") {
    this.status.textContent = text;
    this.status.dataset.state = state;
  }
}

export function field(given) {
  return el("input", { type: "text", className: "quillwork-field", autocomplete: "off", ...given });
}

export function choice(options) {
  return el("select", { className: "quillwork-field" }, ...Object.entries(options).map(([value, textContent]) => el("option", { value, textContent })));
}

/** What stands in a field for a whole number, kept between `least` and `most`. */
export function whole(value, least, most) {
  return Math.min(most, Math.max(least, Math.floor(Number(value) || 0)));
}
