"""The GGUF file of a deployment: found, and checked before anything is loaded."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

from ... import errors
from ...types import Deployment
from ..gguf_names import is_model, parts_of, projector_of
from ..hub.access import HubAccess

# (org/name, file in it) -> where it lies then.
Fetch = Callable[[str, str], Path]

_MAGIC = b"GGUF"
_OLDEST_VERSION = 2
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_SHOWN = 8


def find(deployment: Deployment, fetch: Fetch | None = None) -> Path:
    """Find the file of ``deployment.model``: a file, a folder with one, or ``org/name`` with the parameter
    ``file`` (or behind a further slash). `fetch` downloads it where it is missing.

    Raises `errors.NotConfigured`, and what `fetch` raises.
    """
    name, file = deployment.model, str(deployment.params.get("file") or "")
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        return _in_folder(path, file)
    repository, inner = _repository(name, file)
    if repository:
        return _downloaded(repository, inner, deployment, fetch)
    raise errors.NotConfigured(
        f"There is no file {name}.", hint="Enter the path of a .gguf file, or set LLM_PATH to it."
    )


def find_projector(file: Path, deployment: Deployment, fetch: Fetch | None = None) -> Path | None:
    """Find the projector of the model in `file`: the parameter ``projector`` (a path, or a file beside the
    model or in its repository), else the mmproj file beside it; None where there is none.

    Raises `errors.NotConfigured` for a named one that is missing, and what `fetch` raises.
    """
    named = str(deployment.params.get("projector") or "")
    if not named:
        beside = projector_of(file.name, [each.name for each in file.parent.iterdir()])
        return file.with_name(beside) if beside else None
    for path in (Path(named).expanduser(), file.parent / named):
        if path.is_file():
            return path
    repository, _ = _repository(deployment.model, str(deployment.params.get("file") or ""))
    if repository and fetch is not None and not Path(deployment.model).expanduser().exists():
        return fetch(repository, named)
    raise errors.NotConfigured(
        f"There is no projector {named}.",
        hint="Set LLM_MMPROJ to the path of an mmproj .gguf file, or to the name of one beside the model.",
    )


def check(file: Path) -> None:
    """Raise `errors.NotConfigured` unless `file` begins as a GGUF file does."""
    try:
        with file.open("rb") as opened:
            head = opened.read(8)
    except OSError as error:
        raise errors.NotConfigured(
            f"{file.name} cannot be read ({error.strerror}).", hint="Check the path and its permissions."
        ) from None
    if head[:4] != _MAGIC or len(head) < 8:
        raise errors.NotConfigured(
            f"{file.name} is not a GGUF file.", hint="Download it again, or choose another file."
        )
    if struct.unpack("<I", head[4:])[0] < _OLDEST_VERSION:
        raise errors.NotConfigured(
            f"{file.name} uses a GGUF version that is too old.", hint="Download a newer version of the file."
        )


def size_of(file: Path) -> int:
    """The size of a file in bytes, with the further parts of a split one."""
    parts = (file.with_name(name) for name in parts_of(file.name))
    return sum(part.stat().st_size for part in parts if part.exists())


def _in_folder(folder: Path, file: str) -> Path:
    if file:
        path = folder / file
        if path.is_file():
            return path
        raise errors.NotConfigured(
            f"There is no file {file} in {folder}.",
            hint="Set LLM_GGUF_FILE to the name of a file in that folder.",
        )
    found = sorted(each for each in folder.iterdir() if is_model(each.name))
    if len(found) == 1:
        return found[0]
    if not found:
        raise errors.NotConfigured(
            f"There is no .gguf file in {folder}.", hint="Set LLM_PATH to the file or to its folder."
        )
    names = ", ".join(each.name for each in found[:_SHOWN])
    raise errors.NotConfigured(
        f"There are {len(found)} .gguf files in {folder}.", hint=f"Set LLM_GGUF_FILE to one of {names}."
    )


def _repository(name: str, file: str) -> tuple[str, str]:
    """The repository and the file in it, (org/name, file); an empty name where `name` is no repository."""
    if not file and name.count("/") >= 2 and name.lower().endswith(".gguf"):
        first, second, file = name.split("/", 2)
        name = f"{first}/{second}"
    is_one = _REPOSITORY.fullmatch(name) and ".." not in name and not name.lower().endswith(".gguf")
    return (name, file) if is_one else ("", "")


def _downloaded(repository: str, file: str, deployment: Deployment, fetch: Fetch | None) -> Path:
    models = deployment.params.get("models_folder")
    parts = (repository, repository.replace("/", "--"), repository.partition("/")[2]) if models else ()
    for part in parts:
        folder = Path(str(models)).expanduser() / part
        if folder.is_dir() and (not file or (folder / file).is_file()):
            return _in_folder(folder, file)
    cached = HubAccess.of(deployment).cached(repository, "")
    if cached is not None and file and (cached / file).is_file():
        return cached / file
    if fetch is not None:
        return fetch(repository, file)
    if not file:
        raise errors.NotConfigured(
            f"{repository} may contain several GGUF files, and no file is chosen.",
            hint=f"Set LLM_GGUF_FILE, or use {repository}/file.gguf.",
        )
    raise errors.NotConfigured(
        f"{file} of {repository} is not downloaded yet.",
        hint="Download it into the models folder, or set LLM_PATH to the file.",
    )
