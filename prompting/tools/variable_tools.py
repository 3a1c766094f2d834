"""variables.list, variables.lookup and variables.add: the user's library of variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...llm_backends.tools import registry
from ..templates.missing import keep

if TYPE_CHECKING:
    from ..templates.library import Library

ADD = "variables.add"
MOST_NAMES = 500
MOST_VALUES = 200
MOST_ADDED = 50
_NAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "description": "The variable's name without underscores around it, such as season or hair/style.",
}


def register(open_library: Callable[[], Library], admit_adding: Callable[[], None]) -> None:
    registry.register(
        "variables.list",
        "Lists the names of the user's variables. A prompt template says __name__ for a value of one.",
        {
            "type": "object",
            "properties": {
                "contains": {
                    "type": "string",
                    "maxLength": 200,
                    "description": "Only names with this text in them.",
                }
            },
        },
        partial(_list, open_library),
        replace=True,
    )
    registry.register(
        "variables.lookup",
        "Gives the values of one of the user's variables.",
        {"type": "object", "properties": {"name": _NAME}, "required": ["name"]},
        partial(_lookup, open_library),
        replace=True,
    )
    registry.register(
        ADD,
        "Adds values to one of the user's variables and keeps them; one that is not there yet is made. "
        "Values that it has already are left out.",
        {
            "type": "object",
            "properties": {
                "name": _NAME,
                "values": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_ADDED,
                    "items": {"type": "string", "minLength": 1, "maxLength": 1000},
                },
            },
            "required": ["name", "values"],
        },
        partial(_add, open_library),
        admit=admit_adding,
        replace=True,
    )


def _list(open_library: Callable[[], Library], contains: str = "") -> dict[str, Any]:
    names = [name for name in open_library().names() if contains.casefold() in name.casefold()]
    return _some("names", names, MOST_NAMES)


def _lookup(open_library: Callable[[], Library], name: str) -> dict[str, Any]:
    library, name = open_library(), _bare(name)
    return {
        "name": name,
        "description": library.describe(name),
        **_some("values", library.values(name), MOST_VALUES),
    }


def _add(open_library: Callable[[], Library], name: str, values: Sequence[str]) -> dict[str, Any]:
    name = _bare(name)
    return {"name": name, "added": keep(open_library(), name, values)}


def _bare(name: str) -> str:
    return name.strip().removeprefix("__").removesuffix("__")


def _some(what: str, items: Sequence[str], most: int) -> dict[str, Any]:
    """Return as many of `items` as a model has use for, and how many there are."""
    return {what: list(items[:most]), "count": len(items)}
