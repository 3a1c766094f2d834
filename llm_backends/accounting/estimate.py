"""Estimates of tokens and cost before a call: rather too high than too low."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from ..types import Deployment, Price, Request

# Latin letters come four to a token and more, other scripts about one to a token.
LETTERS_A_TOKEN = 4
# What roles and separators add to each message.
_A_MESSAGE = 4
# What the dearest of the usual providers counts for one picture of the size that we send.
_A_PICTURE = 1600
# The answer of a request that sets no limit.
USUAL_ANSWER = 4096
# Tokens of thought for each level, with what models spend at their own.
ROOM_FOR_THOUGHTS = {"default": 8192, "off": 0, "low": 4096, "medium": 8192, "high": 16384}


def tokens_of(text: str) -> int:
    """Estimate the tokens of `text`."""
    latin = len(text.encode("ascii", "ignore"))
    return len(text) - latin + math.ceil(latin / LETTERS_A_TOKEN)


def prompt_tokens(request: Request) -> int:
    """Estimate the tokens that the model reads: messages, pictures, tools and the schema of the answer."""
    pictures = sum(len(message.images) for message in request.messages)
    return sum(map(tokens_of, _texts(request))) + _A_MESSAGE * len(request.messages) + _A_PICTURE * pictures


def most_answer_tokens(request: Request, deployment: Deployment) -> int:
    """The most tokens that the model may write, its thoughts among them."""
    return 0 if request.embed else answer_limit(request, deployment) or USUAL_ANSWER


def answer_limit(request: Request, deployment: Deployment) -> int | None:
    """The limit to set on the model's tokens: `max_tokens` is for the answer, and thoughts count as well
    (Anthropic refuses a limit below the room for them, Gemini cuts the answer off); never more than the model
    is known to write, or than its context holds beside the prompt. None without a limit."""
    if request.max_tokens is None:
        return None
    known = deployment.capabilities
    thinks = known.thinks if request.reasoning == "default" else request.reasoning != "off"
    wanted = request.max_tokens
    if known.thinks is False and request.reasoning in ("default", "off"):
        wanted = min(wanted, request.answer_tokens or wanted)
    limit = wanted + (ROOM_FOR_THOUGHTS[request.reasoning] if thinks else 0)
    if known.most_output is not None:
        limit = min(limit, known.most_output)
    if known.context_window is not None:
        left = known.context_window - prompt_tokens(request)
        # A prompt that leaves no room is for the server to refuse.
        limit = min(limit, left) if left > 0 else limit
    return limit


def cost_of(prompt: int, completion: int, price: Price) -> float:
    """The cost of so many tokens in US dollars."""
    return (prompt * price[0] + completion * price[1]) / 1_000_000


def worst_cost(request: Request, deployment: Deployment) -> float | None:
    """The most that one attempt is likely to cost in US dollars; None where the price is unknown."""
    if deployment.price is None:
        return None
    cost = cost_of(prompt_tokens(request), most_answer_tokens(request, deployment), deployment.price)
    return cost * deployment.price_share


def _texts(request: Request) -> Iterable[str]:
    yield from request.embed
    for message in request.messages:
        yield message.content
        yield from (call.arguments for call in message.tool_calls)
    for tool in request.tools:
        yield f"{tool.name}{tool.description}{_as_json(tool.parameters)}"
    if request.schema is not None:
        yield _as_json(request.schema)


def _as_json(content: object) -> str:
    return json.dumps(content, default=str)
