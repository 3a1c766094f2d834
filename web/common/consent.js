// The question before something is used that only a workflow asked for: a provider, or a download.
import { app } from "../../../scripts/app.js";
import { call } from "./calls.js";
import { noneOpen } from "./dialogs.js";
import { tellError } from "./notices.js";
import { t } from "./texts.js";

const EXCHANGE = ".token";
const FOLDER = "folder:";

/** Ask whether workflows may use `what`; the user's yes is kept on this machine. */
export async function askConsent(what, message) {
  await noneOpen();
  const agreed = await app.extensionManager.dialog.confirm({
    title: t("consent.title", "Allow this on this machine?"),
    message: `${message}\n\n${consequence(what)}`,
  });
  if (!agreed) return false;
  await call("consent", { method: "POST", body: { what } });
  return true;
}

function consequence(what) {
  if (what === "downloads") {
    return t("consent.downloads", "Workflows will be allowed to download language models to this machine. A model can be several gigabytes in size.");
  }
  if (what === "variables.add") {
    return t("consent.adding", "Models in workflows will be allowed to add values to the files in your library. They never remove any.");
  }
  if (what.startsWith(FOLDER)) {
    return t("consent.folder", "Workflows will be allowed to write captions in this folder and in all folders in it, also in place of those that are there.");
  }
  if (what.endsWith(EXCHANGE)) {
    return t(
      "consent.exchange",
      "Your key of “{provider}” will be exchanged at the address above for a token, which your calls to it then carry. You are asked once for each provider.",
      { provider: what.slice(0, -EXCHANGE.length) },
    );
  }
  return t(
    "consent.provider",
    "Workflows will be allowed to send their texts to “{what}” with your key, which may cost money. You are asked once for each provider.",
    { what },
  );
}

/** Do `work`; where it wants a consent, ask for it and do it again. */
export async function withConsent(work) {
  try {
    return await work();
  } catch (error) {
    if (error?.type !== "consent_needed" || !error.what) throw error;
    if (!(await askConsent(error.what, error.message))) throw error;
    return work();
  }
}

/** What a run's error says is not allowed yet, or null. */
export function wantedBy({ exception_type: type, exception_message: message } = {}) {
  if (!/(^|\.)ConsentNeeded$/.test(type ?? "")) return null;
  // The path of a folder may hold anything: it goes on to the last full stop.
  const [, folder, other] = /LLM_ALLOW=(?:(folder:.+)\.\s*$|([\w.-]*\w))/.exec(message ?? "") ?? [];
  return folder ?? other ?? null;
}

/** After a run that ended for want of a consent: ask for it. Every other error stands on its node and in the
 *  host's own display, and is not shown a third time. */
export async function askAfterRun(detail) {
  const what = wantedBy(detail);
  if (what) await askAndRunAgain(what, detail.exception_message);
}

async function askAndRunAgain(what, said) {
  const [message] = said.split(/ Allow (?:it|them) once/);
  try {
    if (!(await askConsent(what, message.trim()))) return;
    const again = await app.extensionManager.dialog.confirm({
      title: t("consent.againTitle", "Run again?"),
      message: t("consent.again", "This is now allowed. Run the workflow again?"),
    });
    if (again) await app.queuePrompt(0);
  } catch (error) {
    tellError(error);
  }
}
