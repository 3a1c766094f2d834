// Esc stops what Enhance now is writing: its Stop button is only on the page meanwhile.
document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const tab of ["txt2img", "img2img"]) {
        const stop = gradioApp().querySelector(`#quillwork_${tab}_stop`);
        if (stop?.offsetParent) stop.click();
    }
});
