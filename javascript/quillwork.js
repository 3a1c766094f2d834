// Esc stops what is being written: a Stop button is only on the page meanwhile.
document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const stop of document.querySelectorAll("[id^=quillwork_][id$=_stop]")) {
        if (stop.offsetParent) stop.click();
    }
});

// What was sent to a tab's prompt box is to be seen there. SD.Next's Modern UI has its own way to a tab.
document.addEventListener("click", (event) => {
    const send = event.target.closest?.("[id^=quillwork_send_]");
    if (!send) return;
    const tab = send.id.slice("quillwork_send_".length);
    const modern = document.querySelector(`#sdnext_app #${tab}_nav`);
    if (modern) modern.click();
    else window[`switch_to_${tab}`]?.();
});

// SD.Next's Modern UI shows of the Video tab only what it knows by name: our accordion goes below its prompts.
document.addEventListener("DOMContentLoaded", () => {
    if (typeof onAfterUiUpdate !== "function") return;
    onAfterUiUpdate(() => {
        const prompts = document.querySelector("#sdnext_app #split-video-prompts");
        const ours = document.querySelector("#quillwork_video");
        if (prompts && ours && !prompts.parentElement.contains(ours)) prompts.after(ours);
    });
});
