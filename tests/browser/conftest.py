"""The fixture ``comfy``: the frontend on a host with a model behind it, on the canvas and in Nodes 2.0."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from host.fixtures import Hosts
from wire.server import WireServer

if TYPE_CHECKING:
    from browser.comfy_page import ComfyPage

KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"


@pytest.fixture(scope="session")
def _browser() -> Iterator[Any]:
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed: pip install playwright")
    from browser.comfy_page import chromium, launch

    if chromium() is None:
        pytest.skip("there is no Chromium: apt-get install chromium, or set CHROMIUM_PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session", params=["canvas", "nodes2"])
def renderer(request: pytest.FixtureRequest) -> str:
    """The renderer of the nodes: every test on the canvas, then every test in Nodes 2.0.

    A test of what lies beside the graph, such as a dialog, may name one of them by `parametrize`.
    """
    return request.param


@pytest.fixture(scope="session")
def _pages() -> dict[str, ComfyPage]:
    """Keep the open pages, by renderer."""
    return {}


@pytest.fixture
def comfy(
    renderer: str,
    _browser: Any,
    _pages: dict[str, ComfyPage],
    host_factory: Hosts,
    wire: WireServer,
) -> Iterator[ComfyPage]:
    """Open a page with an empty workflow. A fault of the page or a foreign address fails the test."""
    from browser.comfy_page import ComfyPage

    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LLM_API_KEY": KEY})
    assert host.get("/").status == 200, "The host has no frontend: pip install comfyui-frontend-package"
    page = _pages.get(renderer)
    # Opening the frontend takes seconds, so a page serves many tests, as long as its host lives.
    if page is None or page.host is not host:
        # One at a time: a page that nobody looks at draws on.
        while _pages:
            _pages.popitem()[1].close()
        page = _pages[renderer] = ComfyPage(_browser, host, renderer)
    else:
        page.faults.clear()
        page.foreign.clear()
    page.new_workflow()
    yield page
    assert page.faults == []
    assert page.foreign == []


@pytest.fixture(scope="module")
def own_pages(_pages: dict[str, ComfyPage]) -> Iterator[None]:
    """Close the pages after a module that leaves the frontend in a state other tests do not expect."""
    yield
    while _pages:
        _pages.popitem()[1].close()


@pytest.fixture
def unset(renderer: str, _browser: Any, host_factory: Hosts) -> Iterator[ComfyPage]:
    """Open a page of a host of its own, on which nobody has set anything."""
    from browser.comfy_page import ComfyPage

    host = host_factory({}, fresh=True)
    assert host.get("/").status == 200, "The host has no frontend: pip install comfyui-frontend-package"
    page = ComfyPage(_browser, host, renderer)
    page.new_workflow()
    yield page
    page.close()
    assert page.faults == []
    assert page.foreign == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"comfy", "_browser"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.browser)
