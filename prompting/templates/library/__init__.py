"""Library: folders of files that hold the values of variables."""

from __future__ import annotations

from .library import Library
from .names import (
    FileTooLarge,
    FileUnreadable,
    InvalidName,
    LibraryError,
    ReadOnly,
    SaveFailed,
    VariableNotFound,
    check_name,
    is_pattern,
)
from .places import matches

__all__ = [
    "FileTooLarge",
    "FileUnreadable",
    "InvalidName",
    "Library",
    "LibraryError",
    "ReadOnly",
    "SaveFailed",
    "VariableNotFound",
    "check_name",
    "is_pattern",
    "matches",
]
