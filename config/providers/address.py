"""Addresses of providers as users write them: read, and refused where no key should go there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ...llm_backends.errors import NotConfigured
from ...llm_backends.remote.addresses import api_base, cleaned, is_host
from ...llm_backends.system.loopback import address_of, leads_to_loopback
from ..settings.values import warn_once
from .table import Provider


def moved(provider: Provider, place: str, text: str) -> str:
    """The address of `provider` in `text`, which stands in `place` (a variable, a row).
    Raises `NotConfigured` for one to which no key should go."""
    url = _pasted(provider, text)
    if "://" not in text:
        rest = url.partition("://")[2]
        url = f"http{'' if _may_be_plain(provider, f'//{rest}') else 's'}://{rest}"
    if "@" not in url and url.partition("://")[2] != text.rpartition("://")[2].rstrip("/"):
        warn_once(f"{place} is read as {url}.")
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and is_host(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or parts.query or parts.fragment:
        raise NotConfigured(
            f"{place} is not a valid address.",
            hint="Use an address such as https://host/path.",
            provider=provider.id,
        )
    if parts.username or parts.password:
        raise NotConfigured(
            f"{place} holds a name or a password.",
            hint=f"Leave out what stands before the @; the key goes into {provider.key_variables[0]}.",
            provider=provider.id,
        )
    if parts.scheme == "http" and not _may_be_plain(provider, url):
        raise NotConfigured(
            f"{place} is an address without encryption, where everybody on the way reads key and texts.",
            hint="Write https://; http:// is for this machine only.",
            provider=provider.id,
        )
    return url


def _may_be_plain(provider: Provider, url: str) -> bool:
    """Tell whether `url` may do without encryption: on this machine, and a server of one's own at home."""
    address = address_of(urlsplit(url).hostname or "")
    if leads_to_loopback(url) or (address is not None and address.is_unspecified):
        return True
    return provider.is_local and (address is None or not address.is_global)


def _pasted(provider: Provider, text: str) -> str:
    """The address that `provider` is called at: not a route below it, which litellm or we add."""
    url = cleaned(text).partition("#")[0]
    if provider.litellm_prefix == "ollama_chat":
        url = re.sub(r"/(?:api|v1)(?:/[^?]*)?$", "", url.rstrip("/"))
    elif provider.litellm_prefix == "azure":
        url = re.sub(r"\?api-version=[^&]*$", "", url)
        url = re.sub(r"/openai(?:/[^?]*)?$", "", url.rstrip("/"))
    elif provider.litellm_prefix in ("hosted_vllm", "lm_studio"):
        url = url if "?" in url else api_base(url)
    elif provider.wire:
        url = re.sub(r"/(?:chat/completions|completions|models|responses)/?$", "", url)
    return url.rstrip("/")
