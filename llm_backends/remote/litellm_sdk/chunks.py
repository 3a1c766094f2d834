"""Conversion of litellm's chunks into `Chunk`. litellm itself is not imported here."""

from __future__ import annotations

from typing import Any

from ...types import Chunk, ToolCallDelta
from ..chunk_reader import read_finish


class Counts(list[Any]):
    """A substitute for litellm's list of an answer's chunks, which keeps the provider's counts alone.

    litellm rebuilds the whole answer from its chunks at the end, and where the provider has counted nothing
    it counts by itself, for some models with a tokenizer that it fetches from the Hugging Face hub.
    """

    def __init__(self) -> None:
        super().__init__()
        self.prompt_tokens = self.completion_tokens = 0

    def append(self, part: Any) -> None:
        counted = getattr(part, "usage", None)
        if counted is not None:
            self.prompt_tokens = max(self.prompt_tokens, counted.prompt_tokens or 0)
            self.completion_tokens = max(self.completion_tokens, counted.completion_tokens or 0)


def has_calls(part: Any) -> bool:
    """Tell whether this chunk has (a piece of) a tool call in it."""
    return bool(part.choices and part.choices[0].delta.tool_calls)


def read_chunk(part: Any, called: bool) -> Chunk:
    """Convert one of litellm's chunks; `called` says that a tool was called so far."""
    choice = part.choices[0] if part.choices else None
    if choice is None:
        return Chunk()
    delta = choice.delta
    finish = read_finish(choice.finish_reason)
    if finish == "stop" and called:  # Ollama's word for both ends
        finish = "tool_calls"
    return Chunk(
        text=delta.content or "",
        reasoning=getattr(delta, "reasoning_content", None) or "",
        tool_calls=tuple(_tool_delta(place, call) for place, call in enumerate(delta.tool_calls or ())),
        finish_reason=finish,
        model=part.model or None,
    )


def read_whole(answer: Any) -> Chunk:
    """Convert litellm's answer in one piece."""
    choice = answer.choices[0] if answer.choices else None
    if choice is None:
        return Chunk()
    message = choice.message
    finish = read_finish(choice.finish_reason)
    return Chunk(
        text=message.content or "",
        reasoning=getattr(message, "reasoning_content", None) or "",
        tool_calls=tuple(_tool_delta(place, call) for place, call in enumerate(message.tool_calls or ())),
        finish_reason="tool_calls" if finish == "stop" and message.tool_calls else finish,
        model=answer.model or None,
    )


def _tool_delta(place: int, call: Any) -> ToolCallDelta:
    index = getattr(call, "index", None)
    function = call.function
    return ToolCallDelta(
        index=index if isinstance(index, int) else place,
        id=call.id or "",
        name=(function.name if function else "") or "",
        arguments=(function.arguments if function else "") or "",
    )
