// What was called and what it cost: since the host started, and today. Nothing to click.
import { asCallError, call } from "../common/calls.js";
import { el, useStyles } from "../common/elements.js";
import { t } from "../common/texts.js";

/** The tables, as they are at the moment they are made. */
export function usageTables() {
  useStyles();
  const element = el("div", { className: "quillwork-ui quillwork-wide quillwork-usage", role: "status" });
  const draw = async () => {
    try {
      const { session, today, budget } = (await call("health")).usage;
      const model = t("usage.model", "Model");
      const parts = [
        table(t("usage.session", "Since ComfyUI started"), model, session.models, session.total),
        limit(budget.session_used_usd, budget.session_usd, "LLM_BUDGET_SESSION"),
        table(t("usage.callers", "By node or program"), t("usage.caller", "Caller"), session.callers),
        table(t("usage.today", "Today"), model, today.models, today.total),
        limit(budget.day_used_usd, budget.day_usd, "LLM_BUDGET_DAY"),
      ];
      element.replaceChildren(...parts.filter(Boolean));
    } catch (error) {
      element.textContent = asCallError(error).text;
    }
  };
  draw();
  return element;
}

function table(title, first, rows, total) {
  const heads = [
    first,
    t("usage.calls", "Calls"),
    t("usage.tokensIn", "Input tokens"),
    t("usage.tokensOut", "Output tokens"),
    t("usage.cost", "Cost"),
    t("usage.seconds", "Seconds"),
  ];
  const body = rows.length
    ? rows.map((row) => line(row.label || row.name || "–", row, row.label ? row.name : null))
    : [el("tr", {}, el("td", { colSpan: heads.length, textContent: t("usage.none", "No calls yet.") }))];
  return el(
    "table",
    {},
    el("caption", { textContent: title }),
    el("thead", {}, el("tr", {}, ...heads.map((text) => el("th", { scope: "col", textContent: text })))),
    el("tbody", {}, ...body),
    rows.length > 1 && total && el("tfoot", {}, line(t("usage.total", "Total"), total)),
  );
}

function line(name, row, id = null) {
  return el(
    "tr",
    {},
    el("th", { scope: "row", textContent: name }, id && el("div", { className: "quillwork-hint", textContent: id })),
    calls(row),
    ...[tokens(row, row.prompt_tokens), tokens(row, row.completion_tokens), cost(row), number(row.seconds, 1)].map(
      (text) => el("td", { textContent: text }),
    ),
  );
}

// One number in the line of the others; what else there is to say of it stands below.
function calls({ calls: count, failed, cached }) {
  const more = [
    failed ? t("usage.failed", "{count} failed", { count: number(failed) }) : "",
    cached ? t("usage.kept", "{count} answered from the cache", { count: number(cached) }) : "",
  ].filter(Boolean);
  return el(
    "td",
    { textContent: number(count) },
    ...more.map((textContent) => el("div", { className: "quillwork-hint", textContent })),
  );
}

function tokens({ estimated }, count) {
  return `${estimated ? "≈ " : ""}${number(count)}`;
}

/** Nobody is told that something is free because its price is not known. */
function cost({ cost_usd: known, unpriced }) {
  if (known == null) return t("usage.unknown", "unknown");
  return unpriced ? t("usage.partly", "{cost} plus {count} of unknown cost", { cost: dollars(known), count: number(unpriced) }) : dollars(known);
}

function limit(used, most, name) {
  if (most == null) return null;
  return el("p", {
    className: "quillwork-hint",
    textContent: t("usage.budget", "Budget ({name}): {used} of {most} used.", { name, used: dollars(used), most: dollars(most) }),
  });
}

function dollars(amount) {
  const digits = amount && amount < 0.1 ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return `$${amount.toLocaleString(undefined, digits)}`;
}

function number(value, digits = 0) {
  return value.toLocaleString(undefined, { maximumFractionDigits: digits });
}
