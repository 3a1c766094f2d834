// All of Quillwork that is not on a node: settings, the choice of a model, variables, Enhance, questions.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { askAfterRun } from "./common/consent.js";
import { useStyles } from "./common/elements.js";
import { guarded } from "./common/guarded.js";
import { loadTexts } from "./common/texts.js";
import { closeEnhance } from "./enhance/dialog.js";
import { enhanceHere, followTextFields, menuItems } from "./enhance/entries.js";
import { jobsTab } from "./jobs/panel.js";
import { followModelWidget, watchModelFields } from "./models/model_fields.js";
import { settingsPage } from "./settings/page.js";
import { offerOnce, openSetup } from "./setup/first_run.js";
import { completeOurFields } from "./tags/completion.js";
import { measureTextFields } from "./tokens/meter.js";
import { variablesTab } from "./variables/panel.js";

const VARIABLES_TAB = "quillwork-variables";

function isOurs(node) {
  return Boolean(node?.comfyClass?.startsWith("Quillwork"));
}

function showVariables() {
  const { sidebarTab } = app.extensionManager;
  if (sidebarTab.activeSidebarTabId !== VARIABLES_TAB) sidebarTab.toggleSidebarTab(VARIABLES_TAB);
}

/** The extension, to be registered by the entry. */
export const panels = {
  name: "Quillwork.Panels",
  settings: settingsPage(openSetup),
  commands: [
    { id: "Quillwork.Enhance", label: "Quillwork: enhance this text", icon: "pi pi-sparkles", function: guarded(enhanceHere) },
    { id: "Quillwork.Setup", label: "Quillwork: choose a language model", icon: "pi pi-cog", function: guarded(openSetup) },
    { id: "Quillwork.Variables", label: "Quillwork: variables", icon: "pi pi-list", function: guarded(showVariables) },
  ],
  keybindings: [{ combo: { key: "q", alt: true }, commandId: "Quillwork.Enhance" }],
  getNodeMenuItems: (node) => guarded(menuItems)(node) ?? [],
  setup: guarded(async () => {
    useStyles();
    watchModelFields(app, isOurs);
    followTextFields();
    completeOurFields();
    measureTextFields();
    api.addEventListener("execution_error", guarded(({ detail }) => askAfterRun(detail)));
    await loadTexts();
    app.extensionManager.registerSidebarTab(variablesTab());
    app.extensionManager.registerSidebarTab(jobsTab());
  }),
  beforeConfigureGraph: guarded(closeEnhance),
  nodeCreated: guarded((node) => {
    if (!isOurs(node)) return;
    followModelWidget(node);
    if (!app.configuringGraph) offerOnce();
  }),
};
