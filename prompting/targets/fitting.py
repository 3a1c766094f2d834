"""Parts that code adds to a written prompt: prefix, suffix and the default negative prompt."""

from __future__ import annotations

import re

from .schema import Target

_WEIGHTED = re.compile(r"\(+\s*(.+?)\s*(?::\s*-?[\d.]+\s*)?\)+")
_END_MARKER = re.compile(r"<[^<>]+>\s*$")
_QUOTED_TEXT = re.compile(r"[\"“「『]\s*\w")
_NEGATED = re.compile(
    r"(?:\b(?:no|not|non|without|never|avoid\w*|exclud\w*|remov\w*|lacking|free of|isn't|don't|doesn't)\b"
    r"[^.,;:!?]{0,30}|(?:无|没有|不要|不|避免|去除))\s*$"
)
# Lettering is unwanted until the user asks for some by quoting it.
_LETTERING = frozenset({"text", "letters", "lettering", "words", "writing", "typography"})
# A prompt carries one term of each of these: the user's own wins over the one we would add.
ONE_OF_A_KIND = (
    frozenset({"safe", "general", "sensitive", "questionable", "nsfw", "explicit"}),
    frozenset({"newest", "recent", "mid", "early", "old", "oldest"}),
)


def fit_prompt(target: Target, text: str) -> str:
    """Add the target's prefix and suffix to `text`, nothing of them twice; blank text stays as it is.

    A prefix that ends like a sentence or with a marker (``.``, ``:``, ``>``) is put before the text as it
    is; any other is a list of tags, of which only the missing ones are added. Likewise the suffix.
    """
    if not text.strip():
        return text
    text = _add_suffix(text.rstrip(), target.suffix)
    return _add_prefix(text.lstrip(), target.prefix)


def fit_negative(target: Target, prompt: str, written: str) -> str:
    """Return the negative prompt: the target's default terms, then those the language model wrote, each once.

    A default term that `prompt` itself asks for is left out. "" where a negative prompt has no effect,
    and where there is nothing to say.
    """
    if target.negative == "none":
        return ""
    terms = [*_wanted_defaults(target, prompt), *split_terms(written)]
    seen: set[str] = set()
    kept = []
    for term in terms:
        key = term_key(term)
        if key and key not in seen:
            seen.add(key)
            kept.append(term)
    if not kept:
        return ""
    joined = ("，" if "，" in target.default_negative else ", ").join(kept)
    return _add_prefix(joined, target.negative_prefix)


def split_terms(text: str) -> list[str]:
    """Return the terms of a comma-separated list; commas inside round brackets do not separate."""
    terms, current, depth = [], "", 0
    for position, char in enumerate(text):
        escaped = position > 0 and text[position - 1] == "\\"
        if char in "([" and not escaped:
            depth += 1
        elif char in ")]" and not escaped:
            depth = max(0, depth - 1)
        if char in ",，、;；\n" and depth == 0:
            terms.append(current)
            current = ""
        else:
            current += char
    terms.append(current)
    return [term for term in (term.strip().rstrip(".。").strip() for term in terms) if term]


def term_key(term: str) -> str:
    """Return the key that equal terms share: case, underscores, spaces and weights do not count."""
    weighted = _WEIGHTED.fullmatch(term.strip())
    plain = weighted[1] if weighted else term
    return " ".join(plain.casefold().replace("_", " ").strip(" .").split())


def asks_for(prompt: str, term: str) -> bool:
    """Tell whether `prompt` mentions `term` as something to show ("no text" does not ask for text)."""
    key = term_key(term)
    if not key:
        return False
    text = prompt.casefold().replace("_", " ")
    pattern = re.escape(key).replace(r"\ ", r"[\s-]+")
    if key.isascii():
        pattern = rf"(?<!\w){pattern}(?:s|es)?(?!\w)"
    return any(not _NEGATED.search(text[: found.start()]) for found in re.finditer(pattern, text))


def _wanted_defaults(target: Target, prompt: str) -> list[str]:
    dropped: set[str] = set()
    for unless in target.negative_unless:
        if any(asks_for(prompt, asked) for asked in unless.asked):
            dropped.update(map(term_key, unless.drop))
    if target.kind in ("image", "edit") and _QUOTED_TEXT.search(prompt):
        dropped |= _LETTERING
    terms = split_terms(target.default_negative)
    return [term for term in terms if term_key(term) not in dropped and not asks_for(prompt, term)]


def _is_literal(addition: str) -> bool:
    return addition.rstrip().endswith((".", ":", ">", "。", "："))


def _add_prefix(text: str, prefix: str) -> str:
    if not prefix.strip():
        return text
    if _is_literal(prefix):
        marker = _END_MARKER.search(prefix)
        there = marker[0].strip().casefold() in text.casefold() if marker else _begins_with(text, prefix)
        if there:
            return text
        return prefix + text if prefix[-1].isspace() else f"{prefix} {text}"
    tags = split_terms(prefix)
    keys = set(map(term_key, tags))
    # Our own tags at the head of the text go, so that the whole prefix stands in its own order.
    while True:
        head, comma, rest = text.partition(",")
        if not comma or not rest.strip() or head.strip() != _unweighted(head) or term_key(head) not in keys:
            break
        text = rest.lstrip()
    return ", ".join([*_missing(tags, text), text])


def _add_suffix(text: str, suffix: str) -> str:
    if not suffix.strip():
        return text
    if _is_literal(suffix):
        return text if _ends_with(text, suffix) else f"{text.rstrip()} {suffix.strip()}"
    tags = split_terms(suffix)
    keys = set(map(term_key, tags))
    while True:
        rest, comma, tail = text.rpartition(",")
        if not comma or not rest.strip():
            break
        if tail.strip() and (tail.strip() != _unweighted(tail) or term_key(tail) not in keys):
            break
        text = rest.rstrip()
    missing = _missing(tags, text)
    return ", ".join([text.rstrip(" .。"), *missing]) if missing else text


def _missing(tags: list[str], text: str) -> list[str]:
    there = set(map(term_key, split_terms(text)))
    taken = [kind for kind in ONE_OF_A_KIND if kind & there]
    return [
        tag for tag in tags if term_key(tag) not in there and not any(term_key(tag) in kind for kind in taken)
    ]


def _unweighted(term: str) -> str:
    return term.strip().strip("()") if _WEIGHTED.fullmatch(term.strip()) else term.strip()


def _flat(text: str) -> str:
    return " ".join(text.casefold().split())


def _begins_with(text: str, opening: str) -> bool:
    return _flat(text).startswith(_flat(opening))


def _ends_with(text: str, ending: str) -> bool:
    return _flat(text).endswith(_flat(ending))
