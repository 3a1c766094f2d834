// The labels of the target list: the saved value is an id, the reader sees "Group › Label".
import { untilFault } from "./common/guarded.js";

const KEY = "quillwork_labels";
const labels = new Map();

function labelsIn(definition, input) {
  const { required, optional } = definition?.input ?? {};
  return (required?.[input] ?? optional?.[input])?.[1]?.[KEY];
}

export function labelTargets(node) {
  for (const widget of node.widgets ?? []) {
    const known = labelsIn(node.constructor?.nodeData, widget.name);
    if (!known || !widget.options) continue;
    const key = `${node.comfyClass}.${widget.name}`;
    if (!labels.has(key)) labels.set(key, known);
    widget.options.getOptionLabel = untilFault((value) => labels.get(key)[value] ?? String(value ?? ""), String);
    offerSearch(widget);
  }
}

/** The lists were read anew (the R key), and may have gained a target. */
export function refreshLabels(definitions) {
  for (const key of labels.keys()) {
    const [type, input] = key.split(".");
    const known = labelsIn(definitions?.[type], input);
    if (known) labels.set(key, known);
  }
}

// With labels the canvas opens a menu that it fills afterwards, and so without its search box, which it
// gives only to a menu that is born with more than four entries.
function offerSearch(widget) {
  const click = widget.onClick;
  if (typeof click !== "function") return;
  widget.onClick = untilFault(function (at) {
    const { e, node, canvas } = at;
    const Menu = globalThis.LiteGraph?.ContextMenu;
    const { values, getOptionLabel } = this.options;
    const x = e.canvasX - node.pos[0];
    const onArrow = x < 40 || x > (this.width || node.size[0]) - 40;
    if (onArrow || !Menu || !Array.isArray(values) || typeof this.setValue !== "function") {
      return click.call(this, at);
    }
    new Menu(
      values.map((value) => ({ content: getOptionLabel(value), value })),
      {
        event: e,
        className: "dark",
        scale: Math.max(1, canvas?.ds?.scale ?? 1),
        callback: (item) => this.setValue(item.value, at),
      },
    );
  }, click);
}
