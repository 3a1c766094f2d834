"""Run of Describe Image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comfy_api.latest import io

from ...config.choice import Choice
from ...config.settings.home import targets_folder
from ...llm_backends.errors import LLMError
from ...prompting import targets
from ...prompting.briefs.references import read_jobs
from ...prompting.describe import FRAME_SIDE, Described, View, check_count, describe_views, pick_frames
from .. import inputs
from ..host.images import encode_frame, frames_in
from ..host.port import PromptOver
from .running import Run, answer, frozen_lists, no_call_info, record_of, report_json


async def look(
    node: Any,
    *,
    image: Any,
    instruction: Any,
    target: Any,
    seed: Any,
    choice: Choice,
    frozen: str | None,
    as_video: bool,
    reference_roles: Any = None,
) -> io.NodeOutput:
    """Return the node's outputs.

    Inputs that the node takes as lists come as lists; `frozen` is None unless it is to be the answer.
    """
    run = Run(node)
    first_seed = inputs.one(seed, 0)
    if frozen is not None:
        return _frozen(run, frozen, first_seed)
    try:
        model = run.open_model(choice)
        frames = frames_in(inputs.every(image))
        views = _views(frames, instruction, target, seed, as_video)
        if not as_video:
            jobs = read_jobs(inputs.one(reference_roles, "") or "", len(views))
            views = [replace(view, reference=job) for view, job in zip(views, jobs, strict=True)]
    except LLMError as error:
        raise error.with_traceback(None) from None
    try:
        described = await run.perform(describe_views(views, model), model)
    except PromptOver:
        return io.NodeOutput([], "")
    return _answer(run, described, first_seed)


def _views(frames: list[Any], instruction: Any, target: Any, seed: Any, as_video: bool) -> list[View]:
    if as_video:
        shown, note = pick_frames(frames)
        pictures = tuple(encode_frame(frame, FRAME_SIDE) for frame in shown)
        notes = (note,) if note else ()
        return [_view(pictures, instruction, target, seed, 0, notes)]
    check_count(len(frames))
    return [
        _view((encode_frame(frame),), instruction, target, seed, place) for place, frame in enumerate(frames)
    ]


def _view(
    pictures: tuple[Any, ...],
    instruction: Any,
    target: Any,
    seed: Any,
    place: int,
    notes: tuple[str, ...] = (),
) -> View:
    name = inputs.at(target, place, inputs.AUTO)
    return View(
        pictures,
        None if name == inputs.AUTO else targets.load(name, targets_folder()),
        inputs.at(instruction, place, ""),
        inputs.at(seed, place, 0),
        notes,
    )


def _answer(run: Run, described: Described, seed: int) -> io.NodeOutput:
    record = record_of("describe", described.texts, described.info, seed, frozen={"text": described.texts})
    run.note(record, described.is_substitute)
    return answer(record, described.info, described.texts, report_json(described.info))


def _frozen(run: Run, text: str, seed: int) -> io.NodeOutput:
    texts = frozen_lists(text, "text")["text"]
    info = no_call_info("frozen")
    record = record_of("describe", texts, info, seed, frozen={"text": texts})
    run.note(record)
    return answer(record, info, texts, report_json(info))
