// One enhancement of a text: the stream from the host, piece by piece.
import { CallError, stream } from "../common/calls.js";
import { withConsent } from "../common/consent.js";
import { t } from "../common/texts.js";

/** Have `request` written. `grow(text)` gets the text so far; the answer is `{text, negative, info}`. */
export async function writeText(request, grow, signal) {
  return withConsent(async () => {
    let text = "";
    let last = null;
    await stream(
      "enhance",
      { ...request, variations: 1, stream: true },
      (kind, data) => {
        if (kind === "token" && data.index === 0) grow((text = data.restart ? data.text : text + data.text));
        else if (kind === "complete") last = data;
      },
      signal,
    );
    if (!last?.prompts?.[0]) {
      throw new CallError({
        type: "broken_off",
        message: t("enhance.brokenOff", "The answer was cut off."),
        hint: t("enhance.brokenOffHint", "Try again."),
      });
    }
    return { text: last.prompts[0], negative: last.negative?.[0] ?? "", info: last.info ?? {} };
  });
}

/** Who wrote and what it took, in a line. */
export function summary({ mode, provider, model, prompt_tokens: sent, completion_tokens: got, cost_usd: cost }) {
  const tokens = (sent ?? 0) + (got ?? 0);
  return [
    provider || mode,
    model === (provider || mode) ? "" : model,
    tokens ? t("enhance.tokens", "{count} tokens", { count: tokens }) : "",
    cost > 0 ? `$${cost >= 0.01 ? cost.toFixed(2) : Number(cost.toPrecision(1))}` : "",
  ]
    .filter(Boolean)
    .join(" · ");
}
