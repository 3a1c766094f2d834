"""The user's own server, chosen on the page: its address, tested before it is kept."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from ..llm_backends.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    LLMError,
    NotConfigured,
    PermissionDenied,
    TimedOut,
)
from ..llm_backends.remote.addresses import cleaned, mended
from ..llm_backends.remote.http_client import origin_of
from ..llm_backends.remote.model_list import list_models
from ..llm_backends.system.files import write_whole
from ..llm_backends.system.loopback import address_of
from ..llm_backends.types import Secret
from .settings.values import SERVER_FILE, Settings

# The ports where such servers listen by default.
USUAL = (
    ("LM Studio", "http://127.0.0.1:1234/v1"),
    ("llama.cpp", "http://127.0.0.1:8080/v1"),
    ("vLLM", "http://127.0.0.1:8000/v1"),
    ("LiteLLM proxy", "http://127.0.0.1:4000/v1"),
)
_LOOKING_S = 1.0
_TESTING_S = 5.0
_LONGEST = 300


def checked(text: str) -> str:
    """Read the address in `text`.
    Raises `NotConfigured` for one that no server of the user's own can have."""
    address = cleaned(text)
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if (
        parts.scheme not in ("http", "https")
        or not host
        or len(address) > _LONGEST
        or any(
            character.isspace() or not character.isprintable() or character in ",\\" for character in address
        )
    ):
        raise NotConfigured(
            "That is not a valid server address.", hint="Use an address such as http://127.0.0.1:1234/v1."
        )
    if "@" in parts.netloc or re.search(r"(?i)^(?!api-version=[^&]*$).", parts.query):
        raise NotConfigured(
            "The address contains a user name, a password or a key.",
            hint="Remove it. The key has a field of its own.",
        )
    if _is_nowhere(host):
        raise NotConfigured(
            "None of your servers has that address.", hint="Enter the address that it listens on."
        )
    return mended(address) or address.rstrip("/")


def _is_nowhere(host: str) -> bool:
    """Tell whether `host` stands for no machine, or for services of a data centre (169.254.…)."""
    address = address_of(host)
    return address is not None and (address.is_link_local or address.is_multicast or address.is_unspecified)


def require_place(settings: Settings) -> None:
    """Raise `NotConfigured` where an address is set elsewhere: it would take precedence over the page's."""
    value = settings.value("LLM_BASE_URL")
    if value.text and value.origin != SERVER_FILE:
        raise NotConfigured(
            f"{value.name} is set in {_where(value.origin)}, which takes precedence.",
            hint="Change it there, or remove it and restart.",
        )


def _where(origin: str) -> str:
    return "the environment" if origin == "environment" else origin


async def test(address: str, key: Secret | None) -> list[str]:
    """List the models at `address`. Raises `LLMError` where it does not answer, or refuses `key`.
    The server's own words are left out, since the address may be any."""
    where = origin_of(address)
    try:
        return await list_models(address, key, _TESTING_S)
    except (AuthenticationFailed, PermissionDenied):
        said, hint = (
            ("rejected the key", "Check it.") if key else ("requires a key", "Enter the key for this server.")
        )
        raise AuthenticationFailed(f"{where} {said}.", hint=hint) from None
    except (ConnectionFailed, TimedOut) as error:
        raise error.with_traceback(None) from None
    except LLMError:
        raise NotConfigured(
            f"{where} responds, but lists no models.",
            hint="Check the path: OpenAI-compatible servers usually have it end in /v1.",
        ) from None


async def look_around() -> list[tuple[str, str]]:
    """Find servers at their usual addresses on this machine: name and address of those that answer."""
    answers = await asyncio.gather(*(_answers(address) for _, address in USUAL))
    return [server for server, there in zip(USUAL, answers, strict=True) if there]


async def _answers(address: str) -> bool:
    try:
        await list_models(address, None, _LOOKING_S)
    except LLMError as error:
        return error.type == "authentication"
    return True


def write(folder: Path, address: str | None) -> None:
    """Keep `address` for good; None forgets it."""
    file = folder / SERVER_FILE
    try:
        if address is None:
            file.unlink(missing_ok=True)
            return
        write_whole(file, json.dumps({"LLM_BASE_URL": address}, indent=1))
    except OSError as error:
        raise NotConfigured(
            f"The address could not be saved in {folder} ({error.strerror}).",
            hint="Set QUILLWORK_HOME to a folder that you can write to, or set LLM_BASE_URL.",
        ) from None
