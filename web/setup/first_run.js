// The choice of a model, in a dialog: once by itself when nothing is chosen, and whenever it is asked for.
import { app } from "../../../scripts/app.js";
import { CallError, asCallError, call } from "../common/calls.js";
import { openDialog } from "../common/dialogs.js";
import { busy, button, el } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { tell } from "../common/notices.js";
import { t } from "../common/texts.js";
import { listModels } from "../models/catalog.js";
import { loadModes } from "../models/modes.js";
import { change, configuration, nothingChosen } from "../settings/configuration.js";
import { SEEN } from "../settings/page.js";
import { choices } from "./choices.js";
import { findServers } from "./found.js";
import { findMemory } from "./sizes.js";

let offered = false;
let open = false;

/** The first node of ours was added: offer the choice, if there is none yet and nobody was asked before. */
export async function offerOnce() {
  const settings = app.extensionManager?.setting;
  if (offered || !settings || settings.get(SEEN)) return;
  offered = true;
  try {
    if (!nothingChosen(await configuration())) return;
  } catch {
    // Without routes there is no choice; the node itself says what is wrong when it runs.
    return;
  }
  await openSetup();
}

/** Open the choice of a model. */
export async function openSetup() {
  if (open) return;
  open = true;
  const title = t("setup.title", "Choose a language model");
  const cards = el("div", { className: "quillwork-choices", role: "radiogroup", "aria-label": title });
  const error = el("p", { className: "quillwork-error", role: "alert" });
  const use = button(t("setup.use", "Use this"), null, { className: "quillwork-primary", disabled: true });
  const intro = t(
    "setup.intro",
    "You can change this at any time under Settings › Quillwork. A node can also use a model of its own.",
  );
  const { dialog, closed } = openDialog(
    title,
    el("p", { className: "quillwork-hint", textContent: intro }),
    cards,
    error,
    el("footer", { className: "quillwork-buttons" }, button(t("setup.later", "Not now"), () => dialog.close()), use),
  );
  closed.then(() => {
    open = false;
  });
  // It has been seen: from now on it comes only when it is called.
  app.extensionManager?.setting?.set?.(SEEN, true);
  const looking = t("setup.looking", "Checking what is available on this machine …");
  cards.append(el("p", { className: "quillwork-hint", role: "status", textContent: looking }));
  const found = await whatThereIs();
  if (!dialog.isConnected) return;
  error.textContent = found.problem;
  fill(cards, choices(found), use, guarded((chosen) => apply(chosen, { dialog, error, use })));
}

async function whatThereIs() {
  const [models, providers, keys, servers, memory] = await Promise.allSettled([
    listModels(),
    call("llm/providers"),
    call("keys"),
    findServers(),
    findMemory(),
    configuration().then(() => loadModes()),
  ]);
  const failed = [models, providers].find((one) => one.status === "rejected");
  return {
    models: models.value?.models ?? [],
    providers: providers.value?.providers ?? [],
    keptIn: keys.value?.kept_in,
    servers: servers.value ?? [],
    memory: memory.value ?? null,
    problem: failed ? asCallError(failed.reason).text : "",
  };
}

function fill(cards, all, use, take) {
  let chosen = null;
  const check = () => {
    use.disabled = !chosen?.ready();
  };
  const radios = all.map((choice) => {
    const radio = el("input", { type: "radio", name: "quillwork-choice", value: choice.id });
    radio.addEventListener("change", () => {
      chosen = choice;
      check();
    });
    const fields = el("div", { className: "quillwork-choice-fields" }, ...choice.fields);
    for (const kind of ["input", "change"]) fields.addEventListener(kind, check);
    cards.append(
      el(
        "div",
        { className: "quillwork-choice" },
        el(
          "label",
          {},
          radio,
          el(
            "span",
            {},
            el("strong", { textContent: choice.title }),
            el("span", { className: "quillwork-hint", textContent: choice.about }),
          ),
        ),
        choice.fields.length > 0 && fields,
      ),
    );
    return radio;
  });
  cards.firstChild.remove();
  radios[0].focus();
  // What is there already takes one click.
  if (all[0].isFound) radios[0].click();
  use.addEventListener("click", () => take(chosen).then(check));
}

function apply(chosen, { dialog, error, use }) {
  return busy(use, async () => {
    error.textContent = "";
    try {
      const { effective } = await change(await chosen.settings());
      if (effective?.error) throw new CallError(effective.error);
      dialog.close();
      const who = [effective?.provider_label, effective?.label || effective?.model].filter(Boolean).join(" · ");
      tell(t("setup.done", "Quillwork is set up"), who);
    } catch (problem) {
      error.textContent = asCallError(problem).text;
    }
  });
}
