"""Formats of servers' model lists: five, none of them trusted.

Models that are not for text are left out where the list says so; ids are opaque text, and every fact missing
in a list is None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
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
    "context_size",
    "max_model_len",
    "max_context_length",
    "max_input_tokens",
    "inputTokenLimit",
)
# The same facts by the words that servers of OpenAI's format add to it.
_FEATURE_FIELDS = ("supported_parameters", "supported_features", "features")
_PRICE_FIELDS = (("prompt", "completion"), ("input", "output"), ("input_tokens", "output_tokens"))
_VISION_FLAGS = ("vision", "supports_vision", "supports_image_input", "supports_image_in")
_TOOL_WORDS, _TOOL_FLAGS = ("tools", "function-calling"), ("function_calling", "supports_tools")
_SCHEMA_WORDS, _SCHEMA_FLAGS = ("structured_outputs", "structured-outputs"), ("supports_structured_output",)
# In US dollars a million tokens. What is dearer was given for another number of tokens than its place says.
_HIGHEST_PRICE = 50_000.0


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


def read(style: str, answer: Any, *, everything: bool = False, prices_per: int = 1) -> list[Listed]:
    """Read the models in `answer`, each once, in its order; 2,000 at most.

    Prices in it are those of `prices_per` tokens. `everything` keeps names that look like models for pictures
    or sound: an endpoint's owner may name models freely. Raises ValueError where `answer` is no model list.
    """
    found: dict[str, Listed] = {}
    for row in _rows(answer):
        if not isinstance(row, Mapping):
            continue
        reader = _READERS.get(style)
        listed = reader(row) if reader else _openai(row, prices_per)
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


def _openai(row: Mapping[str, Any], prices_per: int) -> Listed | None:
    """Read a row of OpenAI's format, with the facts that servers add to it in words of their own."""
    architecture, capabilities = _mapping(row, "architecture"), _mapping(row, "capabilities")
    if _lacks(architecture, "output_modalities", "text") or capabilities.get("completion_chat") is False:
        return None
    if row.get("type") in ("embedding", "embeddings", "image", "audio", "video", "moderation", "rerank"):
        return None
    if row.get("active") is False or row.get("supports_chat") is False:
        return None
    # A router lists those who serve a model: any of them may answer.
    served = row.get("providers") if isinstance(row.get("providers"), list) else ()
    places = [one for one in served or () if isinstance(one, Mapping) and one.get("status") in (None, "live")]
    facts = (row, capabilities, _mapping(row, "metadata"), *places)
    inputs = _list(architecture, "input_modalities") or _list(row, "input_modalities")
    features = next(filter(None, (_list(row, name) for name in _FEATURE_FIELDS)), None)
    prices = [price for one in facts if (price := _price_in(_mapping(one, "pricing"), prices_per))]
    return Listed(
        id=row.get("id", ""),
        context_window=min((window for one in facts if (window := _context(one))), default=None),
        vision=_told(inputs, ("image",), facts, _VISION_FLAGS),
        tools=_told(features, _TOOL_WORDS, facts, _TOOL_FLAGS),
        schema=_told(features, _SCHEMA_WORDS, facts, _SCHEMA_FLAGS),
        price=max(prices, default=None, key=sum),
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


def _list(row: Mapping[str, Any], name: str) -> list[Any] | None:
    inner = row.get(name)
    return inner if isinstance(inner, list) else None


def _told(
    words: list[Any] | None, wanted: Iterable[str], facts: Iterable[Mapping[str, Any]], flags: Iterable[str]
) -> bool | None:
    """Tell whether one of `wanted` is among the `words` of a list, or else one of its `flags` is up."""
    if words is not None:
        return any(word in words for word in wanted)
    found = {fact.get(name) is True for fact in facts for name in flags if isinstance(fact.get(name), bool)}
    return any(found) if found else None


def _price_in(pricing: Mapping[str, Any], prices_per: int) -> tuple[float, float] | None:
    named = next(((one, other) for one, other in _PRICE_FIELDS if one in pricing), None)
    return _price(pricing[named[0]], pricing.get(named[1]), prices_per) if named else None


def _price(each_in: Any, each_out: Any, prices_per: int = 1) -> tuple[float, float] | None:
    try:
        price = float(each_in) * 1e6 / prices_per, float(each_out) * 1e6 / prices_per
    except (TypeError, ValueError, OverflowError):
        return None
    # Below zero is OpenRouter's word for "depends".
    if not all(math.isfinite(part) and 0 <= part <= _HIGHEST_PRICE for part in price):
        return None
    return round(price[0], 6), round(price[1], 6)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**40 else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
