"""Folders that are no model, or a part of one: refused in plain words, before torch is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quillwork.llm_backends import errors
from quillwork.llm_backends.local.transformers_local.loading import checkpoint

TENSORS = {
    "model.embed_tokens.weight": [10, 4],
    "model.layers.0.mlp.up_proj.weight": [8, 4],
    "model.norm.weight": [4],
}


def safetensors(tensors: dict[str, list[int]], width: int = 2) -> bytes:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in tensors.items():
        size = width
        for part in shape:
            size *= part
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    head = json.dumps(header).encode()
    return len(head).to_bytes(8, "little") + head + bytes(end)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a whole model."""
    made = tmp_path / "fox-1b"
    made.mkdir()
    (made / "config.json").write_text(json.dumps({"model_type": "qwen3"}))
    (made / "tokenizer.json").write_text("{}")
    (made / "model.safetensors").write_bytes(safetensors(TENSORS))
    return made


def refusal(folder: Path) -> errors.LLMError:
    with pytest.raises(errors.LLMError) as caught:
        checkpoint.read(folder)
    error = caught.value
    assert error.hint and "\n" not in error.message and error.message.endswith(".")
    return error


def test_a_whole_folder_is_counted(folder: Path) -> None:
    found = checkpoint.read(folder)
    assert (found.linear, found.other, found.bytes_on_disk, found.quantised) == (32, 44, 152, "")
    assert found.bytes_as("bf16") == 152
    assert found.bytes_as("fp32") == 304
    # The embedding and the norm stay in 16 bits.
    assert 44 * 2 + 32 // 2 <= found.bytes_as("nf4") <= 44 * 2 + 32 // 2 + 2


def test_a_quantised_folder_is_as_large_as_it_lies_there(folder: Path) -> None:
    (folder / "config.json").write_text(
        json.dumps({"model_type": "qwen3", "quantization_config": {"quant_method": "bitsandbytes"}})
    )
    found = checkpoint.read(folder)
    assert found.quantised == "bitsandbytes"
    assert found.bytes_as("nf4") == found.bytes_as("bf16") == 152


def test_a_missing_folder(tmp_path: Path) -> None:
    error = refusal(tmp_path / "nowhere")
    assert isinstance(error, errors.ModelNotFound) and "nowhere" in error.message
    assert "LLM_PATH" in error.hint


def test_no_config(folder: Path) -> None:
    (folder / "config.json").unlink()
    assert "config.json" in refusal(folder).message
    (folder / "model.gguf").touch()
    assert "mode gguf" in refusal(folder).hint


def test_a_config_that_is_no_json(folder: Path) -> None:
    (folder / "config.json").write_text("{")
    assert "is not valid JSON" in refusal(folder).message


def test_a_config_without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert "no weights" in refusal(folder).message


@pytest.mark.parametrize("name", ["pytorch_model.bin", "consolidated.00.pth", "model.pt"])
def test_pickles_are_refused(folder: Path, name: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(b"\x80\x04")
    error = refusal(folder)
    assert "pickle" in error.message and ".safetensors" in error.hint


@pytest.mark.parametrize("cut", [1, 100])
def test_a_file_cut_off_is_told_with_its_sizes(folder: Path, cut: int) -> None:
    file = folder / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-cut])
    message = refusal(folder).message
    assert f"{len(whole) - cut:,}" in message and f"{len(whole):,}" in message


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 64, b"<html>" * 20, safetensors(TENSORS)[:60]])
def test_a_file_that_is_no_safetensors(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    assert "damaged" in refusal(folder).message


def test_parts_are_all_needed(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model-1.safetensors").write_bytes(safetensors({"a": [2, 2]}))
    assert "model-2.safetensors is missing" in refusal(folder).message
    (folder / "model-2.safetensors").write_bytes(safetensors({"b": [4, 4]}))
    assert checkpoint.read(folder).linear == 20


def test_no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    assert "no tokenizer" in refusal(folder).message
