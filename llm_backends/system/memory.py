"""The memory of this machine that is free."""

from __future__ import annotations

import contextlib
import importlib
import re
from pathlib import Path

_LINUX = Path("/proc/meminfo")


def free_memory() -> int | None:
    """The bytes that programs can still take without swapping; None where that is unknown."""
    with contextlib.suppress(Exception):  # an optional package
        return int(importlib.import_module("psutil").virtual_memory().available)
    try:
        found = re.search(r"^MemAvailable:\s*(\d+) kB", _LINUX.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None
