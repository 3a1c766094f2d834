"""A matrix unit that a virtual machine only announces ends the process, and is left alone."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny_model.as_gguf import write_gguf
from tiny_model.fixtures import TRAINING_S

from quillwork.llm_backends.local.gguf import amx
from quillwork.llm_backends.local.gguf.model import GgufModel


@pytest.mark.parametrize(
    ("built", "flags", "left_alone"),
    [
        ("AVX512 = 1 | AMX_INT8 = 1 | REPACK = 1", "fpu hypervisor amx_bf16 amx_tile amx_int8", True),
        ("AVX512 = 1 | AMX_INT8 = 1 | REPACK = 1", "fpu amx_bf16 amx_tile amx_int8", False),
        ("AVX512 = 1 | AMX_INT8 = 1 | REPACK = 1", "fpu hypervisor avx512f", False),
        ("AVX512 = 1 | REPACK = 1", "fpu hypervisor amx_bf16 amx_tile amx_int8", False),
    ],
)
def test_it_is_left_alone_where_a_virtual_machine_announces_it(
    tmp_path: Path, built: str, flags: str, left_alone: bool
) -> None:
    library = SimpleNamespace(llama_print_system_info=lambda: f"CPU : {built} | ".encode())
    processor = tmp_path / "cpuinfo"
    processor.write_text(f"model name\t: Xeon\nflags\t\t: {flags}\nbugs\t\t: spectre\n")
    assert amx.cannot_be_trusted(library, processor) is left_alone
    assert not amx.cannot_be_trusted(library, tmp_path / "missing")


@pytest.mark.timeout(TRAINING_S)
@pytest.mark.skipif(find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed here")
def test_a_model_without_it_keeps_its_weights_in_ordinary_buffers(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_gguf = write_gguf(tiny_model, tmp_path / "tiny.gguf")
    for mistrusted in (True, False):
        monkeypatch.setattr(amx, "cannot_be_trusted", lambda _, answer=mistrusted: answer)
        model = GgufModel(tiny_gguf)
        model.load(None)
        assert model._llama.model_params.use_extra_bufts is not mistrusted
        model.detach()
