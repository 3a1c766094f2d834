"""A machine with the card in it: parts of torch are exchanged for it, and restored."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch
import torch._dynamo  # it looks at what is exchanged below, and would not know it afterwards

from card.device import Card, inserted, keeping_its_kind
from card.graph import Event, Graph, replacements

with contextlib.suppress(ImportError):
    # Imported beside a card it would want its library for one.
    import bitsandbytes.functional as bitsandbytes_functional

GIB = 1024**3
_GUARD = Path(__file__).with_name("guard.cpp")


class NoCompiler(Exception):
    """The guard cannot be built here."""


def build_guard(folder: Path) -> Any:
    """torch's guard for CUDA devices, built into `folder` and in this process for good; it does nothing."""
    compiler = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
    if compiler is None:
        raise NoCompiler("no C++ compiler, and without CUDA torch has no guard for its devices")
    home, library = Path(torch.__file__).parent, folder / "guard.so"
    command = [compiler, "-std=c++20", "-shared", "-fPIC", f"-I{home / 'include'}", str(_GUARD)]
    command += ["-o", str(library), f"-L{home / 'lib'}", "-lc10", f"-Wl,-rpath,{home / 'lib'}"]
    subprocess.run(command, check=True, timeout=110)
    return ctypes.CDLL(str(library))


@contextlib.contextmanager
def machine_with_a_card(capacity: int = 8 * GIB) -> Iterator[Card]:
    """A card of `capacity` bytes for this thread; the guard has to be there already."""
    overwrites = torch.__future__.get_overwrite_module_params_on_conversion()
    lifts = torch._C._only_lift_cpu_tensors()
    with contextlib.ExitStack() as stack:
        stack.callback(torch.__future__.set_overwrite_module_params_on_conversion, overwrites)
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        stack.callback(torch._C._set_only_lift_cpu_tensors, lifts)
        torch._C._set_only_lift_cpu_tensors(True)
        # Threads of its own would load on to a card that they do not see.
        stack.enter_context(mock.patch.dict(os.environ, {"HF_DEACTIVATE_ASYNC_LOAD": "1"}))
        stack.enter_context(_files_opened_on_the_cpu())
        if "bitsandbytes_functional" in globals():
            # It keeps a table on the device that it computes on first.
            stack.enter_context(mock.patch.object(bitsandbytes_functional, "name2qmap", {}))
        made = stack.enter_context(inserted(capacity))
        for name, value in replacements(made).items():
            stack.enter_context(mock.patch.object(torch.cuda, name, value))
        make = keeping_its_kind(torch.Tensor._make_subclass)
        stack.enter_context(mock.patch.object(torch.Tensor, "_make_subclass", make))
        Graph.replays = Graph.captures = Event.synchronized = 0
        yield made


def _files_opened_on_the_cpu() -> Any:
    """transformers before 5 has safetensors read straight to a card, by way of torch's C++."""
    from transformers import modeling_utils

    opened = getattr(modeling_utils, "safe_open", None)
    if opened is None:
        return contextlib.nullcontext()

    def open_on_the_cpu(file: Any, framework: str = "pt", device: Any = "cpu", **options: Any) -> Any:
        return opened(file, framework, "cpu", **options)

    return mock.patch.object(modeling_utils, "safe_open", open_on_the_cpu)
