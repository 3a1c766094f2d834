"""Formats of servers' model lists: five, none of them trusted.

Models that are not for text are left out where the list says so; ids are opaque text, and every fact missing
in a list is None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST_ID = 200
_MOST_MODELS = 2000

# Models that write no text, by name: most lists hold them and do not say so.
_OTHER_KINDS = re.compile(
    r"embed|whisper|\btts\b|dall-e|moderation|rerank|transcri|realtime|\bsora\b|gpt-image|-image\b|imagen|\bveo\b"
    r"|stable-diffusion|flux|\baqa\b|speech|audio|ocr|guard|davinci-002|babbage-002|lyria",
    re.IGNORECASE,
)
_CONTEXT_FIELDS = (
    "context_window",
    "context_length",
    "max_model_len",
    "max_context_length",
    "max_input_tokens",
    "inputTokenLimit",
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as a server lists it. `context_window` in tokens, `price` in US dollars a million tokens,
    (in, out)."""

    id: str
    label: str = ""
    context_window: int | None = None
    vision: bool | None = None
    tools: bool | None = None
    schema: bool | None = None
    price: tuple[float, float] | None = None


def read(style: str, answer: Any, *, everything: bool = False) -> list[Listed]:
    """Read the models in `answer`, each once, in its order; 2,000 at most.

    `everything` keeps names that look like models for pictures or sound: an endpoint's owner may name models
    freely. Raises ValueError where `answer` is no list of models.
    """
    found: dict[str, Listed] = {}
    for row in _rows(answer):
        if not isinstance(row, Mapping):
            continue
        listed = _READERS.get(style, _openai)(row)
        if listed is None or not is_id(listed.id) or (not everything and _OTHER_KINDS.search(listed.id)):
            continue
        found.setdefault(listed.id, listed)
        if len(found) >= _MOST_MODELS:
            break
    return list(found.values())


def read_proxy_info(answer: Any) -> dict[str, Listed]:
    """Read LiteLLM's ``/model/info`` by the model's name; rows that are not understood are left out.
    A price of 0 means unknown there."""
    found = {}
    rows = answer.get("data") if isinstance(answer, Mapping) else None
    for row in rows if isinstance(rows, list) else ():
        info = row.get("model_info") if isinstance(row, Mapping) else None
        name = row.get("model_name") if isinstance(row, Mapping) else None
        if isinstance(info, Mapping) and is_id(name):
            found[str(name)] = Listed(
                str(name),
                context_window=_whole(info.get("max_input_tokens")),
                vision=_flag(info.get("supports_vision")),
                tools=_flag(info.get("supports_function_calling")),
                schema=_flag(info.get("supports_response_schema")),
                price=_price(info.get("input_cost_per_token") or None, info.get("output_cost_per_token")),
            )
    return found


def is_id(text: Any) -> bool:
    """Tell whether a text can be a model's id: one short printable line, and otherwise opaque."""
    return (
        isinstance(text, str) and 0 < len(text) <= _LONGEST_ID and text.isprintable() and text == text.strip()
    )


def _rows(answer: Any) -> list[Any]:
    if isinstance(answer, Mapping):
        answer = next((answer[name] for name in ("data", "models") if name in answer), None)
    if not isinstance(answer, list):
        raise ValueError("not a model list")
    return answer


def _openai(row: Mapping[str, Any]) -> Listed | None:
    architecture, capabilities = _mapping(row, "architecture"), _mapping(row, "capabilities")
    if _lacks(architecture, "output_modalities", "text") or capabilities.get("completion_chat") is False:
        return None
    if row.get("type") in ("embedding", "embeddings", "image", "audio", "video", "moderation", "rerank"):
        return None
    parameters, pricing = row.get("supported_parameters"), _mapping(row, "pricing")
    inputs = architecture.get("input_modalities")
    return Listed(
        id=row.get("id", ""),
        context_window=_context(row),
        vision="image" in inputs if isinstance(inputs, list) else _flag(capabilities.get("vision")),
        tools="tools" in parameters
        if isinstance(parameters, list)
        else _flag(capabilities.get("function_calling")),
        schema="structured_outputs" in parameters if isinstance(parameters, list) else None,
        price=_price(pricing.get("prompt"), pricing.get("completion")),
    )


def _anthropic(row: Mapping[str, Any]) -> Listed:
    return Listed(row.get("id", ""), label=_text(row.get("display_name")), context_window=_context(row))


def _gemini(row: Mapping[str, Any]) -> Listed | None:
    if _lacks(row, "supportedGenerationMethods", "generateContent"):
        return None
    name = _text(row.get("name")).removeprefix("models/")
    return Listed(name, label=_text(row.get("displayName")), context_window=_context(row))


def _ollama(row: Mapping[str, Any]) -> Listed:
    name = _text(row.get("name")) or _text(row.get("model"))
    # ":latest" goes without saying, as in Ollama's own commands.
    return Listed(name.removesuffix(":latest"))


def _cohere(row: Mapping[str, Any]) -> Listed | None:
    if _lacks(row, "endpoints", "chat"):
        return None
    features = row.get("features")
    known = features if isinstance(features, list) else None
    return Listed(
        _text(row.get("name")),
        context_window=_context(row),
        vision="vision" in known if known else None,
        tools="tools" in known if known else None,
    )


_READERS = {
    "openai": _openai,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "ollama": _ollama,
    "cohere": _cohere,
}


def _lacks(row: Mapping[str, Any], name: str, wanted: str) -> bool:
    listed = row.get(name)
    return isinstance(listed, list) and wanted not in listed


def _mapping(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = row.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _context(row: Mapping[str, Any]) -> int | None:
    return next((number for name in _CONTEXT_FIELDS if (number := _whole(row.get(name)))), None)


def _price(each_in: Any, each_out: Any) -> tuple[float, float] | None:
    try:
        price = float(each_in) * 1e6, float(each_out) * 1e6
    except (TypeError, ValueError, OverflowError):
        return None
    # Below zero is OpenRouter's word for "depends".
    if not all(math.isfinite(part) and part >= 0 for part in price):
        return None
    return round(price[0], 6), round(price[1], 6)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**40 else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
