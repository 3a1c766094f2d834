"""The reading of a refused request: which part of it the server would not take, in whatever words.

No list of phrases is kept: what counts is which part of *this* request the refusal names, first in the places
where servers point at a field (``param``, ``loc``, ``Unknown name "…"``), then anywhere in its text.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ..types import Deployment, Request

# The parts of a request that a model may do without, by the names that servers have for them; the text is in
# lower case, and camelCase is snake_case.
PARTS = {
    "stream_options": r"stream_options|include_usage",
    "response_format": r"response_?format|json[_ ]?schema|json[_ ]object|json mode|structured[ _]outputs?"
    r"|response[_ ]schema|mime[_ ]?type|guided[_ ]\w+|grammar|output_(?:format|config)|text\.format"
    r"|constrained decoding|controlled generation",
    "reasoning_effort": r"reasoning\w*|think(?:ing)?(?![a-z])|effort|enable_thinking|\w*budget[_ ]tokens"
    r"|budget \d+|chat_template_kwargs",
    "max_tokens": r"max\w*_tokens|max(?:imum)? (?:new |output |completion )?tokens|maximum tokens|num_predict"
    r"|n_predict|max_(?:new_)?length|completion tokens|output tokens|maximum number of (?:output )?tokens",
    "temperature": r"temperature",
    "top_p": r"top[_ -]?p(?![a-z])",
    "seed": r"(?:random_)?seed(?![a-z])",
    "system": r"system(?:[ _](?:role|message|prompt|instruction)s?)?(?![a-z _]*(?:error|fault))"
    r"|developer[ _](?:instruction|message|role)s?|messages\W+\d+\W+role|roles? must alternate"
    r"|only (?:support )?user(?:,| and| or|/)|valid role|invalid role|unknown role|unexpected role",
}
NAMED = {part: re.compile(rf"(?<![a-z0-9])(?:{pattern})") for part, pattern in PARTS.items()}
# With which a text speaks of what there is, not of what was wrong.
_OFFERS = re.compile(
    r"(?:supported|allowed|available|known|permitted) (?:parameter|argument|field|param)s\b[^.]*"
)
_FIELD = r"[\W_]{0,4}([a-z][\w.\[\]]*)"
_POINTERS = re.compile(
    rf"param(?:eter)?[\"']?\s*[:=]{_FIELD}"
    rf"|\bloc\b[\"']?\W+body{_FIELD}"
    r"|(?:unsupported|unrecognized|unknown|unexpected|invalid|extra|illegal) (?:request |keyword )?"
    rf"(?:parameter|value|argument|field|name|key|property|input|option)s?(?: supplied)?{_FIELD}"
    rf"|(?:property|parameter|argument|field|option){_FIELD}\W{{0,3}} (?:is|are|was|were) (?:un|not|in)"
    rf"|n[o']t (?:support|accept|allow)(?:ed)? (?:the |this )?(?:parameter|argument|option|field)s?{_FIELD}"
    rf"|(?:parameter|argument)s? not (?:supported|allowed|permitted)[^:]{{0,40}}:{_FIELD}"
    r"|[\"'`]([a-z]\w*)[\"'`] was unexpected"
)
_LIST = re.compile(r"(?:arguments?|parameters?|fields?|inputs?)(?: supplied)?\W{1,3}((?:[a-z_]+, ?)+[a-z_]+)")
_NO_STREAM = re.compile(
    r"(?<![a-z])stream(?:ing|ed|s)?(?![a-z_])"
    r"(?=.{0,160}(?:not|unsupported|n't|disabled|only|must be|verified|unavailable|false))"
    r"|(?:not|n't|unsupported|disabled|without|unable to)\b.{0,60}(?<![a-z])stream",
    re.S,
)
_BOTH = re.compile(r"(?<![a-z])both(?![a-z])|only one|together|simultaneous|mutually|at the same time|either")
_RESPONSES = re.compile(
    r"v1/responses|responses api|/responses endpoint|not a chat model"
    r"|chat_?completion\w* operation does not work|not supported in the v1/chat/completions"
)
_NO_SUCH_MODEL = re.compile(
    r"model[^.]{0,160}(?:not (?:be )?(?:found|exist|available|loaded|known|deployed)|n't exist|no longer"
    r"|unknown|not a valid|is deprecated|decommissioned|not have access|access to it)"
    r"|(?:unknown|invalid|no such|unsupported|not a valid) model|model[_ ]not[_ ]found"
    r"|no model (?:is )?(?:loaded|named)|no endpoints found (?:for|matching)|unable to find model"
    r"|no available (?:channel|model)|deployment[^.]* not exist"
)
_CONTEXT = re.compile(
    r"(?:maximum context|context[ _](?:length|size|window)|max_model_len|max_total_tokens"
    r"|total number of tokens)\D{0,40}?(\d[\d,]*)|must be <= (\d[\d,]*)\W+given"
)
_READ = re.compile(
    r"(at least )?(\d[\d,]*) (?:tokens )?(?:in (?:the|your) (?:messages|prompt|input)|from the input"
    r"|input tokens|prompt tokens|`?inputs`? tokens|of text input)"
)
# Anthropic's: the prompt's tokens and the limit, more than the context.
_SUM = re.compile(r"(\d[\d,]*) \+ \d[\d,]* > (\d[\d,]*)")
_CODES = re.compile(r"[\"'](?:code|status|error_code)[\"']\s*:\s*[\"']?\d+")
_NUMBER = re.compile(r"(?<![\w.-])(\d[\d,]*)(?!\w|[.-]\d)")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_EFFORT_LIST = re.compile(
    r"(?:supported (?:values|efforts|levels)|must be (?:one of|either)|one of|expected"
    r"|allowed values|valid values|available options|choose from|input should be|must be)"
    r"(.*?)(?:[.;\n]|'input'|\"input\"|$)",
    re.S,
)


def words_of(text: str, request: Request, deployment: Deployment) -> str:
    """The text of a refusal to compare: in lower case, camelCase split, without what it quotes of ours."""
    for quoted in sorted({deployment.model, *(m.content for m in request.messages)}, key=len, reverse=True):
        if len(quoted) > 2:
            text = text.replace(quoted, " … ")
    # Not in OpenAI's or LiteLLM's name, which say nothing here either way.
    return re.sub(r"(?<=[a-z])([A-Z])(?=[a-z])", r"_\1", text.replace('\\"', '"')).lower()


def wants_responses(words: str) -> bool:
    """Tell whether the model answers on OpenAI's Responses API only."""
    return _RESPONSES.search(words) is not None


def misses_model(words: str) -> bool:
    """Tell whether the refusal means that there is no such model."""
    return _NO_SUCH_MODEL.search(words) is not None


def names_parts(words: str) -> bool:
    """Tell whether the refusal names any part that a model may do without, on the wire or not."""
    return any(named.search(words) for named in NAMED.values())


def refused_parts(words: str, sent: Collection[str]) -> frozenset[str]:
    """The parts of `sent` (keys of `PARTS`, and ``stream``) that the refusal is about."""
    pointed = {part for name in _pointed_at(words) if (part := _part(name, words)) in sent}
    if {"temperature", "top_p"} <= set(sent) and _names_both(words):
        return frozenset({"top_p"})
    if pointed:
        return frozenset(pointed)
    bare = _OFFERS.sub(" ", words)
    places = {part: found.start() for part in PARTS if part in sent and (found := NAMED[part].search(bare))}
    # The subject comes first: “`temperature` may only be set to 1 when thinking is enabled”.
    first = min(places, key=places.__getitem__, default="")
    # Its own name has the word in it, too.
    if first != "stream_options" and "stream" in sent:
        found = _NO_STREAM.search(bare)
        if found is not None and found.start() < places.get(first, len(bare)):
            return frozenset({"stream"})
    return frozenset({first} if first else ())


def efforts_in(words: str) -> tuple[str, ...]:
    """The levels of reasoning that a refusal says there are; empty where it names none."""
    found = _EFFORT_LIST.search(words)
    return tuple(level for level in EFFORTS if re.search(rf"\b{level}\b", found[1])) if found else ()


def context_in(words: str) -> tuple[int, int | None] | None:
    """The model's context and the tokens of the prompt that a refusal of both together names; the second is
    None where it is not known exactly. None where the refusal is about something else."""
    if not (NAMED["max_tokens"].search(words) or "completion" in words):
        return None
    if sum_ := _SUM.search(words):
        return _whole(sum_[2]), _whole(sum_[1])
    found = _CONTEXT.search(words)
    if found is None:
        return None
    read = _READ.search(words)
    return _whole(found[1] or found[2]), _whole(read[2]) if read and not read[1] else None


def limit_in(words: str, asked: int, least: int) -> int | None:
    """The limit between `least` and `asked` that a refusal of so many tokens names."""
    below = [
        n for found in _NUMBER.finditer(_CODES.sub("", words)) if least <= (n := _whole(found[1])) < asked
    ]
    if not below:
        return None
    most = max(below)
    excluded = re.search(rf"{most}\W*\(exclusive\)|(?:less|lower|smaller) than\W*{most}\b", words)
    return most - 1 if excluded else most


def _whole(text: str) -> int:
    return int(text.replace(",", ""))


def _names_both(words: str) -> bool:
    named = all(NAMED[part].search(words) for part in ("temperature", "top_p"))
    return named and _BOTH.search(words) is not None


def _pointed_at(words: str) -> set[str]:
    names = {name for found in _POINTERS.finditer(words) for name in found.groups() if name}
    for found in _LIST.finditer(words):
        names.update(re.split(r", ?", found[1]))
    return names


def _part(name: str, words: str) -> str:
    """The part of a request that a field's name means; empty for another."""
    if name.startswith("messages"):
        return "system" if NAMED["system"].search(words) else ""
    if name in ("stream", "streaming"):
        return "stream"
    return next((part for part, named in NAMED.items() if named.match(name)), "")
