"""Captions for a folder of pictures: which there are, what is asked for each, and the text beside it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ...llm_backends.images import read_picture
from ...llm_backends.system.files import write_whole
from ..describe import View
from ..targets import Target
from .journal import JobError
from .work import Entry, Question

Existing = Literal["keep", "append", "replace"]
EXISTING: tuple[Existing, ...] = get_args(Existing)
Form = Literal["any", "prose", "tags", "both"]
FORMS: tuple[Form, ...] = get_args(Form)
Hint = Literal["none", "name", "text"]
HINTS: tuple[Hint, ...] = get_args(Hint)
SUFFIXES = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"})
# In bytes: a text beside a picture that is longer is no caption.
_LONGEST_TEXT = 64_000
_FORM_RULES = {
    "prose": "Write plain sentences in one paragraph, not a list of tags.",
    "tags": "Write a comma-separated list of short tags, not sentences.",
    "both": "Write a comma-separated list of short tags, a full stop, then one paragraph of plain sentences.",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in the folder: its file, a stamp of its content, and the caption file beside it."""

    file: Path
    stamp: str
    text_file: Path
    has_text: bool


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user wants of every caption.

    `trigger` stands first. `omit` is what is not to be named, because it is to become part of the trigger;
    `never` are words that must not occur. `words` is the length, 0 for any. `hint` says what the model is
    told besides: the file's name, or the text that is there.
    """

    target: Target | None = None
    instruction: str = ""
    trigger: str = ""
    omit: str = ""
    never: tuple[str, ...] = ()
    form: Form = "any"
    words: int = 0
    hint: Hint = "none"

    def instruction_for(self, picture: Picture) -> str:
        """Return the instruction that is sent with `picture`."""
        parts = [self.instruction.strip()]
        if self.form != "any":
            parts.append(_FORM_RULES[self.form])
        if self.words:
            parts.append(f"Write about {self.words} words.")
        if self.omit:
            parts.append(f"Do not name or describe: {self.omit}.")
        if self.never:
            parts.append(f"Do not use these words: {', '.join(self.never)}.")
        if self.hint == "name":
            parts.append(
                f"The picture is called “{_spoken(picture.file.stem)}”, which may say who or what it shows."
            )
        elif self.hint == "text" and (known := read_text(picture.text_file)):
            parts.append(f"Known of the picture: {known}")
        return "\n".join(filter(None, parts))


def find_pictures(folder: Path, suffix: str, *, with_subfolders: bool) -> list[Picture]:
    """Return the pictures in `folder` in the order of their names, with their caption files `suffix`.

    Raises `JobError` where the folder cannot be read or two pictures would share a caption file.
    """
    found: list[Picture] = []
    for place, files in _folders(folder, with_subfolders):
        names = {entry.name for entry in files}
        pictures = [entry for entry in files if os.path.splitext(entry.name)[1].lower() in SUFFIXES]
        for entry in sorted(pictures, key=lambda entry: _natural(entry.name)):
            status = entry.stat()
            text = os.path.splitext(entry.name)[0] + suffix
            found.append(
                Picture(
                    place / entry.name, f"{status.st_size}-{status.st_mtime_ns}", place / text, text in names
                )
            )
    seen: dict[Path, Path] = {}
    for picture in found:
        other = seen.setdefault(picture.text_file, picture.file)
        if other != picture.file:
            raise JobError(
                f"{other.name} and {picture.file.name} would share {picture.text_file.name}. "
                "Rename one of them."
            )
    return found


def entries_of(pictures: Sequence[Picture], folder: Path, wishes: Wishes, seed: int) -> Iterator[Entry]:
    """Yield the entries of a job for `pictures`, named by their path in `folder`."""
    for picture in pictures:
        yield Entry(name_of(picture, folder), picture.stamp, _Preparation(picture, wishes, seed))


def name_of(picture: Picture, folder: Path) -> str:
    return picture.file.relative_to(folder).as_posix()


@dataclass(frozen=True, slots=True)
class _Preparation:
    picture: Picture
    wishes: Wishes
    seed: int

    def __call__(self) -> Question:
        data = self.picture.file.read_bytes()
        instruction = self.wishes.instruction_for(self.picture)
        key = hashlib.sha256(data)
        key.update(instruction.encode())
        view = View((read_picture(data),), self.wishes.target, instruction, self.seed)
        return Question(key.hexdigest(), view)


def caption(text: str, wishes: Wishes) -> str:
    """Return the caption that a model's `text` becomes: on one line, behind the trigger."""
    line = " ".join(text.split())
    trigger = wishes.trigger.strip()
    if not trigger or re.match(rf"{re.escape(trigger)}(?!\w)", line, re.I):
        return line
    return f"{trigger}, {line}"


def write_caption(picture: Picture, text: str, existing: Existing, before: str) -> None:
    """Write `text` into the caption file, behind `before` (what stood there) where that is kept."""
    whole = f"{before.rstrip().rstrip(',')}, {text}" if existing == "append" and before.strip() else text
    write_whole(picture.text_file, f"{whole}\n")


def read_text(file: Path) -> str:
    """Return the text in a caption file, "" where there is none."""
    try:
        with file.open("rb") as stream:
            data = stream.read(_LONGEST_TEXT)
    except OSError:
        return ""
    return data.decode("utf-8-sig", "replace").strip()


def forbidden(text: str, wishes: Wishes) -> list[str]:
    """Return the words that the user never wants and `text` has."""
    return [word for word in wishes.never if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.I)]


def _folders(folder: Path, with_subfolders: bool) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    try:
        with os.scandir(folder) as entries:
            all_entries = [entry for entry in entries if not entry.name.startswith(".")]
    except NotADirectoryError:
        raise JobError(f"{folder} is no folder. Name the folder that the pictures are in.") from None
    except OSError as error:
        raise JobError(f"The folder {folder} cannot be read ({error.strerror}).") from None
    yield folder, [entry for entry in all_entries if entry.is_file()]
    if with_subfolders:
        inner = (entry.name for entry in all_entries if entry.is_dir(follow_symlinks=False))
        for name in sorted(inner, key=_natural):
            yield from _folders(folder / name, with_subfolders)


def _natural(name: str) -> list[tuple[int, str]]:
    """Order img2 before img10."""
    return [
        (int(part), "") if part.isascii() and part.isdigit() else (-1, part.casefold())
        for part in re.split(r"(\d+)", name)
    ]


def _spoken(stem: str) -> str:
    return " ".join(re.sub(r"[_\s-]+", " ", stem).split())
