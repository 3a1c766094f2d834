"""Reports of calls to Helicone, over its log for custom models: https://docs.helicone.ai (POST
/custom/v1/log)."""

from __future__ import annotations

from typing import Any

from ..types import Observer
from .events import CallEvent
from .litellm_callbacks import tell_helicone
from .reporting import post


class Helicone:
    """The log of one account."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._url = f"{observer.base_url}/custom/v1/log"

    def tell(self, event: CallEvent) -> None:
        """Report a call that is over. Raises `NotTaken` and the network's errors."""
        if event.kind == "started" or event.record.cached:
            return
        if event.by_sdk and tell_helicone(event, self._observer):
            return
        key = self._observer.key.reveal() if self._observer.key else ""
        post(self._url, log(event), {"Authorization": f"Bearer {key}"})


def log(event: CallEvent) -> dict[str, Any]:
    """The log entry of a call."""
    record = event.record
    answer: dict[str, Any] = {
        "model": record.model_name,
        "usage": {
            "prompt_tokens": record.prompt_tokens,
            "completion_tokens": record.completion_tokens,
            "total_tokens": record.prompt_tokens + record.completion_tokens,
        },
    }
    if record.cost_usd is not None:
        answer["cost_usd"] = record.cost_usd
    if event.answer is not None:
        answer["choices"] = [{"message": {"role": "assistant", "content": event.answer}}]
    if record.error:
        answer["error"] = {"type": record.error}
    properties = {f"Helicone-Property-{name}": str(value) for name, value in event.facts().items()}
    return {
        "providerRequest": {
            "url": "custom-model-nopath",
            "json": {"model": record.model_name, "messages": event.asked() or []},
            "meta": properties,
        },
        "providerResponse": {"status": 500 if record.error else 200, "headers": {}, "json": answer},
        "timing": {"startTime": _moment(event.started_at), "endTime": _moment(event.at)},
    }


def _moment(seconds: float) -> dict[str, int]:
    return {"seconds": int(seconds), "milliseconds": int(seconds * 1000) % 1000}
