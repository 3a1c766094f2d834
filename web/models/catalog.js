// The models there are, as the host lists them. Nothing is asked before somebody wants to see them.
import { call } from "../common/calls.js";

const FRESH_MS = 30_000;
let latest = null;
let taken = 0;
let pending = null;

/** The last answer of the host, or null. */
export function knownModels() {
  return latest;
}

/** `{models, sources, …}` of the host; `refresh` makes it ask every source again. */
export function listModels({ refresh = false } = {}) {
  if (!refresh) {
    if (pending) return pending;
    if (latest && Date.now() - taken < FRESH_MS) return Promise.resolve(latest);
  }
  const asked = call("llm/models?all=1", refresh ? { method: "POST", body: {} } : {})
    .then((answer) => {
      latest = { ...answer, models: answer.models ?? [], sources: answer.sources ?? [] };
      taken = Date.now();
      return latest;
    })
    .finally(() => {
      if (pending === asked) pending = null;
    });
  pending = asked;
  return asked;
}

/** A model was chosen: the host imports what its first call needs meanwhile. Only that call depends on it. */
export function noteChosen(id) {
  call("llm/warm-up", { method: "POST", body: { llm_model: id } }).catch(() => {});
}

/** A key or a setting has changed: the next look asks anew. */
export function forgetModels() {
  taken = 0;
}

/** Where a model stands: `ready`, `needs_key` or `locked`. */
export function standing(model) {
  if (model.locked) return "locked";
  return model.configured ? "ready" : "needs_key";
}

// Made once a list, not at every key that somebody types.
const texts = new WeakMap();

function textOf(model) {
  let text = texts.get(model);
  if (text === undefined) {
    text = `${model.id} ${model.label} ${model.provider_label}`.toLowerCase();
    texts.set(model, text);
  }
  return text;
}

/** The test whether all words of `query` are in a model's id, label or provider. */
export function finder(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return (model) => words.every((word) => textOf(model).includes(word));
}

/** Models by provider, in the order in which the host has them. */
export function byProvider(models) {
  const groups = new Map();
  for (const model of models) {
    const name = model.provider_label || model.provider || "";
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(model);
  }
  return groups;
}
