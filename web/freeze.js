// The freeze switch: the last answer goes into `frozen`, and the seed holds still meanwhile.
import { panelOf } from "./answer_panel.js";
import { guarded } from "./common/guarded.js";
import { shownOn } from "./common/promoted.js";
import { t } from "./common/texts.js";

const PROPERTY = "quillwork_freeze";
const SMALL = 60;
const LARGE = 400;
const nothingYet = () => t("node.runFirst", "Run once before freezing.");

export function followFreeze(node, app) {
  const freeze = widget(node, "freeze");
  const frozen = widget(node, "frozen");
  if (!freeze || !frozen) return;
  // On the canvas all text fields share a node's height; this one needs its share only while it is in use.
  if (frozen.options) frozen.options.getMaxHeight ??= () => (freeze.value ? LARGE : SMALL);
  const callback = freeze.callback;
  freeze.callback = function (value, ...rest) {
    const result = callback?.call(this, value, ...rest);
    guarded(value ? holdStill : release)(node);
    return result;
  };
  const before = freeze.beforeQueued;
  const settle = guarded(() => settlePromoted(node, frozen, app.rootGraph ?? app.graph));
  freeze.beforeQueued = function (...args) {
    settle();
    return before?.apply(this, args);
  };
}

// The switch that a subgraph's node shows is a widget of its own, and calls nothing here: what it says is done
// when the workflow is queued.
function settlePromoted(node, frozen, graph) {
  const shown = shownFor("freeze", node, graph);
  if (!shown) return;
  if (!shown.value) {
    if (node.properties?.[PROPERTY]?.control) release(node);
    return;
  }
  const text = shownFor("frozen", node, graph);
  if (!String(text?.value ?? frozen.value ?? "").trim()) {
    holdStill(node);
    if (text) text.value = frozen.value;
  }
}

// The outermost widget that stands for `name` of `node`, or undefined where none does.
function shownFor(name, node, graph) {
  for (const host of graph?.nodes ?? []) {
    const found = host.subgraph && (shownOn(host, node, name) ?? shownFor(name, node, host.subgraph));
    if (found) return found;
  }
}

function widget(node, name) {
  return node.widgets?.find((one) => one.name === name);
}

function seedControl(node) {
  return widget(node, "seed")?.linkedWidgets?.[0] ?? widget(node, "control_after_generate");
}

function holdStill(node) {
  const memory = { ...node.properties?.[PROPERTY] };
  const frozen = widget(node, "frozen");
  const last = node.properties?.quillwork?.frozen;
  const current = String(frozen.value ?? "");
  if (!current.trim() || current === memory.filled) {
    if (last) frozen.value = memory.filled = last;
    else panelOf(node)?.say([nothingYet()]);
  }
  const control = seedControl(node);
  if (control && control.value !== "fixed") {
    memory.control = control.value;
    control.value = "fixed";
  }
  keep(node, memory);
}

function release(node) {
  const { control: former, ...memory } = node.properties?.[PROPERTY] ?? {};
  const control = seedControl(node);
  if (control && former) control.value = former;
  const panel = panelOf(node);
  if (panel?.note.textContent === nothingYet()) panel.say([]);
  keep(node, memory);
}

// In the node's properties, so that it holds over a reload too.
function keep(node, memory) {
  node.properties ??= {};
  if (Object.keys(memory).length) node.properties[PROPERTY] = memory;
  else delete node.properties[PROPERTY];
  node.setDirtyCanvas?.(true, true);
}
