"""Local models in the host's own folders, named without any path of this machine."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...llm_backends import modes
from ...llm_backends.local.gguf_names import is_model, projector_of
from ...llm_backends.local.hub.access import SUBFOLDER
from ..settings.home import host_llm_folders, models_folder

_MOST_MODELS = 500
_DEEPEST = 4
_TTL_S = 30.0


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A local model. `name` is the path below the host's folder with ``/``; `mode` is hf_local or gguf;
    `vision` says whether its config has a vision part, or a projector lies beside it."""

    name: str
    path: Path
    mode: str
    vision: bool = False


Folders = Callable[[], Iterable[Path]]


def _downloads() -> Iterable[Path]:
    return (models_folder() / SUBFOLDER,)


_lock = threading.Lock()
_found: tuple[float, Folders, tuple[FoundModel, ...]] | None = None


def models(*, refresh: bool = False) -> tuple[FoundModel, ...]:
    """The checkpoints and GGUF files below the host's folders (else below the pack's own download folder), by
    name; searched every half minute."""
    global _found
    with _lock:
        now, folders = time.monotonic(), host_llm_folders() or _downloads
        if refresh or _found is None or _found[1] is not folders or now - _found[0] > _TTL_S:
            _found = (now, folders, _look(folders))
        return _found[2]


def find(name: str, mode: str = modes.HF_LOCAL) -> FoundModel | None:
    """The model of that name, None where there is none."""
    wanted = name.strip().replace("\\", "/")
    return next((model for model in models() if model.name == wanted and model.mode == mode), None)


def resolve(mode: str, model: str) -> str:
    """The path of `model` where it is the name of a local one of that mode, else `model` as it is."""
    if not modes.of(mode).in_folders or not model or os.path.isabs(model):
        return model
    found = find(model, mode)
    return str(found.path) if found is not None else model


def _look(folders: Folders) -> tuple[FoundModel, ...]:
    found: dict[tuple[str, str], FoundModel] = {}
    for root in folders():
        for model in _below(Path(root)):
            found.setdefault((model.mode, model.name), model)
            if len(found) >= _MOST_MODELS:
                break
    return tuple(sorted(found.values(), key=lambda model: (model.mode, model.name.casefold())))


def _below(root: Path) -> Iterator[FoundModel]:
    for folder, subfolders, files in os.walk(root):
        here = Path(folder)
        depth = len(here.relative_to(root).parts)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith(".")) * (depth < _DEEPEST)
        if depth and "config.json" in files and any(name.endswith(".safetensors") for name in files):
            subfolders.clear()
            # A download that is not over, or was stopped, is no model yet.
            if not any(name.endswith(".part") for name in files):
                yield FoundModel(here.relative_to(root).as_posix(), here, modes.HF_LOCAL, _has_vision(here))
        for name in sorted(files):
            if is_model(name):
                path = here / name
                sees = projector_of(name, files) is not None
                yield FoundModel(path.relative_to(root).as_posix(), path, modes.GGUF, sees)


def _has_vision(folder: Path) -> bool:
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(config, dict) and isinstance(config.get("vision_config"), dict)
