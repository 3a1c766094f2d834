"""Routes for writing in a text field: the tags that exist."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ....prompting.tags.table import KINDS, TagTable, table_for
from ..messages import Answer
from ..names import load_target
from ..routing import Exchange, Route
from ..schema import text
from ..threads import in_thread

_WITHOUT = "plain"


async def _tags(exchange: Exchange) -> Answer:
    return Answer(await in_thread(_listed, exchange.query["target"], exchange.query["version"]))


def _listed(name: str, known: str) -> dict[str, Any]:
    """Return the tags for a target, and how it writes them; no rows where the caller has that version.

    `version` is empty where the target has no use for tags, or the user no table of them.
    """
    target = load_target(name or _WITHOUT)
    table = table_for(target.tags)
    version = f"{'+'.join(target.tags)} {id(table):x} {len(table.names)}" if table is not None else ""
    return {
        "version": version,
        "rows": _rows(table) if table is not None and version != known else "",
        "underscores": target.underscores,
        "escapes": target.weights,
        "artist_mark": target.artist_mark,
    }


@lru_cache(maxsize=1)
def _rows(table: TagTable) -> str:
    """Return a line for each tag, the most frequent first: its name, kind and count, aliases, by tabs.

    The kind is the first letter of its name, a capital; species is X, since series is S.
    """
    letters = {kind: "X" if kind == "species" else kind[0].upper() for kind in KINDS}
    lines = [
        "\t".join([name, f"{letters[kind]}{count}", *filter(None, aliases.lower().split(","))])
        for name, kind, count, aliases in table.by_count()
    ]
    return "\n".join(["", *lines, ""])


ROUTES = (
    Route(
        "GET",
        "tags",
        "private",
        "Return the tags of the user's tag table that a target knows, for completion.",
        _tags,
        query={"target": text(200), "version": text(200)},
    ),
)
