"""Trials of the configuration: a provider's key for free, or a model with one very short call."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from ...llm_backends.errors import BackendUnavailable, LLMError, NotConfigured
from ...llm_backends.host import program
from ...llm_backends.model import Model, Sampling
from ...llm_backends.remote.addresses import api_base, route
from ...llm_backends.remote.model_list import fetch_json
from ...llm_backends.types import Message, Request, Result
from .. import providers
from ..access.session_keys import ENDPOINT, endpoint_id, session_keys
from ..choice import Choice
from ..models.servers import NO_LIST, ask_provider, endpoint_label, list_url
from ..opening import open_model
from ..settings.values import Settings

_PATIENCE_S = 5.0
# Some models refuse to be asked for one token.
_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Trial:
    """The outcome of a trial. `ok` is None where there was no way to tell for free; `called` says that a
    model was called; `models` is the number listed; `type` is the error's type."""

    ok: bool | None
    message: str
    hint: str = ""
    called: bool = False
    models: int | None = None
    seconds: float = 0.0
    cost_usd: float | None = None
    type: str = ""

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


async def check_provider(id: str, settings: Settings) -> Trial:
    """Check for free that `id` (a provider's, or ``endpoint``) answers and takes the key; on the runner.
    What is odd about the key stands in the hint."""
    trial = await _answered(id, settings)
    remarks = _remarks(id, settings)
    return replace(trial, hint=f"{remarks} {trial.hint}".strip()) if remarks else trial


async def _answered(id: str, settings: Settings) -> Trial:
    started = time.monotonic()
    try:
        count, label = await _ask(id, settings)
    except LLMError as error:
        if id == ENDPOINT or error.status not in NO_LIST:
            return _failed(error, time.monotonic() - started)
        # A provider without a list of models says nothing about the key.
        count, label = None, None
    seconds = round(time.monotonic() - started, 3)
    if label is None:
        return Trial(
            None,
            "This provider cannot be checked for free.",
            "Test a model instead: that takes one short call.",
            seconds=seconds,
        )
    message = f"{label} accepts the key." if count is None else f"{label} lists {count} models."
    return Trial(True, message, models=count, seconds=seconds)


def _remarks(id: str, settings: Settings) -> str:
    if id == ENDPOINT:
        return ""
    try:
        provider = providers.get(id)
        return " ".join(providers.remarks(provider, settings.environment(), session_keys.peek(provider.id)))
    except LLMError:
        return ""  # the trial has said what is wrong


async def _ask(id: str, settings: Settings) -> tuple[int | None, str | None]:
    """Ask for the list of models: (their number, the server's name); None for each where it is unknown."""
    if id == ENDPOINT:
        endpoint = settings.endpoint()
        if endpoint is None:
            raise NotConfigured(
                "No endpoint is set.", hint="Enter its address in Quillwork's settings, or set LLM_BASE_URL."
            )
        address, key = endpoint
        url = route(api_base(address.text), "/models")
        answer = await fetch_json(
            url, session_keys.peek(endpoint_id(address.text)) or key, "LLM_API_KEY", patience_s=_PATIENCE_S
        )
        return _count(answer), endpoint_label(address.text)
    provider = providers.get(id)
    access = providers.preflight(provider, settings.environment(), session_keys.peek(provider.id))
    if provider.check_path is None:
        return None, None
    if provider.check_path == provider.list_path:
        return len(await ask_provider(provider, access, _PATIENCE_S)), provider.label
    await fetch_json(
        list_url(access.base_url, provider.check_path),
        access.api_key,
        access.key_variable or provider.key_variables[0],
        style=provider.list_style,
        label=provider.label,
        patience_s=_PATIENCE_S,
    )
    return None, provider.label


def _count(answer: Any) -> int | None:
    rows = answer.get("data") if isinstance(answer, dict) else answer
    return len(rows) if isinstance(rows, list) else None


def open_for_trial(mode: str, model: str) -> Model | Trial:
    """Open the model to call; a failed trial where it cannot be opened.
    The user asks for the call in person."""
    try:
        opened = open_model(
            Choice(llm_mode=mode, llm_model=model, retries=0, by_workflow=False), caller="Test of a model"
        )
    except LLMError as error:
        return _failed(error, 0.0)
    if opened.runs_in_place:
        return _failed(
            BackendUnavailable(
                f"{opened.deployment.name} runs inside {program()} and cannot be tested from here.",
                hint="Run a node that uses it.",
            ),
            0.0,
        )
    return Model(opened.deployment, Sampling(max_tokens=_TOKENS), caller=opened.caller)


async def call_model(model: Model) -> Trial:
    """Call `model` once, on the runner."""
    started = time.monotonic()
    (outcome,) = await model.ask([Request((Message("user", "Answer with the one word OK."),))])
    seconds = time.monotonic() - started
    if isinstance(outcome, Result):
        return Trial(
            True,
            f"{model.deployment.name} works.",
            called=True,
            seconds=round(seconds, 3),
            cost_usd=outcome.usage.cost_usd,
        )
    return _failed(outcome, seconds, called=True)


def _failed(error: LLMError, seconds: float, *, called: bool = False) -> Trial:
    return Trial(False, error.message, error.hint, called=called, seconds=round(seconds, 3), type=error.type)
