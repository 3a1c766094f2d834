"""Several answers at once through the real llama.cpp: as good as alone, and one after another where not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_model.as_gguf import write_gguf
from tiny_model.asking import WatchingHost, enhance, values
from tiny_model.fixtures import TRAINING_S
from tiny_model.train import enhanced

from quillwork.llm_backends import errors
from quillwork.llm_backends.local.gguf import backend as gguf_backend
from quillwork.llm_backends.local.gguf import parallel
from quillwork.llm_backends.local.gguf.backend import Gguf
from quillwork.llm_backends.local.gguf.prompt import Prompt
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Deployment, Request, Result

llama_cpp = pytest.importorskip("llama_cpp")
pytestmark = pytest.mark.timeout(TRAINING_S + 120)

PAIRS = (("red", "fox"), ("old", "castle"), ("tiny", "robot"), ("golden", "river"))
WANTED = [enhanced(*pair) for pair in PAIRS]


def asked(**changes: Any) -> list[Request]:
    return [enhance(" ".join(pair), **changes) for pair in PAIRS]


@pytest.fixture(scope="session")
def tiny_gguf(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tiny_model, tmp_path_factory.mktemp("parallel") / "tiny.gguf")


@pytest.fixture
def backend() -> Iterator[Gguf]:
    made = Gguf()
    yield made
    made.unload()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of sequences of each context for several answers that was made."""
    counts: list[int] = []
    real = parallel.Sequences.__init__

    def counting(self: Any, library: Any, llama: Any, count: int, *more: Any) -> None:
        counts.append(count)
        real(self, library, llama, count, *more)

    monkeypatch.setattr(parallel.Sequences, "__init__", counting)
    return counts


def ask(backend: Gguf, file: Path, requests: list[Request], host: Any = None, live: Any = None) -> list[Any]:
    deployment = Deployment("gguf", str(file), mode="gguf", is_local=True)
    sinks = (live or LiveText()).start(len(requests))
    return backend.answer_all(requests, deployment, sinks, host or WatchingHost())


def texts(backend: Gguf, file: Path, requests: list[Request], host: Any = None) -> list[str]:
    answers = ask(backend, file, requests, host)
    assert all(isinstance(answer, Result) for answer in answers), answers
    return [answer.text for answer in answers]


def test_each_is_what_it_would_be_alone_in_fewer_steps(
    backend: Gguf, tiny_gguf: Path, made: list[int]
) -> None:
    alone, together = WatchingHost(), WatchingHost()
    assert [texts(backend, tiny_gguf, [one], alone) for one in asked()] == [[text] for text in WANTED]
    assert made == []
    assert texts(backend, tiny_gguf, asked(), together) == WANTED
    assert made == [4]
    assert together.ticks < 0.5 * alone.ticks


def test_all_are_shown_on_the_way_and_counted(backend: Gguf, tiny_gguf: Path) -> None:
    live = LiveText()
    seen: list[str] = []
    host = WatchingHost(on_tick=lambda _: seen.append(live.text()))
    answers = ask(backend, tiny_gguf, asked(max_tokens=6), host, live)
    assert [answer.finish_reason for answer in answers] == ["length"] * 4
    assert [answer.usage.completion_tokens for answer in answers] == [6] * 4
    assert any(all(wanted[:4] in text for wanted in WANTED) and len(text) < len(live.text()) for text in seen)


def test_more_than_there_are_sequences_take_the_places_of_those_that_are_over(
    backend: Gguf, tiny_gguf: Path, made: list[int]
) -> None:
    assert texts(backend, tiny_gguf, asked() * 3) == WANTED * 3
    assert made == [parallel.MOST_SEQUENCES]


def test_variations_of_one_idea_follow_their_seeds(backend: Gguf, tiny_gguf: Path) -> None:
    def free() -> list[Request]:
        hot = {"temperature": 20.0, "top_p": 1.0, "max_tokens": 24, "extra": {"top_k": 0}}
        return [enhance("red fox", seed=seed, **hot) for seed in (1, 2, 3, 1)]

    first, again = (texts(backend, tiny_gguf, free()) for _ in range(2))
    assert first == again
    assert len(set(first[:3])) == 3


def test_a_list_is_held_to_its_form_beside_free_text(backend: Gguf, tiny_gguf: Path, made: list[int]) -> None:
    # Too hot for the model to know what it does: the grammar alone holds it.
    hot = {"temperature": 30.0, "top_p": 1.0, "extra": {"top_k": 0}}
    wild = values("4 animals", 4, seed=3, max_tokens=12, **hot)
    answers = ask(backend, tiny_gguf, [values("3 colors", 3), enhance("red fox"), wild])
    assert [answer.text for answer in answers[:2]] == ['{"values": ["red", "green", "blue"]}', WANTED[0]]
    assert "".join(answers[2].text.split()).startswith('{"values":[')
    assert made == [3]


def test_a_stop_ends_all_within_a_step(backend: Gguf, tiny_gguf: Path) -> None:
    host = WatchingHost()
    host._on_tick = lambda tick: setattr(host, "stop", tick == 5)
    with pytest.raises(errors.Cancelled):
        ask(backend, tiny_gguf, asked(), host)
    assert host.ticks == 5
    assert backend._model is not None and backend._model._sequences is None
    assert texts(backend, tiny_gguf, asked()) == WANTED


def test_a_stop_is_heard_inside_a_step(backend: Gguf, tiny_gguf: Path) -> None:
    class Impatient(WatchingHost):
        """A host that says stop at the third question within a step, where only llama.cpp asks."""

        asked = 0

        def cancelled(self) -> bool:
            self.asked += 1
            return self.ticks == 12 and self.asked > 3

        def tick(self) -> None:
            super().tick()
            self.asked = 0

    host = Impatient()
    with pytest.raises(errors.Cancelled):
        ask(backend, tiny_gguf, asked(), host)
    assert host.ticks == 12


def test_what_a_hook_raises_comes_out_and_leaves_it_usable(backend: Gguf, tiny_gguf: Path) -> None:
    class Interrupt(BaseException):
        pass

    def raise_it(tick: int) -> None:
        if tick == 6:
            raise Interrupt

    with pytest.raises(Interrupt):
        ask(backend, tiny_gguf, asked(), WatchingHost(on_tick=raise_it))
    assert texts(backend, tiny_gguf, asked()) == WANTED


@pytest.mark.parametrize("tick", [1, 3, 9])
def test_unloaded_in_the_middle_they_begin_again(backend: Gguf, tiny_gguf: Path, tick: int) -> None:
    live = LiveText()
    host = WatchingHost(on_tick=lambda now: backend.unload() if now == tick else None)
    answers = ask(backend, tiny_gguf, asked(), host, live)
    assert [answer.text for answer in answers] == WANTED
    assert backend.unload() == []


@pytest.mark.parametrize("name", ["llama_memory_seq_cp", "llama_state_seq_set_data"])
def test_without_a_function_they_come_one_after_another(
    backend: Gguf, tiny_gguf: Path, made: list[int], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delattr(llama_cpp, name)
    assert texts(backend, tiny_gguf, asked()) == WANTED
    assert made == []


def test_where_llama_cpp_fails_they_come_one_after_another(
    backend: Gguf, tiny_gguf: Path, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama_cpp, "llama_init_from_model", lambda *_: None)
    # The model's own context is made by a reference of its own.
    assert texts(backend, tiny_gguf, asked()) == WANTED
    assert made == [4]


def test_no_more_are_written_at_once_than_memory_is_free_for(
    backend: Gguf, tiny_gguf: Path, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_backend, "free_memory", lambda: 0)
    assert texts(backend, tiny_gguf, asked(max_tokens=200)) == WANTED
    assert made == []
    model = backend._model
    assert model is not None
    cell = parallel.bytes_of_cell(llama_cpp, model._llama)
    # Half of it, for prompts of a few dozen tokens and their answers.
    monkeypatch.setattr(gguf_backend, "free_memory", lambda: 2 * (parallel._BUFFERS + cell * 700))
    assert texts(backend, tiny_gguf, asked(max_tokens=200)) == WANTED
    assert made in ([2], [3])


def test_one_that_cannot_begin_does_not_keep_the_others_from_it(
    backend: Gguf, tiny_gguf: Path, made: list[int]
) -> None:
    *others, long = ask(backend, tiny_gguf, [*asked(), enhance("fox " * 20_000)])
    assert [answer.text for answer in others] == WANTED
    assert isinstance(long, errors.ContextOverflow)
    assert made == [4]


def test_the_count_that_fits() -> None:
    megabyte = 1024**2
    room = parallel._BUFFERS + 100 * megabyte
    assert parallel.count_that_fits(8, 20, 10, megabyte, room) == 8
    assert parallel.count_that_fits(8, 20, 25, megabyte, room) == 3
    assert parallel.count_that_fits(2, 20, 10, megabyte, room) == 2
    assert parallel.count_that_fits(99, 0, 1, megabyte, room) == parallel.MOST_SEQUENCES
    assert parallel.count_that_fits(8, 200, 10, megabyte, room) == 0
    assert parallel.count_that_fits(8, 0, 10, megabyte, 0) == 0


def test_common_pieces_end_before_the_last_of_a_prompt_and_where_they_differ() -> None:
    one, same = Prompt((1, 2, 3, 4, 5, 6)), Prompt((1, 2, 3, 4, 5, 6))
    other, short = Prompt((1, 2, 3, 9, 5, 6)), Prompt((1, 2))
    assert [end for _, end, _ in parallel.common_pieces([one, same], 2)] == [2, 4]
    assert [end for _, end, _ in parallel.common_pieces([one, other], 2)] == [2]
    assert parallel.common_pieces([one, short], 2) == []


def test_a_model_that_forgets_in_order_writes_one_after_another() -> None:
    llama = SimpleNamespace(model=None, _init_sampler=None, context_params=None)

    def library(recurrent: bool) -> Any:
        functions = {name: None for name in parallel._FUNCTIONS}
        return SimpleNamespace(
            **functions,
            llama_context_params=llama_cpp.llama_context_params,
            llama_model_is_recurrent=lambda _: recurrent,
        )

    assert parallel.is_possible(library(False), llama)
    assert not parallel.is_possible(library(True), llama)
