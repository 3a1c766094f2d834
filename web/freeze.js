// The freeze switch: the last answer goes into `frozen`, and the seed holds still meanwhile.
import { panelOf } from "./answer_panel.js";
import { guarded } from "./common/guarded.js";
import { t } from "./common/texts.js";

const PROPERTY = "quillwork_freeze";
const SMALL = 60;
const LARGE = 400;
const nothingYet = () => t("node.runFirst", "Run once before freezing.");

export function followFreeze(node) {
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
