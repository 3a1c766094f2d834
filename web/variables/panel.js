// The sidebar's list of variables; one of them opens in its place.
import { asCallError } from "../common/calls.js";
import { button, el, useStyles } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { t } from "../common/texts.js";
import { Editor } from "./editor.js";
import { listVariables } from "./library.js";

/** The tab as the host's sidebar takes it. */
export function variablesTab() {
  return {
    id: "quillwork-variables",
    icon: "pi pi-list",
    title: t("variables.tab", "Variables"),
    tooltip: t("variables.tooltip", "Quillwork variables: the lists behind __name__"),
    type: "custom",
    render: guarded((container) => new Panel(container)),
  };
}

class Panel {
  constructor(container) {
    useStyles();
    this.query = "";
    this.element = el("div", { className: "quillwork-ui quillwork-panel" });
    container.replaceChildren(this.element);
    container.classList.add("quillwork-panel-host");
    this.showList();
  }

  async showList(focus = "") {
    const search = el("input", {
      type: "search",
      className: "quillwork-field",
      value: this.query,
      placeholder: t("variables.search", "Search"),
      "aria-label": t("variables.searchLabel", "Search variables"),
    });
    const list = el("ul", { className: "quillwork-list" });
    const note = el("p", { className: "quillwork-hint", role: "status" });
    const add = button(t("variables.new", "New"), () => this.showEditor(null));
    const again = button("", () => this.showList(), { "aria-label": t("variables.reload", "Reload the folders") });
    again.append(el("i", { className: "pi pi-refresh", "aria-hidden": "true" }));
    this.element.replaceChildren(
      el("h2", { textContent: t("variables.title", "Variables") }),
      el("div", { className: "quillwork-line" }, search, add, again),
      note,
      list,
    );
    let found = { variables: [], problems: [] };
    const draw = () => {
      this.query = search.value;
      const words = search.value.toLowerCase().split(/\s+/);
      const shown = found.variables.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
      list.replaceChildren(...shown.map((one) => this.entry(one)));
      note.textContent = [
        found.variables.length ? "" : t("variables.none", "No variables yet. Create one, or save some with Generate Variables."),
        ...found.problems,
      ]
        .filter(Boolean)
        .join("\n");
    };
    search.addEventListener("input", draw);
    note.textContent = t("variables.reading", "Loading …");
    try {
      found = await listVariables();
      draw();
      [...list.querySelectorAll("button")].find((one) => one.dataset.name === focus)?.focus();
    } catch (error) {
      note.textContent = asCallError(error).text;
    }
  }

  entry({ name, count, read_only: fixed }) {
    const open = button("", () => this.showEditor(name), { className: "quillwork-entry", "data-name": name });
    open.append(
      el("span", { className: "quillwork-entry-name", textContent: `__${name}__` }),
      fixed ? el("i", { className: "pi pi-lock", title: t("variables.readOnly", "read-only") }) : "",
      el("span", { className: "quillwork-count", textContent: String(count) }),
    );
    return el("li", {}, open);
  }

  showEditor(name) {
    const editor = new Editor(name, (last) => this.showList(last));
    this.element.replaceChildren(editor.element);
  }
}
