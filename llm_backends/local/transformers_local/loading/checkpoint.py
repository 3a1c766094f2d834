"""The checkpoint in a model's folder, read before any weight: enough to refuse it in plain words.

Only the JSON files and the headers of the safetensors files are read.
https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .... import errors

_INDEX = "model.safetensors.index.json"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model", "vocab.txt", "tekken.json")
_LONGEST_HEADER = 100 * 1024 * 1024

# Parts of names of weights that stay as they are: what quantising would spoil most.
_NOT_QUANTISED = ("embed", "lm_head", "visual.")
# Bits that a weight of a linear layer takes, with the scales that go with it; the rest stays in 16.
BITS = {"nf4": 4.13, "int8": 8.1, "bf16": 16.0, "fp16": 16.0, "fp32": 32.0}


@dataclass(frozen=True)
class Checkpoint:
    """A folder that holds a whole model. `linear` and `other` count the weights that quantising would
    touch and those that it would not, of a checkpoint that is not `quantised` yet; `bytes_on_disk` is the
    size of all of them as they are. `quantised` is the method's name in the config, or empty."""

    folder: Path
    config: Mapping[str, Any]
    quantised: str
    bytes_on_disk: int
    linear: int
    other: int

    def bytes_as(self, dtype: str) -> int:
        """Estimate the bytes of the weights in memory as `dtype` (a key of `BITS`)."""
        if self.quantised:
            return self.bytes_on_disk
        plain = max(16.0, BITS[dtype]) if dtype != "int8" else 16.0
        return int((self.linear * BITS[dtype] + self.other * plain) / 8)


def read(folder: Path) -> Checkpoint:
    """Read the checkpoint in `folder`. Raises `errors.LLMError` where it is no model that can be loaded."""
    config = _config(folder)
    tensors: dict[str, tuple[str, list[int], int]] = {}
    for file in _weight_files(folder):
        tensors.update(_tensors(file))
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise errors.BackendUnavailable(
            f"{folder.name} has no tokenizer (no tokenizer.json or tokenizer.model).",
            hint=(
                "Copy the tokenizer files of the same model into the folder, or download the whole "
                "model again."
            ),
        )
    method = config.get("quantization_config")
    linear = other = 0
    for name, (_, shape, _) in tensors.items():
        count = math.prod(shape)
        if len(shape) == 2 and not any(part in name for part in _NOT_QUANTISED):
            linear += count
        else:
            other += count
    return Checkpoint(
        folder,
        config,
        str(method.get("quant_method", "unknown")) if isinstance(method, dict) else "",
        sum(size for _, _, size in tensors.values()),
        linear,
        other,
    )


def _config(folder: Path) -> Mapping[str, Any]:
    if not folder.is_dir():
        raise errors.ModelNotFound(
            f"There is no folder {folder}.",
            hint="Set LLM_PATH (or llm_model) to the folder with the model's config.json.",
        )
    path = folder / "config.json"
    if not path.is_file():
        gguf = any(folder.glob("*.gguf"))
        raise errors.ModelNotFound(
            f"{folder} is not a model folder: it has no config.json.",
            hint="It contains a .gguf file: use the mode gguf."
            if gguf
            else "Choose the folder with the model's config.json and .safetensors files.",
        )
    return _json(path)


def _json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise errors.BackendUnavailable(
            f"{path.name} of {path.parent.name} is not valid JSON.", hint="Download the model again."
        )
    return value


def _weight_files(folder: Path) -> list[Path]:
    index = folder / _INDEX
    if index.is_file():
        shards = _json(index).get("weight_map")
        names = sorted({str(name) for name in shards.values()}) if isinstance(shards, dict) else []
        missing = [name for name in names if not (folder / name).is_file()]
        if missing or not names:
            raise errors.BackendUnavailable(
                f"{folder.name} is incomplete: {missing[0] if missing else 'its list of parts'} is "
                f"missing{f' and {len(missing) - 1} more' if len(missing) > 1 else ''}.",
                hint="Download the model again. Complete files are not downloaded twice.",
            )
        return [folder / name for name in names]
    single = folder / "model.safetensors"
    if single.is_file():
        return [single]
    if any(any(folder.glob(pattern)) for pattern in _PICKLES):
        raise errors.BackendUnavailable(
            f"{folder.name} has only pickle weights, which can run code and are therefore not loaded.",
            hint="Choose a version of the model with .safetensors files.",
        )
    raise errors.ModelNotFound(
        f"{folder.name} has a config.json but no weights.",
        hint="Download model.safetensors (or its parts and their index) into the folder.",
    )


def _tensors(file: Path) -> dict[str, tuple[str, list[int], int]]:
    """The tensors by name, as (dtype, shape, bytes), from the file's header; a truncated file is refused."""
    size = file.stat().st_size
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 0 < length <= min(_LONGEST_HEADER, size - 8):
                raise ValueError("the header is incomplete")
            header = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        found = {
            name: (entry["dtype"], entry["shape"], entry["data_offsets"][1] - entry["data_offsets"][0])
            for name, entry in header.items()
        }
        end = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise _damaged(file, "it is not a safetensors file, or is incomplete") from None
    if size != end:
        raise _damaged(file, f"it has {size:,} bytes instead of {end:,}")
    return found


def _damaged(file: Path, what: str) -> errors.LLMError:
    return errors.BackendUnavailable(
        f"{file.name} of {file.parent.name} is damaged: {what}.",
        hint="Delete that file and download it again.",
    )
