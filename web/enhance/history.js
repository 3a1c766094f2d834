// What a text field held before and after each time, for as long as the page is open.

const MOST_FIELDS = 100;
const MOST_TEXTS = 30;
const histories = new Map();

/** The texts of one field, and which of them stands in it. */
export class History {
  constructor() {
    this.texts = [];
    this.at = -1;
  }

  /** Note the text that stands in the field now; what was undone is then gone. */
  note(text) {
    if (this.texts[this.at] === text) return;
    this.texts = [...this.texts.slice(0, this.at + 1), text].slice(-MOST_TEXTS);
    this.at = this.texts.length - 1;
  }

  /** Go `by` steps; the text there, or null where there is none. */
  step(by) {
    return this.go(this.at + by);
  }

  go(place) {
    if (this.texts[place] === undefined) return null;
    this.at = place;
    return this.texts[place];
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.texts.length - 1;
  }
}

/** The history of a widget, made at its first use. */
export function historyOf({ node, widget }) {
  const key = `${node.graph?.id}/${node.id}/${widget.name}`;
  const history = histories.get(key) ?? new History();
  histories.delete(key);
  histories.set(key, history);
  if (histories.size > MOST_FIELDS) histories.delete(histories.keys().next().value);
  return history;
}
