"""Server of one's own in the tab: its address, tested before it is kept, and its key."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ....config import own_server
from ....config.settings.values import load
from ....llm_backends.runner import runner
from ...http.messages import HttpError
from ...http.routes import server
from ...http.routes.models import require_keys
from ..host.lookup import shared
from ..page_parts import AT_ONCE, QUIET, exchange_of, fault, guarded, note

_PROMISE = (
    "Your own server (LM Studio, llama.cpp, vLLM, a LiteLLM proxy …). The connection is tested "
    "before the address is saved. Address and key are saved in Quillwork's own folder, not in "
    "the web UI's config.json."
)


def build(page: Any) -> tuple[Any, ...]:
    """Build the part; return the events after which another server may be in force."""
    gr.HTML(note(_PROMISE))
    with gr.Row():
        address = gr.Textbox(
            label="Address, e.g. http://127.0.0.1:1234/v1",
            value="",
            lines=1,
            max_lines=1,
            elem_id="quillwork_server_address",
        )
        # Without a label: a labelled field may end up in the host's ui-config.json.
        key = gr.Textbox(
            label=None,
            show_label=False,
            type="password",
            placeholder="Key, if required",
            value="",
            elem_id="quillwork_server_key",
        )
        keep = gr.Checkbox(label="Keep after a restart", value=False, elem_id="quillwork_server_keep")
    with gr.Row():
        use = gr.Button("Test and use", variant="primary", elem_id="quillwork_server_use")
        find = gr.Button("Find servers on this machine", elem_id="quillwork_server_find")
        forget = gr.Button("Forget", elem_id="quillwork_server_forget")
    status_line = gr.HTML("", elem_id="quillwork_server_status")
    page.load(fn=_show, inputs=[], outputs=[address, status_line], **AT_ONCE)
    used = use.click(fn=_use, inputs=[address, key, keep], outputs=[key, status_line], **QUIET)
    find.click(fn=_find, inputs=[], outputs=[address, status_line], **QUIET)
    forgotten = forget.click(fn=_forget, inputs=[], outputs=[address, key, status_line], **AT_ONCE)
    return used, forgotten


@guarded(2)
def _show() -> tuple[Any, Any]:
    state = server.state(load())
    # What a user has typed since the page came stays where there is nothing to show.
    address = gr.update(value=state["address"]) if state["address"] else gr.update()
    return address, note(state["obstacle"]) if state["obstacle"] else gr.update()


@guarded(2)
def _use(address: str | None, key: str | None, keep: bool, request: gr.Request) -> tuple[Any, str]:
    if getattr(getattr(shared(), "cmd_opts", None), "freeze_settings", False):
        raise HttpError(403, "read_only", "The web UI was started with --freeze-settings.")
    wanted = {"address": address or "", "key": key or "", "keep": bool(keep), "only_check": False}
    exchange = exchange_of(request, "server", wanted)
    require_keys(exchange, load())  # others who reach the page must not choose the address either
    answer = runner.run(server.choose(exchange)).content
    if not answer["ok"]:
        return gr.update(), fault(f"{answer['message']} {answer['hint']}".strip())
    count = len(answer["models"])
    return "", note(f"Now in use: {count} model{'' if count == 1 else 's'}.")


@guarded(2)
def _find() -> tuple[Any, str]:
    found = runner.run(own_server.look_around())
    if not found:
        return gr.update(), note("No server responds at the usual addresses.")
    shown = ", ".join(f"{label} at {address}" for label, address in found)
    return gr.update(value=found[0][1]), note(f"Found: {shown}.")


@guarded(3)
def _forget(request: gr.Request) -> tuple[Any, str, str]:
    exchange = exchange_of(request, "server", {})
    require_keys(exchange, load())
    runner.run(server.forget(exchange))
    return gr.update(value=""), "", note("Forgotten.")
