"""Hugging Face repositories as folders that can be loaded: found on the disk, else downloaded."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from .... import errors
from ....host import Host
from ....streaming.live import Sink
from ....types import Deployment
from ....vision import cannot_see
from ...hub.access import HubAccess, own_folder, split_repository
from ...hub.download import Read, download
from ...hub.repository import RemoteFile, Repository
from ..vision_encoder import VisionConfig
from . import checkpoint

_INDEX, _SINGLE = "model.safetensors.index.json", "model.safetensors"
# What is read beside the weights; never a pickle, never code.
_SMALL = re.compile(
    r"(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|tekken"
    r"|chat_template|preprocessor_config|processor_config)\.json|(merges|vocab)\.txt|(tokenizer|spiece|sentencepiece\.bpe)\.model"
    r"|chat_template\.jinja",
)
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")


def resolve_repository(deployment: Deployment, sink: Sink, host: Host, *, for_pictures: bool = False) -> Path:
    """Find or download the whole folder of ``deployment.model`` (``org/name``, or ``org/name@revision``).

    Looks into the deployment's parameter ``models_folder`` and into Hugging Face's own cache, and then
    downloads it as `hub.download.download` does; a folder that is complete is used without any network. With
    `for_pictures` a model without vision is not downloaded. Raises `errors.LLMError` and `errors.Cancelled`.
    """
    name, revision = split_repository(deployment.model)
    ours = own_folder(deployment, name, revision)
    damage: errors.LLMError | None = None
    for folder in _candidates(deployment, name, revision, ours):
        try:
            checkpoint.read(folder)
        except errors.LLMError as error:
            # A download of ours that was stopped is gone on with; another's folder is left as it is.
            damage = damage or (error if folder != ours else None)
        else:
            return folder

    async def pick(repository: Repository, read: Read) -> Sequence[RemoteFile]:
        picked = await _pick(repository, read)
        if for_pictures and not _sees(await read(repository.files["config.json"])):
            raise cannot_see(deployment)
        return picked

    try:
        folder, _ = download(deployment, name, revision, pick, sink, host)
    except (errors.ConsentNeeded, errors.NotConfigured):
        if damage is not None:
            raise damage from None
        raise
    checkpoint.read(folder)
    return folder


def _candidates(deployment: Deployment, name: str, revision: str, ours: Path | None) -> list[Path]:
    found: list[Path | None] = [ours]
    models = deployment.params.get("models_folder")
    if models and not revision:
        root, last = Path(str(models)).expanduser(), name.partition("/")[2]
        found += [
            root / below / part for below in ("LLM", "") for part in (name, name.replace("/", "--"), last)
        ]
    found.append(HubAccess.of(deployment).cached(name, revision))
    return [folder for folder in dict.fromkeys(found) if folder and (folder / "config.json").is_file()]


async def _pick(repository: Repository, read: Read) -> Sequence[RemoteFile]:
    files = repository.files
    weights = [_SINGLE] if _SINGLE in files else []
    if _INDEX in files:
        weights = _parts(await read(files[_INDEX]), repository)
    if "config.json" not in files or not weights:
        raise _unusable(repository)
    small = [name for name in files if _SMALL.fullmatch(name)]
    return [files[name] for name in (*small, *([_INDEX] if _INDEX in files else ()), *weights)]


def _sees(config: bytes) -> bool:
    try:
        parsed = json.loads(config)
    except ValueError:
        return True  # an unreadable one is reported where it is read
    return not isinstance(parsed, dict) or VisionConfig.of(parsed) is not None


def _parts(index: bytes, repository: Repository) -> list[str]:
    try:
        names = sorted(set(json.loads(index)["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        names = []
    if missing := [name for name in names if name not in repository.files]:
        raise errors.BackendUnavailable(
            f"{repository.name} is incomplete: {missing[0]} is missing.",
            hint="Choose another repository of the model.",
        )
    return [name for name in names if name.endswith(".safetensors")]


def _unusable(repository: Repository) -> errors.LLMError:
    name, files = repository.name, repository.files
    if any(file.lower().endswith(".gguf") for file in files):
        return errors.BackendUnavailable(
            f"{name} contains GGUF files, which this mode does not load.",
            hint="Use the mode gguf, and set LLM_GGUF_FILE to one of its files.",
        )
    if any(file.endswith(_PICKLES) for file in files):
        return errors.BackendUnavailable(
            f"{name} has only pickle weights, which can run code and are therefore not downloaded.",
            hint="Choose a version of the model with .safetensors files.",
        )
    lacks = "model.safetensors" if "config.json" in files else "config.json"
    return errors.BackendUnavailable(
        f"{name} has no {lacks}, so transformers cannot load it as a language model.",
        hint="Choose the model's original repository, such as unsloth/Qwen3-4B-Instruct-2507-bnb-4bit.",
    )
