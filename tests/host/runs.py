"""The run of one prompt as a client saw it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Text(NamedTuple):
    """A progress text as it came over the websocket; `at` is seconds after the prompt was posted."""

    text: str
    at: float


class Progress(NamedTuple):
    node: str
    value: float
    max: float
    at: float


class Event(NamedTuple):
    """One websocket message. `kind` is ComfyUI's name for it; binary ones are `progress_text`, `binary`."""

    at: float
    kind: str
    data: Any


@dataclass
class Run:
    """A run: a prompt from POST to its end.

    `status` is `pending` until `wait` returns, then `success`, `error`, `interrupted` or `refused` (by
    validation). `outputs` and `history` are the host's own record; `executed` is the data sent to the
    browser. Times are seconds; `seconds` ends with the last `execution_*` event.
    """

    prompt_id: str = ""
    client_id: str = ""
    status: str = "pending"
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, list[Text]] = field(default_factory=dict)
    progress: list[Progress] = field(default_factory=list)
    executed: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    cached: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None
    history: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    seconds: float = 0.0
    first_text_s: float | None = None
    interrupted_at: float | None = None
    posted: float = 0.0

    @property
    def interrupt_s(self) -> float | None:
        """Seconds from the interrupt that the client asked for to the end of the prompt."""
        return None if self.interrupted_at is None else self.seconds - self.interrupted_at

    @property
    def message(self) -> str:
        """The error as a person reads it: the exception's message, or all messages of validation."""
        if self.error is None:
            return ""
        if "exception_message" in self.error:
            return str(self.error["exception_message"]).strip()
        found = [self.error.get("error") or {}]
        for node in (self.error.get("node_errors") or {}).values():
            found.extend(node["errors"])
        return "\n".join(f"{e.get('message', '')}: {e.get('details', '')}" for e in found)

    def last_text(self, node: str) -> str:
        """The progress text that stood in the node at the end; empty when there was none."""
        texts = self.texts.get(str(node))
        return texts[-1].text if texts else ""

    def shown(self, node: str, key: str = "text") -> list[Any]:
        """The values that the node handed to the browser under `key` (a PreviewAny: one text per item)."""
        return list(self.outputs.get(str(node), {}).get(key, []))
