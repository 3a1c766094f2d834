"""Unloading of language models: those of this pack's backends, and those that Ollama holds for them."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from .. import registry
from ..pipeline import used
from ..remote.http_client import aiohttp_library, client

_log = logging.getLogger("quillwork")
_OLLAMA_PORT = 11434
_PATIENCE_S = 5.0


def unload_in_place() -> list[str]:
    """Unload the models of this process; return their names. For the host's execution thread."""
    unloaded: list[str] = []
    for backend in registry.made():
        if getattr(backend, "runs_in_place", False):
            unloaded += backend.unload()
    return unloaded


async def unload_used_servers() -> list[str]:
    """Have each Ollama server unload the models used here; return their names.
    A server that does not answer is passed over."""
    unloaded: list[str] = []
    for base, models in _ollama_servers().items():
        for model in sorted(models):
            if await _unload_from_ollama(base, model):
                unloaded.append(model)
                used.difference_update({call for call in used if call[2] == model})
    return unloaded


def _ollama_servers() -> dict[str, set[str]]:
    servers: dict[str, set[str]] = {}
    for provider, base_url, model in used:
        if base_url and (provider == "ollama" or urlsplit(base_url).port == _OLLAMA_PORT):
            servers.setdefault(_root(base_url), set()).add(model)
    return servers


def _root(base_url: str) -> str:
    parts = urlsplit(base_url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.removesuffix("/").removesuffix("/v1"), "", ""))


async def _unload_from_ollama(root: str, model: str) -> bool:
    """Ask an Ollama to unload: https://github.com/ollama/ollama/blob/main/docs/api.md#unload-a-model."""
    aiohttp = aiohttp_library()

    body: dict[str, Any] = {"model": model, "keep_alive": 0}
    try:
        async with client.post(f"{root}/api/generate", body, {}) as response:
            text = await asyncio.wait_for(response.content.read(64 * 1024), _PATIENCE_S)
            return response.status == 200 and json.loads(text).get("done") is True
    except (aiohttp.ClientError, OSError, ValueError, AttributeError, asyncio.TimeoutError) as error:
        _log.info("Ollama did not unload %s (%s).", model, type(error).__name__)
        return False
