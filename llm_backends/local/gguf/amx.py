"""AMX, Intel's matrix unit: a virtual machine may announce it, and the process ends at its first instruction.

llama-cpp-python is mostly compiled where it is installed, for whatever that processor announces. llama.cpp
computes by AMX on weights in a kind of buffers of its own, so without these it does not touch the unit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_PROCESSOR = Path("/proc/cpuinfo")


def cannot_be_trusted(library: Any, processor: Path = _PROCESSOR) -> bool:
    """Tell whether `library` (llama_cpp) would use an AMX unit that only a virtual machine announces.

    Nothing short of its use shows whether such a unit works. Linux alone tells; elsewhere this is False.
    """
    if b"AMX_INT8 = 1" not in library.llama_print_system_info():
        return False
    try:
        flags = processor.read_text("utf-8", "replace").partition("flags")[2].partition("\n")[0].split()
    except OSError:
        return False
    return {"hypervisor", "amx_tile"} <= set(flags)


def class_without_it(library: Any) -> Any:
    """`Llama` of `library`, told to keep its weights in ordinary buffers, which costs prompts some speed."""

    class OrdinaryBuffers(library.Llama):
        # It fills the parameters and loads the model in one go; a llama.cpp without the field ignores it.
        @property
        def model_params(self) -> Any:
            return self._model_params

        @model_params.setter
        def model_params(self, made: Any) -> None:
            made.use_extra_bufts = False
            self._model_params = made

    return OrdinaryBuffers
