// What one may switch off at the text fields. Each is a person's own matter, so ComfyUI's settings keep it.
import { app } from "../../../scripts/app.js";

const IDS = { tags: "Quillwork.Fields.Tags", tokens: "Quillwork.Fields.Tokens" };

export function isOn(name) {
  return app.extensionManager?.setting?.get?.(IDS[name]) !== false;
}
