"""Callbacks of extensions. A fault in one is reported on stderr, and the others go on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from modules import errors

_KINDS = (
    "app_started",
    "before_ui",
    "before_reload",
    "ui_tabs",
    "ui_settings",
    "script_unloaded",
    "infotext_pasted",
    "model_loaded",
    "before_image_saved",
    "image_saved",
    "after_component",
    "before_component",
)
callback_map: dict[str, list[tuple[str, Callable[..., Any]]]] = {kind: [] for kind in _KINDS}


def clear_callbacks() -> None:
    for callbacks in callback_map.values():
        callbacks.clear()


def call(kind: str, *args: Any, **kwargs: Any) -> list[Any]:
    """Run every callback of the kind; return the results without those that failed."""
    answers = []
    for script, callback in callback_map[kind]:
        try:
            answers.append(callback(*args, **kwargs))
        except Exception:
            errors.report(f"Error executing callback {kind}_callback for {script}", exc_info=True)
    return answers


def _add(kind: str, callback: Callable[..., Any]) -> None:
    caller = next((frame.filename for frame in inspect.stack() if frame.filename != __file__), "unknown file")
    callback_map[kind].append((caller, callback))


def on_app_started(callback: Callable[..., Any]) -> None:
    _add("app_started", callback)


def on_before_ui(callback: Callable[..., Any]) -> None:
    _add("before_ui", callback)


def on_before_reload(callback: Callable[..., Any]) -> None:
    _add("before_reload", callback)


def on_ui_tabs(callback: Callable[..., Any]) -> None:
    _add("ui_tabs", callback)


def on_ui_settings(callback: Callable[..., Any]) -> None:
    _add("ui_settings", callback)


def on_script_unloaded(callback: Callable[..., Any]) -> None:
    _add("script_unloaded", callback)


def on_infotext_pasted(callback: Callable[..., Any]) -> None:
    _add("infotext_pasted", callback)


def on_model_loaded(callback: Callable[..., Any]) -> None:
    _add("model_loaded", callback)


def on_before_image_saved(callback: Callable[..., Any]) -> None:
    _add("before_image_saved", callback)


def on_image_saved(callback: Callable[..., Any]) -> None:
    _add("image_saved", callback)


def on_before_component(callback: Callable[..., Any]) -> None:
    _add("before_component", callback)


def on_after_component(callback: Callable[..., Any]) -> None:
    _add("after_component", callback)
