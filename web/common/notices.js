// Toasts of the host: the error's own sentence, and its next step.
import { app } from "../../../scripts/app.js";
import { asCallError } from "./calls.js";

const READING_MS = 9000;

export function tell(summary, detail = "", severity = "success") {
  app.extensionManager?.toast?.add?.({ severity, summary, detail, life: READING_MS });
}

/** Show what went wrong; a cancelled call is nothing to tell. */
export function tellError(error) {
  if (error?.name === "AbortError") return;
  const { message, hint } = asCallError(error);
  tell(message, hint, "error");
}
