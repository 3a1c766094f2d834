"""The meaning of the frames of OpenAI's chat format: frames in, chunks out.

A frame is read as far as it can be understood: half of the world's servers speak this format, each in its
way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..types import Chunk, FinishReason, ToolCallDelta, Usage

_FINISH_REASONS: dict[str, FinishReason] = {
    **dict.fromkeys(
        ("stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed", "done", "end"),
        "stop",
    ),
    **dict.fromkeys(
        (
            "length",
            "max_tokens",
            "max_output_tokens",
            "model_length",
            "max_length",
            "model_context_window_exceeded",
        ),
        "length",
    ),
    **dict.fromkeys(("tool_calls", "function_call", "tool_use", "tool_call"), "tool_calls"),
}
_REFUSING = re.compile(
    r"content_?filter|refusal|refused|safety|prohibited_content|recitation|blocklist|spii|sensitive|guardrail"
    r"|moderation|flagged|toxic|risk",
    re.I,
)
_FAILING = re.compile(r"error|abort|cancel|insufficient_system_resource|malformed|unexpected_tool_call", re.I)
_REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_details", "thinking_blocks")
# Letters from which on a beginning that comes again is a repetition rather than a chance.
_SURELY, _PERHAPS = 12, 3


def read_finish(word: Any) -> FinishReason | None:
    """Read a finish reason in the words of any provider; None where the answer goes on."""
    if not isinstance(word, str) or word.lower() in ("", "null", "none"):
        return None
    known = _FINISH_REASONS.get(word) or _FINISH_REASONS.get(word.lower())
    if known is not None:
        return known
    return "content_filter" if _REFUSING.search(word) else "unknown"


class ChunkReader:
    """A reader of the frames of one answer, one after the other.

    `has_begun` says that there was a piece of an answer. `refusal` is the refusal in the model's own words,
    `filter` the provider's word for a content filter that stepped in, `failure` its word for an answer that
    it gave up.
    """

    def __init__(self) -> None:
        self.has_begun = self._is_finished = False
        self.refusal = self.filter = self.failure = ""
        self._index: int | None = None
        self._sent, self._thought = Deltas(), Deltas()
        self._has_deltas = self._has_called = False
        self._wholes = 0
        self._clear()

    def _clear(self) -> None:
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._tools: list[ToolCallDelta] = []
        self._usage: Usage | None = None
        self._finish: FinishReason | None = None
        self._model: str | None = None

    @property
    def is_finished(self) -> bool:
        """Tell whether the end was announced, or the answer came whole, in one frame."""
        return self._is_finished or (self._wholes == 1 and not self._has_deltas)

    def add(self, frame: Mapping[str, Any]) -> None:
        """Add one frame, or a whole answer.

        Raises (KeyError, TypeError, AttributeError, ValueError) for data that is not of the format.
        """
        choices = frame.get("choices")
        if choices:
            choice = choices[0] if len(choices) == 1 else self._ours(choices)
            if choice is not None:
                self._add_choice(choice, frame)
        usage = frame.get("usage")
        if usage:
            self._usage = read_usage(usage) or self._usage
            if not choices and self.has_begun and self._usage and self._usage.completion_tokens:
                self._is_finished = True  # it is counted at the end
        if self._model is None:
            self._model = frame.get("model") or None

    def add_native(self, frame: Mapping[str, Any]) -> bool:
        """Add a frame of Ollama's own format; tell whether it is one."""
        message = frame.get("message")
        text = message.get("content") if isinstance(message, dict) else frame.get("response")
        if not isinstance(text, str):
            return False
        self.has_begun = True
        if isinstance(message, dict):
            self._add_delta(message)
        elif text:
            self._texts.append(self._sent.add(text))
        if "done" not in frame:
            self._wholes += 1
        elif frame["done"]:
            self._is_finished = True
            self._finish = read_finish(frame.get("done_reason")) or "stop"
            self._usage = Usage(_count(frame.get("prompt_eval_count")), _count(frame.get("eval_count")))
        return True

    def end(self) -> None:
        """End the answer: text that was held back as a possible repetition comes with the next chunk."""
        self._texts.append(self._sent.end())
        self._reasoning.append(self._thought.end())

    def chunk(self) -> Chunk:
        """Return all that was added since the last time, as one chunk."""
        text = self._texts[0] if len(self._texts) == 1 else "".join(self._texts)
        if text and not (self._reasoning or self._tools or self._finish or self._usage):
            read = Chunk(text, model=self._model)
            self._texts.clear()
            self._model = None
            return read
        read = Chunk(
            text,
            "".join(self._reasoning),
            tuple(self._tools),
            self._usage,
            self._finish,
            self._model,
        )
        self._clear()
        return read

    def _ours(self, choices: Any) -> Mapping[str, Any] | None:
        """The choice that belongs to the answer that came first, in a frame with several answers."""
        for choice in choices:
            if choice is not None and self._index in (None, choice.get("index", self._index)):
                return choice  # type: ignore[no-any-return]
        return None

    def _add_choice(self, choice: Mapping[str, Any], frame: Mapping[str, Any]) -> None:
        index = choice.get("index")
        if index != self._index and index is not None:
            if self._index is not None:
                return
            self._index = index
        self.has_begun = True
        finish = choice.get("finish_reason") or choice.get("finishReason")
        delta = choice.get("delta")
        if delta:
            if finish and self._sent.has_all_of(delta.get("content")):
                delta = {**delta, "content": None}
            self._add_delta(delta)
            self._has_deltas = True
        elif message := choice.get("message"):
            self._add_delta(message, is_snapshot=self._has_deltas)
            self._wholes += frame.get("object") != "chat.completion.chunk"
        elif text := choice.get("text"):
            self._texts.append(self._sent.add(text))
        if finish:
            self._end_with(finish, choice)

    def _end_with(self, word: Any, choice: Mapping[str, Any]) -> None:
        finish = read_finish(word)
        native = choice.get("native_finish_reason")
        if finish != "content_filter" and read_finish(native) == "content_filter":
            finish, word = "content_filter", native
        if finish is None:
            return
        self._finish, self._is_finished = finish, True
        if finish == "content_filter":
            self.filter = word
        elif finish == "unknown" and _FAILING.search(word):
            self.failure = word

    def _add_delta(self, delta: Mapping[str, Any], *, is_snapshot: bool = False) -> None:
        content = delta.get("content")
        if content and len(delta) == 1 and isinstance(content, str):  # as most of them are
            self._texts.append(self._sent.add_snapshot(content) if is_snapshot else self._sent.add(content))
            return
        if content:
            if isinstance(content, str):
                text, thought = content, ""
            else:
                text, thought = read_content(content)
                self.refusal += _refusal_in(content)
            if "extra_content" in delta and _is_thought(delta):
                text, thought = "", thought + text
            if text:
                self._texts.append(self._sent.add_snapshot(text) if is_snapshot else self._sent.add(text))
            if thought:
                self._reasoning.append(self._thought.add(thought))
        elif delta.get("text"):
            self._texts.append(self._sent.add(delta["text"]))
        reasoning = next(filter(None, map(delta.get, _REASONING_FIELDS)), None)  # the others say the same
        if reasoning:
            said = reasoning if isinstance(reasoning, str) else "".join(read_content(reasoning))
            add = self._thought.add_snapshot if is_snapshot else self._thought.add
            self._reasoning.append(add(said))
        refusal = delta.get("refusal")
        if refusal and isinstance(refusal, str):
            self.refusal = refusal if is_snapshot else self.refusal + refusal
        calls = delta.get("tool_calls")
        if calls and not (is_snapshot and self._has_called):
            self._has_called = True
            self._tools += [_tool_delta(place, call) for place, call in enumerate(calls)]


class Deltas:
    """The pieces of one text, without what a server says again.

    Some servers write the text so far into every frame, some once more into the last. A short beginning that
    comes again may be either a repetition or a chance ("no", "nope"), and is held back until it is clear.
    """

    __slots__ = ("_held", "_last", "_length", "_pieces", "_repeats")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._held: list[str] = []
        self._last = ""
        # None until it is clear.
        self._repeats: bool | None = None

    def add(self, text: str) -> str:
        """Add a piece and return what is new in it."""
        if self._repeats is False:
            if len(text) == self._length and len(self._pieces) > 1 and self.has_all_of(text):
                return ""
            self._pieces.append(text)
            self._length += len(text)
            return text
        if self._repeats:
            return self._behind(text)
        return self._consider(text)

    def add_snapshot(self, text: str) -> str:
        """Add the text so far and return what is new in it."""
        held = self.end()
        return held + self._behind(text)

    def end(self) -> str:
        """Return what is still held back."""
        held, self._held = self._held, []
        if not held:
            return ""
        if _letters(self._pieces[0]) >= _PERHAPS:
            return self._behind(held[-1])
        return self._keep("".join(held))

    def has_all_of(self, text: Any) -> bool:
        """Tell whether `text` is all that there was so far, and no short word that is said twice."""
        return (
            isinstance(text, str)
            and len(text) == self._length
            and _letters(text) >= _SURELY
            and "".join(self._pieces) == text
        )

    def _consider(self, text: str) -> str:
        if not self._pieces:
            self._last = text
            return self._keep(text)
        grows = text.startswith(self._last) and len(text) > len(self._last)
        if grows and _letters(self._last) >= (_PERHAPS if self._held else _SURELY):
            self._repeats, self._held = True, []
            return self._behind(text)
        if grows:
            self._held.append(text)
            self._last = text
            return ""
        self._repeats = False
        held, self._held = "".join(self._held), []
        return self._keep(held + text)

    def _behind(self, text: str) -> str:
        """The part of the text so far that is new."""
        sent = "".join(self._pieces)
        if text.startswith(sent):
            return self._keep(text[len(sent) :])
        if sent.startswith(text) or sent.strip() == text.strip():
            return ""
        begun = sent.lstrip()
        if begun and text.lstrip().startswith(begun):
            return self._keep(text.lstrip()[len(begun) :])
        return self._keep(text)

    def _keep(self, text: str) -> str:
        self._pieces.append(text)
        self._length += len(text)
        return text


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def read_content(content: Any) -> tuple[str, str]:
    """Read the (text, thinking) of `content`, with some servers a number, a part or a list of parts."""
    if isinstance(content, str):
        return content, ""
    if isinstance(content, (int, float)):
        return "" if isinstance(content, bool) else str(content), ""
    parts = [content] if isinstance(content, dict) else content
    texts: list[str] = []
    thoughts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            kind = str(part.get("type") or "")
            said = part.get("text") or part.get("thinking") or part.get("summary")
            said = said or part.get("content") or part.get("parts")
            words = said.get("value") if isinstance(said, dict) else said
            text, thought = read_content(words) if isinstance(words, (str, list)) else ("", "")
            is_thought = "think" in kind or "reason" in kind or "thinking" in part or part.get("thought")
            (thoughts if is_thought else texts).append(text)
            thoughts.append(thought)
    return "".join(texts), "".join(thoughts)


def _refusal_in(content: Any) -> str:
    parts = content if isinstance(content, list) else [content]
    return "".join(str(part["refusal"]) for part in parts if isinstance(part, dict) and part.get("refusal"))


def _is_thought(delta: Mapping[str, Any]) -> bool:
    """Tell whether Google's server marks this piece as thinking."""
    google = (delta["extra_content"] or {}).get("google") or {}
    return google.get("thought") is True


def _tool_delta(place: int, call: Mapping[str, Any]) -> ToolCallDelta:
    function, index = call.get("function") or {}, call.get("index")
    arguments = function.get("arguments") or ""
    return ToolCallDelta(
        index=index if isinstance(index, int) else place,
        id=call.get("id") or "",
        name=function.get("name") or "",
        arguments=arguments if isinstance(arguments, str) else json.dumps(arguments),
    )


def read_usage(usage: Any) -> Usage | None:
    """Read the tokens, and the cost if reported (OpenRouter does); None where the server reports neither."""
    if not isinstance(usage, dict):
        return None
    cost = usage.get("cost")
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens", usage.get("input_tokens"))),
        completion_tokens=_count(usage.get("completion_tokens", usage.get("output_tokens"))),
        cost_usd=float(cost) if isinstance(cost, (int, float)) else None,
    )


def _count(number: Any) -> int | None:
    return number if isinstance(number, int) else None
