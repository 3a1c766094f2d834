"""Settings, kept in config.json, with extensions' own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class OptionInfo:
    """One setting; `section` is (id, title)."""

    default: Any = None
    label: str = ""
    component: Any = None
    component_args: dict[str, Any] | Callable[[], dict[str, Any]] | None = None
    onchange: Callable[[], Any] | None = None
    section: tuple[str, str] | None = None
    refresh: Callable[[], Any] | None = None
    comment_before: str = ""
    comment_after: str = ""
    infotext: str | None = None
    restrict_api: bool = False
    category_id: str | None = None

    def info(self, text: str) -> OptionInfo:
        self.comment_after += f"<span class='info'>({text})</span>"
        return self

    def html(self, text: str) -> OptionInfo:
        self.comment_after += text
        return self

    def link(self, label: str, url: str) -> OptionInfo:
        self.comment_before += f"[<a href='{url}' target='_blank'>{label}</a>]"
        return self

    def needs_restart(self) -> OptionInfo:
        return self.info("requires restart")

    def needs_reload_ui(self) -> OptionInfo:
        return self.info("requires Reload UI")


class Options:
    """The options: `opts.name` is the setting's value; assigning changes it in memory, `save` writes
    config.json."""

    def __init__(self, filename: Path) -> None:
        vars(self).update(data={}, data_labels={}, filename=filename)
        if filename.is_file():
            self.data.update(json.loads(filename.read_text("utf-8")))

    def __getattr__(self, name: str) -> Any:
        if name in self.data:
            return self.data[name]
        if name in self.data_labels:
            return self.data_labels[name].default
        raise AttributeError(f"'Options' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        self.data[name] = value

    def add_option(self, name: str, info: OptionInfo) -> None:
        self.data_labels[name] = info
        self.data.setdefault(name, info.default)

    def set(self, name: str, value: Any, is_api: bool = False, run_callbacks: bool = True) -> bool:
        """Set a value; True when it differs from before."""
        info = self.data_labels[name]
        if self.data.get(name) == value or (is_api and info.restrict_api):
            return False
        self.data[name] = value
        if run_callbacks and info.onchange is not None:
            info.onchange()
        return True

    def save(self, filename: str | None = None) -> None:
        Path(filename or self.filename).write_text(json.dumps(self.data, indent=4), "utf-8")
