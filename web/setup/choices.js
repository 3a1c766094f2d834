// The ways to a model that the first-run dialog offers, each with what it needs and what it sets.
import { CallError, asCallError } from "../common/calls.js";
import { busy, button, el, link } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { t } from "../common/texts.js";
import { listModels } from "../models/catalog.js";
import { modeThat } from "../models/modes.js";
import { suggestModels } from "../models/suggestions.js";
import { knownConfiguration, setting } from "../settings/configuration.js";
import { keepBox, keyLink, saveKey } from "../settings/keys.js";
import { findText, suggestProviders } from "../settings/providers.js";
import { serverFields } from "../settings/server.js";
import { foundServer, hasWiredEncoder } from "./found.js";
import { localModel } from "./sizes.js";

const OLLAMA_PAGE = "https://ollama.com/download";

/** All choices, those that are there already first (`isFound`). Each is `{id, title, about, fields, ready(),
 *  settings()}`: `fields` are elements to fill in, `settings()` does what else the choice needs and resolves to
 *  the settings to write. */
export function choices({ models, providers, keptIn, servers = [], memory = null }) {
  const encoder = hostEncoder();
  const all = [
    encoder.isFound && encoder,
    ollama(models),
    ...servers.map(foundServer),
    ownServer(),
    localModel(memory),
    !encoder.isFound && encoder,
    cloud(providers, keptIn),
    withoutModel(),
  ].filter(Boolean);
  return [...all.filter(({ isFound }) => isFound), ...all.filter(({ isFound }) => !isFound)];
}

function mode(name, model = null) {
  return { LLM_MODE: name, LLM_MODEL: model };
}

function ollama(models) {
  const found = models.filter(({ id, configured, source }) => id.startsWith("ollama/") && configured && source !== "packaged");
  const select = el("select", { className: "quillwork-field", "aria-label": t("setup.ollamaModel", "Ollama model") });
  select.append(...found.map(({ id, label }) => el("option", { value: id, textContent: label })));
  const current = setting(knownConfiguration(), "LLM_MODEL")?.value;
  if (found.some(({ id }) => id === current)) select.value = current;
  return {
    id: "ollama",
    isFound: found.length > 0,
    title: t("setup.ollama", "Ollama on this machine"),
    about: found.length
      ? t("setup.ollamaFound", "Found, with {count} models. Private and free.", { count: found.length })
      : t("setup.ollamaMissing", "Not found. Install it, pull a model, then open this dialog again."),
    fields: found.length ? [select] : [el("p", {}, link(OLLAMA_PAGE, t("setup.ollamaGet", "Get Ollama")))],
    ready: () => found.length > 0,
    settings: async () => mode(null, select.value),
  };
}

function ownServer() {
  const { elements, address, send } = serverFields();
  const model = el("select", { className: "quillwork-field", "aria-label": t("setup.model", "Model"), hidden: true });
  const choose = t("setup.serverModel", "Connected. Choose one of its models.");
  address.addEventListener("input", () => {
    model.hidden = true;
  });
  return {
    id: "server",
    title: t("setup.server", "Your own server"),
    about: t("setup.serverAbout", "LM Studio, llama.cpp, vLLM or a LiteLLM proxy, on this machine or in your network."),
    fields: [...elements, model],
    ready: () => Boolean(address.value.trim()),
    async settings() {
      if (model.hidden) {
        const models = await send(true);
        model.replaceChildren(...models.map((id) => el("option", { value: id, textContent: id })));
        if (models.length !== 1) {
          model.hidden = !models.length;
          throw new CallError({ type: "choose", message: choose });
        }
      }
      await send(false);
      return mode(null, model.value);
    },
  };
}

function hostEncoder() {
  const isFound = hasWiredEncoder();
  return {
    id: "encoder",
    isFound,
    title: t("setup.encoder", "The image workflow's text encoder"),
    about: isFound
      ? t("setup.encoderFound", "Connected in this workflow: no download, no further memory. If it cannot write, the node says so.")
      : t(
          "setup.encoderAbout",
          "No download needed if the image model uses a language model as its text encoder (Z-Image, Flux.2 klein, Lumina 2 …). Connect it to the clip input of the node.",
        ),
    fields: [],
    ready: () => true,
    settings: async () => mode(modeThat("needs_wire")),
  };
}

function cloud(providers, keptIn) {
  const keep = keepBox();
  if (keptIn) keep.showPlace(keptIn);
  const offered = providers.filter((one) => one.needs_key);
  let chosen = offered.find((one) => one.configured) ?? offered[0];
  const provider = listField(t("setup.provider", "Provider"), findText());
  const model = listField(t("setup.model", "Model"), t("setup.modelType", "Choose a model, or type its name"));
  const key = el("input", {
    type: "password",
    className: "quillwork-field",
    autocomplete: "off",
    "aria-label": t("setup.key", "Key"),
  });
  const where = el("p", { className: "quillwork-hint" });
  const said = el("p", { className: "quillwork-hint", role: "status" });
  const keepKey = async () => {
    const { check } = await saveKey(chosen.id, key.value, keep.checked);
    if (check?.ok === false) throw new CallError(check);
    key.value = "";
    chosen = { ...chosen, configured: true };
    key.placeholder = t("setup.keyThere", "A key is already set");
  };
  const modelsThere = async () => {
    const { models } = await listModels({ refresh: true });
    return models.filter((one) => one.provider === chosen.id && one.configured).length;
  };
  const test = button(t("setup.keyTest", "Test the key and list its models"), null, { disabled: true });
  test.addEventListener("click", guarded(() => busy(test, async () => {
    try {
      await keepKey();
      said.textContent = t("setup.keyModels", "The key is set. {count} models can be chosen.", { count: await modelsThere() });
      model.focus();
    } catch (error) {
      said.textContent = asCallError(error).text;
    }
  }).then(check)));
  const check = () => {
    test.disabled = !chosen || !key.value.trim();
  };
  key.addEventListener("input", check);
  const show = () => {
    said.textContent = "";
    provider.value = chosen?.label ?? "";
    model.value = chosen?.models[0] ?? "";
    key.value = "";
    key.placeholder = chosen?.configured
      ? t("setup.keyThere", "A key is already set")
      : t("setup.keyPaste", "Paste your {provider} key", { provider: chosen?.label ?? "" });
    const shown = t("setup.keyWhere", "The key is held in the server's memory until ComfyUI exits, unless you keep it.");
    where.replaceChildren(shown, " ", keyLink(chosen ?? {}) ?? "", alsoNeeded(chosen));
    check();
  };
  suggestProviders(provider, offered, (row) => {
    chosen = row;
    show();
  });
  // What was typed and is no provider's name is not what was chosen.
  provider.addEventListener("change", () => {
    chosen = offered.find(({ label }) => label === provider.value) ?? chosen;
    provider.value = chosen?.label ?? "";
  });
  suggestModels(model, (one) => one.provider === chosen?.id);
  show();
  return {
    id: "cloud",
    title: t("setup.cloud", "Cloud provider"),
    about: t("setup.cloudAbout", "OpenAI, Anthropic, Google and others, with your own key. Your texts are sent to the provider, which usually costs money."),
    fields: [provider, key, keep.element, where, el("div", { className: "quillwork-buttons" }, test), said, model],
    ready: () => Boolean(chosen && (key.value.trim() || chosen.configured)),
    async settings() {
      if (key.value.trim()) await keepKey();
      const named = model.value.trim();
      if (!named) {
        await modelsThere();
        model.focus();
        throw new CallError({ type: "choose", message: t("setup.modelChoose", "The key is set. Choose a model now.") });
      }
      return mode(null, named.startsWith(`${chosen.id}/`) ? named : `${chosen.id}/${named}`);
    },
  };
}

/** A field with a list under it: entering it selects what it holds, so that typing finds something else. */
function listField(label, placeholder) {
  const input = el("input", { type: "text", className: "quillwork-field", "aria-label": label, placeholder });
  input.addEventListener("focus", () => input.select());
  return input;
}

/** What a provider needs beside a key, which no field here takes. */
function alsoNeeded({ needs = [], key_variables: keys = [] } = {}) {
  const names = needs.filter((name) => !keys.includes(name)).join(", ");
  return names && ` ${t("setup.alsoNeeds", "It also needs {names}, from Quillwork's .env or the environment.", { names })}`;
}

function withoutModel() {
  return {
    id: "none",
    title: t("setup.withoutModel", "No model: the phrasebook"),
    about: t("setup.withoutModelAbout", "Builds prompts from curated phrases. Works right away, in English only, and knows less than a model."),
    fields: [],
    ready: () => true,
    settings: async () => mode(modeThat("stands_in")),
  };
}
