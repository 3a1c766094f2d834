// What the hosts offer to the scripts of extensions.
const uiCallbacks = { loaded: [], update: [], afterUpdate: [], tabChange: [], options: [] };
let opts = {};
let loaded = false;

function gradioApp() {
  const root = document.getElementsByTagName("gradio-app")[0];
  return root?.shadowRoot ?? root ?? document;
}
const onUiLoaded = (callback) => uiCallbacks.loaded.push(callback);
const onUiUpdate = (callback) => uiCallbacks.update.push(callback);
const onAfterUiUpdate = (callback) => uiCallbacks.afterUpdate.push(callback);
const onUiTabChange = (callback) => uiCallbacks.tabChange.push(callback);
const onOptionsChanged = (callback) => uiCallbacks.options.push(callback);
const get_uiCurrentTabContent = () => gradioApp().querySelector('#tabs > .tabitem:not([style*="display: none"])');

const switchTo = (place) => gradioApp().querySelector("#tabs").querySelectorAll("button")[place].click();
function switch_to_txt2img() {
  switchTo(0);
}
function switch_to_img2img() {
  switchTo(1);
}

// The hosts count tokens when a prompt is typed in, and when they are asked to.
window.counted = {};
function update_txt2img_tokens() {
  window.counted.txt2img = gradioApp().querySelector("#txt2img_prompt textarea").value;
}

// A value set from a script counts only after this.
function updateInput(target) {
  const event = new Event("input", { bubbles: true });
  Object.defineProperty(event, "target", { value: target });
  target.dispatchEvent(event);
}

function callAll(callbacks, ...given) {
  for (const callback of callbacks) {
    try {
      callback(...given);
    } catch (error) {
      console.error("error running callback", callback, ":", error);
    }
  }
}

document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver((changes) => {
    if (!loaded && gradioApp().querySelector("#txt2img_prompt")) {
      loaded = true;
      callAll(uiCallbacks.loaded);
    }
    callAll(uiCallbacks.update, changes);
    callAll(uiCallbacks.afterUpdate);
  }).observe(gradioApp(), { childList: true, subtree: true });
});
