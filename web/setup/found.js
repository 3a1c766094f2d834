// What is there already and needs no download: a wired text encoder, and servers that answer on this machine.
import { app } from "../../../scripts/app.js";
import { CallError, call } from "../common/calls.js";
import { el } from "../common/elements.js";
import { t } from "../common/texts.js";

// The encoders that can write, as their files are named.
const WRITES = /qwen[-_]?3|gemma|ministral/i;

/** Whether a text encoder that can write, by its file's name, is connected to one of our nodes. */
export function hasWiredEncoder() {
  return (app.graph?.nodes ?? []).some((node) => {
    const place = node.comfyClass?.startsWith("Quillwork") ? node.inputs?.findIndex(({ name }) => name === "clip") : -1;
    return place >= 0 && node.getInputNode(place)?.widgets?.some(({ value }) => WRITES.test(value));
  });
}

/** The servers at their usual addresses, `{label, address, models}` each; those that want a key are left out. */
export async function findServers() {
  const { servers } = await call("server/find", { method: "POST", body: {} });
  const answers = await Promise.all(servers.map(async (server) => ({ ...server, ...(await ask(server.address, true)) })));
  return answers.filter(({ ok, models }) => ok && models.length);
}

/** The choice of a server that was found. */
export function foundServer({ label, address, models }, number) {
  const model = el("select", { className: "quillwork-field", "aria-label": t("setup.model", "Model") });
  model.append(...models.map((id) => el("option", { value: id, textContent: id })));
  return {
    id: `found-${number}`,
    isFound: true,
    title: t("setup.foundServer", "{name} on this machine", { name: label }),
    about: t("setup.ollamaFound", "Found, with {count} models. Private and free.", { count: models.length }),
    fields: [model],
    ready: () => true,
    async settings() {
      const answer = await ask(address, false);
      if (!answer.ok) throw new CallError(answer);
      return { LLM_MODE: null, LLM_MODEL: model.value };
    },
  };
}

function ask(address, only_check) {
  return call("server", { method: "POST", body: { address, key: "", keep: false, only_check } });
}
