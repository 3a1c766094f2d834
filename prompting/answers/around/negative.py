"""The negative prompt of an answer: where it stands on the prompt's own line, and as a list on one line."""

from __future__ import annotations

import re

from ..envelope import peel
from ..talk import is_remark

# A line that is drawn across, as Markdown has it.
RULE = re.compile(r"\s*(?:-{3,}|={3,}|\*{3,}|_{3,})\s*\Z")
_INLINE_NEGATIVE = re.compile(
    r"""(?ix) (?:(?<=[.!?。,;])\s+ | \s*\|\s* | \s+(?=[*\[(]) ) [*_\[(]*
      (?P<label>negative(?:[ _]?prompts?)?|avoid|负面提示词?|反向提示词?) [*_]* \s*[:：]\s*[*_]*\s*
    (?P<rest>[^\n]+?) [\])]? (?=\n|\Z)"""
)
_NO = re.compile(r"\s+--no\s+(?P<rest>[^\n]+?)(?=\s+--\w|\s*\Z)")
_NOTHING = re.compile(
    r"""(?ix) \A [\s*(\[.–-]* (?: (?:none|n/?a|nothing|empty|no\s+negatives?|not\s+(?:needed|required
      |applicable|used|supported|necessary)|keine\w*|kein|aucune?|ningun\w+|nessun\w+|nenhum\w*|нет|не\s+требуется|brak)\b
      [^,]* | 无 | 無 | なし | 없음 )? [\s*)\].–-]* \Z"""
)


def without_negative(prompt: str, idea: str) -> tuple[str, str]:
    """Return a prompt without the negative within it, and that one; what `idea` has as well stays."""
    negative = ""
    found = _INLINE_NEGATIVE.search(prompt)
    if found and found["label"].lower().split()[0].rstrip("s") not in idea.lower():
        prompt, negative = prompt[: found.start()] + prompt[found.end() :], found["rest"]
    if "--" not in idea and (no := _NO.search(prompt)):
        prompt, negative = prompt[: no.start()] + prompt[no.end() :], negative or no["rest"]
    return prompt, negative


def tidy_negative(text: str) -> str:
    """Return a negative on one line, "" where it says that there is none."""
    text = re.split(r"\n\s*\n", text.strip())[0] if text.strip() else ""
    lines = [re.sub(r"\A\s*(?:[-*•]|\d{1,2}[.)])\s+", "", line).strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not RULE.match(line) and not re.match(r"[`~]{3}", line)]
    while len(lines) > 1 and is_remark(lines[-1]):
        lines.pop()
    listed = len(lines) > 1 and not any("," in line for line in lines)
    negative = peel((", " if listed else " ").join(lines)).rstrip(".")
    return "" if _NOTHING.match(negative) else negative
