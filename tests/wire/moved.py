"""Providers of the table, moved to the imitation server: their settings, and what has to arrive there."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest

from quillwork.config.providers.table import Provider
from quillwork.llm_backends.remote import token_exchange
from wire.cloud_formats import token_of
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
    "oci": "/at/oci/20231130/actions/chat",
    "ollama": "/api/chat",
    "sagemaker_chat": "/at/sagemaker_chat/endpoints/fox/invocations-response-stream",
    "watsonx": "/at/watsonx/ml/v1/text/chat_stream",
    "ragflow": "/at/ragflow/api/v1/chats_openai/one/chat/completions",
}
_STREAM_IN_PATH = re.compile(r"-response-stream$|[-_]stream$|stream(G)enerate")
OWN_ENDS = {"datarobot": "/api/v2"}
OWN_HEADERS = {"anthropic": "x-api-key", "azure": "api-key", "gemini": "x-goog-api-key"}
OWN_MODELS = {"clarifai": "maker.app.fox", "ragflow": "chat/one/fox"}
SENT_MODELS = {
    "clarifai": "https://clarifai.com/maker/app/models/fox",
    "fireworks_ai": "accounts/fireworks/models/fox",
    "vertex_ai": "google/fox",
}
# At a compatible address, where that is found from the moved one; all others are named.
COMPATIBLE_PATHS = {
    "azure": "/openai/deployments/fox",
    "databricks": "/at/databricks",
    "heroku": "/at/heroku/v1",
    "ollama": "/v1",
}
COMPATIBLE_MODELS = {"bedrock": "openai.fox"}
SIGNED = {
    "sagemaker_chat": "AWS4-HMAC-SHA256 Credential=planted-",
    "oci": 'Signature version="1",keyId="planted-',
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
    """Set up `row` alone, at the imitation server, beside a key of OpenAI's; the key or token to arrive."""
    key = own_key(row)
    base = wire.url + (PATHS[row.id] if row.id in OWN_PATHS and row.id in PATHS else path_of(row))
    variables = {"OPENAI_API_KEY": OPENAI_KEY, row.key_variables[0]: key, row.base_variables[0]: base}
    for argument, names in {**row.needed_variables, **row.place_variables}.items():
        given = "us-east-1" if "region" in argument else f"planted-{argument.replace('_', '-')}"
        variables[names[0]] = row.defaults.get(argument, given)
    if row.exchange:
        variables |= {row.token_variables[0]: f"{wire.url}/at/{row.id}/token", "LLM_ALLOW": f"{row.id}.token"}
        token_exchange.forget()
    env(**variables)
    return token_of(row.id) if row.exchange else key


def move_compatible(row: Provider, wire: WireServer, env) -> str:
    """The same for `row`, which is called in OpenAI's format though it has one of its own."""
    key = move(row, wire, env)
    env(**{name: f"{wire.url}/at/{row.id}/compatible" for name in row.compatible_variables})
    return key


def check_compatible(request: Logged, row: Provider, key: str) -> None:
    """The request came to the compatible address, with the key in one header, and no other provider's."""
    path = COMPATIBLE_PATHS.get(row.id, f"/at/{row.id}/compatible")
    assert (request.method, request.path) == ("POST", f"{path}/chat/completions")
    assert request.query == ({"api-version": "2024-10-21"} if row.id == "azure" else {})
    header = "api-key" if row.id == "azure" else "authorization"
    assert request.headers[header].removeprefix("Bearer ") == key
    assert {name for name, value in request.headers.items() if key in value} == {header}
    assert OPENAI_KEY not in f"{request.headers} {request.query} {request.body!r}"
    assert request.model == COMPATIBLE_MODELS.get(row.id, "fox")


def own_key(row: Provider) -> str:
    """A key for `row`: a word, a private key, or a service account with one."""
    word = f"planted-key-of-{row.id}-0123456789"
    if not row.credentials:
        return word
    if row.credentials == "private_key":
        return private_key()
    account = {"type": "service_account", "client_email": f"{word}@fox.example", "private_key_id": "7"}
    return json.dumps({**account, "private_key": private_key(), "project_id": "planted-project"})


@functools.cache
def private_key() -> str:
    """A private key of this run's."""
    pytest.importorskip("cryptography", reason="these calls are signed with cryptography")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


def check_tokens(wire: WireServer, row: Provider) -> None:
    """The key went to the token service once, as that one takes it, and OpenAI's did not."""
    if not row.exchange:
        assert wire.token_log == []
        return
    (asked,) = wire.token_log
    form = dict(parse_qsl(asked.body.decode()))
    assert asked.path == f"/at/{row.id}/token"
    assert OPENAI_KEY not in str(asked.headers) + str(form)
    if row.exchange == "google":
        assert private_key().splitlines()[5] not in asked.body.decode()
        claims = form["assertion"].split(".")[1]
        read = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        assert read["iss"].startswith("planted-key-of-vertex_ai") and read["aud"].endswith(asked.path)
    elif row.exchange == "ibm":
        assert form["apikey"] == own_key(row)
    else:
        assert asked.headers["authorization"] == f"Basic {own_key(row)}"
        assert form == {"scope": "GIGACHAT_API_PERS"}


def path_of(row: Provider) -> str:
    """A path of the server that is the row's alone, and ends as its own address does."""
    own = urlsplit(row.default_base_url or "").path.format_map(defaultdict(lambda: "one"))
    return f"/at/{row.id}{OWN_ENDS.get(row.id, own)}"


def check(request: Logged, row: Provider, key: str, *, streamed: bool = True) -> None:
    path = OWN_PATHS.get(row.id, f"{path_of(row)}/chat/completions")
    if not streamed:
        path = _STREAM_IN_PATH.sub(lambda found: "generate" if found[1] else "", path)
    assert (request.method, request.path) == ("POST", path)
    header = OWN_HEADERS.get(row.id, "authorization")
    if row.id in SIGNED:
        sent = f"{request.headers} {request.query} {request.body!r}"
        assert request.headers[header].startswith(SIGNED[row.id])
        assert key.strip().splitlines()[len(key) // 100] not in sent
        assert "aws_" not in str(request.body)
        assert OPENAI_KEY not in sent
        return
    assert request.headers[header].removeprefix("Bearer ") == key
    carriers = {name for name, value in request.headers.items() if key in value}
    # An older openai sends Azure the key under both names.
    assert carriers == {header} or (row.id == "azure" and carriers == {header, "authorization"})
    assert OPENAI_KEY not in f"{request.headers} {request.query} {request.body!r}" or row.id == "openai"
    assert request.model == SENT_MODELS.get(row.id, "fox")
