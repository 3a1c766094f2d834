"""The processor's cores: how many threads are worth having for a computation that keeps each one busy."""

from __future__ import annotations

import os
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")


def physical_cores(topology: Path = _TOPOLOGY) -> int:
    """Count the cores that this process may use; two threads of one core are one.

    Where the system does not tell, half of the logical processors count, as most desktop processors have two
    threads a core.
    """
    try:
        usable = os.sched_getaffinity(0)
    except AttributeError:  # neither Windows nor macOS can tell
        return max((os.cpu_count() or 2) // 2, 1)
    cores = set()
    for number in usable:
        try:
            siblings = (topology / f"cpu{number}" / "topology" / "thread_siblings_list").read_text("ascii")
        except (OSError, ValueError):
            return max(len(usable) // 2, 1)
        cores.add(siblings.strip())
    return max(len(cores), 1)
