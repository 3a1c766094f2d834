"""One thread for torch in this process, the trained model, and a backend that is empty again afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from card.fixtures import _device_guard, card  # noqa: F401
from tiny_model.fixtures import (  # noqa: F401
    TRAINING_S,
    each_vision_model,
    tiny_calling,
    tiny_model,
    tiny_model_nf4,
    tiny_vision_model,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"tiny_model", "tiny_vision_model", "each_vision_model", "tiny_calling"} & set(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker(pytest.mark.timeout(TRAINING_S + 120))


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)


@pytest.fixture
def backend() -> Iterator[Any]:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from quillwork.llm_backends.local.transformers_local.backend import TransformersLocal

    made = TransformersLocal()
    yield made
    made.unload()


@pytest.fixture(scope="module")
def loaded(tiny_model: Any) -> Any:  # noqa: F811
    """The trained model in fp32, for tests that look at parts."""
    from quillwork.llm_backends.local.transformers_local.loading.load import load

    return load(tiny_model, "cpu", "fp32")
