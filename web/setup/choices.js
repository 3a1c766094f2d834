// The ways to a model that the first-run dialog offers, each with what it needs and what it sets.
import { CallError, call } from "../common/calls.js";
import { el, link } from "../common/elements.js";
import { t } from "../common/texts.js";
import { modeThat } from "../models/modes.js";
import { knownConfiguration, setting } from "../settings/configuration.js";
import { keepBox, keyLink, saveKey } from "../settings/keys.js";
import { serverFields } from "../settings/server.js";

const LOCAL_MODEL = "unsloth/Qwen3-4B-Instruct-2507-bnb-4bit";
const LOCAL_SIZE_GB = 2.7;
const OLLAMA_PAGE = "https://ollama.com/download";

/** All choices. Each is `{id, title, about, fields, ready(), settings()}`: `fields` are elements to fill in,
 *  `settings()` does what else the choice needs and resolves to the settings to write. */
export function choices({ models, providers, keptIn }) {
  return [ollama(models), ownServer(), localModel(), hostEncoder(), cloud(providers, keptIn), withoutModel()];
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
    title: t("setup.ollama", "Ollama on this machine"),
    about: found.length
      ? t("setup.ollamaFound", "Found, with {count} models. Private and free.", { count: found.length })
      : t("setup.ollamaMissing", "Not found. Install it, pull a model, then open this again."),
    fields: found.length ? [select] : [el("p", {}, link(OLLAMA_PAGE, t("setup.ollamaGet", "Get Ollama")))],
    ready: () => found.length > 0,
    settings: async () => mode(null, select.value),
  };
}

function ownServer() {
  const { elements, address, send } = serverFields();
  const model = el("select", { className: "quillwork-field", "aria-label": t("setup.model", "Model"), hidden: true });
  const choose = t("setup.serverModel", "It answers. Choose one of its models.");
  address.addEventListener("input", () => {
    model.hidden = true;
  });
  return {
    id: "server",
    title: t("setup.server", "A server of your own"),
    about: t("setup.serverAbout", "LM Studio, llama.cpp, vLLM, a LiteLLM proxy: on this machine or in your network."),
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

function localModel() {
  const consent = el("input", { type: "checkbox" });
  const text = t("setup.localConsent", "Yes, download about {size} GB the first time it is used", { size: LOCAL_SIZE_GB });
  return {
    id: "local",
    title: t("setup.local", "A local model, in 4 bit"),
    about: t("setup.localAbout", "Qwen3 4B runs inside ComfyUI on an NVIDIA card, beside your image models. Private and free."),
    fields: [el("label", { className: "quillwork-check" }, consent, text)],
    ready: () => consent.checked,
    async settings() {
      await call("consent", { method: "POST", body: { what: "downloads" } });
      return mode(modeThat("downloads_weights"), LOCAL_MODEL);
    },
  };
}

function hostEncoder() {
  return {
    id: "encoder",
    title: t("setup.encoder", "The image workflow’s own text encoder"),
    about: t(
      "setup.encoderAbout",
      "Nothing to download where the image model brings a language model (Z-Image, Flux.2 klein, Lumina 2 …): wire it to the clip input of the node.",
    ),
    fields: [],
    ready: () => true,
    settings: async () => mode(modeThat("needs_wire")),
  };
}

function cloud(providers, keptIn) {
  const keep = keepBox();
  if (keptIn) keep.showPlace(keptIn);
  const offered = providers.filter((one) => one.needs_key && one.models?.length);
  const provider = el("select", { className: "quillwork-field", "aria-label": t("setup.provider", "Provider") });
  provider.append(...offered.map(({ id, label }) => el("option", { value: id, textContent: label })));
  const model = el("select", { className: "quillwork-field", "aria-label": t("setup.model", "Model") });
  const key = el("input", {
    type: "password",
    className: "quillwork-field",
    autocomplete: "off",
    "aria-label": t("setup.key", "Key"),
  });
  const where = el("p", { className: "quillwork-hint" });
  const chosen = () => offered.find((one) => one.id === provider.value);
  const show = () => {
    const one = chosen();
    model.replaceChildren(...(one?.models ?? []).map((id) => el("option", { value: id, title: id, textContent: one.labels?.[id] || id })));
    key.placeholder = one?.configured
      ? t("setup.keyThere", "There is one already")
      : t("setup.keyPaste", "Paste the key of {provider}", { provider: one?.label ?? "" });
    const shown = t("setup.keyWhere", "It stays in the server’s memory until ComfyUI ends, unless you keep it.");
    where.replaceChildren(shown, " ", keyLink(one ?? {}) ?? "");
  };
  provider.addEventListener("change", show);
  show();
  return {
    id: "cloud",
    title: t("setup.cloud", "A provider in the cloud"),
    about: t("setup.cloudAbout", "OpenAI, Anthropic, Google and others, with a key of yours. Your texts go there, and it usually costs."),
    fields: [provider, model, key, keep.element, where],
    ready: () => Boolean(key.value.trim() || chosen()?.configured),
    async settings() {
      if (key.value.trim()) {
        const { check } = await saveKey(provider.value, key.value, keep.checked);
        if (check?.ok === false) throw new CallError(check);
        key.value = "";
      }
      return mode(null, model.value);
    },
  };
}

function withoutModel() {
  return {
    id: "none",
    title: t("setup.withoutModel", "No model: the phrasebook"),
    about: t("setup.withoutModelAbout", "Curated phrases, put together to fit. Works at once, in English, and knows less."),
    fields: [],
    ready: () => true,
    settings: async () => mode(modeThat("stands_in")),
  };
}
