"""Routes below ``v1``."""

from __future__ import annotations

from typing import Any

from ....config.models.catalog import Listing, catalog
from ....config.settings.values import load
from ....llm_backends.errors import BadRequest
from ....llm_backends.model import Model
from ....llm_backends.streaming.chunk_stream import ask_one
from ....llm_backends.types import Request, Result
from ..messages import Answer, EventStream, HttpError
from ..model_calls import TALKING, ask, stream
from ..routes.chat import LARGEST_BODY, embedding_request
from ..routing import Exchange, Route
from ..threads import in_thread, on_runner
from .answers import completion, completion_events, embeddings
from .models import ids, open_named
from .requests import CHAT, EMBEDDINGS, chat_request, embedded_texts


async def _models(exchange: Exchange) -> Answer:
    rows = [_row(id, owner) for id, owner in await _listed()]
    return Answer({"object": "list", "data": rows})


async def _one_model(exchange: Exchange) -> Answer:
    for id, owner in await _listed():
        if id == exchange.name:
            return Answer(_row(id, owner))
    raise HttpError(404, "model_not_found", f"There is no model {exchange.name[:80]!r}.", "GET v1/models.")


async def _listed() -> list[tuple[str, str]]:
    settings = await in_thread(load)
    listing: Listing = await on_runner(catalog.listing(settings))
    return await in_thread(ids, listing, settings)


def _row(id: str, owner: str) -> dict[str, Any]:
    return {"id": id, "object": "model", "created": 0, "owned_by": owner}


async def _chat(exchange: Exchange) -> Answer | EventStream:
    wanted = exchange.body
    request, model = await in_thread(_prepare, wanted)
    if not wanted.get("stream"):
        result = await ask(exchange, model, lambda model: ask_one(model, request), TALKING)
        return Answer(completion(result, wanted["model"]))
    chunks = stream(exchange, model, lambda model: ask_one(model, request), TALKING)
    try:
        # A fault before the first word can have a status of its own.
        first = await chunks.__anext__()
    except BaseException:
        chunks.close()
        raise
    with_usage = bool((wanted.get("stream_options") or {}).get("include_usage"))
    return EventStream(completion_events(first, chunks, wanted["model"], with_usage=with_usage))


def _prepare(wanted: Any) -> tuple[Request, Model]:
    model = open_named(wanted["model"], "OpenAI-compatible chat")
    request = chat_request(wanted)
    if model.runs_in_place and "stop" in request.extra:
        raise BadRequest("`stop` is not supported by models in this process.", hint="Remove it.")
    return request, model


async def _embed(exchange: Exchange) -> Answer:
    wanted = exchange.body
    request = embedding_request(embedded_texts(wanted["input"]), wanted.get("dimensions"))
    model = await in_thread(open_named, wanted["model"], "OpenAI-compatible embeddings")
    result: Result = await ask(exchange, model, lambda model: ask_one(model, request), TALKING)
    packed = wanted.get("encoding_format") == "base64"
    return await in_thread(
        embeddings, result.vectors, result.usage, result.model or wanted["model"], packed=packed
    )


ROUTES = (
    Route("GET", "v1/models", "proxy", "OpenAI's list of models.", _models),
    Route("GET", "v1/models/{name}", "proxy", "One model of OpenAI's list.", _one_model),
    Route(
        "POST",
        "v1/chat/completions",
        "proxy",
        "OpenAI's chat completions; with `stream` as server-sent events.",
        _chat,
        body=CHAT,
        most_bytes=LARGEST_BODY,
        streams=True,
    ),
    Route(
        "POST",
        "v1/embeddings",
        "proxy",
        "OpenAI's embeddings.",
        _embed,
        body=EMBEDDINGS,
        most_bytes=LARGEST_BODY // 2,
    ),
)
