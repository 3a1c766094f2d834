"""Quillwork's section of the host's settings page."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ....config.settings import home
from ..arguments import AUTO, mode_options
from .lookup import shared

ORIGIN = "web UI settings"
_SECTION = ("quillwork", "Quillwork")
_UNSET = ""
_TARGET = "quillwork_target"
_TAGS = "quillwork_tags"
# The host's name of an option, the variable that it sets, and its label on the page.
_TEXTS = (
    ("quillwork_mode", "LLM_MODE", "Mode"),
    (
        "quillwork_model",
        "LLM_MODEL",
        "Model, e.g. ollama/llama3.2 (empty: from the environment or .env)",
    ),
    ("quillwork_model_chat", "LLM_MODEL_CHAT", "Model for chat"),
    ("quillwork_library", "LOCAL_LIBRARY_DIR", "Folder for your variable files"),
)
_TIMEOUT = (
    "quillwork_timeout",
    "LLM_TIMEOUT_MS",
    "Timeout in seconds without a response (0: 60)",
)


def page_file() -> str:
    """Return the file that the host keeps its settings page in; empty where it names none."""
    named = getattr(shared(), "config_filename", None)
    return os.path.abspath(named) if isinstance(named, (str, Path)) else ""


def add_options() -> None:
    """Add our options, for ``on_ui_settings``.

    No key is among them: the host keeps its settings in a plain file.
    """
    import gradio as gr

    host = shared()

    def add(name: str, default: Any, label: str, component: Any = None, choices: Any = None) -> None:
        more = {"choices": choices} if choices else None
        host.opts.add_option(name, host.OptionInfo(default, label, component, more, section=_SECTION))

    for name, variable, label in _TEXTS:
        if variable == "LLM_MODE":
            add(name, _UNSET, label, gr.Radio, [("From the environment or .env", _UNSET), *mode_options()])
        else:
            add(name, _UNSET, label)
    add(_TIMEOUT[0], 0, _TIMEOUT[2], gr.Number)
    add(_TARGET, AUTO, "For model, if the accordion is set to auto", gr.Dropdown, target_choices())
    add(_TAGS, True, "Complete tags while you type in Quillwork's text fields")


def read_options() -> Mapping[str, str]:
    """Return the values set on the page, by variable. Empty counts as not set."""
    return dict(_set(getattr(shared(), "opts", None)))


def read_page(file: Path) -> Mapping[str, str]:
    """Read the values of a settings page from the host's file, for the command line of the pack."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(_set(SimpleNamespace(**content))) if isinstance(content, dict) else {}


def _set(opts: Any) -> Iterator[tuple[str, str]]:
    for name, variable, _ in _TEXTS:
        if text := str(getattr(opts, name, None) or "").strip():
            yield variable, text
    try:
        seconds = float(getattr(opts, _TIMEOUT[0], None) or 0)
    except (TypeError, ValueError):
        return
    if seconds > 0:
        yield _TIMEOUT[1], str(int(seconds * 1000))


def default_target() -> str:
    """Return the target that the settings page names; `AUTO` where it leaves the matter open."""
    return str(getattr(getattr(shared(), "opts", None), _TARGET, None) or AUTO)


def completes_tags() -> bool:
    """Tell whether the page completes tags in our text fields."""
    return bool(getattr(getattr(shared(), "opts", None), _TAGS, True))


def target_choices() -> list[str]:
    """Return the targets as lists show them: `AUTO`, then their labels."""
    from ....prompting.targets import index

    return [AUTO, *dict.fromkeys(entry.label for entry in index(home.targets_folder()))]
