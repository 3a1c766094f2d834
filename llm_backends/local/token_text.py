"""Conversion of tokens into text while they are generated, and of that text into an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import errors
from ..streaming.live import Sink
from ..streaming.loops import LoopGuard
from ..thinking import MARKS, ThinkingSplitter, split_finished
from ..types import Chunk, ToolCall, ToolCallDelta
from .tool_call_text import TAGS as TOOL_TAGS
from .tool_call_text import ToolCallSplitter

_CUT_CHARACTER = "\ufffd"
_TAIL_PIECES = 8
# What a model's control tokens write into its answer, which is read again; all others write nothing.
LOUD_TAGS = (*MARKS, *TOOL_TAGS)


class TextStream:
    """A converter of tokens into text, piece by piece: a character spread over several tokens comes whole.

    `decode` gives the text of tokens; those in `silent` write nothing.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], silent: frozenset[int]) -> None:
        self._decode = decode
        self._silent = silent
        # Decoded together with the tokens before it, a token keeps its space; `_before` is their text alone.
        self._ids: list[int] = []
        self._before = ""
        self._known = 0

    def add(self, token: int) -> str:
        """Add a token and return the text that is certain with it."""
        if token in self._silent:
            return ""
        self._ids.append(token)
        text = self._decode(self._ids)
        if text.endswith(_CUT_CHARACTER) or len(text) <= len(self._before):
            return ""
        piece = text[len(self._before) :]
        del self._ids[: self._known]
        self._known = len(self._ids)
        self._before = self._decode(self._ids)
        return piece

    def finish(self) -> str:
        """Return the rest at the end; half a character is dropped."""
        rest = self._decode(self._ids)[len(self._before) :] if self._ids else ""
        self._ids, self._before, self._known = [], "", 0
        return rest.rstrip(_CUT_CHARACTER)


class AnswerText:
    """The text of one answer on its way into `sink`, with thinking and tool calls split from it.

    `opens_thinking` is True when the prompt ends with an opening thinking tag, `calls_tools` when the model
    was offered tools. `strict` is the guard's (`streaming.loops.LoopGuard`).
    """

    def __init__(
        self, sink: Sink, opens_thinking: bool = False, calls_tools: bool = False, *, strict: bool = False
    ) -> None:
        self._sink = sink
        self._splitter = ThinkingSplitter()
        self._calls = ToolCallSplitter() if calls_tools else None
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._loops = LoopGuard(strict=strict), LoopGuard()
        if opens_thinking:
            self._splitter.feed("<think>")

    def add(self, piece: str) -> None:
        """Show the next piece of text."""
        if piece:
            self._keep(*self._splitter.feed(piece))

    @property
    def tail(self) -> str:
        """The end of the answer so far."""
        return "".join(self._text[-_TAIL_PIECES:])

    @property
    def has_begun(self) -> bool:
        """Tell whether there is text of the answer itself, and no thinking alone."""
        return bool(self._text)

    @property
    def loops(self) -> bool:
        """Tell whether the answer goes round in a loop, or the thinking does."""
        return any(guard.loops for guard in self._loops)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, once the answer is closed."""
        return tuple(self._calls.calls) if self._calls else ()

    def close(self) -> tuple[str, str]:
        """Finish the text and return (answer, thinking), both whole."""
        self._keep(*self._splitter.finish())
        if self._calls is not None:
            self._show(self._calls.finish(), "")
        for place, call in enumerate(self.tool_calls):
            delta = ToolCallDelta(place, call.id, call.name, call.arguments)
            self._sink.add(Chunk(tool_calls=(delta,)))
        text, thinking = split_finished("".join(self._text))
        return text, ("".join(self._thinking) + thinking).strip("\n")

    def _keep(self, text: str, thinking: str) -> None:
        self._show(self._calls.feed(text) if self._calls else text, thinking)

    def _show(self, text: str, thinking: str) -> None:
        if text:
            self._text.append(text)
            self._loops[0].add(text)
        if thinking:
            self._thinking.append(thinking)
            self._loops[1].add(thinking)
        if text or thinking:
            self._sink.add(Chunk(text=text, reasoning=thinking))


def emptiness(name: str, budget: int, *, ran_out: bool) -> errors.EmptyAnswer:
    """The error for an answer without text. `ran_out`: the model spent its `budget` of tokens on thinking."""
    if ran_out:
        return errors.EmptyAnswer(
            f"{name} used up its {budget:,} tokens before writing an answer.",
            hint="Raise max_tokens or set reasoning to off or low on LLM Settings.",
        )
    return errors.EmptyAnswer(f"{name} returned an empty answer.")
