"""Requests to the hub: the token goes to the hub alone, and only safe redirects are followed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from ... import errors
from ...remote.http_client import HttpClient, aiohttp_library, bearer, origin_of, proxy_for, reason_of
from ...system.loopback import leads_to_loopback
from .access import HubAccess
from .repository import RemoteFile, Repository, read_repository

if TYPE_CHECKING:
    import aiohttp

_MOST_REDIRECTS = 5
_LONGEST_ANSWER = 32 * 2**20
_GO_ON = "Then run again: the download continues where it stopped."


class HubClient:
    """The connections of one download; `name` is the repository. Close it at the end."""

    def __init__(self, access: HubAccess, name: str, idle_s: float) -> None:
        parts = urlsplit(access.endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise errors.NotConfigured(
                "HF_ENDPOINT is not a valid address.",
                hint="Unset it, or use an address such as https://huggingface.co.",
            )
        self._access, self.name, self.idle_s, self.pause_s = access, name, idle_s, access.pause_s
        self._http = HttpClient()

    async def close(self) -> None:
        await self._http.close()

    async def repository(self, revision: str) -> Repository:
        """The repository's contents at `revision` (a branch, a tag or a commit; empty for the main
        branch)."""
        path = f"/api/models/{self.name}/revision/{quote(revision or 'main', safe='')}?blobs=true"
        body = await self._read(self._access.endpoint + path, revision)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        return read_repository(self.name, answer)

    async def content(self, repository: Repository, file: RemoteFile) -> bytes:
        """The content of a small file."""
        return await self._read(self.address(repository, file), "")

    def address(self, repository: Repository, file: RemoteFile) -> str:
        return f"{self._access.endpoint}/{self.name}/resolve/{repository.commit}/{quote(file.name)}"

    async def _read(self, url: str, revision: str) -> bytes:
        aiohttp = aiohttp_library()

        try:
            async with self.get(url) as response:
                if response.status != 200:
                    raise await self.refusal(response, revision)
                body = b""
                while chunk := await asyncio.wait_for(response.content.readany(), self.idle_s):
                    body += chunk
                    if len(body) > _LONGEST_ANSWER:
                        raise errors.AnswerTooLarge(
                            f"The file list of {self.name} is too long.",
                            hint="Check HF_ENDPOINT.",
                        )
                return body
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            raise self.broken(error) from None

    @contextlib.asynccontextmanager
    async def get(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response behind all redirects. Raises `errors.RedirectRefused` and whatever aiohttp raises."""
        import yarl

        for _ in range(_MOST_REDIRECTS + 1):
            sent = {"Accept-Encoding": "identity", **(headers or {}), **self._authorization(url)}
            # Signed addresses must arrive letter for letter.
            request = self._http.session().get(
                yarl.URL(url, encoded=True), headers=sent, allow_redirects=False, proxy=proxy_for(url)
            )
            response = await asyncio.wait_for(request, self.idle_s)
            if response.status not in (301, 302, 303, 307, 308):
                try:
                    yield response
                finally:
                    # Not `release`: what is left unread of a large file need not come.
                    response.close()
                return
            response.close()
            url = next_address(url, response.headers.get("Location", ""))
        raise errors.RedirectRefused(
            f"{origin_of(url)} redirects in a loop.", hint="Check HF_ENDPOINT, or try again later."
        )

    def _authorization(self, url: str) -> dict[str, str]:
        if origin_of(url) != origin_of(self._access.endpoint):
            return {}
        if urlsplit(url).scheme != "https" and not leads_to_loopback(url):
            return {}
        return bearer(self._access.token, "HF_TOKEN")

    async def refusal(self, response: aiohttp.ClientResponse, revision: str = "") -> errors.LLMError:
        """The error for a response other than 2xx, by the hub's own headers where it sends them."""
        name, page, status = self.name, self._access.page(self.name), response.status
        code, said = (response.headers.get(f"X-Error-{word}", "") for word in ("Code", "Message"))
        details: dict[str, Any] = {"provider": "huggingface", "model": name, "status": status}
        if status in (401, 403) and (code == "GatedRepo" or "gated" in said.lower()):
            if self._access.token is None:
                return errors.AuthenticationFailed(
                    f"{name} is gated: you must agree to its terms first.",
                    hint=f"Agree at {page}, create a token at {self._access.endpoint}/settings/tokens, "
                    "set HF_TOKEN to it and run again.",
                    **details,
                )
            return errors.PermissionDenied(
                f"{name} is gated, and your token's account does not have access yet.",
                hint=f"Request access at {page} with that account, then run again.",
                **details,
            )
        if code == "RevisionNotFound":
            return errors.ModelNotFound(
                f"{name} has no revision {revision or 'main'}.",
                hint=f"See {page}/tree/main for the available branches.",
                **details,
            )
        if status == 401 and "invalid" in said.lower() and self._access.token is not None:
            return errors.AuthenticationFailed(
                "Hugging Face does not accept your token (HF_TOKEN).",
                hint=f"Create a new one at {self._access.endpoint}/settings/tokens, or unset it.",
                **details,
            )
        if code == "EntryNotFound":
            return errors.ModelNotFound(
                f"A file of {name} no longer exists.", hint=f"Run again, or check {page}.", **details
            )
        # The hub does not tell strangers whether a repository is private or not there at all.
        if status in (401, 404):
            return errors.ModelNotFound(
                f"There is no repository {name} on Hugging Face, or it is private.",
                hint=f"Check {page}. A private repository needs HF_TOKEN.",
                **details,
            )
        if status == 403:
            return errors.PermissionDenied(
                f"Hugging Face denies access to {name}{f': {said[:200]}' if said else '.'}",
                hint=f"Check {page}, and the permissions of your token.",
                **details,
            )
        if status == 429:
            return errors.RateLimited(
                "Hugging Face reports too many requests from here.",
                hint="Wait a few minutes and run again. A token (HF_TOKEN) raises the limit.",
                **details,
            )
        return errors.ProviderFailed(
            f"{origin_of(str(response.url))} returned {status} instead of a file of {name}.",
            hint="Run again later: the download continues where it stopped.",
            **details,
        )

    def broken(self, error: BaseException) -> errors.LLMError:
        """The error for a failed connection; nothing of `error` is shown but the system's reason."""
        import aiohttp

        where = origin_of(self._access.endpoint)
        if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
            return errors.TimedOut(
                f"{where} has sent nothing for {self.idle_s:.0f} seconds.",
                hint=f"Check the network connection. {_GO_ON}",
                model=self.name,
            )
        cut = isinstance(error, aiohttp.ClientPayloadError)
        return errors.ConnectionFailed(
            f"The connection to {where} failed ({'it was cut off' if cut else reason_of(error)}).",
            hint=f"Check the network connection, and HF_ENDPOINT if you set it. {_GO_ON}",
            model=self.name,
        )


def next_address(url: str, location: str) -> str:
    """The address to which a redirect from `url` leads. Raises `errors.RedirectRefused` for one out of https,
    to this very machine from elsewhere, or to no address at all."""
    target = urljoin(url, location)
    parts, before = urlsplit(target), urlsplit(url)
    worse = before.scheme == "https" and parts.scheme != "https"
    inwards = leads_to_loopback(target) and not leads_to_loopback(url)
    if not location or parts.scheme not in ("http", "https") or parts.username or worse or inwards:
        raise errors.RedirectRefused(
            f"{origin_of(url)} redirects to {origin_of(target) if location else 'nowhere'}, which is "
            "not allowed.",
            hint="Check HF_ENDPOINT, and that no network login page is answering instead.",
        )
    return target
