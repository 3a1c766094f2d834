// A new job: a folder and what is wanted for it, a preview of the first captions, and then its start.
import { asCallError, call } from "../common/calls.js";
import { withConsent } from "../common/consent.js";
import { busy, button, el, labelled } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { fillTargets } from "../common/target_choices.js";
import { t } from "../common/texts.js";
import { suggestModels } from "../models/suggestions.js";
import { clock } from "./clock.js";

// What was entered, for when the sidebar is opened again.
let remembered = { isOpen: false };

export class JobForm {
  /** `begun` is called once a job has begun. */
  constructor(begun) {
    this.begun = begun;
    this.fields = {
      folder: field({ placeholder: "my_set", title: t("jobs.folderHint", "A folder in ComfyUI's input folder, with [output] after its name in the output folder, or a whole path.") }),
      target: choice({ auto: t("jobs.caption", "A caption") }),
      instruction: field({ placeholder: t("jobs.instructionExample", "Optional, e.g. name the light") }),
      trigger: field({ placeholder: t("jobs.triggerExample", "Optional, begins every caption") }),
      existing: choice({
        keep: t("jobs.keep", "Keep them"),
        append: t("jobs.append", "Add behind them"),
        replace: t("jobs.replace", "Replace them"),
      }),
      limit: field({ type: "number", min: 0, max: 1000000, step: 1, value: "0", title: t("jobs.limitHint", "Only the first so many images. 0: all of them.") }),
      llm_model: field({ placeholder: t("jobs.modelOfSettings", "From your settings"), spellcheck: false }),
    };
    this.subfolders = el("input", { type: "checkbox" });
    const { folder, target, instruction, trigger, existing, limit, llm_model: model } = this.fields;
    this.look = button(t("jobs.preview", "Preview"), guarded(() => this.preview()), { className: "quillwork-primary" });
    this.stop = button(t("jobs.stop", "Stop"), () => this.running?.abort(), { hidden: true });
    this.begin = button(t("jobs.start", "Start"), guarded(() => this.start()), { className: "quillwork-primary", hidden: true });
    this.status = el("p", { className: "quillwork-hint", role: "status" });
    this.samples = el("dl", { className: "quillwork-samples" });
    this.element = el(
      "details",
      { className: "quillwork-new-job", open: remembered.isOpen },
      el("summary", { textContent: t("jobs.new", "Caption a folder") }),
      labelled(t("jobs.folder", "Folder"), folder),
      el("label", { className: "quillwork-check" }, this.subfolders, t("jobs.subfolders", "Also the images in subfolders")),
      labelled(t("enhance.target", "For model"), target),
      labelled(t("enhance.instruction", "Instruction"), instruction),
      labelled(t("jobs.trigger", "Trigger word"), trigger),
      labelled(t("jobs.existing", "Captions that are already there"), existing),
      labelled(t("jobs.limit", "Only the first images (0: all)"), limit),
      labelled(t("jobs.model", "Vision model"), model),
      el("div", { className: "quillwork-buttons" }, this.look, this.stop, this.begin),
      this.status,
      this.samples,
    );
    for (const [name, control] of Object.entries(this.fields)) if (remembered[name]) control.value = remembered[name];
    this.subfolders.checked = Boolean(remembered.subfolders);
    this.element.addEventListener("toggle", () => this.remember());
    this.element.addEventListener("input", () => this.changed());
    model.addEventListener("focus", guarded(() => suggestModels(model)));
    this.element.addEventListener("keydown", guarded((event) => this.key(event)));
    this.fillTargets();
  }

  async fillTargets() {
    const { target } = this.fields;
    try {
      await fillTargets(target, remembered.target);
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
    remembered = { ...this.wanted(), isOpen: this.element.open };
  }

  // What was shown is not what would be begun any more.
  changed() {
    this.remember();
    this.running?.abort();
    this.show(null);
    this.say("");
  }

  wanted() {
    const values = Object.fromEntries(Object.entries(this.fields).map(([name, { value }]) => [name, value.trim()]));
    const limit = Math.min(1000000, Math.max(0, Math.floor(Number(values.limit) || 0)));
    return { ...values, limit, subfolders: this.subfolders.checked };
  }

  async preview() {
    this.remember();
    const { signal } = (this.running = new AbortController());
    const body = { ...this.wanted(), preview: true };
    this.show(null);
    this.say(t("jobs.previewing", "The model looks at the first images …"));
    this.look.hidden = true;
    this.stop.hidden = false;
    this.stop.focus();
    try {
      const found = await withConsent(() => call("jobs", { method: "POST", body, signal }));
      if (signal.aborted) return;
      this.show(found);
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

  show(found) {
    this.begin.hidden = !found?.left;
    this.look.classList.toggle("quillwork-primary", !found?.left);
    this.samples.replaceChildren(
      ...(found?.samples ?? []).flatMap(({ file, text, error }) => [
        el("dt", { textContent: file }),
        el("dd", { textContent: text || error, "data-state": error ? "bad" : null }),
      ]),
    );
    if (!found) return;
    const { total, left, kept } = found;
    const takes = found.left_s ? t("jobs.takes", "At most about {time} for the rest.", { time: clock(found.left_s) }) : "";
    const costs = found.cost_usd ? t("jobs.costs", "About ${cost}.", { cost: found.cost_usd.toFixed(2) }) : "";
    this.say(
      [
        t("jobs.found", "Images that get a caption: {left} of {total}.", { left, total }),
        kept ? t("jobs.kept", "Already captioned: {count}.", { count: kept }) : "",
        takes,
        costs,
      ]
        .filter(Boolean)
        .join(" "),
    );
  }

  async start() {
    try {
      await busy(this.begin, () => withConsent(() => call("jobs", { method: "POST", body: this.wanted() })));
    } catch (error) {
      this.say(asCallError(error).text, "bad");
      return;
    }
    this.show(null);
    this.say("");
    this.element.open = false;
    this.begun();
  }

  say(text, state = "") {
    this.status.textContent = text;
    this.status.dataset.state = state;
  }
}

function field(given) {
  return el("input", { type: "text", className: "quillwork-field", autocomplete: "off", ...given });
}

function choice(options) {
  return el("select", { className: "quillwork-field" }, ...Object.entries(options).map(([value, textContent]) => el("option", { value, textContent })));
}
