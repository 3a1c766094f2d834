"""Settings in the tab: what is in force and why, the few that may be changed here, a test, and consent."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ....config import providers
from ....config.access import consent
from ....config.diagnostics import status
from ....config.diagnostics.trial import Trial, call_model, open_for_trial
from ....config.settings.values import load
from ....llm_backends.runner import runner
from ...http.messages import HttpError
from ...http.names import check_model
from ...http.routes.settings import apply_settings
from ..arguments import mode_options
from ..controls import models
from ..host.lookup import shared
from ..page_parts import AT_ONCE, QUIET, fault, guarded, named, note, table
from . import server

_MODELS = (
    ("LLM_MODEL", "Model"),
    ("LLM_MODEL_PROMPT_GEN", "Model for prompts, variables and images"),
    ("LLM_MODEL_CHAT", "Model for chat"),
)
_TIMEOUT = "LLM_TIMEOUT_MS"
_EMPTY = (
    "Values set here override the web UI's own settings page and the environment. Leave a "
    "field empty to use those."
)


def build(page: Any) -> None:
    server_events = server.build(page)
    effect = gr.HTML("", elem_id="quillwork_effect")
    gr.HTML(note(_EMPTY))
    choices = [("As set elsewhere", ""), *mode_options()]
    mode = gr.Radio(label="Mode", choices=choices, value="", elem_id="quillwork_set_mode")
    with gr.Row():
        chosen = [
            gr.Dropdown(
                label=label,
                choices=["", *models()],
                value="",
                allow_custom_value=True,
                elem_id=f"quillwork_set_{name.lower()}",
            )
            for name, label in _MODELS
        ]
        timeout = gr.Number(
            label="Timeout in seconds without a response (0: use those)",
            value=0,
            precision=0,
            elem_id="quillwork_set_timeout",
        )
    keep = gr.Checkbox(label="Keep after a restart", value=True, elem_id="quillwork_set_keep")
    with gr.Row():
        apply = gr.Button("Apply", variant="primary", elem_id="quillwork_set_apply")
        test = gr.Button("Test with a short call", elem_id="quillwork_set_test")
        refresh = gr.Button("Refresh models", elem_id="quillwork_set_refresh")
    status_line = gr.HTML("", elem_id="quillwork_set_status")
    with gr.Row(equal_height=False):
        allowed = gr.Dropdown(
            label="Allow images and requests to use a provider, or downloads",
            choices=[],
            value=None,
            elem_id="quillwork_consent",
        )
        allow = gr.Button("Allow", scale=0, min_width=160, elem_id="quillwork_allow")
    rows = gr.HTML("", elem_id="quillwork_settings")
    fields = [mode, *chosen, timeout]
    view = [effect, *fields, allowed, rows]
    page.load(fn=_show, inputs=[], outputs=[*view, status_line], **AT_ONCE)
    apply.click(fn=_apply, inputs=[*fields, keep], outputs=[*view, status_line], **AT_ONCE)
    test.click(fn=_test, inputs=[], outputs=[status_line], **QUIET)
    refresh.click(fn=_refresh, inputs=[], outputs=[*chosen, status_line], **QUIET)
    allow.click(fn=_allow, inputs=[allowed], outputs=[*view, status_line], **AT_ONCE)
    for event in server_events:
        event.then(fn=_of_server, inputs=[], outputs=[effect, *chosen, rows, status_line], **AT_ONCE)


def _view() -> tuple[Any, ...]:
    settings = load()
    shown = status.config_view(settings)
    values = {row["name"]: row for row in shown["settings"]}
    own = {name: row["value"] if row["origin"] == "panel" else "" for name, row in values.items()}
    ids = models()
    open_for = [_named(what) for what in consent.everything() if what not in shown["allowed"]]
    table_rows = [(row["name"], row["value"], row["origin"], row["meaning"]) for row in shown["settings"]]
    return (
        _effect(shown["effective"]),
        gr.update(value=own["LLM_MODE"]),
        *(gr.update(choices=["", *ids], value=own[name]) for name, _ in _MODELS),
        int(own[_TIMEOUT] or 0) // 1000,
        gr.update(choices=open_for, value=None),
        table(("Setting", "Value", "From", "Meaning"), table_rows)
        + note(f"Settings, saved keys (.env) and your variables are in {shown['home']}."),
    )


def _named(what: str) -> str:
    """The words by which one of `consent.everything` is found."""
    id, _, exchange = what.partition(".")
    row = next((row for row in providers.every() if row.id == id), None)
    if row is None:
        return what
    return named(f"{row.label}, token" if exchange else row.label, what, *row.aliases)


_OUTPUTS = 9


@guarded(len(_MODELS) + 3)
def _of_server() -> tuple[Any, ...]:
    """Refresh the parts of the view that depend on the server; what is typed and not yet applied stays."""
    effect, *_, rows = _view()
    ids = gr.update(choices=["", *models()])
    return (effect, *[ids] * len(_MODELS), rows, "")


def _effect(effect: Any) -> str:
    if effect["error"]:
        return fault(f"{effect['error']['message']} {effect['error']['hint']}")
    name = " · ".join(filter(None, (effect["mode"], effect["provider_label"], effect["model"])))
    return note(f"Active: {name}")


@guarded(_OUTPUTS)
def _show() -> tuple[Any, ...]:
    return *_view(), ""


@guarded(_OUTPUTS)
def _apply(mode: str, model: str, prompts: str, chat: str, seconds: float, keep: bool) -> tuple[Any, ...]:
    if getattr(getattr(shared(), "cmd_opts", None), "freeze_settings", False):
        raise HttpError(403, "read_only", "The web UI was started with --freeze-settings.")
    values = (mode, model, prompts, chat)
    names = ("LLM_MODE", *(name for name, _ in _MODELS))
    wanted: dict[str, Any] = {
        name: (value or "").strip() or None for name, value in zip(names, values, strict=True)
    }
    wanted[_TIMEOUT] = int(seconds) * 1000 if seconds and seconds > 0 else None
    apply_settings(wanted, bool(keep))
    return *_view(), note("Applied." if keep else "Applied until the web UI restarts.")


@guarded(1)
def _test() -> str:
    opened = open_for_trial("", check_model("", "", load()))
    trial = opened if isinstance(opened, Trial) else runner.run(call_model(opened))
    message = " ".join(filter(None, (trial.message, trial.hint)))
    return note(message) if trial.ok else fault(message)


@guarded(4)
def _refresh() -> tuple[Any, ...]:
    ids = models(ask=True)
    return *(gr.update(choices=["", *ids]) for _ in _MODELS), note(f"{len(ids)} models.")


@guarded(_OUTPUTS)
def _allow(what: str | None) -> tuple[Any, ...]:
    what = next((one for one in consent.everything() if what in (one, _named(one))), None)
    if what is None:
        raise HttpError(400, "bad_request", "Choose what to allow.")
    consent.allow(what, load().folder)
    return *_view(), note(f"{what} is now allowed.")
