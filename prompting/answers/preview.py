"""The part of an unfinished answer that can be shown: the prompt, and nothing that is taken away later."""

from __future__ import annotations

import re

from .clean import LABELLED_FORMS, bare_so_far, unwrapped
from .labels import label_of
from .layout import begins_prompt
from .talk import is_leading_talk, may_begin_talk

# A tag, a mark or a label at the end that is not all there yet, and signs that may be its beginning.
_UNFINISHED = re.compile(
    r"""(?x) (?: <[^<>\n]{0,40} | \[/?[A-Z_]{0,12} | ◁[^▷\n]{0,8} | \\(?:b(?:o(?:x(?:e(?:d)?)?)?)?)?\{?
      | [`~]{1,3}[a-z]{0,9} | \s--?[a-z]{0,8} | \s*[(\[（【]\s*(?:[~≈]|word\ |about\ )?\d[^)\]）】\n]{0,18}
        | \s*【[^】\n]{0,20}
      | [\s|*_(\[]+ (?:N|Ne|(?i:neg\w*(?:[ _]p\w*)?)) [*_]* [:：]? \s* | \s*[*_"”』」»`]{1,3} | \s+\|+
        )\Z"""
)
_PROMPT_IN_JSON = re.compile(
    r'(?is)"[^"]*(?<!negative_)(?:prompt|text|answer|output)\\?"\s*:\s*\\?"((?:[^"\\]|\\[^"])*)'
)
_JSON_BEGINS = re.compile(r"""\s*(?:<\w+>\s*)?(?:`{3}\w*\s*)?"?[{\[]\s*(?:\\?["'{\[]|\Z)""")
_ONLY_OPENED = re.compile(r"\s*(?:[`~]{3,}\w*|</?[\w:-]+>|-{3,}|={3,})\s*\Z")
_OPENED = re.compile(
    r"<(?P<tag>[a-zA-Z][\w-]{0,20})(?:\s[^<>]*)?>|\\(?:boxed|text)(?P<brace>\{)|(?P<mark>\*{1,3}"
    r"|_{1,2}|[\"“„«»‹「『《【`]+|\$\$)"
)
# In characters: fewer may be the beginning of anything; more than any prompt has are not looked through.
_FEWEST, _LONGEST = 12, 8_000
_LONGEST_END = 60
_BULLET = re.compile(r"\s*(?:(?:[-*•>]|\d{1,2}[.)])\s+)?")
_CLOSED = {"“": "”", "„": "“", "«": "»", "»": "«", "‹": "›", "「": "」", "『": "』", "《": "》", "【": "】"}


def preview(text: str, form: str, idea: str = "") -> str:
    """Return what may be shown of an answer so far, "" while it may all be talk, thinking or wrapper.

    A line behind the first of the prompt is shown when it is complete: it may be a remark on it.
    """
    if len(text) > _LONGEST:
        return text
    text = bare_so_far(text)
    text = text[:-_LONGEST_END] + _UNFINISHED.sub("", text[-_LONGEST_END:])
    if form != "json" and _JSON_BEGINS.match(text):
        found = _PROMPT_IN_JSON.search(text)
        return found[1].replace("\\n", "\n") if found else ""
    single = form not in LABELLED_FORMS
    whole, _, last = text.rpartition("\n")
    said = "\n".join(line for line in whole.splitlines() if not _ONLY_OPENED.match(line))
    if begins_prompt(said, idea, single):
        return _inside(whole, idea, form)
    if (
        len(last) < _FEWEST
        or may_begin_talk(last)
        or is_leading_talk(last)
        or not begins_prompt(text, idea, single)
    ):
        return ""
    return _inside(last, idea, form)


def _inside(text: str, idea: str, form: str) -> str:
    """Return the prompt in `text`, whose wrappers may not have ended yet."""
    closing = _closing_of(text)
    prompt = unwrapped(text + closing, idea, form)[0] if closing else ""
    return prompt if prompt and not prompt.endswith(closing[-1]) else unwrapped(text, idea, form)[0]


def _closing_of(text: str) -> str:
    """Return the ends of all that is opened before the first word, behind a label or a bullet."""
    label = label_of(text) if "\n" not in text.strip() else None
    place = text.rfind(label.rest) if label is not None and label.rest else _after_bullet(text)
    closings = list[str]()
    while opened := _OPENED.match(text, place):
        if tag := opened["tag"]:
            closings.append(f"</{tag}>")
        else:
            mark = opened["mark"] or "}"
            closings.append("".join(_CLOSED.get(sign, sign) for sign in reversed(mark)))
        place = opened.end()
    return "".join(reversed(closings)) if place < len(text) else ""


def _after_bullet(text: str) -> int:
    bullet = _BULLET.match(text)
    return bullet.end() if bullet else 0
