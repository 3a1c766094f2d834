"""One rule for the names of GGUF files, wherever they lie."""

from __future__ import annotations

import pytest

from quillwork.llm_backends.local.gguf_names import is_model, parts_of


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("fox-Q4_K_M.gguf", True),
        ("FOX.GGUF", True),
        ("big-00001-of-00120.gguf", True),
        ("big-00002-of-00120.gguf", False),
        ("big-00099-of-00120.gguf", False),
        ("big-00100-of-00120.gguf", False),
        ("big-00120-of-00120.GGUF", False),
        ("big-10001-of-10002.gguf", False),
        ("00002-of-the-year.gguf", True),
        ("Q4/big-00100-of-00120.gguf", False),
        ("mmproj/fox.gguf", True),
        ("mmproj-fox.gguf", False),
        ("fox.mmproj-f16.gguf", False),
        ("fox.safetensors", False),
    ],
)
def test_which_file_is_a_model(name, is_one):
    assert is_model(name) is is_one


def test_a_split_model_is_all_its_parts():
    parts = parts_of("Q8/big-00001-of-00120.GGUF")
    assert len(parts) == 120
    assert (parts[0], parts[99]) == ("Q8/big-00001-of-00120.GGUF", "Q8/big-00100-of-00120.GGUF")
    assert parts_of("fox.gguf") == ["fox.gguf"]
