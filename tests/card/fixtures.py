"""The fixture ``card``: a machine with a graphics card, for one test."""

from __future__ import annotations

import contextlib
import ctypes
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

GIB = 1024**3
_GUARD = Path(__file__).with_name("guard.cpp")


@pytest.fixture(scope="session")
def _device_guard(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """torch's guard for CUDA devices, built once and in this process for good; it does nothing."""
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a card, and torch a guard of its own")
    compiler = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
    if compiler is None:
        pytest.skip("no C++ compiler, and torch has no guard for CUDA devices without CUDA")
    folder = Path(torch.__file__).parent
    library = tmp_path_factory.mktemp("card") / "guard.so"
    command = [compiler, "-std=c++20", "-shared", "-fPIC", f"-I{folder / 'include'}", str(_GUARD)]
    command += ["-o", str(library), f"-L{folder / 'lib'}", "-lc10", f"-Wl,-rpath,{folder / 'lib'}"]
    subprocess.run(command, check=True, timeout=110)
    return ctypes.CDLL(str(library))


@pytest.fixture
def card(_device_guard: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A `card.device.Card` of 8 GiB in this machine, for this thread; its tensors are gone afterwards."""
    import torch
    import torch._dynamo

    from card import device, graph

    with contextlib.suppress(ImportError):
        # Imported beside a card it would want its library for one.
        from bitsandbytes import functional

        # It keeps a table on the device that it computes on first.
        monkeypatch.setattr(functional, "name2qmap", {})

    # Threads of its own would load on to a card that they do not see.
    monkeypatch.setenv("HF_DEACTIVATE_ASYNC_LOAD", "1")
    _open_files_on_the_cpu(monkeypatch)
    overwrites = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    lifts = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)
    try:
        with device.inserted(8 * GIB) as made:
            for name, value in graph.replacements().items():
                monkeypatch.setattr(torch.cuda, name, value)
            make = device.keeping_its_kind(torch.Tensor._make_subclass)
            monkeypatch.setattr(torch.Tensor, "_make_subclass", make)
            graph.Graph.replays = graph.Graph.captures = 0
            yield made
    finally:
        torch._C._set_only_lift_cpu_tensors(lifts)
        torch.__future__.set_overwrite_module_params_on_conversion(overwrites)


def _open_files_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers before 5 has safetensors read straight to a card, by way of torch's C++."""
    from transformers import modeling_utils

    opened = getattr(modeling_utils, "safe_open", None)
    if opened is not None:
        monkeypatch.setattr(
            modeling_utils,
            "safe_open",
            lambda file, framework="pt", device="cpu", **options: opened(file, framework, "cpu", **options),
        )
