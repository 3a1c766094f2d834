// Providers, found by what people call them: a name, the id, the variable of the key, a model.
import { Combobox } from "../common/combobox.js";
import { el } from "../common/elements.js";
import { t } from "../common/texts.js";

/** The providers that fit `query`, the ones that are meant first; `rows` as the host lists them. */
export function findProviders(rows, query) {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return rows;
  const ranked = rows.map((row) => [rank(row, wanted), row]).filter(([place]) => place < Infinity);
  return ranked.sort(([one], [other]) => one - other).map(([, row]) => row);
}

function rank({ id, provider = id, label, aliases = [], key_variables: variables = [], models = [] }, wanted) {
  const names = [provider, label, ...aliases].map((name) => name.toLowerCase());
  if (names.includes(wanted)) return 0;
  if (names.some((name) => name.startsWith(wanted))) return 1;
  const holds = (texts) => wanted.split(/\s+/).every((word) => texts.join("\n").toLowerCase().includes(word));
  return holds([...names, ...variables]) ? 2 : holds(models) ? 3 : Infinity;
}

export function findText() {
  return t("keys.find", "Find a provider, such as Kimi, Qwen or AWS");
}

export function noneText() {
  return t("keys.none", "No provider matches. Any server that speaks OpenAI's format can be used as your own server.");
}

/** Give `input` the list of the providers `rows`; `chosen(row)` is told which one was taken. */
export function suggestProviders(input, rows, chosen) {
  Combobox.attach(input, () => new ProviderList(input, rows, chosen));
}

class ProviderList extends Combobox {
  constructor(input, rows, chosen) {
    super(input, t("setup.provider", "Provider"));
    this.all = rows;
    this.chosen = chosen;
  }

  content(query) {
    const found = findProviders(this.all, query);
    return { groups: [["", found.map((row) => this.option(row))]], note: found.length ? "" : noneText() };
  }

  key(event) {
    // Who types a name and presses Enter means the first one found.
    if (event.key === "Enter" && this.element && this.marked == null && this.query && this.rows.length) this.mark(0);
    super.key(event);
  }

  option(row) {
    const { id, label, configured } = row;
    return {
      given: { "data-provider": id, "data-state": configured ? "ready" : "needs_key" },
      act: () => {
        this.take(label);
        this.chosen(row);
      },
      children: [
        el("span", { className: "quillwork-suggestion-label", textContent: label }),
        el("span", { className: "quillwork-hint", textContent: id }),
        configured && el("span", { className: "quillwork-badge", "data-state": "ready", textContent: t("models.ready", "ready") }),
      ],
    };
  }
}
