"""The routes of every provider's format."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from aiohttp import web

from wire import ollama_routes, replicate_format
from wire.anthropic_format import AnthropicFormat
from wire.batch_formats import batch_routes
from wire.bedrock_format import BedrockFormat
from wire.cloud_formats import OracleFormat, SageMakerFormat, WatsonxFormat, token_service
from wire.embeddings import PATHS as EMBEDDING_PATHS
from wire.embeddings import embeddings
from wire.gemini_format import GeminiFormat
from wire.ollama_format import OllamaFormat
from wire.openai_format import OpenAIFormat
from wire.responses_format import ResponsesFormat

_OPENAI_PATHS = (
    "/chat/completions",
    "/v1/chat/completions",
    "/openai/v1/chat/completions",
    "/compatibility/v1/chat/completions",
    "/openai/deployments/{deployment}/chat/completions",
)


def routes(server: Any) -> list[web.AbstractRouteDef]:
    """All routes of the imitation server."""
    listed: list[web.AbstractRouteDef] = []
    openai = OpenAIFormat()
    for path in _OPENAI_PATHS:
        listed.append(web.post(path, _speaking(server, openai)))
    # OpenRouter has another word for thinking; Mistral counts tokens without being asked.
    listed.append(
        web.post("/api/v1/chat/completions", _speaking(server, OpenAIFormat(reasoning="reasoning")))
    )
    for path in ("/v1/responses", "/openai/v1/responses", "/at/{provider}/{start:.*}responses"):
        listed.append(web.post(path, _speaking(server, ResponsesFormat())))
    mistral = OpenAIFormat(counts_unasked=True)
    listed.append(web.post("/mistral/v1/chat/completions", _speaking(server, mistral)))
    # Every provider of OpenAI's format at an address of its own, whatever its paths begin with.
    listed.append(web.post("/at/{provider}/{start:.*}chat/completions{end:/?}", _speaking(server, openai)))
    listed += [
        web.post("/at/watsonx/ml/v1/text/{verb:chat(?:_stream)?}", _speaking(server, WatsonxFormat())),
        web.post(
            "/at/sagemaker_chat/endpoints/{model}/{verb:invocations(?:-response-stream)?}",
            _speaking(server, SageMakerFormat()),
        ),
        web.post("/at/oci/20231130/actions/chat", _speaking(server, OracleFormat())),
        web.post("/at/{provider}/token", token_service(server)),
    ]
    for path in ("/v1/models", "/models", "/openai/v1/models", "/api/v1/models"):
        listed.append(web.get(path, _models(server)))
    for path in ("/v1/messages", "/messages"):
        listed.append(web.post(path, _speaking(server, AnthropicFormat())))
    listed += [web.post(path, embeddings(server)) for path in EMBEDDING_PATHS]
    listed += batch_routes(server)
    gemini = r"/{version:(?:v1beta/|v1alpha/|v1/)?}models/{model:[^:/]+}:{verb:\w+}"
    listed.append(web.post(gemini, _speaking(server, GeminiFormat())))
    for path in ("/api/chat", "/api/generate"):
        listed.append(web.post(path, ollama_routes.chat(server, OllamaFormat())))
    listed += ollama_routes.listings(server)
    for path in ("/model/{model}/converse", "/model/{model}/converse-stream"):
        listed.append(web.post(path, _speaking(server, BedrockFormat())))
    replicate = replicate_format.ReplicateFormat()
    create = replicate_format.create(server, replicate)
    listed.append(web.post("/v1/models/{owner}/{name}/predictions", create))
    listed.append(web.get("/v1/predictions/{id}", replicate_format.poll(server)))
    listed += [
        web.get("/_log", _show_log(server)),
        web.delete("/_log", _forget(server)),
        web.get("/_stats", _stats(server)),
        web.route("*", "/{rest:.*}", _unknown(server)),
    ]
    return listed


def _speaking(server: Any, fmt: Any) -> Any:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await server.answer(fmt, request)

    return handle


def _models(server: Any) -> Any:
    async def handle(request: web.Request) -> web.Response:
        server.note(request)
        if server.models_status:
            return web.json_response({"error": {"message": "no list today"}}, status=server.models_status)
        data = [
            {"id": id_, "object": "model", "created": 1, "owned_by": "fox", **server.facts.get(id_, {})}
            for id_ in server.models
        ]
        return web.json_response({"object": "list", "data": data})

    return handle


def _show_log(server: Any) -> Any:
    async def handle(request: web.Request) -> web.Response:
        entries = [{**asdict(entry), "body": entry.body.decode(errors="replace")} for entry in server.log]
        gone = [asdict(entry) for entry in server.disconnects]
        return web.json_response({"requests": entries, "disconnects": gone, "now": time.monotonic()})

    return handle


def _forget(server: Any) -> Any:
    async def handle(request: web.Request) -> web.Response:
        server.reset()
        return web.json_response({})

    return handle


def _stats(server: Any) -> Any:
    async def handle(request: web.Request) -> web.Response:
        counts = {"count": len(server.log), "inflight": server.inflight, "peak": server.peak}
        return web.json_response({**counts, "disconnects": len(server.disconnects)})

    return handle


def _unknown(server: Any) -> Any:
    async def handle(request: web.Request) -> web.Response:
        server.note(request, await request.read())
        return web.json_response({"error": {"message": f"no such path: {request.path}"}}, status=404)

    return handle
