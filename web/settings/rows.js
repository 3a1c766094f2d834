// The controls of the settings page. Each is one row of the host's own dialog.
import { CallError, asCallError } from "../common/calls.js";
import { button, el, useStyles } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { t } from "../common/texts.js";
import { modeChoices } from "../models/modes.js";
import { suggestModels } from "../models/suggestions.js";
import { change, configuration, follow, setting } from "./configuration.js";

const SECOND = 1000;

/** A frame for a control: below it stands where the value comes from, or what is wrong with it. */
function frame(control) {
  useStyles();
  const origin = el("div", { className: "quillwork-origin" });
  const error = el("div", { className: "quillwork-error", role: "alert" });
  const back = button(t("settings.reset", "Reset"), null, { className: "quillwork-small", hidden: true });
  const element = el(
    "div",
    { className: "quillwork-ui quillwork-row" },
    el("div", { className: "quillwork-line" }, control),
    el("div", { className: "quillwork-line" }, origin, back),
    error,
  );
  const say = (problem) => {
    error.textContent = problem ? asCallError(problem).text : "";
  };
  // Another tab may have changed it a moment ago.
  configuration({ anew: true }).catch(say);
  return { element, origin, back, say };
}

function originText(row) {
  const names = {
    panel: t("origin.panel", "set here"),
    environment: t("origin.environment", "from the environment"),
    ".env": t("origin.env", "from the .env file"),
    "server.json": t("origin.panel", "set here"),
    "quillwork.yaml": t("origin.yaml", "from quillwork.yaml"),
    default: t("origin.default", "default"),
  };
  return names[row.origin] ?? row.origin;
}

/** A control that writes the setting `name`. `show(row, answer)` puts its value there; `read()` takes it. */
function writable(name, control, { show, read }) {
  const { element, origin, back, say } = frame(control);
  const apply = async (value) => {
    say(null);
    try {
      await change({ [name]: value });
    } catch (error) {
      say(error);
    }
  };
  control.addEventListener("change", guarded(() => apply(read())));
  back.title = t("settings.resetHint", "Reset this setting");
  back.addEventListener("click", guarded(() => apply(null)));
  follow(element, (answer) => {
    const row = setting(answer, name);
    if (!row) return;
    if (document.activeElement !== control || control.tagName === "SELECT") show(row, answer);
    // A field holds a model's id; what people call the model stands below.
    origin.textContent = [row.label, originText(row)].filter(Boolean).join(" · ");
    back.hidden = row.origin !== "panel";
  });
  return element;
}

export function modeRow(label) {
  const select = el("select", { className: "quillwork-field", "aria-label": label });
  return writable("LLM_MODE", select, {
    read: () => select.value,
    show({ value }) {
      select.replaceChildren(...modeChoices(value).map(([mode, textContent]) => el("option", { value: mode, textContent })));
      select.value = value || "auto";
    },
  });
}

export function modelRow(name, label, placeholder) {
  const input = el("input", { type: "text", className: "quillwork-field", "aria-label": label, placeholder });
  suggestModels(input);
  return writable(name, input, {
    read: () => input.value.trim() || null,
    show: ({ value }) => {
      input.value = value;
    },
  });
}

export function timeoutRow(label) {
  const input = el("input", { type: "number", min: 1, max: 3600, className: "quillwork-field", "aria-label": label });
  return writable("LLM_TIMEOUT_MS", input, {
    read: () => (input.value ? Math.round(Number(input.value) * SECOND) : null),
    show: ({ value }) => {
      input.value = String(Number(value) / SECOND || "");
    },
  });
}

/** A value that only the machine's own files and environment set. */
export function fixedRow(name, empty, textOf = (row) => row.value) {
  const text = el("span", { className: "quillwork-fixed" });
  const { element, origin } = frame(text);
  follow(element, (answer) => {
    const row = setting(answer, name);
    if (!row) return;
    text.textContent = textOf(row, answer) || empty;
    origin.textContent = row.origin === "default" ? "" : `${originText(row)} (${name})`;
  });
  return element;
}

/** What answers now, and the way to the choice. */
export function statusRow(openSetup) {
  const text = el("span", { className: "quillwork-fixed", role: "status" });
  const { element, say } = frame(text);
  element.firstChild.append(button(t("settings.choose", "Choose a model …"), guarded(openSetup)));
  follow(element, ({ effective }) => {
    const name = effective?.label || effective?.model;
    text.textContent = [effective?.provider_label || effective?.mode, name].filter(Boolean).join(" · ");
    text.title = effective?.model ?? "";
    element.dataset.state = effective?.error ? "error" : "";
    say(effective?.error ? new CallError(effective.error) : null);
  });
  return element;
}
