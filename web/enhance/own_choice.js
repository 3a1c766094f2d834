// What a node chooses for itself, which writing in one of its fields follows: the target, and the model.
import { sourceOf, valueFrom } from "../common/promoted.js";
import { modeOf } from "../models/modes.js";

const TEXTS = { llm_mode: "auto", llm_model: "" };

/** `{target, model}` of the node of ours behind a field: `target` is undefined where it has none of its own,
 *  `model` goes into a request. */
export function ownChoice({ node: host, widget }) {
  const { node } = sourceOf(host, widget);
  if (!node.comfyClass?.startsWith("Quillwork")) return { target: undefined, model: {} };
  const { target } = valuesOf(host, node, { target: undefined });
  const model = valuesOf(host, settingsNode(node) ?? node, TEXTS);
  // The dialog has no text encoder: there the settings' model writes.
  return { target, model: modeOf(model.llm_mode).needs_wire ? {} : model };
}

function valuesOf(host, node, defaults) {
  const found = {};
  for (const [name, usual] of Object.entries(defaults)) {
    const value = valueFrom(host, node, name);
    if (typeof value === "string" && value !== usual) found[name] = value;
  }
  return found;
}

// LLM Settings wins over the node's own widgets.
function settingsNode(node) {
  const slot = node.inputs?.findIndex((input) => input.name === "llm" && input.link != null) ?? -1;
  const origin = slot < 0 ? null : node.getInputNode?.(slot);
  return origin?.comfyClass === "QuillworkLLMSettings" ? origin : null;
}
