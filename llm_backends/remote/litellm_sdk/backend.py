"""The backend on litellm as a library.
`library` imports it; `clients` and `observers.litellm_callbacks` use the imported module.

Other packs share the module, so nothing of it is set but the level of its three loggers and
`suppress_debug_info`; everything else goes with each call. (Two entries that a call cannot carry are
made in its tables, see `_begin`.)
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import importlib
import importlib.util
import json
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ... import errors
from ...types import Chunk, Deployment, Request
from ..http_client import bearer, bundles, origin_of, trust
from ..openai_format import chat_messages, picture_ends
from ..openai_responses import respond, responses_place
from ..repairs import Form, Forms, Refusal, fitted, unrepaired
from ..token_exchange import forget, missing_package
from .chunks import Counts, has_calls, read_chunk, read_whole
from .embeddings import embedding_arguments, embedding_place, read_vectors
from .errors import error_from, error_in_answer, fault_of
from .faults import changed
from .library import Library, fewer_collections
from .parameters import call_parameters, provider_parameters
from .signing import NO_KEYS, signature_for
from .silent_log import silent_log
from .tables import counted_usage, keeps_schema, price_entry, table

if TYPE_CHECKING:
    from .clients import Clients
    from .recorded import Recorded
    from .transport import Transmission

_OLLAMA_ENTRY = {"litellm_provider": "ollama_chat", "mode": "chat", "supports_function_calling": True}
_REPLICATE_ROLES = {
    role: {"pre_message": "", "post_message": "\n\n"} for role in ("system", "user", "assistant")
}
_SIGN_S = 0.05
_REPLICATE_ORIGIN = "https://api.replicate.com"


@dataclass(frozen=True, slots=True)
class Sketch:
    """The body that a call would send, and the `beta` features of Anthropic's that it would ask for."""

    body: dict[str, Any]
    beta: str = ""


class LiteLLMSDK:
    """A `StreamingBackend` on litellm's `acompletion`: one attempt a call, always as a stream.

    `Deployment.params` holds ``custom_llm_provider`` (litellm's word for the provider), perhaps
    ``price_prefix``, and the provider's own arguments.
    """

    def __init__(self, library: Library | None = None, clients: Clients | None = None) -> None:
        self.library = library or Library()
        self._clients = clients
        self._forms = Forms()
        self._known: dict[str, bool] = {}
        self._rehearsed: set[tuple[str, str]] = set()
        self._rehearsing: set[tuple[str, str]] = set()

    def warm_up(self, deployment: Deployment) -> None:
        """Import the library and rehearse a call to `deployment`, on a thread; returns at once."""
        coming = self.library.begin()
        place = _place(deployment)
        # Replicate is called with a client of litellm's own, which would send what it is given.
        if place not in self._rehearsed and deployment.provider != "replicate":
            self._rehearsed.add(place)
            self._rehearsing.add(place)
            threading.Thread(
                target=self._rehearse, args=(coming, deployment), name="quillwork-rehearsal", daemon=True
            ).start()

    def is_warming_up(self, deployment: Deployment) -> bool:
        """Tell whether a call to `deployment` would wait for the preparation that `warm_up` began."""
        return _place(deployment) in self._rehearsing

    def _rehearse(self, coming: concurrent.futures.Future[Any], deployment: Deployment) -> None:
        try:
            # A call that does not wait for the import needs these, which are slow the first time.
            with contextlib.suppress(ImportError):
                importlib.import_module("aiohttp")
            trust(bundles())
            self._play(coming, deployment)
        finally:
            self._rehearsing.discard(_place(deployment))

    def _play(self, coming: concurrent.futures.Future[Any], deployment: Deployment) -> None:
        if coming.exception() is not None:
            self._rehearsed.clear()
            return
        from .clients import Clients
        from .rehearsal import Stage, rehearse
        from .transport import Transports

        sdk = LiteLLMSDK(self.library, Clients(Transports(Stage())))
        with fewer_collections():
            rehearse(lambda asked, there: sdk._attempt(coming.result(), asked, there, Form()), deployment)

    async def prepare(self, request: Request, deployment: Deployment) -> None:
        """Import the library; see `StreamingBackend`."""
        await self.library.load()

    async def stream(self, request: Request, deployment: Deployment) -> AsyncGenerator[Chunk, None]:
        """Stream an answer; see `StreamingBackend.stream`."""
        _require_package(deployment)
        litellm = await self.library.load()

        def attempt(request: Request, form: Form) -> AsyncGenerator[Chunk, None]:
            if form.by_responses and (there := responses_place(deployment)) is not None:
                return respond(request, there, streams=form.streams)
            return self._attempt(litellm, request, deployment, form)

        if request.embed:
            chunks = unrepaired(self._attempt(litellm, request, deployment, Form()))
        else:
            entry = price_entry(litellm, deployment)
            plain = Form(by_responses=bool(entry and entry[1].get("mode") == "responses"))
            chunks = self._forms.stream(request, deployment, attempt, plain)
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    async def _attempt(
        self, litellm: Any, request: Request, deployment: Deployment, form: Form
    ) -> AsyncGenerator[Chunk, None]:
        from .transport import Transmission

        exchange = Transmission(
            origin=origin_of(deployment.base_url or ""),
            key=deployment.api_key,
            signs="aws_secret_access_key" in deployment.params or "key_argument" in deployment.params,
            sign=signature_for(deployment),
            pictures=picture_ends(request.messages),
        )
        try:
            if request.embed:
                starting = self._embed(litellm, request, deployment, exchange)
            else:
                starting = self._begin(litellm, self._arguments(litellm, request, deployment, exchange, form))
            begun: asyncio.Future[Any] = asyncio.ensure_future(starting)
            try:
                # Until something is sent, litellm is busy with itself (it imports at the first call of a
                # provider), which is no silence of the other side.
                while not begun.done():
                    await asyncio.wait({begun}, timeout=None if exchange.sent else _SIGN_S)
                    if not (begun.done() or exchange.sent):
                        yield Chunk()
            finally:
                await _let_go(begun, exchange)
            if request.embed:
                yield begun.result()
                return
            counts, is_empty, called = Counts(), True, False
            if not form.streams:
                answer = begun.result()
                counts.append(answer)
                chunk = read_whole(answer)
                is_empty = not (chunk.text or chunk.reasoning or chunk.tool_calls)
                yield chunk
            else:
                # A generator that is only dropped keeps its connection, and the provider goes on writing.
                async with aclosing(begun.result()) as answer:
                    # Without it, nobody counts.
                    with contextlib.suppress(AttributeError):
                        answer.chunks = counts
                    async for part in answer:
                        if exchange.guards and not exchange.sent:
                            raise changed("it went its own way", deployment)
                        called = called or has_calls(part)
                        chunk = read_chunk(part, called)
                        is_empty = is_empty and not (chunk.text or chunk.reasoning or called)
                        yield chunk
            if exchange.is_faulty or (form.streams and is_empty and exchange.is_no_stream):
                # litellm reports some broken streams as complete.
                raise fault_of(deployment, exchange)
            if error := error_in_answer(deployment, exchange):
                raise error
            yield Chunk(usage=counted_usage(litellm, counts, deployment))
        except errors.LLMError:
            raise
        except Exception as error:  # noqa: BLE001 - litellm raises whatever its libraries do
            # What litellm itself refuses stands in its own words, and nothing was sent then.
            words = exchange.body or ("" if exchange.sent else str(error))
            raise Refusal(error_from(error, deployment, exchange, request.extra), words) from None

    async def _embed(
        self, litellm: Any, request: Request, deployment: Deployment, exchange: Transmission
    ) -> Chunk:
        prefix, base_url = embedding_place(deployment)
        there = replace(deployment, base_url=base_url)
        answer = await litellm.aembedding(
            **embedding_arguments(request, there, prefix),
            **silent_log("aembedding", deployment.model, input=list(request.embed)),
            client=self._client(prefix, there, exchange, provider_parameters(deployment.params)),
        )
        if not exchange.sent:
            raise changed("it went its own way", deployment)
        if exchange.is_faulty:
            raise fault_of(deployment, exchange)
        vectors, counts = read_vectors(answer, request, deployment)
        return Chunk(vectors=vectors, usage=counted_usage(litellm, counts, deployment), finish_reason="stop")

    async def sketch(self, request: Request, deployment: Deployment) -> Sketch:
        """Return what a call for one answer in one piece would send. Nothing is sent."""
        from .recorded import Recorded

        _require_package(deployment)
        litellm = await self.library.load()
        entry = price_entry(litellm, deployment)
        form = self._forms.known(request, deployment)
        if form.by_responses or (entry and entry[1].get("mode") == "responses"):
            raise errors.NotConfigured(
                f"{deployment.name} takes no requests of the form that can wait.",
                hint="Choose another model of the provider.",
            )
        stage = Recorded()
        refusal: Refusal | None = None
        try:
            async with aclosing(self._staged(litellm, request, deployment, form, stage)) as chunks:
                async for _ in chunks:
                    pass
        except Refusal as refused:
            refusal = refused
        if stage.request is None:
            raise refusal.error if refusal else changed("it sent nothing", deployment)
        body = json.loads(stage.request.content)
        body.pop("stream", None)
        return Sketch(body, stage.request.headers.get("anthropic-beta", ""))

    async def read(
        self, request: Request, deployment: Deployment, status: int, body: str
    ) -> AsyncGenerator[Chunk, None]:
        """Read an answer to what `sketch` returned that came another way, as if it had come at once."""
        from .recorded import Recorded

        litellm = await self.library.load()
        form = self._forms.known(request, deployment)
        chunks = self._staged(litellm, request, deployment, form, Recorded(status, body))
        async with aclosing(unrepaired(chunks)) as read:
            async for chunk in read:
                yield chunk

    def _staged(
        self, litellm: Any, request: Request, deployment: Deployment, form: Form, stage: Recorded
    ) -> AsyncGenerator[Chunk, None]:
        """Make a call against `stage`, in one piece."""
        from .clients import Clients
        from .transport import Transports

        sdk = LiteLLMSDK(self.library, Clients(Transports(stage)))
        whole = replace(form, streams=False)
        return sdk._attempt(litellm, fitted(request, whole, deployment), deployment, whole)

    async def close(self) -> None:
        """Close the connections; see `StreamingBackend.close`."""
        self.forget_keys()
        if self._clients is not None:
            await self._clients.close()

    def forget_keys(self) -> None:
        """Drop the clients that litellm keeps, and the keys in them, for ten minutes after a call."""
        cache = getattr(self.library.loaded(), "in_memory_llm_clients_cache", None)
        if flush := getattr(cache, "flush_cache", None):
            flush()
        forget()

    async def _begin(self, litellm: Any, arguments: dict[str, Any]) -> Any:
        prefix, _, name = arguments["model"].partition("/")
        if prefix == "ollama_chat":
            # For a model that is not in its list litellm asks the Ollama of the environment, twice a call
            # and not at our address.
            table(litellm, "model_cost").setdefault(f"{prefix}/{name}", _OLLAMA_ENTRY)
        if prefix != "replicate":
            return await litellm.acompletion(**arguments)
        # For Replicate a prompt is made of the messages; without a template of ours, litellm asks the
        # Hugging Face hub for one, synchronously. It looks for ours in this place only.
        templates = table(litellm, "custom_prompt_dict")
        templates[name] = {"roles": _REPLICATE_ROLES}
        try:
            return await litellm.acompletion(**arguments)
        finally:
            templates.pop(name, None)

    # -- a call

    def _arguments(
        self,
        litellm: Any,
        request: Request,
        deployment: Deployment,
        exchange: Transmission,
        form: Form,
    ) -> dict[str, Any]:
        params = provider_parameters(deployment.params)
        prefix = deployment.params.get("custom_llm_provider", deployment.provider)
        signing = deployment.params.get("key_argument", "")
        if deployment.params.get("wire") == "openai" and not self._knows(litellm, prefix):
            # It came to litellm later; its format is that of all releases.
            prefix = "openai"
        if "://" in deployment.model or not deployment.base_url:
            raise errors.NotConfigured(f"{deployment.name} is not a model that can be used.")
        if prefix == "replicate" and exchange.origin != _REPLICATE_ORIGIN:
            raise errors.NotConfigured("litellm can call Replicate only at its own address.")
        if not signing:
            bearer(deployment.api_key, deployment.key_variable or "the environment")
        has_schema = keeps_schema(litellm, deployment)
        messages = chat_messages(request.messages)
        model = f"{prefix}/{deployment.model}"
        streams_usage = form.streams and "stream_options" not in form.without
        # A key that is None is looked up in the environment, so the lack of one has a text, too; the
        # transport takes it off again.
        key = deployment.api_key.reveal() if deployment.api_key else None if exchange.signs else "none"
        if signing:
            params[signing], key = key, None
        arguments = {
            **call_parameters(request, deployment, prefix, has_schema),
            **params,
            "model": model,
            "messages": messages,
            "stream": form.streams,
            **({"stream_options": {"include_usage": True}} if streams_usage else {}),
            "api_base": deployment.base_url,
            "api_key": key,
            "timeout": deployment.total_timeout_s,
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": True,
            "cache": {"no-cache": True, "no-store": True},
            **silent_log("acompletion", model, messages=messages, stream=form.streams),
            # With tools litellm looks for MCP servers, for which it needs a library that it does not bring.
            "_skip_mcp_handler": True,
        }
        if prefix.startswith("bedrock"):
            # An address in the environment would win over api_base, and without a pair of keys (of which
            # a token needs none) boto3 asks the net for one.
            arguments["aws_bedrock_runtime_endpoint"] = deployment.base_url
            arguments.setdefault("aws_access_key_id", "none")
            arguments.setdefault("aws_secret_access_key", "none")
        if prefix == "sagemaker_chat":
            # The only way to name an address to it.
            arguments |= NO_KEYS
            arguments.pop("aws_session_token", None)
            verb = "invocations-response-stream" if form.streams else "invocations"
            arguments["sagemaker_base_url"] = f"{deployment.base_url}/endpoints/{deployment.model}/{verb}"
        if prefix == "watsonx":
            # With a token at hand it asks for none.
            arguments["extra_headers"] = {"Authorization": f"Bearer {key}"}
        if prefix != "replicate":
            arguments["client"] = self._client(prefix, deployment, exchange, params)
        return arguments

    def _knows(self, litellm: Any, prefix: str) -> bool:
        """Tell whether this release of litellm has a provider of that name."""
        if prefix not in self._known:
            try:
                litellm.get_llm_provider(f"{prefix}/model", api_base="https://localhost", api_key="none")
                self._known[prefix] = True
            except Exception:  # noqa: BLE001 - it says so with whatever its release has for it
                self._known[prefix] = False
        return self._known[prefix]

    def _client(
        self, prefix: str, deployment: Deployment, exchange: Transmission, params: dict[str, Any]
    ) -> Any:
        from .clients import Clients

        exchange.guards = True
        if self._clients is None:
            self._clients = Clients()
        return self._clients.client(prefix, deployment, exchange, params.get("api_version", ""))


def _place(deployment: Deployment) -> tuple[str, str]:
    """The place that a rehearsal prepares: a provider, and where it has several formats the kind of model."""
    return deployment.provider, deployment.model.partition("/")[0]


def _require_package(deployment: Deployment) -> None:
    package = deployment.params.get("package")
    if package and importlib.util.find_spec(package) is None:
        raise missing_package(package, deployment)


async def _let_go(begun: asyncio.Future[Any], exchange: Transmission) -> None:
    """End a call that was begun, unless it is over. One that is still within litellm is not cancelled but
    finds its transport closed: a cancelled one would leave a coroutine, of which Python warns on the
    terminal."""
    if begun.done():
        return
    if exchange.guards and not exchange.sent:
        exchange.is_over = True
        begun.add_done_callback(lambda over: over.cancelled() or over.exception())
        return
    begun.cancel()
    await asyncio.wait({begun})
