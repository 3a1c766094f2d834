"""Tool calls that a local model writes into its answer, split from the text while it is generated.

The form is that of Qwen and Hermes: ``<tool_call>{"name": …, "arguments": {…}}</tool_call>``, any number of
them. A model learns its form from its chat template, so tools can be offered to one whose template has this
tag.
"""

from __future__ import annotations

import json
import re

from ..types import Request, Tool, ToolCall

OPENING, CLOSING = TAGS = ("<tool_call>", "</tool_call>")
_NAME = re.compile(r'"name"\s*:\s*"([^"]*)"')


def offered(request: Request) -> tuple[Tool, ...]:
    """The tools offered to a local model: none where the request's choice is ``none``."""
    return () if request.tool_choice == "none" else request.tools


class ToolCallSplitter:
    """A splitter of tool calls from a stream of text. `calls` are those that are complete so far."""

    def __init__(self) -> None:
        self.calls: list[ToolCall] = []
        self._held = ""
        self._inside = False

    def feed(self, text: str) -> str:
        """Add a piece and return the answer's text that is certain after it."""
        self._held += text
        answer = ""
        while True:
            before, tag, behind = self._held.partition(CLOSING if self._inside else OPENING)
            if not tag:
                break
            if self._inside:
                self._note(before)
            else:
                answer += before
            self._held, self._inside = behind, not self._inside
        if self._inside:
            return answer
        kept = _begun(self._held)
        answer += self._held[: len(self._held) - kept]
        self._held = self._held[len(self._held) - kept :]
        return answer

    def finish(self) -> str:
        """Return the rest of the answer at the end; a call that was never closed counts as one."""
        held, self._held = self._held, ""
        if not self._inside:
            return held
        self._inside = False
        self._note(held)
        return ""

    def _note(self, written: str) -> None:
        name, arguments = _read(written.strip())
        self.calls.append(ToolCall(f"call{len(self.calls) + 1:05d}", name, arguments))


def _begun(text: str) -> int:
    """The number of letters at the end of `text` that may begin a tag."""
    return next((size for size in range(len(OPENING) - 1, 0, -1) if text.endswith(OPENING[:size])), 0)


def _read(written: str) -> tuple[str, str]:
    """Parse a call into (name, arguments as JSON); other text becomes the arguments, for the caller to
    refuse."""
    try:
        call = json.loads(written)
        name, arguments = call["name"], call.get("arguments", call.get("parameters", {}))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        found = _NAME.search(written)
        return found[1] if found else "", written or "{"
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return str(name), text
