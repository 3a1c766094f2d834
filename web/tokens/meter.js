// How long the text of a field is for its target, in tokens, and a way to have it shortened.
import { app } from "../../../scripts/app.js";
import { call } from "../common/calls.js";
import { button, el } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { t } from "../common/texts.js";
import { fieldBehind, openEnhance } from "../enhance/dialog.js";
import { targetAt } from "../enhance/target_at.js";
import { fieldOf } from "../enhance/text_fields.js";
import { isOn } from "../settings/switches.js";

const PAUSE = 250;
const INSET = 4;

class Meter {
  constructor() {
    this.element = el("div", { className: "quillwork-ui quillwork-meter", hidden: true });
    this.field = null;
    this.asked = 0;
  }

  /** Count what stands in a field, or in that behind the frame of Enhance, once it stays for a moment. */
  follow(focused, pause) {
    const element = focused?.tagName === "TEXTAREA" ? focused : fieldBehind(focused);
    const target = element && isOn("tokens") ? targetAt(element) : null;
    if (!target) return this.hide();
    this.field = element;
    const mine = ++this.asked;
    setTimeout(guarded(() => this.count(mine, target)), pause);
  }

  async count(mine, target) {
    if (mine !== this.asked) return;
    // Nodes 2.0 shows a text that was written for it a moment later.
    const text = String(fieldOf(this.field, app)?.widget.value ?? this.field.value);
    if (!text.trim()) return this.hide();
    let found;
    try {
      found = await call("tokens", { method: "POST", body: { text, target } });
    } catch {
      return this.hide();
    }
    if (mine === this.asked && this.field?.isConnected) this.show(found, target);
  }

  show({ tokens: count, limit, chunk, is_estimate: about }, target) {
    const isOver = limit && count > limit;
    const chunks = chunk ? Math.max(1, Math.ceil(count / chunk)) : 1;
    const most = chunk ? chunks * chunk : limit;
    const shorten = () => openEnhance(fieldOf(this.field, app), { target, limit });
    this.element.title = [
      about ? t("tokens.about", "Estimated number of tokens: ComfyUI has no tokenizer for this model without its weights.") : t("tokens.exact", "Number of tokens for this model"),
      chunks > 1 ? t("tokens.chunks", "CLIP reads {count} chunks of {size} tokens.", { count: chunks, size: chunk }) : "",
    ].filter(Boolean).join("\n");
    this.element.replaceChildren(
      el("span", { textContent: `${about ? "~" : ""}${count}${most ? `/${most}` : ""}`, "data-state": isOver ? "bad" : null }),
      ...(isOver && fieldOf(this.field, app) ? [button(t("tokens.shorten", "Shorten to fit"), guarded(shorten), { tabIndex: -1 })] : []),
    );
    if (!this.element.isConnected) document.body.append(this.element);
    this.element.hidden = false;
    this.place();
  }

  place() {
    const at = this.field.getBoundingClientRect();
    const { width, height } = this.element.getBoundingClientRect();
    if (at.width < width + 2 * INSET || at.height < height) return this.hide();
    this.element.style.left = `${at.right - width - INSET - (this.field.offsetWidth - this.field.clientWidth)}px`;
    this.element.style.top = `${at.bottom - height - INSET}px`;
  }

  hide() {
    this.asked += 1;
    this.element.hidden = true;
  }
}

/** One meter for the page, in the corner of the text field that is written in. */
export function measureTextFields() {
  const meter = new Meter();
  document.addEventListener("focusin", guarded(({ target }) => meter.element.contains(target) || meter.follow(target, target.tagName === "TEXTAREA" ? 0 : PAUSE)));
  for (const kind of ["input", "change"]) document.addEventListener(kind, guarded(({ target }) => meter.follow(target, PAUSE)), true);
  document.addEventListener("focusout", guarded(({ relatedTarget }) => relatedTarget || meter.element.matches(":hover") || meter.hide()));
  // The field moves away from under it.
  for (const kind of ["wheel", "pointerdown"]) {
    const leave = guarded(({ target }) => target !== meter.field && !meter.element.contains(target) && !fieldBehind(target) && meter.hide());
    document.addEventListener(kind, leave, { capture: true, passive: true });
  }
}
