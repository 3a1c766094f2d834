"""Access to the Hugging Face hub: its address, its token, and the folders where its files may lie already.

Its own library is not used for this: it begins a file from zero after an aborted process, reads its
variables once at import, and cannot be stopped within a file.
https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ... import errors
from ...types import Deployment, Secret

USUAL_ENDPOINT = "https://huggingface.co"
# Where the host's models folder takes language models.
SUBFOLDER = "LLM"
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+", re.ASCII)
_TRUE = ("1", "true", "yes", "on")


@dataclass(frozen=True, slots=True)
class HubAccess:
    """The hub's address, token and cache. `endpoint` is the hub's origin or a mirror's, `token` goes there
    and nowhere else, `cache` is the folder of the hub's own library. `pause_s` is the wait before the first
    retry, longer every time."""

    endpoint: str = USUAL_ENDPOINT
    token: Secret | None = None
    offline: bool = False
    cache: Path | None = None
    pause_s: float = 0.5

    @classmethod
    def from_environment(cls, variables: Mapping[str, str], token: Secret | None = None) -> HubAccess:
        """Read the hub's own environment variables; `token` takes precedence over theirs."""

        def text(*names: str) -> str:
            return next((found for name in names if (found := variables.get(name, "").strip())), "")

        home = Path(text("HF_HOME") or Path(text("XDG_CACHE_HOME") or "~/.cache", "huggingface")).expanduser()
        cache = text("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
        own = text("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
        if not own and text("HF_HUB_DISABLE_IMPLICIT_TOKEN").lower() not in _TRUE:
            own = _read(Path(text("HF_TOKEN_PATH") or home / "token").expanduser())
        return cls(
            endpoint=(text("HF_ENDPOINT") or USUAL_ENDPOINT).rstrip("/"),
            token=token or (Secret(own) if own else None),
            offline=text("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE").lower() in _TRUE,
            cache=Path(cache).expanduser() if cache else home / "hub",
        )

    @classmethod
    def of(cls, deployment: Deployment) -> HubAccess:
        """The deployment's parameter ``hub``; where it has none, this process's environment decides."""
        found = deployment.params.get("hub")
        return found if isinstance(found, cls) else cls.from_environment(os.environ)

    def page(self, name: str) -> str:
        """The address of the web page of the repository `name`."""
        return f"{self.endpoint}/{name}"

    def cached(self, name: str, revision: str) -> Path | None:
        """The folder in the hub library's cache that has files of the repository, complete ones only."""
        if self.cache is None:
            return None
        there = self.cache / f"models--{name.replace('/', '--')}"
        revision = revision or "main"
        if ".." in revision:
            return None
        commit = _read(there / "refs" / revision) or revision
        folder = there / "snapshots" / commit
        return folder if folder.is_dir() else None


def split_repository(model: str) -> tuple[str, str]:
    """Split ``org/name`` or ``org/name@revision`` into (``org/name``, revision or "").
    Raises `NotConfigured`."""
    name, _, revision = model.partition("@")
    if not _REPOSITORY.fullmatch(name) or ".." in name:
        raise errors.NotConfigured(
            f"{model!r} is not a valid repository name.",
            hint="Use org/name, as in the address of the model page.",
        )
    return name, revision


def own_folder(deployment: Deployment, name: str, revision: str) -> Path | None:
    """The folder for a download of the repository, below the deployment's parameter ``models_folder``."""
    models = deployment.params.get("models_folder")
    if not models:
        return None
    part = f"{name}@{revision}" if revision else name
    return Path(str(models)).expanduser() / SUBFOLDER / re.sub(r"[^\w.@-]", "-", part.replace("/", "--"))


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""
