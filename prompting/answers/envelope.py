"""Wrappers around a prompt: an envelope of tags, code fences, JSON, quotes, markup."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

_NAMES = (
    r"(?:(?:enhanced|improved|final|positive|image|refined|rewritten|optimi[sz]ed|revised|output|new"
    r"|video)[_ -]?)?prompt"
    r"|answer|response|output|result|final(?:_answer)?|solution|enhanced|rewritten|positive|output_text"
)
_NEGATIVE_NAMES = r"negative(?:[_ -]?prompt)?"
_ENVELOPE = re.compile(rf"(?is)[<\[]({_NAMES})(?:\s[^<>\[\]\n]*)?[>\]]\s*(?P<inside>.*?)\s*[<\[]/\1[>\]]")
_OPENED = re.compile(rf"(?is)\A[^\n]{{0,200}}?\s*[<]({_NAMES})>\s*(?P<inside>\S.*)\Z")
_NEGATIVE = re.compile(rf"(?is)[<\[]({_NEGATIVE_NAMES})[>\]]\s*(?P<inside>.*?)\s*(?:[<\[]/\1[>\]]|\Z)")
_CLOSING = re.compile(rf"(?i)\s*</(?:{_NAMES}|{_NEGATIVE_NAMES}|text)>\s*\Z")
_HTML = (
    r"p|b|i|u|em|strong|div|span|html|body|section|article|blockquote|center|pre|code|h[1-6]|text|br|mark"
    r"|small"
)
_HTML_WHOLE = re.compile(rf"(?is)\A\s*<(?:{_HTML})(?:\s[^<>]*)?>.*</(?:{_HTML})>\s*\Z")
_HTML_TAG = re.compile(rf"(?i)</?(?:{_HTML})(?:\s[^<>]*)?/?>")
_TOOL_TAG = re.compile(r"(?i)</?tool_calls?>|\[/?TOOL_CALLS?\]")
_FENCE = re.compile(
    r"(?m)^[ \t>]*(?P<mark>`{3,}"
    r"|~{3,})[ \t]*(?:(?P<language>[\w+-]*)[ \t]*\n)?(?P<inside>.*?)(?:\n?[ \t>]*(?P=mark)|\Z)",
    re.S,
)
_MARKED = re.compile(
    r"(?is)\A\s*\[\s*(?:begin|start|final|response|answer|output|prompt)\b[^\[\]\n]{0,30}\]\s*"
    r"(?P<inside>\S.*?)\s*\[/?\s*end\b[^\[\]\n]{0,30}\]\s*\Z"
)
_BOXED = re.compile(r"(?s)\A(?:[^\n]{0,80}\n+|[^\n:]{0,60}:)?\s*\$*\s*\\boxed\{(?P<inside>.*)\}\s*\$*\s*\Z")
_LATEX_TEXT = re.compile(r"(?s)\A\$*\s*\\(?:text(?:bf|it|rm)?|mathrm|mbox)\{(.*)\}\s*\$*\Z")
_CDATA = re.compile(r"(?s)\A<!\[CDATA\[(?P<inside>.*?)\]\]>\Z")
# Arguments of a tool call in tags, as Qwen, GLM and Anthropic's models write them.
_PARAMETER = re.compile(
    r"(?is)<parameter(?:=|\s+name=[\"'])(?P<name>[\w-]+)[\"']?\s*>\s*(?P<value>.*?)\s*</parameter>"
    r"|<arg_key>\s*(?P<key>[\w-]+)\s*</arg_key>\s*<arg_value>\s*(?P<said>.*?)\s*</arg_value>"
)
_RULED = re.compile(r"(?s)\A\s*(-{3,}|={3,}|\*{3,}|_{3,})[ \t]*\n(?P<inside>.*?)(?:\n[ \t]*\1)?\s*\Z")
_QUOTES = (
    ('"""', '"""'), ("'''", "'''"), ('\\"', '\\"'), ('"', '"'), ("“", "”"), ("“", '"'), ("„", "“"),
    ("„", "”"),
    ("'", "'"),
    ("‘", "’"),("«", "»"), ("»", "«"), ("‹", "›"), ("「", "」"), ("『", "』"), ("《", "》"),
    ("【", "】"), ("``", "''"),
    ("`", "`"), ("<<", ">>"),
)  # fmt: skip
_BRACKETS = (("{{", "}}"), ("[[", "]]"), ("((", "))"), ("[", "]"), ("{", "}"), ("(", ")"), ("（", "）"))
_EMPHASIS = ("***", "**", "__", "*", "_")
_FEWEST_WORDS = 5
_SYMBOL = re.compile(r"\A(?:(?:[-=]>|[→➡➔►▶✨⭐🎨📝📸🖼🔹🔸✅👉💡🌟✏•▪◆●■➤‣]\ufe0f?)\s*)+(?=\S)")
_ITEM = re.compile(r"\A\s*(?:[-*•–+]|\(?\d{1,2}[.)]|[a-zA-Z]\)|[①-⑩])\s+(?=\S)")
_PROMPT_KEYS = re.compile(
    rf"(?i)\A(?:{_NAMES}|positive|text|description|caption|content|(?:scene|image)[_ ]description"
    rf"|prompt[_ ]?text|提示词|プロンプト"
    r"|프롬프트|промпт)\Z"
)
_INNER_KEYS = (
    "messages",
    "variations",
    "message",
    "choices",
    "arguments",
    "parameters",
    "input",
    "action_input",
    "properties",
    "prompts",
    "data",
    "function",
    "output",
    "result",
)
_NEGATIVE_KEYS = re.compile(
    r"(?i)\A(?:(?:negative|neg)(?:[_ -]?(?:prompts?|text|tags))?|avoid|exclude"
    r"|负面提示词?|反向提示词?|ネガティブプロンプト)\Z"
)
_LIKE_JSON = re.compile(r"""[\[\s]*\{\s*["']?[\w ]+["']?\s*:\s*["'\[{]""")
_KEYED = re.compile(r"""\A\s*["'](?:\w+)["']\s*:\s*["'\[{]""")


def envelope_of(text: str) -> tuple[str, str] | None:
    """Return (prompt, negative) of an answer whose prompt stands between tags, None for any other."""
    if ("</parameter>" in text or "</arg_value>" in text) and (
        arguments := {
            found["name"] or found["key"]: found["value"] or found["said"] or ""
            for found in _PARAMETER.finditer(text)
            if _is_outside_lettering(text, found.start())
        }
    ):
        return prompt_in_json(arguments)
    found = next((m for m in _ENVELOPE.finditer(text) if _is_outside_lettering(text, m.start())), None)
    negative = _NEGATIVE.search(text)
    if negative and not _is_outside_lettering(text, negative.start()):
        negative = None
    without = _NEGATIVE.sub("", text) if negative else ""
    inside = found["inside"] if found else ""
    if found is None and (opened := _OPENED.match(without or text)) and opened.start(1) < 3:
        inside = opened["inside"]
    if found is None and not inside:
        return (without.strip(), negative["inside"]) if negative and without.strip() else None
    return inside, negative["inside"] if negative else ""


def _is_outside_lettering(text: str, place: int) -> bool:
    """Tell whether a tag at `place` begins a line: within one it may be something to be drawn."""
    before = text[:place].rstrip(" \t")
    return before[-1:] in ("", "\n", ">", ":", "]", ".")


def fenced(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (line before it, language, contents) of each code fence."""
    for fence in _FENCE.finditer(text):
        before = text[: fence.start()].rstrip().rpartition("\n")[2]
        yield before, (fence["language"] or "").lower(), fence["inside"].strip()


def behind_fences(text: str) -> str:
    ends = [fence.end() for fence in _FENCE.finditer(text)]
    return text[ends[-1] :] if ends else ""


def peel(text: str, idea: str = "") -> str:
    """Return `text` without what is wrapped around the whole of it, layer by layer.

    What the user's own idea begins with is no wrapper.
    """
    while True:
        peeled = _peel_once(text.strip(), idea.strip())
        if peeled == text or not any(c.isalnum() for c in peeled):
            return text.strip()
        text = peeled


def _peel_once(text: str, idea: str) -> str:
    if text.startswith(("&quot;", "&lt;", "&ldquo;")):
        text = html.unescape(text)
    if _HTML_WHOLE.match(text):
        return re.sub(r"[ \t]{2,}", " ", _HTML_TAG.sub(" ", text)).strip()
    text = re.sub(r"(?:\s*\\n)+\Z", "", _CLOSING.sub("", text))
    text = re.sub(r"(?i)\s*<br\s*/?>\s*\Z", "", text)
    if marked := _MARKED.match(text):
        return marked["inside"]
    if boxed := _BOXED.match(text):
        inside = boxed["inside"]
        latex = _LATEX_TEXT.match(inside)
        return latex.group(1) if latex else inside
    if latex := _LATEX_TEXT.match(text):
        return latex.group(1)
    if cdata := _CDATA.match(text):
        return cdata["inside"]
    if ruled := _RULED.match(text):
        return ruled["inside"]
    lines = text.splitlines()
    quoted = all(line.lstrip().startswith(">") for line in lines if line.strip())
    if lines and quoted and not idea.startswith(">"):
        text = "\n".join(line.lstrip().removeprefix(">").strip() for line in lines).strip()
    if not idea.startswith(text[:1] or "\0") and (symbol := _SYMBOL.match(text)):
        text = re.sub(r"\s*[✨⭐🎨🌟★☆]\ufe0f?\s*\Z", "", text[symbol.end() :])
    if len(lines) == 1 and (item := _ITEM.match(text)) and not idea.startswith(item.group().strip()):
        # A second number on the line makes the first one part of the prompt.
        text = text if re.search(r"\s\(?2[.)]\s", text) else text[item.end() :]
    if len(lines) == 1 and re.match(r"#{1,6}\s+\S.*[.。!]\Z", text) and not idea.startswith("#"):
        text = text.lstrip("#").strip()
    return unquote(_without_brackets(_without_emphasis(text), idea))


def _without_emphasis(text: str) -> str:
    for mark in _EMPHASIS:
        inside = text[len(mark) : -len(mark)]
        whole = len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark)
        if whole and mark not in inside and not inside.startswith((" ", mark[0])):
            return inside
    return text


def _without_brackets(text: str, idea: str) -> str:
    for opening, closing in _BRACKETS:
        inside = text[len(opening) : -len(closing)]
        whole = (
            text.startswith(opening)
            and text.endswith(closing)
            and opening not in inside
            and closing not in inside
        )
        prose = len(inside.split()) > _FEWEST_WORDS and inside.rstrip().endswith((".", "。", "!"))
        if whole and prose and not idea.startswith(opening):
            return inside
    return text


def unquote(text: str) -> str:
    """Return `text` without the quotes around the whole of it, or a stray one at one end."""
    bare = text.removesuffix(".") if text.endswith(tuple(f"{closing}." for _, closing in _QUOTES)) else text
    for opening, closing in _QUOTES:
        if not (bare.startswith(opening) and bare.endswith(closing)):
            continue
        if len(bare) <= len(opening) + len(closing):
            continue
        inside = bare[len(opening) : -len(closing)]
        # Quotes at both ends may belong to two different pieces of lettering.
        if opening not in inside and closing not in inside:
            return inside.strip()
        # A prompt with lettering of its own in it, in the same quotes.
        is_own = opening == closing == '"' and inside.count('"') % 2 == 0
        if is_own and re.search(r'\w "[^"]+"\W', inside):
            return inside.strip()
    for mark in ('"', "“", "”"):
        if text.count(mark) == 1 and not any(other in text for other in '"“”„' if other != mark):
            if text.startswith(mark) and len(text.split()) > _FEWEST_WORDS:
                return text[1:].strip()
            if text.endswith(mark) and text[-2:-1] in ".!。":
                return text[:-1].strip()
    return text


def json_in(text: str) -> Any:
    """Return what the JSON in `text` says, None without any: whole, fenced, as a string, amid talk."""
    text = _TOOL_TAG.sub("", text).strip()
    for _, language, inside in fenced(text):
        if language in ("json", "", "json5") and inside.startswith(("{", "[")):
            text = inside
            break
    if _KEYED.match(text):
        text = "{" + text.rstrip(",") + "}"
    if not text.startswith(("{", "[", '"')):
        start = re.search(r"""(?:\A|[:\n])\s*([{\[]\s*["'{\[])""", text)
        if start is None:
            return None
        text = text[start.start(1) :]
    end = max(text.rfind("}"), text.rfind("]"))
    for candidate in (text, text[: end + 1]):
        try:
            said = json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, str):
            return json_in(said) if said.strip().startswith(("{", "[")) else None
        return said
    # Brackets alone are emphasis: JSON has quotes or keys behind them.
    return _mended(text) if _LIKE_JSON.match(text) else None


def _mended(text: str) -> Any:
    try:
        from json_repair import loads
    except ImportError:
        return None
    try:
        return loads(text) or None
    except (ValueError, RecursionError):
        return None


def prompt_in_json(said: Any, depth: int = 0) -> tuple[str, str] | None:
    """Return (prompt, negative) from an answer's JSON, None where no value is known to be the prompt."""
    if depth > 4:
        return None
    if isinstance(said, str):
        inner = json_in(said) if said.lstrip().startswith(("{", "[")) else None
        return prompt_in_json(inner, depth + 1) if inner is not None else (said, "")
    if isinstance(said, list):
        return prompt_in_json(said[0], depth + 1) if said else None
    if not isinstance(said, dict):
        return None
    negative = next((_joined(value) for key, value in said.items() if _NEGATIVE_KEYS.match(key)), "")
    keys = [
        key
        for key in said
        if _PROMPT_KEYS.match(str(key)) or ("prompt" in str(key).lower() and isinstance(said[key], str))
    ]
    keys = [key for key in keys if not _NEGATIVE_KEYS.match(str(key)) and "negative" not in str(key).lower()]
    keys.sort(key=lambda key: "prompt" not in key.lower())
    for key in [*keys, *(key for key in _INNER_KEYS if key in said and key not in keys)]:
        found = prompt_in_json(said[key], depth + 1) if isinstance(said[key], (str, list, dict)) else None
        if found and found[0].strip() and not (key in ("function",) and isinstance(said[key], str)):
            return found[0], found[1] or negative
    if "error" in said and isinstance(said["error"], str):
        return said["error"], ""
    return None


def _joined(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
