// The targets as a list to choose from, in their groups.
import { call } from "./calls.js";
import { el } from "./elements.js";

let targets = null;

function listTargets() {
  targets ??= call("targets")
    .then((answer) => answer.targets ?? [])
    .catch((error) => {
      targets = null;
      throw error;
    });
  return targets;
}

/** Add the targets but those of a kind in `without` to `select` behind its first option, and choose one. Rejects with `CallError`. */
export async function fillTargets(select, chosen, without = []) {
  const groups = new Map();
  for (const { id, label, group, kind } of await listTargets()) {
    if (id === "auto" || id === "general" || without.includes(kind)) continue;
    if (!groups.has(group)) groups.set(group, el("optgroup", { label: group }));
    groups.get(group).append(el("option", { value: id, textContent: label }));
  }
  select.append(...groups.values());
  if (chosen) select.value = chosen;
  if (!select.value) select.selectedIndex = 0;
}
