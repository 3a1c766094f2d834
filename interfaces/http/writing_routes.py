"""Enhancing prompts and inventing values."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...config.choice import Choice
from ...config.home import targets_folder
from ...config.opening import open_model
from ...config.settings import load
from ...llm_backends.errors import BackendUnavailable, LLMError
from ...llm_backends.live import LiveText
from ...llm_backends.model import Model
from ...llm_backends.runner import runner
from ...prompting import targets
from ...prompting.enhance import Enhanced, Idea, enhance, enhance_without_model
from ...prompting.missing import keep
from ...prompting.tasks import VariablesTask
from ...prompting.variables import Invented, invent
from .library_routes import open_library
from .messages import Answer, EventStream, HttpError
from .names import check_model
from .offload import in_thread, on_runner
from .routing import Exchange, Route
from .schema import body, flag, one_of, text, texts, whole
from .streaming import events_of

_GENERAL = "general"
_LARGEST_SEED = 0xFFFFFFFFFFFFFFFF
MOST_AT_ONCE = 16
_places = threading.BoundedSemaphore(MOST_AT_ONCE)


async def _enhance(exchange: Exchange) -> Answer | EventStream:
    wanted = exchange.body
    live = LiveText()
    idea, model = await in_thread(_prepare, wanted, live)
    if isinstance(model, LLMError):
        enhanced = enhance_without_model([idea], model, wanted["on_error"])
        return Answer(_enhanced(enhanced))
    work = _enhance_and_tell(idea, model, wanted["on_error"])
    if wanted["stream"]:
        _take_place(work)
        return EventStream(events_of(runner.submit(work), live, _places.release))
    with _place(work):
        return Answer(await on_runner(work))


def _prepare(wanted: Any, live: LiveText) -> tuple[Idea, Model | LLMError]:
    try:
        target = targets.load(
            _GENERAL if wanted["target"] in ("", "auto") else wanted["target"], targets_folder()
        )
    except targets.UnknownTarget as error:
        raise HttpError(400, "unknown_target", str(error), "") from None
    except ValueError as error:
        raise HttpError(400, "broken_target", str(error), "") from None
    idea = Idea(wanted["prompt"], target, wanted["instruction"], wanted["variations"], wanted["seed"])
    try:
        return idea, _open(wanted, live, "POST enhance")
    except LLMError as error:
        if wanted["on_error"] == "raise" or error.type == "consent_needed":
            raise
        return idea, error


def _open(wanted: Any, live: LiveText, caller: str) -> Model:
    """The model that was asked for. What comes over HTTP may come out of somebody else's workflow."""
    name = check_model(wanted["llm_model"], wanted["llm_mode"], load())
    model = open_model(Choice(llm_mode=wanted["llm_mode"], llm_model=name), live, caller=caller)
    if model.runs_in_place:
        raise BackendUnavailable(
            f"{model.deployment.name} runs in the host itself, one job after the other, and not from here.",
            hint="Use an Enhance Prompt node, or choose a server or a provider.",
        )
    return model


async def _enhance_and_tell(idea: Idea, model: Model, on_error: Any) -> dict[str, Any]:
    return _enhanced(await enhance([idea], model, on_error))


def _enhanced(enhanced: Enhanced) -> dict[str, Any]:
    return {"prompts": enhanced.prompts, "negative": enhanced.negatives, "info": enhanced.info}


async def _generate(exchange: Exchange) -> Answer:
    wanted = exchange.body
    live = LiveText()
    task, model = await in_thread(_prepare_variables, wanted, live)
    work = invent(task, model)
    with _place(work):
        invented = await on_runner(work)
    added = await in_thread(_save, task, invented) if wanted["save"] else []
    return Answer({"values": invented.values, "added": added, "info": invented.info})


def _prepare_variables(wanted: Any, live: LiveText) -> tuple[VariablesTask, Model]:
    existing = list(wanted["existing"])
    if wanted["save"]:
        library = open_library()
        existing += library.values(wanted["name"]) if library.exists(wanted["name"]) else ()
    task = VariablesTask(
        name=wanted["name"],
        count=wanted["count"],
        context=wanted["context"],
        guidance=wanted["guidance"],
        creativity=wanted["creativity"],
        existing=tuple(existing),
        seed=wanted["seed"],
    )
    return task, _open(wanted, live, "POST variables/generate")


def _save(task: VariablesTask, invented: Invented) -> list[str]:
    """Add the values to the library; they are not lost when that fails, and the report says so."""
    try:
        return keep(open_library(), task.name, invented.values, task.context)
    except ValueError as error:
        invented.info["warnings"].append(f"The values were not saved: {error}")
        return []


def _take_place(work: Any) -> None:
    if not _places.acquire(blocking=False):
        work.close()
        raise HttpError(
            429, "busy", f"{MOST_AT_ONCE} calls are under way already.", "Wait until one of them is done."
        )


@contextmanager
def _place(work: Any) -> Iterator[None]:
    _take_place(work)
    try:
        yield
    finally:
        _places.release()


_MODEL = {"llm_mode": text(60, "auto"), "llm_model": text(300)}
ROUTES = (
    Route(
        "POST",
        "enhance",
        "change",
        "Turn an idea into prompts; with `stream` as server-sent events token, complete, error.",
        _enhance,
        body=body(
            ("prompt",),
            prompt={"type": "string", "maxLength": 100_000},
            instruction=text(),
            target=text(200, "auto"),
            seed=whole(0, _LARGEST_SEED, 0),
            variations=whole(1, 64, 1),
            on_error=one_of("raise", "passthrough", "phrasebook", default="raise"),
            stream=flag(),
            **_MODEL,
        ),
    ),
    Route(
        "POST",
        "variables/generate",
        "change",
        "Invent values for a variable, and keep them with `save`.",
        _generate,
        body=body(
            ("name",),
            name={"type": "string", "minLength": 1, "maxLength": 200},
            context=text(),
            count=whole(1, 200, 20),
            guidance=text(),
            creativity=one_of("similar", "balanced", "creative", default="balanced"),
            existing=texts(10_000, default=[]),
            save=flag(),
            seed=whole(0, _LARGEST_SEED, 0),
            **_MODEL,
        ),
    ),
)
