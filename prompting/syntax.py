r"""The syntax of prompts, in the dialects of all hosts at once: what of a prompt is words, and what is not.

=============  ======================================================================================
``emphasis``   ``(x:1.2)``, ``((x))``, ``[x]``, ``{{x}}``, ``1.3::x::``, ``x++``, ``(x)--``, ``(x)1.2``
``schedule``   ``[a:b:0.5]``, ``[a::0.5]``, ``[x:0.3]``, ``[a|b]``, ``[SEQ:a:b:0.5]``
``choice``     ``{a|b}`` (over several lines, too), ``{2$$a|b}``, ``{0.5::a|b}``, ``3#{a|b}``
``variable``   ``__name__``, ``__two words__``, ``__name(age=8)__``, ``3#__name__``
``command``    ``${x}``, ``${x=a}``, ``%{... $$ x}``, ``%date%``, Jinja, ``<random:a,b>``, ``cat.swap(dog)``
``escape``     ``\(fate\)``
``tag``        ``<lora:a:1>``, ``embedding:a``, any other ``<word:...>``, ``MASK(0 1)``, ``--ar 3:2``
``comment``    ``// x``, ``/* x */``, ``{# x #}``, ``# x``
``separator``  ``BREAK``, ``AND``, ``ADDCOL``, ``[SEP]``, ``COUPLE(0 0.5)``, ``<segment:face>``, ``::2``
=============  ======================================================================================

Everything else is words. A JSON object is words but for its variables, choices, commands and tags, and so
is what stands in double quotes, the lettering of a picture.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal[
    "emphasis", "schedule", "choice", "variable", "command", "escape", "tag", "comment", "separator"
]

# SwarmUI's tags that begin a prompt of their own, and those that stand for words.
_REGION_TAGS = frozenset(
    ("segment", "region", "object", "break", "base", "refiner", "video", "videoswap", "extend", "edit")
)
_BARE_TAGS = frozenset(("break", "base", "refiner", "video", "videoswap"))
_WORD_TAGS = frozenset(
    ("random", "alternate", "alt", "fromto", "wildcard", "wc", "var", "macro", "repeat", "rand")
)
# Functions of ComfyUI prompt-control; the first two divide a prompt.
_DIVIDING = "COUPLE|AVG"
_FUNCTIONS = (
    "MASK|IMASK|AREA|FILL|FEATHER|STYLE|SDXL|NOISE|TE_WEIGHT|TE|MASK_SIZE|MASKW|SHIFT|CUT|ATTN|DEF|LBW|HOOK"
)
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)"

_TAG = re.compile(r"<([A-Za-z][\w-]*)(?:\[[^\[\]\n]*\])?(?::(?!//)|(?=>))")
_EMBEDDING = re.compile(r"embedding:[^\s,()<>\[\]{}|]*[^\s,()<>\[\]{}|;.:]", re.I)
_WEIGHTED = re.compile(rf"(.*\S)\s*:\s*{_NUMBER}\s*", re.S)
_AFTER_BRACKET = re.compile(rf"(?:\++|-+|{_NUMBER})(?![\w.]|:)")
_METHOD = re.compile(r"\.(?:blend|and|swap)\(")
_VARIABLE = re.compile(
    r"__[^\s_,;()](?:(?:(?!__)[^\n,;()]){0,100}?[^\s_])??(?:\([^()\n]*\))?__"
    r"|(?<!\w)__(?=[^\W_]|[*@~!])(?:(?!__)[^\n]){1,100}(?<!\s)__(?!\w)"
)
_TEMPLATE_COUNT = re.compile(r"\d+(?:-\d+)?#(?=__|\{)")
_ASSIGNMENT = re.compile(r"\$\{\s*[\w-]+\s*\??=")
_DATE = re.compile(r"%[A-Za-z_]\w*(?:[.:][^%\n,]{1,40})?%(?!\w)")
_JSON = re.compile(r'[{\[]\s*"(?:[^"\\\n]|\\.)*"\s*[:,\]]')
_JINJA = re.compile(r"\{\{\s.*\s\}\}|\{\{[^{}]*[('\"\[][^{}]*\}\}|\{%.*%\}", re.S)
_NUMERIC = re.compile(rf"{_NUMBER}::(?!\d)")
_MIDJOURNEY = re.compile(rf"::{_NUMBER}(?![\w:])")
_RAISED = re.compile(r"[^\W_][\w'’-]{0,60}?(?:\+{2,}|-{2,})(?![\w+-])")
_SWAP = re.compile(r"[^\W_][\w'’-]{0,60}\.swap\([^()\n]*\)")
_CAPITALS = re.compile(
    rf"BREAK\b|AND(?:_[A-Z0-9_]+)?\b|ADD(?:COL|ROW|COMM|BASE)\b|(?:{_DIVIDING}|{_FUNCTIONS})\b|[A-Z][A-Z_0-9]+(?=\()"
)
_PLAIN_ARGUMENTS = re.compile(r"\([\d\s.,%:;=/+-]*\)")
_OPTION = re.compile(
    r"--(?:no|n|negative)[ =][^\n]*?(?=\s--|$)|--[a-z][a-z-]*(?:[ =](?!-)[^\s,]*\d[^\s,]*)?", re.M
)
_COLOUR = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})\b", re.I)
_QUOTED = re.compile(r'(?<![\w"])"[^"\n]*"(?!\w)|“[^”\n]*”')
_SIDE_WEIGHT = re.compile(rf"\s*:\s*{_NUMBER}\s*\Z")
_LONE_WEIGHT = re.compile(rf"\s+:\s*{_NUMBER}\s*\Z")

_BRACKETS = re.compile(r"\\.|(?<![^\s,])[:;][()](?![^\s,])|<(?=[A-Za-z])|[>()\[\]{}]", re.S)
# Brackets nested deeper than this are words.
_DEEPEST = 12
# Round brackets with more than so many words and no weight are what they are in any other text.
_ASIDE = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of syntax with its place in the text; `words` are those inside an emphasis, marks removed."""

    kind: Kind
    start: int
    end: int
    source: str
    words: str = ""

    @property
    def is_line(self) -> bool:
        """Tell whether the piece ends where its line ends: text behind it would become part of it."""
        return self.kind == "comment" and self.source.startswith(("#", "//"))

    @property
    def is_assignment(self) -> bool:
        return _ASSIGNMENT.match(self.source) is not None


@lru_cache(maxsize=512)
def read(text: str) -> tuple[Piece, ...]:
    """Return the outermost pieces of `text` in their order. Never fails: the rest is words."""
    return tuple(_Reader(text).pieces())


def close_gaps(text: str) -> str:
    """Return `text` without the NULs that mark where pieces were, and the blanks and commas left there."""
    if "\0" not in text:
        return text
    text = re.sub(r"\s*,?\s*\0(?:\s*,?\s*\0)*\s*(,?)\s*", lambda gap: ", " if gap[1] else " ", text)
    return re.sub(r"\s+([,.;])", r"\1", text).strip().strip(",").strip()


def side_weight(text: str, *, beside_and: bool) -> str:
    """Return the weight that ends a side of an ``AND``, such as `` :0.5``; "" where there is none.

    Without an ``AND`` there must be a blank before it: a time of day may end a prompt, too.
    """
    found = (_SIDE_WEIGHT if beside_and else _LONE_WEIGHT).search(text)
    return found[0] if found else ""


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self._ends = _bracket_ends(text)
        self._literal = [found.span() for found in _QUOTED.finditer(text)]
        self._literal += [
            (start, end)
            for start, end in self._ends.items()
            if text[start] in "{[" and _JSON.match(text, start, end)
        ]
        self._literal = _outermost(self._literal)
        self._starts = [start for start, _ in self._literal]
        letters = [character for character in text if character.isalpha()]
        self._is_shouted = not any(character.islower() for character in letters)

    def pieces(self) -> Iterator[Piece]:
        place = 0
        while place < len(self.text):
            piece = self._at(place)
            if piece is not None:
                yield piece
                place = piece.end
            elif self.text[place] == "\\":
                place += 2
            else:
                place += 1

    def _at(self, place: int) -> Piece | None:
        text, character = self.text, self.text[place]
        if piece := self._template(place, character):
            return piece
        starts_word = (character.isalnum() or character in "-+.") and not (
            place and (text[place - 1].isalnum() or text[place - 1] in "_.")
        )
        if starts_word and (count := _TEMPLATE_COUNT.match(text, place)):
            behind = self._at(count.end())
            if behind is not None:
                return self._piece(behind.kind, place, behind.end)
        if starts_word and character in "eE" and (found := _EMBEDDING.match(text, place)):
            return self._piece("tag", place, found.end())
        if self._is_literal(place):
            return None
        if character in "/#":
            return self._comment(place)
        if character == "\\":
            return self._escape(place)
        if character in "([{" and place in self._ends:
            return {"(": self._round, "[": self._square, "{": self._curly}[character](place)
        if character == ":" and (found := _MIDJOURNEY.match(text, place)):
            return self._piece("separator", place, found.end())
        return self._word(place) if starts_word else None

    def _piece(self, kind: Kind, start: int, end: int, words: str = "") -> Piece:
        return Piece(kind, start, end, self.text[start:end], words)

    def _holding(self, kind: Kind, start: int, end: int, inside: str) -> Piece | None:
        """Return the piece of `kind` around `inside`; a tag where it holds tags alone, None without words."""
        parts, last, has_words = [], 0, False
        for piece in read(inside):
            is_silent = piece.kind in ("tag", "comment", "separator")
            has_words |= not is_silent
            parts += [inside[last : piece.start], "\0" if is_silent else piece.words or piece.source]
            last = piece.end
        words = close_gaps("".join([*parts, inside[last:]]))
        has_words |= any(map(str.isalnum if kind == "emphasis" else str.isalpha, words))
        if not has_words:
            return self._piece("tag", start, end) if parts else None
        return self._piece(kind, start, end, " ".join(words.split()) if kind == "emphasis" else "")

    def _emphasis(self, start: int, end: int, inside: str) -> Piece | None:
        return self._holding("emphasis", start, end, inside)

    def _is_literal(self, place: int) -> bool:
        index = bisect_right(self._starts, place) - 1
        return index >= 0 and place < self._literal[index][1]

    # -- what is syntax anywhere, in quotes and in JSON as well

    def _tag(self, place: int) -> Piece | None:
        found = _TAG.match(self.text, place)
        if found is None:
            return None
        name, end = found[1].lower(), self._ends.get(place)
        if end is None or "\n" in self.text[place:end] or (":" not in found[0] and name not in _BARE_TAGS):
            return None
        kind: Kind = "separator" if name in _REGION_TAGS else "command" if name in _WORD_TAGS else "tag"
        return self._piece(kind, place, end)

    def _dollar(self, place: int) -> Piece | None:
        end = self._ends.get(place + 1) if self.text.startswith("{", place + 1) else None
        return self._piece("command", place, end) if end else None

    def _percent(self, place: int) -> Piece | None:
        if piece := self._dollar(place):
            return piece
        found = None if place and self.text[place - 1].isalnum() else _DATE.match(self.text, place)
        return self._piece("command", place, found.end()) if found else None

    def _template(self, place: int, character: str) -> Piece | None:
        if character == "<":
            return self._tag(place)
        if character == "$":
            return self._dollar(place)
        if character == "%":
            return self._percent(place)
        if character == "_":
            found = _VARIABLE.match(self.text, place)
            return self._piece("variable", place, found.end()) if found else None
        return self._brace(place) if character == "{" else None

    def _brace(self, place: int) -> Piece | None:
        end = self._ends.get(place)
        if end is None:
            return None
        inside = self.text[place + 1 : end - 1]
        if inside.startswith("#") and inside.endswith("#"):
            return self._piece("comment", place, end)
        if _JINJA.fullmatch(self.text, place, end):
            return self._piece("command", place, end)
        if _JSON.match(self.text, place, end):
            return None
        if any(sign in inside for sign in ("|", "$$", "::")):
            return self._holding("choice", place, end, inside) or self._piece("choice", place, end)
        return None

    # -- what is syntax among words

    def _comment(self, place: int) -> Piece | None:
        text = self.text
        if text.startswith("/*", place):
            end = text.find("*/", place + 2)
            return self._piece("comment", place, end + 2) if end >= 0 else None
        if place and not text[place - 1].isspace():
            return None
        if text[place] == "#":
            line = text.rfind("\n", 0, place) + 1
            is_alone = text[place + 1 : place + 2] == " " or not text[line:place].strip()
            is_comment = is_alone and not _COLOUR.match(text, place)
        else:
            is_comment = text.startswith("//", place)
        end = text.find("\n", place)
        return self._piece("comment", place, len(text) if end < 0 else end) if is_comment else None

    def _escape(self, place: int) -> Piece | None:
        opening = self.text[place + 1 : place + 2]
        closing = {"(": ")", "[": "]", "{": "}"}.get(opening)
        end = self.text.find(f"\\{closing}", place + 2, place + 200) if closing else -1
        if end < 0 or "\n" in self.text[place:end]:
            return None
        return self._piece("escape", place, end + 2)

    def _round(self, place: int) -> Piece | None:
        end = self._ends[place]
        inside = self.text[place + 1 : end - 1]
        if found := _METHOD.match(self.text, end):
            return self._piece("command", place, self._ends.get(found.end() - 1, end))
        behind = _AFTER_BRACKET.match(self.text, end)
        if behind:
            return self._emphasis(place, behind.end(), inside)
        if weighted := _WEIGHTED.fullmatch(inside):
            # A ratio or a time of day.
            if re.fullmatch(r"[\d\s:]+", weighted[1]):
                return None
            return self._emphasis(place, end, weighted[1])
        doubled = inside.startswith("(") and self._ends.get(place + 1) == end - 1
        piece = self._emphasis(place, end, inside)
        if piece and piece.kind == "emphasis" and not doubled and len(piece.words.split()) > _ASIDE:
            return None
        return piece

    def _square(self, place: int) -> Piece | None:
        end = self._ends[place]
        inside = self.text[place + 1 : end - 1]
        if re.fullmatch(r"SEP|BREAK", inside):
            return self._piece("separator", place, end)
        if self.text.startswith("(", end) or re.fullmatch(r"[\d\s,.]*", inside):
            return None
        flat = _hollow(inside)
        fields = flat.split(":")
        is_step = re.compile(rf"\s*{_NUMBER}(?:\s*[,-]\s*{_NUMBER})?\s*|\s*\0+\s*").fullmatch
        if (
            "|" in flat
            or re.match(r"[A-Z]{2,}:", flat)
            or len(fields) > 2
            or (len(fields) == 2 and is_step(fields[1]))
        ):
            return self._holding("schedule", place, end, inside) or self._piece("schedule", place, end)
        return self._emphasis(place, end, inside)

    def _curly(self, place: int) -> Piece | None:
        return self._emphasis(place, self._ends[place], self.text[place + 1 : self._ends[place] - 1])

    def _word(self, place: int) -> Piece | None:
        text = self.text
        if found := _NUMERIC.match(text, place):
            end = text.find("::", found.end())
            return self._emphasis(place, end + 2, text[found.end() : end]) if end >= 0 else None
        if found := _CAPITALS.match(text, place):
            return self._capitals(place, found)
        if found := _RAISED.match(text, place):
            return self._emphasis(place, found.end(), found[0].rstrip("+-"))
        if found := _SWAP.match(text, place):
            return self._piece("command", place, found.end())
        before = text[place - 1] if place else " "
        if before.isspace() and (found := _OPTION.match(text, place)):
            return self._piece("tag", place, found.end())
        return None

    def _capitals(self, place: int, found: re.Match[str]) -> Piece | None:
        name, end = found[0], found.end()
        closing = self._ends.get(end) if self.text.startswith("(", end) else None
        if name.startswith("AND"):
            return None if self._is_shouted else self._piece("separator", place, end)
        if re.fullmatch(r"BREAK|ADD\w+", name):
            return self._piece("separator", place, end)
        if re.fullmatch(_DIVIDING, name) and (closing or name == "COUPLE"):
            return self._piece("separator", place, closing or end)
        if closing and (
            re.fullmatch(_FUNCTIONS, name) or _PLAIN_ARGUMENTS.fullmatch(self.text, end, closing)
        ):
            return self._piece("tag", place, closing)
        return None


def _bracket_ends(text: str) -> dict[int, int]:
    """Map the start of each bracket to its end, but for escaped ones and the mouths of ``:(`` and ``:)``."""
    ends: dict[int, int] = {}
    # For each kind of bracket the open ones: where, and how many levels stand within so far.
    open_at: dict[str, list[list[int]]] = {"(": [], "[": [], "{": [], "<": []}
    partner = {")": "(", "]": "[", "}": "{", ">": "<"}
    for found in _BRACKETS.finditer(text):
        character = found[0]
        if character in open_at:
            open_at[character].append([found.start(), 0])
        elif character in partner and (opened := open_at[partner[character]]):
            start, levels = opened.pop()
            if opened:
                opened[-1][1] = max(opened[-1][1], levels + 1)
            if levels < _DEEPEST:
                ends[start] = found.end()
    return ends


def _outermost(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def _hollow(text: str) -> str:
    """Return `text` with its pieces blanked out, so that their colons and pipes do not count."""
    for piece in reversed(read(text)):
        if piece.kind != "separator":
            text = f"{text[: piece.start]}\0{text[piece.end :]}"
    return text
