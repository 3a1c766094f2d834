"""Routes for chat, for descriptions of pictures, for embeddings, and for the estimated cost of all these."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from ....config.access import consent
from ....config.diagnostics.estimate import estimate
from ....config.settings.home import targets_folder
from ....config.settings.values import load
from ....llm_backends.model import Model
from ....llm_backends.streaming.chunk_stream import ask_one
from ....llm_backends.tools import registry
from ....llm_backends.tools.loop import Conversation, answer_with_tools, check_tools
from ....llm_backends.tools.registry import RegisteredTool
from ....llm_backends.types import Image, Request, Result
from ....prompting import tools
from ....prompting.describe import Described, describe
from ....prompting.report import report
from ....prompting.targets import Target
from ....prompting.tasks import LARGEST_SEED
from ..conversation import LONGEST_TEXT, MESSAGES, PICTURES, read_messages, read_pictures
from ..event_stream import events_of
from ..messages import Answer, EventStream, HttpError, with_rows
from ..model_calls import MODEL_FIELDS, TALKING, WRITING, ask, open_asked, stream
from ..names import check_model, load_target
from ..routing import Exchange, Route
from ..schema import body, flag, number, one_of, text, texts, whole
from ..threads import in_thread
from .library import open_library

LARGEST_BODY = 16 * 2**20
MOST_TEXTS = 2048
# In characters, of all texts together.
LONGEST_TEXTS = 2_000_000
_MOST_TOKENS = 1_000_000
_CHOICES = ("auto", "none", "required")


async def _chat(exchange: Exchange) -> Answer | EventStream:
    wanted = exchange.body
    request, model, chosen = await in_thread(_prepare_chat, exchange)

    def work(model: Model) -> Coroutine[Any, Any, Conversation]:
        return answer_with_tools(model, request, chosen, rounds=wanted["max_rounds"])

    if wanted["stream"]:
        return EventStream(events_of(stream(exchange, model, work, TALKING), _said))
    return Answer(_said(await ask(exchange, model, work, TALKING)))


def _prepare_chat(exchange: Exchange) -> tuple[Request, Model, tuple[RegisteredTool, ...]]:
    wanted = exchange.body
    model = open_asked(exchange, "Chat", "chat")
    chosen = _tools(wanted["tools"])
    check_tools(model.deployment, chosen)
    name, schema = _format(wanted.get("response_format"))
    request = Request(
        read_messages(wanted["messages"]),
        temperature=wanted.get("temperature"),
        top_p=wanted.get("top_p"),
        max_tokens=wanted.get("max_tokens"),
        seed=wanted.get("seed"),
        schema=schema,
        schema_name=name,
        tool_choice=_tool_choice(wanted.get("tool_choice"), chosen),
        reasoning=wanted["reasoning"],
    )
    return request, model, chosen


def _tools(names: list[str]) -> tuple[RegisteredTool, ...]:
    if "variables.lookup" not in registry.names():
        tools.register(tools.Surroundings(open_library, targets_folder, consent.require_adding))
    return registry.chosen(names)


def _tool_choice(choice: str | None, chosen: tuple[RegisteredTool, ...]) -> str | None:
    if choice is None or not chosen:
        return None
    if choice in _CHOICES:
        return choice
    for tool in chosen:
        if tool.name == choice:
            return tool.wire_name
    raise HttpError(
        400,
        "bad_request",
        f"tool_choice is {choice[:60]!r}, which is not in `tools`.",
        "Use the name of one of them.",
    )


def _format(wanted: Any) -> tuple[str, Any]:
    """Return (name, JSON schema) of a response_format; no schema where none is wanted."""
    if not wanted or wanted["type"] == "text":
        return "answer", None
    described = wanted.get("json_schema") or {}
    if "schema" not in described:
        raise HttpError(400, "bad_request", "response_format has no json_schema with a schema.", "")
    return described.get("name") or "answer", described["schema"]


def _said(conversation: Conversation) -> dict[str, Any]:
    result = conversation.result
    uses = [
        {"name": use.name, "arguments": use.arguments, "answer": use.answer, "is_error": use.is_error}
        for use in conversation.uses
    ]
    return {
        "text": result.text,
        "reasoning": result.reasoning,
        "tool_uses": uses,
        "info": report([result], None, result.seconds, result.warnings),
    }


async def _look(exchange: Exchange) -> Answer:
    wanted = exchange.body
    pictures, target, model = await in_thread(_prepare_look, exchange)

    def work(model: Model) -> Coroutine[Any, Any, Described]:
        return describe(
            pictures,
            model,
            instruction=wanted["instruction"],
            target=target,
            seed=wanted["seed"],
            as_video=wanted["as_video"],
        )

    described = await ask(exchange, model, work, WRITING)
    return Answer({"texts": described.texts, "info": described.info})


def _prepare_look(exchange: Exchange) -> tuple[tuple[Image, ...], Target | None, Model]:
    wanted = exchange.body
    target = load_target(wanted["target"]) if wanted["target"] else None
    model = open_asked(exchange, "Describe")
    return read_pictures(wanted["images"]), target, model


async def _embed(exchange: Exchange) -> Answer:
    wanted = exchange.body
    request = embedding_request(wanted["texts"], wanted.get("dimensions"))
    model = await in_thread(open_asked, exchange, "Embeddings")
    result: Result = await ask(exchange, model, lambda model: ask_one(model, request), TALKING)
    info = report([result], None, result.seconds, result.warnings)
    return await in_thread(with_rows, {"info": info}, "vectors", result.vectors)


def embedding_request(wanted: list[str], dimensions: int | None) -> Request:
    """Build the embedding request for these texts. Raises `HttpError` for none, and for too many at once."""
    if not wanted:
        raise HttpError(400, "bad_request", "There is no text to embed.", "Send at least one.")
    length = sum(map(len, wanted))
    if length > LONGEST_TEXTS:
        raise HttpError(
            400,
            "too_large",
            f"The texts have {length:,} characters; the limit per call is {LONGEST_TEXTS:,}.",
            "Send them in several calls.",
        )
    extra = {} if dimensions is None else {"dimensions": dimensions}
    return Request((), embed=tuple(wanted), extra=extra)


async def _estimate(exchange: Exchange) -> Answer:
    return Answer(await in_thread(_estimated, exchange.body))


def _estimated(wanted: Any) -> dict[str, Any]:
    settings = load()
    estimated = estimate(
        wanted["llm_mode"],
        check_model(wanted["llm_model"], wanted["llm_mode"], settings),
        wanted["texts"],
        prompt_tokens=wanted.get("prompt_tokens"),
        completion_tokens=wanted.get("completion_tokens"),
        settings=settings,
    )
    return estimated.to_json()


_FORMAT = {
    "type": ["object", "null"],
    "properties": {
        "type": {"type": "string", "enum": ["text", "json_schema"]},
        "json_schema": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$"},
                "schema": {"type": "object", "additionalProperties": True},
                "strict": {"type": ["boolean", "null"]},
            },
            "required": ["schema"],
            "additionalProperties": False,
        },
    },
    "required": ["type"],
    "additionalProperties": False,
}
ROUTES = (
    Route(
        "POST",
        "llm/chat/completions",
        "change",
        "Chat with a model, which may use tools; with `stream` as server-sent events token, complete, error.",
        _chat,
        body=body(
            ("messages",),
            messages=MESSAGES,
            temperature=number(0, 2),
            top_p=number(0, 1),
            max_tokens=whole(1, _MOST_TOKENS),
            seed=whole(0, LARGEST_SEED),
            response_format=_FORMAT,
            reasoning=one_of("default", "off", "low", "medium", "high", default="default"),
            tools=texts(64, 64, []),
            tool_choice={"type": "string", "maxLength": 64},
            max_rounds=whole(1, 16, 5),
            stream=flag(),
            **MODEL_FIELDS,
        ),
        most_bytes=LARGEST_BODY,
        streams=True,
    ),
    Route(
        "POST",
        "llm/vision",
        "change",
        "Describe images sent in base64, or write prompts that would recreate them.",
        _look,
        body=body(
            ("images",),
            images={**PICTURES, "minItems": 1},
            instruction=text(),
            target=text(200),
            seed=whole(0, LARGEST_SEED, 0),
            as_video=flag(),
            **MODEL_FIELDS,
        ),
        most_bytes=LARGEST_BODY,
    ),
    Route(
        "POST",
        "llm/embeddings",
        "change",
        "Return the vectors of texts.",
        _embed,
        body=body(
            ("texts",), texts=texts(MOST_TEXTS, LONGEST_TEXT), dimensions=whole(1, 65_536), **MODEL_FIELDS
        ),
        most_bytes=LARGEST_BODY // 2,
    ),
    Route(
        "POST",
        "llm/cost/estimate",
        "change",
        "Estimate what a call would cost in US dollars; null if unknown.",
        _estimate,
        body=body(
            (),
            texts=texts(MOST_TEXTS, LONGEST_TEXT, []),
            prompt_tokens=whole(0, 10**9),
            completion_tokens=whole(0, 10**9),
            **MODEL_FIELDS,
        ),
        most_bytes=LARGEST_BODY // 2,
    ),
)
