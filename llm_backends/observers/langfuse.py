"""Reports of calls to Langfuse, over its batch ingestion (POST /api/public/ingestion):
https://langfuse.com/docs."""

from __future__ import annotations

import base64
import time
import uuid
from typing import Any

from ..types import Observer
from .events import CallEvent
from .litellm_callbacks import tell_langfuse
from .reporting import post


class Langfuse:
    """The ingestion of one project. A call is a trace with one generation in it."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._url = f"{observer.base_url}/api/public/ingestion"

    def tell(self, event: CallEvent) -> None:
        """Report a call that is over. Raises `NotTaken` and the network's errors."""
        if event.kind == "started" or event.record.cached:
            return
        if event.by_sdk and tell_langfuse(event, self._observer):
            return
        secret = self._observer.key.reveal() if self._observer.key else ""
        pair = base64.b64encode(f"{self._observer.public_key}:{secret}".encode()).decode()
        post(self._url, {"batch": batch(event)}, {"Authorization": f"Basic {pair}"})


def batch(event: CallEvent) -> list[dict[str, Any]]:
    """The two entries of a call's report."""
    record = event.record
    shared = {"input": event.asked(), "output": event.answer, "metadata": event.facts()}
    generation = {
        "id": f"{event.call_id}-generation",
        "traceId": event.call_id,
        "name": record.caller or "quillwork",
        "startTime": _moment(event.started_at),
        "endTime": _moment(event.at),
        "model": record.model_name,
        "usageDetails": {"input": record.prompt_tokens, "output": record.completion_tokens},
        "level": "ERROR" if record.error else "DEFAULT",
        **shared,
    }
    if record.cost_usd is not None:
        generation["costDetails"] = {"total": record.cost_usd}
    if record.error:
        generation["statusMessage"] = record.error
    trace = {"id": event.call_id, "name": record.caller or "quillwork", **shared}
    trace["timestamp"] = _moment(event.started_at)
    return [_entry("trace-create", trace, event), _entry("generation-create", generation, event)]


def _entry(kind: str, body: dict[str, Any], event: CallEvent) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "timestamp": _moment(event.at), "type": kind, "body": body}


def _moment(seconds: float) -> str:
    """A time in ISO 8601, in UTC with milliseconds."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds * 1000) % 1000:03d}Z"
