"""From a repository to an answer, through the real libraries; and without them nothing is fetched."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hub.fixtures import _hub_thread, hub  # noqa: F401
from hub.server import HubServer
from tiny_model.as_gguf import write_gguf
from tiny_model.asking import WatchingHost, enhance
from tiny_model.fixtures import TRAINING_S
from tiny_model.train import enhanced

from quillwork.llm_backends import errors
from quillwork.llm_backends.local.gguf.backend import Gguf
from quillwork.llm_backends.local.hub.access import HubAccess
from quillwork.llm_backends.local.transformers_local.backend import TransformersLocal
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Deployment, Result

FOX = enhanced("red", "fox")
patient = pytest.mark.timeout(TRAINING_S + 120)


def ask(backend: Any, hub: HubServer, models: Path, mode: str, model: str, **params: Any) -> Any:  # noqa: F811
    given = {
        "models_folder": str(models),
        "may_download": True,
        "hub": HubAccess(endpoint=hub.url, pause_s=0.01),
        **params,
    }
    deployment = Deployment(mode, model, mode=mode, params=given, is_local=True, idle_timeout_s=20)
    try:
        (answer,) = backend.answer_all([enhance("red fox")], deployment, LiveText().start(1), WatchingHost())
        return answer
    finally:
        backend.unload()


@patient
def test_a_repository_is_downloaded_and_writes(hub: HubServer, tmp_path: Path, tiny_model: Path) -> None:  # noqa: F811
    files = {file.name: file.read_bytes() for file in tiny_model.iterdir()}
    hub.add("org/tiny", files, cuts={"model.safetensors": [500_000]})
    answer = ask(TransformersLocal(), hub, tmp_path, "hf_download", "org/tiny", dtype="fp32")
    assert isinstance(answer, Result), answer
    assert answer.text == FOX
    assert len(hub.ranges_of("model.safetensors")) == 2


@patient
def test_a_gguf_file_is_downloaded_and_writes(hub: HubServer, tmp_path: Path, tiny_model: Path) -> None:  # noqa: F811
    pytest.importorskip("llama_cpp")
    file = write_gguf(tiny_model, tmp_path / "tiny.gguf")
    hub.add("org/tiny-GGUF", {"tiny.gguf": file.read_bytes()})
    answer = ask(Gguf(), hub, tmp_path / "models", "gguf", "org/tiny-GGUF", file="tiny.gguf")
    assert isinstance(answer, Result), answer
    assert answer.text == FOX


@pytest.mark.parametrize(
    ("library", "backend", "mode"),
    [("torch", TransformersLocal, "hf_download"), ("llama_cpp", Gguf, "gguf")],
)
def test_nothing_is_fetched_that_could_not_be_used(
    hub: HubServer,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    library: str,
    backend: Any,
    mode: str,
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    answer = ask(backend(), hub, tmp_path, mode, "org/tiny", file="tiny.gguf")
    assert isinstance(answer, errors.DependencyMissing)
    assert hub.log == []
