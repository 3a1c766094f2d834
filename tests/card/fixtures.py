"""The fixture ``card``: a machine with a graphics card, for one test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def _device_guard(tmp_path_factory: pytest.TempPathFactory) -> Any:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    if torch.cuda.is_available():
        pytest.skip("this machine has a card, and torch a guard of its own")
    from card import machine

    try:
        return machine.build_guard(tmp_path_factory.mktemp("card"))
    except machine.NoCompiler as reason:
        pytest.skip(str(reason))


@pytest.fixture
def card(_device_guard: Any) -> Iterator[Any]:
    """A `card.device.Card` of 8 GiB in this machine, for this thread."""
    from card.machine import machine_with_a_card

    with machine_with_a_card() as made:
        yield made
