"""Token exchanges: services that take no key with a call, but a token for which the key is exchanged first.

litellm would do so by itself: at addresses of its own choosing, and partly without looking at certificates.
So the exchange is made here, at the one address that the deployment names, and litellm gets the token.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from .. import errors
from ..host import program
from ..redact import scrub
from ..types import Deployment, Secret
from .http_client import aiohttp_library, client, origin_of, proxy_for, read_refusal, wire_error
from .reasons import read_reason

PARAMETER = "token_exchange"
_GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_PATIENCE_S = 30.0
# A token is not used in the last minute of its life.
_MARGIN_S = 60.0
_tokens: dict[tuple[str, ...], tuple[float, Secret]] = {}


async def with_token(deployment: Deployment) -> Deployment:
    """The deployment with a token in place of its key, where its provider wants one; fetched unless there is
    one still. Raises `LLMError`."""
    exchange = deployment.params.get(PARAMETER)
    if exchange is None or deployment.api_key is None:
        return deployment
    place = _place(exchange, deployment.api_key)
    until, token = _tokens.get(place, (0.0, None))
    if token is None or until <= time.monotonic():
        lasts_s, token = await _fetch(exchange, deployment)
        _tokens[place] = (time.monotonic() + lasts_s - _MARGIN_S, token)
    params = {name: value for name, value in deployment.params.items() if name != PARAMETER}
    return replace(deployment, api_key=token, params=params)


def forget() -> None:
    """Forget all tokens."""
    _tokens.clear()


def forget_token(deployment: Deployment) -> None:
    """Forget the token of `deployment`, which was refused: the next call fetches another one."""
    exchange = deployment.params.get(PARAMETER)
    if exchange is not None and deployment.api_key is not None:
        _tokens.pop(_place(exchange, deployment.api_key), None)


def _place(exchange: Mapping[str, str], key: Secret) -> tuple[str, ...]:
    # Of the key only a hash: the table outlives the call.
    return (*exchange.values(), hashlib.sha256(key.reveal().encode()).hexdigest())


async def _fetch(exchange: Mapping[str, str], deployment: Deployment) -> tuple[float, Secret]:
    aiohttp = aiohttp_library()

    url = exchange["url"]
    form, headers = _question(exchange, deployment)
    try:
        status, text = await asyncio.wait_for(_post(url, form, headers), _PATIENCE_S)
    except asyncio.TimeoutError:
        raise errors.TimedOut(
            f"The token service of {_who(exchange, deployment)} did not answer in time."
        ) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise wire_error(error, replace(deployment, base_url=url), begun=False) from None
    if not 200 <= status < 300:
        raise _refused(status, text, exchange, deployment)
    return _read(text, exchange, deployment)


async def _post(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, str]:
    of_form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    async with client.session().post(
        url,
        data=urlencode(form),
        headers={**of_form, **headers},
        allow_redirects=False,
        proxy=proxy_for(url),
    ) as response:
        return response.status, await read_refusal(response)


def _read(text: str, exchange: Mapping[str, str], deployment: Deployment) -> tuple[float, Secret]:
    try:
        answer = json.loads(text)
        token = answer.get("access_token") or answer["tok"]
        if not isinstance(token, str) or not token:
            raise ValueError
        lasts_s = _lifetime(answer)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise errors.MalformedAnswer(
            f"The token service of {_who(exchange, deployment)} sent no token.",
            hint="Check its address.",
        ) from None
    return lasts_s, Secret(token)


def _lifetime(answer: Mapping[str, Any]) -> float:
    """The seconds for which a token is good. GigaChat names the moment, in milliseconds."""
    at = answer.get("expires_at") or answer.get("exp")
    if at is not None:
        return float(at) / 1000 - time.time()
    return float(answer.get("expires_in") or 0)


def _refused(status: int, body: str, exchange: Mapping[str, str], deployment: Deployment) -> errors.LLMError:
    secrets = [deployment.api_key]
    detail = " ".join(scrub(read_reason(body).text, secrets).split()).rstrip(".")[:300]
    said = f" ({status})" + (f": {detail}" if detail else "")
    who = _who(exchange, deployment)
    if 300 <= status < 400:
        error: errors.LLMError = errors.RedirectRefused(
            f"The token service of {who} redirects to another address, which is not followed."
        )
    elif status in (400, 401, 403):
        error = errors.AuthenticationFailed(
            f"The token service of {who} rejected the key{said}.",
            hint=f"Check the key in {deployment.key_variable}: it may have expired, or be another service's.",
        )
    elif status == 429:
        error = errors.RateLimited(f"The token service of {who} received too many requests{said}.")
    elif status >= 500:
        error = errors.ProviderFailed(f"The token service of {who} failed{said}.")
    else:
        error = errors.BadRequest(
            f"The token service of {who} rejected the request{said}.", hint="Check its address."
        )
    error.status, error.provider, error.model = status, deployment.provider, deployment.model
    return error


def _who(exchange: Mapping[str, str], deployment: Deployment) -> str:
    return f"{deployment.provider_label or deployment.provider} at {origin_of(exchange['url'])}"


def _question(exchange: Mapping[str, str], deployment: Deployment) -> tuple[dict[str, str], dict[str, str]]:
    """The form and the headers that ask for a token."""
    assert deployment.api_key is not None
    key = deployment.api_key.reveal()
    if exchange["kind"] == "ibm":
        return {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": key}, {}
    if exchange["kind"] == "gigachat":
        scope = exchange.get("scope") or "GIGACHAT_API_PERS"
        return {"scope": scope}, {"Authorization": f"Basic {key}", "RqUID": str(uuid.uuid4())}
    assertion = _signed_claims(exchange, deployment)
    return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}, {}


def _signed_claims(exchange: Mapping[str, str], deployment: Deployment) -> str:
    """The JSON Web Token with which a service account of Google's asks for a token."""
    try:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
    except ImportError:
        raise missing_package("cryptography", deployment) from None
    assert deployment.api_key is not None
    try:
        key = serialization.load_pem_private_key(deployment.api_key.reveal().encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError
    except (ValueError, TypeError):
        raise errors.NotConfigured(
            f"The private key in the service account of {deployment.key_variable} cannot be read.",
            hint="Create a new key of the type JSON in Google Cloud's console.",
        ) from None
    now = int(time.time())
    claims = {
        "iss": exchange["account"],
        "scope": _GOOGLE_SCOPE,
        "aud": exchange["url"],
        "iat": now,
        "exp": now + 3600,
    }
    head = {"alg": "RS256", "typ": "JWT", "kid": exchange["key_id"]}
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
    return f"{signed}.{_encoded(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def missing_package(package: str, deployment: Deployment) -> errors.DependencyMissing:
    """The error for a call that needs `package`, which is not installed."""
    return errors.DependencyMissing(
        f"Calls to {deployment.provider_label} need the package {package}, which is not installed.",
        hint=f"Run `python -m pip install {package}` with {program()}'s Python and restart {program()}.",
        provider=deployment.provider,
    )
