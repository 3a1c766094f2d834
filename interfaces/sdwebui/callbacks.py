"""Callbacks of the host, registered anew whenever it executes our script."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from .arguments import TITLE

_ROOT = Path(__file__).resolve().parents[2]


def register() -> None:
    """Register all of our callbacks; call this from the script's file, by which the host knows them."""
    from modules import script_callbacks

    from .host.entry import settle_in
    from .host.settings import add_options

    settle_in()
    _join_control_tab()
    script_callbacks.on_ui_settings(add_options)
    script_callbacks.on_before_ui(_before_page)
    script_callbacks.on_after_component(_component_made)
    script_callbacks.on_app_started(_started)
    script_callbacks.on_ui_tabs(_tabs)
    script_callbacks.on_infotext_pasted(_pasted)


def _join_control_tab() -> None:
    """Join SD.Next's Control tab, which shows only the extensions that its list names."""
    known = getattr(sys.modules.get("installer"), "control_extensions", None)
    if isinstance(known, list) and TITLE not in known:
        known.append(TITLE)


def _component_made(component: Any, **more: Any) -> None:
    from . import enhance_now, video_tab

    enhance_now.see(component, **more)
    video_tab.see(component)


def _before_page() -> None:
    """Add the axes, and take our folder off the path: all scripts are loaded now."""
    from .xyz import add_axes

    leave_path()
    add_axes()


def _started(demo: Any, app: Any) -> None:
    from .host.http import open_routes

    leave_path()
    open_routes(demo, app)


def _tabs() -> list[Any]:
    from .tab.page import build

    return build()


def _pasted(text: str, params: dict[str, Any]) -> None:
    from .generation import restore

    restore(text, params)


def leave_path() -> None:
    """Take our folder off the path, where the host has put it: our `nodes` is not for others to find."""
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != _ROOT]
