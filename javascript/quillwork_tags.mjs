// Completion of tags in our text fields, by the same list as on ComfyUI's page. The hosts' own prompt boxes are not ours.
const MODULES = ["tags/tag_list.js", "tags/table.js", "common/combobox.js", "common/elements.js", "common/guarded.js"];
const STYLES = ["lists.css"];
// A component's id, and the id of the list of targets beside it; where there is none, the target is the page's own.
const FIELDS = {
    quillwork_variable_context: "",
    quillwork_variable_guidance: "",
    quillwork_library_values: "",
    quillwork_description: "quillwork_describe_target",
    quillwork_describe_instruction: "quillwork_describe_target",
    quillwork_folder_instruction: "quillwork_folder_target",
    quillwork_folder_trigger: "quillwork_folder_target",
};
// A value stands on a line by itself, and a trigger word before what gets a comma anyway.
const WITHOUT_COMMA = ["quillwork_library_values", "quillwork_folder_trigger"];
const INSTRUCTION = /^(script_\w+_quillwork_)instruction$/;
// The page's own: as the host's settings and its checkpoint have it.
const AUTO = "auto";
const PATIENCE_MS = 30_000;

const byId = (id) => document.getElementById(id);
const entryOf = (component) => component?.querySelector("textarea, input");

const componentOf = (field) => field.closest("[id^=quillwork_], [id$=_instruction]")?.id ?? "";

// The name of the target of a text field of ours, null for any other field.
const targetAt = (field) => {
    if (!field?.matches?.("textarea, input[type=text]") || field.readOnly) return null;
    const id = componentOf(field);
    const list = FIELDS[id] ?? (INSTRUCTION.test(id) ? id.replace(INSTRUCTION, "$1target") : null);
    return list == null ? null : (list && entryOf(byId(list))?.value) || AUTO;
};

let number = 0;
let last = Promise.resolve();

// Gradio drops a click on a button whose last event is under way: one question after another.
const ask = (target, version) => {
    last = last.catch(() => {}).then(() => askNow(target, version));
    return last;
};

const askNow = async (target, version) => {
    number += 1;
    const question = entryOf(byId("quillwork_tags_question"));
    question.value = JSON.stringify({ number, target, version });
    question.dispatchEvent(new Event("input", { bubbles: true }));
    // Gradio takes note of what was typed a moment later.
    await new Promise((done) => setTimeout(done, 20));
    const answer = answered(number);
    byId("quillwork_tags_ask").click();
    return answer;
};

const answered = (awaited) =>
    new Promise((done, failed) => {
        const place = byId("quillwork_tags_answer");
        const watch = new MutationObserver(() => {
            const found = place.querySelector(`template[data-number="${awaited}"]`);
            if (!found) return;
            stop();
            const { textContent } = found.content;
            // A table is megabytes: the page need not keep them twice.
            found.content.replaceChildren();
            done(JSON.parse(textContent));
        });
        const timer = setTimeout(() => {
            stop();
            failed(new Error(`No tags after ${PATIENCE_MS} ms.`));
        }, PATIENCE_MS);
        const stop = () => {
            clearTimeout(timer);
            watch.disconnect();
        };
        watch.observe(place, { childList: true, subtree: true });
    });

// The address of this file is new with every version; those of the modules are not, and a browser keeps what it has of
// them for days. What is there when it looks again is what it then runs.
const load = async () => {
    const web = new URL("../web/", import.meta.url);
    await Promise.all([...MODULES, ...STYLES].map((file) => fetch(new URL(file, web), { cache: "no-cache" })));
    return Promise.all(MODULES.slice(0, 2).map((file) => import(new URL(file, web))));
};

const begin = async () => {
    const [{ completeTags }, { Manners }] = await load();
    const manners = new Manners(ask);
    completeTags({
        title: () => "Matching tags",
        manners,
        targetAt,
        // As a1111-sd-webui-tagcomplete marks a field that it completes in.
        isServed: (field) => field.classList.contains("autocomplete"),
        holdsList: (field) => !WITHOUT_COMMA.includes(componentOf(field)),
    });
    // Another checkpoint may be loaded since.
    document.addEventListener("focusin", ({ target }) => targetAt(target) === AUTO && manners.renew(AUTO));
    manners.of(targetAt(document.activeElement));
};

// Nothing is loaded before one of our fields is entered. What is typed meanwhile is told again.
const entered = async ({ target }) => {
    if (!targetAt(target)) return;
    document.removeEventListener("focusin", entered);
    let typed = null;
    const note = (event) => {
        typed = event.target;
    };
    document.addEventListener("input", note, true);
    try {
        await begin();
    } catch (error) {
        console.warn("[Quillwork]", error);
    }
    document.removeEventListener("input", note, true);
    if (typed && typed === document.activeElement) typed.dispatchEvent(new Event("input", { bubbles: true }));
};
document.addEventListener("focusin", entered);
