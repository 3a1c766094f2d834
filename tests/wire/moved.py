"""Providers of the table, moved to the imitation server: their settings, and what has to arrive there."""

from __future__ import annotations

import contextlib
import sys
from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import urlsplit

from quillwork.config.provider_table import Provider
from wire.deployments import PATHS
from wire.server import Logged, WireServer

OPENAI_KEY = "sk-planted-key-of-openai-0123456789"
# Where litellm has its own idea of the path below an address, of the header of the key, of a model's name.
OWN_PATHS = {
    "anthropic": "/v1/messages",
    "azure": "/openai/deployments/fox/chat/completions",
    "bedrock": "/model/fox/converse-stream",
    "datarobot": "/at/datarobot/api/v2/genai/llmgw/chat/completions/",
    "gemini": "/v1beta/models/fox:streamGenerateContent",
    "heroku": "/at/heroku/v1/chat/completions",
    "ollama": "/api/chat",
    "ragflow": "/at/ragflow/api/v1/chats_openai/one/chat/completions",
}
OWN_ENDS = {"datarobot": "/api/v2"}
OWN_HEADERS = {"anthropic": "x-api-key", "azure": "api-key", "gemini": "x-goog-api-key"}
OWN_MODELS = {"clarifai": "maker.app.fox", "ragflow": "chat/one/fox"}
SENT_MODELS = {
    "clarifai": "https://clarifai.com/maker/app/models/fox",
    "fireworks_ai": "accounts/fireworks/models/fox",
}

allowed: set[int] = set()
refused: list[str] = []


@contextlib.contextmanager
def only_loopback() -> Iterator[None]:
    """Refuse every address but those that were allowed, and record it."""
    active = True

    def watch(event: str, arguments: tuple) -> None:
        if not active or event not in ("socket.getaddrinfo", "socket.connect"):
            return
        host, port = arguments[:2] if event == "socket.getaddrinfo" else _place(arguments[1])
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if name and not (name == "127.0.0.1" and port in allowed):
            refused.append(f"{name}:{port}")
            raise ConnectionRefusedError(f"a test may not reach {name}:{port}")

    sys.addaudithook(watch)
    try:
        yield
    finally:
        active = False


def _place(address: object) -> tuple[str, int]:
    return (str(address[0]), int(address[1])) if isinstance(address, tuple) else ("", 0)


def move(row: Provider, wire: WireServer, env) -> str:
    """Set up `row` alone, at the imitation server, beside a key of OpenAI's; its own key."""
    key = f"planted-key-of-{row.id}-0123456789"
    base = wire.url + (PATHS[row.id] if row.id in OWN_PATHS and row.id in PATHS else path_of(row))
    variables = {"OPENAI_API_KEY": OPENAI_KEY, row.key_variables[0]: key, row.base_variables[0]: base}
    for argument, names in row.needed_variables.items():
        variables[names[0]] = row.defaults.get(argument, "us-east-1")
    env(**variables)
    return key


def path_of(row: Provider) -> str:
    """A path of the server that is the row's alone, and ends as its own address does."""
    own = urlsplit(row.default_base_url or "").path.format_map(defaultdict(lambda: "one"))
    return f"/at/{row.id}{OWN_ENDS.get(row.id, own)}"


def check(request: Logged, row: Provider, key: str) -> None:
    assert (request.method, request.path) == (
        "POST",
        OWN_PATHS.get(row.id, f"{path_of(row)}/chat/completions"),
    )
    header = OWN_HEADERS.get(row.id, "authorization")
    assert request.headers[header].removeprefix("Bearer ") == key
    carriers = {name for name, value in request.headers.items() if key in value}
    # An older openai sends Azure the key under both names.
    assert carriers == {header} or (row.id == "azure" and carriers == {header, "authorization"})
    assert OPENAI_KEY not in f"{request.headers} {request.query} {request.body!r}" or row.id == "openai"
    assert request.model == SENT_MODELS.get(row.id, "fox")
