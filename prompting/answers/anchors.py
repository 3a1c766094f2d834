"""Places for the pieces of a prompt that an answer lacks: beside the words that they stood beside.

Both texts are searched with marks in them, one character for each piece.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..syntax import Piece
from .protect import Item, is_silent, shown

# Characters of a script that nobody writes stand for the pieces while the words around are worked on: to
# every rule on words they are a word.
_FIRST, _LAST = 0x2A700, 0x2EBE0
MARK = f"[{chr(_FIRST)}-{chr(_LAST)}]"
# A mark, a character of a script without blanks, or a word.
_TOKEN = re.compile(
    rf"{MARK}|[\u2e80-\u9fff\uac00-\ud7af]|(?:(?!{MARK})[^\W_\u2e80-\u9fff\uac00-\ud7af])+"
    r"(?:['’][^\W_]+)*"
)
_LONGEST = 5
# How many words further off those may stand that show the place.
_FARTHEST = 12
# How many words and pieces around a piece are looked at.
_NEAR = 24
_BOUNDARY = re.compile(r"[,;:.!?\n，、；。！？](?!\d)")
_JSON_BOUNDARY = re.compile(rf'{_BOUNDARY.pattern}|"')
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?')
_SMALL = re.compile(
    "a|an|the|of|in|on|at|to|by|with|and|or|for|from|into|onto|over|under|near|is|are|was|his|her|its|their|as"
    "|that|this|who|which|it|he|she|they|be|very|der|die|das|ein|eine|und|mit|im|am|von|zu|le|la|les|un|une|et"
    "|de|du|des|avec|dans|el|los|las|una|y|con|en",
    re.I,
)


def mark_of(place: int) -> str:
    """Return the character that stands for the piece number `place` (from 0) of a region."""
    return chr(_FIRST + place)


@dataclass(frozen=True, slots=True)
class _Anchor:
    """Words that stand beside a piece in the prompt and somewhere in the answer.

    `gap` is what is between them and the piece in the prompt, `skipped` the number of words in it; `at` is
    the side of the words in the answer that faces the piece.
    """

    at: int
    gap: str
    skipped: int
    length: int


class _Said:
    """Words of an answer, and where each of them stands."""

    def __init__(self, tokens: Sequence[re.Match[str]]) -> None:
        self.tokens = tokens
        self.words = [token[0].casefold() for token in tokens]
        self.places: dict[str, list[int]] = {}
        for place, word in enumerate(self.words):
            self.places.setdefault(word, []).append(place)


def filled(items: Sequence[Item], text: str) -> tuple[str, list[Piece]]:
    """Return `text` with a mark for every piece of `items`, and the pieces that no words show a place for.

    Those stand at the end, the first of a prompt at the start.
    """
    lost = []
    number = -1
    for place, item in enumerate(items):
        if isinstance(item, str):
            continue
        number += 1
        if mark_of(number) not in text:
            text, is_lost = _with(items, place, number, text)
            if is_lost:
                lost.append(item)
    return text, lost


def _with(items: Sequence[Item], place: int, number: int, text: str) -> tuple[str, bool]:
    """Put the mark of the piece at `place` into `text`; also tell that no words show where."""
    piece = items[place]
    assert isinstance(piece, Piece)
    mark = mark_of(number)
    near = items[max(0, place - _NEAR) : place]
    left = _around(near, number - sum(not isinstance(item, str) for item in near), text)
    right = _around(items[place + 1 : place + 1 + _NEAR], number + 1, text)
    before, after = _tokens(left), _tokens(right)
    tokens = _Said(_answer_tokens(text))
    found_left = _anchor_left(left, before, tokens)
    found_right = _anchor_right(right, after, tokens)
    if found_right and (found_left is None or _rank(found_right) < _rank(found_left)):
        return _put_before(text, mark, found_right, piece), False
    if found_left:
        return _put_behind(text, mark, found_left, piece), False
    if not before and after:
        joint = ", " if re.match(r"\s*[,，]", right) else " "
        return f"{mark}{joint}{text}", False
    # A network counts for the whole of its region, wherever it stands.
    return _put_last(text, mark, piece), bool(before and after) and not piece.source.startswith("<")


def _rank(anchor: _Anchor) -> tuple[int, int]:
    # Words on another line are farther off than those behind a comma.
    far = bool(_BOUNDARY.search(anchor.gap)) + anchor.gap.count("\n")
    return anchor.skipped + far, -anchor.length


def _around(items: Sequence[Item], number: int, text: str) -> str:
    """Return the prompt on one side of a piece, with marks for the pieces that the answer has."""
    parts = []
    for item in items:
        if isinstance(item, str):
            parts.append(item)
            continue
        parts.append(mark_of(number) if mark_of(number) in text else shown(item))
        number += 1
    return "".join(parts)


def _tokens(text: str) -> list[re.Match[str]]:
    return list(_TOKEN.finditer(text))


def _answer_tokens(text: str) -> list[re.Match[str]]:
    tokens = _tokens(text)
    if not _is_json(text):
        return tokens
    values = [found.span(1) for found in _STRING.finditer(text) if not found[2]]
    return [token for token in tokens if any(start <= token.start() < end for start, end in values)]


def _says(tokens: Sequence[re.Match[str]]) -> bool:
    """Tell whether the words are enough to know a place by."""
    words = [token[0].casefold() for token in tokens]
    if re.match(MARK, words[0]) or re.match(MARK, words[-1]):
        return True
    telling = [word for word in words if not _SMALL.fullmatch(word)]
    return any(len(word) > 1 for word in telling) or len(telling) > 1


def _anchor_left(left: str, before: Sequence[re.Match[str]], tokens: _Said) -> _Anchor | None:
    for skipped in range(min(len(before), _FARTHEST)):
        end = len(before) - skipped
        for length in range(min(_LONGEST, end), 0, -1):
            wanted = before[end - length : end]
            if _says(wanted) and (at := _find(wanted, tokens)) is not None:
                gap = left[wanted[-1].end() :]
                return _Anchor(tokens.tokens[at + length - 1].end(), gap, skipped, length)
    return None


def _anchor_right(right: str, after: Sequence[re.Match[str]], tokens: _Said) -> _Anchor | None:
    for skipped in range(min(len(after), _FARTHEST)):
        for length in range(min(_LONGEST, len(after) - skipped), 0, -1):
            wanted = after[skipped : skipped + length]
            gap = right[: wanted[0].start()]
            # Between a bracket and the name of a section nothing has a place.
            if _says(wanted) and not gap.endswith("[") and (at := _find(wanted, tokens)) is not None:
                return _Anchor(tokens.tokens[at].start(), gap, skipped, length)
    return None


def _find(wanted: Sequence[re.Match[str]], tokens: _Said) -> int | None:
    words = [token[0].casefold() for token in wanted]
    for at in tokens.places.get(words[0], ()):
        if tokens.words[at : at + len(words)] == words:
            return at
    return None


def _put_behind(text: str, mark: str, anchor: _Anchor, piece: Piece) -> str:
    """Put `mark` behind the anchor: at once in running text, at the end of the clause in a list."""
    at, gap = anchor.at, anchor.gap
    if _BOUNDARY.search(gap) and piece.kind != "comment":
        boundary = (_JSON_BOUNDARY if _is_json(text) else _BOUNDARY).search(text, at)
        at = boundary.start() if boundary else len(text)
        return f"{text[:at].rstrip()}{_joint(piece, gap)}{mark}{_spaced(text[at:])}"
    words = " ".join(gap.split())
    small = anchor.skipped and not is_silent(piece) and _all_small(gap)
    return f"{text[:at]} {f'{words} ' if small else ''}{mark}{_spaced(text[at:])}"


def _put_before(text: str, mark: str, anchor: _Anchor, piece: Piece) -> str:
    at, gap = anchor.at, anchor.gap
    if _BOUNDARY.search(gap) and piece.kind != "comment":
        pattern = _JSON_BOUNDARY if _is_json(text) else _BOUNDARY
        earlier = [found.end() for found in pattern.finditer(text, 0, at)]
        at = earlier[-1] if earlier else 0
        blank = text[at:][: len(text[at:]) - len(text[at:].lstrip())]
        return f"{text[:at]}{blank}{mark}, {text[at:].lstrip()}"
    words = " ".join(gap.split())
    small = anchor.skipped and not is_silent(piece) and _all_small(gap)
    return f"{_spaced_before(text[:at])}{mark} {f'{words} ' if small else ''}{text[at:]}"


def _put_last(text: str, mark: str, piece: Piece) -> str:
    if _is_json(text):
        values = [found for found in _STRING.finditer(text) if not found[2]]
        if values:
            longest = max(values, key=lambda value: len(value[1]))
            return f"{text[: longest.end(1)]}, {mark}{text[longest.end(1) :]}"
    if is_silent(piece):
        return f"{text} {mark}" if text else mark
    ending = re.search(r"[.。]?\s*\Z", text)
    assert ending is not None
    body = text[: ending.start()].rstrip()
    return f"{body}, {mark}{ending[0].strip()}" if body else mark


def _joint(piece: Piece, gap: str) -> str:
    return " " if is_silent(piece) and not re.search(r"[,，]", gap) else ", "


def _spaced(rest: str) -> str:
    return rest if not rest or not (rest[0].isalnum() or rest[0] in "([{<“") else f" {rest}"


def _spaced_before(head: str) -> str:
    return head if not head or head[-1].isspace() or head[-1] in "([{\"'“-" else f"{head} "


def _all_small(gap: str) -> bool:
    return all(_SMALL.fullmatch(token[0]) for token in _tokens(gap))


def _is_json(text: str) -> bool:
    return text.lstrip().startswith("{")
