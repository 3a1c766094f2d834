"""The panel's kept settings: a few that outlive the program, in a file of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ...llm_backends.errors import NotConfigured
from ...llm_backends.host import program
from ...llm_backends.system.files import write_whole
from .variables import VARIABLES

FILE = "panel.json"


def read_panel(file: Path) -> dict[str, str]:
    """Read the settings in `file`; all else in it is ignored."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    return {
        name: text
        for name, text in content.items()
        if isinstance(text, str) and name in VARIABLES and VARIABLES[name].writable
    }


def write_panel(folder: Path, changes: Mapping[str, str | None]) -> None:
    """Write `changes` to the file in `folder`, whole or not at all; None removes a setting."""
    file = folder / FILE
    try:
        kept = read_panel(file)
    except OSError:
        kept = {}
    kept.update({name: text for name, text in changes.items() if text is not None})
    for name, text in changes.items():
        if text is None:
            kept.pop(name, None)
    try:
        write_whole(file, json.dumps(kept, indent=1, ensure_ascii=False))
    except OSError as error:
        raise NotConfigured(
            f"The settings could not be saved in {folder} ({error.strerror}).",
            hint=f"They apply until {program()} restarts. Set QUILLWORK_HOME to a folder that you can "
            "write to, to keep them.",
        ) from None
