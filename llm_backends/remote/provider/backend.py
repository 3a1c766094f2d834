"""The backend for providers: litellm carries a call where it can, else our own transport does."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ... import errors
from ...system.command_line import installer
from ...types import AUTO_TRANSPORT, Chunk, Deployment, Request
from ..http_client import origin_of
from ..litellm_sdk import presence
from ..litellm_sdk.backend import LiteLLMSDK, Sketch
from ..token_exchange import forget_token, with_token
from .compatible import carries, loses_nothing
from .direct import Direct


class Provider:
    """A `StreamingBackend` whose carrier `Deployment.transport` names. Where the choice is left open, litellm
    carries a call until it breaks: at its import for all providers, later for the one that was called. No
    call waits for its import where that was begun beforehand and our own transport can carry the call with
    nothing lost."""

    def __init__(self) -> None:
        self._sdk = LiteLLMSDK()
        self._direct = Direct()
        self._broken: dict[str, str] = {}

    async def prepare(self, request: Request, deployment: Deployment) -> None:
        """Import litellm where it carries the call; see `StreamingBackend`."""
        if self._goes_directly(request, deployment):
            return
        try:
            await self._sdk.prepare(request, deployment)
        except errors.DependencyMissing as error:
            if deployment.transport != AUTO_TRANSPORT:
                raise _with_other_way(error, deployment) from None
            self._broken[deployment.provider] = error.message

    async def stream(self, request: Request, deployment: Deployment) -> AsyncGenerator[Chunk, None]:
        """Stream an answer, with a token in place of the key where the provider wants one."""
        try:
            async with aclosing(self._stream(request, await with_token(deployment))) as chunks:
                async for chunk in chunks:
                    yield chunk
        except errors.AuthenticationFailed:
            forget_token(deployment)
            raise

    async def _stream(self, request: Request, deployment: Deployment) -> AsyncGenerator[Chunk, None]:
        if not self._goes_directly(request, deployment):
            begun = False
            try:
                async with aclosing(self._sdk.stream(request, deployment)) as chunks:
                    async for chunk in chunks:
                        begun = begun or chunk != Chunk()
                        yield chunk
                return
            except (errors.DependencyMissing, errors.LibraryFault) as error:
                if begun or deployment.transport != AUTO_TRANSPORT or not carries(request, deployment):
                    raise _with_other_way(error, deployment) from None
                # Remembered: a library that broke on the answer has sent a request for nothing.
                self._broken[deployment.provider] = error.message
        if said := self._broken.get(deployment.provider, ""):
            yield Chunk(warning=f"{said} {deployment.name} was called without litellm.")
        async with aclosing(self._direct.stream(request, deployment)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def sketch(self, request: Request, deployment: Deployment) -> Sketch:
        """Return what litellm would send for one answer in one piece; nothing is sent."""
        if presence.is_bypassed(deployment.transport):
            raise errors.DependencyMissing(
                f"Batches of {deployment.provider_label} need the package litellm.",
                hint=f"Run `{installer()}`, and leave LLM_TRANSPORT unset.",
            )
        return await self._sdk.sketch(request, deployment)

    def read(
        self, request: Request, deployment: Deployment, status: int, body: str
    ) -> AsyncGenerator[Chunk, None]:
        """Read an answer to what `sketch` returned that came another way."""
        return self._sdk.read(request, deployment, status, body)

    def forget_keys(self) -> None:
        """Drop the keys in litellm's clients; see `StreamingBackend`."""
        self._sdk.forget_keys()

    async def close(self) -> None:
        """Close the connections; see `StreamingBackend.close`."""
        await self._sdk.close()
        await self._direct.close()

    def warm_up(self, deployment: Deployment) -> bool:
        """Begin to import litellm, in a thread of its own, where it will carry calls to `deployment`; tell
        whether it will."""
        if self._is_direct(deployment):
            return False
        self._sdk.warm_up(deployment)
        return True

    def _is_direct(self, deployment: Deployment) -> bool:
        is_broken = deployment.transport == AUTO_TRANSPORT and deployment.provider in self._broken
        return is_broken or presence.is_bypassed(deployment.transport)

    def _goes_directly(self, request: Request, deployment: Deployment) -> bool:
        if self._is_direct(deployment):
            return carries(request, deployment) or presence.is_bypassed(deployment.transport)
        is_early = deployment.transport == AUTO_TRANSPORT and self._sdk.is_warming_up(deployment)
        return is_early and loses_nothing(request, deployment)


def _with_other_way(error: errors.LLMError, deployment: Deployment) -> errors.LLMError:
    """`error`, and where it is a missing litellm the variable that does without one, in its hint."""
    variable = deployment.params.get("compatible_variable")
    if variable and isinstance(error, errors.DependencyMissing):
        error.hint += (
            f" {deployment.provider_label} needs no litellm where {variable} names its address for OpenAI's "
            f"format at {origin_of(deployment.base_url or '')}."
        )
    return error
