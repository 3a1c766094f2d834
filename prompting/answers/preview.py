"""The part of an unfinished answer that can be shown: the prompt, and nothing that is taken away later."""

from __future__ import annotations

import re
from itertools import takewhile

from . import vocabulary as words
from .clean import LABELLED_FORMS, bare_so_far, unwrapped
from .labels import label_of
from .layout import begins_prompt
from .talk import is_leading_talk, may_begin_talk

# A tag, a mark or a label at the end that is not all there yet, and signs that may be its beginning.
_UNFINISHED = re.compile(
    r"""(?x) (?: <[^<>\n]{0,40} | \[/?[A-Z_]{0,12} | ◁[^▷\n]{0,8} | \\(?:b(?:o(?:x(?:e(?:d)?)?)?)?)?\{?
      | [`~]{1,3}[a-z]{0,9} | \s--?[a-z]{0,8} | \s*[(\[（【]\s*(?:[~≈]|word\ |about\ )?\d[^)\]）】\n]{0,18}
        | \s*【[^】\n]{0,20}
      | &\#?\w{0,6} | \[\|\w{0,12}\|?
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
    r"|_{1,2}|&quot;|'{3}|'(?=[\"“])|\\\\\"|[\"“„«»‹「『《【`‘]+|\$\$)"
)
# In characters: fewer may be the beginning of anything; more than any prompt has are not looked through.
_FEWEST, _LONGEST = 12, 8_000
_LONGEST_END = 60
# In characters: a first line as short as these may be a title, a label or the beginning of talk.
_FEWEST_IN_PROSE, _FEWEST_IN_A_LIST = 60, 30
# Talk hardly begins like this.
_BEGINS_PICTURE = re.compile(r"(?:[Aa]n?|[Tt]he|One|Two|Three)\s|\(|\d+\s?[a-z]")
_LIST = re.compile(
    r"\A\W{0,3}(?:[-*•–]|\(?\d{1,2}[.):]|\*\*\(?[a-eA-E][.):]?\*\*[.:]?|\(?[a-eA-E]\))[*_]*\s+(?:\*\*[^*\n]{1,40}\*\*\s*)?(?=\S)"
)
_WRAPPED = re.compile(r"\A(?:\||\$|\\(?!\()|<(?!\w+:)|\[[A-Z_/ ]{3,}\]|#|&\w|['`\"]{2}|‘)")
# Between the idea and what became of it.
_BECOMES = re.compile(r"(?i)[\W_]*(?:after\W{0,4}[:：]|(?:→|➡|➜|⇒|[-=]+>))")
_BRACKETS = {"[": "]", "(": ")", "{": "}", "（": "）", "【": "】"}
_BRACKET = re.compile(r"\A(?P<sign>[\[({（【])")
_LABELLED = re.compile(r"\A\s*(?:[-*•–#>|+]|\d{1,2}[.)]|[*_]*[^\W\d][\w -]{1,30}[*_]*\s?[:：])")
# The beginning of a sentence at the end that may yet turn from the picture to the user, or to a negative.
_TURNING = re.compile(
    r"""(?ix) (?<=[.!?。！"”])\s+ [*_(\[|]* (?: (?P<talk> (?:please\ )?let\ me | (?:please\ )?feel\ free
      | (?:i\ )?hope\ (?:this|that|it|you)
        | would\ you | do\ you | want\ me | shall\ i | should\ i | if\ you | i\ can\ also | i['’]ve
          | i\ have | negative | avoid | exclude | without ) \b .*
      | [*_(\[|]* [a-z'’]{0,9} (?:\ [a-z]{0,3})? ) \Z
    | \s[(\[][^)\]]{0,20}\Z"""
)
_BULLET = re.compile(r"\s*(?:(?:[-*•>]|\d{1,2}[.)])\s+)?")
_CLOSED = {
    "“": "”",
    "„": "“",
    "«": "»",
    "»": "«",
    "‹": "›",
    "「": "」",
    "『": "』",
    "《": "》",
    "【": "】",
    "‘": "’",
}


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
        shown = _inside(whole, idea, form)
    elif (
        len(last) < _FEWEST
        or may_begin_talk(last)
        or is_leading_talk(last)
        or not begins_prompt(text, idea, single)
        or _BECOMES.match(last.strip().removeprefix(idea.strip()))
    ):
        return ""
    else:
        shown = _inside(last, idea, form)
    if single:
        return _settled(shown, idea)
    # A list of one line may be no list.
    return "" if _LIST.match(text) and "\n" not in whole.strip() else shown


def _settled(text: str, idea: str) -> str:
    """Return the beginning of a prompt of one paragraph that nothing behind it can take away."""
    first, newline, rest = text.partition("\n")
    bullet = _LIST.match(first)
    if bullet and not re.search(r"\s\(?2[.)]\s", first):
        # The first of several versions, or the first line of a list: both begin with it.
        first, newline, rest = first[bullet.end() :], "", ""
    few = _FEWEST if _BEGINS_PICTURE.match(first) else _FEWEST_IN_PROSE
    if first.count(",") >= 2 or words.is_unspaced(first[:1]):
        few = min(few, _FEWEST_IN_A_LIST)
    if (
        idea.lower().startswith(first.lower())
        or len(first) < few
        or (_WRAPPED.match(first) and not idea.startswith(first[:1]))
    ):
        return ""
    if (opened := _BRACKET.match(first)) and not idea.startswith(opened["sign"]):
        closing = first.find(_BRACKETS[opened["sign"]])
        if closing < 0 or not first[closing + 1 :].strip(" .!"):
            return ""
    if not newline:
        return _TURNING.sub("", first)
    lines = rest.splitlines()
    blank = next((place for place, line in enumerate(lines) if not line.strip()), len(lines))
    kept = lines[:blank]
    while kept and _LABELLED.match(kept[-1]):
        kept.pop()
    behind = "\n".join(lines[blank:]).strip("\n")
    blocks = re.split(r"\n[ \t]*\n", behind)[:-1] if len(kept) == blank else []
    more = takewhile(lambda block: len(block) >= _FEWEST_IN_PROSE and not _LABELLED.match(block), blocks)
    return "\n\n".join(["\n".join([first, *kept]), *more])


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
