// The settings in force, shared by all that shows them: asked for once, shown again after every change.
import { call } from "../common/calls.js";
import { forgetModels } from "../models/catalog.js";
import { modeOf, noteModes } from "../models/modes.js";

const FRESH_MS = 1000;
const listeners = new Set();
let latest = null;
let taken = 0;
let pending = null;

/** The last answer of the host, or null. */
export function knownConfiguration() {
  return latest;
}

/** The host's answer `{settings, effective, …}`; asked again when it is older than a second. */
export function configuration({ anew = false } = {}) {
  if (pending) return pending;
  if (!anew && latest && Date.now() - taken < FRESH_MS) return Promise.resolve(latest);
  pending = call("config")
    .then(show)
    .finally(() => {
      pending = null;
    });
  return pending;
}

/** Change settings, for good; null takes a value back. */
export async function change(settings) {
  const answer = await call("config", { method: "POST", body: { settings, persist: true } });
  forgetModels();
  return show(answer);
}

/** Have `listener(answer)` called for as long as `element` is on the page. */
export function follow(element, listener) {
  const entry = { element, listener, seen: false };
  listeners.add(entry);
  if (latest) listener(latest);
}

/** The row of one setting. */
export function setting(answer, name) {
  return answer?.settings?.find((one) => one.name === name) ?? null;
}

/** Whether a user has chosen nothing yet, so that what stands in for a model answers. */
export function nothingChosen(answer) {
  return modeOf(answer?.effective?.mode).stands_in && setting(answer, "LLM_MODE")?.origin === "default";
}

function show(answer) {
  latest = answer;
  noteModes(answer);
  taken = Date.now();
  for (const entry of listeners) {
    entry.seen ||= entry.element.isConnected;
    if (entry.seen && !entry.element.isConnected) listeners.delete(entry);
    else entry.listener(answer);
  }
  return answer;
}
