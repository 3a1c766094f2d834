"""Routes for settings and consent."""

from __future__ import annotations

import re
from typing import Any

from ....config.access import consent
from ....config.choice import ROLE_VARIABLES, Choice
from ....config.diagnostics import status
from ....config.settings import panel
from ....config.settings.values import Settings, load, override
from ....config.settings.variables import VARIABLES
from ....config.warm_up import warm_up
from ....llm_backends import modes, registry
from ....llm_backends.host import program
from .. import schema
from ..messages import Answer, HttpError
from ..names import check_model
from ..routing import Exchange, Route
from ..schema import body, flag
from ..threads import in_thread

_WRITABLE = tuple(name for name, variable in VARIABLES.items() if variable.writable)
_OF_THE_MODEL = {"LLM_MODE", *ROLE_VARIABLES.values(), "LLM_MODEL"}
_LONGEST_MS = 24 * 3600 * 1000


async def _show(exchange: Exchange) -> Answer:
    return Answer(await in_thread(lambda: status.config_view(load())))


async def _change(exchange: Exchange) -> Answer:
    return Answer(await in_thread(apply_settings, exchange.body["settings"], exchange.body["persist"]))


def apply_settings(wanted: dict[str, Any], persist: bool) -> dict[str, Any]:
    """Apply all of the wanted settings or none."""
    settings = load()
    changes = {name: _checked(name, value, wanted, settings) for name, value in wanted.items()}
    if persist:
        panel.write_panel(settings.folder, changes)
    for name, text in changes.items():
        override(name, text)
    if not _OF_THE_MODEL.isdisjoint(changes):
        warm_up(Choice(by_workflow=False))
    return status.config_view(load())


def _checked(name: str, value: Any, wanted: dict[str, Any], settings: Settings) -> str | None:
    if name not in VARIABLES:
        raise HttpError(
            400,
            "bad_request",
            f"There is no setting {name[:60]!r}.",
            f"The settings are: {', '.join(_WRITABLE)}.",
        )
    if not VARIABLES[name].writable:
        raise HttpError(
            403,
            "read_only",
            f"{name} cannot be changed from here.",
            f"Set it in the environment of {program()}.",
        )
    if value is None:
        return None
    if VARIABLES[name].kind == "number":
        return _number(name, value)
    if not isinstance(value, str):
        raise HttpError(400, "bad_request", f"{name} only accepts text.", "Send a text, or null to reset it.")
    text: str = value.strip()
    if name == "LLM_MODE":
        if modes.spelled(text) not in registry.choices():
            raise HttpError(
                400,
                "bad_request",
                f"There is no mode {text[:60]!r}.",
                f"Choose one of {', '.join(registry.choices())}.",
            )
        return text
    mode = wanted.get("LLM_MODE") or settings.mode().text
    return check_model(text, mode if isinstance(mode, str) else "", settings) or None


def _number(name: str, value: Any) -> str:
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= _LONGEST_MS:
        raise HttpError(400, "bad_request", f"{name} is not a whole number from 1 to {_LONGEST_MS}.", "")
    return str(int(text))


async def _consent(exchange: Exchange) -> Answer:
    def allow() -> list[str]:
        settings = load()
        if not consent.can_be_given(exchange.body["what"]):
            raise HttpError(400, "bad_request", "There is nothing of that name to allow.", "")
        consent.allow(exchange.body["what"], settings.folder)
        return status.allowed(settings)

    return Answer({"allowed": await in_thread(allow)})


ROUTES = (
    Route("GET", "config", "private", "Return every setting, its value and where it comes from.", _show),
    Route(
        "POST",
        "config",
        "change",
        "Change settings until the next restart, or permanently.",
        _change,
        body=body(
            ("settings",),
            settings={
                "type": "object",
                "maxProperties": 50,
                "additionalProperties": {"type": ["string", "integer", "null"], "maxLength": 300},
            },
            persist=flag(),
        ),
    ),
    Route(
        "POST",
        "consent",
        "change",
        "Allow something that a shared workflow asks for.",
        _consent,
        body=body(("what",), what=schema.text(4096, default=None)),
    ),
)
