"""OpenAI's embeddings format: texts out, vectors in."""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import Any

from .. import errors
from ..types import Chunk, Deployment, Request, Usage, Vector
from .chunk_reader import read_usage

# Of an answer, in bytes: 2048 vectors of 3072 numbers, written out.
LONGEST_ANSWER = 192 * 2**20
_OURS = frozenset({"model", "input", "encoding_format"})


def embedding_body(request: Request, model: str, encoding: str) -> dict[str, Any]:
    """The body of an embeddings call for `request`; `Request.extra` may add ``dimensions`` and the like.

    An `encoding` of ``base64`` is what OpenAI's own client asks for: many vectors in digits take seconds to
    read, in which nothing else of this process runs. A server that does not know it sends numbers.
    """
    more = {name: value for name, value in request.extra.items() if name not in _OURS}
    return {"model": model, "input": list(request.embed), "encoding_format": encoding, **more}


def read_embeddings(raw: bytes | bytearray, request: Request, deployment: Deployment) -> Chunk:
    """Read the vectors of an answer, in the order of the texts. Raises `MalformedAnswer`."""
    try:
        answer = json.loads(raw)
        rows = sorted(answer["data"], key=lambda row: row.get("index", 0))
        vectors = tuple(_vector(row["embedding"]) for row in rows)
        usage = read_usage(answer.get("usage")) or Usage()
        model = answer.get("model")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error):
        raise malformed(deployment) from None
    check_vectors(vectors, request, deployment)
    # Nothing is written where texts are embedded, whatever the server leaves out.
    usage = Usage(usage.prompt_tokens, 0 if usage.prompt_tokens is not None else None, usage.cost_usd)
    return Chunk(vectors=vectors, usage=usage, finish_reason="stop", model=model or None)


def check_vectors(vectors: tuple[Vector, ...], request: Request, deployment: Deployment) -> None:
    """Raise `MalformedAnswer` unless there is one vector of numbers for each text, all equally long."""
    lengths = {len(vector) for vector in vectors}
    is_whole = len(vectors) == len(request.embed) and len(lengths) == 1 and 0 not in lengths
    if not is_whole or not all(math.isfinite(sum(vector)) for vector in vectors):
        raise malformed(deployment)


def malformed(deployment: Deployment) -> errors.MalformedAnswer:
    return errors.MalformedAnswer(
        f"{deployment.name} did not return one vector for each text.",
        hint="Choose an embedding model.",
    )


def refuse_embedding(who: str) -> errors.BadRequest:
    """The error of a backend that makes no vectors; `who` names the model in a sentence."""
    return errors.BadRequest(
        f"{who} does not support embeddings.",
        hint="Choose an embedding model on a server or from a provider, such as ollama/nomic-embed-text.",
    )


def _vector(given: Any) -> Vector:
    if isinstance(given, str):  # little-endian float32 in base64, as OpenAI's own client asks for
        raw = base64.b64decode(given, validate=True)
        return struct.unpack(f"<{len(raw) // 4}f", raw)
    return tuple(float(number) for number in given)
