"""Anthropic's message batches: one request with all messages, one file of results."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Any

from ...types import Deployment
from .service import MOST_BYTES, NOT_CARRIED_OUT, Answer, Question, State, Wire

_PATH = "/v1/messages/batches"
# The statuses under which a single message would be refused so.
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
# Clocks differ.
_EARLIER_S = 120.0


class AnthropicBatches:
    """The batches of Anthropic; see `BatchService`."""

    most_requests, most_bytes = 100_000, MOST_BYTES

    def __init__(self, deployment: Deployment) -> None:
        self.label = deployment.provider_label
        self._wire = Wire(deployment, "anthropic")
        base = (deployment.base_url or "").rstrip("/")
        self._path = _PATH.removeprefix("/v1") if base.endswith("/v1") else _PATH

    def encode(self, question: Question) -> bytes:
        one = {"custom_id": question.id, "params": question.body}
        return json.dumps(one, ensure_ascii=False).encode()

    async def submit(self, tag: str, encoded: Sequence[bytes], beta: str) -> str:
        headers = {"Content-Type": "application/json", **({"anthropic-beta": beta} if beta else {})}
        content = io.BytesIO(b'{"requests": [' + b",\n".join(encoded) + b"]}")
        batch, _ = await self._wire.json("POST", self._path, content, headers)
        return str(batch["id"])

    async def find(self, tag: str, ids: Sequence[str], since: float, others: Collection[str]) -> str | None:
        """A batch of Anthropic's has no name: the latest one of this size and time is taken for it. One that
        has ended is known by its answers; one that has not may turn out to be another's when it ends."""
        page, _ = await self._wire.json("GET", f"{self._path}?limit=100")
        for batch in page.get("data") or ():
            is_of_size = sum((batch.get("request_counts") or {}).values()) == len(ids)
            is_late = _seconds(str(batch.get("created_at"))) >= since - _EARLIER_S
            if not is_of_size or not is_late or batch["id"] in others:
                continue
            if batch.get("processing_status") != "ended" or await self._answers_one_of(batch["id"], ids):
                return str(batch["id"])
        return None

    async def _answers_one_of(self, batch: str, ids: Sequence[str]) -> bool:
        async with contextlib.aclosing(self._wire.lines(f"{self._path}/{batch}/results")) as lines:
            async for line in lines:
                return line.get("custom_id") in ids
        return False

    async def look(self, batch: str) -> State:
        seen, wait_s = await self._wire.json("GET", f"{self._path}/{batch}")
        counts = seen.get("request_counts") or {}
        total = sum(counts.values())
        word = str(seen.get("processing_status"))
        answered = total - (counts.get("processing") or 0)
        return State(batch, word.replace("_", " "), word == "ended", answered, total, wait_s=wait_s)

    async def answers(self, state: State, ids: Sequence[str]) -> AsyncGenerator[Answer, None]:
        async for line in self._wire.lines(f"{self._path}/{state.id}/results"):
            yield _answer(line)

    async def clear(self, state: State) -> None:
        """Leave the results, which Anthropic deletes after 29 days."""


def _answer(line: Mapping[str, Any]) -> Answer:
    id_, result = str(line.get("custom_id")), line.get("result") or {}
    if result.get("type") == "succeeded":
        return Answer(id_, 200, json.dumps(result.get("message"), ensure_ascii=False))
    if result.get("type") == "errored":
        error = result.get("error") or {}
        kind = (error.get("error") or error).get("type")
        return Answer(id_, _STATUS.get(str(kind), 500), json.dumps(error, ensure_ascii=False))
    return Answer(id_, NOT_CARRIED_OUT, f"It was {result.get('type')}.")


def _seconds(stamp: str) -> float:
    """Return the seconds since 1970 at `stamp`, 0 for none."""
    try:
        return datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
