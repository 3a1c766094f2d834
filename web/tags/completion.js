// Completion of tags while one types, in the text fields whose target knows tags.
import { app } from "../../../scripts/app.js";
import { call } from "../common/calls.js";
import { t } from "../common/texts.js";
import { targetAt } from "../enhance/target_at.js";
import { isOn } from "../settings/switches.js";
import { Manners } from "./table.js";
import { completeTags } from "./tag_list.js";

// Names of other extensions that complete tags in the host's own text areas, and what switches each of them off.
const OTHERS = { "pysssss.AutoCompleter": "pysssss.AutoCompleter", "Autocomplete Plus": "AutocompletePlus.boolean" };

export const manners = new Manners((target, version) => call(`tags?${new URLSearchParams({ target, version })}`));

function isServed(input) {
  if (!input.classList.contains("comfy-multiline-input")) return false;
  const setting = app.extensionManager?.setting;
  return Boolean(app.extensions?.some(({ name }) => name in OTHERS && setting?.get?.(OTHERS[name]) !== false));
}

/** Complete tags wherever the page has a field of ours. */
export function completeOurFields() {
  completeTags({
    title: () => t("tags.title", "Matching tags"),
    manners,
    targetAt: (field) => (isOn("tags") ? targetAt(field) : null),
    isServed,
  });
}
