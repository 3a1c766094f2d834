// What is known of a model that helps to choose one: its context window and its price, each in a word or two.
import { t } from "../common/texts.js";

const SIZES = [
  [1_000_000, "M"],
  [1000, "K"],
];

/** `{short, long}`: such as `128K · $0.15 / $0.60`, and what that means; both empty where nothing is known. */
export function factsOf({ context_window: window, price }) {
  const short = [window && sizeOf(window), price && priceOf(price)].filter(Boolean).join(" · ");
  return { short, long: short && t("models.facts", "Context window in tokens · US dollars per million tokens, input / output") };
}

function sizeOf(tokens) {
  const [unit, letter] = SIZES.find(([size]) => tokens >= size) ?? [1, ""];
  const count = tokens / unit;
  return `${count < 10 ? Math.round(count * 10) / 10 : Math.round(count)}${letter}`;
}

function priceOf({ input, output }) {
  if (!input && !output) return t("models.free", "free");
  return `$${dollars(input)} / $${dollars(output)}`;
}

function dollars(amount) {
  if (Number.isInteger(amount) || amount >= 100) return String(Math.round(amount));
  return amount < 0.1 ? String(Number(amount.toFixed(3))) : amount.toFixed(2);
}
