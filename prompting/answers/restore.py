"""Return of the user's own syntax into what a model wrote for one region of a prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from ..syntax import Piece, close_gaps, read
from .anchors import MARK, filled, mark_of
from .protect import TAKEN_OUT, Region, is_silent

_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)"
_WEIGHTED = re.compile(rf"\(.*:\s*{_NUMBER}\s*\)", re.S)
_ASIDE = re.compile(rf"\((?!\()(?!.*:\s*{_NUMBER}\s*\)\Z).*\)", re.S)
_SECOND_WEIGHT = rf"(?:\s*:\s*{_NUMBER}(?![\w.]))?"
# A model garbles one of these, or translates it, and it is still to be seen what it was.
_ONE_FOR_ANOTHER = ("variable", "choice", "schedule", "command")
_CLOSING = re.compile(r"[.。!！?？…]\Z")
# From so many words on an emphasis is a text of its own; a model that reworded it kept this share of them.
_LONG, _MOST = 7, 0.6
# How many words more than those of an emphasis may stand between them.
_LOOSENESS = 2


class Placing:
    """The pieces of one region and the answer that they are put back into.

    `text` is the answer with a mark for each piece that was found in it, free of tags and separators of the
    model's own. Work on it as on any text, then give it to `filled`.
    """

    def __init__(self, region: Region, answer: str) -> None:
        self.region = region
        self.pieces = region.pieces
        self.text = self._marked(re.sub(MARK, "", answer))

    def filled(self, text: str) -> tuple[str, list[Piece]]:
        """Return `text` with all pieces in it, and those of which nothing says where they belong."""
        is_json = text.lstrip().startswith("{")
        text, lost = filled(self.region.items, text)
        for place, piece in enumerate(self.pieces):
            if (mark := mark_of(place)) in text:
                text = _written(text, mark, piece, is_json)
        return text, lost

    # -- what the answer holds

    def _marked(self, text: str) -> str:
        sent = [place for place, piece in enumerate(self.pieces) if not is_silent(piece)]
        sent.sort(key=lambda place: -len(self.pieces[place].source))
        for find in (_as_written, _as_words):
            for place in sent:
                if mark_of(place) not in text:
                    text = self._found(text, place, find(self.pieces[place], text))
            if find is _as_written:
                text = self._without_rivals(_without_own_tags(text, self.region))
        own = {
            word.casefold() for item in self.region.items if isinstance(item, str) for word in _words(item)
        }
        for place in sent:
            piece = self.pieces[place]
            if mark_of(place) in text:
                continue
            if found := _scattered(piece, text) or _reworded(piece, text, own):
                (start, end), between = found
                text = f"{text[:start]}{between}{mark_of(place)}{text[end:]}"
        text = self._recognised(text)
        for place in sent:
            if mark_of(place) not in text:
                text = self._found(text, place, _as_option(self.pieces[place], text, own))
        return _without_dividers(self._without_doubles(text))

    def _without_rivals(self, text: str) -> str:
        """Turn the model's own weights into words where they are on words of the user's weights."""
        missing = [piece for place, piece in enumerate(self.pieces) if mark_of(place) not in text]
        own = {word for piece in missing for word in re.findall(r"\w{3,}", piece.words.casefold())}
        for piece in reversed(read(text)):
            is_rival = piece.kind == "emphasis" and not _ASIDE.fullmatch(piece.source)
            if is_rival and own & set(re.findall(r"\w+", piece.words.casefold())):
                text = text[: piece.start] + piece.words + text[piece.end :]
        return text

    def _found(self, text: str, place: int, found: Sequence[tuple[int, int]]) -> str:
        """Put the mark for the piece into the first place found behind the pieces before it."""
        if not found:
            return text
        behind = max((text.find(mark_of(earlier)) for earlier in range(place)), default=-1)
        start, end = next((span for span in found if span[0] > behind), found[0])
        return text[:start] + mark_of(place) + text[end:]

    def _recognised(self, text: str) -> str:
        """Mark what a model made of the pieces that it was to keep: the first of a kind for the first."""
        missing = [place for place, piece in enumerate(self.pieces) if mark_of(place) not in text]
        for kind in _ONE_FOR_ANOTHER:
            places = [place for place in missing if self.pieces[place].kind == kind]
            garbled = [
                piece for piece in read(text) if piece.kind == kind and not re.search(MARK, piece.source)
            ]
            for place, piece in reversed(list(zip(places, garbled, strict=False))):
                text = text[: piece.start] + mark_of(place) + text[piece.end :]
        return text

    def _without_doubles(self, text: str) -> str:
        """Remove what stands there a second time; of an emphasis the words stay."""
        own = {_flat(piece.source) for piece in self.pieces}
        has_variables = any(piece.kind == "variable" for piece in self.pieces)
        for piece in reversed(read(text)):
            is_double = _flat(piece.source) in own
            if piece.kind == "emphasis" and (
                is_double or (re.search(MARK, piece.source) and not _ASIDE.fullmatch(piece.source))
            ):
                text = text[: piece.start] + piece.words + text[piece.end :]
            elif (is_double and piece.kind in (*_ONE_FOR_ANOTHER, "escape")) or (
                has_variables and piece.kind == "variable"
            ):
                text = _cut_out(text, piece)
        return text


def without_weights(text: str) -> str:
    """Turn the weights in `text` into plain words."""
    parts, last = [], 0
    for piece in read(text):
        parts.append(text[last : piece.start])
        if piece.kind == "emphasis" and _WEIGHTED.fullmatch(piece.source):
            parts.append(piece.words)
        elif piece.kind == "emphasis" and piece.source[0] == "(" and piece.source[-1] == ")":
            parts.append(f"({without_weights(piece.source[1:-1])})")
        else:
            parts.append(piece.source)
        last = piece.end
    return "".join([*parts, text[last:]])


def _cut_out(text: str, piece: Piece) -> str:
    before, after = text[: piece.start], text[piece.end :].lstrip(" ")
    return close_gaps(f"{before}\0{after}") if not after or after[0] in ",.;" else before + after


def _flat(text: str) -> str:
    return " ".join(text.casefold().split())


def _written(text: str, mark: str, piece: Piece, is_json: bool) -> str:
    source = piece.source
    if is_json:
        return text.replace(mark, json.dumps(source, ensure_ascii=False)[1:-1])
    if not piece.is_line:
        return text.replace(mark, source)
    before, after = text.split(mark, 1)
    opening = before.rstrip(" \t")
    if source.startswith("#") and opening and not opening.endswith("\n"):
        opening += "\n"
    elif opening and not opening.endswith("\n"):
        opening += " "
    after = after.lstrip(" ,\t")
    return f"{opening}{source}" + (after if after.startswith("\n") or not after else f"\n{after}")


# -- where a piece stands in an answer: all places, the best reading first


def _as_written(piece: Piece, text: str) -> list[tuple[int, int]]:
    tokens = re.escape(" ".join(piece.source.split())).split(r"\ ")
    pattern = r"\s*".join(tokens) + (_SECOND_WEIGHT if piece.kind == "emphasis" else "")
    return [found.span() for found in re.finditer(pattern, text, re.I)]


def _as_words(piece: Piece, text: str) -> list[tuple[int, int]]:
    """Find the words of an emphasis, also in marks that the model put around them."""
    if piece.kind == "escape":
        inside = re.escape(piece.source[2:-2])
        return [found.span() for found in re.finditer(rf"\\*\({inside}\\*\)", text, re.I)]
    if piece.kind != "emphasis":
        return []
    words = r"[\s_-]+".join(re.escape(word) for word in piece.words.split())
    weight = _SECOND_WEIGHT
    start, end = (_edge(piece.words[0], "<!"), _edge(piece.words[-1], "!"))
    pattern = (
        rf"\(\({words}\)\){weight}|\({words}{weight}\s*\){weight}|\[{words}\]|\{{{words}\}}"
        rf"|{start}{words}(?::{_NUMBER}(?![\w.]|\s*\)))?{end}"
    )
    return [found.span() for found in re.finditer(pattern, text, re.I)]


def _edge(character: str, look: str) -> str:
    """Return the pattern for the edge of a word; scripts without blanks have none."""
    return rf"(?{look}\w)" if character.isalnum() and character < "\u2e80" else ""


def _scattered(piece: Piece, text: str) -> tuple[tuple[int, int], str] | None:
    """Find the words of an emphasis in another order or with a word between, in one clause.

    Returns start and end, and the words between them, each with a blank behind it.
    """
    wanted = [word.casefold() for word in re.findall(r"\w+", piece.words)]
    if piece.kind != "emphasis" or len(wanted) < 2:
        return None
    for clause in re.finditer(rf"(?:(?!{MARK})[^.!?;\n()\[\]{{}}])+", text):
        tokens = list(re.finditer(r"\w+", clause[0]))
        said = [token[0].casefold() for token in tokens]
        if not set(wanted) <= set(said):
            continue
        for size in range(len(wanted), len(wanted) + _LOOSENESS + 1):
            for at in range(len(said) - size + 1):
                window = said[at : at + size]
                if all(window.count(word) >= wanted.count(word) for word in wanted):
                    start, end = tokens[at].start(), tokens[at + size - 1].end()
                    between = [token[0] for token in tokens[at : at + size]]
                    between = [word for word in between if word.casefold() not in wanted]
                    span = (clause.start() + start, clause.start() + end)
                    return span, "".join(f"{word} " for word in between)
    return None


def without_tags(text: str) -> str:
    """Remove tags and embeddings that nobody asked for."""
    return close_gaps(TAKEN_OUT.sub("\0", text))


def _reworded(piece: Piece, text: str, own: set[str]) -> tuple[tuple[int, int], str] | None:
    """Find what a model made of a long emphasis: the stretch of a sentence that holds most of its words.

    Returns start and end, and the words there that are in `own`, the user's words around it.
    """
    wanted = {word.casefold() for word in _words(piece.words)}
    if piece.kind != "emphasis" or len(wanted) < _LONG:
        return None
    for sentence in re.finditer(rf"(?:(?!{MARK})[^.!?\n])+", text):
        tokens = list(re.finditer(r"\w+", sentence[0]))
        there = [place for place, token in enumerate(tokens) if token[0].casefold() in wanted]
        held = {tokens[place][0].casefold() for place in there}
        if len(held) < _MOST * len(wanted):
            continue
        stretch = tokens[there[0] : there[-1] + 1]
        kept = [token[0] for token in stretch if token[0].casefold() in own - wanted]
        span = (sentence.start() + stretch[0].start(), sentence.start() + stretch[-1].end())
        return span, "".join(f"{word} " for word in kept)
    return None


def _as_option(piece: Piece, text: str, own: set[str]) -> list[tuple[int, int]]:
    """Find the option that a model chose where it was to keep all of them; `own` are words around it."""
    if piece.kind not in ("schedule", "choice"):
        return []
    found = []
    for option in re.split(r"[|:]+|\$\$", piece.source.strip("[]{}")):
        words = option.casefold().split()
        telling = [word for word in words if len(word) > 2 and word not in own]
        if telling and re.fullmatch(r"[\w\s'’-]+", option):
            pattern = r"\s+".join(map(re.escape, words))
            found += [match.span() for match in re.finditer(rf"(?<!\w){pattern}(?!\w)", text, re.I)]
    return sorted(found)


def _words(text: str) -> list[str]:
    return re.findall(r"\w{2,}", text)


def _without_own_tags(text: str, region: Region) -> str:
    """Remove tags: the user's own come back by another way."""
    for piece in region.pieces:
        if is_silent(piece):
            text = text.replace(piece.source, "\0")
    return without_tags(text)


def _without_dividers(text: str) -> str:
    """Remove separators: they are the user's, and stand between the regions."""
    for piece in reversed(read(text)):
        if piece.kind == "separator" and (piece.source[0] != "<" or ":" in piece.source):
            instead = "and" if piece.source == "AND" else "\0"
            text = text[: piece.start] + instead + text[piece.end :]
    return close_gaps(text)


def dressed(region: Region, text: str) -> str:
    """Return `text` with what stood before and behind the words of the region."""
    front, back = region.front, region.back
    if not region.text and front and text:
        front = f"{front.rstrip()} "
    if back.lstrip().startswith(",") and _CLOSING.search(text):
        back = back.lstrip().removeprefix(",")
        back = back if back[:1].isspace() or not back else f" {back}"
    return f"{front}{text}{back}"
