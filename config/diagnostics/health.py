"""Health checks for `doctor` and ``GET health``, each with the next step where it fails."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ... import __version__
from ...llm_backends import modes
from ...llm_backends.errors import LLMError, NotConfigured
from ...llm_backends.host import program
from ...llm_backends.observers import dispatch
from ...llm_backends.remote.litellm_sdk import presence
from ...llm_backends.system.command_line import command, installer
from ...llm_backends.types import Observer
from .. import budgets, providers, usage, ways
from ..access import plans
from ..access.session_keys import endpoint_id, session_keys
from ..model_source import unknown_mode
from ..models.catalog import Catalog, catalog
from ..opening import library_folders
from ..providers import own as own_providers
from ..settings.home import origin
from ..settings.values import Settings
from . import status

_OLDEST_PYTHON = (3, 10)
# A clock before this day fails every secure connection.
_RELEASED = 1_760_000_000
_BROKEN_LITELLM = ("1.82.7", "1.82.8")


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. `hint` says what to do where it is not `ok`."""

    name: str
    ok: bool
    message: str
    hint: str = ""


def _install() -> str:
    return f"Run `{installer()}`, then restart {program()}."


def report(settings: Settings, models: Catalog = catalog) -> dict[str, Any]:
    """All checks and the settings in effect, as JSON. Asks no server: each counts as it answered last."""
    found = list(checks(settings, models))
    environment = settings.environment()
    configured = [
        provider.id
        for provider in providers.every()
        if not provider.is_local
        and providers.key_status(provider, environment, session_keys.peek(provider.id)).configured
    ]
    effect = status.in_effect(settings)
    return {
        "status": "ok" if all(check.ok for check in found) else "attention",
        "version": __version__,
        **{name: effect[name] for name in ("mode", "model", "provider", "provider_label")},
        "providers": {"total": len(providers.names()), "configured": len(configured)},
        "plan": status.plan_name(settings),
        "usage": usage.view(settings),
        "checks": [asdict(check) for check in found],
    }


def checks(settings: Settings, models: Catalog = catalog) -> Iterator[Check]:
    """Run every check in turn; none of them raises."""
    for check in (_python, _clock, _home, _library, _litellm, _gpu, _model, _plan, _budget):
        try:
            yield check(settings)
        except LLMError as error:
            yield Check(check.__name__.strip("_").capitalize(), False, error.message, error.hint)
    yield from _own_providers()
    yield from _keys(settings)
    yield from _observers(settings)
    yield from _servers(settings, models)


def _python(settings: Settings) -> Check:
    version = platform.python_version()
    if sys.version_info < _OLDEST_PYTHON:
        return Check("Python", False, version, "Quillwork needs Python 3.10 or newer.")
    if importlib.util.find_spec("aiohttp") is None:
        return Check(
            "Python", False, f"{version}, without the package aiohttp: no server can be called.", _install()
        )
    return Check("Python", True, version)


def _clock(settings: Settings) -> Check:
    if time.time() < _RELEASED:
        today = time.strftime("%Y-%m-%d", time.gmtime())
        return Check("Clock", False, f"It is {today} by this machine's clock.", "Set the clock.")
    return Check("Clock", True, "plausible")


def _home(settings: Settings) -> Check:
    check = _writable("Files", settings.folder, "Set QUILLWORK_HOME to a folder that you can write to.")
    return replace(check, message=f"{check.message} ({origin()})") if check.ok else check


def _library(settings: Settings) -> Check:
    own, others = library_folders(settings)
    for folder in others:
        if not folder.is_dir():
            hint = "Correct it in LIBRARY_DIRS, or remove it."
            return Check("Library", False, f"{folder} is not a folder.", hint)
    return _writable("Library", own, "Set LOCAL_LIBRARY_DIR to a folder that you can write to.")


def _writable(name: str, folder: Path, hint: str) -> Check:
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK):
        return Check(name, False, f"{folder} is not writable.", hint)
    return Check(name, True, str(folder))


def _litellm(settings: Settings) -> Check:
    if reason := presence.obstacle():
        wanted = status.in_effect(settings)["transport"] == modes.LITELLM
        message = f"{reason}; providers that speak OpenAI's format are called without it."
        return Check("LiteLLM", not wanted, message, _install())
    version = importlib.metadata.version("litellm")
    if version in _BROKEN_LITELLM:
        return Check(
            "LiteLLM", False, f"{version} is a compromised release that contains malicious code.", _install()
        )
    return Check("LiteLLM", True, version)


def _gpu(settings: Settings) -> Check:
    torch = sys.modules.get("torch")  # seconds to import, so only where the host has it already
    if torch is None:
        there = shutil.which("nvidia-smi") is not None
        return Check(
            "GPU", True, "an NVIDIA driver is installed." if there else "none found; none is needed."
        )
    if not torch.cuda.is_available():
        return Check("GPU", True, f"torch {torch.__version__} finds no GPU; remote models need none.")
    free, total = torch.cuda.mem_get_info()
    return Check("GPU", True, f"{torch.cuda.get_device_name()}, {free >> 20} of {total >> 20} MB free")


def _model(settings: Settings) -> Check:
    effect = status.in_effect(settings)
    error = effect["error"]
    if error is not None:
        return Check("Model", False, error["message"], error["hint"])
    if problem := unknown_mode(settings.mode()):
        return Check("Model", False, problem)
    if modes.of(effect["mode"]).stands_in:
        return Check(
            "Model",
            True,
            f"none is set up, so the phrasebook is used. Run `{command('setup')}` to choose one.",
        )
    via = {modes.LITELLM: ", called by litellm", ways.DIRECT: ", called without litellm"}
    where = f"{effect['provider_label']}{via.get(effect['transport'], '')}"
    return Check("Model", True, f"{effect['model'] or effect['mode']} ({where})")


def _plan(settings: Settings) -> Check:
    plan = plans.in_force(settings)
    if plan is None:
        return Check("Plan", True, "none")
    return Check("Plan", not plan.problem, f"{plan.name}: {len(plan.allowed)} entries", plan.problem)


def _budget(settings: Settings) -> Check:
    budget = budgets.budget(settings)
    if budget is None:
        return Check("Budget", True, "none")
    limits = ((budget.session_usd, "a session"), (budget.day_usd, "a day"))
    return Check("Budget", True, ", ".join(f"${usd:g} {what}" for usd, what in limits if usd is not None))


def _keys(settings: Settings) -> Iterator[Check]:
    environment = settings.environment()
    for provider in providers.perhaps_callable(environment, session_keys.providers()):
        for remark in providers.remarks(provider, environment, session_keys.peek(provider.id)):
            yield Check("Keys", False, remark, f"Check {provider.key_variables[0]}; it is sent as it is.")


def _own_providers() -> Iterator[Check]:
    for fault in own_providers.faults():
        yield Check("Providers of your own", False, fault, f"Correct it in {own_providers.file()}.")
    if own := own_providers.rows():
        yield Check("Providers of your own", True, ", ".join(own))


def _observers(settings: Settings) -> Iterator[Check]:
    found, problems = budgets.read_observers(settings)
    for problem in problems:
        yield Check("Observers", False, problem.message, problem.hint)
    for observer in found:
        try:
            yield Check("Observers", True, _standing(observer))
        except NotConfigured as problem:
            yield Check("Observers", False, problem.message, problem.hint)
    if not found and not problems:
        yield Check("Observers", True, "none")


def _standing(observer: Observer) -> str:
    """The way by which calls are reported to `observer`. Raises `NotConfigured` for missing code."""
    if ":" in observer.name:
        dispatch.load(observer.name)
        return observer.name
    where = f"{observer.name} at {observer.base_url}"
    if observer.name == "langfuse" and importlib.util.find_spec("langfuse") is None:
        return f"{where}; its package is not installed, so Quillwork reports litellm's calls as well."
    return where


def _servers(settings: Settings, models: Catalog) -> Iterator[Check]:
    states = {id: state for id, state in models.state_of(settings).items() if state.state != "off"}
    if settings.endpoint() is None and not states:
        yield Check("Endpoint", True, "none is set.")
    for state in states.values():
        name = "Endpoint" if state.id == "endpoint" else state.label
        message = f"{state.label} lists {state.count} models." if state.state == "ok" else state.message
        if state.id == "endpoint":
            message += f" ({_endpoint_origin(settings)})"
        yield Check(name, state.state == "ok", message, state.hint)


def _endpoint_origin(settings: Settings) -> str:
    """The layer of settings that named the endpoint, and the one whose key it gets."""
    endpoint = settings.endpoint()
    assert endpoint is not None
    address, key = endpoint
    if session_keys.peek(endpoint_id(address.text)) is not None:
        key_text = "key set for this session"
    else:
        source = settings.key_origin(key)
        key_text = {"environment": "key from there as well", "kept": "key kept"}.get(source, "no key")
    return f"address from {address.origin}; {key_text}"
