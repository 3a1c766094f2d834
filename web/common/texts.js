// What we say, in the user's language. English stands where it is said; the host serves the rest.
import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

let translated = {};

/** Fetch the words of the language that the host is set to; English needs none. */
export async function loadTexts() {
  const language = app.extensionManager?.setting?.get?.("Comfy.Locale") ?? "en";
  if (language === "en") return;
  try {
    const all = await (await api.fetchApi("/i18n")).json();
    translated = all[language]?.quillwork ?? {};
  } catch {
    // English it is.
  }
}

/** A mode's text in a list. Its English is the host's, so that another pack's mode has one. */
export function modeText({ name, label }) {
  return t(`modes.${name}`, label);
}

/** The name of the mode that wrote `record`, from the host as well. */
export function modeName({ mode, label }) {
  return t(`modeNames.${mode}`, label ?? mode);
}

/** The text at a key such as `enhance.run`; `{name}` in it becomes `values.name`. */
export function t(key, english, values = {}) {
  const found = key.split(".").reduce((level, step) => level?.[step], translated);
  const text = typeof found === "string" && found ? found : english;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
