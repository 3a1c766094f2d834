// A fault of ours must never stop the host's own handling of a node or an event.

/** `work`, with its faults reported to the console; a rejected promise counts as one. */
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

/** `work`, for what the host calls over and over, such as at every drawing: the first fault is reported and switches
 *  it off. From then on the caller gets what `otherwise` gives. */
export function untilFault(work, otherwise = () => undefined) {
  let on = true;
  return function (...args) {
    if (on) {
      try {
        return work.apply(this, args);
      } catch (error) {
        on = false;
        report(error);
      }
    }
    return otherwise.apply(this, args);
  };
}

function report(error) {
  console.warn("[Quillwork]", error);
}
