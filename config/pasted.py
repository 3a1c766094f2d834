"""Keys as people paste them: the key itself, or one sentence on what was pasted instead (never its text)."""

from __future__ import annotations

import re

_AROUND = " \t\r\n\"'`,;\u200b\u200e\ufeff\u00a0“”‘’«»„"
# ``NAME=`` as in a shell, cmd, PowerShell, YAML or JSON, and the header that carries a key.
_NAME = re.compile(
    r"(?i)^(?:export\s+|setx?\s+[\"']?|env\s+|-[He]\s+[\"']?|const\s+|os\.environ\[|process\.env\.)?"
    r"(?:\$env:|--)?[\"']?"
    r"(?:[a-z][a-z0-9_]*_(?:key|token|secret)(?:_[a-z]+)*|api[-_ ]?key|x-api-key|x-goog-api-key|key|token"
    r"|authorization)[\"']?\]?\s*(?:[:=]\s*|\s+(?=[\"']))"
)
# A remark behind the key, as in a file.
_COMMENT = re.compile(r"(?<=\S)\s+(?:#|//)\s.*\Z", re.S)
# A key between the brackets of an example, which has figures where the place for one has words.
_BRACKETED = re.compile(r"<((?=[^<>]*\d[^<>]*\d)[^<>\s]{16,})>")
_BEARER = re.compile(r"(?i)^(?:authorization\s*:\s*)?(?:bearer(?:\s+|$)|(?:token|basic)\s+)")


# A key as its provider writes it, at the beginning of a text or behind ``NAME=`` and the like.
_KEY = re.compile(
    r"(?i)(?:^|[\s=:\"'])(?:bearer\s+\S|(?:sk|gsk|pk|hf|xai|nvapi|key|r8|tgp|pplx|fw|csk)[-_][\w-]{12,}"
    r"|AIza[\w-]{20,}|eyJ[\w-]{20,})"
)
# What no name has within it, such as xai-grok-4-fast-reasoning.
_RANDOM = re.compile(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}")
_LONG_WORD = re.compile(r"(?:^|[\s=:\"'])[A-Za-z0-9_-]{40,}\W*$")


def holds_key(text: str) -> bool:
    """Tell whether something in `text` looks like a key."""
    return bool(_KEY.search(text) or _LONG_WORD.search(text))


def is_key(name: str) -> bool:
    """Tell whether `name`, which ought to be a model's, is a key."""
    return bool(_KEY.fullmatch(name) and _RANDOM.search(name))


def key_in(text: str) -> str:
    """The key in the pasted `text`, without quotes, ``Bearer`` and ``NAME=`` around it.
    Raises ValueError with a sentence for what is none."""
    key = _COMMENT.sub("", text.strip()).strip(_AROUND)
    if bracketed := _BRACKETED.fullmatch(key):
        key = bracketed[1]
    for around in (_NAME, _BEARER):
        key = around.sub("", key).strip(_AROUND)
    if not key:
        raise ValueError("That is not a valid key: it is empty.")
    if re.match(r"(?i)https?://", key):
        raise ValueError("That is not a valid key: it is an address.")
    if re.fullmatch(r"<.*>|.*(?:\.\.\.|…).*|[*•]+", key):
        raise ValueError("That is not a valid key: it is the place for one.")
    if any(character.isspace() or not character.isprintable() for character in key):
        raise ValueError("That is not a valid key: it has spaces or line breaks in it.")
    return key
