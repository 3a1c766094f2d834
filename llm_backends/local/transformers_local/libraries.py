"""The heavy libraries: imported at first use, checked for their versions, their differences evened out."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from typing import Any

from ... import errors
from ...host import program

# Qwen3 came with 4.51; the oldest that the suite runs on.
OLDEST_TRANSFORMERS = (4, 51)
_WANTED = ".".join(map(str, OLDEST_TRANSFORMERS))


def transformers() -> Any:
    """The module ``transformers``.
    Raises `DependencyMissing` when it, torch or tokenizers is missing, broken or too old."""
    try:
        import torch  # noqa: F401
        import transformers
    except ImportError as error:
        name = (error.name or "transformers").partition(".")[0]
        raise errors.DependencyMissing(
            f"Local models need the Python package {name}, which could not be imported.",
            hint=f"Install torch and transformers {_WANTED} or newer in {program()}'s Python environment.",
        ) from None
    if version("transformers") < OLDEST_TRANSFORMERS:
        raise errors.DependencyMissing(
            f"Local models need transformers {_WANTED} or newer, but {transformers.__version__} is "
            "installed.",
            hint="Use a GGUF file, a server (LLM_BASE_URL) or a provider instead. Programs that pin an "
            "older version, as the web UIs do, break if it is updated.",
        )
    return transformers


def prepare_bitsandbytes() -> None:
    """Import bitsandbytes first, where nothing has imported it yet, and without the package kernels.

    On some processors it would have kernels fetch native code from the hub and run it, unasked; where kernels
    is missing, it advises users to install it.
    """
    if "bitsandbytes" in sys.modules:
        return
    advice, hidden = logging.getLogger("bitsandbytes.backends.cpu.ops"), "kernels"
    there, silent = sys.modules.get(hidden), advice.disabled
    sys.modules[hidden] = None  # type: ignore[assignment] # an import of it fails
    advice.disabled = True
    try:
        importlib.import_module("bitsandbytes")
    finally:
        advice.disabled = silent
        if there is None:
            del sys.modules[hidden]
        else:
            sys.modules[hidden] = there


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' progress bars and advice to programmers off the terminal, which is the host's.

    Both are restored afterwards.
    """
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars
    from transformers.utils import logging as bars

    shown, hub_silent = bars.is_progress_bar_enabled(), are_progress_bars_disabled()
    level = bars.get_verbosity()
    bars.disable_progress_bar()
    bars.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            for kind in (FutureWarning, DeprecationWarning, PendingDeprecationWarning):
                warnings.simplefilter("ignore", kind)
            yield
    finally:
        bars.set_verbosity(level)
        if shown:
            bars.enable_progress_bar()
            if hub_silent:
                disable_progress_bars()


@cache
def version(package: str) -> tuple[int, ...]:
    """The installed version's leading numbers; () when it is not installed."""
    try:
        text = metadata.version(package)
    except metadata.PackageNotFoundError:
        return ()
    numbers = []
    for part in text.split(".")[:3]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


def missing_for_quantisation(device_type: str) -> str:
    """The reason why nothing can be quantised on such a device, as a clause; empty when it can."""
    if device_type not in ("cuda", "cpu", "xpu", "hpu"):
        return f"bitsandbytes does not support {device_type}"
    for package in ("bitsandbytes", "accelerate"):
        if importlib.util.find_spec(package) is None:
            return f"the Python package {package} is not installed"
    if device_type == "cpu" and version("transformers") < (4, 53):
        return f"transformers {metadata.version('transformers')} cannot do that on a CPU (4.53 can)"
    return ""


def dtype_argument(dtype: Any) -> dict[str, Any]:
    """The keyword of `from_pretrained` that chooses the dtype: it was renamed in 4.56."""
    return {"dtype" if version("transformers") >= (4, 56) else "torch_dtype": dtype}


def out_of_memory_errors() -> tuple[type[BaseException], ...]:
    """The exceptions that torch raises when a GPU is full."""
    import torch

    return (getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError),)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether a GPU or this machine's memory was full: on the CPU torch says so in its message only."""
    if isinstance(error, (MemoryError, *out_of_memory_errors())):
        return True
    text = str(error).lower()
    return isinstance(error, (RuntimeError, OSError)) and (
        "out of memory" in text or "not enough memory" in text or "cannot allocate memory" in text
    )
