// Quillwork's page in ComfyUI's settings dialog. Only the switches of the text fields are kept in ComfyUI's own settings.
import { t } from "../common/texts.js";
import { keyTable } from "./keys.js";
import { fixedRow, modeRow, modelRow, statusRow, timeoutRow } from "./rows.js";
import { serverRow } from "./server.js";
import { usageTables } from "./usage.js";

const PAGE = "Quillwork";
const MODEL = "Quillwork model";
const PLACES = "Set outside of ComfyUI";
const KEYS = "Keys by provider";
const USAGE = "Usage";
const FIELDS = "Text fields";

/** Whether the first-run dialog was shown once. ComfyUI's settings keep it. */
export const SEEN = "Quillwork.FirstRun.Seen";

/** The rows, as the host's extension interface takes them; `openSetup` opens the choice of a model. */
export function settingsPage(openSetup) {
  const rows = [
    [MODEL, "Quillwork.Model.Status", "Active model", () => statusRow(openSetup)],
    [MODEL, "Quillwork.Model.Mode", "Mode", modeRow],
    [MODEL, "Quillwork.Model.Any", "Model", (name) => modelRow("LLM_MODEL", name, "ollama/llama3.2")],
    [MODEL, "Quillwork.Model.Prompts", "Model for prompts and variables", (name) => sameModel("LLM_MODEL_PROMPT_GEN", name)],
    [MODEL, "Quillwork.Model.Chat", "Model for chat", (name) => sameModel("LLM_MODEL_CHAT", name)],
    [MODEL, "Quillwork.Model.Server", "Your own server", serverRow],
    [MODEL, "Quillwork.Model.Timeout", "Timeout (seconds without a response)", timeoutRow],
    [PLACES, "Quillwork.Places.Endpoint", "Endpoint", () => fixedRow("LLM_BASE_URL", t("settings.noEndpoint", "none: providers are called directly"))],
    [PLACES, "Quillwork.Places.Path", "Local model", () => fixedRow("LLM_PATH", t("settings.none", "none"))],
    [PLACES, "Quillwork.Places.Plan", "Plan", () => fixedRow("LLM_PLAN", t("settings.noPlan", "none: every model is allowed"))],
    [PLACES, "Quillwork.Places.Library", "Variable library", libraryRow],
    [PLACES, "Quillwork.Places.Folders", "Additional wildcard folders", () => fixedRow("LIBRARY_DIRS", t("settings.none", "none"))],
    [PLACES, "Quillwork.Places.Observers", "Observers", () => fixedRow("LLM_CALLBACKS", t("settings.nobody", "none"))],
    [PLACES, "Quillwork.Places.Allowed", "Allowed for shared workflows", allowedRow],
    [KEYS, "Quillwork.Keys.Table", "Keys", keyTable],
    [USAGE, "Quillwork.Usage.Tables", "Calls and costs", usageTables],
    [FIELDS, "Quillwork.Fields.Tags", "Complete tags while typing", "boolean"],
    [FIELDS, "Quillwork.Fields.Tokens", "Show the length in tokens", "boolean"],
  ];
  return [
    ...rows.map(([group, id, name, render], place) => ({
      id,
      name,
      category: [PAGE, group, name],
      type: render,
      defaultValue: render === "boolean" ? true : "",
      sortOrder: 100 - place,
    })),
    { id: SEEN, name: SEEN, type: "hidden", defaultValue: false },
  ];
}

function sameModel(variable, name) {
  return modelRow(variable, name, t("settings.sameModel", "same as above"));
}

function libraryRow() {
  return fixedRow("LOCAL_LIBRARY_DIR", "", ({ value }, { home }) => value || `${home}/library`);
}

function allowedRow() {
  const textOf = (_row, { allowed }) => (allowed ?? []).join(", ");
  return fixedRow("LLM_ALLOW", t("settings.nothingAllowed", "nothing yet: you are asked first"), textOf);
}
