// The local model in four sizes, and which of them the memory of this machine suggests.
import { api } from "../../../scripts/api.js";
import { call } from "../common/calls.js";
import { el } from "../common/elements.js";
import { t } from "../common/texts.js";
import { modeThat } from "../models/modes.js";
import { knownConfiguration } from "../settings/configuration.js";

const GB = 1e9;
const STANDARD = "standard";

/** What ComfyUI says of its memory: `{free, onGpu}` in gigabytes; null where it does not. */
export async function findMemory() {
  try {
    const { devices = [] } = await (await api.fetchApi("/system_stats")).json();
    const device = devices[0];
    return device?.vram_total > 0 ? { free: device.vram_free / GB, onGpu: device.type !== "cpu" } : null;
  } catch {
    return null;
  }
}

/** The largest of `sizes` up to the standard one that fits into what is free; the smallest without a GPU. */
export function suggestedSize(sizes, memory) {
  const standard = sizes.find(({ name }) => name === STANDARD) ?? sizes[0];
  if (!memory) return standard;
  if (!memory.onGpu) return sizes[0];
  const fitting = sizes.filter(({ needs_gb: needs }) => needs <= memory.free && needs <= standard.needs_gb);
  return fitting.at(-1) ?? sizes[0];
}

/** The choice of a model that is downloaded once and runs inside ComfyUI. */
export function localModel(memory) {
  const sizes = knownConfiguration()?.sizes ?? [];
  const names = {
    tiny: t("setup.sizeTiny", "Tiny: short prompts in plain sentences"),
    small: t("setup.sizeSmall", "Small: prompts in English, short lists"),
    standard: t("setup.sizeStandard", "Standard: every prompt format, lists, other languages"),
    large: t("setup.sizeLarge", "Large: long ideas, translation, chat"),
  };
  const select = el("select", { className: "quillwork-field", "aria-label": t("setup.size", "Size of the model") });
  select.append(
    ...sizes.map(({ name, download_gb: size }) => el("option", { value: name, textContent: `${names[name] ?? name} (${size} GB)` })),
  );
  const facts = el("p", { className: "quillwork-hint" });
  const consent = el("input", { type: "checkbox" });
  const asked = el("span");
  const chosen = () => sizes.find(({ name }) => name === select.value);
  const show = () => {
    const size = chosen();
    if (!size) return;
    asked.textContent = t("setup.localConsent", "Yes, download about {size} GB on first use", { size: size.download_gb });
    facts.textContent = [
      t("setup.sizeNeeds", "Needs about {size} GB of memory while it writes.", { size: size.needs_gb }),
      memory &&
        (memory.onGpu
          ? t("setup.sizeFree", "{size} GB of GPU memory are free now.", { size: memory.free.toFixed(1) })
          : t("setup.sizeNoGpu", "ComfyUI runs on the CPU here, where a local model is slow.")),
      size.cpu_tokens_per_s
        ? t("setup.sizeSpeed", "Measured on a CPU: {count} tokens per second; not measured on a GPU.", { count: size.cpu_tokens_per_s })
        : t("setup.sizeSpeedUnknown", "Its speed has not been measured."),
    ]
      .filter(Boolean)
      .join(" ");
  };
  select.addEventListener("change", show);
  if (sizes.length) select.value = suggestedSize(sizes, memory).name;
  show();
  return {
    id: "local",
    title: t("setup.local", "Local 4-bit model"),
    about: t("setup.localAbout", "Qwen3 runs inside ComfyUI, next to your image models, in the size that fits. Private and free."),
    fields: [select, facts, el("label", { className: "quillwork-check" }, consent, asked)],
    ready: () => consent.checked && Boolean(chosen()),
    async settings() {
      await call("consent", { method: "POST", body: { what: "downloads" } });
      return { LLM_MODE: modeThat("downloads_weights"), LLM_MODEL: chosen().repository };
    },
  };
}
