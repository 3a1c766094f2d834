"""Reports of faults in extensions, as the hosts make them: on stderr, and nowhere else."""

from __future__ import annotations

import sys
import textwrap
import traceback


def report(message: str, *, exc_info: bool = False) -> None:
    """Print `message` behind three stars, with the traceback of the current exception if asked."""
    lines = [f"*** {line}" for line in message.splitlines()]
    if exc_info:
        lines += [textwrap.indent(traceback.format_exc(), "    "), "---"]
    print("\n".join(lines), file=sys.stderr, flush=True)
