"""Routes for writing in a text field: the tags that exist, and the length of a text in tokens."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ....llm_backends.accounting.estimate import tokens_of
from ....prompting.tags.table import KINDS, TagTable, table_for
from ....prompting.targets import Target
from ....prompting.tools.token_count import CLIP_LIMIT, estimate_clip
from ..messages import Answer, HttpError
from ..names import OF_FILE, load_target
from ..routing import Exchange, Route
from ..schema import body, text
from ..threads import in_thread

_WITHOUT = "plain"
_CLIP = ("comfy.sd1_clip.", "comfy.sdxl_clip.")
# In tokens, without start and end.
_CHUNK = 75


async def _tags(exchange: Exchange) -> Answer:
    return Answer(await in_thread(_listed, exchange.query["target"], exchange.query["version"]))


def _listed(name: str, known: str) -> dict[str, Any]:
    try:
        target = load_target(name or _WITHOUT)
    except HttpError:
        if not name.startswith(OF_FILE):
            raise
        target = load_target(_WITHOUT)
    return tags_for(target, known)


def tags_for(target: Target, known: str) -> dict[str, Any]:
    """Return the tags for a target, and how it writes them; no rows where the caller has the version `known`.

    `version` is empty where the target has no use for tags, or the user no table of them.
    """
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


async def _tokens(exchange: Exchange) -> Answer:
    return Answer(await in_thread(_counted, exchange))


def _counted(exchange: Exchange) -> dict[str, Any]:
    """Return the tokens of a text for a target, and the limit, null where none is known.

    CLIP reads chunks of `chunk` tokens, of which the first counts most; other encoders have no chunks (null).
    """
    target, written = load_target(exchange.body["target"]), exchange.body["text"]
    is_clip = target.limit_tokens is not None and target.limit_tokens <= CLIP_LIMIT
    is_clip |= any(path.startswith(_CLIP) for path in target.encoders)
    counter = exchange.host.counter_for(target.encoders, target.limit_tokens)
    counted = counter(written) if counter is not None else None
    estimate = estimate_clip if is_clip else tokens_of
    return {
        "tokens": counted if counted is not None else estimate(written),
        "is_estimate": counted is None,
        "limit": _CHUNK if is_clip else target.limit_tokens,
        "chunk": _CHUNK if is_clip else None,
    }


ROUTES = (
    Route(
        "POST",
        "tokens",
        "change",
        "Count the tokens of a text as the text encoder of a target does.",
        _tokens,
        body=body(("text", "target"), text=text(100_000), target=text(200)),
    ),
    Route(
        "GET",
        "tags",
        "private",
        "Return the tags of the user's tag table that a target knows, for completion.",
        _tags,
        query={"target": text(200), "version": text(200)},
    ),
)
