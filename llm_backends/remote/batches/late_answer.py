"""The answer to a request that travelled in a batch, read as if it had come at once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ... import errors, registry
from ...types import Chunk, Deployment, Request
from .service import NOT_CARRIED_OUT, Answer


class LateAnswer:
    """A `StreamingBackend` that answers the first time with `answer`, and later as the deployment's own."""

    def __init__(self, answer: Answer) -> None:
        self._answer: Answer | None = answer

    async def prepare(self, request: Request, deployment: Deployment) -> None:
        """Import litellm; see `StreamingBackend`."""
        await registry.get(deployment.backend).prepare(request, deployment)

    async def stream(self, request: Request, deployment: Deployment) -> AsyncGenerator[Chunk, None]:
        """Stream the answer; see `StreamingBackend`."""
        backend = registry.get(deployment.backend)
        answer, self._answer = self._answer, None
        if answer is None:
            chunks = backend.stream(request, deployment)
        elif answer.status == NOT_CARRIED_OUT:
            raise errors.ProviderFailed(
                f"{deployment.name} has not carried this out in the batch. {answer.body}".strip()
            )
        else:
            chunks = backend.read(request, deployment, answer.status, answer.body)
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    async def close(self) -> None:
        """Close nothing: the deployment's own backend is its owner's."""
