// SD.Next's Modern UI: its own navigation, and only what is named here is ever seen of Gradio's tabs.
const VIEWS = {
  control: [
    "control_prompt",
    "control_neg_prompt",
    "control_generate",
    "control_interrupt",
    "control_paste",
    "control_batch_size",
    "control_batch_count",
    "control_seed",
    "control_script_container",
    "control_gallery",
    "control-result",
    "html_log_control",
  ],
  video: ["video_model", "video_prompt", "video_neg_prompt", "video_generate", "video_interrupt", "control_output_video"],
};

// Outside of Gradio's tabs these functions find their button, but nobody sees what it does.
const switch_to_control = () => switchTo(2);
const switch_to_video = () => switchTo(3);

// Of a tab's sections one is seen; a click on the open one closes it.
function addSections(name, view, parts) {
  const tabs = document.createElement("div");
  tabs.innerHTML = ["prompts", "extras"].map((title) => `<button id="${name}_${title}">${title}</button>`).join("");
  const prompts = document.createElement("div");
  prompts.append(...parts);
  view.prepend(tabs, prompts);
  const show = (open) => {
    for (const tab of tabs.children) tab.classList.toggle("active", tab === open);
    prompts.hidden = open !== tabs.firstChild;
  };
  for (const tab of tabs.children) tab.onclick = () => show(tab.classList.contains("active") ? null : tab);
  show(tabs.firstChild);
}

function addView(name, title, parts, isOurs = false) {
  const view = document.createElement("div");
  view.id = isOurs ? `${name}_tabitem` : `tab_${name}_tabitem`;
  view.hidden = true;
  if (name === "video") view.innerHTML = '<div><div id="split-video-prompts"></div></div>';
  const button = document.createElement("button");
  if (isOurs) button.id = `${name}_nav`;
  button.textContent = title;
  button.onclick = () => document.querySelectorAll("#views > div").forEach((other) => (other.hidden = other !== view));
  for (const id of parts) {
    const part = document.querySelector(`#tab_${name} [id="${id}"]`);
    if (part) (view.querySelector("#split-video-prompts") ?? view).append(part);
  }
  document.querySelector("#views").append(view);
  document.querySelector(isOurs ? "#main_nav" : "#other_extensions").append(button);
  return view;
}

onUiLoaded(() => {
  const app = document.createElement("div");
  app.id = "sdnext_app";
  app.innerHTML = '<nav id="main_nav"></nav><nav id="other_extensions"></nav><div id="views"></div>';
  document.querySelector("gradio-app").prepend(app);
  const control = addView("control", "Images", VIEWS.control, true);
  addSections("control", control, control.querySelectorAll("#control_prompt, #control_neg_prompt"));
  addView("video", "Video", VIEWS.video, true);
  // What a generation tells stands in a panel that is folded until somebody opens it.
  const panel = document.createElement("div");
  panel.className = "info-results-container";
  panel.style.display = "none";
  document.querySelector("#control_tabitem").append(panel);
  for (const id of ["control-result", "html_log_control"]) panel.append(document.querySelector(`[id="${id}"]`));
  for (const tab of document.querySelectorAll("#tabs > .tabitem")) {
    const name = tab.id.replace("tab_", "");
    if (["txt2img", "img2img", "control", "video", "settings"].includes(name)) continue;
    const parts = [...tab.children];
    addView(name, name, []).append(...parts);
  }
  document.querySelector("#tabs").style.display = "none";
  document.querySelector("#control_nav").click();
  window.modernReady = true;
});
