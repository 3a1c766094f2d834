// A fault of ours must never stop the host's own handling of a node or an event.

/** `work`, with its faults told to the console; a rejected promise counts as one. */
export function guarded(work) {
  return function (...args) {
    try {
      const result = work.apply(this, args);
      if (typeof result?.catch === "function") result.catch(report);
      return result;
    } catch (error) {
      report(error);
    }
  };
}

function report(error) {
  console.warn("[Quillwork]", error);
}
