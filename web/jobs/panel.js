// The sidebar's jobs: forms for a new one, and what the others have done, with pause, resume and stop.
import { asCallError, call } from "../common/calls.js";
import { withConsent } from "../common/consent.js";
import { busy, button, el, useStyles } from "../common/elements.js";
import { guarded } from "../common/guarded.js";
import { t } from "../common/texts.js";
import { clock } from "./clock.js";
import { CaptionsForm } from "./captions_form.js";
import { PromptsForm } from "./prompts_form.js";

const EVERY_MS = 1000;
// Nothing runs: a job that begins meanwhile is seen with the next look.
const AT_REST_MS = 4000;
// A browser may begin a download late.
const REVOKED_AFTER_MS = 60000;

/** The tab as the host's sidebar takes it. */
export function jobsTab() {
  let panel;
  return {
    id: "quillwork-jobs",
    icon: "pi pi-images",
    title: t("jobs.tab", "Text jobs"),
    tooltip: t("jobs.tooltip", "Quillwork: captions for folders and prompts from files, with pause and stop"),
    type: "custom",
    render: guarded((container) => {
      panel?.close();
      panel = new Panel(container);
    }),
    destroy: guarded(() => panel?.close()),
  };
}

class Panel {
  constructor(container) {
    useStyles();
    this.entries = new Map();
    this.list = el("ul", { className: "quillwork-list" });
    this.note = el("p", { className: "quillwork-hint", role: "status" });
    const title = el("h2", { textContent: t("jobs.title", "Text jobs") });
    const forms = [CaptionsForm, PromptsForm].map((Form) => new Form(() => this.look()).element);
    this.element = el("div", { className: "quillwork-ui quillwork-panel quillwork-jobs" }, title, ...forms, this.note, this.list);
    container.replaceChildren(this.element);
    container.classList.add("quillwork-panel-host");
    this.look();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  async look() {
    clearTimeout(this.timer);
    let isRunning = false;
    try {
      const { jobs } = await call("jobs");
      this.draw(jobs);
      isRunning = jobs.some((job) => "rate" in job);
    } catch (error) {
      this.note.textContent = asCallError(error).text;
    }
    // A tab that the host took down without a word is looked at no more.
    if (!this.isClosed && this.element.isConnected) {
      this.timer = setTimeout(() => this.look(), isRunning ? EVERY_MS : AT_REST_MS);
    }
  }

  draw(jobs) {
    this.note.textContent = jobs.length ? "" : t("jobs.none", "No jobs yet. Caption a folder here or with the node Caption Folder, or have prompts written for a file.");
    // A button that is being pressed is not to be replaced.
    const entries = jobs.map((job) => {
      const entry = this.entries.get(job.id) ?? new Entry(() => this.look());
      this.entries.set(job.id, entry);
      entry.show(job);
      return entry.element;
    });
    if (entries.length !== this.list.children.length || entries.some((one, place) => one !== this.list.children[place])) {
      this.list.replaceChildren(...entries);
    }
  }
}

class Entry {
  constructor(changed) {
    this.changed = changed;
    this.name = el("span", { className: "quillwork-entry-name" });
    this.state = el("span", { className: "quillwork-count" });
    this.bar = el("progress", { max: 1 });
    this.facts = el("span", { className: "quillwork-hint" });
    this.error = el("p", { className: "quillwork-error" });
    this.pause = button(t("jobs.pause", "Pause"), () => this.turn("pause"));
    this.resume = button(t("jobs.resume", "Resume"), () => this.turn("resume"));
    this.stop = button(t("jobs.stop", "Stop"), () => this.turn("stop"));
    this.save = button(t("jobs.download", "Download results"), () => this.download());
    const line = el("div", { className: "quillwork-line" }, this.pause, this.resume, this.stop, this.save);
    this.element = el("li", { className: "quillwork-job" }, el("div", {}, this.name, this.state), this.bar, this.facts, this.error, line);
  }

  show(job) {
    const { id, what, state, total, done, failed, failures = [], error, resumable } = job;
    this.id = id;
    this.element.dataset.state = state;
    this.name.textContent = String(what).split(/[\\/]/).at(-1) || id;
    this.name.title = what;
    this.state.textContent = words(resumable && state === "open" ? "stopped" : state);
    const ended = (done ?? 0) + (failed ?? 0);
    this.bar.hidden = !total;
    this.bar.value = total ? ended / total : 0;
    this.bar.setAttribute("aria-label", this.name.textContent);
    this.facts.textContent = [
      total ? t("jobs.progress", "{done} of {total}", { done: ended.toLocaleString(), total: total.toLocaleString() }) : "",
      job.before ? t("jobs.before", "{count} from before", { count: job.before.toLocaleString() }) : "",
      failed ? t("jobs.failed", "{count} failed", { count: failed }) : "",
      job.left_s == null || state !== "running" ? "" : t("jobs.left", "{time} left", { time: clock(job.left_s) }),
      job.cost_usd ? `$${job.cost_usd.toFixed(4)}` : "",
    ]
      .filter(Boolean)
      .join(" · ");
    const told = failures.map(({ name, error: said }) => `${name}: ${said}`);
    this.error.textContent = [error, ...told, failed > told.length && told.length ? "…" : ""].filter(Boolean).join("\n");
    this.pause.hidden = !["running", "waiting"].includes(state);
    this.resume.hidden = state !== "paused" && !resumable;
    this.resume.textContent = state === "done" ? t("jobs.again", "Try the failed ones again") : t("jobs.resume", "Resume");
    this.stop.hidden = !["running", "waiting", "paused"].includes(state);
    this.save.hidden = !job.has_results || !ended;
  }

  async download() {
    try {
      const { file, text } = await busy(this.save, () => call(`jobs/${this.id}`));
      const href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
      el("a", { href, download: file }).click();
      setTimeout(() => URL.revokeObjectURL(href), REVOKED_AFTER_MS);
    } catch (error) {
      this.error.textContent = asCallError(error).text;
    }
  }

  async turn(to) {
    try {
      await busy(this[to], () => withConsent(() => call(`jobs/${this.id}`, { method: "POST", body: { do: to } })));
      this.changed();
    } catch (error) {
      this.error.textContent = asCallError(error).text;
    }
  }
}

function words(state) {
  const known = {
    running: () => t("jobs.running", "running"),
    waiting: () => t("jobs.waiting", "waiting for ComfyUI's queue"),
    stopped: () => t("jobs.stopped", "not finished"),
    paused: () => t("jobs.paused", "paused"),
    stopping: () => t("jobs.stopping", "stopping …"),
    done: () => t("jobs.done", "done"),
    open: () => t("jobs.open", "not finished: run it again to continue"),
  };
  return known[state]?.() ?? "";
}
