"""Routes for models, providers, keys, tests, health."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ....config import providers
from ....config.access import kept_keys
from ....config.access.session_keys import ENDPOINT, IDLE_S, endpoint_id, session_keys
from ....config.choice import Choice
from ....config.diagnostics import status
from ....config.diagnostics.health import report
from ....config.diagnostics.trial import Trial, call_model, check_provider, open_for_trial
from ....config.models.catalog import Listing, catalog
from ....config.pasted import key_in
from ....config.settings.values import Settings, load
from ....config.warm_up import warm_up
from ....llm_backends import modes
from ....llm_backends.host import program
from ....llm_backends.local.unload import unload_used_servers
from ....llm_backends.modes import AUTO
from ....llm_backends.types import Secret
from .. import guard
from ..messages import Answer, HttpError, render
from ..names import check_model
from ..routing import Exchange, Route
from ..schema import body, flag, text
from ..threads import in_thread, on_runner

_CLIENT = "x-quillwork-client"
LONGEST_KEY = 8192


def _check_known(provider: str, *others: str) -> None:
    """Raise `HttpError` where `provider` is none, and none of `others`.

    The user's own rows come and go, so no schema lists them.
    """
    if provider not in (ENDPOINT, *others) and provider not in providers.names():
        raise HttpError(
            400,
            "bad_request",
            f"There is no provider {provider!r}.",
            "GET llm/providers lists those there are.",
        )


async def _models(exchange: Exchange) -> Answer:
    listing = await on_runner(catalog.listing(await in_thread(load)))
    return await in_thread(_listed, listing, exchange.query)


async def _refresh(exchange: Exchange) -> Answer:
    _check_known(exchange.query["provider"], *modes.groups(), "")
    listing = await on_runner(catalog.listing(await in_thread(load), refresh=True))
    return await in_thread(_listed, listing, exchange.query, refreshed=True)


def _at_hand(exchange: Exchange) -> Answer | None:
    """Return the list from the cache: it is requested whenever somebody types into the widget."""
    _check_known(exchange.query["provider"], *modes.groups(), "")
    listing = catalog.at_hand(load())
    return None if listing is None else _listed(listing, exchange.query)


def _listed(listing: Listing, query: Any, *, refreshed: bool = False) -> Answer:
    content, rendered = _rendered(listing, query["provider"], query["q"], query["all"], refreshed)
    return Answer(content, rendered=rendered)


@lru_cache(maxsize=8)
def _rendered(
    listing: Listing, provider: str, words: str, everything: bool, refreshed: bool
) -> tuple[dict[str, Any], bytes]:
    content = listing.to_json(provider=provider, words=words, everything=everything)
    if refreshed:
        outcome = {"success": True, "message": "Model cache refreshed", "count": len(content["models"])}
        content = {**outcome, **content}
    return content, render(content)


async def _providers(exchange: Exchange) -> Answer:
    return Answer({"providers": await in_thread(lambda: status.provider_rows(load()))})


async def _keys(exchange: Exchange) -> Answer:
    return Answer(await in_thread(_key_status, exchange))


def _key_status(exchange: Exchange) -> dict[str, Any]:
    settings = load()
    return {
        "keys": status.key_rows(settings),
        "session_keys": guard.allows_keys(exchange.request, exchange.host, settings),
        "kept_in": kept_keys.place(settings.folder).to_json(),
        "idle_hours": IDLE_S / 3600,
    }


async def set_key(exchange: Exchange) -> Answer:
    """Test the key in the body where it says `check`, and hold it; with `keep` for good."""
    provider = exchange.body["provider"]
    id, before = await in_thread(keep_key, exchange, provider)
    exchange.host.watch_keys()
    check = None
    if exchange.body["check"]:
        trial = await on_runner(check_provider(provider, await in_thread(load)))
        check = {"ok": trial.ok, "message": trial.message, "hint": trial.hint}
        if trial.ok is False:
            await in_thread(_put_back, id, before)
            check["hint"] = f"{trial.hint} The key was not saved.".strip()
    kept_in = None
    if exchange.body["keep"] and (check is None or check["ok"] is not False):
        kept_in = await in_thread(_keep_for_good, id, provider)
    return Answer({**await in_thread(_row_of, provider), "kept_in": kept_in, "check": check})


def _put_back(id: str, before: Secret | None) -> None:
    """Undo `keep_key`: a key that failed its test is held nowhere, and one that worked before is back."""
    session_keys.clear(id)
    if before is not None:
        session_keys.set(id, before.reveal())


def _keep_for_good(id: str, provider: str) -> dict[str, Any] | None:
    """Keep the session's key across restarts; return where it is kept then."""
    key = session_keys.peek(id)
    if key is None:
        return None
    name = id if provider == ENDPOINT else providers.get(provider).key_variables[0]
    return kept_keys.keep(load().folder, name, key).to_json()


def _row_of(provider: str) -> dict[str, Any]:
    rows = status.key_rows(load())
    row = next(one for one in rows if one["provider"] == provider)
    return {name: row[name] for name in ("provider", "configured", "source", "missing", "last_four")}


def keep_key(exchange: Exchange, provider: str) -> tuple[str, Secret | None]:
    """Keep the key in the body for this session; return the id it is held under and the key before it.

    Raises `HttpError` where keys have no place.
    """
    _check_known(provider)
    settings = load()
    require_keys(exchange, settings)
    endpoint = settings.endpoint() if provider == ENDPOINT else None
    if provider == ENDPOINT and endpoint is None:
        raise HttpError(
            400,
            "not_configured",
            "No endpoint is set.",
            "Enter its address in Quillwork's settings, or set LLM_BASE_URL.",
        )
    id = endpoint_id(endpoint[0].text) if endpoint else provider
    before = session_keys.peek(id)
    hold_key(exchange, id)
    return id, before


def pasted_key(text: str) -> Secret:
    """The key in a pasted text. Raises `HttpError` for a text that is not a key."""
    try:
        return Secret(key_in(text))
    except ValueError as error:
        raise HttpError(400, "bad_request", str(error), "Copy the key again, on one line.") from None


def hold_key(exchange: Exchange, id: str) -> None:
    """Hold the key in the body under `id`. Raises `HttpError` for a text that is not a key."""
    try:
        session_keys.set(id, exchange.body["key"], exchange.request.headers.get(_CLIENT, "")[:100])
    except ValueError as error:
        raise HttpError(400, "bad_request", str(error), "Copy the key again, on one line.") from None


def require_keys(exchange: Exchange, settings: Settings) -> None:
    """Raise `HttpError` where keys have no place: others could spend them."""
    if not guard.allows_keys(exchange.request, exchange.host, settings):
        raise HttpError(
            403,
            "forbidden",
            "This server can be reached from other machines: anyone who can reach it could use your key.",
            f"Set the key in the environment of {program()}, or set LLM_ALLOW=remote_keys there if you "
            "want to allow this.",
        )


async def _clear_keys(exchange: Exchange) -> Answer:
    named = exchange.body.get("provider") or exchange.query.get("provider")
    _check_known(named or ENDPOINT)
    await in_thread(forget_key, named or None)
    return Answer(await in_thread(_key_status, exchange))


def forget_key(provider: str | None) -> None:
    """Forget the key of `provider`, or all keys, for this session and for good."""
    folder = load().folder
    if provider is None:
        gone: list[str | None] = [None]
    elif provider == ENDPOINT:
        gone = [name for name in kept_keys.names(folder) if name.startswith(f"{ENDPOINT} ")]
    else:
        gone = list(providers.get(provider).key_variables)
    for name in gone:
        kept_keys.forget(folder, name)
    session_keys.clear(provider)


async def _test(exchange: Exchange) -> Answer:
    wanted = exchange.body
    _check_known(wanted["provider"], "")
    settings = await in_thread(load)
    if wanted["provider"] and not wanted["llm_model"]:
        trial = await on_runner(check_provider(wanted["provider"], settings))
    else:
        model = await in_thread(check_model, wanted["llm_model"], wanted["llm_mode"], settings)
        trial = await trying_call(wanted["llm_mode"], model)
    return Answer(trial.to_json())


async def trying_call(mode: str, model: str) -> Trial:
    """Try a model with one call of a token or so, prepared in a thread and made on the runner."""
    opened = await in_thread(open_for_trial, mode, model)
    return opened if isinstance(opened, Trial) else await on_runner(call_model(opened))


async def _warm_up(exchange: Exchange) -> Answer:
    wanted = exchange.body

    def begin() -> bool:
        model = check_model(wanted["llm_model"], wanted["llm_mode"], load())
        # Nothing is sent, so it needs no consent yet.
        return warm_up(Choice(llm_mode=wanted["llm_mode"], llm_model=model, by_workflow=False))

    return Answer({"begun": await in_thread(begin)})


async def _health(exchange: Exchange) -> Answer:
    settings = await in_thread(load)
    await on_runner(catalog.listing(settings))
    return Answer(await in_thread(report, settings))


async def _unload(exchange: Exchange) -> Answer:
    local = "queued" if exchange.host.unload_local() else "none"
    return Answer({"unloaded": await on_runner(unload_used_servers()), "local": local})


_PROVIDER = text(64, default=None)
_FILTER = {
    "provider": text(64),
    "q": text(200),
    "all": flag(),
}
ROUTES = (
    Route(
        "GET",
        "llm/models",
        "open",
        "List the models to choose from.",
        _models,
        query=_FILTER,
        at_once=_at_hand,
    ),
    Route("POST", "llm/models", "change", "Refresh the models of all sources.", _refresh, query=_FILTER),
    Route("GET", "llm/providers", "open", "List the providers, and which of them are set up.", _providers),
    Route("GET", "keys", "private", "List which providers have a key; keys are never returned.", _keys),
    Route(
        "POST",
        "keys",
        "change",
        "Store a key in memory for this session, or with `keep` permanently; a key that fails its "
        "check is not stored.",
        set_key,
        body=body(
            ("provider", "key"),
            provider=_PROVIDER,
            key={"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "writeOnly": True},
            check=flag(True),
            keep=flag(),
        ),
    ),
    Route(
        "DELETE",
        "keys",
        "change",
        "Delete the key of a provider, or all keys.",
        _clear_keys,
        body=body(provider=_PROVIDER),
        query={"provider": _PROVIDER},
    ),
    Route(
        "POST",
        "test",
        "change",
        "Test a provider for free, or a model with one short call.",
        _test,
        body=body(
            provider=text(64),
            llm_model=text(300),
            llm_mode=text(60, AUTO),
        ),
    ),
    Route(
        "POST",
        "llm/warm-up",
        "change",
        "Import what the first call to a model needs, before it is called; nothing is sent.",
        _warm_up,
        body=body(llm_model=text(300), llm_mode=text(60, AUTO)),
    ),
    Route("GET", "health", "private", "Report what works, what does not, and how to fix it.", _health),
    Route("POST", "unload", "change", "Unload the language models.", _unload, body=body()),
)
