// The target that what is written in a field is for.
import { app } from "../../../scripts/app.js";
import { sourceOf } from "../common/promoted.js";
import { targetInDialog } from "./dialog.js";
import { ownChoice } from "./own_choice.js";
import { fieldOf } from "./text_fields.js";

/** The id of the target of a text field on the page; null where it has none, or none that is known here. */
export function targetAt(element) {
  const chosen = targetInDialog(element);
  if (chosen !== undefined) return chosen;
  const field = fieldOf(element, app);
  const target = field && (ownChoice(field).target ?? targetBehind(field));
  return target && target !== "auto" ? target : null;
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
