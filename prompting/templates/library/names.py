"""Names of variables, and the errors of a library."""

from __future__ import annotations

import re
import unicodedata
from typing import ClassVar

_MAX_NAME_LENGTH = 200
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_SIGNS = "_.-/ *&'(),+"


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
    """Error for a file that is, or would become, larger than the library reads."""

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


def check_name(name: str, *, pattern: bool = False) -> None:
    """Raise `InvalidName` unless `name` can be a variable's.

    A name is segments of letters, digits, blanks and some signs, joined with `/`. `*` and `**` are for
    patterns. No name leaves the library folder on any system.
    """
    problem = _problem_with(name, pattern)
    if problem:
        raise InvalidName(
            f"`{name[:80]}` is not a valid variable name: it {problem}. Use letters, digits, `-`, `_` "
            "and spaces, and `/` for a folder."
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
            return "contains a `*`"
        if character.isascii():
            if not character.isalnum() and character not in _SIGNS:
                return f"contains {character!a}"
        elif unicodedata.category(character)[0] not in "LMN":
            return f"contains {character!a}"
    if "__" in name or name[0] == "_" or name[-1] == "_":
        return "has underscores at its start or end, which a template would read as part of the marker"
    for segment in name.split("/"):
        if not segment:
            return "has an empty part before or after a `/`"
        if segment[0] in ". " or segment[-1] in ". ":
            return "has a part that begins or ends with a dot or a space"
        if _RESERVED.fullmatch(segment):
            return f"has the part {segment!r}, which is reserved on Windows"
    return ""
