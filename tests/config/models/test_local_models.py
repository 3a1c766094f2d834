"""Local models: the list of those in the host's folders."""

from __future__ import annotations

import pytest

from quillwork.config.models import local_models
from quillwork.config.settings.home import use_llm_folders


@pytest.fixture
def folder(tmp_path):
    use_llm_folders(lambda: [tmp_path])
    yield tmp_path
    use_llm_folders(lambda: ())


def test_a_model_in_many_parts_is_listed_once(folder):
    for part in range(1, 121):
        (folder / f"big-{part:05d}-of-00120.gguf").write_bytes(b"")
    for name in ("mmproj-big.gguf", "small-00002-of-5.gguf", "Shout.GGUF"):
        (folder / name).write_bytes(b"")
    assert [model.name for model in local_models.models(refresh=True)] == [
        "big-00001-of-00120.gguf",
        "Shout.GGUF",
        "small-00002-of-5.gguf",
    ]
