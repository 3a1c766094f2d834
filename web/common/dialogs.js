// Frames over the page: a modal dialog, and a small one beside a field that leaves the page usable.
import { button, el, useStyles } from "./elements.js";
import { t } from "./texts.js";

const open = new Set();
let count = 0;

/** Resolves when no modal dialog of ours is open: above one, nothing of the host's can be clicked. */
export async function noneOpen() {
  await Promise.all(open);
}

/** A modal dialog with a title and a way out; `body` are its elements. Resolves when it is closed. */
export function openDialog(title, ...body) {
  useStyles();
  const id = `quillwork-dialog-${++count}`;
  const dialog = el("dialog", { className: "quillwork-ui quillwork-dialog", "aria-labelledby": id }, head(id, title, () => dialog.close()), ...body);
  keepKeys(dialog);
  // A click on the dialog itself, and on nothing in it, is one beside it.
  dialog.addEventListener("pointerdown", (event) => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const inside = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
    if (event.target === dialog && !inside) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      open.delete(closed);
      resolve();
    });
  });
  open.add(closed);
  return { dialog, closed };
}

/** A frame beside what `anchor` gives: a rectangle on the page, or null for its middle. Tab stays in it. */
export function openBeside(anchor, title, onClose, ...body) {
  useStyles();
  const id = `quillwork-dialog-${++count}`;
  const close = () => {
    if (!frame.isConnected) return;
    sizes.disconnect();
    frame.remove();
    onClose();
  };
  const frame = el("div", { className: "quillwork-ui quillwork-beside", role: "dialog", "aria-labelledby": id }, head(id, title, close), ...body);
  keepKeys(frame);
  frame.addEventListener("keydown", (event) => {
    if (event.key === "Tab") turnAround(frame, event);
  });
  document.body.append(frame);
  // Its size changes with the style sheet, which may come later, and with what it says.
  const sizes = new ResizeObserver(() => place(frame, at));
  const at = anchor();
  sizes.observe(frame);
  place(frame, at);
  return { frame, close };
}

function head(id, title, close) {
  return el(
    "header",
    { className: "quillwork-head" },
    el("h2", { id, textContent: title }),
    button("×", close, { className: "quillwork-close", "aria-label": t("dialog.close", "Close") }),
  );
}

// The host's shortcuts are for the page, and so are its gestures.
function keepKeys(frame) {
  for (const kind of ["keydown", "keyup", "pointerdown", "wheel", "contextmenu", "paste", "copy"]) {
    frame.addEventListener(kind, (event) => event.stopPropagation(), { passive: true });
  }
}

function turnAround(frame, event) {
  const found = frame.querySelectorAll("button, input, select, textarea, a[href], summary");
  const stops = [...found].filter((one) => !one.disabled && one.offsetParent !== null);
  const [first, last] = [stops[0], stops.at(-1)];
  const leaves = document.activeElement === (event.shiftKey ? first : last);
  if (!leaves) return;
  event.preventDefault();
  (event.shiftKey ? last : first)?.focus();
}

function place(frame, at) {
  const { width, height } = frame.getBoundingClientRect();
  const [pageWidth, pageHeight] = [window.innerWidth, window.innerHeight];
  let left = (pageWidth - width) / 2;
  let top = (pageHeight - height) / 3;
  if (at) {
    left = at.right + 12 + width < pageWidth ? at.right + 12 : at.left - 12 - width;
    top = at.top - 8;
  }
  frame.style.left = `${Math.max(8, Math.min(left, pageWidth - width - 8))}px`;
  frame.style.top = `${Math.max(8, Math.min(top, pageHeight - height - 8))}px`;
}
