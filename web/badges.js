// One badge on the node: who wrote last, and what it took.
import { untilFault } from "./common/guarded.js";
import { modeName, t } from "./common/texts.js";

// What the host draws in place of a badge that has failed.
const NOTHING = { text: "", visible: false, height: 0, getWidth: () => 0, draw() {} };
const texts = new WeakMap();
// Nodes 2.0 looks at a badge again only when something that it watches has changed, and of all that a script
// may write it watches a widget's label. This widget draws none.
const watched = new WeakMap();

/** The badge's text for a record and, of a run in this page, its report. */
export function badgeText(record, info) {
  const { no_model: noModel } = record;
  // Only a mode that stands in for a model says whether there is one.
  if (noModel !== undefined) return noModel ? t("node.noModel", "{mode}: no model", { mode: modeName(record) }) : modeName(record);
  const who = record.provider || record.mode;
  if (!who || who === "template") return "";
  const tokens = (info?.prompt_tokens ?? 0) + (info?.completion_tokens ?? 0);
  const cost = info?.cost_usd;
  return [who, tokens ? t("node.tokens", "{count} tok", { count: tokens }) : "", cost > 0 ? `$${readable(cost)}` : ""].filter(Boolean).join(" · ");
}

function readable(cost) {
  return cost >= 0.01 ? cost.toFixed(2) : String(Number(cost.toPrecision(1)));
}

/** Give `node` its badge; `widget` is one that draws no label. */
export function addBadge(node, widget) {
  const Badge = globalThis.LGraphBadge ?? globalThis.LiteGraph?.LGraphBadge;
  if (typeof Badge !== "function" || !widget || !Array.isArray(node.badges)) return;
  watched.set(node, widget);
  node.badges.push(untilFault(() => {
    const badge = new Badge({ text: (widget.label, texts.get(node) ?? "") });
    // Nodes 2.0 draws a pill around it.
    if (globalThis.LiteGraph?.vueNodesMode) badge.bgColor = "transparent";
    return badge;
  }, () => NOTHING));
}

export function updateBadge(node, record, info) {
  const text = badgeText(record, info);
  const widget = watched.get(node);
  texts.set(node, text);
  if (widget) {
    widget.label = "";
    widget.label = text;
  }
  node.setDirtyCanvas?.(true, true);
}
