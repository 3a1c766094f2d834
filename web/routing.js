// Which node an event is for. Events name a node by its id alone ("3", or "12:3" within a subgraph), and
// every workflow tab has a node 3: the open one is not always the one that was queued.
import { guarded } from "./common/guarded.js";

const queuedFrom = new Map();
const late = new Map();

function rootGraph(app) {
  return app.rootGraph ?? app.graph;
}

function isOpenElsewhere(app, graphId) {
  const open = app.extensionManager?.workflow?.openWorkflows;
  return !Array.isArray(open) || open.some((workflow) => workflow.activeState?.id === graphId);
}

/** The node at an id such as "12:3", or null; `graph` is the outermost graph. */
export function nodeAt(graph, id) {
  const path = id.split(":");
  const last = path.pop();
  for (const step of path) graph = lookUp(graph, step)?.subgraph;
  return lookUp(graph, last);
}

function lookUp(graph, id) {
  return graph?.getNodeById?.(id) ?? graph?.getNodeById?.(Number(id)) ?? null;
}

/** Note, whenever `node` is queued, from which workflow; `widget` is any of its widgets. */
export function rememberOrigin(node, widget, app) {
  if (!widget) return;
  const before = widget.beforeQueued;
  const note = guarded(() => {
    const own = String(node.id);
    if (!queuedFrom.has(own)) queuedFrom.set(own, new Set());
    queuedFrom.get(own).add(rootGraph(app)?.id);
  });
  widget.beforeQueued = function (...args) {
    note();
    return before?.apply(this, args);
  };
}

/** The node that an event is for, or null when its workflow is open in another tab.
 *  The event `keep` is then held for `takeLate`. */
export function routeTo(app, id, keep = null) {
  const origins = queuedFrom.get(id.split(":").at(-1)) ?? new Set();
  const graph = rootGraph(app);
  // Nothing known (the page was reloaded during the run): the open graph is the best guess.
  if (!origins.has(graph?.id) && [...origins].some((origin) => isOpenElsewhere(app, origin))) {
    if (keep) late.set(id, { origins: new Set(origins), detail: keep });
    return null;
  }
  return nodeAt(graph, id);
}

/** Pairs of node and event that came while another tab was open, for the graph that is open now. */
export function takeLate(app) {
  const graph = rootGraph(app);
  const found = [];
  for (const [id, { origins, detail }] of late) {
    if (!origins.has(graph?.id)) continue;
    late.delete(id);
    const node = nodeAt(graph, id);
    if (node) found.push([node, detail]);
  }
  return found;
}
