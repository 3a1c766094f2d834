"""A model to ask: a deployment, its sampling, and the place where its answer is shown meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import LLMError
from .host import Host, NullHost
from .pipeline import complete_all, runs_in_place
from .streaming.live import LiveText, Shown
from .types import Deployment, Reasoning, Request, Result


@dataclass(frozen=True, slots=True)
class Sampling:
    """The user's sampling for every call; None and ``default`` leave it to the caller or the model."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    reasoning: Reasoning = "default"
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Model:
    """A model as callers get it. Ask on the runner's loop. `caller` names the caller in the ledger."""

    deployment: Deployment
    sampling: Sampling = Sampling()
    live: LiveText = field(default_factory=LiveText)
    host: Host = field(default_factory=NullHost)
    caller: str = "python"

    @property
    def runs_in_place(self) -> bool:
        """Tell whether asking computes in the calling thread (see `runner.run_in_place`)."""
        return runs_in_place(self.deployment)

    async def ask(self, requests: Sequence[Request], shown: Shown | None = None) -> list[Result | LLMError]:
        """Ask all requests at once: one answer for each, in order. A failed one is its error.

        `shown` says what of an answer is for display while it is written.
        """
        self.live.show_with(shown)
        return await complete_all(
            [self._shaped(request) for request in requests],
            self.deployment,
            self.live,
            self.host,
            self.caller,
        )

    def _shaped(self, request: Request) -> Request:
        sampling = self.sampling
        return replace(
            request,
            temperature=request.temperature if sampling.temperature is None else sampling.temperature,
            top_p=request.top_p if sampling.top_p is None else sampling.top_p,
            max_tokens=sampling.max_tokens or request.max_tokens,
            answer_tokens=None if sampling.max_tokens else request.answer_tokens,
            reasoning=request.reasoning if sampling.reasoning == "default" else sampling.reasoning,
            extra={**request.extra, **sampling.extra},
        )
