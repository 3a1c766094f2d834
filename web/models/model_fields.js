// Where the field of a model's id is: a dialog on the canvas, a field of the node in Nodes 2.0.
import { guarded } from "../common/guarded.js";
import { standing } from "./catalog.js";
import { suggestModels } from "./suggestions.js";

const WIDGET = "llm_model";
// Modes whose models are of these transports only; every other mode takes all there are.
const TRANSPORTS = {
  litellm: ["litellm", "endpoint"],
  hf_download: ["hf_download"],
  hf_local: ["hf_local"],
  gguf: ["gguf"],
};

function fitsFor(node) {
  return (model) => {
    const mode = node?.widgets?.find((widget) => widget.name === "llm_mode")?.value;
    return !TRANSPORTS[mode] || TRANSPORTS[mode].includes(model.transport) || standing(model) === "locked";
  };
}

/** On the canvas: the dialog that a click on the widget opens gets the suggestions. */
export function followModelWidget(node) {
  const widget = node.widgets?.find((one) => one.name === WIDGET);
  const click = widget?.onClick;
  if (typeof click !== "function") return;
  const suggest = guarded((canvas) => {
    const input = canvas?.prompt_box?.querySelector?.("input.value");
    if (input) suggestModels(input, fitsFor(node));
  });
  widget.onClick = function (at) {
    const result = click.call(this, at);
    suggest(at?.canvas);
    return result;
  };
}

/** In Nodes 2.0 and in the properties panel: the field itself, when it is first entered. */
export function watchModelFields(app, isOurs) {
  document.addEventListener("focusin", guarded(({ target }) => {
    if (target?.tagName !== "INPUT" || target.getAttribute("aria-label") !== WIDGET) return;
    const id = target.closest("[data-node-id]")?.dataset.nodeId;
    const graph = app.canvas?.graph ?? app.graph;
    const node = id == null ? [...(app.canvas?.selectedItems ?? [])][0] : graph?.getNodeById?.(id);
    if (isOurs(node)) suggestModels(target, fitsFor(node));
  }));
}
