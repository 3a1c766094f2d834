"""The phrasebook as a backend."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from ...llm_backends.errors import BackendUnavailable
from ...llm_backends.types import Chunk, Deployment, Request, Usage
from ..tasks import EnhanceTask, VariablesTask
from .lists import remark as of_list
from .lists import values_for
from .writer import remark as of_prompt
from .writer import write

_CHUNKS = 6


class Phrasebook:
    """Backend that answers from ``request.task`` alone: free, without requirements, and never unreachable."""

    async def stream(self, request: Request, deployment: Deployment) -> AsyncIterator[Chunk]:
        """Yield the text in a handful of pieces.

        Raises `BackendUnavailable` for a task that it cannot write.
        """
        task = request.task
        if isinstance(task, EnhanceTask):
            text, remark = write(task), of_prompt(task)
        elif isinstance(task, VariablesTask):
            text = json.dumps({"values": values_for(task)}, ensure_ascii=False)
            remark = of_list(task)
        else:
            raise BackendUnavailable(
                "The phrasebook writes only prompts and lists. Choose a model for this.",
                provider="phrasebook",
            )
        for piece in _pieces(text):
            yield Chunk(text=piece)
        if remark:
            yield Chunk(warning=remark)
        yield Chunk(usage=Usage(0, 0, 0.0), finish_reason="stop", model=deployment.model or "phrasebook")

    async def close(self) -> None:
        """Do nothing: nothing is held open."""


def _pieces(text: str) -> list[str]:
    """Cut `text` between words into a handful of pieces that join to the same text."""
    size = -(-len(text) // _CHUNKS)
    pieces, start = [], 0
    while start < len(text):
        end = text.find(" ", start + size)
        end = len(text) if end < 0 else end
        pieces.append(text[start:end])
        start = end
    return pieces
