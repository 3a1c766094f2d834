"""Models for questions that travel in batches: one that collects them, one that has their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...llm_backends import errors
from ...llm_backends.model import Model
from ...llm_backends.pipeline import complete
from ...llm_backends.remote.batches.late_answer import LateAnswer
from ...llm_backends.remote.batches.offers import SHARE
from ...llm_backends.remote.batches.service import Answer
from ...llm_backends.streaming.live import LiveText, Shown
from ...llm_backends.types import Deployment, Request, Result

Outcome = Result | errors.LLMError


class Wanted(Exception):
    """The questions that somebody had for a `CollectingModel`."""

    def __init__(self, requests: Sequence[Request]) -> None:
        super().__init__(len(requests))
        self.requests = requests


@dataclass(frozen=True, slots=True)
class CollectingModel(Model):
    """A model that answers nothing: it raises `Wanted`."""

    async def ask(self, requests: Sequence[Request], shown: Shown | None = None) -> list[Outcome]:
        raise Wanted([self._shaped(request) for request in requests])


class Late:
    """The answers to the first questions of one entry, and what was read of them once they were asked for."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers = answers
        self.outcomes: list[Outcome] = []
        self.is_told = False


@dataclass(frozen=True, slots=True)
class LateModel(Model):
    """A model whose first questions have the answers of `late`; it is asked further ones at once."""

    late: Late = field(default_factory=lambda: Late(()))

    async def ask(self, requests: Sequence[Request], shown: Shown | None = None) -> list[Outcome]:
        late = self.late
        if late.is_told:
            return await Model.ask(self, requests, shown)
        late.is_told = True
        # Read once: each reading stands in the ledger.
        late.outcomes = late.outcomes or await self._read([self._shaped(request) for request in requests])
        return list(late.outcomes)

    async def _read(self, requests: Sequence[Request]) -> list[Outcome]:
        if len(requests) != len(self.late.answers):
            return [_final(errors.MalformedAnswer("The batch asked for something else."))] * len(requests)
        deployment = at_share(self.deployment)
        sinks = LiveText().start(len(requests))
        # What is paid for already is read whatever the budget says.
        deployment = replace(deployment, budget=None, fallbacks=(), retries=0)

        async def read(request: Request, answer: Answer, place: int) -> Outcome:
            try:
                return await complete(
                    request, deployment, sinks[place], self.caller, backend=LateAnswer(answer)
                )
            except errors.LLMError as error:
                return _final(error)

        pairs = zip(requests, self.late.answers, strict=True)
        return list(await asyncio.gather(*(read(*pair, place) for place, pair in enumerate(pairs))))


def at_share(deployment: Deployment) -> Deployment:
    """Return `deployment` at the price of a batch."""
    return replace(deployment, price_share=SHARE)


def _final(error: errors.LLMError) -> errors.LLMError:
    """Return `error` as one of this question alone: asked again at once, it would be the same."""
    failed = errors.ProviderFailed(error.message, hint=error.hint, provider=error.provider, model=error.model)
    failed.retryable = False
    return failed
