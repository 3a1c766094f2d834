"""Reading of what is nearly YAML, line by line: keys, and items behind a hyphen."""

from __future__ import annotations

import re
from typing import Any

_KEY = re.compile(r"(?P<key>\"[^\"]*\"|'[^']*'|[^\s\-#\[\]{}|>][^:#]*?)\s*:(?:\s+(?P<value>.*))?")
_COMMENT = re.compile(r"\s#.*")
_BLOCK = re.compile(r"[|>][+-]?\d?")


def read_lines(text: str) -> dict[str, Any] | list[Any]:
    """Return the lists in `text` by name, one level for each indentation; a list where nothing has a name.

    Never fails: a line that is neither a key nor an item goes on with the value before it.
    """
    open_keys: list[tuple[int, str]] = []
    lists: dict[str, list[str]] = {}
    last: list[str] | None = None
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#") or bare == "---":
            continue
        indent = len(line) - len(line.lstrip())
        if bare.startswith("- ") or bare == "-":
            while open_keys and open_keys[-1][0] > indent:
                open_keys.pop()
            last = lists.setdefault("/".join(key for _, key in open_keys), [])
            last.append(_unquoted(bare[1:].strip()))
        elif found := _KEY.fullmatch(bare):
            while open_keys and open_keys[-1][0] >= indent:
                open_keys.pop()
            open_keys.append((indent, _unquoted(found["key"])))
            value = _COMMENT.sub("", found["value"] or "").strip()
            last = None
            if value and not _BLOCK.fullmatch(value) and _balanced(value):
                lists["/".join(key for _, key in open_keys)] = [_unquoted(value)]
        elif last:
            last[-1] = f"{last[-1]} {bare}".strip()
    found_lists = {
        name: [value for value in values if value and not _BLOCK.fullmatch(value)]
        for name, values in lists.items()
    }
    return found_lists[""] if set(found_lists) == {""} else found_lists


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1].replace('\\"', '"')
    return text if text[:1] in "\"'" else _COMMENT.sub("", text).strip()


def _balanced(text: str) -> bool:
    return all(text.count(a) == text.count(b) for a, b in ("[]", "{}"))
