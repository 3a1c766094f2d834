"""Tool calls that a local model writes into its answer, parted from the text while it is written.

The form is that of Qwen and Hermes: ``<tool_call>{"name": …, "arguments": {…}}</tool_call>``, any number of
them. A model is taught its form by its chat template, so that one which has this tag in it can be offered
tools.
"""

from __future__ import annotations

import json
import re

from ..types import Request, Tool, ToolCall

OPENING, CLOSING = TAGS = ("<tool_call>", "</tool_call>")
_NAME = re.compile(r'"name"\s*:\s*"([^"]*)"')


def offered(request: Request) -> tuple[Tool, ...]:
    """The tools that a local model is told of: one that is to call none does not need to know any."""
    return () if request.tool_choice == "none" else request.tools


class ToolCallSplitter:
    """Feed it pieces of text; it gives back what is answer. `calls` are those that are whole so far."""

    def __init__(self) -> None:
        self.calls: list[ToolCall] = []
        self._held = ""
        self._inside = False

    def feed(self, text: str) -> str:
        """The answer's text that is certain after this piece."""
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
        """What is left of the answer at the end; a call that was never closed is one all the same."""
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
    """How many letters at the end of `text` may be the beginning of a tag."""
    return next((size for size in range(len(OPENING) - 1, 0, -1) if text.endswith(OPENING[:size])), 0)


def _read(written: str) -> tuple[str, str]:
    """(name, arguments as JSON); what is not JSON stands as the arguments, for whoever calls to complain."""
    try:
        call = json.loads(written)
        name, arguments = call["name"], call.get("arguments", call.get("parameters", {}))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        found = _NAME.search(written)
        return found[1] if found else "", written or "{"
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return str(name), text
