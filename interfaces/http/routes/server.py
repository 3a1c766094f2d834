"""Route for a server of one's own, chosen on the page: the only way in which a caller names an address.

It stands behind the guard of all that changes something: the page of this very server with its header, and
the service token where more than this machine can reach it.
"""

from __future__ import annotations

from typing import Any

from ....config import own_server
from ....config.access import kept_keys
from ....config.access.session_keys import endpoint_id, session_keys
from ....config.diagnostics import status
from ....config.models.catalog import catalog
from ....config.settings.values import SERVER_FILE, Settings, load
from ....llm_backends.errors import LLMError, NotConfigured
from ....llm_backends.types import Secret
from ..messages import Answer, HttpError
from ..routing import Exchange, Route
from ..schema import body, flag
from ..threads import in_thread, on_runner
from .models import LONGEST_KEY, forget_key, hold_key, pasted_key, require_keys

_MOST_MODELS = 500


async def _show(exchange: Exchange) -> Answer:
    return Answer(await in_thread(state, load()))


def state(settings: Settings) -> dict[str, Any]:
    value = settings.value("LLM_BASE_URL")
    try:
        own_server.require_place(settings)
        obstacle = ""
    except NotConfigured as error:
        obstacle = f"{error.message} {error.hint}"
    return {
        "address": value.text if value.origin == SERVER_FILE else "",
        "obstacle": obstacle,
        "kept_in": kept_keys.place(settings.folder).to_json(),
    }


async def _find(exchange: Exchange) -> Answer:
    found = await on_runner(own_server.look_around())
    return Answer({"servers": [{"label": label, "address": address} for label, address in found]})


async def choose(exchange: Exchange) -> Answer:
    wanted = exchange.body
    settings = await in_thread(load)
    address = own_server.checked(wanted["address"])
    if wanted["key"]:
        require_keys(exchange, settings)
    if not wanted["only_check"]:
        own_server.require_place(settings)
    id = endpoint_id(address)
    key = pasted_key(wanted["key"]) if wanted["key"].strip() else await in_thread(_known_key, id, settings)
    try:
        models = await on_runner(own_server.test(address, key))
    except LLMError as error:
        return Answer({"ok": False, "message": error.message, "hint": error.hint, "models": []})
    if not wanted["only_check"]:
        await in_thread(_keep, exchange, settings, address, id)
        exchange.host.watch_keys()
    return Answer({"ok": True, "message": "", "hint": "", "models": models[:_MOST_MODELS]})


def _known_key(id: str, settings: Settings) -> Secret | None:
    return session_keys.peek(id) or kept_keys.get(settings.folder, id)


def _keep(exchange: Exchange, settings: Settings, address: str, id: str) -> None:
    if exchange.body["key"].strip():
        hold_key(exchange, id)
        key = session_keys.peek(id)
        if exchange.body["keep"] and key is not None:
            kept_keys.keep(settings.folder, id, key)
    own_server.write(settings.folder, address)
    catalog.forget()


async def forget(exchange: Exchange) -> Answer:
    def forgotten() -> dict[str, Any]:
        settings = load()
        if settings.value("LLM_BASE_URL").origin != SERVER_FILE:
            raise HttpError(400, "bad_request", "No server is set here.", "")
        forget_key("endpoint")
        own_server.write(settings.folder, None)
        catalog.forget()
        return status.config_view(load())

    return Answer(await in_thread(forgotten))


ROUTES = (
    Route(
        "GET",
        "server",
        "private",
        "Return your own server that is set here; its key is never returned.",
        _show,
    ),
    Route(
        "POST",
        "server/find",
        "change",
        "List the servers that respond at their usual addresses on this machine.",
        _find,
    ),
    Route(
        "POST",
        "server",
        "change",
        "Test your own server, and save its address if it responds.",
        choose,
        body=body(
            ("address",),
            address={"type": "string", "minLength": 1, "maxLength": 300},
            key={"type": "string", "default": "", "maxLength": LONGEST_KEY, "writeOnly": True},
            keep=flag(),
            only_check=flag(),
        ),
    ),
    Route("DELETE", "server", "change", "Remove your own server and its key.", forget),
)
