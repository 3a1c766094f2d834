"""Real small models, through llama.cpp and through transformers."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Loading one, and a few hundred tokens of it, on two slow cores.
SLOW_S = 900
# The smallest ones ramble; enough for the shortest prompt that a target wants.
MOST = 64
# One case of each kind: transformers takes several times as long as llama.cpp.
BY_HF = ("flux1_dev", "season", "image_is_refused", "chat_goes_on", "tools_are_called")
SMOLLM = "SmolLM2-135M-Instruct.gguf"
FILES = {
    "smollm2": SMOLLM,
    "gemma3": "gemma-3-270m-it-Q4_K_M.gguf",
    "qwen2.5": "qwen2.5-coder-1.5b-instruct-q4.gguf",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(SLOW_S))
    items[:] = [item for item in items if "[hf-" not in item.name or any(map(item.name.count, BY_HF))]


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Leave one core to this process, for as long as a model is loaded, which makes a thread for each.

    Beside other lanes, threads that wait for each other at every step take many times as long as one alone.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(usable)})
    try:
        yield
    finally:
        for thread in Path("/proc/self/task").iterdir():
            with contextlib.suppress(ProcessLookupError):  # it has ended
                os.sched_setaffinity(int(thread.name), usable)


@pytest.fixture(scope="session")
def folder() -> Path:
    """The folder of the lane `models`, which tests/lane_needs.py fills."""
    named = os.environ.get("QUILLWORK_TEST_MODELS", "")
    if not named:
        pytest.skip("real models are fetched by the lane `models`, or named by QUILLWORK_TEST_MODELS")
    return Path(named)


@pytest.fixture(scope="session")
def as_safetensors(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Models as transformers loads them: their GGUF files, unpacked."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("gguf")
    transformers = pytest.importorskip("transformers")
    torch.set_num_threads(1)

    def unpacked(file: str) -> Path:
        made = tmp_path_factory.mktemp("models") / Path(file).stem
        model = transformers.AutoModelForCausalLM.from_pretrained(
            str(folder), gguf_file=file, dtype=torch.bfloat16
        )
        # It still says that it is quantized, and so would not be saved.
        model.hf_quantizer = None
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(made)
        transformers.AutoTokenizer.from_pretrained(str(folder), gguf_file=file).save_pretrained(made)
        return made

    return unpacked


@pytest.fixture(
    scope="session", params=["gguf-smollm2", "gguf-gemma3", "hf-smollm2", "hf-gemma3", "gguf-qwen2.5"]
)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real model, opened as a node opens it; loaded once for all of its tests."""
    from quillwork.config.choice import Choice
    from quillwork.config.opening import open_model
    from quillwork.llm_backends.runner import run_in_place
    from quillwork.llm_backends.types import Message, Request

    route, _, name = request.param.partition("-")
    if route == "gguf":
        pytest.importorskip("llama_cpp")
        path = request.getfixturevalue("folder") / FILES[name]
        if not path.exists():
            pytest.skip(f"{path.name} comes with QUILLWORK_BENCH_MODEL=1")
    else:
        path = request.getfixturevalue("as_safetensors")(FILES[name])
    kept = os.environ.get("QUILLWORK_HOME")
    os.environ["QUILLWORK_HOME"] = str(tmp_path_factory.mktemp("home"))
    mode = "gguf" if route == "gguf" else "hf_local"
    opened = open_model(Choice(llm_mode=mode, llm_model=str(path), max_tokens=MOST, by_workflow=False))
    with one_core():
        run_in_place(opened.ask([Request((Message("user", "Hello"),), max_tokens=1)]))
    yield opened
    if kept is None:
        del os.environ["QUILLWORK_HOME"]
    else:
        os.environ["QUILLWORK_HOME"] = kept
