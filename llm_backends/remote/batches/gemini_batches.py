"""Gemini's batches: one request with all others in it, which answers them in the same order."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Any

from ...types import Deployment
from .service import Answer, Question, State, Wire

# Google takes 20 MB.
_MOST_BYTES = 19 * 10**6
_ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"})
_PAGES = 20
# Codes of gRPC, and the statuses under which a single request would be refused so.
_STATUS = {3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 11: 400, 14: 503, 16: 401}


class GeminiBatches:
    """The batches of Google Gemini; see `BatchService`."""

    most_requests, most_bytes = 50_000, _MOST_BYTES

    def __init__(self, deployment: Deployment) -> None:
        self.label = deployment.provider_label
        self._model = deployment.model
        self._wire = Wire(deployment, "gemini")

    def encode(self, question: Question) -> bytes:
        one = {"request": question.body, "metadata": {"key": question.id}}
        return json.dumps(one, ensure_ascii=False).encode()

    async def submit(self, tag: str, encoded: Sequence[bytes], beta: str) -> str:
        name = json.dumps(tag).encode()
        before = b'{"batch": {"displayName": ' + name + b', "inputConfig": {"requests": {"requests": ['
        content = io.BytesIO(before + b",\n".join(encoded) + b"]}}}}")
        path = f"/models/{self._model}:batchGenerateContent"
        batch, _ = await self._wire.json("POST", path, content, {"Content-Type": "application/json"})
        return str(batch["name"])

    async def find(self, tag: str, ids: Sequence[str], since: float, others: Collection[str]) -> str | None:
        page_token = ""
        for _ in range(_PAGES):
            page, _ = await self._wire.json("GET", f"/batches?pageSize=100{page_token}")
            for batch in page.get("operations") or ():
                if (batch.get("metadata") or {}).get("displayName") == tag:
                    return str(batch["name"])
            if not page.get("nextPageToken"):
                break
            page_token = f"&pageToken={page['nextPageToken']}"
        return None

    async def look(self, batch: str) -> State:
        seen, wait_s = await self._wire.json("GET", f"/{batch}")
        about = seen.get("metadata") or {}
        word = str(about.get("state")).rpartition("STATE_")[2]
        counts = {name: int(count) for name, count in (about.get("batchStats") or {}).items()}
        total = counts.get("requestCount", 0)
        answers = _inlined(seen.get("response")) or _inlined(about.get("output"))
        fault = str((seen.get("error") or {}).get("message") or "")
        return State(
            batch,
            word.lower(),
            word in _ENDED or bool(seen.get("done")),
            total - counts.get("pendingRequestCount", 0),
            total,
            fault,
            wait_s,
            answers,
        )

    async def answers(self, state: State, ids: Sequence[str]) -> AsyncGenerator[Answer, None]:
        for place, one in enumerate(state.answers):
            # Google may leave out the key, and keeps the order.
            key = (one.get("metadata") or {}).get("key") or (ids[place] if place < len(ids) else "")
            if (error := one.get("error")) is not None:
                code = int(error.get("code") or 13)
                status = code if code >= 100 else _STATUS.get(code, 500)
                yield Answer(str(key), status, json.dumps({"error": error}, ensure_ascii=False))
            else:
                yield Answer(str(key), 200, json.dumps(one.get("response"), ensure_ascii=False))

    async def clear(self, state: State) -> None:
        """Leave the batch, which Google deletes by itself."""


def _inlined(output: Mapping[str, Any] | None) -> list[Any]:
    """Return the answers in an `output`, which stand in a list within an object of the same name."""
    listed = (output or {}).get("inlinedResponses") or {}
    return list(listed.get("inlinedResponses") or ()) if isinstance(listed, dict) else list(listed)
