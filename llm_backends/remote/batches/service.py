"""A provider's batch service: the types that all three share, and the wire below them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ... import errors
from ...types import Deployment
from ..http_client import aiohttp_library, client, is_good, placed, read_refusal, wire_error
from ..model_list import style_headers
from ..status_errors import error_from_status, retry_after_s

if TYPE_CHECKING:
    import aiohttp

# Less than OpenAI and Anthropic take (200 and 256 MB): a batch is in memory while it is sent.
MOST_BYTES = 64 * 2**20
_LONGEST_LINE = 64 * 2**20
# A status that no server sends: the provider has not carried out the request.
NOT_CARRIED_OUT = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A request in a batch: its id (letters, digits, ``-``, at most 64) and its body."""

    id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer out of a batch. `body` is the provider's own JSON, of an answer or of a refusal.

    With the status `NOT_CARRIED_OUT` it is a sentence that says why.
    """

    id: str
    status: int
    body: str


@dataclass(frozen=True, slots=True)
class State:
    """The state of a batch, in the provider's `word`. `fault` says why none of it was carried out.

    `answered` of `total` requests are answered or have failed. `wait_s` is how long the provider wants to be
    left alone. `answers` are the places of the answers, `files` those of all files of the batch.
    """

    id: str
    word: str
    has_ended: bool
    answered: int
    total: int
    fault: str = ""
    wait_s: float | None = None
    answers: Sequence[Any] = ()
    files: Sequence[str] = ()


class BatchService(Protocol):
    """The batches of one provider. All methods raise `LLMError`."""

    label: str
    most_requests: int
    most_bytes: int

    def encode(self, question: Question) -> bytes: ...

    async def submit(self, tag: str, encoded: Sequence[bytes], beta: str) -> str:
        """Submit a batch that carries the name `tag`; return its id."""
        ...

    async def find(self, tag: str, ids: Sequence[str], since: float, others: Collection[str]) -> str | None:
        """Find the batch of the questions `ids`, submitted as `tag` and not earlier than `since` (seconds
        since 1970); it is none of `others`."""
        ...

    async def look(self, batch: str) -> State: ...

    def answers(self, state: State, ids: Sequence[str]) -> AsyncGenerator[Answer, None]:
        """Yield the answers of a batch that has ended; `ids` are those of its questions, in order."""
        ...

    async def clear(self, state: State) -> None:
        """Delete what the batch has left at the provider, as far as that is the caller's to do."""
        ...


@dataclass(frozen=True, slots=True)
class Wire:
    """Requests to the service of `deployment`, each with its key, to its address alone, and made once.

    `style` is the manner in which the key is carried: openai, anthropic or gemini.
    """

    deployment: Deployment
    style: str

    async def json(
        self, method: str, path: str, data: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[dict[str, Any], float | None]:
        """Return the JSON object that answers a request, and the seconds that its Retry-After asks for."""
        async with self._exchange(method, path, data, headers or {}) as response:
            raw = await response.read()
            wait_s = retry_after_s(response.headers)
        return _object(raw, self.deployment), wait_s

    async def lines(self, path: str) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the lines of a file of JSON lines."""
        rest = bytearray()
        async with self._exchange("GET", path, None, {}) as response:
            async for piece in response.content.iter_any():
                rest += piece
                if b"\n" in piece:
                    *whole, last = bytes(rest).split(b"\n")
                    rest = bytearray(last)
                    for line in whole:
                        if line.strip():
                            yield _object(line, self.deployment)
                if len(rest) > _LONGEST_LINE:
                    raise errors.AnswerTooLarge(f"{self.deployment.name} sent a line that is far too long.")
        if rest.strip():
            yield _object(bytes(rest), self.deployment)

    @contextlib.asynccontextmanager
    async def _exchange(
        self, method: str, path: str, data: Any, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        aiohttp = aiohttp_library()

        deployment = self.deployment
        url = f"{(deployment.base_url or '').rstrip('/')}{path}"
        variable = deployment.key_variable or "the environment"
        key = style_headers(url, deployment.api_key, variable, self.style)
        try:
            async with client.send(
                method, url, {**key, **headers}, data, deployment.total_timeout_s
            ) as response:
                if not is_good(response):
                    text = await read_refusal(response)
                    raise placed(
                        error_from_status(response.status, text, deployment, response.headers), url, text
                    )
                yield response
        except (TimeoutError, asyncio.TimeoutError):
            raise errors.TimedOut(f"{deployment.name} did not answer in time.") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise wire_error(error, deployment, begun=False) from None


def _object(raw: bytes, deployment: Deployment) -> dict[str, Any]:
    try:
        read = json.loads(raw)
        if isinstance(read, dict):
            return read
    except (ValueError, RecursionError):
        pass
    raise errors.MalformedAnswer(f"{deployment.provider_label} sent something that is no batch.")
