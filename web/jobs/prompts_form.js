// A new job for a file: a prompt for each of its lines.
import { button, el, labelled } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { t } from "../common/texts.js";
import { decoded } from "./file_text.js";
import { NewJob, choice, field, whole } from "./new_job.js";

const remembered = {};

export class PromptsForm extends NewJob {
  constructor(begun) {
    const fields = {
      text: el("textarea", { className: "quillwork-field", rows: 5, placeholder: t("jobs.linesExample", "a fox in the snow\nan owl at night") }),
      target: choice({ general: t("enhance.anyModel", "Any model") }),
      instruction: field({ placeholder: t("jobs.instructionExample", "Optional, e.g. name the light") }),
      variations: field({ type: "number", min: 1, max: 64, step: 1, value: "1" }),
      save_as: choice({ jsonl: "JSONL", csv: "CSV" }),
      llm_model: field({ placeholder: t("jobs.modelOfSettings", "From your settings"), spellcheck: false }),
    };
    const wording = {
      previewing: t("jobs.writingFirst", "The model writes the first prompts …"),
      found: ({ left, total }) => [
        t("jobs.foundLines", "Lines that get a prompt: {left} of {total}.", { left: left.toLocaleString(), total: total.toLocaleString() }),
        t("jobs.goes", "They go to the folder quillwork in ComfyUI's output folder."),
      ],
    };
    super({ begun, remembered, kind: "prompts", path: "jobs/prompts", fields, wording });
    this.file = remembered.file ?? null;
    this.picker = el("input", { type: "file", accept: ".txt,.csv,.jsonl", hidden: true });
    this.picker.addEventListener("change", guarded(() => this.take(this.picker.files[0])));
    this.choose = button(t("jobs.chooseFile", "Choose a file"), () => this.picker.click());
    this.name = el("p", { className: "quillwork-file-name" });
    this.drop = button(t("jobs.removeFile", "Remove the file"), () => this.setFile(null));
    this.lines = labelled(t("jobs.lines", "Ideas, one a line"), fields.text);
    this.show(
      t("jobs.newPrompts", "Prompts from a file"),
      el("p", { className: "quillwork-hint", textContent: t("jobs.fileHint", "A .txt, .csv or .jsonl file: choose it, drop it here, or enter lines below.") }),
      this.name,
      el("div", { className: "quillwork-line" }, this.picker, this.choose, this.drop),
      this.lines,
      labelled(t("enhance.target", "For model"), fields.target),
      labelled(t("enhance.instruction", "Instruction"), fields.instruction),
      labelled(t("jobs.variations", "Prompts for each line"), fields.variations),
      labelled(t("jobs.resultsAs", "Results as"), fields.save_as),
      labelled(t("jobs.textModel", "Language model"), fields.llm_model),
    );
    this.element.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.stopPropagation();
    });
    // The host would open a file that is dropped as a workflow.
    this.element.addEventListener("drop", guarded((event) => this.dropped(event)));
    this.showFile();
  }

  dropped(event) {
    const [file] = event.dataTransfer?.files ?? [];
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    return this.take(file);
  }

  async take(file) {
    this.picker.value = "";
    if (file) this.setFile({ name: file.name, text: decoded(await file.arrayBuffer()) });
  }

  setFile(file) {
    this.file = file;
    this.showFile();
    this.changed();
    (file ? this.look : this.choose).focus();
  }

  showFile() {
    this.name.textContent = this.file?.name ?? "";
    this.name.hidden = this.drop.hidden = !this.file;
    this.lines.hidden = Boolean(this.file);
  }

  remember() {
    super.remember();
    this.remembered.file = this.file;
  }

  wanted() {
    const values = this.entered();
    const { name, text } = this.file ?? { name: "", text: values.text };
    return { ...values, name, text, variations: whole(values.variations, 1, 64) };
  }
}
