"""Refusals in the words of real servers, read from ``fault_words.jsonl``: one a line, and what it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quillwork.llm_backends import errors


@dataclass(frozen=True)
class Said:
    """A server's refusal, and the error that it is: the words of its sentence and of its advice.

    `about` is ``reasons`` where only the shape of the refusal is special.
    """

    about: str
    status: int
    body: bytes
    error: type[errors.LLMError]
    says: str
    hint: str
    retryable: bool
    wait_s: float | None
    content_type: str


def _said(row: dict[str, Any]) -> Said:
    body = row["body"]
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return Said(
        row["about"],
        row["status"],
        text.encode(row.get("encoding", "utf-8")),
        getattr(errors, row["error"]),
        row.get("says", ""),
        row.get("hint", ""),
        row.get("retryable", False),
        row.get("wait_s"),
        row.get("content_type", "application/json"),
    )


FAULT_WORDS = [
    _said(json.loads(line))
    for line in Path(__file__).with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
]
