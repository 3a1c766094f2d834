"""Captions for a folder of pictures: which there are, what is asked for each, and the text beside it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from ...llm_backends.errors import BadRequest
from ...llm_backends.images import read_picture
from ...llm_backends.types import Image
from ...llm_backends.videos import read_frames
from ..describe import FRAME_SIDE, MOST_FRAMES, View
from ..targets import Target
from ..tasks import Form, Hint
from .journal import JobError
from .work import Entry, Question

ENDINGS = frozenset({"jpg", "jpeg", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "avif"})
VIDEOS = frozenset({"mp4", "mov", "webm", "mkv", "avi", "m4v"})
_DIGITS = re.compile(r"([0-9]+)")
# In bytes: a text beside a picture that is longer is no caption.
_LONGEST_TEXT = 64_000
_USUAL_SUFFIX = ".txt"
_FORM_RULES = {
    "prose": "Write plain sentences in one paragraph, not a list of tags.",
    "tags": "Write a comma-separated list of short tags, not sentences.",
    "both": "Write a comma-separated list of short tags, a full stop, then one paragraph of plain sentences.",
}


class Picture(NamedTuple):
    """A picture: its `name` as a path in `folder`, a stamp of its content, the name of the caption beside it.

    Paths are made of these only when they are needed: a folder may hold a hundred thousand.
    """

    folder: Path
    name: str
    stamp: str
    text_name: str
    has_text: bool

    @property
    def file(self) -> Path:
        return self.folder / self.name

    @property
    def is_video(self) -> bool:
        return self.name.rpartition(".")[2].lower() in VIDEOS

    @property
    def text_file(self) -> Path:
        return self.folder / self.text_name


class Place(Protocol):
    """Place where captions are read and written: see `caption_places`. Methods may raise OSError.

    `suffix` is that of a file beside each picture, "" for none.
    """

    suffix: str

    def has(self, picture: Picture) -> bool: ...

    def read(self, picture: Picture) -> str: ...

    def write(self, picture: Picture, text: str) -> None:
        """Write the caption of `picture`, now or with `flush`. Raises ValueError with the reason where the
        file cannot hold one."""
        ...

    def flush(self) -> None: ...

    def refusal(self, picture: Picture) -> str:
        """Return why `picture` can have no caption here, "" where it can."""
        ...

    def content(self, data: bytes) -> bytes:
        """Return what tells the picture in the file `data` from others. Raises ValueError as `write` does."""
        ...


@dataclass(frozen=True, slots=True)
class Wishes:
    """The user's wishes for every caption.

    `trigger` stands first. `omit` is what is not to be named, because it is to become part of the trigger;
    `always` are words that every caption has, `never` those that none should have. `words` is the length, 0
    for any. `hint` says what the model is told besides: the file's name, or the text that is there.
    """

    target: Target | None = None
    instruction: str = ""
    trigger: str = ""
    omit: str = ""
    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    form: Form = "any"
    words: int = 0
    hint: Hint = "none"

    def instruction_for(self, picture: Picture, known: str = "") -> str:
        """Return the instruction that is sent with `picture`; `known` is the text that it has."""
        parts = [self.instruction.strip()]
        if self.form != "any":
            parts.append(_FORM_RULES[self.form])
        if self.words:
            parts.append(f"Write about {self.words} words.")
        if self.omit:
            parts.append(f"Do not name or describe: {self.omit}.")
        if self.always:
            parts.append(f"Use these words: {', '.join(self.always)}.")
        if self.never:
            parts.append(f"Do not use these words: {', '.join(self.never)}.")
        if self.hint == "name":
            parts.append(
                f"The image is called “{_spoken(picture.file.stem)}”, which may say who or what it shows."
            )
        elif self.hint == "text" and known:
            parts.append(f"Known of the image: {known}")
        return "\n".join(filter(None, parts))


def split_words(text: str) -> tuple[str, ...]:
    """Return the words in `text`, which commas separate."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def whole_path(base: Path, name: str) -> Path:
    """Return the folder `name` in `base`, or of that whole path, without links. Raises `JobError`."""
    try:
        return (base / name).resolve()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise JobError(f"The folder {name[:80]!r} cannot be opened ({reason}). Enter another name.") from None


def find_pictures(
    folder: Path, suffix: str, *, with_subfolders: bool, with_videos: bool = False
) -> list[Picture]:
    """Return the pictures in `folder` with their caption files `suffix`, in the order of the file system.

    Without a `suffix` there is no file beside a picture.

    Raises `JobError` where the folder cannot be read or two pictures would share a caption file.
    """
    found: list[Picture] = []
    seen: dict[str, str] = {}
    for place, names, files in _folders(
        folder, "", ENDINGS | VIDEOS if with_videos else ENDINGS, with_subfolders
    ):
        for entry in files:
            name = entry.name
            text = name.rpartition(".")[0] + (suffix or _USUAL_SUFFIX)
            stamp = stamp_of(entry.stat())
            found.append(Picture(folder, place + name, stamp, place + text, text in names))
            other = seen.setdefault(place + text, place + name) if suffix else place + name
            if other != place + name:
                first, second = sorted((other, place + name))
                raise JobError(f"{first} and {second} would share {place + text}. Rename one of them.")
    return found


def stamp_of(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}"


def in_order(pictures: Iterable[Picture]) -> list[Picture]:
    """Return `pictures` in the order of their names, img2 before img10, subfolders last."""
    return sorted(pictures, key=lambda picture: place_in_order(picture.name))


def place_in_order(path: str) -> tuple[list[list[int | str]], list[int | str]]:
    """Return the key by which `in_order` sorts the name of a picture."""
    *folders, name = path.split("/")
    return [_natural(folder) for folder in folders], _natural(name)


def entries_of(
    pictures: Sequence[Picture],
    wishes: Wishes,
    seed: int,
    place: Place,
    read: Callable[[bytes], Image] = read_picture,
) -> Iterator[Entry]:
    """Yield the entries of a job for `pictures`, with their names."""
    for picture in pictures:
        yield Entry(picture.name, picture.stamp, _Preparation(picture, wishes, seed, place, read))


@dataclass(frozen=True, slots=True)
class _Preparation:
    picture: Picture
    wishes: Wishes
    seed: int
    place: Place
    read: Callable[[bytes], Image]

    def __call__(self) -> Question:
        shown, key = self._frames() if self.picture.is_video else self._picture()
        instruction = self.wishes.instruction_for(self.picture, self._known())
        key.update(instruction.encode())
        return Question(key.hexdigest(), View(shown, self.wishes.target, instruction, self.seed))

    def _picture(self) -> tuple[tuple[Image, ...], hashlib._Hash]:
        data = self.picture.file.read_bytes()
        shown = self.read(data)
        try:
            return (shown,), hashlib.sha256(self.place.content(data))
        except ValueError as error:
            raise BadRequest(str(error), hint="Save it again.") from None

    def _frames(self) -> tuple[tuple[Image, ...], hashlib._Hash]:
        shown, key = read_frames(self.picture.file, MOST_FRAMES, FRAME_SIDE), hashlib.sha256()
        for frame in shown:
            key.update(frame.data)
        return tuple(shown), key

    def _known(self) -> str:
        if self.wishes.hint != "text":
            return ""
        return self.place.read(self.picture) or read_text(self.picture.text_file)


def caption(text: str, wishes: Wishes) -> str:
    """Return the caption that a model's `text` becomes: on one line, behind the trigger.

    Words that it must have and has not come last. A tag with a word that it must not have is left out; in
    sentences that is left to the user (see `forbidden`).
    """
    line = " ".join(text.split())
    if wishes.form == "tags" and wishes.never:
        line = ", ".join(tag for tag in line.split(", ") if not forbidden(tag, wishes)) or line
    missing = [word for word in wishes.always if not _has(line, word)]
    line = ", ".join([line.rstrip(".,"), *missing]) if missing else line
    trigger = wishes.trigger.strip()
    if not trigger or re.match(rf"{re.escape(trigger)}(?!\w)", line, re.I):
        return line
    return f"{trigger}, {line}"


def joined(before: str, text: str) -> str:
    """Return the caption of a text behind what stood there `before`."""
    return f"{before.rstrip().rstrip(',')}, {text}" if before.strip() else text


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
    return [word for word in wishes.never if _has(text, word)]


def _has(text: str, word: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.I))


def _folders(
    folder: Path, inside: str, endings: frozenset[str], with_subfolders: bool
) -> Iterator[tuple[str, set[str], list[os.DirEntry[str]]]]:
    """Yield of each folder its path in `folder` ("" or ending in a slash), all names in it, its pictures."""
    names, files, folders = set(), [], []
    try:
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith("."):
                    continue
                names.add(name)
                if name.rpartition(".")[2].lower() in endings and entry.is_file():
                    files.append(entry)
                elif with_subfolders and entry.is_dir(follow_symlinks=False):
                    folders.append(name)
    except FileNotFoundError:
        raise JobError(f"There is no folder {folder}. Check its name.") from None
    except NotADirectoryError:
        raise JobError(f"{folder} is no folder. Name the folder that the images are in.") from None
    except OSError as error:
        raise JobError(f"The folder {folder / inside} cannot be read ({error.strerror}).") from None
    yield inside, names, files
    for name in folders:
        yield from _folders(folder, f"{inside}{name}/", endings, with_subfolders)


def _natural(name: str) -> list[int | str]:
    """Order img2 before img10: text and numbers take turns, beginning with text."""
    parts: list[int | str] = _DIGITS.split(name.casefold())
    parts[1::2] = map(int, parts[1::2])
    return parts


def _spoken(stem: str) -> str:
    return " ".join(re.sub(r"[_\s-]+", " ", stem).split())
