// The text fields of nodes: which there are, which one an element is, and how to write into one.
import { sourceOf } from "../common/promoted.js";

const OUR_OWN = new Set(["frozen", "reference_roles"]);

/** The multiline text widgets of a node that a person writes into. */
export function textWidgets(node) {
  return (node?.widgets ?? []).filter((widget) => isText(node, widget));
}

function isText(node, widget) {
  const multiline = widget.type === "customtext" || widget.type === "textarea" || widget.options?.multiline;
  if (!multiline || typeof widget.value !== "string" || widget.serialize === false || widget.hidden) return false;
  if (widget.options?.read_only || widget.element?.readOnly || widget.disabled) return false;
  const source = sourceOf(node, widget);
  if (OUR_OWN.has(source.widget.name) && source.node.comfyClass?.startsWith("Quillwork")) return false;
  return !node.inputs?.some((input) => input.widget?.name === widget.name && input.link != null);
}

/** `{node, widget, element}` that a textarea on the page belongs to, or null. */
export function fieldOf(element, app) {
  if (element?.tagName !== "TEXTAREA" || element.readOnly || element.disabled) return null;
  const graph = app.canvas?.graph ?? app.graph;
  const id = element.closest("[data-node-id]")?.dataset.nodeId;
  const found = id == null ? ofElement(graph, element) : ofRow(graph?.getNodeById?.(id), element);
  return found && { ...found, element };
}

function ofElement(graph, element) {
  for (const node of graph?.nodes ?? []) {
    const widget = textWidgets(node).find((one) => one.element === element);
    if (widget) return { node, widget };
  }
  return null;
}

// Nodes 2.0 draws its own field, which says of the widget only what it is called.
function ofRow(node, element) {
  const name = element.labels?.[0]?.textContent.trim();
  const widgets = textWidgets(node);
  const widget = widgets.find((one) => one.element === element) ?? widgets.find((one) => (one.label || one.name) === name);
  return widget ? { node, widget } : null;
}

/** The element in which a widget is drawn now, or null. */
export function elementOf(node, widget) {
  if (widget.element?.isConnected) return widget.element;
  const drawn = document.querySelectorAll(`[data-node-id="${CSS.escape(String(node.id))}"] textarea`);
  return [...drawn].find((one) => one.labels?.[0]?.textContent.trim() === (widget.label || widget.name)) ?? null;
}

/** Where a field is on the page, or its node where the field is not drawn (far out, collapsed); null for neither. */
export function placeOf(app, { node, widget }) {
  const drawn = elementOf(node, widget)?.getBoundingClientRect();
  if (drawn?.width && drawn.height) return drawn;
  const [left, top] = app.canvas?.convertOffsetToCanvas?.(node.pos) ?? [];
  const page = app.canvas?.canvas?.getBoundingClientRect();
  if (!page || !Number.isFinite(left + top)) return null;
  const width = node.size[0] * (app.canvas.ds?.scale ?? 1);
  return new DOMRect(page.left + left, page.top + top, width, 0);
}

/** Put `text` into the widget; `done` says that it stays, so that the host takes note of it. */
export function write(app, { node, widget }, text, done = false) {
  widget.value = text;
  if (done) {
    widget.callback?.(text, app.canvas, node);
    app.extensionManager?.workflow?.activeWorkflow?.changeTracker?.captureCanvasState?.();
  }
  node.setDirtyCanvas?.(true, true);
}
