// A bypassed Enhance Prompt hands its prompt on. The host's own bypass follows links only: a typed prompt
// would be lost, and `negative` would come out as the prompt, the first input of the same type.
const TYPE = "QuillworkEnhancePrompt";
const NEVER = 2;
const BYPASS = 4;

/** Mend what the page sends, after the host has put it together. */
export function passPromptsOn(app) {
  const convert = app.graphToPrompt;
  if (typeof convert !== "function") return;
  app.graphToPrompt = async function (...args) {
    const result = await convert.apply(this, args);
    try {
      mend(args[0] ?? app.rootGraph ?? app.graph, "", result.output);
    } catch (error) {
      console.warn("[Quillwork]", error);
    }
    return result;
  };
}

function mend(graph, path, prompt) {
  for (const node of graph?.nodes ?? graph?._nodes ?? []) {
    if (node.subgraph && node.mode !== NEVER && node.mode !== BYPASS) {
      mend(node.subgraph, `${path}${node.id}:`, prompt);
    } else if (node.type === TYPE && node.mode === BYPASS) {
      for (const [slot, output] of node.outputs.entries()) {
        const value = valueOf(node, slot, graph, path, prompt);
        for (const id of output.links ?? []) replace(graph, id, path, prompt, value);
      }
    }
  }
}

// What a bypassed node's output stands for: a text, a link as the prompt has it, or undefined to leave it.
function valueOf(node, slot, graph, path, prompt) {
  if (slot > 0) return "";
  const input = node.inputs?.find((one) => one.name === "prompt");
  if (input?.link == null) return String(node.widgets?.find((one) => one.name === "prompt")?.value ?? "");
  const link = linkAt(graph, input.link);
  const origin = `${path}${link?.origin_id}`;
  return prompt[origin] ? [origin, link.origin_slot] : undefined;
}

function replace(graph, id, path, prompt, value) {
  const link = linkAt(graph, id);
  const target = link && graph.getNodeById?.(link.target_id);
  const name = target?.inputs?.[link.target_slot]?.name;
  const entry = prompt[`${path}${link?.target_id}`];
  if (entry && name && value !== undefined) entry.inputs[name] = value;
}

function linkAt(graph, id) {
  return graph.getLink?.(id) ?? graph.links?.get?.(id) ?? graph.links?.[id];
}
