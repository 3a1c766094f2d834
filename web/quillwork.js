// Entry: Quillwork's side of the ComfyUI frontend. The modules beside it only define functions.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { foldAdvanced, unfoldForApp } from "./advanced.js";
import { addAnswerPanel, panelOf, stopAll } from "./answer_panel.js";
import { addBadge, updateBadge } from "./badges.js";
import { passPromptsOn } from "./bypass.js";
import { guarded } from "./common/guarded.js";
import { t } from "./common/texts.js";
import { followFreeze } from "./freeze.js";
import { panels } from "./panels.js";
import { keepPlaceholders } from "./placeholders.js";
import { nodeAt, rememberOrigin, routeTo, takeLate } from "./routing.js";
import { openSetup } from "./setup/first_run.js";
import { labelTargets, refreshLabels } from "./targets.js";

const PLACEHOLDERS = {
  QuillworkEnhancePrompt: () => t("node.prompt", "The prompt appears here as it is written."),
  QuillworkGenerateVariables: () => t("node.values", "The values appear here as they are written."),
  QuillworkResolveVariables: () => t("node.prompts", "The prompts appear here after the run."),
  QuillworkDescribeImage: () => t("node.chat", "The answer appears here as it is written."),
  QuillworkCaptionFolder: () => t("node.captions", "The report appears here after the run."),
  QuillworkChat: () => t("node.chat", "The answer appears here as it is written."),
};

function restore(node) {
  const record = node.properties?.quillwork;
  if (!record) return;
  panelOf(node)?.showAnswer(record);
  updateBadge(node, record);
}

function takeAnswer(node, payload) {
  const { info, notice, ...record } = payload;
  node.properties ??= {};
  node.properties.quillwork = record;
  panelOf(node)?.showAnswer(record, [notice, ...(info?.warnings ?? [])]);
  updateBadge(node, record, info);
  // Frontends before 1.43 take note of a graph when its user does something, and of what we keep in it never.
  const tracker = app.extensionManager?.workflow?.activeWorkflow?.changeTracker;
  if (!tracker?.captureCanvasState) tracker?.checkState?.();
}

/** What a node wrote that the host ran once for each item of a list, as one. */
function joined([first, ...more]) {
  if (!more.length) return first;
  const all = [first, ...more];
  const warnings = [...new Set(all.flatMap(({ info }) => info?.warnings ?? []))];
  return { ...first, texts: all.flatMap(({ texts }) => texts), info: { ...first.info, warnings } };
}

function isOurs(node) {
  return Boolean(node?.comfyClass?.startsWith("Quillwork"));
}

function setUp(node) {
  if (isOurs(node)) guarded(foldAdvanced)(node, app);
  const placeholder = PLACEHOLDERS[node.comfyClass];
  if (!placeholder) return;
  guarded(addAnswerPanel)(node, placeholder(), app, guarded(openSetup));
  const widget = panelOf(node)?.widget;
  // A part that this frontend does not take costs itself alone.
  guarded(addBadge)(node, widget);
  guarded(labelTargets)(node);
  guarded(followFreeze)(node, app);
  guarded(rememberOrigin)(node, widget, app);
  const configured = node.onConfigure;
  node.onConfigure = function (...args) {
    const result = configured?.apply(this, args);
    guarded(restore)(this);
    return result;
  };
}

// What an event does to its node. The handlers get the panel, the node and the event's own data.
const HANDLERS = {
  executing: (panel) => panel.begin(),
  progress_text: (panel, _node, { text }) => panel.showLive(text ?? ""),
  executed(_panel, node, { output }) {
    const payloads = output?.quillwork ?? [];
    if (payloads.length) takeAnswer(node, joined(payloads));
  },
  execution_error(panel, _node, { exception_message }) {
    panel.showError((exception_message ?? "").trim() || t("node.failed", "The run failed. See the ComfyUI log for the reason."));
  },
  execution_interrupted: (panel) => panel.stop(),
};
const ADDRESSES = {
  executing: (detail) => (detail && typeof detail === "object" ? detail.display_node ?? detail.node : detail),
  progress_text: (detail) => detail.nodeId ?? detail.node,
  executed: (detail) => detail.display_node ?? detail.node,
  execution_error: (detail) => detail.node_id,
  execution_interrupted: (detail) => detail.node_id,
};

const EARLY_ENDS = ["execution_error", "execution_interrupted"];

function deliver(kind, detail) {
  const address = ADDRESSES[kind](detail ?? {});
  const node = address == null ? null : routeTo(app, String(address), kind === "executed" ? detail : null);
  const panel = node && panelOf(node);
  if (panel) HANDLERS[kind](panel, node, detail);
  if (EARLY_ENDS.includes(kind)) stopAll();
}

// The host shows a node's progress text too, as markup, in a display of its own that comes and goes with each
// run. On a node that has our panel it would be a second one. The host looks for the node in the graph on the
// screen, and so for the last part of the id.
function hideSecondDisplay(detail) {
  const id = String(ADDRESSES.progress_text(detail ?? {}) ?? "");
  const nodes = [nodeAt(app.rootGraph ?? app.graph, id), nodeAt(app.canvas?.graph, id.split(":").at(-1))];
  // After the host's own handling, which may come later than ours, and before anything is drawn.
  queueMicrotask(guarded(() => nodes.forEach((node) => node && panelOf(node)?.standAlone())));
}

app.registerExtension(panels);
app.registerExtension({
  name: "Quillwork",
  setup: guarded(() => {
    passPromptsOn(app);
    keepPlaceholders(app, isOurs);
    for (const kind of Object.keys(HANDLERS)) {
      api.addEventListener(kind, guarded(({ detail }) => deliver(kind, detail)));
    }
    api.addEventListener("progress_text", guarded(({ detail }) => hideSecondDisplay(detail)));
    // An input may have been chosen for an app just now.
    api.addEventListener("graphChanged", guarded(() => unfoldForApp(app.rootGraph ?? app.graph, isOurs)));
  }),
  nodeCreated: guarded(setUp),
  refreshComboInNodes: guarded(refreshLabels),
  afterConfigureGraph: guarded(() => {
    unfoldForApp(app.rootGraph ?? app.graph, isOurs);
    for (const [node, detail] of takeLate(app)) {
      if (panelOf(node)) HANDLERS.executed(panelOf(node), node, detail);
    }
  }),
});
