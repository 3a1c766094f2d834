// A subgraph's node shows widgets of the nodes within as its own ("promoted"): which one stands behind which.

const DEEPEST = 20;

/** `{node, widget}` that a widget stands for: itself, or the innermost one that its subgraph's node passes on to. */
export function sourceOf(node, widget) {
  let found = { node, widget };
  for (let depth = 0; found.node?.subgraph && depth < DEEPEST; depth += 1) {
    const inner = wiredTo(found) ?? named(found);
    if (!inner) break;
    found = inner;
  }
  return found;
}

/** The widget of `host`, a subgraph's node, that stands for `name` of `node`, or undefined. */
export function shownOn(host, node, name) {
  return host.widgets?.find((widget) => {
    const source = sourceOf(host, widget);
    return source.node === node && source.widget.name === name;
  });
}

/** What `name` of `node` is set to as seen from `host`, the node on which a field of it is shown: undefined where
 *  a wire feeds it, which says nothing of what the node will get. */
export function valueFrom(host, node, name) {
  const promoted = host.subgraph && shownOn(host, node, name);
  if (promoted) return isWired(host, promoted.name) ? undefined : promoted.value;
  if (isWired(node, name)) return undefined;
  return node.widgets?.find((widget) => widget.name === name)?.value;
}

function isWired(node, name) {
  return Boolean(node.inputs?.some((input) => input.widget?.name === name && input.link != null));
}

// The widget is an input of the subgraph, from which a wire leads to the one within.
function wiredTo({ node, widget }) {
  const { subgraph } = node;
  const input = node.inputs?.find((one) => one.widget?.name === widget.name);
  const slot = input && subgraph.inputs?.find(({ name }) => name === input.name);
  for (const id of slot?.linkIds ?? []) {
    const link = subgraph.getLink?.(id);
    const inner = link && subgraph.getNodeById?.(link.target_id);
    const name = inner?.inputs?.[link.target_slot]?.widget?.name;
    const found = inner?.widgets?.find((one) => one.name === name);
    if (found) return { node: inner, widget: found };
  }
  return null;
}

// Older frontends pass a widget on without a wire, and name it.
function named({ node, widget }) {
  const inner = widget.sourceNodeId == null ? null : node.subgraph.getNodeById?.(widget.sourceNodeId);
  const found = inner?.widgets?.find((one) => one.name === widget.sourceWidgetName);
  return found ? { node: inner, widget: found } : null;
}
