"""The fixtures ``webui``, ``wired``, ``webui_factory`` and ``webui_page``, and the mark of their tests."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from wire.server import WireServer

from webui.process import WebUI, gradio_version, interpreter, real_forge

if TYPE_CHECKING:
    from webui.page import WebUIPage

# A real one takes two gigabytes; a test may compare two.
KEPT = 2 if real_forge() else 3
NO_GRADIO = f"{interpreter()} has no Gradio: make test LANES='gradio3 gradio4', or WEBUI_PYTHON"
KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"


class WebUIs:
    """A starter of web UIs that keeps the latest few, one for each kind that a test asked for."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._kept: dict[Any, WebUI] = {}
        self._own: list[WebUI] = []

    def __call__(
        self,
        env: dict[str, str] | None = None,
        *,
        style: str | None = None,
        flags: tuple[str, ...] = (),
        fresh: bool = False,
        extensions: dict[str, Path] | None = None,
    ) -> WebUI:
        """Start or reuse a web UI whose process has these variables besides a bare environment.

        `style` is `a1111`, `forge` or `sdnext` (a real Forge: the test is skipped unless it says forge);
        `flags` go on its command line, `--install` lets the stand-in run install.py. `fresh` starts one for
        this test alone. `extensions` (folder's name -> source) replaces the usual one.
        """
        if not gradio_version():
            pytest.skip(NO_GRADIO)
        if real_forge() and (style not in (None, "forge") or "--install" in flags):
            pytest.skip(f"A real Forge cannot be {style or flags}.")
        if gradio_version().startswith("4.") and style not in (None, "forge"):
            pytest.skip("A1111 and SD.Next are on Gradio 3; the lane gradio3 has them.")
        env = env or {}
        if fresh:
            webui = WebUI(self._folders.mktemp("webui"), env, style=style, flags=flags, extensions=extensions)
            self._own.append(webui)
            return webui
        key = (tuple(sorted(env.items())), style, flags, repr(extensions))
        kept = self._kept.pop(key, None)
        if kept is not None and kept.process.poll() is not None:
            kept = None
        if kept is None:
            if len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept))).close()
            folder = self._folders.mktemp("webui")
            kept = WebUI(folder, env, style=style, flags=flags, extensions=extensions)
        self._kept[key] = kept
        return kept

    def after_test(self) -> None:
        while self._own:
            self._own.pop().close()

    def close(self) -> None:
        for webui in self._kept.values():
            webui.close()
        self._kept.clear()


@pytest.fixture(scope="session")
def _webuis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUIs]:
    webuis = WebUIs(tmp_path_factory)
    yield webuis
    webuis.close()


@pytest.fixture
def webui_factory(_webuis: WebUIs) -> Iterator[WebUIs]:
    """`webui_factory({"LLM_MODE": "phrasebook"}, style="sdnext")` is a web UI of that kind; see `WebUIs`."""
    yield _webuis
    _webuis.after_test()


@pytest.fixture
def webui(webui_factory: WebUIs) -> WebUI:
    """The web UI with nothing configured: Forge when FORGE_PATH is set, else the stand-in."""
    return webui_factory()


@pytest.fixture
def wired(webui_factory: WebUIs, wire: WireServer) -> WebUI:
    """The web UI with the imitation server as its model."""
    return webui_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LLM_API_KEY": KEY})


@pytest.fixture(scope="session")
def _webui_browser() -> Iterator[Any]:
    if not gradio_version():  # before anything is started for nothing
        pytest.skip(NO_GRADIO)
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed: pip install playwright")
    from browser.comfy_page import chromium, launch
    from playwright.sync_api import sync_playwright

    if chromium() is None:
        pytest.skip("there is no Chromium: apt-get install chromium, or set CHROMIUM_PATH")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def open_page(_webui_browser: Any) -> Iterator[Callable[[WebUI], WebUIPage]]:
    """The function `open_page(webui)`: it opens the page, which is closed after the test.
    Faults of our scripts fail the test."""
    from webui.page import WebUIPage

    pages: list[WebUIPage] = []

    def opened(webui: WebUI) -> WebUIPage:
        pages.append(WebUIPage(_webui_browser, webui))
        return pages[-1]

    yield opened
    for page in pages:
        page.close()
    assert [fault for page in pages for fault in page.faults] == []
    assert [address for page in pages for address in page.foreign] == []


@pytest.fixture
def webui_page(open_page: Callable[[WebUI], WebUIPage], wired: WebUI) -> WebUIPage:
    """The page of `wired`."""
    return open_page(wired)


def mark_webui_tests(items: list[pytest.Item]) -> None:
    for item in items:
        if {"webui_factory", "_webui_browser"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.webui)
