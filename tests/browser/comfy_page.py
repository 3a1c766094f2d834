"""The real frontend in headless Chromium, and the questions that the tests ask it."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest
from browser import hosts_own
from host.process import Host
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, Playwright

RENDERERS = ("canvas", "nodes2")
SETTINGS = {
    "Comfy.TutorialCompleted": True,
    "Comfy.Workflow.ShowMissingModelsWarning": False,
    "Comfy.Workflow.Persist": False,
    # A dialog over the page would hide what the tests look at; the panel is what is tested.
    "Comfy.RightSidePanel.ShowErrorsTab": True,
}
READY = """() => !!(window.app?.graph && window.app.extensionManager && document.querySelector('canvas')
    && window.LiteGraph?.registered_node_types?.QuillworkEnhancePrompt)"""
# The graph on the page is that of the open tab, and no other one is being loaded over it.
SETTLED = """() => {
    const {spinner, workflow: {activeWorkflow: open}} = app.extensionManager;
    const ready = !spinner && app.isGraphReady && !app.configuringGraph;
    return ready && open?.activeState?.id === app.rootGraph.id;
}"""
# Everything but the host's own address is unreachable, and Chromium looks for nothing by itself.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    # Opening the frontend fills the usual few megabytes of young objects again and again.
    "--js-flags=--min-semi-space-size=64 --max-semi-space-size=64",
]
# Generous: only a hang takes so long.
PATIENCE_MS = 120_000
LISTEN = """() => {
    window.ends = [];
    for (const kind of ['execution_success', 'execution_error', 'execution_interrupted'])
        app.api.addEventListener(kind, ({detail}) => window.ends.push([kind, detail]));
}"""
PANEL = "node.widgets.find(({name}) => name === 'quillwork_answer').element"
ADD = """({type, values, at}) => {
    const node = LiteGraph.createNode(type);
    node.pos = at;
    app.canvas.graph.add(node);
    for (const [name, value] of Object.entries(values))
        node.widgets.find((widget) => widget.name === name).value = value;
    app.canvas.setDirty(true, true);
    return String(node.id);
}"""


def chromium() -> str | None:
    """Return the browser to drive: CHROMIUM_PATH, or one in the search path."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CHROMIUM_PATH") or next(filter(None, map(shutil.which, names)), None)


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=chromium(), args=FLAGS)


class ComfyPage:
    """One open frontend. Nodes are named by their ids, widgets by their names.

    `faults` holds every error of the page, whosever it is, and our own warnings; `foreign` every address that
    was asked for and is not the host's. What hosts_own.py lists is in neither.
    """

    def __init__(
        self,
        browser: Browser,
        host: Host,
        renderer: str,
        width: int = 1500,
        height: int = 1000,
        scale: float = 1,
        locale: str | None = None,
    ) -> None:
        self.host, self.renderer = host, renderer
        self.faults: list[str] = []
        self.foreign: list[str] = []
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark",
            device_scale_factor=scale,
            locale=locale,
        )
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._console)
        self.page.on("pageerror", self._page_error)
        self.page.on("request", lambda request: self._request(request.url))
        self.open()

    def open(self) -> None:
        """Load the page, or load it again."""
        for name, value in {**SETTINGS, "Comfy.VueNodes.Enabled": self.renderer == "nodes2"}.items():
            assert self.host.post(f"/settings/{name}", json=value).status == 200
        self.page.goto(self.host.base_url)
        self.page.wait_for_function(READY)
        self._settle()
        self.page.evaluate(LISTEN)

    def restart(self, env: dict[str, str] | None = None) -> None:
        """End the host and start it anew at the same address, and load the page again."""
        # An open page would go on sending requests, and complain of every answer that does not come.
        self.page.goto("about:blank")
        self.host.restart(env, port=self.host.port)
        self.open()

    def _settle(self) -> None:
        self.page.wait_for_function(SETTLED)
        # The page does the last of it after the graph is there.
        self.page.wait_for_timeout(300)
        self.page.wait_for_function(SETTLED)

    def close(self) -> None:
        self.page.close()

    def _console(self, message: ConsoleMessage) -> None:
        place = message.location.get("url", "").replace(self.host.base_url, "")
        line = f"{message.type}: {message.text}"
        known = set(map(hosts_own.without_names, (line, f"{line} ({place})"))) & hosts_own.FAULTS
        ours = message.type == "warning" and "quillwork" in f"{line} {place}".lower()
        if ours or (message.type == "error" and not known):
            self.faults.append(f"{line} ({place})")

    def _page_error(self, error: Error) -> None:
        if error.message not in hosts_own.THROWN:
            self.faults.append(f"{error} {error.stack}")

    def _request(self, url: str) -> None:
        own = self.host.base_url
        known = url.startswith((own, own.replace("http", "ws", 1), "data:", "blob:"))
        if not known and hosts_own.without_names(url) not in hosts_own.ADDRESSES:
            self.foreign.append(url)

    def forgive(self, part: str) -> None:
        """Drop the browser's own complaints of answers that a test has asked for, such as "status of 400"."""
        kept = [fault for fault in self.faults if f"Failed to load resource: {part}" not in fault]
        kept = [fault for fault in kept if f"responded with a {part}" not in fault]
        self.faults[:] = kept

    # The workflow

    def needs(self, version: tuple[int, int], what: str) -> None:
        """Skip the test on a frontend before `version`, which lacks `what`."""
        own = self.page.evaluate("() => window.__COMFYUI_FRONTEND_VERSION__")
        if tuple(map(int, own.split(".")[:2])) < version:
            pytest.skip(f"frontend {own}: {what}")

    def command(self, name: str) -> None:
        self.page.evaluate("(name) => app.extensionManager.command.execute(name)", name)

    def new_workflow(self) -> None:
        """Open an empty workflow in a tab of its own."""
        before = self.graph_id()
        self.command("Comfy.NewBlankWorkflow")
        self._leave(before)
        assert self.page.evaluate("() => app.rootGraph.nodes.length") == 0
        # The view stays where it was in an earlier workflow.
        self.page.evaluate("() => { app.canvas.ds.reset(); app.canvas.setDirty(true, true); }")

    def open_tab(self, direction: str) -> str:
        """Go to the `Previous` or the `Next` workflow; return its id."""
        before = self.graph_id()
        self.command(f"Workspace.{direction}OpenedWorkflow")
        self._leave(before)
        return self.graph_id()

    def _leave(self, before: str) -> None:
        self.page.wait_for_function("(before) => app.rootGraph.id !== before", arg=before)
        self._settle()

    def graph_id(self) -> str:
        return self.page.evaluate("() => app.rootGraph.id")

    def add(self, kind: str, at: tuple[int, int] = (120, 160), **values: Any) -> str:
        """Add a node with these widget values; return its id."""
        return self.page.evaluate(ADD, {"type": kind, "values": values, "at": at})

    def enhance(self, prompt: str = "a fox in the snow", **values: Any) -> str:
        """Add Enhance Prompt with a preview behind it."""
        x, y = values.pop("at", (120, 160))
        node = self.add("QuillworkEnhancePrompt", (x, y), prompt=prompt, **values)
        self.link(node, 0, self.add("PreviewAny", (x + 480, y)), 0)
        return node

    def link(self, source: str, output: int, target: str, place: int) -> None:
        self.page.evaluate(
            "([a, out, b, at]) => app.graph.getNodeById(a).connect(out, app.graph.getNodeById(b), at)",
            [source, output, target, place],
        )

    def of(self, node: str, expression: str, argument: Any = None) -> Any:
        """Evaluate `expression` for the node, which it calls `node`; `argument` is `it`."""
        found = f"([id, it]) => {{ const node = app.rootGraph.getNodeById(id); return ({expression}); }}"
        return self.page.evaluate(found, [node, argument])

    def widget(self, node: str, name: str) -> Any:
        return self.of(node, "node.widgets.find((widget) => widget.name === it)?.value", name)

    def set(self, node: str, name: str, value: Any) -> None:
        """Put a value into a widget as a script does, with no callback."""
        self.of(
            node, "void (node.widgets.find((widget) => widget.name === it[0]).value = it[1])", [name, value]
        )

    def switch(self, node: str, name: str, value: Any) -> None:
        """Set a widget as a user does."""
        self.of(
            node,
            """(() => {
                const widget = node.widgets.find((one) => one.name === it[0]);
                widget.value = it[1];
                widget.callback?.(it[1], app.canvas, node);
            })()""",
            [name, value],
        )

    def click_widget(self, node: str, name: str) -> None:
        """Click on a widget's value where it is drawn."""
        if name != "quillwork_advanced":
            self.of(node, "void (node.showAdvanced = true)")
        if self.renderer == "canvas":
            self.of(node, "app.canvas.setDirty(true, true)")
            self.page.wait_for_timeout(100)
            x, y = self.of(
                node,
                """(() => {
                    const widget = node.widgets.find((one) => one.name === it);
                    const [x, y] = [node.pos[0] + node.size[0] / 2, node.pos[1] + widget.y + 10];
                    return app.canvasPosToClientPos([x, y]);
                })()""",
                name,
            )
            self.page.mouse.click(x, y)
        else:
            label = self.of(
                node, "(({label, name}) => label ?? name)(node.widgets.find((one) => one.name === it))", name
            )
            row = self.page.locator(f"[data-node-id='{node}'] [data-testid=node-widget]").filter(
                has_text=label
            )
            row.locator("button, [role=switch], [role=combobox]").first.click()

    def text_field(self, node: str, place: int = 0) -> Locator:
        """Return the textarea in which the node's text widget is drawn, counted from the top."""
        if self.renderer == "nodes2":
            return self.page.locator(f"[data-node-id='{node}'] textarea").nth(place)
        self.of(
            node,
            """(() => {
                const areas = node.widgets.filter(({element}) => element?.tagName === 'TEXTAREA');
                areas[it].element.dataset.of = `${node.id}.${it}`;
            })()""",
            place,
        )
        return self.page.locator(f"textarea[data-of='{node}.{place}']")

    def model_field(self, node: str) -> Locator:
        """Return the field for a model's id, entered."""
        if self.renderer == "canvas":
            self.click_widget(node, "llm_model")
            return self.page.locator(".graphdialog input")
        self.of(node, "void (node.showAdvanced = true)")
        field = self.page.locator(f"[data-node-id='{node}'] input[aria-label=llm_model]")
        field.click()
        return field

    def open_settings(self) -> Locator:
        """Open Quillwork's page in the settings dialog."""
        self.command("Comfy.ShowSettingsDialog")
        dialog = self.page.locator("[data-testid=settings-dialog]")
        dialog.locator("[data-nav-id]", has_text="Quillwork").click()
        return dialog

    def saved(self) -> dict[str, Any]:
        """Return the workflow as a file has it."""
        return self.page.evaluate("() => JSON.parse(JSON.stringify(app.rootGraph.serialize()))")

    def load(self, workflow: dict[str, Any]) -> None:
        self.page.evaluate("(workflow) => app.loadGraphData(workflow, true, true, null)", workflow)
        count = len(workflow["nodes"])
        self.page.wait_for_function("(count) => app.rootGraph.nodes.length === count", arg=count)
        self._settle()

    def prompt(self) -> dict[str, Any]:
        """Return what the page would send for the workflow."""
        return self.page.evaluate("async () => (await app.graphToPrompt()).output")

    # Runs

    def start(self) -> None:
        self.page.evaluate("() => { window.ends.length = 0; return app.queuePrompt(0); }")

    def wait_end(self) -> tuple[str, dict[str, Any]]:
        """Return the kind and the data of the event that ended the prompt."""
        self.page.wait_for_function("() => window.ends.length > 0")
        # The page's reaction to the event may come a moment after it.
        self.page.wait_for_timeout(100)
        kind, detail = self.page.evaluate("() => window.ends[0]")
        return kind, detail

    def run(self) -> tuple[str, dict[str, Any]]:
        self.start()
        return self.wait_end()

    def tell(self, kind: str, detail: dict[str, Any]) -> None:
        """Let the page believe that the host sent this event."""
        self.page.evaluate("([kind, detail]) => app.api.dispatchCustomEvent(kind, detail)", [kind, detail])

    # Visible state

    def panels(self) -> Locator:
        return self.page.locator(".quillwork-text:visible")

    def shown(self, node: str) -> str:
        """Return the text in a node's panel."""
        return self.of(node, f"{PANEL}.querySelector('.quillwork-text').value")

    def note(self, node: str) -> tuple[str, str]:
        """Return the note above the text, and whether it is a `warning` or an `error`."""
        text, kind = self.of(
            node,
            "(({textContent, dataset}) => [textContent, dataset.kind ?? ''])"
            f"({PANEL}.querySelector('.quillwork-note'))",
        )
        return text, kind

    def badges(self, node: str) -> list[str]:
        texts = "node.badges.map((badge) => (typeof badge === 'function' ? badge() : badge).text)"
        return [text for text in self.of(node, texts) if text]

    def wait(self, condition: str, argument: Any = None) -> None:
        """Wait until a JavaScript function holds."""
        self.page.wait_for_function(condition, arg=argument)
