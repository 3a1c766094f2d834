from __future__ import annotations

import pytest

from quillwork.config.model_source import DEFAULT_REPOSITORY
from quillwork.config.models.sizes import SIZES, as_rows, suggested


@pytest.mark.parametrize(
    ("free_gb", "on_gpu", "name"),
    [
        (None, True, "standard"),
        (0.8, True, "tiny"),
        (1.5, True, "tiny"),
        (2.6, True, "small"),
        (4.0, True, "standard"),
        # The rest of a large card's memory serves the images.
        (96.0, True, "standard"),
        (64.0, False, "tiny"),
    ],
)
def test_the_size_that_fits_is_suggested(free_gb: float | None, on_gpu: bool, name: str) -> None:
    assert suggested(free_gb, on_gpu=on_gpu).name == name


def test_sizes_grow_and_the_default_is_one_of_them() -> None:
    for key in ("download_gb", "needs_gb"):
        figures = [row[key] for row in as_rows()]
        assert figures == sorted(set(figures))
    assert all(size.needs_gb > size.download_gb for size in SIZES)
    assert [size.name for size in SIZES if size.repository == DEFAULT_REPOSITORY] == ["standard"]
