"""Interrupts: within a token, inside a prefill, and with nothing left behind."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tiny_model.asking import WatchingHost, echo, enhance, outcomes, texts, values  # noqa: E402

from quillwork.llm_backends.errors import Cancelled  # noqa: E402
from quillwork.llm_backends.streaming.live import LiveText  # noqa: E402

FOX = "oil painting of a red fox, soft morning light"
LONG = "fox " * 1500


class HostStop(Exception):
    """The interrupt that a host raises from its own progress hook."""


class StopsWhenAsked(WatchingHost):
    """A host that says stop from the `after`-th question on, and counts them."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after, self.asked = after, 0

    def cancelled(self) -> bool:
        self.asked += 1
        return self.asked > self.after


def hooks(backend: Any) -> int:
    return sum(len(module._forward_pre_hooks) for module in backend._model.loaded.model.modules())


def test_stop_is_heard_at_the_next_token(backend: Any, tiny_model: Path) -> None:
    live = LiveText()
    host = WatchingHost()
    at_stop: list[str] = []

    def stop(_: int) -> None:
        if not host.stop and all(live.texts() or [""]):
            host.stop = True
            at_stop.extend(live.texts())

    host._on_tick = stop
    with pytest.raises(Cancelled):
        outcomes(backend, tiny_model, enhance("red fox"), enhance("old castle"), host=host, live=live)
    assert live.texts() == at_stop
    assert all(text and len(text) < 20 for text in at_stop)
    assert texts(backend, tiny_model, enhance("red fox")) == [FOX]


def test_stop_before_anything_begins(backend: Any, tiny_model: Path) -> None:
    host = WatchingHost()
    host.stop = True
    with pytest.raises(Cancelled):
        outcomes(backend, tiny_model, enhance("red fox"), host=host)
    assert backend._model is None


@pytest.mark.parametrize("after", [2, 5, 12])
def test_stop_is_heard_inside_a_prefill(backend: Any, tiny_model: Path, after: int) -> None:
    texts(backend, tiny_model, enhance("red fox"))
    host, live = StopsWhenAsked(after), LiveText()
    with pytest.raises(Cancelled):
        outcomes(backend, tiny_model, echo(LONG), host=host, live=live)
    assert host.asked == after + 1 and live.texts() == [""]
    assert hooks(backend) == 0
    assert texts(backend, tiny_model, enhance("red fox")) == [FOX]


def test_a_prefill_ends_soon_after_stop(backend: Any, tiny_model: Path) -> None:
    """A prefill of some seconds, stopped from another thread as a user's click is."""
    texts(backend, tiny_model, enhance("red fox"))
    host = WatchingHost()
    stopped: list[float] = []

    def stop() -> None:
        stopped.append(time.monotonic())
        host.stop = True

    timer = threading.Timer(0.3, stop)
    timer.start()
    with pytest.raises(Cancelled):
        outcomes(
            backend,
            tiny_model,
            *(echo("fox " * 5000 + str(row), max_tokens=4) for row in range(8)),
            host=host,
        )
    timer.join()
    assert stopped
    assert time.monotonic() - stopped[0] < 10  # a bound against hanging; how soon is measured in benchmarks
    assert threading.active_count() < 20


def test_the_hosts_own_interrupt_passes_through(backend: Any, tiny_model: Path) -> None:
    texts(backend, tiny_model, enhance("red fox"))

    def raise_at(number: int) -> Any:
        def tick(ticks: int) -> None:
            if ticks == number:
                raise HostStop

        return tick

    for number in (1, 4):
        with pytest.raises(HostStop):
            outcomes(backend, tiny_model, values("4 colors", 4), host=WatchingHost(raise_at(number)))
        assert hooks(backend) == 0
    assert texts(backend, tiny_model, enhance("red fox")) == [FOX]


def test_no_tensor_and_no_thread_is_left(backend: Any, tiny_model: Path) -> None:
    texts(backend, tiny_model, enhance("red fox"))
    backend._model.prompts.clear()

    def tensors() -> int:
        gc.collect()
        return sum(1 for item in gc.get_objects() if issubclass(type(item), torch.Tensor))

    before, threads = tensors(), set(threading.enumerate())
    for host in (StopsWhenAsked(4), StopsWhenAsked(40)):
        try:
            outcomes(
                backend,
                tiny_model,
                *(echo("fox lamp", seed=row, temperature=3.0) for row in range(4)),
                host=host,
            )
        except Cancelled:
            pass
        else:
            pytest.fail("it was not stopped")
    backend._model.prompts.clear()
    assert tensors() == before and set(threading.enumerate()) == threads


def test_weights_die_when_unloaded_after_a_stop(backend: Any, tiny_model: Path) -> None:
    with pytest.raises(Cancelled):
        outcomes(backend, tiny_model, enhance("red fox"), host=StopsWhenAsked(8))
    model = weakref.ref(backend._model.loaded.model)
    backend.unload()
    assert model() is None
