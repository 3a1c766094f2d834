"""Pictures read in processes of their own, so that the calls need not wait for the interpreter's lock."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import IO

from ...llm_backends import errors
from ...llm_backends.images import read_picture
from ...llm_backends.types import Image

# A process costs its start and a copy of Pillow. Threads keep two processors less busy: Pillow holds the lock
# for as long as it encodes.
_FEWEST_PICTURES, _FEWEST_CPUS = 100, 2
_PACK = Path(__file__).resolve().parents[2] / "__main__.py"
# The current folder, which Python puts first, is the user's.
_PROGRAM = """
import runpy, sys
del sys.path[0]
runpy.run_path(sys.argv[1], run_name="quillwork_pictures")
from quillwork.prompting.jobs.picture_readers import answer_pictures
answer_pictures()
"""
_ERRORS = {kind.__name__: kind for kind in (errors.BadRequest, errors.DependencyMissing)}
_LENGTH, _OUTCOME = struct.Struct(">Q"), struct.Struct(">?Q")


class PictureReaders:
    """Readers for a job of so many `pictures`, in processes where that is worth it. A context manager.

    Not by `multiprocessing`: it imports a host's main module again, and its pools may hang where the system
    kills one of their processes.
    """

    def __init__(self, pictures: int, cpus: int | None = None) -> None:
        self.in_processes = (
            pictures >= _FEWEST_PICTURES and (cpus or _usable_cpus()) >= _FEWEST_CPUS and _is_python()
        )
        self.processes: list[subprocess.Popen[bytes]] = []
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()

    def __enter__(self) -> PictureReaders:
        return self

    def __exit__(self, *raised: object) -> None:
        # Each ends when nothing more can come, all of them at the same time.
        for process in self.processes:
            with contextlib.suppress(OSError, ValueError):
                stream, process.stdin = process.stdin, None
                if stream is not None:
                    stream.close()
        for process in self.processes:
            # A job that was stopped may have a thread that reads there.
            with contextlib.suppress(OSError, ValueError):
                process.communicate()

    def read(self, data: bytes) -> Image:
        """Do what `read_picture` does, in an idle process: there are as many as threads that call this.

        Where one has ended or cannot be started the picture is read here.
        """
        process = self._taken() if self.in_processes else None
        if process is None or process.stdin is None or process.stdout is None:
            return read_picture(data)
        try:
            send(process.stdin, _LENGTH.pack(len(data)), data)
            is_error, length = _OUTCOME.unpack(receive(process.stdout, _OUTCOME.size))
            outcome = receive(process.stdout, length)
        except (OSError, EOFError):
            # A system short of memory kills one.
            return read_picture(data)
        self._idle.put(process)
        if is_error:
            kind, message, hint = json.loads(outcome)
            raise _ERRORS[kind](message, hint=hint)
        return Image("image/jpeg", outcome)

    def _taken(self) -> subprocess.Popen[bytes] | None:
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        try:
            process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(_PACK)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # A host without a console would have one open for each.
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except (OSError, TypeError):  # a program with a Python built in may name none
            self.in_processes = False
            return None
        self.processes.append(process)
        return process


def answer_pictures() -> None:
    """Read the pictures that come on standard input, and send each or its error, until there are no more."""
    # Ctrl+C is for the program that started this; when that ends, nothing more comes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    # What a library prints is no picture.
    os.dup2(2, 1)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            (length,) = _LENGTH.unpack(receive(sys.stdin.buffer, _LENGTH.size))
            data = receive(sys.stdin.buffer, length)
            try:
                is_error, outcome = False, read_picture(data).data
            except tuple(_ERRORS.values()) as error:
                told = (type(error).__name__, error.message, error.hint)
                is_error, outcome = True, json.dumps(told).encode()
            send(out, _OUTCOME.pack(is_error, len(outcome)), outcome)


def send(stream: IO[bytes], *parts: bytes) -> None:
    for part in parts:
        stream.write(part)
    stream.flush()


def receive(stream: IO[bytes], length: int) -> bytes:
    """Return exactly so many bytes. Raises EOFError where the other side has ended."""
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


def _is_python() -> bool:
    """Tell whether this runs in a Python of its own; a program that has one built in would start again."""
    name = Path(sys.executable or "").stem.lower()
    return name.startswith(("python", "pypy")) and not getattr(sys, "frozen", False)


def _usable_cpus() -> int:
    """Return how many processors this process may use, which a container or a batch system limits."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Windows and macOS
        return os.cpu_count() or 1
