// The token of a host that listens beyond this machine: asked for once a tab, and kept no longer than that.
import { openDialog } from "./dialogs.js";
import { button, el } from "./elements.js";
import { t } from "./texts.js";

const PLACE = "quillwork.service_token";
let asking = null;

export function tokenHeader() {
  const token = sessionStorage.getItem(PLACE);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** Ask for the token, once for all calls that want it; whether there is a new one to try. */
export function askForToken(error) {
  asking ??= ask(error).finally(() => {
    asking = null;
  });
  return asking;
}

async function ask({ message }) {
  const title = t("token.title", "This server requires a Quillwork token");
  const where = t("token.where", "Enter the LLM_SERVICE_TOKEN that the server was started with.");
  const input = el("input", { type: "password", className: "quillwork-field", autocomplete: "off", "aria-label": title });
  let token = "";
  const take = () => {
    token = input.value.trim();
    dialog.close();
  };
  input.addEventListener("keydown", (event) => event.key === "Enter" && take());
  const { dialog, closed } = openDialog(
    title,
    el("p", { className: "quillwork-hint", textContent: `${message} ${where}` }),
    el(
      "div",
      { className: "quillwork-line" },
      input,
      button(t("keys.save", "Save"), take, { className: "quillwork-primary" }),
    ),
  );
  input.focus();
  await closed;
  if (token) sessionStorage.setItem(PLACE, token);
  return Boolean(token);
}
