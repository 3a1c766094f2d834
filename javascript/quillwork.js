// Esc stops what Enhance now is writing: its Stop button is only on the page meanwhile.
document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const tab of ["txt2img", "img2img"]) {
        const stop = gradioApp().querySelector(`#quillwork_${tab}_stop`);
        if (stop?.offsetParent) stop.click();
    }
});

// What was sent to a tab's prompt box is to be seen there.
document.addEventListener("click", (event) => {
    const send = event.target.closest?.("#quillwork_send_txt2img, #quillwork_send_img2img");
    if (send) window[`switch_to_${send.id.slice("quillwork_send_".length)}`]?.();
});
