"""Keys in the tab: tested on entry, kept in memory (for good on request), never sent back to a page."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ....config.access import kept_keys
from ....config.diagnostics import status
from ....config.diagnostics.trial import check_provider
from ....config.settings.values import load
from ....llm_backends.runner import runner
from ...http.messages import HttpError
from ...http.routes.models import forget_key, set_key
from ..page_parts import AT_ONCE, exchange_of, fault, guarded, named, note, table, unsaved

_PROMISE = (
    "A key that you enter here is tested first, and rejected if the test fails. It is held in "
    "memory until the web UI exits, for everyone who uses this page, and is never shown again. "
    "If you tick the box below, it is kept after a restart, in {place}."
)


def build(page: Any) -> None:
    promise = gr.HTML("", elem_id="quillwork_key_place")
    with gr.Row():
        provider = gr.Dropdown(
            label="Provider", choices=[*_choices()], value=None, elem_id="quillwork_provider"
        )
        # Without a label: a labelled field may end up in the host's ui-config.json.
        key = gr.Textbox(
            label=None,
            show_label=False,
            type="password",
            placeholder="Key",
            value="",
            elem_id="quillwork_key",
        )
    for_good = gr.Checkbox(label="Keep after a restart", value=False, elem_id="quillwork_key_for_good")
    unsaved(for_good)
    with gr.Row():
        keep = gr.Button("Test and use", variant="primary", elem_id="quillwork_key_keep")
        test = gr.Button("Test (free)", elem_id="quillwork_key_test")
        clear = gr.Button("Forget", elem_id="quillwork_key_clear")
        clear_all = gr.Button("Clear all", elem_id="quillwork_key_clear_all")
    status_line = gr.HTML("", elem_id="quillwork_key_status")
    view = gr.HTML("", elem_id="quillwork_keys")
    page.load(fn=_view, inputs=[], outputs=[view], **AT_ONCE)
    page.load(fn=_promise, inputs=[], outputs=[promise], **AT_ONCE)
    keep.click(fn=_keep, inputs=[provider, key, for_good], outputs=[key, view, status_line], **AT_ONCE)
    test.click(fn=_test, inputs=[provider], outputs=[status_line], **AT_ONCE)
    clear.click(fn=_clear, inputs=[provider], outputs=[key, view, status_line], **AT_ONCE)
    clear_all.click(fn=lambda: _clear(None), inputs=[], outputs=[key, view, status_line], **AT_ONCE)


def _choices() -> dict[str, str]:
    """Return the ids of the providers by what the drop-down shows: not every Gradio gives an id back."""
    return {
        named(row["label"], row["provider"], *row["aliases"]): row["provider"]
        for row in status.key_rows(load())
    }


def _chosen(shown: str | None) -> str | None:
    return _choices().get(shown or "", shown)


def _view() -> str:
    rows = [
        (row["label"], row["source"], f"… {row['last_four']}" if row["last_four"] else "")
        for row in status.key_rows(load())
        if row["configured"] and row["source"] != "no key needed"
    ]
    return table(("Provider", "Key from", "Ends in"), rows) if rows else note("No keys are set.")


def _promise() -> str:
    # On the page and not in `build`: a key ring may wait for its owner, and the start would wait with it.
    return note(_PROMISE.format(place=kept_keys.place(load().folder).label))


@guarded(3)
def _keep(provider: str | None, key: str, for_good: bool, request: gr.Request) -> tuple[Any, ...]:
    provider = _chosen(provider)
    if not provider:
        raise HttpError(400, "bad_request", "Choose a provider.")
    wanted = {"provider": provider, "key": key, "check": True, "keep": bool(for_good)}
    answer = runner.run(set_key(exchange_of(request, "keys", wanted))).content
    message = " ".join(filter(None, (answer["check"]["message"], answer["check"]["hint"])))
    if answer["check"]["ok"] is False:
        return gr.update(), _view(), fault(message)
    kept = f"It is kept in {answer['kept_in']['label']}." if answer["kept_in"] else ""
    return "", _view(), note(f"The key for {provider} is now in use.", message, kept)


@guarded(1)
def _test(provider: str | None) -> str:
    provider = _chosen(provider)
    if not provider:
        raise HttpError(400, "bad_request", "Choose a provider to test.")
    trial = runner.run(check_provider(provider, load()))
    message = " ".join(filter(None, (trial.message, trial.hint)))
    return fault(message) if trial.ok is False else note(message)


@guarded(3)
def _clear(provider: str | None) -> tuple[Any, ...]:
    forget_key(_chosen(provider) or None)
    return "", _view(), note("Forgotten.")
