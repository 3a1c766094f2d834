"""Files of a variable library: allowed names, reading and saving."""

from __future__ import annotations

import contextlib
import errno
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from ...llm_backends.files import write_whole

MAX_FILE_BYTES = 16 << 20
LINE_SUFFIXES = (".txt", ".md")
YAML_SUFFIXES = (".yaml", ".yml")

_MAX_NAME_LENGTH = 200
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LINE_END = re.compile(r"\r\n|\r|\n")
_DISK_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class LibraryError(ValueError):
    """Error of a variable that cannot be read or saved. The text is one sentence that says what to do.

    `type` is the word that programs see, `http_status` the status under which a route reports it.
    """

    type: ClassVar[str] = "library"
    http_status: ClassVar[int] = 400


class InvalidName(LibraryError):
    """Error for a text that cannot be a variable's name."""

    type = "invalid_name"


class VariableNotFound(LibraryError):
    """Error for a variable without a file."""

    type, http_status = "variable_not_found", 404


class FileTooLarge(LibraryError):
    """Error for a file that is, or would become, larger than `MAX_FILE_BYTES`."""

    type, http_status = "file_too_large", 413


class FileUnreadable(LibraryError):
    """Error for a path that may not be read, is broken, or is not a file."""

    type = "file_unreadable"


class ReadOnly(LibraryError):
    """Error for a variable in a folder where this program does not write."""

    type, http_status = "read_only", 403


class SaveFailed(LibraryError):
    """Error for a file that could not be saved; its former contents are still there, whole."""

    type, http_status = "save_failed", 503


@dataclass(frozen=True, slots=True)
class Contents:
    """Contents of a file: `values` of its own and a `description`, or, in a YAML file, `named` lists."""

    values: tuple[str, ...] | None = None
    description: str = ""
    named: dict[str, tuple[str, ...]] = field(default_factory=dict)


def check_name(name: str, *, pattern: bool = False) -> None:
    """Raise `InvalidName` unless `name` can be a variable's.

    A name is segments of letters, digits, `_.-` and blanks, joined with `/`. `*` and `**` are for patterns.
    No name leaves the library folder on any system.
    """
    problem = _problem_with(name, pattern)
    if problem:
        raise InvalidName(
            f"`{name[:80]}` cannot be the name of a variable: it {problem}. "
            "Use letters, digits, `-`, `_` and blanks, and `/` for a folder."
        )


def is_name(name: str) -> bool:
    return not _problem_with(name, False)


def is_pattern(name: str) -> bool:
    return "*" in name


def _problem_with(name: str, pattern: bool) -> str:
    if not name:
        return "is empty"
    if len(name) > _MAX_NAME_LENGTH:
        return f"is longer than {_MAX_NAME_LENGTH} characters"
    for character in name:
        if character == "*" and not pattern:
            return "holds a `*`"
        if character.isascii():
            if not character.isalnum() and character not in "_.-/ *":
                return f"holds {character!a}"
        elif unicodedata.category(character)[0] not in "LMN":
            return f"holds {character!a}"
    if "__" in name or name[0] == "_" or name[-1] == "_":
        return "has underscores where a template looks for the ends of a name"
    for segment in name.split("/"):
        if not segment:
            return "has an empty part before or after a `/`"
        if segment[0] in ". " or segment[-1] in ". ":
            return "has a part that begins or ends with a dot or a blank"
        if _RESERVED.fullmatch(segment):
            return f"has the part {segment!r}, which Windows keeps for itself"
    return ""


def read_contents(path: Path, label: str) -> Contents:
    """Return the contents of `path`; `label` is its name in errors.

    Raises `FileTooLarge` (having read nothing) or `FileUnreadable`.
    """
    if path.suffix in YAML_SUFFIXES:
        check_size(path, label)
        return _read_yaml(path, label)
    text, _ = decode(read_bytes(path, label))
    return _contents_of_lines(text)


def check_size(path: Path, label: str) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise unreadable(label, error) from None
    if not stat.S_ISREG(status.st_mode):
        raise FileUnreadable(f"`{label}` in the library is not a file; remove it or put a text file there.")
    if status.st_size > MAX_FILE_BYTES:
        raise _too_large(label)


def read_bytes(path: Path, label: str) -> bytes:
    check_size(path, label)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise unreadable(label, error) from None
    if len(data) > MAX_FILE_BYTES:
        raise _too_large(label)
    return data


def unreadable(label: str, error: OSError) -> FileUnreadable:
    """Return the error for a file that the system does not let us read."""
    if isinstance(error, PermissionError):
        return FileUnreadable(
            f"`{label}` in the library may not be read; change its permissions or remove it."
        )
    reason = error.strerror or type(error).__name__
    return FileUnreadable(f"`{label}` in the library cannot be read ({reason}); check the file.")


def decode(data: bytes) -> tuple[str, str]:
    """Return text and encoding of a file.

    That is UTF-8 with or without BOM, UTF-16 with BOM, else a Windows code page.
    """
    utf = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        utf = "utf-16"
    for encoding in (utf, "cp1252", "latin-1"):
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode(encoding), encoding
    raise AssertionError("latin-1 decodes everything")


def fold(value: str) -> str:
    """Return `value` on one line, without control characters and without blanks at its ends."""
    value = value.encode("utf-8", "replace").decode()  # a lone surrogate cannot be saved
    return " ".join(_CONTROL.sub(" ", value).split())


def to_line(value: str) -> str:
    """Return a folded value as a line of a file, escaping one that begins with `#` like a comment."""
    return "\\" + value if value.startswith("#") else value


def to_comment(description: str) -> list[str]:
    return [f"# {text}" for line in _LINE_END.split(description) if (text := fold(line))]


def _contents_of_lines(text: str) -> Contents:
    values: list[str] = []
    comments: list[str] = []
    for line in _LINE_END.split(text):
        line = line.strip()
        if line.startswith("#"):
            if not values:
                comments.append(line.lstrip("#").strip())
        elif line:
            values.append(line[1:] if line.startswith("\\#") else line)
    return Contents(tuple(values), "\n".join(comments).strip())


def _read_yaml(path: Path, label: str) -> Contents:
    try:
        from ...safe_yaml import UnreadableYaml, read_yaml

        document = read_yaml(path, MAX_FILE_BYTES, scalars_as_text=True)
    except ImportError:
        raise FileUnreadable(f"`{label}` needs PyYAML; install it, or use a .txt file.") from None
    except UnreadableYaml as error:
        where = label if error.line is None else f"{label}, line {error.line}"
        raise FileUnreadable(f"`{where}` in the library cannot be read: {error.problem}") from None
    if isinstance(document, list):
        return Contents(tuple(_yaml_values(document)))
    if isinstance(document, dict):
        return Contents(named=dict(_yaml_lists(document, "")))
    return Contents()


def _yaml_lists(mapping: dict[str, object], prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key, value in mapping.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _yaml_lists(value, f"{name}/")
        elif isinstance(value, list) and is_name(name):
            yield name, tuple(_yaml_values(value))


def _yaml_values(items: Iterable[object]) -> Iterator[str]:
    for item in items:
        weight = ""
        if isinstance(item, dict):
            weight = f"{item['weight']}::" if "weight" in item else ""
            item = item.get("text") or item.get("content")
        if isinstance(item, str):
            lines = (line for line in _LINE_END.split(item) if not line.lstrip().startswith("#"))
            # A lone line is a value whatever it begins with; in a block `#` lines are notes.
            value = fold(item if "\n" not in item.strip() else " ".join(lines))
            if value:
                yield weight + value


def save(path: Path, data: bytes, label: str) -> None:
    """Put `data` in the place of `path`, all or nothing. Raises `FileTooLarge` or `SaveFailed`."""
    if len(data) > MAX_FILE_BYTES:
        raise _too_large(label)
    try:
        write_whole(path, data, durable=True)
    except OSError as error:
        raise _save_failed(label, error) from None


def _too_large(label: str) -> FileTooLarge:
    return FileTooLarge(
        f"`{label}` in the library is larger than {MAX_FILE_BYTES >> 20} MB; split it into several files."
    )


def _save_failed(label: str, error: OSError) -> SaveFailed:
    if error.errno in _DISK_FULL:
        return SaveFailed(
            f"`{label}` was not saved because the disk is full; free some space and save again "
            "(what was there before is unchanged)."
        )
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return SaveFailed(
            f"`{label}` was not saved: the library folder may not be written; change its permissions."
        )
    reason = error.strerror or type(error).__name__
    return SaveFailed(f"`{label}` was not saved ({reason}); check the library folder and save again.")
