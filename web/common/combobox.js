// The list under a text field: filtered while one types, worked by keyboard, in nobody's way.
import { el, useStyles } from "./elements.js";

const LEAST_WIDTH = 340;
const HEIGHT = 320;
const GAP = 4;
const attached = new WeakSet();
let count = 0;

/** A field's list. A list of its own kind says in `content(query)` what is in it: `{groups, last, note}`, where
 *  `groups` is pairs of a name and its options, `last` an option below them, `note` a text below all. */
export class Combobox {
  constructor(input, title) {
    this.input = input;
    this.title = title;
    this.id = `quillwork-list-${++count}`;
    this.query = "";
    this.element = null;
    this.rows = [];
    useStyles(["lists.css"]);
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-haspopup": "listbox",
      autocomplete: "off",
      spellcheck: "false",
    })) {
      input.setAttribute(name, value);
    }
    input.addEventListener("focus", () => this.open());
    input.addEventListener("click", () => this.open());
    input.addEventListener("input", (event) => this.typed(event));
    input.addEventListener("blur", () => this.close());
    // In the capture phase, so that it comes before the host's own handling of Enter and Escape.
    input.addEventListener("keydown", (event) => this.key(event), true);
  }

  /** Give `input` the list that `make()` is, where it has none yet. Opens at once where the field has the focus. */
  static attach(input, make) {
    if (attached.has(input)) return;
    attached.add(input);
    const list = make();
    if (document.activeElement === input) list.open();
  }

  content() {
    return { groups: [] };
  }

  /** Fetch what the list needs, if anything, and draw it. */
  load() {
    this.draw();
  }

  open() {
    if (this.element || this.input.readOnly || this.input.disabled) return;
    this.element = el("div", { className: "quillwork-ui quillwork-suggestions" });
    this.box = el("div", {
      id: this.id,
      role: "listbox",
      className: "quillwork-suggestion-list",
      "aria-label": this.title,
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

  typed() {
    if (!this.element) this.open();
    this.query = this.input.value.trim();
    this.draw();
  }

  draw() {
    // Before anything is new: afterwards the page would be laid out for it.
    this.place();
    this.rows = [];
    const { groups, last = null, note = "" } = this.content(this.query);
    const drawn = groups.map(([name, options]) =>
      el(
        "div",
        { role: "group", "aria-label": name },
        name && el("div", { className: "quillwork-suggestion-group", textContent: name, "aria-hidden": "true" }),
        ...options.map((option) => this.row(option)),
      ),
    );
    this.box.replaceChildren(...drawn, ...(last ? [this.row(last)] : []));
    this.status.textContent = note;
    this.mark(null);
  }

  /** An option `{given, act, children}`: properties of its element, what choosing it does, what stands in it. */
  row({ given, act, children }) {
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

  /** Put `text` into the field, as if it had been typed. */
  take(text) {
    const { input } = this;
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    this.close();
    // The canvas asks for a text in a little dialog of its own, which takes it with its OK.
    input.closest(".graphdialog")?.querySelector("button")?.click();
    input.dispatchEvent(new Event("change", { bubbles: true }));
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
