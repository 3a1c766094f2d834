"""Providers of OpenAI's format without litellm: one request by our own client, as litellm would send it.

Where a provider departs from the format, its row in the table says so (`Dialect`); where it speaks it at a
further address only, that one is called (`CompatibleAddress`). The differences to litellm that are left
stand, with reasons, in ``tests/llm_backends/remote/provider/scenarios/test_differences.py``.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from ... import errors
from ...types import Chunk, Deployment, Request
from ..http_client import bearer, client
from ..litellm_sdk.embeddings import embedding_place
from ..litellm_sdk.parameters import reasoning_parameters, refuse_steering
from ..openai_compatible import NOT_EXTRA, Call, answer, embed
from ..openai_format import chat_messages, chat_parameters
from ..openai_responses import respond, responses_place
from ..repairs import Form, Forms
from .compatible import CompatibleAddress, carries, compatible_address, without_idle_reasoning

# OpenAI's models whose limit counts their thoughts; those of them that always think sample as they like.
_COUNTS_THOUGHTS = re.compile(r"gpt-[5-9](?!-chat)|o\d")
_ALWAYS_THINKS = re.compile(r"gpt-5(?!\.)|o\d")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The ways in which a provider departs from OpenAI's format.

    `without` are parameters that it does not take, `rename` are parameters by another name, `adds` are
    parameters of its own. `thinks` stands for every level of reasoning, `rests` for none at all. `model` is
    the form of a model's name: ``{model}`` is the whole, ``{0}`` and so on are its parts between dots.
    """

    without: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    adds: Mapping[str, Any] = field(default_factory=dict)
    thinks: Mapping[str, Any] = field(default_factory=dict)
    rests: Mapping[str, Any] = field(default_factory=dict)
    model: str = "{model}"

    def name_of(self, model: str) -> str:
        """The name under which the provider knows `model`."""
        if model.startswith(self.model.partition("{")[0] or "{"):
            return model
        try:
            return self.model.format(*model.split("."), model=model)
        except (IndexError, KeyError, ValueError):
            return model


class Direct:
    """A `StreamingBackend` for providers with ``wire: openai``, at `Deployment.base_url`, and for those with
    a compatible address, at that: one attempt."""

    def __init__(self) -> None:
        self._forms = Forms()

    async def stream(self, request: Request, deployment: Deployment) -> AsyncGenerator[Chunk, None]:
        if "://" in deployment.model or not deployment.base_url:
            raise errors.NotConfigured(f"{deployment.name} is not a model that can be used.")
        refuse_steering(request.extra)
        if not carries(request, deployment):
            raise errors.NotConfigured(
                f"{deployment.name} is called with tools by litellm only, which is not used here.",
                hint="Choose a model of another provider, or remove the tools.",
            )
        compatible = compatible_address(deployment)
        place = compatible.place(deployment) if compatible else deployment
        if request.embed:
            _, base_url = embedding_place(deployment)
            if base_url != deployment.base_url:
                place = replace(deployment, base_url=base_url)
            yield await embed(request, _call(place, "/embeddings", compatible))
            return
        plain = Form()
        if compatible:
            request = without_idle_reasoning(request, deployment)
            plain = Form(without=compatible.parts_lacking)

        def attempt(request: Request, form: Form) -> AsyncGenerator[Chunk, None]:
            if form.by_responses and (there := responses_place(deployment)) is not None:
                return respond(request, there, streams=form.streams)
            return answer(body_of(request, place, form), _call(place, "/chat/completions", compatible))

        async with aclosing(self._forms.stream(request, place, attempt, plain)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def close(self) -> None:
        await client.close()


def _call(deployment: Deployment, path: str, compatible: CompatibleAddress | None = None) -> Call:
    """The call of `path` below the provider's address, which is taken as it stands."""
    url = (deployment.base_url or "").rstrip("/") + path
    headers = bearer(deployment.api_key, deployment.key_variable or "the environment")
    if compatible and compatible.query:
        url = f"{url}?{compatible.query}"
    if compatible and compatible.key_header and deployment.api_key is not None:
        headers = {compatible.key_header: deployment.api_key.reveal()}
    return Call(url, {**deployment.params.get("extra_headers", {}), **headers}, deployment)


def body_of(request: Request, deployment: Deployment, form: Form) -> dict[str, Any]:
    """The body of a chat call in the provider's dialect."""
    dialect = Dialect(**deployment.params.get("dialect", {}))
    prefix = str(deployment.params.get("custom_llm_provider", deployment.provider))
    wanted = chat_parameters(request)
    if form.streams and "stream_options" not in form.without:
        wanted["stream_options"] = {"include_usage": True}
    wanted |= _reasoning(request, deployment, dialect, prefix)
    if prefix in ("openai", "azure"):
        _for_thinking(wanted, deployment.model)
    wanted = {dialect.rename.get(name, name): value for name, value in wanted.items()}
    wanted = {name: value for name, value in wanted.items() if name not in dialect.without}
    more = dict(request.extra)
    for own in (wanted.pop("extra_body", None), more.pop("extra_body", None)):
        wanted |= own if isinstance(own, Mapping) else {}
    return {
        "messages": [_without_nothing(message) for message in chat_messages(request.messages)],
        **dialect.adds,
        **wanted,
        **{name: value for name, value in more.items() if name not in NOT_EXTRA},
        "model": dialect.name_of(deployment.model),
        "stream": form.streams,
    }


def _without_nothing(message: dict[str, Any]) -> dict[str, Any]:
    """The message without a content of null, which stands beside a tool call."""
    return {name: value for name, value in message.items() if value is not None}


def _reasoning(request: Request, deployment: Deployment, dialect: Dialect, prefix: str) -> dict[str, Any]:
    asked = reasoning_parameters(prefix, deployment.model, request.reasoning)
    if request.reasoning == "off" and dialect.rests:
        return dict(dialect.rests)
    return dict(dialect.thinks) if dialect.thinks and "reasoning_effort" in asked else asked


def _for_thinking(wanted: dict[str, Any], model: str) -> None:
    """Fit the parameters to `model` where that is one of OpenAI's that think."""
    if _COUNTS_THOUGHTS.match(model) is None:
        return
    if _ALWAYS_THINKS.match(model) or wanted.get("reasoning_effort", "none") != "none":
        for name in ("temperature", "top_p"):
            wanted.pop(name, None)
    if (limit := wanted.pop("max_tokens", None)) is not None:
        wanted["max_completion_tokens"] = limit
