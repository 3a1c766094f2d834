"""The phrasebook's files, each read once at first use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "data"
MAX_BYTES = 512 * 1024

_SUBJECT = re.compile(r"\{[sS]\}")
# "The fox sits" would need another verb for "the foxes", and "its" another pronoun.
_SINGULAR = re.compile(r"^\{S\} |\bits?\b|\{s\} [a-z]+s clearly\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a facet: `phrase` for lists, `prose` for running text, and the tags it states and needs."""

    phrase: str
    prose: str
    tags: frozenset[str]
    needs: frozenset[str]
    not_with: frozenset[str]
    kinds: frozenset[str]
    stems: frozenset[str]
    names_subject: bool
    group: int
    take: int


def read(name: str) -> dict[str, Any]:
    """Read the mapping in ``data/<name>.yaml``."""
    from ...safe_yaml import read_yaml

    value = read_yaml(FOLDER / f"{name}.yaml", MAX_BYTES, scalars_as_text=True)
    if not isinstance(value, dict):
        raise ValueError(f"{name}.yaml does not hold a mapping")
    return value


@cache
def words_of(name: str) -> dict[str, Any]:
    """Return a word file (``subjects``, ``context``, ``languages``, ``edits``) as it stands."""
    return read(name)


@cache
def facets(name: str) -> dict[str, tuple[Entry, ...]]:
    """Return the facets of a file of entries: facet -> its lines."""
    return {
        facet: tuple(entry for number, group in enumerate(groups) for entry in entries(group, number))
        for facet, groups in read(name).items()
    }


def stems(text: str) -> frozenset[str]:
    """Return the meaningful words of `text`, cut to five letters, to notice repetition."""
    words = re.findall(r"[^\W\d_]{4,}", text.lower())
    # "Armour" and "armor" are one word, as are "grey" and "gray".
    return frozenset(
        word.replace("our", "or").replace("grey", "gray")[:5] for word in words if word not in _COMMON
    )


def entries(group: dict[str, Any], number: int) -> tuple[Entry, ...]:
    """Return the lines of a group of entries, the one of this `number`."""
    families = words_of("subjects")["families"]
    kinds = frozenset(kind for name in group["kinds"] for kind in families.get(name, [name]))
    shared = frozenset(group.get("is", ()))
    found = []
    for line in group["say"].splitlines():
        phrase, prose, tags = (part.strip() for part in (line + "||").split("|")[:3])
        singular = {"single"} if _SINGULAR.search(prose) else set()
        found.append(
            Entry(
                phrase=phrase,
                prose=prose,
                tags=shared | frozenset(tags.split()) | singular,
                needs=frozenset(group.get("needs", ())),
                not_with=frozenset(group.get("not_with", ())),
                kinds=kinds,
                stems=stems(f"{phrase} {prose}"),
                names_subject=bool(_SUBJECT.search(prose)),
                group=number,
                take=int(group.get("take", 1)),
            )
        )
    return tuple(found)


_COMMON = frozenset(
    [
        "about",
        "above",
        "across",
        "after",
        "against",
        "along",
        "also",
        "another",
        "away",
        "back",
        "behind",
        "below",
        "beside",
        "between",
        "beyond",
        "both",
        "down",
        "each",
        "else",
        "enough",
        "even",
        "every",
        "everything",
        "from",
        "full",
        "give",
        "gives",
        "have",
        "here",
        "hold",
        "holds",
        "into",
        "itself",
        "keep",
        "keeps",
        "kept",
        "know",
        "leave",
        "leaves",
        "leaving",
        "less",
        "like",
        "little",
        "makes",
        "more",
        "most",
        "much",
        "near",
        "nearly",
        "nearer",
        "nearest",
        "never",
        "nothing",
        "only",
        "onto",
        "open",
        "other",
        "others",
        "over",
        "part",
        "parts",
        "past",
        "same",
        "seen",
        "single",
        "slightly",
        "small",
        "some",
        "stay",
        "stays",
        "still",
        "than",
        "that",
        "their",
        "them",
        "then",
        "there",
        "they",
        "things",
        "this",
        "those",
        "through",
        "toward",
        "under",
        "until",
        "very",
        "visible",
        "well",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "whole",
        "with",
        "within",
        "without",
        "would",
        "light",
        "lens",
        "photographed",
        "camera",
        "background",
        "frame",
    ]
)
