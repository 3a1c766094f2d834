// Elements, made without markup: every text goes in as text.

/** An element with properties or attributes (`on…` are listeners) and children: elements or texts. */
export function el(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list" && name !== "role") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

export function button(text, onclick, given = {}) {
  const { className = "", ...others } = given;
  const classes = `quillwork-button ${className}`.trim();
  return el("button", { type: "button", textContent: text, onclick, className: classes, ...others });
}

/** A control below its label. */
export function labelled(text, control) {
  return el("label", { className: "quillwork-labelled" }, el("span", { textContent: text }), control);
}

/** A link to elsewhere, or just its text where the address is not one to follow. */
export function link(url, text) {
  if (!/^https:\/\//.test(url ?? "")) return el("span", { textContent: text });
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer", textContent: text });
}

/** Run `work` with `element` disabled meanwhile. */
export async function busy(element, work) {
  element.disabled = true;
  try {
    return await work();
  } finally {
    element.disabled = false;
  }
}

const styles = new Set();
/** The style sheets of all that is not on a node, or those named alone; each once a page. */
export function useStyles(files = ["lists.css", "panels.css"]) {
  for (const file of files) {
    if (styles.has(file)) continue;
    styles.add(file);
    document.head.append(el("link", { rel: "stylesheet", href: new URL(`../${file}`, import.meta.url).href }));
  }
}
