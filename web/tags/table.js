// The tags that exist, fetched once, and which of them begin or hold what is being typed.
import { call } from "../common/calls.js";

const SHORTEST = 2;
const manners = new Map();
const tables = new Map();

/** How `target` writes tags, `{find, spell}`, or null: it has no use for any, there is no table, or it is not here yet,
 *  in which case `later()` is called when it is. */
export function mannerOf(target, later = () => {}) {
  if (!target) return null;
  const known = manners.get(target);
  if (!known) manners.set(target, { manner: null, coming: come(target) });
  else if (known.manner) return known.manner;
  manners.get(target).coming?.then(later);
  return null;
}

async function come(target) {
  try {
    manners.set(target, { manner: await load(target) });
  } catch {
    // A route that fails is tried again at the next key.
    manners.delete(target);
  }
}

async function load(target) {
  const query = (version) => `tags?${new URLSearchParams({ target, version })}`;
  let answer = await call(query([...tables.keys()].at(-1) ?? ""));
  if (!answer.version) return null;
  if (!answer.rows && !tables.has(answer.version)) answer = await call(query(""));
  if (answer.rows) tables.set(answer.version, new Table(answer.rows));
  const table = tables.get(answer.version);
  return { find: (...typed) => table.find(...typed), spell: (tag) => spelled(tag, answer) };
}

// Faces such as ^_^, and what models learnt with its underscores.
const KEPT = /^(?:(?!.*\p{L}{2}).*|(?:score|source|rating|style_cluster)_.*)$/u;

function spelled({ name, kind }, { underscores, escapes, artist_mark: mark }) {
  const text = underscores || KEPT.test(name) ? name : name.replaceAll("_", " ");
  return (kind === "A" ? mark : "") + (escapes ? text.replace(/[()]/g, "\\$&") : text);
}

class Table {
  constructor(rows) {
    this.rows = rows;
    // Where names and aliases begin, by their first letters; the most frequent come first.
    this.starts = new Map();
    for (let at = 0; at < rows.length - 1; ) {
      const end = rows.indexOf("\n", at + 1);
      for (let start = at + 1; start > 0 && start < end; start = this.next(start, end)) this.note(start);
      at = end;
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
   *  ones alone are wanted, those that hold it. */
  find(text, most, begun) {
    const typed = text.toLowerCase().trim().replace(/\s+/g, "_");
    const found = new Map();
    for (const start of this.starts.get(typed.slice(0, SHORTEST)) ?? []) {
      if (found.size === most) break;
      if (this.rows.startsWith(typed, start)) this.add(found, start);
    }
    for (let at = 0; !begun && found.size < most && (at = this.rows.indexOf(typed, at)) >= 0; at += 1) this.add(found, at);
    return [...found.values()];
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
