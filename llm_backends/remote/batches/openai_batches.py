"""OpenAI's batches: a file of requests, and up to two files of answers and errors.

Not by litellm's `create_batch` and `create_file`: they make a client of their own, which follows redirects
and takes organisation, project and proxy from the environment.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Any

from ...errors import LLMError
from ...types import Deployment
from ..http_client import aiohttp_library
from .service import MOST_BYTES, NOT_CARRIED_OUT, Answer, Question, State, Wire

_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_PATH = "/v1/chat/completions"
_PAGES = 20


class OpenAIBatches:
    """The batches of OpenAI; see `BatchService`."""

    most_requests, most_bytes = 50_000, MOST_BYTES

    def __init__(self, deployment: Deployment) -> None:
        self.label = deployment.provider_label
        self._wire = Wire(deployment, "openai")

    def encode(self, question: Question) -> bytes:
        line = {"custom_id": question.id, "method": "POST", "url": _PATH, "body": question.body}
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"

    async def submit(self, tag: str, encoded: Sequence[bytes], beta: str) -> str:
        aiohttp = aiohttp_library()

        form = aiohttp.FormData()
        form.add_field("purpose", "batch")
        content = io.BytesIO(b"".join(encoded))
        form.add_field("file", content, filename=f"{tag}.jsonl", content_type="application/jsonl")
        file, _ = await self._wire.json("POST", "/files", form)
        asked = {
            "input_file_id": file["id"],
            "endpoint": _PATH,
            "completion_window": "24h",
            "metadata": {"quillwork": tag},
        }
        batch, _ = await self._wire.json("POST", "/batches", *_as_json(asked))
        return str(batch["id"])

    async def find(self, tag: str, ids: Sequence[str], since: float, others: Collection[str]) -> str | None:
        after = ""
        for _ in range(_PAGES):
            page, _ = await self._wire.json("GET", f"/batches?limit=100{after}")
            for batch in page.get("data") or ():
                if (batch.get("metadata") or {}).get("quillwork") == tag:
                    return str(batch["id"])
            if not page.get("has_more") or not page.get("data"):
                break
            after = f"&after={page['data'][-1]['id']}"
        return None

    async def look(self, batch: str) -> State:
        seen, wait_s = await self._wire.json("GET", f"/batches/{batch}")
        counts = seen.get("request_counts") or {}
        faults = [str(one.get("message")) for one in (seen.get("errors") or {}).get("data") or ()]
        answers = [seen[name] for name in ("output_file_id", "error_file_id") if seen.get(name)]
        word = str(seen.get("status"))
        return State(
            batch,
            word.replace("_", " "),
            word in _ENDED,
            (counts.get("completed") or 0) + (counts.get("failed") or 0),
            counts.get("total") or 0,
            " ".join(faults) if word == "failed" else "",
            wait_s,
            answers,
            [*answers, *filter(None, [seen.get("input_file_id")])],
        )

    async def answers(self, state: State, ids: Sequence[str]) -> AsyncGenerator[Answer, None]:
        for file in state.answers:
            async for line in self._wire.lines(f"/files/{file}/content"):
                yield _answer(line)

    async def clear(self, state: State) -> None:
        """Delete the files, of which an account may hold so many bytes."""
        for file in state.files:
            with contextlib.suppress(LLMError):
                await self._wire.json("DELETE", f"/files/{file}")


def _answer(line: Mapping[str, Any]) -> Answer:
    id_, response = str(line.get("custom_id")), line.get("response")
    if response:
        body = json.dumps(response.get("body"), ensure_ascii=False)
        return Answer(id_, int(response.get("status_code") or 500), body)
    return Answer(id_, NOT_CARRIED_OUT, str((line.get("error") or {}).get("message") or ""))


def _as_json(content: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    return json.dumps(content).encode(), {"Content-Type": "application/json"}
