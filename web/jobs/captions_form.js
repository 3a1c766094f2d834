// A new job for a folder: a caption beside each of its images.
import { el, labelled } from "../common/elements.js";
import { t } from "../common/texts.js";
import { NewJob, choice, field, whole } from "./new_job.js";

const remembered = {};

export class CaptionsForm extends NewJob {
  constructor(begun) {
    const fields = {
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
    const wording = {
      previewing: t("jobs.previewing", "The model looks at the first images …"),
      found: ({ left, total, kept }) => [
        t("jobs.found", "Images that get a caption: {left} of {total}.", { left, total }),
        kept ? t("jobs.kept", "Already captioned: {count}.", { count: kept }) : "",
      ],
    };
    super({ begun, remembered, kind: "captions", path: "jobs", fields, wording, without: ["audio"] });
    this.subfolders = el("input", { type: "checkbox", checked: Boolean(remembered.subfolders) });
    this.show(
      t("jobs.new", "Caption a folder"),
      labelled(t("jobs.folder", "Folder"), fields.folder),
      el("label", { className: "quillwork-check" }, this.subfolders, t("jobs.subfolders", "Also the images in subfolders")),
      labelled(t("enhance.target", "For model"), fields.target),
      labelled(t("enhance.instruction", "Instruction"), fields.instruction),
      labelled(t("jobs.trigger", "Trigger word"), fields.trigger),
      labelled(t("jobs.existing", "Captions that are already there"), fields.existing),
      labelled(t("jobs.limit", "Only the first images (0: all)"), fields.limit),
      labelled(t("jobs.model", "Vision model"), fields.llm_model),
    );
  }

  entered() {
    const values = super.entered();
    return { ...values, limit: whole(values.limit, 0, 1000000), subfolders: this.subfolders.checked };
  }
}
