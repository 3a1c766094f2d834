"""One model in memory, managed by the host: evicted, exchanged, unloaded; nothing is imported early."""

from __future__ import annotations

import shutil
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[4]

_NOTHING_HEAVY = """
import sys
sys.path.insert(0, sys.argv[1])
import conftest
from quillwork.llm_backends import registry
from quillwork.llm_backends.local import unload
from quillwork.llm_backends.pipeline import complete_all
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.types import Deployment, Message, Request
assert {"hf_local", "hf_download"} <= set(registry.names())
for backend in ("openai_compatible", "phrasebook", "litellm"):
    if registry.is_known(backend):
        deployment = Deployment(backend, "fox", base_url="http://127.0.0.1:9/v1", retries=0, idle_timeout_s=5)
        runner.run(complete_all([Request((Message("user", "a fox"),))], deployment, LiveText()))
unload.unload_in_place()
registry.get("hf_local").unload()
heavy = sorted({name.partition(".")[0] for name in sys.modules} & {
    "torch", "transformers", "bitsandbytes", "accelerate"})
print("heavy:", heavy)
"""


def test_no_other_mode_imports_torch_or_transformers() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _NOTHING_HEAVY, str(ROOT / "tests")],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.stdout.splitlines()[-1:] == ["heavy: []"] or "tokenizers" in done.stdout, done.stderr[-2000:]
    # litellm brings tokenizers by itself; none of the rest is ever there.
    assert "torch" not in done.stdout and "transformers" not in done.stdout


torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tiny_model.asking import WatchingHost, echo, enhance, outcomes, texts, values  # noqa: E402

from quillwork.llm_backends import errors, registry  # noqa: E402
from quillwork.llm_backends.host import NullHost, use_memory  # noqa: E402
from quillwork.llm_backends.pipeline import complete_all  # noqa: E402
from quillwork.llm_backends.runner import run_in_place  # noqa: E402
from quillwork.llm_backends.streaming.live import LiveText  # noqa: E402
from quillwork.llm_backends.types import Deployment, Result  # noqa: E402

FOX = "oil painting of a red fox, soft morning light"
FREE = {"temperature": 1.3, "top_p": 1.0, "extra": {"top_k": 0}, "max_tokens": 24}


class HostMemory:
    """A host's memory manager: it admits on one device, keeps a log, and refuses on demand."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.asked: list[tuple[int, int]] = []
        self.model: Any = None
        self.refusal: errors.LLMError | None = None

    def admit(self, model: Any, bytes_needed: int) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append((model.size, bytes_needed))
        if model.loaded_on is None:
            self.log.append("load")
        model.load(torch.device("cpu"))
        self.model = model

    def release(self, model: Any) -> None:
        self.log.append("release")
        model.detach()
        self.model = None

    def evict(self) -> None:
        self.log.append("evict")
        self.model.detach()


def test_one_backend_serves_both_modes() -> None:
    assert registry.get("hf_local") is registry.get("hf_download")
    assert registry.get("hf_local").runs_in_place is True


def test_it_answers_through_the_pipeline(tiny_model: Path) -> None:
    deployment = Deployment(
        "hf_local", str(tiny_model), mode="hf_local", provider="hf_local", params={"dtype": "fp32"}
    )
    live = LiveText()
    (answer,) = run_in_place(complete_all([enhance("red fox")], deployment, live, NullHost()))
    assert isinstance(answer, Result) and answer.text == FOX and live.texts() == [FOX]
    # It goes into pictures: where a folder lies is nobody else's business.
    assert (answer.mode, answer.provider, answer.model) == ("hf_local", "hf_local", tiny_model.name)
    assert answer.usage.prompt_tokens and answer.usage.completion_tokens and answer.seconds > 0
    assert registry.get("hf_local").unload() == [tiny_model.name]


def test_the_host_is_asked_for_room_and_may_take_it_back(backend: Any, tiny_model: Path) -> None:
    memory = HostMemory()
    host = WatchingHost(memory=memory)
    assert texts(backend, tiny_model, enhance("red fox"), host=host) == [FOX]
    size, needed = memory.asked[0]
    assert size > 0 and needed > 500_000_000
    model = weakref.ref(backend._model.loaded.model)
    kept = weakref.ref(next(iter(backend._model.prompts._kept.values()))[0][0])
    memory.evict()
    assert model() is None and kept() is None and memory.model.loaded_on is None
    assert texts(backend, tiny_model, enhance("red fox"), host=host) == [FOX]
    assert memory.log == ["load", "evict", "load"]
    assert memory.asked[1][0] == backend._model.loaded.bytes
    backend.unload()
    assert memory.log[-1] == "release"


@pytest.mark.parametrize("at", [1, 3, 6])
def test_an_eviction_in_the_middle_of_a_text_is_recovered_from(
    backend: Any, tiny_model: Path, at: int
) -> None:
    requests = [
        *(echo("red fox tower", seed=row, **FREE) for row in range(3)),
        values("4 colors", 4, temperature=0.9, seed=5),
    ]
    expected = texts(backend, tiny_model, *requests)
    backend.unload()
    memory = HostMemory()
    gone: list[Any] = []

    def evict(ticks: int) -> None:
        if ticks == at:
            gone.append(weakref.ref(memory.model.loaded.model))
            memory.evict()

    live = LiveText()
    host = WatchingHost(evict, memory)
    assert texts(backend, tiny_model, *requests, host=host, live=live) == expected
    assert live.texts()[:3] == expected[:3]
    assert memory.log == ["load", "evict", "load"] and gone[0]() is None


def test_an_eviction_that_comes_again_and_again_ends_in_an_error(backend: Any, tiny_model: Path) -> None:
    memory = HostMemory()
    host = WatchingHost(lambda ticks: memory.evict(), memory)
    (error,) = outcomes(backend, tiny_model, echo("red fox tower garden"), host=host)
    assert isinstance(error, errors.BackendUnavailable) and "unloaded 3 times" in error.message
    assert texts(backend, tiny_model, enhance("red fox"), host=WatchingHost(memory=memory)) == [FOX]


def test_without_a_host_of_its_own_it_asks_the_program_that_it_is_in(
    backend: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = HostMemory()
    monkeypatch.setattr("quillwork.llm_backends.host._find_memory", lambda: None)
    use_memory(lambda: memory)
    assert texts(backend, tiny_model, enhance("red fox"), host=NullHost()) == [FOX]
    assert memory.log == ["load"]


def test_a_host_without_room_says_so(backend: Any, tiny_model: Path) -> None:
    memory = HostMemory()
    memory.refusal = errors.BackendUnavailable("No room.", hint="Make some.")
    found = outcomes(backend, tiny_model, enhance("a"), enhance("b"), host=WatchingHost(memory=memory))
    assert [str(error) for error in found] == ["No room. Make some."] * 2


def test_another_model_sends_the_first_away(backend: Any, tiny_model: Path, tmp_path: Path) -> None:
    memory = HostMemory()
    host = WatchingHost(memory=memory)
    texts(backend, tiny_model, enhance("red fox"), host=host)
    first = weakref.ref(backend._model.loaded.model)
    other = Path(shutil.copytree(tiny_model, tmp_path / "other"))
    assert texts(backend, other, enhance("red fox"), host=host) == [FOX]
    assert first() is None and memory.log == ["load", "release", "load"]
    # So do another dtype and a model that was replaced on disk.
    assert texts(backend, other, enhance("red fox"), host=host, dtype="bf16") == [FOX]
    assert memory.log[-2:] == ["release", "load"]
    (other / "config.json").write_text((other / "config.json").read_text())
    texts(backend, other, enhance("red fox"), host=host, dtype="bf16")
    assert memory.log[-4:] == ["release", "load"] * 2
    assert backend.unload() == ["other"]


def test_the_same_model_stays(backend: Any, tiny_model: Path) -> None:
    texts(backend, tiny_model, enhance("red fox"))
    first = backend._model.loaded.model
    texts(backend, tiny_model, enhance("old castle"))
    assert backend._model.loaded.model is first


def test_a_model_on_another_device_is_loaded_anew_and_never_moved(
    backend: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts(backend, tiny_model, enhance("red fox"))
    model = backend._model
    first, known = weakref.ref(model.loaded.model), id(model.loaded.model)
    moved: list[int] = []
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, *args, **kwargs: moved.append(id(self)) or self)
    model.load("meta")
    assert first() is None and known not in moved
    assert model.loaded_on.type == "meta"
    model.load("cpu")
    monkeypatch.undo()
    assert texts(backend, tiny_model, enhance("red fox")) == [FOX]


def test_unload_takes_everything(backend: Any, tiny_model: Path) -> None:
    texts(backend, tiny_model, enhance("red fox"), values("4 colors", 4))
    model = backend._model
    dead = [
        weakref.ref(model),
        weakref.ref(model.loaded.model),
        weakref.ref(model.loaded.model.lm_head.weight),
        weakref.ref(model.loaded.tokenizer),
        weakref.ref(model._masks.not_safe),
        weakref.ref(model._vocabulary),
    ]
    del model
    assert backend.unload() == [tiny_model.name]
    assert [reference() for reference in dead] == [None] * len(dead)
    assert backend.unload() == []
    assert texts(backend, tiny_model, enhance("red fox")) == [FOX]


def test_unload_within_a_call_ends_with_nothing_in_memory(backend: Any, tiny_model: Path) -> None:
    """A host's hook may unload: the call goes on, and afterwards there is nothing left."""
    memory = HostMemory()
    host = WatchingHost(lambda ticks: backend.unload() if ticks == 3 else None, memory)
    assert texts(backend, tiny_model, enhance("red fox"), host=host) == [FOX]
    assert backend._model is None and memory.model is None
    assert memory.log == ["load", "release", "load", "release"]


@pytest.fixture
def hub(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hugging Face's cache with org/tiny in it."""
    snapshot = tmp_path / "hub" / "models--org--tiny" / "snapshots" / "abc"
    shutil.copytree(tiny_model, snapshot)
    (tmp_path / "hub" / "models--org--tiny" / "refs").mkdir()
    (tmp_path / "hub" / "models--org--tiny" / "refs" / "main").write_text("abc")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return snapshot


def downloaded(repository: str, **params: Any) -> Deployment:
    return Deployment("hf_download", repository, mode="hf_download", params={"dtype": "fp32", **params})


def ask(backend: Any, deployment: Deployment) -> Any:
    live = LiveText()
    (outcome,) = backend.answer_all([enhance("red fox")], deployment, live.start(1), NullHost())
    return outcome


def test_a_downloaded_repository_is_found_in_the_cache(backend: Any, hub: Path) -> None:
    for name in ("org/tiny", "org/tiny@abc"):
        assert ask(backend, downloaded(name)).text == FOX
    assert backend._model.loaded.revision == "abc"


@pytest.mark.parametrize("place", ["tiny", "org/tiny", "org--tiny"])
def test_a_repository_in_the_models_folder(
    backend: Any, tiny_model: Path, tmp_path: Path, place: str
) -> None:
    shutil.copytree(tiny_model, tmp_path / place)
    assert ask(backend, downloaded("org/tiny", models_folder=str(tmp_path))).text == FOX


def test_a_repository_that_is_not_there(backend: Any, hub: Path) -> None:
    error = ask(backend, downloaded("org/other"))
    assert isinstance(error, errors.NotConfigured) and "not downloaded yet" in error.message
    for name in ("org", "../x/y", "a/../b", "https://x/y"):
        assert isinstance(ask(backend, downloaded(name)), errors.NotConfigured), name


def test_a_repository_that_is_there_in_part(backend: Any, hub: Path) -> None:
    file = hub / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-5])
    assert "damaged" in ask(backend, downloaded("org/tiny")).message
