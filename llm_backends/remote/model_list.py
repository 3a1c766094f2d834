"""Model lists of servers: one GET, one answer of JSON, no redirect, no retry."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from .. import errors
from ..modes import ENDPOINT
from ..types import Deployment, Secret
from .addresses import api_base, key_headers, route
from .http_client import aiohttp_library, client, origin_of, placed, wire_error
from .status_errors import error_from_status

_PATIENCE_S = 5.0
# JSON is read in one go, and everything else waits meanwhile: 2 MB are some 15 ms.
_LARGEST = 2 * 1024 * 1024

# Who carries the key in a header of its own, and what else must be said.
_KEY_HEADERS = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}
_ALSO = {"anthropic": {"anthropic-version": "2023-06-01"}}


async def list_models(base_url: str, key: Secret | None = None, patience_s: float = _PATIENCE_S) -> list[str]:
    """List the ids at ``/models`` under `base_url` (a bare origin gets ``/v1``), sorted, each once.

    Raises `LLMError` when they cannot be fetched within `patience_s` seconds.
    """
    answer = await fetch_json(route(api_base(base_url), "/models"), key, "LLM_API_KEY", patience_s=patience_s)
    try:
        return sorted({str(entry["id"]) for entry in answer["data"]})
    except (KeyError, TypeError):
        raise errors.MalformedAnswer(f"The answer from {origin_of(base_url)} is not a model list.") from None


async def fetch_json(
    url: str,
    key: Secret | None,
    key_variable: str,
    *,
    style: str = "openai",
    label: str = "",
    patience_s: float = _PATIENCE_S,
) -> Any:
    """Fetch the JSON at `url`, with `key` in the way of `style` (openai, anthropic, gemini).

    `label` names the server in messages. Raises `LLMError` when it cannot be fetched within `patience_s`
    seconds, or is longer than 2 MB.
    """
    aiohttp = aiohttp_library()

    where = label or origin_of(url)
    deployment = Deployment(
        ENDPOINT,
        "",
        provider_label=where,
        base_url=url,
        api_key=key,
        key_variable=key_variable,
    )
    headers = style_headers(url, key, key_variable, style)
    try:
        status, body, answer_headers = await asyncio.wait_for(_get(url, headers), patience_s)
    except (TimeoutError, asyncio.TimeoutError):
        raise errors.TimedOut(f"{where} did not answer within {patience_s:g} s.", hint="") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise wire_error(error, deployment, begun=False) from None
    if status != 200:
        raise placed(error_from_status(status, body, deployment, answer_headers), url, body)
    if len(body) > _LARGEST:
        raise errors.MalformedAnswer(
            f"The model list of {where} is larger than {_LARGEST >> 20} MB.", hint=""
        )
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise errors.MalformedAnswer(f"The answer from {where} is not a model list.") from None


def style_headers(url: str, key: Secret | None, variable: str, style: str) -> Mapping[str, str]:
    """The headers that carry `key` in the way of `style`.
    Raises `AuthenticationFailed` for a text that cannot be a key."""
    plain = key_headers(url, key, variable)
    if key is not None and style in _KEY_HEADERS:
        plain = {_KEY_HEADERS[style]: key.reveal()}
    return {"Accept": "application/json", **plain, **_ALSO.get(style, {})}


async def _get(url: str, headers: Mapping[str, str]) -> tuple[int, str, dict[str, str]]:
    body = bytearray()
    async with client.get(url, headers) as response:
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > _LARGEST:
                break
        return response.status, body.decode(errors="replace"), dict(response.headers)
