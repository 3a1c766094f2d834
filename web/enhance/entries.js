// The ways to Enhance: a button in the text field under the pointer, the node's menu, a shortcut.
import { app } from "../../../scripts/app.js";
import { el } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { tell } from "../common/notices.js";
import { t } from "../common/texts.js";
import { openEnhance } from "./dialog.js";
import { fieldOf, textWidgets } from "./text_fields.js";

const LEAST_WIDTH = 80;
// Smaller ones cannot be read: the canvas is far out.
const LEAST_HEIGHT = 16;
const SIZE = 24;
const INSET = 5;
const LEAST_INSET = 1;

/** What a node's menu gets. */
export function menuItems(node) {
  const items = textWidgets(node).map((widget) => ({
    content: t("enhance.menuOf", "Enhance “{name}”", { name: widget.label || widget.name }),
    callback: guarded(() => openEnhance({ node, widget })),
  }));
  return items.length ? [null, ...items] : [];
}

/** The shortcut: the field that has the focus, or the first one of the selected node. */
export function enhanceHere() {
  const field = fieldOf(document.activeElement, app);
  if (field) return openEnhance(field);
  for (const node of app.canvas?.selectedItems ?? []) {
    const [widget] = textWidgets(node);
    if (widget) return openEnhance({ node, widget });
  }
  tell(t("enhance.noField", "Select a node with a text field, or click into one."), "", "info");
}

/** One button for the page: it stands in the corner of the text field that is pointed at or written in. */
export function followTextFields() {
  let field = null;
  const button = el(
    "button",
    { type: "button", className: "quillwork-ui quillwork-hover", tabIndex: -1, hidden: true },
    el("i", { className: "pi pi-sparkles", "aria-hidden": "true" }),
  );
  const hide = () => {
    button.hidden = true;
    field = null;
  };
  const show = (element) => {
    const found = fieldOf(element, app);
    if (!found) return;
    const at = element.getBoundingClientRect();
    if (at.width < LEAST_WIDTH || at.height < LEAST_HEIGHT) return hide();
    if (!button.isConnected) document.body.append(button);
    field = found;
    button.title = t("enhance.button", "Enhance this text (Alt+Q)");
    button.setAttribute("aria-label", button.title);
    const inset = Math.min(INSET, Math.max(LEAST_INSET, (at.height - SIZE) / 2));
    const size = Math.min(SIZE, at.height - 2 * inset);
    button.style.width = button.style.height = `${size}px`;
    button.style.left = `${at.right - size - inset - (element.offsetWidth - element.clientWidth)}px`;
    button.style.top = `${at.top + inset}px`;
    button.hidden = false;
  };
  button.addEventListener("click", guarded(() => {
    const chosen = field;
    hide();
    if (chosen) openEnhance(chosen);
  }));
  document.addEventListener("pointerover", guarded(({ target, buttons }) => {
    if (target === button || button.contains(target)) return;
    if (target?.tagName === "TEXTAREA" && !buttons) show(target);
    else if (field && field.element !== document.activeElement) hide();
  }), { passive: true });
  document.addEventListener("focusin", guarded(({ target }) => show(target)));
  document.addEventListener("focusout", guarded(({ target }) => {
    // A press on the button takes the focus from the field: the click is still to come.
    if (target === field?.element && !button.matches(":hover")) hide();
  }));
  // The field moves away from under the button.
  for (const kind of ["wheel", "pointerdown"]) {
    document.addEventListener(kind, ({ target }) => !button.contains(target) && hide(), { capture: true, passive: true });
  }
}
