"""Requests in OpenAI's format, converted to ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ....llm_backends.remote.openai_format import TOOL_CHOICES
from ....llm_backends.types import Reasoning, Request, Tool
from ....prompting.tasks import LARGEST_SEED
from ..conversation import LONGEST_TEXT, OPEN_MESSAGES, read_messages
from ..messages import HttpError
from ..schema import body

MOST_TEXTS = 2048
_ANY_OBJECT = {"type": ["object", "null"], "additionalProperties": True}
# OpenAI's own housekeeping: accepted, and without effect here.
_IGNORED: dict[str, Any] = {
    "user": {"type": ["string", "null"], "maxLength": 1000},
    "metadata": _ANY_OBJECT,
    "store": {"type": ["boolean", "null"]},
    "service_tier": {"type": ["string", "null"], "maxLength": 100},
    "safety_identifier": {"type": ["string", "null"], "maxLength": 1000},
    "prompt_cache_key": {"type": ["string", "null"], "maxLength": 1000},
}
# Passed on to the model as they are.
_PASSED_ON: dict[str, Any] = {
    "frequency_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
    "presence_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
    "parallel_tool_calls": {"type": ["boolean", "null"]},
    "logit_bias": _ANY_OBJECT,
    "stop": {
        "type": ["string", "array", "null"],
        "maxLength": 1000,
        "maxItems": 16,
        "items": {"type": "string", "maxLength": 1000},
    },
}
_EFFORTS: dict[str, Reasoning] = {"none": "off", "minimal": "low", "xhigh": "high"}
_TOOL = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["function"]},
        "function": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
                "description": {"type": ["string", "null"], "maxLength": 20_000},
                "parameters": _ANY_OBJECT,
                "strict": {"type": ["boolean", "null"]},
            },
            "required": ["name"],
            "additionalProperties": False,
        },
    },
    "required": ["type", "function"],
    "additionalProperties": False,
}
_MODEL = {"type": "string", "minLength": 1, "maxLength": 300}
CHAT = body(
    ("model", "messages"),
    model=_MODEL,
    messages=OPEN_MESSAGES,
    stream={"type": ["boolean", "null"]},
    stream_options={
        "type": ["object", "null"],
        "properties": {"include_usage": {"type": ["boolean", "null"]}},
        "additionalProperties": True,
    },
    temperature={"type": ["number", "null"], "minimum": 0, "maximum": 2},
    top_p={"type": ["number", "null"], "minimum": 0, "maximum": 1},
    max_tokens={"type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000},
    max_completion_tokens={"type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000},
    seed={"type": ["integer", "null"], "minimum": 0, "maximum": LARGEST_SEED},
    n={"type": ["integer", "null"]},
    logprobs={"type": ["boolean", "null"]},
    top_logprobs={"type": ["integer", "null"]},
    response_format={
        "type": ["object", "null"],
        "properties": {
            "type": {"type": "string", "enum": ["text", "json_object", "json_schema"]},
            "json_schema": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
                    "schema": {"type": "object", "additionalProperties": True},
                },
                "required": ["name", "schema"],
                "additionalProperties": True,
            },
        },
        "required": ["type"],
        "additionalProperties": False,
    },
    reasoning_effort={
        "type": ["string", "null"],
        "enum": ["none", "minimal", "low", "medium", "high", "xhigh", None],
    },
    tools={"type": ["array", "null"], "maxItems": 128, "items": _TOOL},
    tool_choice={"type": ["string", "object", "null"], "maxLength": 20, "additionalProperties": True},
    **_PASSED_ON,
    **_IGNORED,
)
EMBEDDINGS = body(
    ("model", "input"),
    model=_MODEL,
    input={
        "type": ["string", "array"],
        "maxLength": LONGEST_TEXT,
        "maxItems": MOST_TEXTS,
        "items": {"type": ["string", "integer", "array"], "maxLength": LONGEST_TEXT},
    },
    encoding_format={"type": ["string", "null"], "enum": ["float", "base64", None]},
    dimensions={"type": ["integer", "null"], "minimum": 1, "maximum": 65_536},
    user=_IGNORED["user"],
)


def chat_request(given: Mapping[str, Any]) -> Request:
    """Build the request; pictures are read, so not for an event loop. Raises `HttpError` and `BadRequest`."""
    _refuse_what_is_not_offered(given)
    effort = given.get("reasoning_effort")
    wanted = given.get("response_format") or {"type": "text"}
    described = wanted.get("json_schema") if wanted["type"] == "json_schema" else None
    if wanted["type"] == "json_schema" and described is None:
        raise _bad("response_format", "has no json_schema.")
    extra = {name: given[name] for name in _PASSED_ON if given.get(name) is not None}
    if wanted["type"] == "json_object":
        extra["response_format"] = {"type": "json_object"}
    tools = tuple(_tool(tool["function"]) for tool in given.get("tools") or ())
    return Request(
        read_messages(given["messages"]),
        temperature=given.get("temperature"),
        top_p=given.get("top_p"),
        max_tokens=given.get("max_completion_tokens") or given.get("max_tokens"),
        seed=given.get("seed"),
        schema=described["schema"] if described else None,
        schema_name=described["name"] if described else "answer",
        tools=tools,
        tool_choice=_tool_choice(given.get("tool_choice"), tools),
        reasoning=cast(Reasoning, _EFFORTS.get(effort, effort)) if effort else "default",
        extra=extra,
    )


def embedded_texts(given: Any) -> list[str]:
    """Return the texts of an ``input``. Raises `HttpError` for tokens in their place."""
    wanted = [given] if isinstance(given, str) else given
    if not all(isinstance(item, str) for item in wanted):
        raise _bad("input", "contains tokens of another model's vocabulary. Send texts instead.")
    return wanted


def _refuse_what_is_not_offered(given: Mapping[str, Any]) -> None:
    if given.get("n") not in (None, 1):
        raise _bad("n", "must be 1: each call returns one answer.")
    if given.get("logprobs") or given.get("top_logprobs"):
        raise _bad("logprobs", "are not available from the models here.")


def _tool(function: Mapping[str, Any]) -> Tool:
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    return Tool(function["name"], function.get("description") or "", parameters)


def _tool_choice(choice: Any, tools: tuple[Tool, ...]) -> str | None:
    if choice is None or not tools:
        return None
    if isinstance(choice, str):
        if choice in TOOL_CHOICES:
            return choice
        raise _bad("tool_choice", f"is one of {', '.join(TOOL_CHOICES)}, or names a function.")
    function = choice.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or name not in [tool.name for tool in tools]:
        raise _bad("tool_choice", "does not name a function in `tools`.")
    return name


def _bad(name: str, what: str) -> HttpError:
    return HttpError(400, "bad_request", f"`{name}` {what}")
