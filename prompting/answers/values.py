"""Reader for the list of values in an answer that was asked for as JSON, whatever the model made of that."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ...llm_backends.errors import Refused
from .envelope import fenced, peel, unquote
from .no_prompt.questions import asks_back
from .no_prompt.refusal import is_refusal
from .protect import TAKEN_OUT
from .talk import announces, is_remark

_NUMBERING = re.compile(
    r"^\s*(?:[-*•–]\s+(?:\[[ xX✓]?\]\s+)?|\(?\d{1,3}[.):-]\s+|\d{1,3}[、．）]\s*"
    r"|[①-⑳]\s*|\(?[a-zA-Z]\)\s+|(?:value|option"
    r"|item)\s+\d{1,3}\s*[:：]\s*)",
    re.I,
)
_BULLET = re.compile(r"(?:[-*•–](?=\s)|\(?\d{1,3}[.)]|\d{1,3}[、．）]|[①-⑳])\s*(?=\S)")
_COUNTED = re.compile(
    r"[*_]*(?P<what>[^\W\d_]+(?:\s[^\W\d_]+)?)\s?#?(?P<number>\d{1,3})[*_]*\s*[:：.)–-][*_]*\s*(?=\S)"
)
_ROMAN = re.compile(r"\(?([ivxIVX]{1,5})[.)]\s+(?=\S)")
_ROMANS = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"]
_TOOL_TAG = re.compile(r"(?i)</?tool_calls?>|\[/?TOOL_CALLS?\]")
_XML = re.compile(r"(?is)<(value|item|li|v)>\s*(.*?)\s*</\1>")
_HEAD = re.compile(r"(?i)\A\W*(?:values?|answer|list|output|result|值|値)\W*[:：]\W*\Z|\A\W*values?\W*\Z")
_INLINE_HEAD = re.compile(r"(?i)\A[*_]*(?:values?|answer|list|值|値)[*_]*\s*[:：=]\s*[*_]*(?=\S)")
_SEPARATORS = ("、", "，", "،", "؛", ";", "；", "|", ",")
# Where the values lie within an object, the surest first.
_INSIDE = (
    "values", "arguments", "parameters", "function", "tool_calls", "input", "action_input", "properties",
    "items", "enum", "data", "result", "output", "answer", "response", "list", "results", "examples",
    "default",
)  # fmt: skip
_SCHEMA_KEYS = frozenset({"type", "required", "additionalProperties", "$schema", "description", "title"})
_PLACEHOLDERS = frozenset(
    {"first", "second", "third", "string", "array", "object", "item", "example", "str", "text"}
)
_OF_AN_ITEM = ("value", "text", "prompt", "content", "item")
_NAMES = ("name", "title", "label", "term", "word", "option")
_ASKS_FOR_TEXT = re.compile(
    r"(?i)descri|sentence|paragraph|prompt|story|text|caption|words?\b|scene|portrait"
)
# In characters: about two hundred words. Anything longer is talk.
_LONGEST_VALUE = 1500
_DEEPEST = 12
_LONGEST_NAME_WORDS = 5


def asks_for_text(name: str) -> bool:
    """Tell whether a variable of this name wants sentences rather than names."""
    return bool(_ASKS_FOR_TEXT.search(name.replace("_", " ")))


def read_values(text: str, *, name: str = "", who: str = "The model") -> tuple[list[str], str]:
    """Return (values, warning) from an answer: JSON as asked, JSON amid talk, mended JSON, or lines.

    The values are tidied but not yet made distinct; the warning is empty unless something was mended. `name`,
    the variable's, tells a name from its description. Raises `Refused` where every value is a refusal.
    """
    values, warning = _read(_without_wrappers(text), asks_for_text(name))
    kept = [value for value in values if not is_refusal(value)]
    if len(kept) == 1 and asks_back(kept[0]):
        return [], warning
    if values and not kept:
        raise Refused(f"{who} declined: “{values[0][:160]}”")
    if {value.casefold() for value in kept} <= _PLACEHOLDERS:
        # The schema or the example that the request showed, and nothing of the model's own.
        return [], warning
    return kept, warning


def _without_wrappers(text: str) -> str:
    text = _TOOL_TAG.sub("", text).strip()
    inside = max((inside for _, _, inside in fenced(text)), key=len, default="")
    return inside or text


def _read(text: str, asks_for_text: bool) -> tuple[list[str], str]:
    for candidate in (text, _outermost(text, "{", "}"), _outermost(text, "[", "]")):
        if candidate:
            try:
                return _tidied(json.loads(candidate), asks_for_text), ""
            except (ValueError, RecursionError):
                continue
    if documents := _documents(text):
        return _tidied(documents, asks_for_text), ""
    if text.startswith(("('", "['", '("')):
        try:
            return _tidied(list(ast.literal_eval(text)), asks_for_text), ""
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            pass
    if tagged := _XML.findall(text):
        return _tidied([inside for _, inside in tagged], asks_for_text), ""
    if re.search(r"""[{\[]\s*["'{\[]|\{\s*\w+\s*:|"\s*:\s*\[""", text):
        start = min(place for place in (text.find("{"), text.find("[")) if place >= 0)
        if mended := _mend(text[start:], asks_for_text):
            return mended, "The answer was not valid JSON and was repaired."
    return _tidied(
        _from_lines(text, asks_for_text), asks_for_text
    ), "The answer was not JSON and was read line by line."


def _documents(text: str) -> list[Any]:
    """Return the values of JSON lines, or of several JSON texts in a row; talk around them is left out."""
    start = re.search(r'[{\["]', text)
    if start is None or (
        text[: start.start()].strip()
        and not text[: start.start()].rstrip().endswith((":", "：", "=", "!", "."))
    ):
        return []
    decoder, found, place = json.JSONDecoder(), list[Any](), start.start()
    while place < len(text) and text[place] in '{["':
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return []
        if value not in found:
            found.append(value)
        place += len(text[place:]) - len(text[place:].lstrip())
    behind = text[place:].strip()
    return found if len(found) > 1 and (not behind or is_remark(behind)) else []


def _mend(text: str, asks_for_text: bool) -> list[str]:
    try:
        from json_repair import loads
    except ImportError:
        return []
    try:
        return _tidied(loads(text), asks_for_text)
    except (ValueError, RecursionError):
        return []


def _outermost(text: str, opening: str, closing: str) -> str:
    start, end = text.find(opening), text.rfind(closing)
    return text[start : end + 1] if 0 <= start < end else ""


def _from_lines(text: str, asks_for_text: bool) -> list[str]:
    lines = [line.strip().rstrip(",") for line in text.splitlines()]
    lines = [line for line in lines if line and not line.endswith((":", "：", "[", "{"))]
    if rows := _from_table(lines):
        return rows
    while len(lines) > 1 and is_remark(lines[-1]):
        lines.pop()
    while len(lines) > 1 and (_HEAD.match(lines[0]) or announces(lines[0])):
        lines.pop(0)
    if len(lines) == 1:
        head, colon, rest = lines[0].partition(":")
        is_led = bool(colon and rest.strip()) and announces(f"{head}:")
        return _split(rest if is_led else _INLINE_HEAD.sub("", lines[0]))
    return _heads(_without_counts(_of_the_list(lines)), asks_for_text)


def _of_the_list(lines: list[str]) -> list[str]:
    """Return the items where some lines are a list and others the headings and talk around it."""
    items = [line for line in lines if _BULLET.match(line)]
    return items if len(items) > 1 else lines


def _without_counts(lines: list[str]) -> list[str]:
    """Return lines such as “Colour 1: red” or “ii. red” without what counts them."""
    romans = [_ROMAN.match(line) for line in lines]
    if 1 < len(lines) <= len(_ROMANS) and [r[1].lower() for r in romans if r] == _ROMANS[: len(lines)]:
        return [line[roman.end() :] for line, roman in zip(lines, romans, strict=True) if roman]
    found = [_COUNTED.match(line) for line in lines]
    numbers = [int(count["number"]) for count in found if count]
    if (
        len(lines) < 2
        or numbers != list(range(1, len(lines) + 1))
        or len({c["what"] for c in found if c}) > 1
    ):
        return lines
    return [line[count.end() :] for line, count in zip(lines, found, strict=True) if count]


def _split(line: str) -> list[str]:
    """Return the values of a list on one line, whichever sign separates them."""
    line = line.strip().rstrip("。")
    for opening, closing in (("(", ")"), ("{", "}"), ("[", "]")):
        if line.startswith(opening) and line.endswith(closing):
            line = line[1:-1]
    for separator in _SEPARATORS:
        if line.count(separator) >= (1 if separator in "、|" else 2):
            parts = [part.strip() for part in line.split(separator)]
            parts[-1] = re.sub(r"(?i)\A(?:and|or|und|et|y|e|и|和|以及)\s+", "", parts[-1])
            return [part.rstrip(".") if part is parts[-1] else part for part in parts]
    return [line]


def _heads(lines: list[str], asks_for_text: bool) -> list[str]:
    """Return the values of lines of which each may be explained: “**red**: the colour of blood”."""
    bare = [_NUMBERING.sub("", line) for line in lines]
    if asks_for_text or bare == lines:
        return lines
    bold = [re.match(r"\*\*(.+?)[:：]?\*\*\s*[:：–—-]\s+\S", line) for line in bare]
    if all(bold):
        return [found[1] for found in bold if found]
    heads = [re.match(r"([^:：\n]{1,60}?)(?:[:：]\s+|\s+[–—-]\s+)\S", line) for line in bare]
    if len(lines) > 1 and all(head and len(head[1].split()) <= _LONGEST_NAME_WORDS for head in heads):
        return [head[1] for head in heads if head]
    return lines


def _from_table(lines: list[str]) -> list[str]:
    """Return the values of a Markdown table: the column headed so, else the first that is no number."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    rule = next((n for n, row in enumerate(rows) if all(re.fullmatch(r":?-+:?", cell) for cell in row)), None)
    if rule is None or rule != 1 or len(rows) < 3:
        return []
    body = [row for row in rows[2:] if row]
    named = next((n for n, cell in enumerate(rows[0]) if _HEAD.match(cell)), None)
    width = min(len(row) for row in body)
    places = [n for n in range(width) if not all(row[n].strip(" .").isdigit() for row in body)]
    place = named if named is not None and named < width else places[0] if places else 0
    return [row[place] for row in body]


def _tidied(answer: object, asks_for_text: bool) -> list[str]:
    tidy = (_tidy(item, asks_for_text) for item in _items(answer, asks_for_text))
    return [value for value in tidy if value]


def _items(answer: Any, asks_for_text: bool, depth: int = 0) -> Iterator[object]:
    """Yield the items of the list in an answer, however deep it lies."""
    if depth > _DEEPEST:
        return
    if isinstance(answer, str):
        yield from _items_of_text(answer, asks_for_text, depth)
    elif isinstance(answer, list):
        for item in answer:
            if isinstance(item, list) or (isinstance(item, dict) and not _is_item(item)):
                yield from _items(item, asks_for_text, depth + 1)
            else:
                yield item
    elif isinstance(answer, dict):
        yield from _items_of_object(answer, asks_for_text, depth)
    else:
        yield answer


def _items_of_text(text: str, asks_for_text: bool, depth: int) -> Iterator[object]:
    inner = text.strip()
    if inner.startswith(("{", "[")):
        try:
            yield from _items(json.loads(inner), asks_for_text, depth + 1)
            return
        except (ValueError, RecursionError):
            pass
    yield from _from_lines(text, asks_for_text) if depth else [text]


def _is_item(item: dict[str, Any]) -> bool:
    """Tell whether an object in a list is one value with what belongs to it, and no list of its own."""
    return not any(isinstance(value, (list, dict)) for value in item.values())


def _items_of_object(answer: dict[str, Any], asks_for_text: bool, depth: int) -> Iterable[object]:
    for key in _INSIDE:
        value = answer.get(key)
        if isinstance(value, (list, dict)) or (
            isinstance(value, str) and key in ("values", "arguments", "input", "action_input", "answer")
        ):
            found = list(_items(value, asks_for_text, depth + 1))
            if found or key == "values":
                return found
    if any(key in answer for key in ("arguments", "parameters", "properties", "error")) or (
        set(answer) <= _SCHEMA_KEYS and "type" in answer
    ):
        return []
    for value in answer.values():
        if isinstance(value, (list, dict)) and (found := list(_items(value, asks_for_text, depth + 1))):
            return found
    texts = {key: value for key, value in answer.items() if isinstance(value, (str, int, float))}
    if any(key in answer for key in (*_OF_AN_ITEM, *_NAMES)):
        return [answer]
    if all(re.search(r"\d\Z", key) for key in texts) or len(texts) < 2:
        return texts.values()
    longer = sum(len(str(value)) > len(key) for key, value in texts.items())
    return texts.keys() if longer == len(texts) and not asks_for_text else texts.values()


def _tidy(item: object, asks_for_text: bool) -> str:
    """Return one value as plain text on one line; of an object its value, or its name, or its description."""
    if isinstance(item, dict):
        item = _of_object(item, asks_for_text)
    if not isinstance(item, (str, int, float)) or isinstance(item, bool):
        return ""
    value = " ".join(TAKEN_OUT.sub("", str(item)).split())
    value = unquote(_NUMBERING.sub("", value).strip(" ,")).strip(" ,")
    if value[:1] in "*_":
        value = peel(value)
    if value.casefold() in ("values", "value", "..."):
        return ""
    return value if len(value) <= _LONGEST_VALUE and any(c.isalnum() for c in value) else ""


def _of_object(item: dict[str, Any], asks_for_text: bool) -> str:
    texts = {str(key).lower(): value for key, value in item.items() if isinstance(value, str)}
    for key in _OF_AN_ITEM:
        if key in texts:
            return texts[key]
    if not asks_for_text:
        for key in _NAMES:
            if key in texts:
                return texts[key]
        if len(texts) == 1 and len(item) == 1 and not set(texts) & {"description"}:
            key, value = next(iter(item.items()))
            return (
                str(key)
                if len(str(value)) > len(str(key)) and not re.search(r"\d\Z", str(key))
                else str(value)
            )
    return max(texts.values(), key=len, default="")
