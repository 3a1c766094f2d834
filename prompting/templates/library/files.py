"""Files of a variable library: reading and saving."""

from __future__ import annotations

import errno
import re
import stat
from pathlib import Path

from ....llm_backends.system.files import write_whole
from .contents import Contents, UnreadableContents, fold
from .encodings import decode, is_binary
from .names import FileTooLarge, FileUnreadable, SaveFailed
from .structured import READERS

MAX_FILE_BYTES = 16 << 20
LINE_SUFFIXES = (".txt", ".md")
STRUCTURED_SUFFIXES = tuple(READERS)
SUFFIXES = (*LINE_SUFFIXES, *STRUCTURED_SUFFIXES)

_LINE_END = re.compile(r"\r\n|\r|\n")
_DISK_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def is_lines(path: Path) -> bool:
    """Tell whether a file holds one variable, a value on each line, and may be written."""
    return path.suffix.lower() in LINE_SUFFIXES


def read_contents(path: Path, label: str) -> Contents:
    """Return the contents of `path`; `label` is its name in errors.

    Raises `FileTooLarge` (having read nothing) or `FileUnreadable`.
    """
    text, _ = decode(read_bytes(path, label))
    if is_binary(text):
        raise FileUnreadable(f"`{label}` in the library is not a text file; save it again as UTF-8 text.")
    if is_lines(path):
        return _contents_of_lines(text)
    try:
        return READERS[path.suffix.lower()](text, path)
    except UnreadableContents as error:
        where = label if error.line is None else f"{label}, line {error.line}"
        raise FileUnreadable(f"`{where}` in the library cannot be read: {error}") from None


def check_size(path: Path, label: str) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise unreadable(label, error) from None
    if not stat.S_ISREG(status.st_mode):
        raise FileUnreadable(f"`{label}` in the library is not a file. Remove it or put a text file there.")
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
            f"`{label}` in the library cannot be read because of its permissions. Change them, or remove it."
        )
    reason = error.strerror or type(error).__name__
    return FileUnreadable(f"`{label}` in the library cannot be read ({reason}). Check the file.")


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
        f"`{label}` in the library is larger than {MAX_FILE_BYTES >> 20} MB. Split it into several files."
    )


def _save_failed(label: str, error: OSError) -> SaveFailed:
    if error.errno in _DISK_FULL:
        return SaveFailed(
            f"`{label}` was not saved because the disk is full. Free some space and save again; the "
            "previous content is unchanged."
        )
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return SaveFailed(
            f"`{label}` was not saved because the library folder is not writable. Change its permissions."
        )
    reason = error.strerror or type(error).__name__
    return SaveFailed(f"`{label}` was not saved ({reason}). Check the library folder and save again.")
