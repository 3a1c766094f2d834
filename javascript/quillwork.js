// Esc stops what is being written: a Stop button is only on the page meanwhile. It comes once the host has begun,
// and the key may be faster: pressed after the click that begins, it counts as soon as Stop is there.
(() => {
    const BEGINS = "button:is([id^=quillwork_][id$=_enhance], #quillwork_describe, #quillwork_invent)";
    const awaited = new Map(); // the ids of Stop buttons that are to come, and whether Esc was pressed meanwhile
    const isShown = (button) => button && getComputedStyle(button).display !== "none";

    const watch = new MutationObserver(() => {
        for (const [id, isPressed] of awaited) {
            const stop = document.getElementById(id);
            if (!isShown(stop)) continue;
            awaited.delete(id);
            if (isPressed) stop.click();
        }
        if (!awaited.size) watch.disconnect();
    });

    document.addEventListener("click", (event) => {
        const begin = event.target.closest?.(BEGINS);
        if (!begin) return;
        awaited.set(`${begin.id.replace(/_enhance$/, "")}_stop`, false);
        watch.observe(document.body, { attributeFilter: ["class", "style"], childList: true, subtree: true });
    });
    document.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        for (const id of awaited.keys()) awaited.set(id, true);
        for (const stop of document.querySelectorAll("[id^=quillwork_][id$=_stop]")) {
            if (isShown(stop)) stop.click();
        }
    });
})();

// What was sent to a tab's prompt box is to be seen there. SD.Next's Modern UI has its own way to a tab, and in it
// to the section with the prompts, which a click on an open one would close.
document.addEventListener("click", (event) => {
    const send = event.target.closest?.("[id^=quillwork_send_]");
    if (!send) return;
    const tab = send.id.slice("quillwork_send_".length);
    const modern = document.querySelector(`#sdnext_app #${tab}_nav`);
    if (!modern) return window[`switch_to_${tab}`]?.();
    modern.click();
    document.querySelector(`#sdnext_app #${tab}_prompts:not(.active)`)?.click();
});

// Hosts count a prompt's tokens anew when it is typed in: after our buttons have written, they are asked to.
(() => {
    const WRITES = /^quillwork_(?:send_(\w+)|(\w+)_(?:enhance|undo))$/;
    const EVERY_MS = 500;
    const PATIENCE_MS = 600_000;
    const watched = new Map(); // a tab, and when watching it ends

    const textOf = (tab) =>
        ["prompt", "neg_prompt"].map((box) => document.querySelector(`#${tab}_${box} textarea`)?.value).join("\n");

    document.addEventListener("click", (event) => {
        const [, sent, written] = WRITES.exec(event.target.closest?.("[id^=quillwork_]")?.id ?? "") ?? [];
        const tab = sent ?? written;
        if (!tab || typeof window[`update_${tab}_tokens`] !== "function") return;
        const isWatched = watched.has(tab);
        watched.set(tab, Date.now() + PATIENCE_MS);
        if (isWatched) return;
        let text = textOf(tab);
        const timer = setInterval(() => {
            const now = textOf(tab);
            // It waits until nothing more has come for a moment.
            if (now !== text) window[`update_${tab}_tokens`]();
            text = now;
            if (Date.now() < watched.get(tab)) return;
            clearInterval(timer);
            watched.delete(tab);
        }, EVERY_MS);
    });
})();

// SD.Next's Modern UI shows of the Video tab only what it knows by name: our accordion goes below its prompts.
document.addEventListener("DOMContentLoaded", () => {
    if (typeof onAfterUiUpdate !== "function") return;
    onAfterUiUpdate(() => {
        const prompts = document.querySelector("#sdnext_app #split-video-prompts");
        const ours = document.querySelector("#quillwork_video");
        if (prompts && ours && !prompts.parentElement.contains(ours)) prompts.after(ours);
    });
});

// What goes wrong with a generation stands below the images, where hosts give it the look of a remark: it gets
// the look of an error, is shown in our accordion as well, and at the window's edge until it is clicked away.
(() => {
    const FAULT = /^(?:Control: Exception: )?Quillwork(?:Error| error): (.+)/;
    const failed = new Set();
    let toast = null;

    // The sentence in a log, and whether it has come since we last looked: hosts draw it anew each time.
    const faultIn = (log) => {
        const texts = document.createTreeWalker(log, NodeFilter.SHOW_TEXT);
        const found = [];
        for (let node = texts.nextNode(); node; node = texts.nextNode()) {
            const sentence = FAULT.exec(node.data.trim())?.[1];
            if (sentence) found.push([node, sentence]);
        }
        const fresh = found.filter(([node]) => !node.parentElement.classList.contains("quillwork-error"));
        for (const [node] of fresh) {
            const marked = document.createElement("span");
            marked.className = "quillwork-error";
            node.replaceWith(marked);
            marked.append(node);
        }
        return [[...new Set(found.map(([, sentence]) => sentence))].join(" "), fresh.length > 0];
    };

    const tell = (tab, sentence) => {
        const status = document.getElementById(`quillwork_${tab}_status`);
        document.getElementById(`quillwork_${tab}_fault`)?.remove();
        toast?.remove();
        if (!sentence) return;
        const line = Object.assign(document.createElement("div"), {
            id: `quillwork_${tab}_fault`,
            className: "quillwork-error quillwork-fault",
            textContent: sentence,
        });
        status?.after(line);
        toast = Object.assign(document.createElement("button"), {
            className: "quillwork-toast",
            type: "button",
            textContent: `Quillwork: ${sentence}`,
        });
        toast.setAttribute("role", "alert");
        toast.addEventListener("click", (event) => event.currentTarget.remove());
        document.body.append(toast);
    };

    const look = () => {
        for (const log of document.querySelectorAll("[id^=html_log_]")) {
            const tab = log.id.slice("html_log_".length);
            const [sentence, isFresh] = faultIn(log);
            if (isFresh || (!sentence && failed.has(tab))) tell(tab, sentence);
            failed[sentence ? "add" : "delete"](tab);
        }
    };

    document.addEventListener("DOMContentLoaded", () => {
        let waiting = false;
        new MutationObserver(() => {
            if (waiting) return;
            waiting = true;
            requestAnimationFrame(() => {
                waiting = false;
                look();
            });
        }).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
})();
