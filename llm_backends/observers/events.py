"""The events of a call, and the type of their observers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..accounting.usage_totals import CallRecord
from ..types import Message


@dataclass(frozen=True, slots=True)
class CallEvent:
    """A call that started, completed or failed; both ends of a call have one `call_id`.

    `record` has caller, mode, provider, model, tokens, cost, seconds, attempts and the error's type; at the
    start only the first four say anything. Times are Unix seconds. `messages` and `answer` are None unless
    the observer may see the content. `by_sdk` says that litellm carried the call.
    """

    kind: Literal["started", "completed", "failed"]
    call_id: str
    record: CallRecord
    started_at: float
    at: float
    by_sdk: bool = False
    messages: tuple[Message, ...] | None = field(default=None, repr=False)
    answer: str | None = field(default=None, repr=False)

    def redacted(self) -> CallEvent:
        """The event without request and answer."""
        return replace(self, messages=None, answer=None)

    def asked(self) -> list[dict[str, str]] | None:
        """The messages as chat APIs have them; None where the observer may not see them."""
        if self.messages is None:
            return None
        return [{"role": message.role, "content": message.content} for message in self.messages]

    def facts(self) -> dict[str, Any]:
        """The facts of the call besides model, tokens, cost and content."""
        record = self.record
        return {
            "caller": record.caller,
            "mode": record.mode,
            "provider": record.provider,
            "attempts": record.attempts,
            "seconds": round(record.seconds, 3),
            "tokens_estimated": record.is_estimated,
        }


Tell = Callable[[CallEvent], None]
