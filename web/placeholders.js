// The examples in empty text fields. Nodes 2.0 draws a field of its own, and draws it without; so does a subgraph's
// node, in either renderer.
import { guarded } from "./common/guarded.js";
import { sourceOf } from "./common/promoted.js";
import { fieldOf } from "./enhance/text_fields.js";

/** Give the text fields of our nodes their examples, whenever the host draws one. */
export function keepPlaceholders(app, isOurs) {
  const look = guarded((records) => {
    for (const { addedNodes } of records) {
      for (const added of addedNodes) {
        if (added.nodeType !== Node.ELEMENT_NODE) continue;
        const fields = added.matches("textarea") ? [added] : added.querySelectorAll("textarea");
        for (const field of fields) fill(field, app, isOurs);
      }
    }
  });
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}

function fill(field, app, isOurs) {
  const found = fieldOf(field, app);
  if (!found || (field.placeholder && field.placeholder !== found.widget.name)) return;
  const { node, widget } = sourceOf(found.node, found.widget);
  const example = widget.element?.placeholder;
  if (isOurs(node) && example && example !== widget.name) field.placeholder = example;
}
