// Calls of Quillwork's own routes on the host, and the one kind of error that they end in.
import { api } from "../../../scripts/api.js";
import { askForToken, tokenHeader } from "./service_token.js";
import { t } from "./texts.js";

const PREFIX = "/quillwork/";
const MOST_WORDS = 400;

/** What went wrong: one sentence (`message`), the next step (`hint`), and `type` for the program. */
export class CallError extends Error {
  constructor({ type = "error", message = "", hint = "", what = "" } = {}) {
    super(message);
    Object.assign(this, { name: "CallError", type, hint, what });
  }

  get text() {
    return [this.message, this.hint].filter(Boolean).join(" ");
  }
}

/** Any failure as a `CallError`; an abort stays what it is. */
export function asCallError(error) {
  if (error instanceof CallError || error?.name === "AbortError") return error;
  return new CallError({
    type: "unreachable",
    message: t("calls.unreachable", "ComfyUI is not responding."),
    hint: t("calls.unreachableHint", "Check that it is still running, then try again."),
  });
}

/** The JSON that a route answers with. Rejects with `CallError`, or `AbortError` after `signal`. */
export async function call(path, { method = "GET", body, signal } = {}) {
  const response = await send(path, { method, body, signal });
  try {
    return await response.json();
  } catch (error) {
    throw asCallError(error);
  }
}

/** Post `body` and hand each event of the answer's stream to `take(kind, data)`. */
export async function stream(path, body, take, signal) {
  const response = await send(path, { method: "POST", body, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value.replaceAll("\r", "");
      const events = rest.split("\n\n");
      rest = events.pop();
      for (const event of events) deliver(event, take);
    }
  } catch (error) {
    throw asCallError(error);
  }
}

function deliver(event, take) {
  let kind = "message";
  const data = [];
  for (const line of event.split("\n")) {
    if (line.startsWith("event:")) kind = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
  }
  if (!data.length) return;
  const content = JSON.parse(data.join("\n"));
  if (kind === "error") throw new CallError(content.error);
  take(kind, content);
}

async function send(path, { method, body, signal }) {
  for (;;) {
    const response = await attempt(path, method, body, signal);
    if (response.ok) return response;
    const error = await errorOf(response);
    if (error.type !== "wrong_token" || !(await askForToken(error))) throw error;
  }
}

async function attempt(path, method, body, signal) {
  const headers = { "X-Quillwork": "1", "X-Quillwork-Client": api.clientId ?? "", ...tokenHeader() };
  const options = { method, signal, headers };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  try {
    return await api.fetchApi(PREFIX + path, options);
  } catch (error) {
    throw asCallError(error);
  }
}

async function errorOf(response) {
  try {
    const { error } = await response.json();
    if (error?.message) return new CallError(shortened(error));
  } catch {
    // Not ours: an older server, or something in between.
  }
  return new CallError({
    type: "no_route",
    message: t("calls.noRoute", "ComfyUI could not handle this request ({status}).", { status: response.status }),
    hint: t("calls.noRouteHint", "Restart ComfyUI, then reload this page."),
  });
}

function shortened(error) {
  const short = (text) => String(text ?? "").slice(0, MOST_WORDS);
  return { ...error, message: short(error.message), hint: short(error.hint) };
}
