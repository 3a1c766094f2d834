"""The cheaper ways to ask, for those who can wait: in batches, or in a provider's slower tier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from ...llm_backends import registry
from ...llm_backends.errors import NotConfigured
from ...llm_backends.model import Model
from ...llm_backends.remote.batches.offers import FLEX, FLEX_S, SHARE, batches_of, has_flex
from ...llm_backends.remote.batches.service import BatchService
from ...llm_backends.runner import runner
from ...llm_backends.types import DIRECT_TRANSPORT, Message, Request

Cheap = Literal["", "batch", "flex"]
_ANY = (Message("user", "a fox"),)


def cheaper(model: Model, how: Cheap) -> tuple[Model, BatchService | None]:
    """Return `model` as it is to be asked, and the batch service where it is asked in batches.

    Raises `NotConfigured` where its provider has no such offer, before anything is sent.
    """
    deployment = model.deployment
    service = batches_of(deployment)
    if how == "flex":
        if not has_flex(deployment):
            raise NotConfigured(
                f"{deployment.name} has no slower tier at a lower price.",
                hint="Use --when-cheap, which asks in batches."
                if service
                else "Leave out --flex, or choose a model of OpenAI or Google Gemini with --model.",
            )
        return _flexed(model), None
    if how == "batch" and service is None:
        raise NotConfigured(
            f"{deployment.name} takes no batches at a lower price.",
            hint="Leave out --when-cheap, or choose a model of OpenAI, Anthropic or Google Gemini (--model).",
        )
    if not how:
        return model, None
    # Without litellm it cannot go on: to be told before there is a job.
    runner.run(_sketched(model, Request(_ANY)))
    return model, service


def _flexed(model: Model) -> Model:
    deployment, sampling = model.deployment, model.sampling
    flexed = replace(
        model,
        deployment=replace(
            deployment,
            price_share=SHARE,
            idle_timeout_s=max(deployment.idle_timeout_s, FLEX_S),
            total_timeout_s=max(deployment.total_timeout_s, FLEX_S),
        ),
        sampling=replace(sampling, extra={**sampling.extra, **FLEX}),
    )
    if deployment.transport != DIRECT_TRANSPORT:
        runner.run(_check_flex(flexed))
    return flexed


async def _sketched(model: Model, request: Request) -> Any:
    return await registry.get(model.deployment.backend).sketch(request, model.deployment)


async def _check_flex(model: Model) -> None:
    """Raise `NotConfigured` where litellm would leave the tier out, and the full price would be paid."""
    sketch = await _sketched(model, Request(_ANY, extra=FLEX))
    if FLEX["service_tier"] not in (sketch.body.get("service_tier"), sketch.body.get("serviceTier")):
        raise NotConfigured(
            f"The installed litellm does not ask {model.deployment.name} for the slower tier.",
            hint="Update it, or use --when-cheap, which asks in batches.",
        )
