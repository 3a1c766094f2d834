"""Routes for enhancing prompts and inventing values."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any

from ....llm_backends.errors import ConsentNeeded
from ....llm_backends.model import Model
from ....llm_backends.modes import AUTO
from ....prompting.briefs.reading import UnreadableBrief, read_brief
from ....prompting.enhance import Enhanced, Idea, enhance, open_or_substitute
from ....prompting.generate_values import Invented, invent
from ....prompting.tasks import (
    CREATIVITIES,
    LARGEST_SEED,
    LONGEST_SECONDS,
    MOST_VALUES,
    MOST_VARIATIONS,
    ON_ERROR,
    VariablesTask,
)
from ....prompting.templates.missing import keep
from ..event_stream import events_of
from ..messages import Answer, EventStream, HttpError
from ..model_calls import MODEL_FIELDS, WRITING, ask, open_asked, stream
from ..names import load_target
from ..routing import Exchange, Route
from ..schema import body, flag, number, one_of, text, texts, whole
from ..threads import in_thread
from .library import open_library

_GENERAL = "general"


async def _enhance(exchange: Exchange) -> Answer | EventStream:
    wanted = exchange.body
    idea, opened = await in_thread(_prepare, exchange)
    if isinstance(opened, Enhanced):
        return Answer(_enhanced(opened))

    def work(model: Model) -> Coroutine[Any, Any, Enhanced]:
        return enhance([idea], model, wanted["on_error"])

    if wanted["stream"]:
        return EventStream(events_of(stream(exchange, opened, work, WRITING), _enhanced))
    return Answer(_enhanced(await ask(exchange, opened, work, WRITING)))


def _prepare(exchange: Exchange) -> tuple[Idea, Model | Enhanced]:
    wanted = exchange.body
    target = load_target(_GENERAL if wanted["target"] in ("", "auto") else wanted["target"])
    try:
        brief = read_brief(
            wanted["duration"], wanted["aspect"], wanted["language"], wanted["reference_roles"]
        )
    except UnreadableBrief as error:
        raise HttpError(400, "bad_request", str(error)) from None
    idea = Idea(
        wanted["prompt"],
        target,
        wanted["instruction"],
        wanted["variations"],
        wanted["seed"],
        brief=brief,
    )
    # A page asks its user for the consent.
    return idea, open_or_substitute(
        partial(open_asked, exchange, "Enhance"), [idea], wanted["on_error"], always_raise=(ConsentNeeded,)
    )


def _enhanced(enhanced: Enhanced) -> dict[str, Any]:
    return {"prompts": enhanced.prompts, "negative": enhanced.negatives, "info": enhanced.info}


async def _generate(exchange: Exchange) -> Answer:
    wanted = exchange.body
    task, model = await in_thread(_prepare_variables, exchange)
    invented = await ask(exchange, model, partial(invent, task), WRITING)
    added = await in_thread(_save, task, invented) if wanted["save"] else []
    return Answer({"values": invented.values, "added": added, "info": invented.info})


def _prepare_variables(exchange: Exchange) -> tuple[VariablesTask, Model]:
    wanted = exchange.body
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
    return task, open_asked(exchange, "Variables")


def _save(task: VariablesTask, invented: Invented) -> list[str]:
    """Add the values to the library; a failure does not lose them, and the report mentions it."""
    try:
        return keep(open_library(), task.name, invented.values, task.context)
    except ValueError as error:
        invented.info["warnings"].append(f"The values were not saved: {error}")
        return []


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
            seed=whole(0, LARGEST_SEED, 0),
            variations=whole(1, MOST_VARIATIONS, 1),
            on_error=one_of(*ON_ERROR, default="raise"),
            stream=flag(),
            duration=number(0, LONGEST_SECONDS, 0),
            aspect=text(20, AUTO),
            language=text(20, AUTO),
            reference_roles=text(2000),
            **MODEL_FIELDS,
        ),
        streams=True,
    ),
    Route(
        "POST",
        "variables/generate",
        "change",
        "Generate values for a variable; with `save` they are added to the library.",
        _generate,
        body=body(
            ("name",),
            name={"type": "string", "minLength": 1, "maxLength": 200},
            context=text(),
            count=whole(1, MOST_VALUES, 20),
            guidance=text(),
            creativity=one_of(*CREATIVITIES, default="balanced"),
            existing=texts(10_000, default=[]),
            save=flag(),
            seed=whole(0, LARGEST_SEED, 0),
            **MODEL_FIELDS,
        ),
    ),
)
