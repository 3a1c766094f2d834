// Keys by provider: from the field to the host's memory, and nowhere in the page after that.
import { asCallError, call } from "../common/calls.js";
import { busy, button, el, link, useStyles } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { t } from "../common/texts.js";
import { forgetModels } from "../models/catalog.js";
import { configuration } from "./configuration.js";
import { findProviders, findText, noneText } from "./providers.js";

// Shown without a word to find, beside those that are set up.
const BEST_KNOWN = 12;

/** A row's status as a person reads it. */
export function keyStatus({ configured, source, missing, last_four: end, needs_key: needed, key_variables: names = [] }) {
  if (!configured && source) return missing; // the key is there
  if (source === "session") return t("keys.session", "set for this session, ends in {end}", { end: end || "…" });
  if (source === "kept") return `${t("keys.kept", "kept after a restart")}${end ? ` (… ${end})` : ""}`;
  if (source === "environment") return t("keys.environment", "from the environment");
  if (!needed) return t("keys.notNeeded", "needs no key");
  if (configured) return t("keys.set", "set");
  return names[0] ? t("keys.missingNamed", "not set ({name})", { name: names[0] }) : t("keys.missing", "not set");
}

/** Where to get a key, for a provider that wants one; null for the others. */
export function keyLink({ needs_key: needed, key_url: url }) {
  return needed && /^https:/.test(url ?? "") ? link(url, t("keys.get", "Get a key")) : null;
}

/** The question whether a key is to outlast a restart, with where it would lie: `{element, checked, showPlace}`. */
export function keepBox() {
  const box = el("input", { type: "checkbox" });
  const text = el("span", { textContent: t("keys.keep", "Keep after a restart") });
  return {
    element: el("label", { className: "quillwork-check" }, box, text),
    get checked() {
      return box.checked;
    },
    showPlace({ in_ring: inRing, name }) {
      text.textContent = inRing
        ? t("keys.keepRing", "Keep after a restart, in this computer's keyring ({name})", { name })
        : t("keys.keepFile", "Keep after a restart, in the file {name} (not encrypted, readable by your user account only)", { name });
    },
  };
}

/** Keep `key` in the host's memory, with `keep` for good, unless it fails a free check; the host's answer. */
export async function saveKey(provider, key, keep = false) {
  const answer = await call("keys", { method: "POST", body: { provider, key, check: true, keep } });
  changed();
  return answer;
}

function changed() {
  forgetModels();
  configuration({ anew: true }).catch(() => {});
}

export function keyTable() {
  useStyles();
  const list = el("div", { className: "quillwork-keys", role: "list" });
  const note = el("p", { className: "quillwork-hint" });
  const keep = keepBox();
  const more = el("p", { className: "quillwork-hint", role: "status" });
  const find = el("input", {
    type: "search",
    className: "quillwork-field quillwork-find",
    autocomplete: "off",
    spellcheck: false,
    placeholder: findText(),
    "aria-label": findText(),
  });
  const element = el("div", { className: "quillwork-ui quillwork-wide" }, note, keep.element, find, more, list);
  let rows = null;
  let elements = new Map();
  const show = () => {
    if (!rows) return; // not answered yet
    const query = find.value.trim();
    const found = query ? findProviders(rows, query) : atFirst(rows);
    list.replaceChildren(...found.map(({ provider }) => elements.get(provider)));
    const counts = { count: found.length, all: rows.length };
    const some = t("keys.more", "{count} of {all} providers are shown: type to find the others.", counts);
    more.textContent = !found.length ? noneText() : found.length < rows.length ? some : "";
  };
  find.addEventListener("input", show);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && find.value) {
      find.value = "";
      show();
    } else if (["Enter", "ArrowDown"].includes(event.key)) {
      list.querySelector("input:not(:disabled), button:not(:disabled)")?.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  const draw = async () => {
    try {
      const answer = await call("keys");
      note.textContent = answer.session_keys
        ? t(
            "keys.note",
            "A key entered here is never stored in a workflow. It is tested, then held in this server's memory until a restart or {hours} hours without use, unless you keep it.",
            { hours: answer.idle_hours },
          )
        : t("keys.refused", "This server does not accept keys from the browser. Set them as environment variables instead.");
      keep.element.hidden = !answer.session_keys;
      keep.showPlace(answer.kept_in);
      rows = inOrder(answer.keys);
      elements = new Map(rows.map((row) => [row.provider, keyRow(row, answer.session_keys, keep)]));
      show();
    } catch (error) {
      note.textContent = asCallError(error).text;
    }
  };
  draw();
  return element;
}

function hasKey({ source, provider }) {
  return provider === "endpoint" || /^(session|kept|environment)$/.test(source);
}

function atFirst(rows) {
  const others = rows.filter((row) => !row.configured && !hasKey(row)).slice(0, BEST_KNOWN);
  return rows.filter((row) => row.configured || hasKey(row) || others.includes(row));
}

function inOrder(rows) {
  const rank = (row) => (hasKey(row) ? 0 : row.needs_key ? (row.configured ? 1 : 2) : 3);
  return [...rows].sort((one, other) => rank(one) - rank(other));
}

function keyRow(first, mayType, keep) {
  let row = first;
  const takesKey = row.needs_key || row.key_variables?.length > 0;
  const status = el("span", { className: "quillwork-key-status" });
  const said = el("div", { className: "quillwork-said", role: "status" });
  const input = el("input", {
    type: "password",
    className: "quillwork-field",
    autocomplete: "off",
    spellcheck: false,
    disabled: !mayType,
    placeholder: row.needs_key ? t("keys.placeholder", "Paste a key") : t("keys.optional", "Key, if required"),
    "aria-label": t("keys.field", "{provider}: key", { provider: row.label }),
  });
  const save = button(t("keys.save", "Save"), () => take(), { disabled: true });
  const test = button(t("keys.test", "Test"), () => check());
  const clear = button(t("keys.clear", "Clear"), () => drop());
  const say = (ok, text) => {
    said.dataset.state = { true: "good", false: "bad" }[ok] ?? "";
    said.textContent = text;
  };
  const show = () => {
    status.textContent = keyStatus(row);
    status.dataset.state = row.configured ? "good" : "";
    clear.disabled = !/^(session|kept)$/.test(row.source);
  };
  const attempt = (control, work) =>
    busy(control, async () => {
      say(null, t("keys.asking", "Testing …"));
      try {
        await work();
      } catch (error) {
        say(false, asCallError(error).text);
      }
    }).then(show);
  const take = guarded(() =>
    attempt(save, async () => {
      const { check: checked, ...state } = await saveKey(row.provider, input.value, keep.checked);
      row = { ...row, ...state };
      if (checked?.ok !== false) input.value = "";
      say(checked?.ok, [checked?.message, checked?.hint].filter(Boolean).join(" "));
    }).then(() => {
      save.disabled = !input.value;
    }),
  );
  const check = guarded(() =>
    attempt(test, async () => {
      const { ok, message, hint } = await call("test", { method: "POST", body: { provider: row.provider } });
      say(ok, [message, hint].filter(Boolean).join(" "));
    }),
  );
  const drop = guarded(() =>
    attempt(clear, async () => {
      const { keys } = await call(`keys?provider=${encodeURIComponent(row.provider)}`, { method: "DELETE" });
      row = keys.find((one) => one.provider === row.provider) ?? row;
      changed();
      say(null, t("keys.cleared", "Cleared."));
    }),
  );
  input.addEventListener("input", () => {
    save.disabled = !input.value;
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && input.value) take();
  });
  show();
  return el(
    "div",
    { className: "quillwork-key", role: "listitem", "data-provider": row.provider },
    el("div", { className: "quillwork-key-name" }, el("strong", { textContent: row.label }), status),
    el("span", { className: "quillwork-key-link" }, keyLink(row)),
    takesKey ? input : el("span"),
    el("div", { className: "quillwork-buttons" }, takesKey && save, test, takesKey && clear),
    said,
  );
}
