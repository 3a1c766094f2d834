// The modes, as the host lists them: ours and those of other packs, each with its text and what sets it apart.
import { call } from "../common/calls.js";
import { modeText } from "../common/texts.js";

let rows = [];

/** Take the rows out of the host's answer to `config`. */
export function noteModes(answer) {
  rows = answer?.mode_rows ?? rows;
}

/** Ask for the rows if they are not there yet, or `anew`. Without them no mode is special. */
export async function loadModes({ anew = false } = {}) {
  if (rows.length && !anew) return;
  try {
    noteModes(await call("config"));
  } catch {
    // What needs the host says so itself.
  }
}

/** The row of a mode by its name or an alias, and an empty one for an unknown mode. */
export function modeOf(name) {
  return rows.find((row) => row.name === name || row.aliases.includes(name)) ?? {};
}

/** The name of the first mode that has `fact`, such as `stands_in`; undefined where none has. */
export function modeThat(fact) {
  return rows.find((row) => row[fact])?.name;
}

/** `[value, text]` of every mode to choose from; `current` is among them. */
export function modeChoices(current) {
  const all = rows.some(({ name }) => name === current) || !current ? rows : [{ name: current, label: current }, ...rows];
  return all.map((row) => [row.name, modeText(row)]);
}
