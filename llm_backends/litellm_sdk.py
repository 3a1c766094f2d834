"""litellm as a library: the hundred providers, called directly. The only file that imports it, but
for `litellm_observing`, which uses what is imported here.

Other packs share the module, so nothing of it is set but the level of its three loggers and
`suppress_debug_info`; everything else goes with each call. (Two entries that a call cannot carry are
made in its tables, see `_begin`.)
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import datetime
import logging
import os
import threading
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import errors
from .http_client import bearer, origin_of
from .litellm_chunks import Counts, has_calls, read_chunk
from .litellm_embedding import embedding_arguments, embedding_place, read_vectors
from .litellm_errors import error_from, fault_of, missing_library
from .litellm_parameters import call_parameters, provider_parameters
from .openai_wire import chat_messages, picture_ends
from .types import Chunk, Deployment, Request, Usage

if TYPE_CHECKING:
    import httpx

    from .litellm_transport import Exchange, Transports

# Without these the import reads a .env of the working folder and asks GitHub for prices.
_IMPORT_ENVIRONMENT = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_OFFLINE_MODE": "true",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
}
# What the library's own modules leave in the environment while they are imported.
_IMPORT_TRACES = ("TIKTOKEN_CACHE_DIR",)
_LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
_OLLAMA_ENTRY = {"litellm_provider": "ollama_chat", "mode": "chat", "supports_function_calling": True}
_REPLICATE_ROLES = {
    role: {"pre_message": "", "post_message": "\n\n"} for role in ("system", "user", "assistant")
}
_REPLICATE_ORIGIN = "https://api.replicate.com"


class LiteLLMSDK:
    """A `StreamingBackend` on litellm's `acompletion`: one attempt a call, always as a stream.

    `Deployment.params` holds ``custom_llm_provider`` (litellm's word for the provider), perhaps
    ``price_prefix``, and the provider's own arguments.
    """

    def __init__(self) -> None:
        self._library: concurrent.futures.Future[Any] | None = None
        self._lock = threading.Lock()
        self._transports: Transports | None = None
        self._door: type | None = None

    async def stream(self, request: Request, deployment: Deployment) -> AsyncGenerator[Chunk, None]:
        """See `StreamingBackend.stream`."""
        litellm = await self._load()
        from .litellm_transport import Exchange

        exchange = Exchange(
            origin=origin_of(deployment.base_url or ""),
            key=deployment.api_key,
            signs="aws_secret_access_key" in deployment.params,
            pictures=picture_ends(request.messages),
        )
        try:
            if request.embed:
                yield await self._embed(litellm, request, deployment, exchange)
                return
            arguments = self._arguments(litellm, request, deployment, exchange)
            # A generator that is only dropped keeps its connection, and the provider goes on writing.
            async with aclosing(await self._begin(litellm, arguments)) as answer:
                counts = answer.chunks = Counts()
                is_empty, called = True, False
                async for part in answer:
                    called = called or has_calls(part)
                    chunk = read_chunk(part, called)
                    is_empty = is_empty and not (chunk.text or chunk.reasoning or called)
                    yield chunk
            if exchange.is_faulty or (is_empty and exchange.is_no_stream):
                # litellm takes some ends for good ones.
                raise fault_of(deployment, exchange)
            yield Chunk(usage=_usage(litellm, counts, deployment))
        except errors.LLMError:
            raise
        except Exception as error:  # noqa: BLE001 - litellm raises whatever its libraries do
            raise error_from(error, deployment, exchange) from None

    async def _embed(
        self, litellm: Any, request: Request, deployment: Deployment, exchange: Exchange
    ) -> Chunk:
        prefix, base_url = embedding_place(deployment)
        there = replace(deployment, base_url=base_url)
        answer = await litellm.aembedding(
            **embedding_arguments(request, there, prefix),
            litellm_logging_obj=_silent_log("aembedding", deployment.model, input=list(request.embed)),
            client=self._client(prefix, there, exchange, provider_parameters(deployment.params)),
        )
        if exchange.is_faulty or not exchange.sent:
            raise fault_of(deployment, exchange)
        vectors, counts = read_vectors(answer, request, deployment)
        return Chunk(vectors=vectors, usage=_usage(litellm, counts, deployment), finish_reason="stop")

    async def close(self) -> None:
        """See `StreamingBackend.close`."""
        self.forget_keys()
        if self._transports is not None:
            await self._transports.close()

    def forget_keys(self) -> None:
        """Drop the clients that litellm keeps, and the keys in them, for ten minutes after a call."""
        library = self._library
        if library is None or not library.done() or library.exception() is not None:
            return
        cache = getattr(library.result(), "in_memory_llm_clients_cache", None)
        if cache is not None:
            cache.flush_cache()

    async def _begin(self, litellm: Any, arguments: dict[str, Any]) -> Any:
        prefix, _, name = arguments["model"].partition("/")
        if prefix == "ollama_chat":
            # For a model that is not in its list litellm asks the Ollama of the environment, twice a call
            # and not at our address.
            litellm.model_cost.setdefault(f"{prefix}/{name}", _OLLAMA_ENTRY)
        if prefix != "replicate":
            return await litellm.acompletion(**arguments)
        # For Replicate a prompt is made of the messages; without a template of ours, litellm asks the
        # Hugging Face hub for one, synchronously. It looks for ours in this place only.
        litellm.custom_prompt_dict[name] = {"roles": _REPLICATE_ROLES}
        try:
            return await litellm.acompletion(**arguments)
        finally:
            litellm.custom_prompt_dict.pop(name, None)

    # -- the library

    async def _load(self) -> Any:
        """litellm, imported once by a thread of its own: it takes seconds, and a cancelled call does not
        wait for it. Raises `DependencyMissing`."""
        with self._lock:
            if self._library is None or (self._library.done() and self._library.exception()):
                self._library = concurrent.futures.Future()
                # A daemon: an interpreter that wants to end does not wait for an import either.
                threading.Thread(
                    target=_import_into, args=(self._library,), name="quillwork-litellm", daemon=True
                ).start()
            library = self._library
        if not library.done():
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            library.add_done_callback(lambda _: _wake(waiting))
            await waiting
        failure = library.exception()
        if failure is not None:
            assert isinstance(failure, Exception)
            raise missing_library(failure) from None
        return library.result()

    # -- a call

    def _arguments(
        self, litellm: Any, request: Request, deployment: Deployment, exchange: Exchange
    ) -> dict[str, Any]:
        params = provider_parameters(deployment.params)
        prefix = params.pop("custom_llm_provider", deployment.provider)
        params.pop("price_prefix", None)
        if "://" in deployment.model or not deployment.base_url:
            raise errors.NotConfigured(f"{deployment.name} is no model that can be called.")
        if prefix == "replicate" and exchange.origin != _REPLICATE_ORIGIN:
            raise errors.NotConfigured("litellm calls Replicate at its own address only.")
        bearer(deployment.api_key, deployment.key_variable or "the environment")
        has_schema = _keeps_schema(litellm, deployment)
        messages = chat_messages(request.messages)
        model = f"{prefix}/{deployment.model}"
        # A key that is None is looked up in the environment, so the lack of one has a text, too; the
        # transport takes it off again.
        key = deployment.api_key.reveal() if deployment.api_key else None if exchange.signs else "none"
        arguments = {
            **call_parameters(request, deployment, prefix, has_schema),
            **params,
            "model": model,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            "api_base": deployment.base_url,
            "api_key": key,
            "timeout": deployment.total_timeout_s,
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": True,
            "cache": {"no-cache": True, "no-store": True},
            "litellm_logging_obj": _silent_log("acompletion", model, messages=messages, stream=True),
            # With tools litellm looks for MCP servers, for which it needs a library that it does not bring.
            "_skip_mcp_handler": True,
        }
        if prefix.startswith("bedrock"):
            # An address in the environment would win over api_base, and without a pair of keys (of which
            # a token needs none) boto3 asks the net for one.
            arguments["aws_bedrock_runtime_endpoint"] = deployment.base_url
            arguments.setdefault("aws_access_key_id", "none")
            arguments.setdefault("aws_secret_access_key", "none")
        if prefix != "replicate":
            arguments["client"] = self._client(prefix, deployment, exchange, params)
        return arguments

    def _client(self, prefix: str, deployment: Deployment, exchange: Exchange, params: dict[str, Any]) -> Any:
        from .litellm_transport import Transports

        if self._transports is None:
            self._transports = Transports()
        http = self._transports.client(deployment.base_url or "", exchange, deployment.total_timeout_s)
        if prefix == "azure":
            return _openai_client(http, deployment, params.get("api_version", ""))
        if self._door is None:
            self._door = _door_class()
        return self._door(http, deployment)


def _import_into(future: concurrent.futures.Future[Any]) -> None:
    before = {name: os.environ.get(name) for name in (*_IMPORT_ENVIRONMENT, *_IMPORT_TRACES)}
    os.environ.update(_IMPORT_ENVIRONMENT)
    try:
        import litellm

        # Imported at the first count of tokens otherwise, and then it changes the environment.
        import litellm.litellm_core_utils.default_encoding
        import litellm.utils
    except Exception as error:  # noqa: BLE001 - a broken library breaks in every way there is
        future.set_exception(error)
        return
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    litellm.suppress_debug_info = True
    for logger in map(logging.getLogger, _LOGGERS):
        # Prompts are in its debug lines, and in its error lines what users are told better.
        logger.setLevel(logging.CRITICAL)
        logger.propagate = False
    future.set_result(litellm)


def _wake(waiting: asyncio.Future[None]) -> None:
    def wake() -> None:
        if not waiting.done():
            waiting.set_result(None)

    loop = waiting.get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(wake)


def _door_class() -> type:
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

    class Door(AsyncHTTPHandler):
        """A client of litellm's own and of OpenAI's kind in one: which of the two a provider is called
        with differs between litellm's releases. Lives for one call."""

        def __init__(self, http: httpx.AsyncClient, deployment: Deployment) -> None:
            self._http, self._deployment, self._openai = http, deployment, None
            super().__init__()

        def create_client(self, *_: Any, **__: Any) -> httpx.AsyncClient:
            return self._http

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            if self._openai is None:
                self._openai = _openai_client(self._http, self._deployment)
            return getattr(self._openai, name)

        async def close(self) -> None:
            pass

        def __del__(self) -> None:
            pass

    return Door


def _openai_client(http: httpx.AsyncClient, deployment: Deployment, api_version: str | None = None) -> Any:
    """OpenAI's client with nothing of the OPENAI_* variables in it."""
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


def _silent_log(function: str, model: str, **question: Any) -> Any:
    """litellm's log object for one call, told to do nothing.

    It asks Ollama about the model after an answer, and fetches tokenizers from the Hugging Face hub to
    price it, synchronously, on our event loop; it hands keys and prompts to whatever callbacks other packs
    have set.
    """
    from litellm.utils import Rules, function_setup

    call_id = str(uuid.uuid4())
    log, _ = function_setup(
        function,
        Rules(),
        datetime.datetime.now(),
        model=model,
        litellm_call_id=call_id,
        **question,
    )
    log.stream_options = {"include_usage": True}
    for name in (
        "pre_call",
        "post_call",
        "success_handler",
        "failure_handler",
        "response_cost_calculator",
        "_response_cost_calculator",
    ):
        setattr(log, name, _nothing)
    for name in (
        "async_success_handler",
        "async_failure_handler",
        "dispatch_success_handlers",
        "dispatch_failure_handlers",
    ):
        setattr(log, name, _nothing_async)
    return log


def _nothing(*_: Any, **__: Any) -> None:
    pass


async def _nothing_async(*_: Any, **__: Any) -> None:
    pass


def _keeps_schema(litellm: Any, deployment: Deployment) -> bool:
    if deployment.capabilities.schema is not None:
        return deployment.capabilities.schema
    entry = _price_entry(litellm, deployment)
    return bool(entry and entry[1].get("supports_response_schema"))


def _price_entry(litellm: Any, deployment: Deployment) -> tuple[str, dict[str, Any]] | None:
    """The model's entry in litellm's packaged list, and the name that it has there."""
    prefix = deployment.params.get("price_prefix") or deployment.params.get("custom_llm_provider")
    prefix = str(prefix or deployment.provider).split("/")[0]
    for name in (
        f"{deployment.provider}/{deployment.model}",
        f"{prefix}/{deployment.model}",
        deployment.model,
    ):
        entry = litellm.model_cost.get(name)
        # A bare name may be another provider's.
        if entry and str(entry.get("litellm_provider", "")).startswith((prefix, deployment.provider)):
            return name, entry
    return None


def _usage(litellm: Any, counts: Counts, deployment: Deployment) -> Usage | None:
    """What was counted, priced where litellm's packaged list has a price."""
    if not counts.prompt_tokens and not counts.completion_tokens:
        return None
    usage = Usage(counts.prompt_tokens, counts.completion_tokens)
    entry = None if deployment.is_local else _price_entry(litellm, deployment)
    if entry is None or not {"input_cost_per_token", "output_cost_per_token"} <= entry[1].keys():
        return usage
    try:
        costs = litellm.cost_per_token(
            model=entry[0],
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            custom_llm_provider=entry[1].get("litellm_provider"),
        )
    except Exception:  # noqa: BLE001 - a price is worth less than an answer
        return usage
    # A price of nothing stands in the list for "unknown" as often as for "free".
    return Usage(usage.prompt_tokens, usage.completion_tokens, sum(costs) or None)
