"""Answers of the imitated model, before any provider's format is put around them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from wire.faults import Behaviour

TEXT = "a red fox in fresh snow"
REASONING = ("The user wants ", "a fox.")
JSON_TEXT = '{"values": ["red", "green", "blue"]}'
REFUSAL = "I'm sorry, but I can't help with that."
TOOL_ARGUMENTS = '{"colour": "red", "count": 3}'
# Fixed counts, so that a count made up by a client is told from the server's own.
USAGE = (11, 7)

Finish = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass
class Asked:
    """A request, as far as every format has it. `forced_json` names a tool that stands for a schema."""

    model: str
    stream: bool
    body: dict[str, Any]
    last_text: str = ""
    tools: tuple[str, ...] = ()
    forced_json: str | None = None


@dataclass
class Answer:
    """An answer. `pieces` and `reasoning` may be endless; `calls` are (id, name, arguments).
    `cost` is reported beside the token counts, as OpenRouter does."""

    pieces: Iterable[str] = ()
    reasoning: Iterable[str] = ()
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    finish: Finish = "stop"
    usage: tuple[int, int] | None = USAGE
    cost: float | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def thought(self) -> str:
        return "".join(self.reasoning)


@dataclass
class Raw:
    """A response as it goes over the wire, in pieces of the given sizes and the rest in one; `torn` ends it
    without its end."""

    body: bytes
    content_type: str = "text/event-stream"
    status: int = 200
    sizes: tuple[int, ...] = ()
    torn: bool = False

    def pieces(self) -> Iterator[bytes]:
        """Yield the body piece by piece."""
        place = 0
        for size in self.sizes:
            yield self.body[place : place + size]
            place += size
        yield self.body[place:]


def compose(asked: Asked, behaviour: Behaviour, scripted: str | Answer | None) -> Answer:
    """The answer that the model's name, or a test's script, asks for."""
    if isinstance(scripted, Answer):
        return scripted
    answer = Answer(usage=None if behaviour.nousage else USAGE)
    if behaviour.think:
        answer.reasoning = REASONING
    if behaviour.forever:
        answer.reasoning = _endless("hmm") if asked.stream else ("hmm " * 1000,)
    if (behaviour.tool or behaviour.tools) and asked.tools:
        count = 2 if behaviour.tools else 1
        answer.calls = [(f"call_{n}", asked.tools[0], TOOL_ARGUMENTS) for n in range(1, count + 1)]
        answer.finish = "tool_calls"
        return answer
    if behaviour.filtered:
        answer.finish = "content_filter"
        return answer
    if behaviour.empty or (behaviour.forever and asked.stream):
        return answer
    if asked.forced_json and scripted is None:
        scripted = JSON_TEXT
    if asked.forced_json:
        answer.calls = [("call_json", asked.forced_json, scripted or JSON_TEXT)]
        answer.finish = "tool_calls"
        return answer
    if behaviour.length:
        answer.finish = "length"
    answer.pieces = _pieces(scripted if scripted is not None else _text(asked, behaviour), behaviour, asked)
    return answer


def _text(asked: Asked, behaviour: Behaviour) -> str:
    if behaviour.echoreq:
        return json.dumps(asked.body)
    if behaviour.echo:
        return asked.last_text
    if behaviour.json:
        return JSON_TEXT
    if behaviour.refusal:
        return REFUSAL
    if behaviour.thinktag:
        return f"<think>\n{''.join(REASONING)}\n</think>\n\n{TEXT}"
    return TEXT


def _pieces(text: str, behaviour: Behaviour, asked: Asked) -> Iterable[str]:
    if behaviour.babble:
        return _endless("snow") if asked.stream else ("snow " * 1000,)
    if behaviour.huge:
        return (_block(number) for number in range(16 * behaviour.huge))
    if behaviour.chunks:
        return _cut(text, behaviour.chunks)
    words = text.split(" ")
    return [word + " " for word in words[:-1]] + [words[-1]]


def _cut(text: str, count: int) -> list[str]:
    if count <= len(text):
        edges = [round(n * len(text) / count) for n in range(count + 1)]
        return [text[a:b] for a, b in itertools.pairwise(edges)]
    words = text.split(" ")
    rounds = [f"{n // len(words)} " if n >= len(words) else "" for n in range(count)]
    return [f"{' ' if n else ''}{rounds[n]}{words[n % len(words)]}" for n in range(count)]


def _endless(word: str) -> Iterator[str]:
    """Yield words that do not go round in a loop."""
    return (f"{word} {number} " for number in itertools.count())


def _block(number: int) -> str:
    """Return 64 kB of text, other words for each `number`."""
    return " ".join(f"fox {number} in snow {line}," for line in range(5000))[: 64 * 1024].ljust(64 * 1024)
