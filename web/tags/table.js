// The tags that exist, fetched once, and which of them begin or hold what is being typed. Of no host: ComfyUI's page and
// the web UIs' have it from here.
const SHORTEST = 2;
// In milliseconds: as long as the page may stand still for a table, at a key and while it is read.
const PATIENCE = 4;
// In characters: so much is looked through without a look at the clock.
const SLICE = 2 ** 18;
const ROWS_AT_ONCE = 512;
const pause = () => new Promise((done) => setTimeout(done));

/** How targets write tags, as the host tells: `ask(target, version)` fetches the answer of the route `tags`. */
export class Manners {
  constructor(ask) {
    this.ask = ask;
    this.known = new Map();
    this.tables = new Map();
  }

  /** How `target` writes tags, `{find, spell}`, or null: it has no use for any, there is no table, or it is not here
   *  yet, in which case `later()` is called when it is. */
  of(target, later = () => {}) {
    if (!target) return null;
    if (!this.known.has(target)) this.renew(target);
    const { manner, coming } = this.known.get(target);
    if (!manner) coming?.then((isHere) => isHere && later());
    return manner;
  }

  /** Ask for the manner of `target` again: what it stands for may be another one now. The known one serves meanwhile. */
  renew(target) {
    const known = this.known.get(target);
    if (!known?.coming) this.known.set(target, { manner: known?.manner ?? null, coming: this.come(target) });
  }

  async come(target) {
    try {
      this.known.set(target, { manner: await this.load(target) });
      return true;
    } catch {
      // What fails is tried again at the next key.
      this.known.delete(target);
      return false;
    }
  }

  async load(target) {
    const { tables } = this;
    let answer = await this.ask(target, [...tables.keys()].at(-1) ?? "");
    if (!answer.version) return null;
    if (!answer.rows && !tables.has(answer.version)) answer = await this.ask(target, "");
    if (answer.rows) tables.set(answer.version, Table.of(answer.rows));
    const table = await tables.get(answer.version);
    return { find: (...typed) => table.find(...typed), spell: (tag) => spelled(tag, answer) };
  }
}

// Faces such as ^_^, and what models learnt with its underscores.
const KEPT = /^(?:(?!.*\p{L}{2}).*|(?:score|source|rating|style_cluster)_.*)$/u;

function spelled({ name, kind }, { underscores, escapes, artist_mark: mark }) {
  const text = underscores || KEPT.test(name) ? name : name.replaceAll("_", " ");
  return (kind === "A" ? mark : "") + (escapes ? text.replace(/[()]/g, "\\$&") : text);
}

class Table {
  static async of(rows) {
    const table = new Table(rows);
    await table.read();
    return table;
  }

  constructor(rows) {
    this.rows = rows;
    // Where names and aliases begin, by their first letters; the most frequent come first.
    this.starts = new Map();
    // Whole rows, and where each piece of them begins.
    this.slices = [];
    // What was looked for last within the rows: as far as `next`, a place in `slices`, with the `rows` that hold it.
    this.last = null;
  }

  async read() {
    const { rows } = this;
    let until = performance.now() + PATIENCE;
    for (let at = 0, count = 1; at < rows.length - 1; count += 1) {
      const end = rows.indexOf("\n", at + 1);
      for (let start = at + 1; start > 0 && start < end; start = this.next(start, end)) this.note(start);
      at = end;
      if (count % ROWS_AT_ONCE || performance.now() < until) continue;
      await pause();
      until = performance.now() + PATIENCE;
    }
    for (let from = 0; from < rows.length - 1; ) {
      const end = from + SLICE < rows.length ? rows.lastIndexOf("\n", from + SLICE) : rows.length - 1;
      const to = end > from ? end : rows.indexOf("\n", from + 1);
      this.slices.push({ from, text: rows.slice(from, to + 1) });
      from = to;
    }
  }

  next(start, end) {
    const tab = this.rows.indexOf("\t", start);
    if (tab < 0 || tab > end) return -1;
    // Behind the name stand kind and count.
    return this.rows[start - 1] === "\n" ? this.next(tab + 1, end) : tab + 1;
  }

  note(start) {
    const key = this.rows.slice(start, start + SHORTEST);
    const found = this.starts.get(key);
    if (found) found.push(start);
    else this.starts.set(key, [start]);
  }

  /** `{name, kind, count, alias}` of at most so many tags for what is typed: those that begin so, then, unless `begun`
   *  ones alone are wanted, those that hold it. Where that takes long, `later()` is called to ask for the rest. */
  find(text, most, begun, later = () => {}) {
    const typed = text.toLowerCase().trim().replace(/\s+/g, "_");
    const found = new Map();
    for (const start of this.starts.get(typed.slice(0, SHORTEST)) ?? []) {
      if (found.size === most) break;
      if (this.rows.startsWith(typed, start)) this.add(found, start);
    }
    if (!begun && !this.hold(typed, most, found)) setTimeout(later);
    return [...found.values()];
  }

  /** Add tags that hold what is typed to `found`; false where there was no time to look through all of them. */
  hold(typed, most, found) {
    const { last } = this;
    if (last?.typed !== typed && !(last?.next === this.slices.length && typed.includes(last.typed))) {
      this.last = { typed, next: 0, rows: new Set() };
    }
    // A longer text is held by those alone that hold its beginning.
    for (const from of this.last.rows) {
      if (found.size === most) return true;
      const row = this.rows.slice(from, this.rows.indexOf("\n", from));
      for (let at = 0; (at = row.indexOf(typed, at)) >= 0; at += 1) this.add(found, from + at);
    }
    const until = performance.now() + PATIENCE;
    for (let isFirst = true; this.last.next < this.slices.length; this.last.next += 1, isFirst = false) {
      if (found.size === most) return true;
      if (!isFirst && performance.now() > until) return false;
      const { from, text } = this.slices[this.last.next];
      for (let at = 0; (at = text.indexOf(typed, at)) >= 0; at += 1) {
        if (found.size === most) return true;
        this.add(found, from + at);
        this.last.rows.add(this.rows.lastIndexOf("\n", from + at) + 1);
      }
    }
    return true;
  }

  add(found, at) {
    const from = this.rows.lastIndexOf("\n", at) + 1;
    if (found.has(from)) return;
    const [name, fact, ...aliases] = this.rows.slice(from, this.rows.indexOf("\n", at)).split("\t");
    let place = at - from - name.length - 1;
    if (place < 0) {
      found.set(from, { name, kind: fact[0], count: Number(fact.slice(1)) });
      return;
    }
    // What is typed may be a part of the count.
    place -= fact.length + 1;
    const alias = place < 0 ? "" : aliases.find((one) => (place -= one.length + 1) < 0);
    if (alias) found.set(from, { name, kind: fact[0], count: Number(fact.slice(1)), alias });
  }
}
