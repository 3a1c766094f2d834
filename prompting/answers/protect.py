"""Protection of what belongs to the user from the model: LoRA tags, embeddings, weights, variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# `<lora:name:0.8>` and the like: A1111, Forge and SD.Next read them; their place does not matter.
_NETWORK_TAG = r"<(?:lora|lyco|loha|hypernet):[^<>\n]*>"
# ComfyUI's textual inversions, bare or weighted as a whole.
_EMBEDDING = r"\(\s*embedding:[^\s,()]+(?:\s*:\s*-?[\d.]+)?\s*\)|\bembedding:[^\s,()]*[^\s,();.]"
TAKEN_OUT = re.compile(rf"{_NETWORK_TAG}|{_EMBEDDING}", re.I)

_WEIGHTED = re.compile(r"\((.+):\s*-?\d*\.?\d+\s*\)", re.S)
_VARIABLE = re.compile(r"__[^\s_](?:[^\n,;()]*?[^\s_])?(?:\([^()\n]*\))?__")
_CHOICE = re.compile(r"\{[^\n]*(?:\||\$\$|::)[^\n]*\}")
# Dynamic Prompts' `${name}` and `%{…$$…}`, and Jinja's syntax.
_COMMAND = re.compile(r"[$%]\{[^\n]*\}|\{[{%#].*[}%#]\}", re.S)
_ASSIGNMENT = re.compile(r"\$\{\s*[\w-]+\s*\??=")
_BRACKETED = {"(": (_WEIGHTED,), "{": (_CHOICE, _COMMAND), "$": (_COMMAND,), "%": (_COMMAND,)}

# Stands for a kept piece while the text around it is worked on; no prompt and no answer holds it.
_MARK = "\1"


@dataclass(frozen=True, slots=True)
class Protected:
    """Prompt without its tags.

    `before` and `after` are the tags from its start and from elsewhere; `kept` are the pieces inside `text`
    that an answer must hold exactly as they are.
    """

    text: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    kept: tuple[str, ...]


def protect(prompt: str) -> Protected:
    """Take tags and embeddings out of `prompt` and note the pieces that must survive in place."""
    pieces = [
        prompt[start:end]
        for start, end in _pieces(prompt)
        if not TAKEN_OUT.fullmatch(prompt[start:end])  # an embedding with a weight of its own
    ]
    pieces = list(dict.fromkeys(pieces))
    rest = _mark(prompt, pieces).lstrip()
    # Assignments leave nothing where they stand, and have to precede their uses.
    before = [_mark_of(place) for place, piece in enumerate(pieces) if _ASSIGNMENT.match(piece)]
    for mark in before:
        rest = re.sub(rf"(^|,\s*){mark}\s*,\s*|,?\s*{mark}\s*$|{mark} ?", r"\1", rest)
    while match := TAKEN_OUT.match(rest):
        before.append(match.group())
        rest = rest[match.end() :].lstrip(" ,\t\r\n")
    after = [match.group() for match in TAKEN_OUT.finditer(rest)]
    text = (_tidy(TAKEN_OUT.sub("\0", rest)) if after else rest).strip()
    kept = [piece for place, piece in enumerate(pieces) if _mark_of(place) in text]
    return Protected(
        _unmark(text, pieces),
        tuple(_unmark(tag, pieces) for tag in before),
        tuple(_unmark(tag, pieces) for tag in after),
        tuple(kept),
    )


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of the outermost weighted brackets, choices, variables and commands of `text`."""
    ends = _bracket_ends(text)
    place = 0
    while place < len(text):
        end = ends.get(place + 1 if text[place : place + 2] in ("${", "%{") else place, 0)
        if end and not any(known.fullmatch(text, place, end) for known in _BRACKETED[text[place]]):
            end = 0
        if text[place] == "_" and (variable := _VARIABLE.match(text, place)):
            end = variable.end()
        if end:
            yield place, end
        place = end or place + (2 if text[place] == "\\" else 1)


def _bracket_ends(text: str) -> dict[int, int]:
    """Map the start of each round or curly bracket to its end; escaped ones do not count."""
    ends: dict[int, int] = {}
    open_at: dict[str, list[int]] = {"(": [], "{": []}
    place = 0
    while place < len(text):
        character = text[place]
        if character in "({":
            open_at[character].append(place)
        elif character in ")}" and (opened := open_at["(" if character == ")" else "{"]):
            ends[opened.pop()] = place + 1
        place += 2 if character == "\\" else 1
    return ends


def _mark_of(place: int) -> str:
    return _MARK + chr(0xE000 + place)


def _mark(text: str, pieces: Sequence[str]) -> str:
    """Put a mark in the place of each of `pieces` in `text`; long ones first, as they may hold short ones."""
    for piece, mark in sorted(
        ((piece, _mark_of(place)) for place, piece in enumerate(pieces)), key=lambda pair: -len(pair[0])
    ):
        text = text.replace(piece, mark)
    return text


def _unmark(text: str, pieces: Sequence[str]) -> str:
    for place, piece in enumerate(pieces):
        text = text.replace(_mark_of(place), piece)
    return text


def _tidy(text: str) -> str:
    """Close the gaps (marked by NUL) that the tags left behind, commas included."""
    text = re.sub(r"\s*,?\s*\0(?:\s*,?\s*\0)*\s*(,?)\s*", lambda gap: ", " if gap.group(1) else " ", text)
    return re.sub(r"\s+([,.;])", r"\1", text).strip().strip(",").strip()


def restore(answer: str, protected: Protected) -> str:
    """Return `answer` with all that `protect` took out or noted, and without tags that nobody asked for."""
    text = _mark(answer, protected.kept)
    if TAKEN_OUT.search(text):
        text = _tidy(TAKEN_OUT.sub("\0", text))
    text = text.strip()
    for place, piece in enumerate(protected.kept):
        if _mark_of(place) not in text:
            text = _with_piece(text, piece, _mark_of(place))
    text = _unmark(text, protected.kept)
    front = " ".join(protected.before)
    back = " ".join(protected.after)
    text = f"{front} {text}" if front else text
    return f"{text} {back}" if back else text


def _with_piece(text: str, piece: str, mark: str) -> str:
    """Return `text` with `mark` where the words of `piece` stand, or else at its end."""
    weighted = _WEIGHTED.fullmatch(piece)
    if weighted:
        words = re.escape(_without_weights(weighted.group(1), ()))
        match = re.search(rf"\({words}(?::\s*-?[\d.]+)?\)|(?<!\w){words}(?!\w)", text, re.I)
        if match:
            return text[: match.start()] + mark + text[match.end() :]
    ending = "." if text.endswith(".") else ""
    return f"{text.removesuffix('.').rstrip()}, {mark}{ending}" if text else mark


def without_weights(text: str, protected: Protected) -> str:
    """Turn weights that a model made up in `text` into plain words; the user's own stay."""
    return _without_weights(text, protected.kept)


def _without_weights(text: str, kept: Sequence[str]) -> str:
    parts, last = [], 0
    for start, end in _pieces(text):
        piece = text[start:end]
        weighted = _WEIGHTED.fullmatch(piece)
        parts.append(text[last:start])
        parts.append(_without_weights(weighted.group(1), kept) if weighted and piece not in kept else piece)
        last = end
    return "".join([*parts, text[last:]])
