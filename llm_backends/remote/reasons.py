"""The reason of a refusal: what a server says of its own fault, in whichever shape it says so."""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Of an answer in another form than JSON; a page is mostly decoration.
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.I | re.S)
_HEADLINE = re.compile(r"<h1[^>]*>(.*?)</h1>", re.I | re.S)
_XML_MESSAGE = re.compile(r"<message>(.*?)</message>", re.I | re.S)
_TAG = re.compile(r"<[^>]*>")
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.I)

# Where a sentence stands, best first. Keys are compared without capitals and underscores.
_SENTENCES = (
    "errordescription", "errormessage", "errormsg", "errmsg", "message", "msg", "statusmsg", "detail",
    "details", "faultstring", "description", "reason", "title",
)  # fmt: skip
_NESTED = ("error", "errors", "fault", "baseresp", "response", "data", "result")
_CODES = ("code", "type", "status", "errorcode", "errortype", "reason", "quotaid", "quotametric", "object")
_STATUSES = ("code", "status", "statuscode", "httpstatus", "httpcode", "errorcode")
_WAITS = ("retryafter", "retryaftersec", "retryafterseconds", "retrydelay", "estimatedtime")
_DEEPEST = 12
_LONGEST_LITERAL = 20_000

# What a gateway puts around another server's words.
_WRAPPER = re.compile(r"^(?:(?:litellm\.)?\w*(?:Error|Exception)\s*(?::|-)\s*)+")
_GATEWAY_TAIL = re.compile(
    r"\.?\s*(?:Received Model Group=|Available Model Group Fallbacks=|LiteLLM Retried:"
    r"|model=\S+\. (?:context_window|content_policy)_fallbacks?=).*",
    re.S,
)
_EMPTY_WORDS = re.compile(
    r"(?:provider returned error|upstream error|(?:unknown |internal )?(?:server )?error|bad request|none"
    r"|null|true)\W*",
    re.I,
)
_HARMLESS = re.compile(
    r"ok(?:ay)?|success(?:ful)?|pi?o?ng|heart ?beat|keep[- _]?alive|processing|queued", re.I
)
_WAIT_IN_WORDS = re.compile(
    r"(?:try|retry|wait|reset|available|come back)\w*\b[^.\d]{0,40}?\s((?:\d+(?:\.\d+)?\s*"
    r"(?:ms|millis\w*|hours?|hrs?|minutes?|mins?|seconds?|secs?|days?|[smhd])(?![a-z])\s*)+)",
    re.I,
)
_OBJECT = re.compile(r"\{\s*[\"']|\[\s*\{")
# What may stand between two JSON values of one event.
_BETWEEN = re.compile(r"(?:[\s,]|data:)*")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)", re.I)


@dataclass(frozen=True, slots=True)
class Reason:
    """A server's reason: its sentence, its machine words, the status and the wait that it names.

    `is_page` says that a web page stood in its place.
    """

    text: str = ""
    codes: tuple[str, ...] = ()
    status: int | None = None
    retry_after_s: float | None = None
    is_page: bool = False

    @property
    def words(self) -> str:
        """All that the server said, for whoever looks for a word in it."""
        return " ".join((self.text, *self.codes))


def decode_text(raw: bytes, content_type: str = "") -> str:
    """Decode the text of a body: UTF-8 whatever the label says, where it is; else what the label says."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    for cut in range(4):  # a body that was cut may end within a character
        try:
            return raw[: len(raw) - cut].decode()
        except UnicodeDecodeError as error:
            if error.start < len(raw) - 3:
                break
    label = _CHARSET.search(content_type) or _CHARSET.search(raw[:1024].decode("latin-1"))
    for charset in (label[1] if label else "", "gb18030", "cp1252"):
        try:
            return raw.decode(charset)
        except (LookupError, UnicodeDecodeError):
            continue
    return raw.decode(errors="replace")


def read_reason(body: str) -> Reason:
    """Read the reason in a body, be it JSON, a web page or a plain sentence."""
    text = body.strip().removeprefix("\ufeff")
    said = _parsed(text)
    if said is None:
        if text.startswith("<"):
            return _of_page(text)
        said = _inner(text)
        if said is None:
            return _with_wait(Reason(_clean(text)))
    found = reason_of(said)
    return found if found.text else _with_wait(Reason(text, found.codes, found.status, found.retry_after_s))


def reason_of(said: Any) -> Reason:
    """Read the reason in what a body's JSON holds."""
    text = _sentence(said)
    codes = tuple(dict.fromkeys(str(code) for code in _values(said, _CODES) if isinstance(code, (str, int))))
    statuses = [status for value in _values(said, _STATUSES) if (status := _status(value)) is not None]
    waits = [wait for value in _values(said, _WAITS) if (wait := _seconds(value)) is not None]
    milliseconds = [value for value in _values(said, ("retryafterms",)) if isinstance(value, (int, float))]
    wait = waits[0] if waits else milliseconds[0] / 1000 if milliseconds else None
    code = next((code for code in _values(said, ("code",)) if isinstance(code, str)), None)
    if not text and codes:
        text = next((word for word in codes if not word.isdigit()), "")
    elif text and code is not None and code not in text and _status(code) is None:
        text = f"{text.rstrip('.')} [{code}]"
    return _with_wait(Reason(text, codes, statuses[0] if statuses else None, wait))


def reason_in_frame(frame: Mapping[str, Any]) -> Reason | None:
    """The reason in a frame, or an answer of a good status, that reports a fault; else None."""
    if frame.get("error"):
        return reason_of(frame)
    if frame.get("choices"):
        return None
    kind = frame.get("object"), frame.get("type"), frame.get("status")
    if "error" in kind or frame.get("errors") or frame.get("Error"):
        return reason_of(frame)
    base = frame.get("base_resp")
    if isinstance(base, dict) and base.get("status_code"):
        return reason_of(base)
    if frame.get("detail") or frame.get("success") is False:
        return reason_of(frame)
    says = next((frame[key] for key in ("msg", "message", "error_msg", "errmsg") if frame.get(key)), None)
    if not isinstance(says, str) or _HARMLESS.fullmatch(says):
        return None
    code = next((frame[key] for key in ("code", "error_code", "status_code") if key in frame), None)
    if code is None:
        is_fault = len(frame) <= 3 and not any(isinstance(value, (dict, list)) for value in frame.values())
    else:
        is_fault = str(code).lower() not in ("", "0", "200", "ok", "success", "none")
    return reason_of(frame) if is_fault else None


def several(text: str) -> list[Any]:
    """The JSON values that follow one another in `text`; none where something else does."""
    decoder, place = json.JSONDecoder(), 0
    values: list[Any] = []
    while place < len(text):
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            rest = text[place:].strip()
            if rest == "[DONE]" and values:
                return [*values, rest]
            said = _parsed(text) if not values else None
            return [said] if isinstance(said, dict) else []
        values.append(value)
        place = _BETWEEN.match(text, place).end()  # type: ignore[union-attr]
    return values


def _parsed(text: str) -> Any:
    """The value in `text`, as JSON or as Python prints it; None where it is a sentence."""
    if not text.startswith(("{", "[", '"')):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:  # an error that some gateway has put into its own sentence, with Python's quotes
        return ast.literal_eval(text) if len(text) < _LONGEST_LITERAL else None
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        pass
    return None


def _inner(text: str) -> Any:
    """The object within a sentence such as ``Error code: 429 - {'error': …}``; None without one."""
    text = _GATEWAY_TAIL.sub("", text)
    place = _OBJECT.search(text)
    end = max(text.rfind("}"), text.rfind("]"))
    if place is None or end < place.start():
        return None
    said = _parsed(text[place.start() : end + 1])
    return said if isinstance(said, (dict, list)) and _sentence(said) else None


def _sentence(said: Any, depth: int = 0) -> str:
    """The sentence in the error shapes that servers use; empty where there is none."""
    if depth > _DEEPEST:
        return ""
    if isinstance(said, str):
        inner = _parsed(said.strip())
        if not isinstance(inner, (dict, list)):
            inner = _inner(said)
        found = _sentence(inner, depth + 1) if inner is not None else ""
        return found or _clean(said)
    if isinstance(said, list):
        return "; ".join(dict.fromkeys(filter(None, (_item(item, depth + 1) for item in said[:5]))))
    if not isinstance(said, dict):
        return ""
    keys = {_plain(key): value for key, value in said.items()}
    sentences = [found for key in _SENTENCES if (found := _sentence(keys.get(key), depth + 1))]
    nested = [found for key in _NESTED if (found := _sentence(keys.get(key), depth + 1))]
    raw = _raw(keys.get("metadata"), depth)
    if raw and not any(map(_says_something, sentences)):
        return raw
    ordered = [*nested, *sentences] if _is_deep(keys.get("error")) else [*sentences, *nested]
    telling = [found for found in ordered if _says_something(found)]
    best = next((found for found in telling if " " in found or not found.isascii()), None)
    if best is None and telling == [] and not ordered and depth:
        return _of_fields(said, depth)
    return best or next(iter([*telling, *ordered]), "")


def _is_deep(error: Any) -> bool:
    """Tell whether the fault is described inside, rather than beside a word for it."""
    if isinstance(error, str):
        return " " in error or not error.isascii()
    return isinstance(error, (dict, list))


def _item(item: Any, depth: int) -> str:
    """The sentence of one of several errors, with the field that it is about (as pydantic lists them)."""
    found = _sentence(item, depth)
    place = item.get("loc") if isinstance(item, dict) else None
    if found and isinstance(place, (list, tuple)):
        named = ".".join(str(step) for step in place if step != "body")
        return f"{named}: {found}" if named else found
    return found


def _of_fields(said: Mapping[Any, Any], depth: int) -> str:
    """The sentences of an object that names the field of each: {"model": ["is required"]}."""
    parts = [
        f"{key}: {found}"
        for key, value in list(said.items())[:5]
        if isinstance(value, list) and (found := _sentence(value, depth + 1))
    ]
    return "; ".join(parts)


def _raw(metadata: Any, depth: int) -> str:
    """The words of the server behind a router, where the router passes them on."""
    if not isinstance(metadata, dict):
        return ""
    found = _sentence(metadata.get("raw"), depth + 1)
    reasons = metadata.get("reasons")
    if not found and isinstance(reasons, list):
        found = ", ".join(map(str, reasons))
    provider = metadata.get("provider_name")
    return f"{provider}: {found}" if found and provider else found


def _says_something(sentence: str) -> bool:
    return not _EMPTY_WORDS.fullmatch(sentence)


def _values(said: Any, names: tuple[str, ...], depth: int = 0) -> Iterator[Any]:
    """Yield the values under these names, the outermost first."""
    if depth > _DEEPEST:
        return
    if isinstance(said, str) and depth:
        said = _parsed(said.strip()) or _inner(said)
    if isinstance(said, list):
        for item in said[:5]:
            yield from _values(item, names, depth + 1)
    if not isinstance(said, dict):
        return
    for key, value in said.items():
        if _plain(key) in names and not isinstance(value, (dict, list)):
            yield value
    for value in said.values():
        if isinstance(value, (dict, list)) or (isinstance(value, str) and "{" in value):
            yield from _values(value, names, depth + 1)


def _plain(key: Any) -> str:
    return str(key).lower().replace("_", "").replace("-", "")


def _status(value: Any) -> int | None:
    text = str(value)
    return int(text) if re.fullmatch("[3-5][0-9][0-9]", text) and not isinstance(value, bool) else None


def _clean(sentence: str) -> str:
    """A sentence without what a gateway puts around it."""
    sentence = _GATEWAY_TAIL.sub("", sentence.strip())
    bare = _WRAPPER.sub("", sentence)
    return bare or sentence


def _of_page(page: str) -> Reason:
    found = _XML_MESSAGE.search(page) or _TITLE.search(page) or _HEADLINE.search(page)
    text = " ".join(html.unescape(_TAG.sub(" ", found[1])).split()) if found else ""
    return Reason(text, is_page=True)


def _with_wait(reason: Reason) -> Reason:
    if reason.retry_after_s is not None:
        return reason
    found = _WAIT_IN_WORDS.search(reason.text)
    wait = _seconds(found[1]) if found else None
    return Reason(reason.text, reason.codes, reason.status, wait, reason.is_page)


def _seconds(value: Any) -> float | None:
    """The seconds in a number, or in words such as ``38.5s`` or ``2m30s``."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return max(0.0, float(value))
    if not isinstance(value, str):
        return None
    if re.fullmatch(r"\d+(?:\.\d+)?", value.strip()):
        return float(value)
    parts = _PART.findall(value)
    return sum(float(number) * _unit(unit.lower()) for number, unit in parts) if parts else None


def _unit(unit: str) -> float:
    if unit.startswith(("ms", "milli")):
        return 0.001
    return {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}[unit[0]] if unit[0] in "smhd" else 0.0
