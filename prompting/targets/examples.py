"""Worked examples of what is written for a target: a file for each form, a user's own by the target's id."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..target_index import OUR_FOLDER, TargetFile, files_in

if TYPE_CHECKING:
    from .schema import Target

FOLDER = "examples"
_MAX_BYTES = 64 * 1024
_LONG_FROM_WORDS = 80
_BY_KIND = {"edit": "edit", "image_to_video": "motion", "video": "video"}


@dataclass(frozen=True, slots=True)
class Example:
    """An idea and what was made of it."""

    idea: str
    prompt: str
    negative: str = ""


def example_files(user_folder: Path | None) -> tuple[TargetFile, ...]:
    """Return the files of examples, the user's own last."""
    theirs = () if user_folder is None else files_in(user_folder / FOLDER)
    return (*files_in(OUR_FOLDER / FOLDER), *theirs)


def examples_for(target: Target, files: tuple[TargetFile, ...]) -> tuple[Example, ...]:
    """Return the examples for `target`: those of the file of its id, else of its form; none for an odd form.

    Raises `UnreadableYaml` for a file that is none of examples.
    """
    by_id = {file.id: file for file in files}
    form = _BY_KIND.get(target.kind, target.form) if target.form in ("prose", "instruction") else target.form
    if target.words and target.words[0] >= _LONG_FROM_WORDS:
        form = {"prose": "prose_long", "motion": "video"}.get(form, form)
    file = by_id.get(target.id) or by_id.get(form)
    return _read(file, has_lines=target.is_structured) if file else ()


@lru_cache(maxsize=64)
def _read(file: TargetFile, *, has_lines: bool) -> tuple[Example, ...]:
    from ...safe_yaml import UnreadableYaml, read_yaml

    entries = read_yaml(file.path, _MAX_BYTES)
    if not isinstance(entries, list) or not all(map(_is_example, entries)):
        raise UnreadableYaml(
            file.path,
            "examples must be a list of entries with the fields idea and prompt, and negative where there is "
            "one, each of them text.",
        )
    return tuple(
        Example(
            " ".join(entry["idea"].split()),
            entry["prompt"].strip() if has_lines else " ".join(entry["prompt"].split()),
            " ".join(entry.get("negative", "").split()),
        )
        for entry in entries
    )


def _is_example(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and {"idea", "prompt"} <= set(entry) <= {"idea", "prompt", "negative"}
        and all(isinstance(text, str) and text.strip() for text in entry.values())
    )
