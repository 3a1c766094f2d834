"""The local model on a graphics card: the fixture `card` makes one where the machine has none."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from card.graph import Event, Graph  # noqa: E402
from tiny_model.asking import WatchingHost, echo, enhance, outcomes, texts, values  # noqa: E402

from quillwork.llm_backends import errors  # noqa: E402
from quillwork.llm_backends.local.transformers_local import cuda_graph, generation, interrupts, libraries  # noqa: E402
from quillwork.llm_backends.local.transformers_local.device_memory import best_device  # noqa: E402
from quillwork.llm_backends.types import Message, Request  # noqa: E402

SYSTEM = "Write as the weather is. " * 12
FREE: dict[str, Any] = {"temperature": 1.2, "top_p": 1.0, "max_tokens": 12, "extra": {"top_k": 0}}
REQUESTS = {
    "greedy": [enhance("red fox")],
    "many": [enhance("red fox", seed=seed, temperature=0.9, max_tokens=16) for seed in range(4)],
    "of all lengths": [echo("fox"), enhance("red fox"), echo("tiny river violin train")],
    "of all kinds": [
        echo("fox", seed=1, **FREE),
        enhance("red fox", seed=2, temperature=0.5),
        enhance("blue castle", seed=3, temperature=0.8, extra={"top_k": 0}, top_p=0.6),
        enhance("blue castle", extra={"repetition_penalty": 1.3, "min_p": 0.1}),
    ],
    "a list": [values("3 colors", 3, seed=1, temperature=0.8)],
    "lists": [values("3 colors", 3, seed=seed, temperature=0.8) for seed in range(3)],
}
# The form of a list does not let it end early.
LONG = values("5 colors", 8, seed=5, temperature=0.9)
DTYPES = ["fp32", "bf16", "nf4", "int8"]


@pytest.fixture
def on_card(backend: Any, card: Any) -> Iterator[Any]:
    """The backend in a machine with a card; its models are gone before the card is."""
    assert best_device() == torch.device("cuda", 0)
    yield backend
    backend.unload()


# `benchmarks/local_gpu.py` on a small shape. In a process of its own: it loads a pack of its own.
BENCHMARK = """
import sys
from pathlib import Path
root, guard = map(Path, sys.argv[1:])
sys.path[:0] = [str(root / "tests"), str(root / "benchmarks")]
import torch
from card import machine
import local_gpu
machine.build_guard(guard)
torch.cuda.get_device_name = lambda device=None: "a card"
torch.cuda.get_allocator_backend = lambda: "cudaMallocAsync"
local_gpu.QWEN3_4B = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                          num_attention_heads=2, num_key_value_heads=1, head_dim=16)
local_gpu._GIB = 1 << 20
with machine.machine_with_a_card():
    local_gpu.measure([1, 2], 4)
"""


def usable(dtype: str) -> None:
    if dtype in ("nf4", "int8"):
        pytest.importorskip("bitsandbytes")
        if reason := libraries.missing_for_quantisation("cpu"):
            pytest.skip(reason)


def on_the_cpu(folder: Path, *requests: Any, dtype: str) -> list[str]:
    """Answer on a machine without a card."""
    from quillwork.llm_backends.local.transformers_local.backend import TransformersLocal

    made = TransformersLocal()
    try:
        return texts(made, folder, *requests, dtype=dtype)
    finally:
        made.unload()


@pytest.fixture(scope="module")
def expected(tiny_model: Path) -> dict[tuple[str, str], list[str]]:
    """The answers of the CPU, by dtype and the name of the requests."""
    return {
        (dtype, name): on_the_cpu(tiny_model, *asked, dtype=dtype)
        for dtype in ("fp32", "bf16")
        for name, asked in REQUESTS.items()
    }


@pytest.mark.parametrize("graph", [False, True], ids=["plain", "recorded"])
@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_a_card_writes_what_a_cpu_writes(
    expected: Any, on_card: Any, tiny_model: Path, dtype: str, name: str, graph: bool
) -> None:
    assert texts(on_card, tiny_model, *REQUESTS[name], dtype=dtype, cuda_graph=graph) == expected[dtype, name]
    assert (Graph.replays > 0) is graph


@pytest.mark.parametrize("graph", [False, True], ids=["plain", "recorded"])
@pytest.mark.parametrize("dtype", ["nf4", "int8"])
def test_quantised_weights_work_on_a_card(
    on_card: Any, card: Any, tiny_model: Path, dtype: str, graph: bool
) -> None:
    usable(dtype)
    found = texts(on_card, tiny_model, enhance("red fox"), echo("tiny fox"), dtype=dtype, cuda_graph=graph)
    assert found == ["oil painting of a red fox, soft morning light", "tiny fox"]
    assert on_card._model.loaded.dtype == dtype
    # bitsandbytes' int8 looks for outliers, as many as there happen to be: no step is like another.
    assert (Graph.captures > 0) is (graph and dtype == "nf4")


def test_a_checkpoint_that_is_4_bit_already_works_on_a_card(on_card: Any, tiny_model_nf4: Path) -> None:
    for graph in (False, True):
        found = texts(on_card, tiny_model_nf4, enhance("red fox"), dtype="auto", cuda_graph=graph)
        assert found == ["oil painting of a red fox, soft morning light"]


@pytest.mark.parametrize("graph", [False, True], ids=["plain", "recorded"])
@pytest.mark.parametrize("rows", [1, 4])
def test_the_processor_waits_for_the_card_once_a_token(
    on_card: Any, card: Any, tiny_model: Path, rows: int, graph: bool
) -> None:
    asked = [enhance("red fox", seed=seed, temperature=0.7, max_tokens=12) for seed in range(rows)]
    texts(on_card, tiny_model, *asked, dtype="bf16", cuda_graph=graph)
    card.waits.clear()
    answers = outcomes(on_card, tiny_model, *asked, dtype="bf16", cuda_graph=graph)
    longest = max(answer.usage.completion_tokens for answer in answers)  # type: ignore[union-attr]
    # And once to see whether the numbers are numbers.
    assert longest <= card.waits.total() <= longest + 1, card.waits


def test_a_norm_is_one_operation_of_the_card(on_card: Any, card: Any, tiny_model: Path) -> None:
    outcomes(on_card, tiny_model, LONG, dtype="bf16")
    card.asked.clear()  # loading tried whether the norms are the same
    outcomes(on_card, tiny_model, LONG, dtype="bf16")
    assert card.asked["aten::rms_norm"] >= 9 and not card.asked["aten::rsqrt"]


def test_a_recorded_step_is_replayed_for_every_token_and_recorded_once(
    on_card: Any, tiny_model: Path
) -> None:
    answers = outcomes(on_card, tiny_model, echo("fox", seed=5, **FREE), dtype="bf16", cuda_graph=True)
    count = answers[0].usage.completion_tokens  # type: ignore[union-attr]
    assert Graph.captures == 1
    assert count - 1 <= Graph.replays <= count


def test_a_longer_text_has_a_larger_recording(
    on_card: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = texts(on_card, tiny_model, LONG, dtype="fp32")
    monkeypatch.setattr(cuda_graph, "_ROOM", 16)
    assert texts(on_card, tiny_model, LONG, dtype="fp32", cuda_graph=True) == plain
    assert Graph.captures >= 2


def test_where_nothing_can_be_recorded_it_writes_all_the_same_and_says_so(
    on_card: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = texts(on_card, tiny_model, LONG, enhance("red fox"))

    def refuse(*_: Any) -> None:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nCompile with …")

    monkeypatch.setattr(Graph, "add", refuse)
    for _ in range(2):
        answers = outcomes(on_card, tiny_model, LONG, enhance("red fox"), cuda_graph=True)
        assert [answer.text for answer in answers] == plain  # type: ignore[union-attr]
        assert [len(answer.warnings) for answer in answers] == [1, 1]  # type: ignore[union-attr]
        assert "runs without a CUDA graph" in answers[0].warnings[0]  # type: ignore[union-attr]
        assert answers[0].warnings[0].endswith("capturing")  # type: ignore[union-attr]
    assert Graph.captures == 1, "it is not tried again"


@pytest.mark.parametrize("graph", [False, True], ids=["plain", "recorded"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_is_left_on_the_card(
    on_card: Any, card: Any, tiny_model: Path, dtype: str, graph: bool
) -> None:
    usable(dtype)
    before = card.memory.taken
    for _ in range(2):
        texts(on_card, tiny_model, *REQUESTS["many"], dtype=dtype, cuda_graph=graph)
        assert card.memory.taken > before
        kept = card.memory.taken
        texts(on_card, tiny_model, *REQUESTS["many"], dtype=dtype, cuda_graph=graph)
        gc.collect()
        assert card.memory.taken <= kept, "a second call takes nothing more"
        on_card.unload()
        # bitsandbytes keeps a table of 256 numbers.
        assert card.memory.taken <= before + (1024 if dtype == "nf4" else 0)


@pytest.mark.parametrize("graph", [False, True], ids=["plain", "recorded"])
def test_a_stop_leaves_the_weights_alone_on_the_card(
    on_card: Any, card: Any, tiny_model: Path, graph: bool
) -> None:
    texts(on_card, tiny_model, LONG, cuda_graph=graph)
    on_card._model.prompts.clear()
    gc.collect()
    # And what the form of a list needs to know of the tokens.
    weights = card.memory.taken
    host = WatchingHost(on_tick=lambda tick: setattr(host, "stop", tick >= 4))
    with pytest.raises(errors.Cancelled):
        outcomes(on_card, tiny_model, LONG, host=host, cuda_graph=graph)
    on_card._model.prompts.clear()
    gc.collect()
    assert card.memory.taken == weights


def test_a_stop_is_heard_while_the_card_works_off_a_prefill(
    on_card: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card computes later than it is asked: the processor must not be through long before."""
    monkeypatch.setattr(interrupts, "_LAYERS_AHEAD", 1)
    asked = enhance("red fox", max_tokens=2)
    host = WatchingHost()
    texts(on_card, tiny_model, asked, host=host)
    prefills = 2  # the system prompt, which is kept, and the rest; of two layers each
    assert Event.synchronized == 2 * prefills - 1
    on_card._model.prompts.clear()
    real = Event.synchronize

    def stop(event: Event) -> None:
        real(event)
        host.stop = True

    monkeypatch.setattr(Event, "synchronize", stop)
    Event.synchronized = 0
    with pytest.raises(errors.Cancelled):
        outcomes(on_card, tiny_model, asked, host=host)
    assert Event.synchronized == 1, "nothing was asked for after it"


@pytest.mark.parametrize("graph", [False, True], ids=["plain", "recorded"])
def test_sent_away_while_it_writes_it_comes_back_and_goes_on(
    on_card: Any, card: Any, tiny_model: Path, graph: bool
) -> None:
    undisturbed = texts(on_card, tiny_model, LONG, cuda_graph=graph)
    size, first = on_card._model.size, weakref.ref(on_card._model.loaded.model)
    card.memory.most = 0

    def evict(tick: int) -> None:
        if tick == 4:
            on_card._model.detach()

    assert texts(on_card, tiny_model, LONG, host=WatchingHost(evict), cuda_graph=graph) == undisturbed
    assert first() is None and on_card._model.loaded is not None
    assert card.memory.most < 1.9 * size, "it was gone before it came back"


def test_a_card_that_is_too_small_is_told_with_sizes(on_card: Any, card: Any, tiny_model: Path) -> None:
    others = torch.empty(card.memory.capacity - 500_000, dtype=torch.uint8, device="cuda:0")
    (answer,) = outcomes(on_card, tiny_model, enhance("red fox"))
    assert isinstance(answer, errors.BackendUnavailable)
    assert "needs about 0.0 GB as fp32" in str(answer) and "are free on cuda:0" in str(answer)
    del answer
    gc.collect()
    assert card.memory.taken == others.numel()
    del others
    assert texts(on_card, tiny_model, enhance("red fox"))


@pytest.mark.parametrize("graph", [False, True], ids=["plain", "recorded"])
def test_a_batch_that_the_card_has_no_room_for_goes_in_parts(
    on_card: Any,
    card: Any,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    graph: bool,
) -> None:
    asked = [echo("fox", seed=seed, **FREE) for seed in range(8)]
    whole = texts(on_card, tiny_model, *asked, cuda_graph=graph)
    gc.collect()
    weights = card.memory.taken
    card.memory.most = 0
    texts(on_card, tiny_model, *asked, cuda_graph=graph)
    most = card.memory.most
    # It has to find out by itself: no guess at what fits.
    monkeypatch.setattr(generation, "_rows_that_fit", lambda rows, model: len(rows))
    card.memory.capacity = weights + (most - weights) // 2
    card.memory.most = 0
    assert texts(on_card, tiny_model, *asked, cuda_graph=graph) == whole
    assert card.memory.most <= card.memory.capacity


def test_as_many_rows_go_at_once_as_the_card_has_room_for(
    on_card: Any, card: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts(on_card, tiny_model, echo("fox"))
    monkeypatch.setattr(generation, "WORKING_BYTES", 0)
    rows = [echo("fox", seed=seed, **FREE) for seed in range(8)]
    each = on_card._model.bytes_per_token * 60
    card.memory.capacity = card.memory.taken + 4 * each
    sizes: list[int] = []
    real = generation._write_batch

    def counted(batch: Any, model: Any, host: Any) -> bool:
        sizes.append(len(batch))
        return real(batch, model, host)

    monkeypatch.setattr(generation, "_write_batch", counted)
    outcomes(on_card, tiny_model, *rows)
    assert 1 <= sizes[0] < 8


@pytest.mark.parametrize("graph", [False, True], ids=["plain", "recorded"])
def test_a_model_that_sees_looks_at_pictures_on_a_card(
    on_card: Any, each_vision_model: Path, graph: bool
) -> None:
    from tiny_model.see import COLOURS, picture, sentence

    from quillwork.llm_backends.images import encode_picture

    asked = [
        Request(
            (Message("user", "What is it?", images=(encode_picture(picture(COLOURS[name], *size)),)),),
            temperature=0,
            max_tokens=24,
        )
        for name, size in {"red": (56, 56), "blue": (84, 56)}.items()
    ]
    assert texts(on_card, each_vision_model, *asked, cuda_graph=graph) == [sentence("red"), sentence("blue")]


@pytest.mark.timeout(300)
def test_the_benchmark_for_a_card_runs_on_one(tmp_path: Path) -> None:
    usable("nf4")
    done = subprocess.run(
        [sys.executable, "-c", BENCHMARK, str(Path(__file__).parents[5]), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=280,
    )
    rows = [line.split(" | ")[:2] for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    ways = ["generate", "ours", "ours, CUDA graph"]
    assert rows == [[f"| {batch}", way] for batch in (1, 2) for way in ways], done.stderr[-2000:]
    assert "0 MiB left after unloading" in done.stdout
