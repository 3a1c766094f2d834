// Where the field of a model's id is: a dialog on the canvas, a field of the node in Nodes 2.0.
import { guarded } from "../common/guarded.js";
import { sourceOf, valueFrom } from "../common/promoted.js";
import { standing } from "./catalog.js";
import { modeOf } from "./modes.js";
import { suggestModels } from "./suggestions.js";

const WIDGET = "llm_model";

function fitsFor(host, node = host) {
  return (model) => {
    const { transports = [] } = modeOf(valueFrom(host, node, "llm_mode"));
    return !transports.length || transports.includes(model.transport) || standing(model) === "locked";
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

/** In Nodes 2.0 and in the properties panel: the field itself, when it is first entered. On a subgraph's node, which
 *  has widgets of the host's own in either renderer: that, or the dialog of the canvas. */
export function watchModelFields(app, isOurs) {
  document.addEventListener("focusin", guarded(({ target }) => {
    if (target?.tagName !== "INPUT") return;
    const { node: host, widget } = target.closest(".graphdialog") ? pointedAt(app.canvas) : entered(target, app);
    if (!widget) return;
    const source = sourceOf(host, widget);
    if (source.widget.name === WIDGET && isOurs(source.node)) suggestModels(target, fitsFor(host, source.node));
  }));
}

function entered(field, app) {
  const name = field.getAttribute("aria-label");
  const id = field.closest("[data-node-id]")?.dataset.nodeId;
  const graph = app.canvas?.graph ?? app.graph;
  const node = id == null ? [...(app.canvas?.selectedItems ?? [])][0] : graph?.getNodeById?.(id);
  return { node, widget: name && node?.widgets?.find((one) => one.name === name) };
}

function pointedAt(canvas) {
  const [x, y] = canvas?.graph_mouse ?? [];
  const node = canvas?.graph?.getNodeOnPos?.(x, y);
  return { node, widget: node?.subgraph && node.getWidgetOnPos?.(x, y) };
}
