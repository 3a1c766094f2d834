"""Local model without libraries, as another package may bring one: it computes in the host's own thread.

A model's name gives the number of words it writes, the milliseconds each takes, and where it notes what it
did: ``words5-gap20``.
"""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path
from typing import Any

_CODE = Path(__file__)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a host in which the mode ``parrot`` exists; it notes in `notes`."""
    package = folder / "parrot_package"
    information = package / "parrot-1.0.dist-info"
    information.mkdir(parents=True, exist_ok=True)
    (package / "parrot.py").write_text(_CODE.read_text("utf-8"), "utf-8")
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: parrot\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[quillwork.backends]\nparrot = parrot:Parrot\n")
    return {"PYTHONPATH": str(package), "PARROT_NOTES": str(package / "notes")}


class Parrot:
    """Implementation of `llm_backends.types.LocalBackend`."""

    runs_in_place = True

    def answer_all(self, requests: Any, deployment: Any, sinks: Any, host: Any) -> list[Any]:
        from quillwork.llm_backends.errors import BadRequest, Cancelled
        from quillwork.llm_backends.types import Chunk, Result, Usage

        if "broken" in deployment.model:
            return [BadRequest("The parrot is moulting.", hint="Wait.") for _ in requests]
        count, gap = (int(_number(name, deployment.model, default)) for name, default in _DEFAULTS)
        answers = []
        for request, sink in zip(requests, sinks, strict=True):
            last = request.messages[-1].content.split()[-1]
            for _ in range(count):
                if host.cancelled():
                    _note("cancelled")
                    raise Cancelled
                sink.add(Chunk(f"{last} "))
                host.tick()
                time.sleep(gap / 1000)
            _note(threading.current_thread().name)
            text = " ".join([last] * count)
            answers.append(
                Result(text, usage=Usage(3, count, 0.0), finish_reason="stop", model=deployment.model)
            )
        return answers

    def unload(self) -> list[str]:
        return []


_DEFAULTS = (("words", 3), ("gap", 0))


def _number(name: str, model: str, default: int) -> str:
    found = re.search(rf"{name}(\d+)", model)
    return found[1] if found else str(default)


def _note(what: str) -> None:
    import os

    with Path(os.environ["PARROT_NOTES"]).open("a", encoding="utf-8") as notes:
        notes.write(json.dumps(what) + "\n")
