// One variable: its values as text, more of them from the model, each kept or dropped.
import { app } from "../../../scripts/app.js";
import { asCallError } from "../common/calls.js";
import { withConsent } from "../common/consent.js";
import { busy, button, el } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { tell } from "../common/notices.js";
import { t } from "../common/texts.js";
import { deleteVariable, inventValues, readVariable, valuesOf, writeVariable } from "./library.js";

const MOST = 200;

export class Editor {
  /** `name` is null for a new variable; `leave(name)` goes back to the list. */
  constructor(name, leave) {
    this.name = name;
    this.leave = leave;
    this.version = "";
    this.saved = "";
    this.invented = [];
    this.running = null;
    this.element = el("div", { className: "quillwork-editor" });
    this.build();
    if (name) this.read();
    else this.title.focus();
  }

  build() {
    const back = button(t("variables.back", "Back"), guarded(() => this.back()));
    this.title = el("input", {
      type: "text",
      className: "quillwork-field",
      value: this.name ?? "",
      readOnly: Boolean(this.name),
      placeholder: t("variables.nameExample", "Name, e.g. hair/style"),
      "aria-label": t("variables.name", "Name"),
    });
    this.values = el("textarea", {
      className: "quillwork-field quillwork-values",
      rows: 12,
      spellcheck: false,
      placeholder: t("variables.valuesExample", "One value per line"),
      "aria-label": t("variables.values", "Values, one per line"),
    });
    this.count = el("span", { className: "quillwork-hint" });
    this.save = button(t("variables.save", "Save"), guarded(() => this.store()), { className: "quillwork-primary" });
    this.remove = button(t("variables.delete", "Delete …"), guarded(() => this.drop()), { hidden: !this.name });
    this.status = el("p", { className: "quillwork-hint", role: "status" });
    this.values.addEventListener("input", () => this.show());
    this.element.append(
      el("div", { className: "quillwork-line" }, back, this.title),
      this.values,
      el("div", { className: "quillwork-line" }, this.count, this.remove, this.save),
      this.status,
      this.generator(),
    );
    this.show();
  }

  generator() {
    this.amount = el("input", {
      type: "number",
      className: "quillwork-field",
      min: 1,
      max: MOST,
      value: "10",
      "aria-label": t("variables.amount", "Number of values"),
    });
    this.guidance = el("input", {
      type: "text",
      className: "quillwork-field",
      placeholder: t("variables.guidanceExample", "Optional, e.g. only historical ones"),
      "aria-label": t("variables.guidance", "Guidance"),
    });
    this.kind = el("select", { className: "quillwork-field", "aria-label": t("variables.creativity", "Creativity") });
    for (const [value, text] of [
      ["similar", t("variables.similar", "similar")],
      ["balanced", t("variables.balanced", "balanced")],
      ["creative", t("variables.creative", "creative")],
    ]) {
      this.kind.append(el("option", { value, textContent: text }));
    }
    this.kind.value = "balanced";
    this.more = button(t("variables.more", "Generate"), guarded(() => this.invent()));
    this.stop = button(t("variables.stop", "Stop"), () => this.running?.abort(), { hidden: true });
    this.offers = el("div", { className: "quillwork-offers" });
    return el(
      "fieldset",
      { className: "quillwork-more" },
      el("legend", { textContent: t("variables.moreTitle", "Generate more values") }),
      this.guidance,
      el("div", { className: "quillwork-line" }, this.amount, this.kind, this.more, this.stop),
      this.offers,
    );
  }

  say(text, state = "") {
    this.status.textContent = text;
    this.status.dataset.state = state;
  }

  fail(error) {
    if (error?.name !== "AbortError") this.say(asCallError(error).text, "bad");
  }

  take({ values, version, read_only: fixed }) {
    this.version = version ?? "";
    this.saved = values.join("\n");
    this.values.value = this.saved;
    this.fixed = Boolean(fixed);
    this.show();
  }

  async read() {
    this.say(t("variables.reading", "Loading …"));
    try {
      this.take(await readVariable(this.name));
      this.say(this.fixed ? t("variables.fixed", "This variable is in a read-only folder.") : "");
    } catch (error) {
      this.fail(error);
    }
  }

  show() {
    const { length } = valuesOf(this.values.value);
    this.count.textContent = t("variables.count", "{count} values", { count: length });
    this.values.readOnly = Boolean(this.fixed);
    this.save.disabled = Boolean(this.fixed) || this.values.value === this.saved;
    this.remove.disabled = Boolean(this.fixed);
    this.more.disabled = Boolean(this.fixed);
  }

  nameNow() {
    return this.name ?? this.title.value.trim();
  }

  async store() {
    const name = this.nameNow();
    try {
      await busy(this.save, async () => {
        const values = valuesOf(this.values.value);
        this.take(await writeVariable(name, { values, version: this.version }));
      });
      this.name = name;
      this.title.readOnly = true;
      this.remove.hidden = false;
      this.say(t("variables.saved", "Saved."), "good");
    } catch (error) {
      this.fail(error);
    }
    this.show();
  }

  async drop() {
    const sure = await app.extensionManager.dialog.confirm({
      title: t("variables.deleteTitle", "Delete this variable?"),
      message: t("variables.deleteSure", "“{name}” and its {count} values will be permanently deleted from the library.", {
        name: this.name,
        count: valuesOf(this.saved).length,
      }),
      type: "delete",
    });
    if (!sure) return;
    try {
      await deleteVariable(this.name);
      tell(t("variables.deleted", "Deleted"), this.name);
      this.leave("");
    } catch (error) {
      this.fail(error);
    }
  }

  async back() {
    const unsaved = this.values.value !== this.saved || this.kept().length > 0;
    if (unsaved) {
      const sure = await app.extensionManager.dialog.confirm({
        title: t("variables.unsavedTitle", "Leave without saving?"),
        message: t("variables.unsaved", "Your changes have not been saved."),
      });
      if (!sure) return;
    }
    this.running?.abort();
    this.leave(this.name ?? "");
  }

  async invent() {
    const { signal } = (this.running = new AbortController());
    this.more.hidden = true;
    this.stop.hidden = false;
    this.say(t("variables.inventing", "Generating values …"));
    try {
      const existing = [...valuesOf(this.values.value), ...this.invented.map((one) => one.value)];
      const request = {
        name: this.nameNow(),
        count: Math.min(MOST, Math.max(1, Math.round(Number(this.amount.value)) || 1)),
        guidance: this.guidance.value,
        creativity: this.kind.value,
        existing,
      };
      const { values, info } = await withConsent(() => inventValues(request, signal));
      this.offer(values);
      this.say((info?.warnings ?? []).join("\n"));
    } catch (error) {
      this.say("");
      this.fail(error);
    } finally {
      this.running = null;
      this.more.hidden = false;
      this.stop.hidden = true;
    }
  }

  kept() {
    return this.invented.filter((one) => one.box.checked).map((one) => one.value);
  }

  offer(values) {
    for (const value of values) {
      const box = el("input", { type: "checkbox", checked: true });
      this.invented.push({ value, box, row: el("label", { className: "quillwork-check" }, box, value) });
    }
    const add = button("", () => this.add(), { className: "quillwork-primary" });
    const drop = button(t("variables.dropAll", "Discard all"), () => this.forget());
    const count = () => {
      add.textContent = t("variables.keep", "Keep {count}", { count: this.kept().length });
      add.disabled = !this.kept().length;
    };
    const rows = el("div", { className: "quillwork-offer-list" }, ...this.invented.map((one) => one.row));
    rows.addEventListener("change", count);
    count();
    this.offers.replaceChildren(rows, el("div", { className: "quillwork-buttons" }, drop, add));
  }

  forget() {
    this.invented = [];
    this.offers.replaceChildren();
  }

  async add() {
    this.values.value = [...valuesOf(this.values.value), ...this.kept()].join("\n");
    this.forget();
    await this.store();
  }
}
