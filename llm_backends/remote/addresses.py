"""Addresses of servers as people paste them, and the addresses of the routes under them."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from ..types import Secret
from .http_client import bearer

_AROUND = " \t\r\n\"'`<>()[]{},;\u200b\u200e\ufeff\u00a0“”‘’«»„"
# What a Chinese or Japanese keyboard types for the signs of an address.
_WIDE = str.maketrans("：／．－＿？＝＆＃", ":/.-_?=&#")
_NAMED = re.compile(
    # With a blank or an equals sign: localhost:1234 is a host and its port.
    r"(?i)^(?:export\s+|setx?\s+)?\$?[a-z_:]*(?:url|base|host|endpoint|address)\w*(?:\s*=\s*|\s*:?\s+)(?=\S)"
)
_ANY = re.compile(r"(?i)https?://[^\s\"'`<>]+")
_SCHEME = re.compile(r"(?i)^(https?)(?::?/{1,}|:\\+|;//)(?=[^/\\])")
# What stands behind the base of an API: routes of OpenAI's, Anthropic's and Ollama's format, and pages.
_ROUTE = re.compile(
    r"(?i)(?:/(?:chat/completions|completions?|generate(?:_stream)?|models(?:/[^/]+)?|responses|embeddings|messages|chat|model/info|health"
    r"|docs|redoc|openapi\.json|swagger|ui|index\.html))+$"
)
_OLLAMA = re.compile(
    r"(?i)/api(?:/(?:chat|generate|tags|show|ps|version|embed|embeddings|v0(?:/.*)?|(?:v1|latest)/(?:generate|model)|extra/.*))?$"
)
_OPEN_WEBUI = "/api/chat/completions"
_AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
# Servers whose OpenAI format is not below /v1.
_BASES = {
    "openrouter.ai": "/api/v1",
    "generativelanguage.googleapis.com": "/v1beta/openai",
    "api.groq.com": "/openai/v1",
    "api.fireworks.ai": "/inference/v1",
    "api.deepinfra.com": "/v1/openai",
    "api.perplexity.ai": "",
    "models.github.ai": "/inference",
    "open.bigmodel.cn": "/api/paas/v4",
    "api.z.ai": "/api/paas/v4",
    "ark.cn-beijing.volces.com": "/api/v3",
    "dashscope.aliyuncs.com": "/compatible-mode/v1",
    "dashscope-intl.aliyuncs.com": "/compatible-mode/v1",
    "qianfan.baidubce.com": "/v2",
    "api.cohere.com": "/compatibility/v1",
    "api.cohere.ai": "/compatibility/v1",
}
_AT_HOME = (".local", ".lan", ".home", ".internal", ".localhost", ".test", ".arpa", ".intranet", ".corp")


@lru_cache(maxsize=128)  # asked for every provider whenever the list of models is
def api_base(text: str) -> str:
    """The base of the API at the pasted address `text`: with a scheme, without routes, queries, quotes and
    names around it. Text that holds no address comes back as it is."""
    address = cleaned(text)
    parts = _split(address)
    if parts is None:
        return text
    version = [pair for pair in parse_qsl(parts.query) if pair[0].lower() == "api-version"]
    path = _base_path(parts.path, parts.hostname or "")
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(version), ""))


def mended(text: str) -> str | None:
    """The base that `text` means, where that is more than a scheme, a slash or the usual ``/v1`` away."""
    base, typed = api_base(text), text.strip().rstrip("/")
    typed = typed if "://" in typed else f"http://{typed}"
    return None if base in (typed, f"{typed}/v1") else base


def cleaned(text: str) -> str:
    """The address in `text` without quotes and names around it, with a scheme and a host to call."""
    address = _bare(text.translate(_WIDE))
    if (found := _ANY.search(address)) and found.start():
        address = _bare(found[0])  # a line of a terminal or of a file
    else:
        address = _bare(_NAMED.sub("", address))
    address = _SCHEME.sub(lambda scheme: f"{scheme[1].lower()}://", address)
    address = re.sub(r"(?i)^https?://(?=https?://)", "", address).replace("\\", "/")
    if "://" not in address:
        address = f"{_scheme_of(address)}://{address}"
    # A bind address is what servers print; none can be called there.
    return re.sub(r"//0\.0\.0\.0(?=[:/?#]|$)", "//127.0.0.1", address)


def _bare(text: str) -> str:
    """The text without quotes and brackets around it, but for those of an IPv6 address."""
    bare = text.strip(_AROUND.replace("[", "").replace("]", ""))
    return bare if re.match(r"\[[\da-fA-F:.]+\]", bare) else bare.strip(_AROUND)


def is_host(name: str | None) -> bool:
    """Tell whether `name` can be a server's: the words of a sentence cannot."""
    return bool(name) and not any(letter.isspace() or not letter.isprintable() for letter in name or "")


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        return parts if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None


def _scheme_of(address: str) -> str:
    """The scheme of an address without one: https where it can only be a service on the internet."""
    host = re.split(r"[/?#]", address, maxsplit=1)[0].lower()
    is_name = re.fullmatch(r"(?:[\w-]+\.)+[a-z]{2,}", host) is not None
    return "https" if is_name and not host.endswith(_AT_HOME) else "http"


def _base_path(path: str, host: str) -> str:
    path = re.sub("/{2,}", "/", path).rstrip("/ ")
    usual = next((base for name, base in _BASES.items() if host == name or host.endswith(f".{name}")), "/v1")
    if host.endswith(_AZURE_HOSTS):
        path = _ROUTE.sub("", path)
        return "/openai/v1" if path in ("", "/openai", "/v1") else path
    if path.lower() == _OPEN_WEBUI:
        return path  # there the base is /api, which elsewhere is Ollama's own
    if host == "generativelanguage.googleapis.com" and "/openai" not in path:
        return usual
    if _OLLAMA.search(path):
        return _OLLAMA.sub("", path) + usual
    path = _ROUTE.sub("", path)
    path = re.sub(r"(/v\d+)\1+$", r"\1", path)
    return path if path not in ("", "/openai") or (path and host not in _BASES) else usual


@lru_cache(maxsize=128)  # asked at every call
def route(base_url: str, path: str) -> str:
    """The address of `path` (such as ``/models``) under `base_url`; Azure's version stays at the end."""
    parts = _split(api_base(base_url)) if "://" in base_url else None
    if parts is None:
        return base_url  # whoever calls it says that it is none
    return urlunsplit(parts._replace(path=parts.path.removesuffix("/chat/completions") + path))


@lru_cache(maxsize=128)
def is_azure(url: str) -> bool:
    """Tell whether the server at `url` takes its key as Azure does."""
    parts = _split(url)
    if parts is None:
        return False
    return "api-version=" in parts.query.lower() or (parts.hostname or "").endswith(_AZURE_HOSTS)


def key_headers(url: str, key: Secret | None, variable: str) -> dict[str, str]:
    """The headers that carry `key` to `url`. Raises `AuthenticationFailed` for what cannot be a key."""
    headers = bearer(key, variable)
    return {"api-key": key.reveal()} if key is not None and is_azure(url) else headers
