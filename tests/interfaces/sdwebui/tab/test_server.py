"""A server of one's own on the Quillwork tab, as a user meets it on the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from interfaces.sdwebui.tab.test_page import Tab
from webui.fixtures import WebUIs
from webui.process import WebUI
from wire.server import WireServer

if TYPE_CHECKING:
    from webui.page import WebUIPage

KEY = "sk-planted-Vw4tYq8zLk2NmRb6"


def test_a_server_of_ones_own_is_tested_and_used(
    webui_factory: WebUIs, wire: WireServer, open_page: Callable[[WebUI], WebUIPage]
) -> None:
    webui = webui_factory(fresh=True)
    tab = Tab(open_page(webui), "Settings")
    tab.fill("server_address", "http://127.0.0.1:9/v1")
    tab.press("server_use")
    tab.has("server_status", "127.0.0.1:9")
    assert tab.find("server_status").locator(".quillwork-error").count() == 1
    wire.models_status = 401
    tab.fill("server_address", f"{wire.url}/v1")
    tab.press("server_use")
    tab.has("server_status", "requires a key")
    wire.models_status, wire.require_key = 0, KEY
    tab.fill("server_key", KEY)
    tab.press("server_use")
    tab.has("server_status", "Now in use: 2 models.")
    tab.has("effect", "No model is chosen")
    assert tab.value("server_key") == ""
    done = webui.txt2img("a fox", [{"model": "fox-small"}])
    assert done.infotext.startswith("a red fox in fresh snow"), done.error
    file = webui.data_directory / "config.json"
    config = file.read_text() if file.exists() else ""
    assert "127.0.0.1" not in config, "the host's plain file has our address"
    assert KEY not in config + webui.log()
    tab.press("server_forget")
    tab.has("server_status", "Forgotten.")
    tab.has("effect", "Active: phrasebook")
    assert tab.value("server_address") == ""
    refused = webui.txt2img("a fox", [{"model": "fox-small"}])
    assert refused.status != 200, "the server that was forgotten still answers"
