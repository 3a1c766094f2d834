// A server of one's own: its address, typed or found, and its key; tested before any of it is kept.
import { CallError, asCallError, call } from "../common/calls.js";
import { busy, button, el, useStyles } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { t } from "../common/texts.js";
import { forgetModels } from "../models/catalog.js";
import { configuration } from "./configuration.js";
import { keepBox } from "./keys.js";

const EXAMPLE = "http://127.0.0.1:1234/v1";

/** `{elements, address, send}`: fields to fill in, and `send(onlyCheck)` for the models that the server has.
 *  It rejects with what is wrong, and then nothing is kept. */
export function serverFields() {
  const name = t("server.address", "Address of the server");
  const address = el("input", { type: "url", className: "quillwork-field", "aria-label": name, placeholder: EXAMPLE, spellcheck: false });
  const optional = t("keys.optional", "Key, if required");
  const key = el("input", { type: "password", className: "quillwork-field", autocomplete: "off", "aria-label": optional, placeholder: optional });
  const keep = keepBox();
  const found = el("div", { className: "quillwork-found" });
  const obstacle = el("p", { className: "quillwork-hint" });
  const fill = (url) => {
    address.value = url;
    address.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const look = async () => {
    const [state, { servers }] = await Promise.all([call("server"), call("server/find", { method: "POST", body: {} })]);
    keep.showPlace(state.kept_in);
    obstacle.textContent = state.obstacle;
    if (state.address && !address.value) fill(state.address);
    found.replaceChildren(
      ...servers.map(({ label, address: url }) =>
        button(t("server.found", "Found: {name}", { name: label }), () => fill(url), { className: "quillwork-small", title: url }),
      ),
    );
  };
  look().catch((error) => {
    obstacle.textContent = asCallError(error).text;
  });
  const send = async (onlyCheck) => {
    const body = { address: address.value.trim(), key: key.value.trim(), keep: keep.checked, only_check: onlyCheck };
    const answer = await call("server", { method: "POST", body });
    if (!answer.ok) throw new CallError(answer);
    if (!onlyCheck) {
      key.value = "";
      forgetModels();
    }
    return answer.models;
  };
  return { elements: [found, address, key, keep.element, obstacle], address, send };
}

/** The row of the settings page. */
export function serverRow() {
  useStyles();
  const { elements, address, send } = serverFields();
  const said = el("p", { className: "quillwork-hint", role: "status" });
  const say = (text, state = "") => {
    said.textContent = text;
    said.dataset.state = state;
  };
  const attempt = (control, work) =>
    busy(control, async () => {
      say(t("keys.asking", "Testing …"));
      try {
        say(await work(), "good");
        await configuration({ anew: true });
      } catch (error) {
        say(asCallError(error).text, "bad");
      }
    });
  const use = button(t("server.use", "Test and use"), guarded(() => attempt(use, async () => {
    const models = await send(false);
    return t("server.answers", "Connected. {count} models available.", { count: models.length });
  })));
  const remove = button(t("server.remove", "Remove"), guarded(() => attempt(remove, async () => {
    await call("server", { method: "DELETE" });
    address.value = "";
    forgetModels();
    return t("keys.cleared", "Cleared.");
  })));
  return el(
    "div",
    { className: "quillwork-ui quillwork-row quillwork-server" },
    ...elements,
    el("div", { className: "quillwork-buttons" }, use, remove),
    said,
  );
}
