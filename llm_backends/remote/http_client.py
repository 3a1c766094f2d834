"""The one aiohttp session of the runner's loop, and the errors of the network in plain words."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import re
import ssl
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .. import errors, modes
from ..host import program
from ..runner import runner
from ..system.loopback import leads_to_loopback
from ..types import Deployment, Secret
from .reasons import decode_text

if TYPE_CHECKING:
    import aiohttp

USER_AGENT = "quillwork"
# What an error's body may hold of interest; the rest of a long page is not read.
_LONGEST_REFUSAL = 64 * 1024
# requests' and curl's names, which is where people have set them; SSL_CERT_FILE holds for OpenSSL itself.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_NO_TLS = re.compile(
    r"wrong.version|unknown.protocol|http.request|record.layer|packet.length|unexpected.message", re.I
)
_TLS_ONLY = re.compile(
    r"http request (?:was sent )?to (?:an )?https|plain http|requires? (?:tls|ssl|https)", re.I
)
_log = logging.getLogger("quillwork")


def aiohttp_library() -> Any:
    """The module ``aiohttp``. Raises `errors.DependencyMissing` where it is missing or broken.

    Most hosts bring it; on Forge Neo our install.py adds it, which a host may be told to leave out.
    """
    try:
        import aiohttp
    except ImportError as error:
        raise errors.DependencyMissing(
            f"Every server needs the Python package {error.name or 'aiohttp'}, which could not be imported.",
            hint=f"Run `python install.py` in Quillwork's folder with {program()}'s Python and restart "
            f"{program()}. Until then, models in {program()}'s own process and the "
            f"{modes.of(modes.stand_in()).label.lower()} work.",
        ) from None
    return aiohttp


class HttpClient:
    """A kept-alive session: a new one for each call costs more than all other work on a call."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def session(self) -> aiohttp.ClientSession:
        """The session of the running loop."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            aiohttp = aiohttp_library()
            # trust_env stays off: with it aiohttp also sends what a .netrc holds, and proxies loopback.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0, keepalive_timeout=60, ttl_dns_cache=300, ssl=trust(bundles())
                ),
                headers={"User-Agent": USER_AGENT},
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
            self._loop = loop
        return self._session

    def post(
        self, url: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> aiohttp.client._RequestContextManager:
        return self.session().post(
            url, json=body, headers=headers, allow_redirects=False, proxy=proxy_for(url)
        )

    def get(self, url: str, headers: Mapping[str, str]) -> aiohttp.client._RequestContextManager:
        return self.session().get(url, headers=headers, allow_redirects=False, proxy=proxy_for(url))

    def send(
        self, method: str, url: str, headers: Mapping[str, str], data: Any, timeout_s: float
    ) -> aiohttp.client._RequestContextManager:
        """Send `data` (bytes, a stream, a form, or None) by `method`, all within `timeout_s` seconds."""
        aiohttp = aiohttp_library()
        return self.session().request(
            method,
            url,
            data=data,
            headers=headers,
            allow_redirects=False,
            proxy=proxy_for(url),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        )

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None and not session.closed:
            await session.close()


def is_good(response: aiohttp.ClientResponse) -> bool:
    """Tell whether the response's status promises an answer."""
    return 200 <= response.status < 300


async def read_refusal(response: aiohttp.ClientResponse) -> str:
    """Read the text of a response of another status."""
    raw = bytearray()
    async for piece in response.content.iter_any():
        raw += piece
        if len(raw) > _LONGEST_REFUSAL:
            break
    return decode_text(bytes(raw[:_LONGEST_REFUSAL]), response.headers.get("Content-Type", ""))


def bundles() -> tuple[str, ...]:
    """The files and folders of further certificates that the environment names."""
    named = (os.environ.get(name, "").strip(" \"'") for name in _BUNDLES)
    return tuple(path for path in named if path and os.path.exists(path))


@functools.cache
def trust(bundles: tuple[str, ...]) -> ssl.SSLContext:
    """The context of secure connections: the system's certificates, certifi's where that is installed, and
    those of `bundles`, which companies whose proxy opens connections hand out."""
    context = ssl.create_default_context()
    with contextlib.suppress(ImportError, OSError):
        import certifi

        context.load_verify_locations(certifi.where())
    for bundle in bundles:
        try:
            is_folder = os.path.isdir(bundle)
            context.load_verify_locations(
                cafile=None if is_folder else bundle, capath=bundle if is_folder else None
            )
        except (OSError, ssl.SSLError) as error:
            _log.warning("The certificates in %s cannot be read (%s).", bundle, type(error).__name__)
    return context


client = HttpClient()
runner.on_close(client.close)


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for `url`; never one for this machine."""
    parts = urlsplit(url)
    if leads_to_loopback(url) or urllib.request.proxy_bypass_environment(  # type: ignore[attr-defined]
        parts.hostname or ""
    ):
        return None
    return urllib.request.getproxies_environment().get(parts.scheme)


def origin_of(url: str) -> str:
    """Scheme, host and port of `url`: the origin to which a key belongs, and which is safe to show."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return url.rpartition("@")[2]
    default = {"http": 80, "https": 443}.get(parts.scheme)
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port and port != default else "")


def bearer(key: Secret | None, variable: str) -> dict[str, str]:
    """The header that carries `key`, if there is one. Raises `AuthenticationFailed` for a text that cannot be
    a key; `variable` names the variable in which the user keeps it."""
    if key is None:
        return {}
    if not (key.reveal().isascii() and key.reveal().isprintable()):
        raise errors.AuthenticationFailed(
            "The key contains a line break or another character that keys cannot have.",
            hint=f"Copy the key into {variable} again, on one line.",
        )
    return {"Authorization": f"Bearer {key.reveal()}"}


def wire_error(error: Exception, deployment: Deployment, *, begun: bool) -> errors.LLMError:
    """The error for `error` of aiohttp or the system; `begun` says that the answer had started."""
    import aiohttp

    name, where = deployment.name, origin_of(deployment.base_url or "")
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return insecure(where, str(error), f" ({reason_of(error)})")
    if isinstance(error, (aiohttp.InvalidURL, ValueError)):
        return errors.NotConfigured(
            f"{where} is not a valid address.",
            hint="Set LLM_BASE_URL to an address such as http://127.0.0.1:4000/v1.",
        )
    dns_error = getattr(aiohttp, "ClientConnectorDNSError", ())
    if isinstance(error, dns_error) or "Name or service" in str(error) or "getaddrinfo" in str(error):
        return unresolved(where, deployment)
    if isinstance(error, aiohttp.ClientConnectorError):
        return errors.ConnectionFailed(
            f"No server is responding at {where} ({reason_of(error)}).",
            hint="Start the server there, or check the address.",
        )
    if begun or isinstance(error, aiohttp.ClientPayloadError):
        return errors.StreamBroken(f"{name} stopped in the middle of its answer.")
    failed = errors.ConnectionFailed(f"The connection to {name} was lost ({reason_of(error)}).")
    if where.startswith("http://") and not isinstance(error, TimeoutError):
        failed.hint = f"{failed.hint} If it is served over https, write {https(where)}."
    return failed


def unresolved(where: str, deployment: Deployment) -> errors.ConnectionFailed:
    """The error for the origin `where`, whose host's name nobody knows."""
    region = deployment.params.get("region_from")
    failed = errors.ConnectionFailed(
        f"The host name in {where} could not be resolved.",
        hint=f"Check that there is such a region: {region}. Otherwise check the network connection."
        if region
        else "Check the address for typos, and the network connection.",
    )
    failed.retryable = False
    return failed


def insecure(where: str, words: str, reason: str = "") -> errors.ConnectionFailed:
    """The error for a secure connection to the origin `where` that failed with the library's `words`."""
    if _NO_TLS.search(words):
        hint = f"The server seems to speak plain http: write {where.replace('https://', 'http://', 1)}…"
    elif "certificate" in words.lower():
        hint = (
            "Check the server's certificate (http or https?); one of your own or of your company goes into "
            "the file that REQUESTS_CA_BUNDLE names."
        )
    else:
        hint = "Check the address (http or https) and the server's certificate."
    failed = errors.ConnectionFailed(f"The secure connection to {where} failed{reason}.", hint=hint)
    failed.retryable = False
    return failed


def https(where: str) -> str:
    return where.replace("http://", "https://", 1)


def placed(error: errors.LLMError, url: str, text: str) -> errors.LLMError:
    """`error` for the answer `text`, with the called address where that may be what is wrong."""
    where = origin_of(url)
    if url.startswith("http://") and _TLS_ONLY.search(text):
        failed = errors.ConnectionFailed(
            f"{where} takes secure connections only.", hint=f"Write {https(where)}…"
        )
        failed.retryable = False
        return failed
    if isinstance(error, errors.ModelNotFound):
        called = f"{where}{urlsplit(url).path}"
        error.hint = f"Called was {called}. {error.hint}"
    return error


def reason_of(error: BaseException) -> str:
    """The reason that the system or a certificate gave, in a few of its words."""
    system = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    text = getattr(system, "strerror", None) or getattr(system, "verify_message", None) or str(system)
    if text and "Connect call failed" in text:
        return "connection refused"
    return (text or type(error).__name__).strip().rstrip(".")[:160]
