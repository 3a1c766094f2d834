"""The file ``.env``: its text, and settings written into it, which keep everything else as it is."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from pathlib import Path

from ...llm_backends.errors import NotConfigured
from ...llm_backends.system.files import write_whole
from .variables import VARIABLES


def write_env(folder: Path, changes: Mapping[str, str | None]) -> Path:
    """Set `changes` in the ``.env`` of `folder`, whole or not at all; None removes a line.

    Only for settings that are no secret: raises ValueError for another name. The file is its owner's alone.
    """
    for name in changes:
        if name not in VARIABLES or VARIABLES[name].kind == "secret":
            raise ValueError(f"{name} is never written to a file.")
    file = folder / ".env"
    try:
        lines = read_env(file).splitlines() if file.exists() else []
        kept = [line for line in lines if _name_in(line) not in changes]
        new = [f"{name}={_quoted(text)}" for name, text in changes.items() if text]
        write_whole(file, "".join(f"{line}\n" for line in (*kept, *new)), private=True)
    except OSError as error:
        raise NotConfigured(
            f"{file} could not be written ({error.strerror}).",
            hint="Set QUILLWORK_HOME to a folder that you can write to.",
        ) from None
    return file


def read_env(file: Path) -> str:
    """Return the text of a ``.env``: UTF-8, or UTF-16 as Windows PowerShell's ``>`` writes it."""
    data = file.read_bytes()
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if is_wide else "utf-8-sig", errors="replace")


def _name_in(line: str) -> str:
    return re.sub(
        r"(?i)^\s*(?:export\s+|setx?\s+|\$env:)?\"?", "", re.split("[=:]", line, maxsplit=1)[0]
    ).strip()


def _quoted(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise NotConfigured("A setting must be on one line.", hint="Remove the line break.")
    quote = "'" if '"' in text else '"'
    return f"{quote}{text}{quote}" if re.search(r"[\s#'\"]", text) else text
