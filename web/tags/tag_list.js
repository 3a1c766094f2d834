// The list of tags under a text field, while one types in it. Of no host, as the table is.
import { Combobox } from "../common/combobox.js";
import { el } from "../common/elements.js";
import { guarded } from "../common/guarded.js";

const MOST = 12;
const MOST_WORDS = 4;
const lists = new WeakMap();

/** The text before the caret that may be the beginning of a tag: what begins `from` there. */
function typedIn(text) {
  // A bracket of a name stands behind a backslash; __wildcards__, <tags> and lettering are no tags.
  const [term] = /(?:\\[()]|[^,\n()<>[\]{}|"])*$/.exec(text);
  const from = text.length - term.trimStart().length;
  const before = text[from - 1];
  return before === "<" || text.startsWith("__", from) ? { from, term: "" } : { from, term: text.slice(from) };
}

class TagList extends Combobox {
  constructor(input, title, mannerAt, isPartOfList) {
    super(input, title);
    Object.assign(this, { mannerAt, isPartOfList });
    this.found = [];
    input.addEventListener("compositionend", guarded(() => this.typed()));
  }

  // Opened by typing alone.
  open() {
    if (this.found.length) super.open();
  }

  typed(event) {
    this.found = event?.isComposing || this.taking ? [] : this.search();
    if (!this.found.length) return this.close();
    if (this.element) this.draw();
    else super.open();
  }

  // The table, or more of what was found in it, has come while one was typing.
  arrived() {
    const isChoosing = this.element && this.marked != null;
    if (document.activeElement === this.input && !isChoosing) this.typed();
  }

  search() {
    const { input } = this;
    this.manner = this.mannerAt(input, () => this.arrived());
    if (!this.manner || input.selectionStart !== input.selectionEnd) return [];
    const before = input.value.slice(0, input.selectionStart);
    const { from, term } = typedIn(before);
    // Within a sentence its last words may be a tag.
    const words = [...term.matchAll(/\S+/g)].map(({ index }) => index).slice(-MOST_WORDS);
    for (const start of words) {
      const text = term.slice(start).replaceAll("\\", "");
      const shortest = text.charCodeAt(0) > 127 ? 1 : start ? 3 : 2;
      if (text.trim().length < shortest) continue;
      this.from = from + start;
      const found = this.manner.find(text, MOST, start > 0, () => this.arrived());
      if (found.length) return found;
    }
    return [];
  }

  content() {
    return { groups: [["", this.found.map((tag) => this.option(tag))]] };
  }

  option(tag) {
    const { alias, kind, name, count } = tag;
    const shown = name.replaceAll("_", " ");
    return {
      given: { "data-kind": kind, "aria-label": alias ? `${alias}: ${shown}` : shown },
      act: () => this.choose(tag),
      children: [
        el("span", { className: "quillwork-suggestion-label", textContent: alias ? `${alias.replaceAll("_", " ")} → ${shown}` : shown }),
        el("span", { className: "quillwork-suggestion-facts", textContent: count ? COUNT.format(count) : "" }),
      ],
    };
  }

  choose(tag) {
    const { input } = this;
    const rest = input.value.slice(input.selectionStart);
    const isAlone = !/[({|[]\s*$/.test(input.value.slice(0, this.from).replace(/\\[()]/g, ""));
    const comma = this.isPartOfList && isAlone && !/^\s*[,)\]}|:]/.test(rest) ? ", " : "";
    const text = this.manner.spell(tag) + comma;
    this.taking = true;
    input.focus();
    input.setSelectionRange(this.from, input.selectionStart);
    // It alone keeps the field's own Ctrl+Z.
    if (!document.execCommand("insertText", false, text)) {
      input.setRangeText(text, this.from, input.selectionEnd, "end");
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.taking = false;
    this.close();
  }

  key(event) {
    if (!this.element) return;
    const isPlain = !event.isComposing && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (event.key === "Tab" && isPlain) {
      event.preventDefault();
      event.stopImmediatePropagation();
      this.choose(this.found[this.marked ?? 0]);
    } else if (isPlain) super.key(event);
    else if (["Enter", "Tab"].includes(event.key)) this.close();
  }
}

const COUNT = new Intl.NumberFormat("en", { notation: "compact" });

function isServed(input) {
  if (!input.classList.contains("comfy-multiline-input")) return false;
  const setting = app.extensionManager?.setting;
  return Boolean(app.extensions?.some(({ name }) => name in OTHERS && setting?.get?.(OTHERS[name]) !== false));
}

/** Complete tags in every text field of the page for which `targetAt(field)` names a target that knows some, from the
 *  first letter that is typed in it; not where another extension does, which `isServed(field)` tells. A comma follows
 *  a tag unless `holdsList(field)` says no. */
export function completeTags({ title, manners, targetAt, isServed, holdsList = () => true }) {
  const mannerAt = (field, later) => manners.of(targetAt(field), later);
  document.addEventListener("focusin", guarded(({ target }) => mannerAt(target)));
  document.addEventListener(
    "input",
    guarded(({ target }) => {
      if (lists.has(target) || !targetAt(target) || isServed(target)) return;
      // It hears of this very event, which is still on its way to the field.
      lists.set(target, new TagList(target, title(), mannerAt, holdsList(target)));
    }),
    true,
  );
}
