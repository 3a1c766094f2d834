// The target that what is written in a field is for.
import { app } from "../../../scripts/app.js";
import { sourceOf } from "../common/promoted.js";
import { targetInDialog } from "./dialog.js";
import { ownChoice } from "./own_choice.js";
import { fieldOf } from "./text_fields.js";

const DEEPEST = 50;

/** The id of the target of a text field on the page, or the checkpoint that tells it; null where neither is known. */
export function targetAt(element) {
  const chosen = targetInDialog(element);
  if (chosen !== undefined) return chosen;
  const field = fieldOf(element, app);
  const target = field && (ownChoice(field).target ?? targetBehind(field));
  return target === "auto" ? targetOfFile(field) : (target ?? null);
}

// With auto the text encoder decides. Of a checkpoint the file's name is known here, and the host knows some names.
function targetOfFile({ node: host, widget }) {
  let { node } = sourceOf(host, widget);
  for (let depth = 0; node && depth < DEEPEST; depth += 1) {
    const name = node.widgets?.find(({ name }) => name === "ckpt_name")?.value;
    if (typeof name === "string" && name) return `file:${name}`;
    const slot = node.inputs?.findIndex((input) => input.name === "clip" && input.link != null) ?? -1;
    node = slot < 0 ? null : node.getInputNode?.(slot);
  }
  return null;
}

// A template is written for the node that its prompts go to.
function targetBehind({ node: host, widget }) {
  const { node } = sourceOf(host, widget);
  if (!node.comfyClass?.startsWith("Quillwork")) return null;
  for (const { links } of node.outputs ?? []) {
    for (const id of links ?? []) {
      const next = node.graph?.getNodeById?.(node.graph.getLink?.(id)?.target_id);
      const target = next?.comfyClass?.startsWith("Quillwork") && next.widgets?.find(({ name }) => name === "target")?.value;
      if (target) return target;
    }
  }
  return null;
}
