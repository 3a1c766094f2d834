"""A lock on an open file between programs; it ends with the process that holds it."""

from __future__ import annotations

import os
from typing import BinaryIO

if os.name == "nt":
    import msvcrt

    def lock(stream: BinaryIO) -> None:
        """Take the lock, or raise OSError at once where another program holds it."""
        # One byte far behind the end: a locked byte cannot be read by others on Windows.
        stream.seek(2**40)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]

else:
    import fcntl

    def lock(stream: BinaryIO) -> None:
        """Take the lock, or raise OSError at once where another program holds it."""
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
