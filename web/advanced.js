// What is advanced, folded away on the canvas as it is in Nodes 2.0, which has a fold of its own.
import { guarded, untilFault } from "./common/guarded.js";
import { sourceOf } from "./common/promoted.js";
import { t } from "./common/texts.js";

const NAME = "quillwork_advanced";
const unfolded = new WeakMap();

/** Fold the advanced widgets of `node`, and give it a button that shows them. The host saves which it was. */
export function foldAdvanced(node, app) {
  const advanced = (node.widgets ?? []).filter((widget) => widget.options?.advanced);
  const canFold = typeof node.toggleAdvanced === "function" && typeof node.hasAdvancedWidgets === "function";
  if (!advanced.length || !canFold || alwaysShown(app)) return;
  for (const widget of advanced) widget.advanced = true;
  leaveNoGap(node);
  const options = { serialize: false, canvasOnly: true };
  const button = node.addWidget("button", NAME, null, guarded(() => toggle(node)), options);
  button.label = t("node.advanced", "Show or hide advanced inputs");
  button.serialize = false;
  // The host has made room for all of them. A saved size is set later and wins.
  const least = node.computeSize?.();
  if (least && !globalThis.LiteGraph?.vueNodesMode) node.setSize?.([node.size[0], least[1]]);
}

// The host keeps room for what is folded; one that lays out otherwise shows a gap there.
function leaveNoGap(node) {
  const all = node.getLayoutWidgets;
  if (typeof all !== "function") return;
  const takesRoom = (widget) => node.showAdvanced || !widget.advanced || widget.connectionSuppressed;
  node.getLayoutWidgets = untilFault(() => all.call(node).filter(takesRoom), () => all.call(node));
}

/** An app (`linearData` in the file) shows no control of what is folded: unfold the nodes that it takes such from,
 *  also where a subgraph's node shows an input of ours. */
export function unfoldForApp(graph, isOurs) {
  for (const [id, name] of graph?.extra?.linearData?.inputs ?? []) {
    const parts = String(id).split(":");
    for (const node of graph.nodes) {
      if (node.showAdvanced || !parts.includes(String(node.id))) continue;
      const widget = node.widgets?.find((one) => one.name === name);
      const source = widget && sourceOf(node, widget);
      if (isOurs(source?.node) && source.widget.options?.advanced) node.showAdvanced = true;
    }
  }
}

function alwaysShown(app) {
  return Boolean(app.extensionManager?.setting?.get?.("Comfy.Node.AlwaysShowAdvancedWidgets"));
}

function toggle(node) {
  if (!node.showAdvanced) unfolded.set(node, node.size[1]);
  node.toggleAdvanced();
  if (node.showAdvanced || !unfolded.has(node)) return;
  const [, least] = node.computeSize();
  node.setSize([node.size[0], Math.max(least, unfolded.get(node))]);
}
