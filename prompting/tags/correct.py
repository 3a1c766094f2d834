"""Correction of the tags that a model or the phrasebook wrote, by the user's tag table."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..answers.anchors import MARK
from ..targets import Target
from ..targets.fitting import ONE_OF_A_KIND, split_terms, term_key
from .spelling import spelled
from .table import TagTable, key_of, table_for

_COUNT = re.compile(r"\d\+?(?:girl|boy|other)s?|multiple_(?:girls|boys|others)|no_humans|solo|duo|trio|group")
# Words that models were taught and no board has.
_TAUGHT = re.compile(
    r"(?:score|source|rating|style_cluster)_.*|year_\d{4}|(?:masterpiece|absurdres|highres|(?:very_)?aesthetic)"
    r"|(?:best|amazing|great|good|high|normal|average|low|bad|worst)_(?:quality|score)"
)
_WEIGHTED = re.compile(r"(\(+)(.*?)((?::\s*-?[\d.]+\s*)?\)+)", re.S)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
# More words than these are a sentence; of the terms of a list, this share is known.
_LONGEST_TAG = 5
_SHARE_KNOWN = 0.5
_MOST_TOLD = 12


@dataclass(slots=True)
class _Term:
    """One term of a list: its text, the board's name (or its own words), and its group in the order."""

    text: str
    name: str
    group: str
    is_own: bool = False
    is_unknown: bool = False


def corrected(target: Target, text: str, own: str, warnings: list[str]) -> str:
    """Return `text` with its tags as the user's table and the target have them.

    Aliases become names, the order is the target's, and `warnings` gets one sentence on the tags that do not
    exist; they stay. What the user wrote (`own`) stays as it is. Without a table nothing changes.
    """
    table = table_for(target.tags) if target.form in ("tags", "tags_and_prose") else None
    if table is None:
        return text
    warnings += [problem for problem in table.problems if problem not in warnings]
    unknown: list[str] = []
    said = f" {_flat(own)} "
    if target.form == "tags":
        text = _list(text, target, table, said, unknown)
    else:
        text = " ".join(_prose(part, target, table, said, unknown) for part in _SENTENCE.split(text))
    if unknown:
        unknown = list(dict.fromkeys(unknown))
        named = ", ".join(unknown[:_MOST_TOLD])
        more = f" and {len(unknown) - _MOST_TOLD} more" if len(unknown) > _MOST_TOLD else ""
        warnings.append(f"Not in your tag table, so {target.label} may not know it: {named}{more}.")
    return text


def _prose(part: str, target: Target, table: TagTable, said: str, unknown: list[str]) -> str:
    """Correct one sentence, or what stands between two, if it is a list of tags."""
    terms = split_terms(part)
    known = sum(table.find(_bare(term)) is not None for term in terms)
    if len(terms) < 2 or known < len(terms) * _SHARE_KNOWN:
        return part
    # Behind the tags a sentence may begin without a full stop between.
    count = next((place for place, term in enumerate(terms) if len(term.split()) > _LONGEST_TAG), len(terms))
    if count < len(terms):
        start = part.find(terms[count])
        head = part[:start].rstrip(" ,")
        return f"{_list(head, target, table, said, unknown)}, {part[start:]}" if head else part
    end = part[len(part.rstrip(" .!?")) :]
    return f"{_list(part, target, table, said, unknown)}{end}"


def _list(text: str, target: Target, table: TagTable, said: str, unknown: list[str]) -> str:
    terms: list[_Term] = []
    names: set[str] = set()
    for written in split_terms(text):
        term = _read(written, target, table, said)
        if term.name in names and not term.is_own:
            continue
        names.add(term.name)
        terms.append(term)
        if term.is_unknown:
            unknown.append(term.text)
    if target.tag_order:
        terms = _ordered(terms, target)
    changed = [term.text for term in terms]
    return text if changed == split_terms(text) else ", ".join(changed)


def _read(written: str, target: Target, table: TagTable, said: str) -> _Term:
    bare = _bare(written)
    key = key_of(bare.removeprefix(target.artist_mark) if target.artist_mark else bare)
    found = table.find(key)
    if re.search(MARK, written) or ((words := _flat(bare)) and f" {words} " in said):
        return _Term(written, found[0] if found else key, _group(key, found), is_own=True)
    if found is None:
        is_taught = _TAUGHT.fullmatch(key) or any(term_key(bare) in kind for kind in ONE_OF_A_KIND)
        added = {key_of(term) for term in split_terms(f"{target.prefix},{target.suffix}")}
        return _Term(written, key, _group(key, found), is_unknown=not is_taught and key not in added)
    name, kind = found
    text = spelled(name, target, is_artist=kind == "artist")
    weighted = _WEIGHTED.fullmatch(written)
    if weighted and weighted[2] == bare:
        text = f"{weighted[1]}{text}{weighted[3]}"
    return _Term(text, name, _group(name, found))


def _group(name: str, found: tuple[str, str] | None) -> str:
    if _COUNT.fullmatch(name):
        return "count"
    if name.replace("_", " ") in ONE_OF_A_KIND[0]:
        return "rating"
    return found[1] if found else ""


def _ordered(terms: list[_Term], target: Target) -> list[_Term]:
    """Sort by the target's order, in which what it does not name is general; of one group nothing moves.

    What stands first of the user's own and is no tag, such as the trigger word of a LoRA, stays there, as do
    words for quality.
    """
    first = 0
    while first < len(terms) and (
        (terms[first].is_own and not terms[first].group) or _TAUGHT.fullmatch(terms[first].name)
    ):
        first += 1
    order = target.tag_order
    usual = order.index("general") if "general" in order else len(order)
    rank = {group: place for place, group in enumerate(order)}
    return [*terms[:first], *sorted(terms[first:], key=lambda term: rank.get(term.group, usual))]


def _bare(term: str) -> str:
    """Return a term without the weight around it."""
    weighted = _WEIGHTED.fullmatch(term)
    # The brackets of a name are within it, or behind a backslash.
    return weighted[2] if weighted and not term.startswith("\\") else term


def _flat(text: str) -> str:
    """Return the words of `text` with one blank between, so that a phrase is found in it."""
    return " ".join(re.sub(r"[^\w]+|_", " ", text.casefold()).split())
