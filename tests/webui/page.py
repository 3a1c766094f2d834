"""A web UI's page in headless Chromium, and the questions that the tests ask it."""

from __future__ import annotations

from typing import Any

from browser.comfy_page import PATIENCE_MS
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page

from webui.process import WebUI

# Gradio's own pages ask for fonts and a frame resizer; Chromium is kept from reaching them.
OF_GRADIO = ("fonts.googleapis.com", "fonts.gstatic.com", "cdnjs.cloudflare.com", "api.gradio.app")
READY = "() => !!document.querySelector('#txt2img_prompt textarea')"
# The infotext and the remarks, without what Gradio draws over them while a job runs.
BELOW = """(tab) => ['html_info', 'html_log'].map((id) =>
    [...document.querySelectorAll(`#${id}_${tab} .prose`)].at(-1)?.innerText.trim() ?? '')"""
HEADS = ".label-wrap"


class WebUIPage:
    """An open page. `faults` holds errors that our scripts caused, `foreign` other addresses."""

    def __init__(self, browser: Browser, webui: WebUI, width: int = 1400, height: int = 1000) -> None:
        self.webui = webui
        self.faults: list[str] = []
        self.foreign: list[str] = []
        self.page: Page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="dark")
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._console)
        self.page.on("pageerror", self._page_error)
        self.page.on("request", lambda request: self._request(request.url))
        self.open()

    def open(self) -> None:
        """Load the page, or load it again."""
        # Fonts that never come would hold up the `load` event.
        self.page.goto(self.webui.base_url, wait_until="domcontentloaded")
        self.page.wait_for_function(READY, timeout=60_000)
        if self.webui.is_real:  # Forge Neo's page loads itself once more after a moment
            self.page.wait_for_timeout(5000)
            self.page.wait_for_function(READY, timeout=60_000)
        if self.is_modern:
            self.page.wait_for_function("() => window.modernReady", timeout=60_000)
        # Gradio attaches its handlers a moment after it has drawn; a moment of the page's own, which stands
        # still while the page is busy.
        self.page.evaluate("() => new Promise((done) => setTimeout(() => requestIdleCallback(done), 1000))")

    def close(self) -> None:
        self.page.close()

    def _console(self, message: ConsoleMessage) -> None:
        line = f"{message.type}: {message.text} ({message.location.get('url', '')})"
        if message.type in ("error", "warning") and "quillwork" in line.lower():
            self.faults.append(line)

    def _page_error(self, error: Error) -> None:
        fault = f"{error} {error.stack}"
        if "quillwork" in fault.lower():
            self.faults.append(fault)

    def _request(self, url: str) -> None:
        own = self.webui.base_url
        known = url.startswith((own, own.replace("http", "ws", 1), "data:", "blob:"))
        if not known and not any(name in url for name in OF_GRADIO):
            self.foreign.append(url)

    # The host's own parts

    @property
    def is_modern(self) -> bool:
        """Tell whether this is SD.Next's Modern UI, in which everything is found elsewhere."""
        return self.webui.style == "sdnext"

    def tab(self, title: str) -> None:
        """Go to one of the tabs at the top."""
        if self.is_modern:
            others = self.page.locator("#other_extensions button").filter(has_text=title.lower())
            self.page.locator(f"#{title.lower()}_nav").or_(others).click()
            return
        self.page.locator("#tabs > .tab-nav").get_by_role("tab", name=title, exact=True).or_(
            self.page.locator("#tabs > .tab-nav > button").filter(has_text=title)
        ).first.click()

    def field(self, elem_id: str) -> Locator:
        """The field that one types into, of the component with this id."""
        return self.page.locator(f"[id='{elem_id}']").locator("textarea, input").first

    def prompt(self, tab: str = "txt2img") -> Locator:
        return self.field(f"{tab}_prompt")

    def negative(self, tab: str = "txt2img") -> Locator:
        return self.field(f"{tab}_neg_prompt")

    def generate(self, tab: str = "txt2img") -> str:
        """Press Generate, wait for the end, and return the infotext below the images, or the error."""
        self.start_generation(tab)
        return self.wait_end(tab)

    def start_generation(self, tab: str = "txt2img") -> None:
        self._seen = self._below(tab)
        self.page.locator(f"#{tab}_generate").click()

    def wait_end(self, tab: str = "txt2img") -> str:
        """Wait until the text below the images is new; hosts write the time there."""
        changed = f"([tab, seen]) => ({BELOW})(tab).some((text, place) => text && text !== seen[place])"
        patience = 900_000 if self.webui.is_real else 90_000
        self.page.wait_for_function(changed, arg=[tab, self._seen], timeout=patience)
        return self.infotext(tab) or self.remarks(tab)

    def _below(self, tab: str) -> list[str]:
        return self.page.evaluate(BELOW, tab)

    def infotext(self, tab: str = "txt2img") -> str:
        return self._below(tab)[0]

    def remarks(self, tab: str = "txt2img") -> str:
        """The texts of `p.comment` and of the host's errors."""
        return self._below(tab)[1]

    def read_parameters(self, text: str, tab: str = "txt2img") -> None:
        """Put an infotext into the prompt and let the host read it."""
        self.prompt(tab).fill(text)
        self.page.locator(f"#tab_{tab} #paste, #{tab}_tools #paste").first.click()
        first = text.split("\n", 1)[0]
        self.wait(
            "([tab, first]) => document.querySelector(`#${tab}_prompt textarea`).value === first",
            [tab, first],
        )
        self.page.wait_for_timeout(300)

    # Ours

    def script(self, item: str, tab: str = "txt2img") -> Locator:
        """The component of our script that `self.elem_id(item)` names."""
        return self.page.locator(f"[id='script_{tab}_quillwork_{item}']")

    def open_accordion(self, title: str = "Quillwork", tab: str = "txt2img") -> Locator:
        """Open our accordion, if it is closed; its head."""
        places = f"#tab_{tab} {HEADS}, #{tab}_tabitem {HEADS}"
        head = self.page.locator(places).filter(has_text=title).first
        if "open" not in (head.get_attribute("class") or "").split():
            head.click()
            self.page.wait_for_timeout(200)
        return head

    def choose(self, component: Locator, value: str) -> None:
        """Pick a drop-down's value as a user does."""
        field = component.locator("input").first
        field.click()
        self.page.locator("ul.options:visible li, [role=listbox]:visible [role=option]").filter(
            has_text=value
        ).first.click()

    def reload_ui(self) -> None:
        """The host's Reload UI: everything is made anew in the same process."""
        starts = self.webui.log().count("Startup time:")
        # Forge has it on a page of its settings that may not be open.
        self.page.locator("#settings_restart_gradio").first.evaluate("(button) => button.click()")
        for _ in range(3000):  # generous: only a hang takes five minutes
            if self.webui.log().count("Startup time:") > starts:
                break
            self.page.wait_for_timeout(100)
        self.open()

    def wait(self, condition: str, argument: Any = None) -> None:
        """Wait until a JavaScript function returns true; one that is async has returned a promise at once."""
        self.page.wait_for_function(condition, arg=argument)
