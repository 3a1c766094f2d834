"""Clients handed to litellm, each for one call: the only way by which it may reach the other side.

Most of this relies on internals of litellm and openai, which change from release to release.
Where a part is gone, all that needs it is refused in a sentence, and the rest goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...types import Deployment
from .faults import changed
from .transport import Transmission, Transports

if TYPE_CHECKING:
    import httpx

# Called with OpenAI's own client alone, in every release so far.
_OPENAI_PREFIXES = frozenset({"openai", "lm_studio"})


class Clients:
    """A maker of clients for the calls of one event loop; they share the connections."""

    def __init__(self, transports: Transports | None = None) -> None:
        self._transports = transports or Transports()
        self._door: type | None = None

    def client(self, prefix: str, deployment: Deployment, exchange: Transmission, api_version: str) -> Any:
        """The client for one call to `prefix`.
        Raises `LibraryFault` where none can be made with our transport."""
        http = self._transports.client(deployment.base_url or "", exchange, deployment.total_timeout_s)
        if prefix == "azure":
            return openai_client(http, deployment, api_version)
        try:
            self._door = self._door or _door_class()
            door = self._door(http, deployment)
        except (ImportError, AttributeError, TypeError) as error:
            if prefix not in _OPENAI_PREFIXES:
                raise changed(type(error).__name__, deployment) from None
            return openai_client(http, deployment)
        return door

    async def close(self) -> None:
        await self._transports.close()


def _door_class() -> type:
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

    class Door(AsyncHTTPHandler):
        """A client of litellm's own and of OpenAI's kind in one: which of the two a provider is called
        with differs between litellm's releases. Lives for one call."""

        def __init__(self, http: httpx.AsyncClient, deployment: Deployment) -> None:
            self._http, self._deployment, self._openai = http, deployment, None
            super().__init__()
            self.client = http

        def create_client(self, *_: Any, **__: Any) -> httpx.AsyncClient:
            return self._http

        def post(self, *given: Any, **named: Any) -> Any:
            # Both kinds have one; OpenAI's alone is told what to make of the answer.
            if "cast_to" in named:
                return self._as_openai().post(*given, **named)
            return super().post(*given, **named)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return getattr(self._as_openai(), name)

        def _as_openai(self) -> Any:
            if self._openai is None:
                self._openai = openai_client(self._http, self._deployment)
            return self._openai

        async def close(self) -> None:
            pass

        def __del__(self) -> None:
            pass

    return Door


def openai_client(http: httpx.AsyncClient, deployment: Deployment, api_version: str | None = None) -> Any:
    """A client of OpenAI's that uses none of the OPENAI_* variables."""
    import openai

    key = deployment.api_key.reveal() if deployment.api_key else "none"
    shared: dict[str, Any] = {"api_key": key, "http_client": http, "max_retries": 0}
    # Given, so that they are not looked up; then taken away.
    shared |= {"organization": key, "project": key}
    client: Any
    if api_version is None:
        client = openai.AsyncOpenAI(base_url=deployment.base_url, **shared)
    else:
        client = openai.AsyncAzureOpenAI(
            azure_endpoint=deployment.base_url or "", api_version=api_version, **shared
        )
        client._azure_ad_token = None
    client.organization = client.project = None
    client._custom_headers = {}
    return client
