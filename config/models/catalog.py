"""The catalogue of models, from every server, folder and table that lists some.

All servers are asked at once, each with its own time limit: one that hangs does not delay the others. Answers
are kept for five minutes; a server that is down is still listed with its last answer, and where none ever
answered there are the packaged suggestions.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...llm_backends import modes
from ...llm_backends.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    LLMError,
    PermissionDenied,
    TimedOut,
)
from ...llm_backends.remote.litellm_sdk import presence
from ...llm_backends.types import Plan
from .. import providers, ways
from ..access import plans
from ..access.session_keys import ENDPOINT, SessionKeys, session_keys
from ..providers.table import Provider
from ..settings.values import Settings
from . import entries
from .entries import ModelEntry
from .servers import NO_LIST, Server, servers

TTL_S = 300.0
# One that failed is asked again sooner.
_RETRY_S = 30.0
_MODEL_VARIABLES = ("LLM_MODEL", "LLM_MODEL_PROMPT_GEN", "LLM_MODEL_CHAT")


@dataclass(frozen=True, slots=True)
class SourceState:
    """The state of one server. `state` is ok, stale (down, its last answer is shown), down, refused (the
    key), or off (a local server that was not configured and does not run); `message` and `hint` say why."""

    id: str
    label: str
    state: str
    message: str = ""
    hint: str = ""
    count: int = 0

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The catalogue at one moment: the same object as long as nothing changes.
    `cached_at` are Unix seconds, None where no server has answered yet."""

    models: tuple[ModelEntry, ...]
    sources: tuple[SourceState, ...]
    cached_at: float | None
    plan: Plan | None = None

    @property
    def stale(self) -> bool:
        return any(source.state == "stale" for source in self.sources)

    def select(self, *, provider: str = "", words: str = "", everything: bool = False) -> list[ModelEntry]:
        """The models of `provider` in whose id or label all of `words` are found; models that cannot be
        called now only with `everything`."""
        wanted = words.casefold().split()
        return [
            model
            for model in self.models
            if (everything or model.configured)
            and (not provider or model.provider == provider)
            and all(word in f"{model.id} {model.label} {model.provider_label}".casefold() for word in wanted)
        ]

    def to_json(self, *, provider: str = "", words: str = "", everything: bool = False) -> dict[str, Any]:
        """The selection as JSON, with the catalogue's state for programs."""
        models = self.select(provider=provider, words=words, everything=everything)
        return {
            "models": [model.to_json() for model in models],
            "sources": [source.to_json() for source in self.sources],
            "cached_at": self.cached_at,
            "stale": self.stale,
            "plan": self.plan.name if self.plan else None,
        }


@dataclass
class _Kept:
    """A server's last answer, and its errors since. Times are `time.monotonic`'s."""

    asked: float
    models: list[ModelEntry] | None = None
    answered_at: float | None = None
    error: LLMError | None = None


@dataclass
class Catalog:
    """The catalogue of a process. `listing` on the runner's loop; the rest anywhere."""

    find_servers: Callable[[Settings, SessionKeys], Sequence[Server]] = servers
    keys: SessionKeys = field(default_factory=lambda: session_keys)
    ttl_s: float = TTL_S

    def __post_init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._last: tuple[Any, Listing] | None = None

    async def listing(self, settings: Settings, *, refresh: bool = False) -> Listing:
        """The models under `settings`. Waits for servers that have not been asked yet, two seconds at most;
        with `refresh` all are asked again. Never raises for a server's sake."""
        asked = await asyncio.to_thread(self.find_servers, settings, self.keys)
        first = [server for server in asked if refresh or self._kept.get(server.identity) is None]
        for server in asked:
            if server in first or self._is_due(server):
                self._begin(server)
        waiting = [self._asking[server.identity] for server in first if server.identity in self._asking]
        if waiting:
            await asyncio.wait(waiting)
        return await asyncio.to_thread(self._assemble, settings, asked, refresh)

    def at_hand(self, settings: Settings) -> Listing | None:
        """The models under `settings` where no server needs to be asked anew. Reads files."""
        asked = self.find_servers(settings, self.keys)
        if any(self._is_due(server) for server in asked):
            return None
        return self._assemble(settings, asked, False)

    def as_known(self, settings: Settings) -> Listing:
        """The models under `settings` as far as they are known by now. Asks no server; reads files."""
        return self._assemble(settings, self.find_servers(settings, self.keys), False)

    def entry_of(self, server: str, model_id: str) -> ModelEntry | None:
        """The entry by which `server` (a provider's id, or the endpoint) listed the model `model_id`; None
        where it was not asked or did not know it. Two servers may call different models alike."""
        with self._lock:
            kept = list(self._kept.values())
        listed = (model for last in kept for model in last.models or ())
        return next((model for model in listed if model.id == model_id and model.provider == server), None)

    def state_of(self, settings: Settings) -> dict[str, SourceState]:
        """The state of each server at its last request; those never asked are missing."""
        return {state.id: state for state in self._states(self.find_servers(settings, self.keys))}

    def forget(self) -> None:
        """Forget all answers: the next look asks every server anew."""
        with self._lock:
            self._kept.clear()

    def _is_due(self, server: Server) -> bool:
        kept = self._kept.get(server.identity)
        if kept is None:
            return True
        return time.monotonic() - kept.asked > (self.ttl_s if kept.error is None else _RETRY_S)

    def _begin(self, server: Server) -> None:
        task = self._asking.get(server.identity)
        if task is None or task.done():
            task = asyncio.get_running_loop().create_task(self._ask(server))
            self._asking[server.identity] = task
            task.add_done_callback(lambda _: self._asking.pop(server.identity, None))

    async def _ask(self, server: Server) -> None:
        before = self._kept.get(server.identity) or _Kept(0.0)
        try:
            models = await asyncio.wait_for(server.ask(), server.patience_s)
            kept = _Kept(time.monotonic(), models, time.time())
        except (TimeoutError, asyncio.TimeoutError):
            silent = TimedOut(f"{server.label} did not answer within {server.patience_s:g} s.", hint="")
            kept = _Kept(time.monotonic(), before.models, before.answered_at, silent)
        except LLMError as error:
            error = error.with_traceback(None)
            kept = _Kept(time.monotonic(), before.models, before.answered_at, error)
        with self._lock:
            self._kept[server.identity] = kept
            while len(self._kept) > 100:
                self._kept.pop(next(iter(self._kept)))

    def _states(self, asked: Iterable[Server]) -> list[SourceState]:
        with self._lock:
            kept = dict(self._kept)
        found = []
        for server in asked:
            last = kept.get(server.identity)
            if last is not None:
                found.append(_state(server, last))
        return found

    def _assemble(self, settings: Settings, asked: Sequence[Server], refresh: bool) -> Listing:
        with self._lock:
            kept = [
                (server, self._kept[server.identity]) for server in asked if server.identity in self._kept
            ]
        plan, folders = plans.in_force(settings), entries.in_folders(refresh=refresh)
        answers = tuple((server.identity, last.asked) for server, last in kept)
        keys = tuple(self.keys.providers())
        mark = (settings.signature(), answers, keys, plan, tuple(folders), presence.obstacle())
        last_made = self._last
        if last_made is None or last_made[0] != mark:
            last_made = self._last = (mark, self._make(settings, asked, kept, folders, plan))
        return last_made[1]

    def _make(
        self,
        settings: Settings,
        asked: Sequence[Server],
        kept: Sequence[tuple[Server, _Kept]],
        folders: Sequence[ModelEntry],
        plan: Plan | None,
    ) -> Listing:
        listed: list[ModelEntry] = []
        for _, last in kept:
            if last.models and not _is_refused(last):
                listed += [replace(model, stale=True) for model in last.models] if last.error else last.models
        refused = {server.id for server, last in kept if _is_refused(last)}
        without = {server.id for server, last in kept if _has_no_list(server, last)}
        endpoint = next((server.label for server in asked if server.id == ENDPOINT), "")
        listed += [*folders, *self._unasked(settings, refused, without, endpoint)]
        direct = ways.called_directly(settings, self.keys)
        listed = [_as_chosen(model, bool(endpoint), direct) for model in listed]
        models = _in_plan(_distinct(listed), plan, plans.shows_locked(settings))
        answers = [last.answered_at for _, last in kept if last.answered_at is not None]
        return Listing(
            tuple(sorted(models, key=_order)), tuple(self._states(asked)), max(answers, default=None), plan
        )

    def _unasked(
        self, settings: Settings, refused: set[str], without: set[str], endpoint: str
    ) -> Iterable[ModelEntry]:
        """Models that need no request: the settings' own, the packaged ones, the built-in ones. Of a provider
        that has no list all that are known are packaged, of the others a few suggestions."""
        for name in _MODEL_VARIABLES:
            text = settings.text(name)
            entry = entries.from_settings(text, endpoint) if text else None
            if entry is not None:
                yield entry
        environment = settings.environment()
        for provider in providers.every():
            if not (provider.models or provider.lists_packaged or provider.id in without):
                continue
            status = providers.key_status(provider, environment, self.keys.peek(provider.id))
            # A local server has what it lists, and nothing else.
            callable_now = status.configured and not provider.is_local
            everything = callable_now and (provider.lists_packaged or provider.id in without)
            callable_now = callable_now and provider.id not in refused
            yield from entries.packaged(provider, callable_now, everything=everything)
        yield from entries.built_in()


def _state(server: Server, last: _Kept) -> SourceState:
    count = len(last.models or ())
    if last.error is None:
        return SourceState(server.id, server.label, "ok", count=count)
    message, hint = last.error.message, last.error.hint
    if _is_refused(last):
        return SourceState(server.id, server.label, "refused", message, hint)
    if _has_no_list(server, last) or (last.models is None and server.is_optional and _is_absent(last)):
        return SourceState(server.id, server.label, "off", message, hint)
    state = "down" if last.models is None else "stale"
    return SourceState(server.id, server.label, state, message, hint, count)


def _as_chosen(model: ModelEntry, beside_endpoint: bool, direct: Mapping[str, Provider]) -> ModelEntry:
    """`model` with its transport and the id that chooses it; beside an endpoint plain ids are its own."""
    if model.transport != modes.LITELLM or not (beside_endpoint or model.provider in direct):
        return model
    row = direct.get(model.provider)
    is_direct = row is not None and row.speaks_openai(model.id.partition("/")[2])
    return replace(
        model,
        id=ways.at_provider(model.id) if beside_endpoint else model.id,
        transport=ways.DIRECT if is_direct else model.transport,
    )


def _is_refused(last: _Kept) -> bool:
    return isinstance(last.error, (AuthenticationFailed, PermissionDenied))


def _has_no_list(server: Server, last: _Kept) -> bool:
    failed = last.error is not None and last.error.status in NO_LIST
    return failed and last.models is None and server.id != ENDPOINT


def _is_absent(last: _Kept) -> bool:
    return isinstance(last.error, (ConnectionFailed, TimedOut))


def _distinct(models: Iterable[ModelEntry]) -> list[ModelEntry]:
    """Keep each id once: the first source is believed, but a suggestion stays one."""
    found: dict[str, ModelEntry] = {}
    for model in models:
        known = found.setdefault(model.id, model)
        if model.suggested and not known.suggested:
            found[model.id] = replace(known, suggested=True)
    return list(found.values())


def _in_plan(models: list[ModelEntry], plan: Plan | None, shows_locked: bool) -> list[ModelEntry]:
    if plan is None:
        return models
    allowed = []
    for model in models:
        if not modes.of(model.transport).answers_messages or plan.allows(model.plan_id):
            allowed.append(model)
        elif shows_locked:
            allowed.append(replace(model, locked=True))
    return allowed


def _order(model: ModelEntry) -> tuple[Any, ...]:
    """The sort key: callable providers first, the stand-in mode last, suggestions before the rest."""
    return (
        modes.of(model.transport).stands_in,
        not model.configured,
        model.provider_label.casefold(),
        model.locked,
        not model.suggested,
        model.label.casefold(),
        model.id,
    )


catalog = Catalog()
