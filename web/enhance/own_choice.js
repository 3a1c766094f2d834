// What a node chooses for itself, which writing in one of its fields follows: the target, and the model.
const TEXTS = { llm_mode: "auto", llm_model: "" };
// The dialog has no text encoder: there the settings' model writes.
const NEEDS_A_WIRE = new Set(["host_encoder", "z_image"]);

/** `{target, model}` of a node of ours: `target` is undefined where it has none of its own, `model` goes into
 *  a request. */
export function ownChoice(node) {
  if (!node.comfyClass?.startsWith("Quillwork")) return { target: undefined, model: {} };
  const { target } = valuesOf(node, { target: undefined });
  const model = valuesOf(settingsNode(node) ?? node, TEXTS);
  return { target, model: NEEDS_A_WIRE.has(model.llm_mode) ? {} : model };
}

// A widget that a wire feeds says nothing of what the node will get.
function valuesOf(node, defaults) {
  const found = {};
  for (const [name, usual] of Object.entries(defaults)) {
    const wired = node.inputs?.some((input) => input.widget?.name === name && input.link != null);
    const value = node.widgets?.find((widget) => widget.name === name)?.value;
    if (!wired && typeof value === "string" && value !== usual) found[name] = value;
  }
  return found;
}

// LLM Settings wins over the node's own widgets.
function settingsNode(node) {
  const slot = node.inputs?.findIndex((input) => input.name === "llm" && input.link != null) ?? -1;
  const origin = slot < 0 ? null : node.getInputNode?.(slot);
  return origin?.comfyClass === "QuillworkLLMSettings" ? origin : null;
}
