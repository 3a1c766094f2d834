"""Removal of everything that models say around an answer."""

from __future__ import annotations

import re

from ...llm_backends.errors import EmptyAnswer, Refused
from .refusal import is_refusal

__all__ = ["clean", "is_refusal", "one_paragraph", "split_negative", "unquote"]

_THINKING = re.compile(r"<(think|thinking|thought|reasoning)>.*?(?:</\1>|\Z)", re.I | re.S)
_FENCE = re.compile(r"```(?:[\w-]*[ \t]*\n)?(.*?)(?:```|\Z)", re.S)

_POLITE = r"""(?:
    sure(?:\ thing)?|certainly|of\ course|okay|ok|absolutely|great|got\ it|gerne|natürlich|klar|bien\ sûr
  | certo|claro|¡claro|por\ supuesto|конечно|好的|当然
)"""
_HERE = r"""(?:
    here(?:\s+is|\s+are|['’]s)|below\s+(?:is|are)|voici|hier\s+(?:ist|sind)|aquí\s+(?:está|tienes|tiene)
  | aqui\s+está|ecco|вот|以下は|以下が|以下是|这是|こちら[がは]
)"""
_NOUN = r"(?:prompts?|versions?|versión|descriptions?|промпт\w*|提示词|プロンプト|프롬프트)"
_KIND = r"""(?:(?:the|your|final|enhanced|improved|revised|rewritten|refined|detailed|new|optimi[sz]ed|image
  | video|positive)\s+)"""
_LEAD_IN = re.compile(
    rf"""(?ix) \A \s* (?:
        (?: {_POLITE} [^\w\n] [^\n:：]{{0,60}}? )?
        (?: (?:{_HERE}|this\s+is) [^\n:：]{{0,120}} {_NOUN} [^\n:：]{{0,60}} [:：]
          | {_HERE} [^\n:：]{{0,120}} [:：]\s*\n )
      | {_POLITE} \s* [,.!，。！] (?: [^\n:：]{{0,80}} [.!:。！：] )? \s* \n
    )? \s* (?:
        \#{{1,6}} [\s*_]* {_KIND}* {_NOUN} [ \t*_]* \n
      | [\#*_\s]* {_KIND}* {_NOUN} (?:\s*\#?\d+)? [\s*_]* [:：] [\s*_]*
    )?"""
)
_NEGATIVE_LABEL = (
    r"[ \t]*[*_#]*[ \t]*[*_]*(?:negative(?:[ _]prompt)?|负面提示词|反向提示词|ネガティブプロンプト)"
    r"[*_]*\s*[:：]"
)
_CLOSING_NOTE = re.compile(
    r"\n\s*\n[\s*_(-]*(?:let me know|feel free|i hope|would you like|note\b[*_]*:|this prompt |explanation\b"
    rf"|hope this)[^\0]*?(?=\n{_NEGATIVE_LABEL}|\Z)",
    re.I,
)
_NEGATIVE = re.compile(rf"(?:\A|\n){_NEGATIVE_LABEL}\s*[*_]*[ \t]*(.*)\Z", re.I | re.S)
_QUOTES = (('"', '"'), ("“", "”"), ("'", "'"), ("‘", "’"), ("«", "»"), ("「", "」"), ("`", "`"))


def clean(text: str, *, who: str = "The model") -> str:
    """Return the answer alone: no thinking, no fences, no "Here is your prompt:", no quotes around it all.

    Raises `Refused` for a refusal and `EmptyAnswer` where nothing is left; `who` names the model there.
    """
    text = _unfenced(_THINKING.sub("", text).strip())
    if is_refusal(text):
        raise Refused(f"{who} declined: “{_short(text)}”")
    text = _LEAD_IN.sub("", text, count=1)
    text = _CLOSING_NOTE.sub("", text)
    text = unquote(text.strip()).strip()
    if not any(character.isalnum() for character in text):
        raise EmptyAnswer(f"{who} answered with nothing that could be a prompt.")
    return text


def _unfenced(text: str) -> str:
    """Return the contents of the longest code fence, and the negative prompt that may follow it."""
    fences = list(_FENCE.finditer(text))
    if not fences:
        return text
    longest = max(fences, key=lambda fence: len(fence.group(1)))
    negative = _NEGATIVE.search(text, longest.end())
    return longest.group(1).strip() + (negative.group() if negative else "")


def split_negative(text: str) -> tuple[str, str]:
    """Return (prompt, negative) of an answer whose last line may be ``Negative: …``."""
    match = _NEGATIVE.search(text)
    if match is None:
        return text.strip(), ""
    negative = " ".join(match.group(1).split()).strip().rstrip(".")
    nothing = negative.lower().strip("*()[]") in ("none", "n/a", "na", "-", "nothing", "empty", "")
    return text[: match.start()].strip(), "" if nothing else negative


def one_paragraph(text: str) -> str:
    """Join the lines with spaces and drop bullets and bold marks, as a prose or tag prompt needs it."""
    lines = [re.sub(r"^\s*(?:[-*•]\s+|\d+[.)]\s+)", "", line).strip() for line in text.splitlines()]
    joined = " ".join(line for line in lines if line)
    return re.sub(r"\*\*(.+?)\*\*", r"\1", joined)


def unquote(text: str) -> str:
    """Return `text` without the quotes around the whole of it."""
    bare = text.removesuffix(".") if text.endswith(tuple(f"{closing}." for _, closing in _QUOTES)) else text
    for opening, closing in _QUOTES:
        inside = bare[len(opening) : -len(closing)]
        whole = len(bare) > 2 and bare.startswith(opening) and bare.endswith(closing)
        # Quotes at both ends may belong to two different pieces of lettering.
        if whole and opening not in inside and closing not in inside:
            return inside
    return text


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else line[:160] + " …"
