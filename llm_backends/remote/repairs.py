"""Repairs of refused requests: one mechanism for every transport.

A model that refuses a part of a request is asked again without that part, and what it has refused is
remembered for the session. Each repair costs one call and is reported in a warning. A repair that does not
help leaves the first error as it was; where none can help (a key, a quota, a missing model), none is tried.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from .. import errors
from ..accounting.estimate import answer_limit, prompt_tokens
from ..types import Chunk, Deployment, Message, Request
from .refusals import (
    EFFORTS,
    context_in,
    efforts_in,
    limit_in,
    misses_model,
    names_parts,
    refused_parts,
    wants_responses,
    words_of,
)

# Under which of these a server refuses a part of a request, differs from server to server.
REPAIRABLE = frozenset({400, 404, 422, 500, 501})
MOST_REPAIRS = 6
# Without these an answer is what it would be anyhow; tried together where a refusal says nothing.
_OPTIONAL = frozenset(
    {"stream_options", "response_format", "seed", "temperature", "top_p", "reasoning_effort"}
)
# The wire's own business: no user misses them.
_UNSAID = frozenset({"stream_options"})
_LEAST_TOKENS = 16
_MARGIN = 1.05


@dataclass(frozen=True, slots=True)
class Form:
    """The form in which a model takes a request, as its refusals have shown.

    `without` are parts of `refusals.PARTS` that it does not take. `most_tokens` is the most that it writes,
    `context` the most that it reads and writes together, `density` its count of a prompt by our estimate.
    `efforts` are its levels of reasoning, empty where they are unknown.
    """

    without: frozenset[str] = frozenset()
    streams: bool = True
    folds_system: bool = False
    renames_max_tokens: bool = False
    by_responses: bool = False
    most_tokens: int | None = None
    context: int | None = None
    density: float = 1.0
    efforts: tuple[str, ...] = ()


class Refusal(Exception):
    """A request that was refused before any answer: the error for it, and the server's own words."""

    def __init__(self, error: errors.LLMError, words: str) -> None:
        super().__init__(error.message)
        self.error = error
        self.words = words


Attempt = Callable[[Request, Form], AsyncGenerator[Chunk, None]]


@dataclass(slots=True)
class Forms:
    """The forms known so far. A model that thinks takes other parameters than the same one that does not."""

    _known: dict[tuple[str, str, str, bool], Form] = field(default_factory=dict)

    async def stream(
        self, request: Request, deployment: Deployment, attempt: Attempt, plain: Form = Form()
    ) -> AsyncGenerator[Chunk, None]:
        """Stream the answer of `attempt`, which is called with the request as it is to be sent.
        `plain` is the form of a model that has refused nothing yet."""
        place = _place(request, deployment)
        form, first = self._known.get(place, plain), None
        for _ in range(MOST_REPAIRS + 1):
            begun = False
            try:
                async with aclosing(attempt(fitted(request, form, deployment), form)) as chunks:
                    async for chunk in chunks:
                        if not begun and chunk != Chunk():
                            begun = True
                            if first is not None:
                                self._known[place] = form
                            for sentence in _changes(request, form, deployment):
                                yield Chunk(warning=sentence)
                        yield chunk
                return
            except (Refusal, errors.LLMError) as failed:
                refusal = failed if isinstance(failed, Refusal) else Refusal(failed, "")
                # Meanwhile another call may have learned more.
                known = self._known.get(place, form)
                better = known if known != form else repaired(request, form, refusal, deployment)
                if begun or better is None:
                    raise _to_raise(first, refusal.error) from None
                first, form = first or refusal.error, better
        assert first is not None
        raise first

    def known(self, request: Request, deployment: Deployment) -> Form:
        """Return the form that a call would have at first."""
        return self._known.get(_place(request, deployment), Form())


def _place(request: Request, deployment: Deployment) -> tuple[str, str, str, bool]:
    thinks = request.reasoning not in ("default", "off")
    return deployment.provider, deployment.base_url or "", deployment.model, thinks


async def unrepaired(chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
    """Pass on `chunks`, a refusal as the error that it is."""
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk
    except Refusal as refusal:
        raise refusal.error from None


def _to_raise(first: errors.LLMError | None, last: errors.LLMError) -> errors.LLMError:
    """The first error, unless the last one names another fault: a key, a limit, a broken connection."""
    vague = type(last) in (errors.BadRequest, errors.ProviderFailed) or type(last) is type(first)
    return first if first is not None and vague else last


def fitted(request: Request, form: Form, deployment: Deployment) -> Request:
    """The request in the form that the model takes; what the user's `extra` asks for stays."""
    gone = form.without
    extra = dict(request.extra)
    tokens = None if "max_tokens" in gone else _tokens(request, form, deployment)
    if tokens is not None and form.renames_max_tokens:
        extra.setdefault("max_completion_tokens", tokens)
        tokens = None
    reasoning = request.reasoning
    effort = _effort(request, form)
    if effort is not None or "reasoning_effort" in gone:
        reasoning = "default"
    if effort:
        extra.setdefault("reasoning_effort", effort)
    return replace(
        request,
        messages=_folded(request.messages) if form.folds_system else request.messages,
        temperature=None if "temperature" in gone else request.temperature,
        top_p=None if "top_p" in gone else request.top_p,
        seed=None if "seed" in gone else request.seed,
        schema=None if "response_format" in gone else request.schema,
        max_tokens=tokens,
        reasoning=reasoning,
        extra=extra,
    )


def repaired(request: Request, form: Form, refusal: Refusal, deployment: Deployment) -> Form | None:
    """The form to try next; None where no repair can help."""
    error = refusal.error
    status = error.status
    if status not in REPAIRABLE and not (status is None and type(error) is errors.BadRequest):
        return None
    if type(error) not in (
        errors.BadRequest,
        errors.ProviderFailed,
        errors.ModelNotFound,
        errors.ContextOverflow,
    ):
        return None
    words = words_of(refusal.words or error.message.replace(deployment.name, ""), request, deployment)
    if wants_responses(words) and not form.by_responses:
        return replace(form, by_responses=True)
    if misses_model(words):
        return None
    sent = fitted(request, form, deployment)
    parts = _parts(request, sent, form)
    refused = refused_parts(words, parts)
    if "max_tokens" in parts and (context := context_in(words)):
        return _within_context(*context, request, form)
    if refused == {"max_tokens"}:
        asked = sent.max_tokens or int(sent.extra["max_completion_tokens"])
        if (most := limit_in(words, asked, _LEAST_TOKENS)) is not None:
            return replace(form, most_tokens=most)
    if isinstance(error, errors.ContextOverflow):
        return None
    if not refused:
        if names_parts(words):
            return None  # what is not on the wire, or not ours to change
        if type(error) is not errors.BadRequest and status != 501:
            return None
        if status == 501:
            return replace(form, streams=False) if form.streams else None
        refused = parts & _OPTIONAL
        if not refused - _UNSAID:
            return None
    return _without(refused, words, request, form)


def _without(refused: frozenset[str], words: str, request: Request, form: Form) -> Form:
    changes: dict[str, object] = {}
    gone = set(refused)
    if "stream" in gone:
        changes["streams"] = False
    if "system" in gone:
        changes["folds_system"] = True
    if "reasoning_effort" in gone and not form.efforts and (efforts := efforts_in(words)):
        changes["efforts"] = efforts
        if _nearest(request.reasoning, efforts) is not None:
            gone.discard("reasoning_effort")
    if "max_tokens" in gone and "max_completion_tokens" in words and not form.renames_max_tokens:
        changes["renames_max_tokens"] = True
        gone.discard("max_tokens")
    without = form.without | (gone - {"stream", "system"})
    return replace(form, without=without, **changes)  # type: ignore[arg-type]


def _parts(request: Request, sent: Request, form: Form) -> frozenset[str]:
    """The parts of the request on the wire that a repair may change: none that the user's `extra` brings."""
    there = {
        "stream": form.streams,
        "stream_options": form.streams and "stream_options" not in form.without,
        "response_format": sent.schema is not None,
        "reasoning_effort": "reasoning_effort" in sent.extra or sent.reasoning != "default",
        "max_tokens": sent.max_tokens is not None or "max_completion_tokens" in sent.extra,
        "temperature": sent.temperature is not None,
        "top_p": sent.top_p is not None,
        "seed": sent.seed is not None,
        "system": any(message.role == "system" for message in sent.messages),
    }
    return frozenset(part for part, is_there in there.items() if is_there and part not in request.extra)


def _folded(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages with the system's text before that of the first of the user's."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    others = [message for message in messages if message.role != "system"]
    for place, message in enumerate(others):
        if message.role == "user":
            others[place] = replace(message, content=f"{system}\n\n{message.content}".strip())
            return tuple(others)
    return (Message("user", system), *others)


def _tokens(request: Request, form: Form, deployment: Deployment) -> int | None:
    planned = answer_limit(request, deployment)
    if planned is None:
        return None
    limits = [planned]
    if form.most_tokens is not None:
        limits.append(form.most_tokens)
    if form.context is not None:
        limits.append(form.context - math.ceil(prompt_tokens(request) * form.density))
    # A prompt that leaves no room is for the server to refuse.
    return max(min(limits), min(planned, _LEAST_TOKENS))


def _within_context(context: int, read: int | None, request: Request, form: Form) -> Form | None:
    """The form for a model of so much context; None where the prompt alone is too long for it."""
    estimated = max(1, prompt_tokens(request))
    if context - (estimated if read is None else read) < _LEAST_TOKENS:
        return None
    if read is None:
        return replace(form, without=form.without | {"max_tokens"})
    # Other prompts have a little more for each of our tokens.
    return replace(form, context=context, density=_MARGIN * read / estimated)


def _effort(request: Request, form: Form) -> str | None:
    """The model's word for the requested level of reasoning; "" for none at all, None where it is ours."""
    if not form.efforts or request.reasoning == "default":
        return None
    return _nearest(request.reasoning, form.efforts) or ""


def _nearest(reasoning: str, efforts: tuple[str, ...]) -> str | None:
    wanted = EFFORTS.index("none" if reasoning == "off" else reasoning)
    # Not to think is no level of thinking.
    there = [effort for effort in efforts if effort != "none" or reasoning == "off"]
    return min(there, key=lambda effort: abs(EFFORTS.index(effort) - wanted), default=None)


def _changes(request: Request, form: Form, deployment: Deployment) -> Iterator[str]:
    """Sentences on what was changed in this request."""
    if form == Form():
        return
    name, sent = deployment.name, fitted(request, form, deployment)
    plain = _parts(request, request, Form())
    for part in sorted((form.without & plain) - _UNSAID):
        yield f"{name} does not support {part}, so it was left out."
    if not form.streams:
        yield f"{name} does not support streaming, so the answer came in one piece."
    if form.folds_system and "system" in plain:
        yield f"{name} does not support system messages, so the text was put before the first message."
    planned = answer_limit(request, deployment)
    if sent.max_tokens is not None and planned is not None and sent.max_tokens < planned:
        yield f"{name} does not accept {planned} as max_tokens, so it was lowered to {sent.max_tokens}."
    effort = _effort(request, form)
    if effort is not None and "reasoning_effort" not in form.without:
        yield (
            f"{name} does not support the reasoning {request.reasoning}, "
            + (f"so {effort} was used." if effort else "so it was left out.")
        )
