// Suggestions under a field for a model's id, grouped by provider. Any other text stays allowed.
import { asCallError } from "../common/calls.js";
import { Combobox } from "../common/combobox.js";
import { el } from "../common/elements.js";
import { t } from "../common/texts.js";
import { byProvider, finder, knownModels, listModels, noteChosen, standing } from "./catalog.js";
import { factsOf } from "./facts.js";
import { loadModes } from "./modes.js";

const MOST_SHOWN = 200;
// Drawing is what a keystroke costs, not the search.
const MOST_WHILE_TYPING = 20;

/** Give `input` suggestions; `fits` may leave some models out. Opens at once where the field has the focus. */
export function suggestModels(input, fits = () => true) {
  Combobox.attach(input, () => new ModelList(input, fits));
}

function standingText(model) {
  return {
    ready: t("models.ready", "ready"),
    needs_key: t("models.needsKey", "needs key"),
    locked: t("models.locked", "locked by plan"),
  }[standing(model)];
}

class ModelList extends Combobox {
  constructor(input, fits) {
    super(input, t("models.title", "Models"));
    this.fits = fits;
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

  content(query) {
    const { models = [], sources = [] } = knownModels() ?? {};
    const matches = finder(query);
    const found = models.filter((model) => matches(model) && this.fits(model));
    const most = query ? MOST_WHILE_TYPING : MOST_SHOWN;
    const more = found.length - most;
    const note = [
      this.notice,
      !found.length && !this.notice ? t("models.none", "No model in the list matches. The name is used as entered.") : "",
      more > 0 ? t("models.more", "{count} more: type to find them.", { count: more }) : "",
      ...sources.filter(({ state, message }) => ["refused", "down", "stale"].includes(state) && message).map(sourceText),
    ];
    const groups = [...byProvider(found.slice(0, most))].map(([name, some]) => [name, some.map((model) => this.option(model))]);
    return { groups, last: this.refreshOption(), note: note.filter(Boolean).join("\n") };
  }

  option(model) {
    const state = standing(model);
    const { short, long } = factsOf(model);
    return {
      given: { title: model.id, "data-state": state, "data-current": model.id === this.input.value || null },
      act: () => {
        this.take(model.id);
        noteChosen(model.id);
      },
      children: [
        el("span", { className: "quillwork-suggestion-label", textContent: model.label || model.id }),
        !model.id.endsWith(model.label) && el("span", { className: "quillwork-hint", textContent: model.id }),
        short && el("span", { className: "quillwork-suggestion-facts", title: long, textContent: short }),
        el("span", { className: "quillwork-badge", "data-state": state, textContent: standingText(model) }),
      ],
    };
  }

  refreshOption() {
    return {
      given: { className: "quillwork-suggestion quillwork-suggestion-refresh" },
      act: () => this.load(true),
      children: [t("models.refresh", "Refresh the list of models")],
    };
  }
}

function sourceText({ label, message, hint }) {
  return `${label}: ${[message, hint].filter(Boolean).join(" ")}`;
}
