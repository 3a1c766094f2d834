"""Descriptions of pictures, and the prompts from which an image model would make them again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from ..llm_backends.errors import LLMError, NotConfigured
from ..llm_backends.model import Model
from ..llm_backends.types import Deployment, Image, Request, Result
from .answers.limits import Limits
from .answers.preview import preview
from .answers.prompt import MAX_TOKENS, SEEDS, answer_tokens, first_of, in_manner_of, read_prompt
from .answers.protect import protect
from .answers.restore import without_tags
from .answers.shapes.shape import forced, has_shape, mended, with_edges
from .describe_messages import describe_messages
from .report import report
from .targets import Target
from .tasks import NO_REFERENCE, EnhanceTask, Reference

T = TypeVar("T")

# Each text is a call: more pictures than this are probably a video that was meant as one.
MOST_PICTURES = 64
# Frames of one video that a model is shown: each of them costs as much as several hundred words.
MOST_FRAMES = 16
# In pixels. What happens in a clip is seen at half the size of a picture whose details count.
FRAME_SIDE = 512
_NOTHING_KEPT = protect("")


@dataclass(frozen=True, slots=True)
class View:
    """One question: a picture, or with several pictures the frames of one video in order.

    Without a `target` a description is wanted, with one a prompt in that model's manner. `notes` are what
    the user should know of how the pictures were prepared; `reference` is what the picture is for.
    """

    pictures: tuple[Image, ...]
    target: Target | None = None
    instruction: str = ""
    seed: int = 0
    notes: tuple[str, ...] = ()
    reference: Reference = NO_REFERENCE


@dataclass(frozen=True, slots=True)
class Described:
    """One text for each view, the report, and of its warnings those of each text.

    `is_substitute` says that a fallback stands behind some of them: such an answer is not to be kept by any
    cache.
    """

    texts: list[str]
    info: dict[str, Any]
    warnings: list[list[str]]
    is_substitute: bool = False


async def describe(
    pictures: Sequence[Image],
    model: Model,
    *,
    instruction: str = "",
    target: Target | None = None,
    seed: int = 0,
    as_video: bool = False,
) -> Described:
    """Return one text for each of `pictures` (up to `MOST_PICTURES`), all asked for at once.

    With `as_video` one text for all of them, of which `MOST_FRAMES` are shown. `instruction` says what to
    tell or asks a question, `target` is the model that a prompt is wanted for (None: describe). Raises the
    first `LLMError`; one of `errors.CannotSee` before anything is sent where the model is known to take no
    pictures.
    """
    return await describe_views(views_of(pictures, instruction, target, seed, as_video=as_video), model)


def views_of(
    pictures: Sequence[Image],
    instruction: str = "",
    target: Target | None = None,
    seed: int = 0,
    *,
    as_video: bool = False,
) -> list[View]:
    """Return the questions that `describe` asks."""
    if as_video:
        shown, note = pick_frames(pictures)
        return [View(tuple(shown), target, instruction, seed, (note,) if note else ())]
    return [View((picture,), target, instruction, seed) for picture in pictures]


def pick_frames(frames: Sequence[T]) -> tuple[list[T], str]:
    """Pick those of `frames` that a model is shown, evenly spread from the first to the last.

    Also returns the sentence for the user where not all of them are shown.
    """
    total = len(frames)
    if total <= MOST_FRAMES:
        return list(frames), ""
    places = [round(place * (total - 1) / (MOST_FRAMES - 1)) for place in range(MOST_FRAMES)]
    return [frames[place] for place in places], (
        f"The video has {total} frames; the model was shown {MOST_FRAMES} of them, evenly spread."
    )


async def describe_views(views: Sequence[View], model: Model) -> Described:
    """Answer as `describe` does, for questions that differ in more than their pictures."""
    started = time.monotonic()
    check_count(len(views) if all(view.pictures for view in views) else 0)
    answers = await model.ask(
        [_request(view) for view in views], lambda place, text: _shown(views[place], text)
    )
    warnings = [list(view.notes) for view in views]
    outcomes = [
        _finish(view, answer, model.deployment, said)
        for view, answer, said in zip(views, answers, warnings, strict=True)
    ]
    failed = [outcome for outcome in outcomes if isinstance(outcome, LLMError)]
    if failed:
        raise first_of(failed, len(views), "pictures")
    info = report(answers, model.deployment, time.monotonic() - started, chain.from_iterable(warnings))
    by_fallback = any(isinstance(answer, Result) and answer.by_fallback for answer in answers)
    return Described([str(outcome) for outcome in outcomes], info, warnings, by_fallback)


def check_count(pictures: int) -> None:
    """Raise `NotConfigured` if there are too many pictures to describe one by one."""
    if not pictures:
        raise NotConfigured("There is no image to describe.", hint="Load or connect one.")
    if pictures > MOST_PICTURES:
        raise NotConfigured(
            f"{pictures} images are too many to describe one by one.",
            hint=f"Use up to {MOST_PICTURES}, or describe them as the frames of one video.",
        )


def _shown(view: View, text: str) -> str:
    return preview(text, view.target.form if view.target else "any", view.instruction)


def _request(view: View) -> Request:
    return Request(
        messages=describe_messages(view.pictures, view.target, view.instruction, view.reference),
        max_tokens=MAX_TOKENS,
        answer_tokens=answer_tokens(view.target) if view.target else None,
        seed=view.seed % SEEDS,
    )


def _finish(
    view: View, answer: Result | LLMError, deployment: Deployment, warnings: list[str]
) -> str | LLMError:
    written = read_prompt(answer, deployment, warnings, view.target, view.instruction)
    if isinstance(written, LLMError):
        return written
    if view.target is None:
        # Lettering in a picture, or a model's invention, must bring no LoRA into a prompt.
        return without_tags(written[0])
    limits = Limits(view.target)
    warnings += [
        limits.sentence(fault, limits.remedy(fault)) for fault in limits.faults(written[0], view.instruction)
    ]
    text = written[0]
    if has_shape(view.target):
        task = EnhanceTask("", view.target)
        text = forced(mended(text, task, view.instruction), task)
    edged = with_edges(view.target, text, 0)
    return in_manner_of(edged, [text], _NOTHING_KEPT, warnings, limits, view.instruction)
