"""The .gguf files of a repository."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from ... import errors
from ...host import Host
from ...streaming.live import Sink
from ...types import Deployment
from ..gguf_names import is_model, parts_of
from .access import HubAccess, own_folder, split_repository
from .download import Read, download
from .repository import RemoteFile, Repository

_SHOWN = 6


def fetch_gguf(deployment: Deployment, repository: str, file: str, sink: Sink, host: Host) -> Path:
    """Fetch `file` of `repository` (``org/name`` or ``org/name@revision``); of a split model, the first part.

    An empty `file` means the only one there. It is looked for in the repository's folder below the
    deployment's parameter ``models_folder`` and in the hub's cache before it is downloaded, as in
    `download.download`. Raises `errors.LLMError` and `errors.Cancelled`.
    """
    name, revision = split_repository(repository)
    access = HubAccess.of(deployment)
    for folder in (own_folder(deployment, name, revision), access.cached(name, revision)):
        if folder is not None and folder.is_dir():
            try:
                return _found(folder, file, name)
            except errors.ModelNotFound:
                continue
    what = f"{file} of {name}" if file else ""
    folder, names = download(deployment, name, revision, partial(_pick, file), sink, host, what)
    return folder / names[0]


def _found(folder: Path, file: str, name: str) -> Path:
    there = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*.[gG][gG][uU][fF]")
        if path.is_file()
    }
    chosen = _chosen(file, there, name)
    if missing := [part for part in chosen if part not in there]:
        raise errors.ModelNotFound(
            f"{chosen[0]} is split into several parts, and {missing[0]} is missing.",
            hint="Put all parts into one folder.",
        )
    return there[chosen[0]]


async def _pick(file: str, repository: Repository, read: Read) -> Sequence[RemoteFile]:
    there = {name: entry for name, entry in repository.files.items() if name.lower().endswith(".gguf")}
    chosen = _chosen(file, there, repository.name)
    if missing := [part for part in chosen if part not in there]:
        raise errors.ModelNotFound(
            f"{chosen[0]} is split into several parts, and {repository.name} does not have {missing[0]}.",
            hint="Choose another of its files with LLM_GGUF_FILE.",
        )
    return [there[part] for part in chosen]


def _chosen(file: str, there: Collection[str], name: str) -> list[str]:
    """The names of the chosen file: one, or that of each part. Raises `ModelNotFound`."""
    models = sorted(entry for entry in there if is_model(entry))
    if file:
        wanted = file.replace("\\", "/")
        found = wanted if wanted in there else None
        # Quantisations often lie in folders of their own; the name alone says it as well.
        found = found or next((entry for entry in models if PurePosixPath(entry).name == wanted), None)
    else:
        found = models[0] if len(models) == 1 else None
    if found is None:
        shown = ", ".join(models[:_SHOWN]) + (" …" if len(models) > _SHOWN else "")
        raise errors.ModelNotFound(
            f"{name} has no file {file}." if file else f"{name} has {len(models) or 'no'} .gguf files.",
            hint=f"Set LLM_GGUF_FILE to one of: {shown}."
            if models
            else "Choose a repository with GGUF files. Their names often end in -GGUF.",
        )
    return parts_of(found)
