"""Repositories as folders: files fetched, files refused, files already there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hub.fixtures import _hub_thread, hub  # noqa: F401
from hub.server import HubServer

from quillwork.llm_backends import errors
from quillwork.llm_backends.host import NullHost
from quillwork.llm_backends.local.hub.access import HubAccess
from quillwork.llm_backends.local.transformers_local.loading.downloads import resolve_repository
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Deployment

NAME = "org/fox"


def weights(*names: str, count: int = 5000) -> bytes:
    """A safetensors file with a tensor of zeros for each name."""
    header = {
        name: {"dtype": "U8", "shape": [count], "data_offsets": [place * count, (place + 1) * count]}
        for place, name in enumerate(names)
    }
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(count * len(names))


WEIGHTS = weights("a", "b")
SMALL = {
    "config.json": b'{"model_type": "qwen3"}',
    "generation_config.json": b"{}",
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b"{}",
    "chat_template.jinja": b"{{ messages }}",
}
NEVER = {
    "README.md": b"# fox",
    "modeling_fox.py": b"import os",
    "pytorch_model.bin": b"\x80\x04.",
    "training_args.bin": b"\x80\x04.",
    "fox-Q4.gguf": b"GGUF",
    "onnx/model.onnx": b"onnx",
    "consolidated.safetensors": weights("c"),
}
PARTS = {
    "model.safetensors.index.json": json.dumps(
        {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    ).encode(),
    "model-00001-of-00002.safetensors": weights("a"),
    "model-00002-of-00002.safetensors": weights("b"),
}


@pytest.fixture
def resolve(hub: HubServer, tmp_path: Path) -> Any:  # noqa: F811
    def call(model: str = NAME, *, allowed: bool = True, for_pictures: bool = False, **access: Any) -> Path:
        reach = HubAccess(endpoint=hub.url, cache=tmp_path / "cache", pause_s=0.01, **access)
        params = {"models_folder": str(tmp_path / "models"), "may_download": allowed, "hub": reach}
        deployment = Deployment("hf_download", model, mode="hf_download", params=params, idle_timeout_s=20)
        sink = LiveText().start(1)[0]
        return resolve_repository(deployment, sink, NullHost(), for_pictures=for_pictures)

    return call


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_the_model_needs_arrives_and_nothing_else(hub, resolve):  # noqa: F811
    hub.add(NAME, {**SMALL, **NEVER, "model.safetensors": WEIGHTS})
    assert names(resolve()) == {*SMALL, "model.safetensors"}
    listed = len(hub.log)
    assert names(resolve(allowed=False)) == {*SMALL, "model.safetensors"}
    assert len(hub.log) == listed, "what is whole needs neither network nor consent"


def test_the_parts_that_the_index_names(hub, resolve):  # noqa: F811
    hub.add(NAME, {**SMALL, **NEVER, **PARTS, "model.safetensors": WEIGHTS})
    assert names(resolve()) == {*SMALL, *PARTS}


def test_the_weights_come_last(hub, resolve):  # noqa: F811
    """A folder whose weights can be loaded is therefore whole."""
    hub.add(NAME, {"model.safetensors": WEIGHTS, **SMALL})
    resolve()
    files = [request.path.rpartition("/")[2] for request in hub.log if "/resolve/" in request.path]
    assert files[-1] == "model.safetensors"


def test_a_download_that_was_cut_is_not_loaded_but_gone_on_with(hub, resolve):  # noqa: F811
    last = "model-00002-of-00002.safetensors"
    hub.add(NAME, {**SMALL, **PARTS}, cuts={last: [1000, 0, 0, 0, 0, 0]})
    with pytest.raises(errors.ConnectionFailed, match="it was cut off"):
        resolve()
    with pytest.raises(errors.ConsentNeeded, match="is not downloaded yet"):
        resolve(allowed=False)
    assert names(resolve()) == {*SMALL, *PARTS}
    assert hub.ranges_of(last)[-1] == "bytes=1000-"
    assert hub.ranges_of("model-00001-of-00002.safetensors") == [""]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({**SMALL, "pytorch_model.bin": b"\x80"}, "has only pickle weights, which can run code"),
        ({"fox-Q4.gguf": b"GGUF"}, "contains GGUF files, which this mode does not load"),
        (SMALL, "has no model.safetensors, so transformers cannot load it"),
        ({"model.safetensors": WEIGHTS}, "has no config.json, so transformers cannot load it"),
        ({**SMALL, **PARTS, "model-00002-of-00002.safetensors": None}, "model-00002-of-00002"),
    ],
)
def test_what_cannot_be_loaded_is_refused_before_it_is_fetched(hub, resolve, tmp_path, files, sentence):  # noqa: F811
    hub.add(NAME, {name: data for name, data in files.items() if data is not None})
    with pytest.raises(errors.BackendUnavailable, match=sentence) as failure:
        resolve()
    assert failure.value.message.startswith(NAME) and failure.value.hint
    assert not (tmp_path / "models").exists()


def test_an_index_cannot_name_files_elsewhere(hub, resolve, tmp_path):  # noqa: F811
    index = json.dumps({"weight_map": {"a": "../../secret.safetensors"}}).encode()
    hub.add(NAME, {**SMALL, "model.safetensors.index.json": index})
    with pytest.raises(errors.BackendUnavailable):
        resolve()


@pytest.mark.parametrize("place", ["fox", "org/fox", "org--fox", "LLM/fox", "LLM/org/fox", "LLM/org--fox"])
def test_a_folder_of_the_users_is_used(hub, resolve, tmp_path, place):  # noqa: F811
    folder = tmp_path / "models" / place
    folder.mkdir(parents=True)
    for name, data in {**SMALL, "model.safetensors": WEIGHTS}.items():
        (folder / name).write_bytes(data)
    assert resolve(allowed=False) == folder
    assert hub.log == []


def cached(tmp_path: Path) -> Path:
    there = tmp_path / "cache" / "models--org--fox"
    (there / "refs").mkdir(parents=True)
    (there / "refs" / "main").write_text("abc")
    folder = there / "snapshots" / "abc"
    folder.mkdir(parents=True)
    for name, data in {**SMALL, "model.safetensors": WEIGHTS}.items():
        (folder / name).write_bytes(data)
    return folder


def test_the_hubs_own_cache_is_used_also_offline(hub, resolve, tmp_path):  # noqa: F811
    folder = cached(tmp_path)
    assert resolve(allowed=False, offline=True) == folder
    assert resolve(f"{NAME}@abc", allowed=False) == folder
    assert hub.log == []


def test_half_a_model_in_the_cache_is_fetched_into_our_folder(hub, resolve, tmp_path):  # noqa: F811
    folder = cached(tmp_path)
    (folder / "model.safetensors").write_bytes(WEIGHTS[:-5])
    with pytest.raises(errors.BackendUnavailable, match="is damaged"):
        resolve(allowed=False)
    hub.add(NAME, {**SMALL, "model.safetensors": WEIGHTS})
    assert resolve() == tmp_path / "models" / "LLM" / "org--fox"
    assert (folder / "model.safetensors").stat().st_size == len(WEIGHTS) - 5


EYES = {
    "config.json": b'{"model_type": "qwen3_vl", "image_token_id": 5, "vision_config": {"depth": 2}}',
    "preprocessor_config.json": b"{}",
}


def test_a_model_that_sees_comes_with_what_its_eyes_need(hub, resolve):  # noqa: F811
    hub.add(NAME, {**SMALL, **NEVER, **EYES, "model.safetensors": WEIGHTS})
    assert "preprocessor_config.json" in names(resolve(for_pictures=True))


def test_a_model_that_does_not_see_is_not_downloaded_for_a_picture(hub, resolve, tmp_path):  # noqa: F811
    hub.add(NAME, {**SMALL, "model.safetensors": WEIGHTS})
    with pytest.raises(errors.CannotSee):
        resolve(for_pictures=True)
    assert not list((tmp_path / "models").rglob("*.safetensors*"))
    assert names(resolve()), "for text it is"
