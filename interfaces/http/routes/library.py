"""Routes for targets and for the variables of the library."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from ....config.opening import library_folders
from ....config.settings.home import targets_folder
from ....prompting import targets
from ....prompting.templates.library import Library, LibraryError, check_name
from ..messages import Answer, HttpError
from ..routing import Exchange, Route
from ..schema import body, flag, text, texts
from ..threads import in_thread

SHOWN_VALUES = 500
_LONGEST_VALUE = 20_000


def open_library() -> Library:
    """Open the library of the settings in force; it remembers what it has read."""
    return _library(*library_folders())


@lru_cache(maxsize=4)
def _library(folder: Path, read_only: tuple[Path, ...]) -> Library:
    return Library(folder, read_only)


async def _targets(exchange: Exchange) -> Answer:
    found = await in_thread(targets.search, exchange.query["q"], targets_folder())
    rows = [
        {
            "id": entry.id,
            "label": entry.label,
            "group": entry.group,
            "kind": entry.kind,
            "is_user": entry.is_user,
        }
        for entry in found
    ]
    return Answer({"targets": rows})


async def _list(exchange: Exchange) -> Answer:
    return Answer(await in_thread(listed, exchange.query["q"]))


def listed(words: str) -> dict[str, Any]:
    """Return the variables whose names contain all of `words`, and the problems with files."""
    library = open_library()
    wanted = words.casefold().split()
    names = [name for name in library.names() if all(word in name.casefold() for word in wanted)]
    rows, problems = [], list(library.problems())
    for name in names:
        try:
            rows.append(
                {
                    "name": name,
                    "count": len(library.values(name)),
                    "description": library.describe(name),
                    "read_only": library.is_read_only(name),
                }
            )
        except LibraryError as error:
            problems.append(str(error))
    return {"variables": rows, "problems": list(dict.fromkeys(problems))}


async def _get(exchange: Exchange) -> Answer:
    return Answer(await in_thread(shown, exchange.name, exchange.query["all"]))


def shown(name: str, everything: bool) -> dict[str, Any]:
    """Return a variable as it stands; its first `SHOWN_VALUES` values unless `everything` is wanted."""
    library = open_library()
    values = library.values(name)
    first = values if everything else values[:SHOWN_VALUES]
    return {
        "name": name,
        "values": list(first),
        "count": len(values),
        "description": library.describe(name),
        "read_only": library.is_read_only(name),
        "truncated": len(first) < len(values),
        "version": library.signature([name]),
    }


async def _put(exchange: Exchange) -> Answer:
    return Answer(await in_thread(written, exchange.name, exchange.body))


def written(name: str, wanted: Any) -> dict[str, Any]:
    """Make ``wanted["values"]`` all of a variable, unless it has changed since ``wanted["version"]``."""
    library = open_library()
    check_name(name)
    if wanted.get("version") and library.signature([name]) != wanted["version"]:
        raise HttpError(
            400,
            "changed_meanwhile",
            f"{name} has been changed by someone else.",
            "Reload it and repeat your change.",
        )
    library.write(name, wanted["values"], wanted.get("description"))
    return shown(name, everything=False)


async def _add(exchange: Exchange) -> Answer:
    def add() -> dict[str, Any]:
        library = open_library()
        added = library.add(exchange.name, exchange.body["values"], exchange.body["description"])
        count = len(library.values(exchange.name)) if library.exists(exchange.name) else 0
        return {"added": added, "count": count}

    return Answer(await in_thread(add))


async def _delete(exchange: Exchange) -> Answer:
    await in_thread(lambda: open_library().delete(exchange.name))
    return Answer({"deleted": exchange.name})


_VALUES = texts(100_000, _LONGEST_VALUE)
ROUTES = (
    Route(
        "GET",
        "targets",
        "open",
        "List the image models that prompts can be written for.",
        _targets,
        query={"q": text(200)},
    ),
    Route("GET", "variables", "private", "List the variables in the library.", _list, query={"q": text(200)}),
    Route(
        "GET", "variables/{name}", "private", "Return the values of a variable.", _get, query={"all": flag()}
    ),
    Route(
        "PUT",
        "variables/{name}",
        "change",
        "Replace the values of a variable.",
        _put,
        body=body(
            ("values",),
            values=_VALUES,
            description={"type": ["string", "null"], "maxLength": 5000},
            version={"type": "string", "maxLength": 100},
        ),
    ),
    Route(
        "POST",
        "variables/{name}",
        "change",
        "Add those of these values that are new.",
        _add,
        body=body(("values",), values=_VALUES, description=text(5000)),
    ),
    Route("DELETE", "variables/{name}", "change", "Delete a variable.", _delete, body=body()),
)
