"""The contents of a repository as the hub lists them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ... import errors

_SAFE_PART = re.compile(r"[A-Za-z0-9_][\w.+() -]*", re.ASCII)
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on the hub. `digest` is the SHA-256 of a large file, git's SHA-1 of a small one, or empty."""

    name: str
    size: int
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at one commit; `files` by name, odd names left out."""

    name: str
    commit: str
    files: Mapping[str, RemoteFile]


def read_repository(name: str, answer: Any) -> Repository:
    """Read a repository from the hub's response. Raises `MalformedAnswer`.

    https://huggingface.co/docs/hub/api#get-apimodelsrepoid-or-apimodelsrepoidrevisionrevision
    """
    try:
        commit = str(answer["sha"])
        files = [_file(entry) for entry in answer["siblings"] if _is_plain(str(entry["rfilename"]))]
    except (KeyError, TypeError, ValueError, AttributeError):
        commit, files = "", []
    if not re.fullmatch(r"[0-9a-f]{7,64}", commit):
        raise errors.MalformedAnswer(
            f"The response for {name} does not look like the Hugging Face Hub.",
            hint="Check HF_ENDPOINT, and that no network login page is answering instead.",
        )
    return Repository(name, commit, {file.name: file for file in files})


def _file(entry: Mapping[str, Any]) -> RemoteFile:
    large = entry.get("lfs") or {}
    size = int(large["size"] if "size" in large else entry["size"])
    digest = str(large.get("sha256") or entry.get("blobId") or "").lower()
    if size < 0:
        raise ValueError("a negative size")
    return RemoteFile(str(entry["rfilename"]), size, digest if _SHA.fullmatch(digest) else "")


def _is_plain(name: str) -> bool:
    return all(_SAFE_PART.fullmatch(part) for part in name.split("/"))
