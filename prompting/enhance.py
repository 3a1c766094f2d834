"""Enhancement of ideas into prompts for a target: a call for each variation of each idea, all at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..llm_backends.errors import LLMError, NotConfigured
from ..llm_backends.model import Model
from ..llm_backends.types import Deployment, Image, Request, Result
from .answers.clean import split_negative
from .answers.prompt import MAX_TOKENS, SEEDS, first_of, in_manner_of, read_prompt
from .answers.protect import Protected, protect
from .messages import enhance_messages
from .report import report
from .targets import Target, fit_negative
from .tasks import MOST_VARIATIONS, EnhanceTask, OnError


@dataclass(frozen=True, slots=True)
class Idea:
    """One prompt of the user's, to be enhanced `variations` times (1 to 64).

    The variations begin with number `first` (from 0). With `from_nothing` an empty prompt is no error: the
    model invents one.
    """

    prompt: str
    target: Target
    instruction: str = ""
    variations: int = 1
    seed: int = 0
    first: int = 0
    from_nothing: bool = False


@dataclass(frozen=True, slots=True)
class Enhanced:
    """Prompts, as many negatives, and the report.

    `is_substitute` says that an error stands behind some of them: no cache is to keep such an answer.
    """

    prompts: list[str]
    negatives: list[str]
    info: dict[str, Any]
    is_substitute: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """One variation of one idea under way."""

    idea: Idea
    task: EnhanceTask
    protected: Protected
    picture: Image | None = None
    warnings: list[str] = field(default_factory=list)


async def enhance(
    ideas: Sequence[Idea],
    model: Model,
    on_error: OnError = "raise",
    pictures: Sequence[Image] = (),
) -> Enhanced:
    """Enhance all `ideas`; prompts come idea by idea, variation by variation.

    `pictures` are none, or one for each idea, for the model to look at.

    With `on_error` ``raise`` the first error is raised (an `LLMError`); else the idea itself, or the
    phrasebook's version of it, stands where an answer is missing, and ``info["warnings"]`` says why.
    """
    started = time.monotonic()
    pieces = _pieces(ideas, pictures)
    answers = await model.ask([_request(piece) for piece in pieces])
    outcomes = [
        _finish(piece, answer, model.deployment) for piece, answer in zip(pieces, answers, strict=True)
    ]
    return _gather(pieces, outcomes, answers, model.deployment, on_error, started)


def enhance_without_model(ideas: Sequence[Idea], error: LLMError, on_error: OnError) -> Enhanced:
    """Return what `enhance` returns when there is no model to ask because of `error`.

    Raises `error` where `on_error` says so.
    """
    pieces = _pieces(ideas, ())
    return _gather(pieces, [error] * len(pieces), [], None, on_error, time.monotonic())


def _pieces(ideas: Sequence[Idea], pictures: Sequence[Image]) -> list[_Piece]:
    pieces = []
    for place, idea in enumerate(ideas):
        if not 1 <= idea.variations <= MOST_VARIATIONS:
            raise NotConfigured(f"variations is {idea.variations}.", hint=f"Choose 1 to {MOST_VARIATIONS}.")
        protected = protect(idea.prompt)
        if not protected.text and not idea.instruction.strip() and not idea.from_nothing:
            raise NotConfigured("The prompt is empty.", hint="Write an idea, or at least an instruction.")
        last = idea.first + idea.variations
        for variation in range(idea.first, last):
            task = EnhanceTask(
                prompt=protected.text,
                target=idea.target,
                instruction=idea.instruction,
                variation=variation,
                variations=last,
                seed=(idea.seed + variation) % SEEDS,
            )
            pieces.append(_Piece(idea, task, protected, pictures[place] if pictures else None))
    return pieces


def _request(piece: _Piece) -> Request:
    return Request(
        messages=enhance_messages(piece.task, piece.protected, piece.picture),
        max_tokens=MAX_TOKENS,
        seed=piece.task.seed,
        task=piece.task,
    )


def _finish(piece: _Piece, answer: Result | LLMError, deployment: Deployment) -> tuple[str, str] | LLMError:
    """Return (prompt, negative) from an answer, or the error that the answer is or amounts to."""
    written = read_prompt(answer, deployment, piece.warnings)
    return written if isinstance(written, LLMError) else _dress(piece, *written)


def _dress(piece: _Piece, text: str, negative: str) -> tuple[str, str]:
    target = piece.idea.target
    prompt = in_manner_of(target, text, piece.protected)
    return prompt, fit_negative(target, piece.idea.prompt, negative)


def _gather(
    pieces: Sequence[_Piece],
    outcomes: Sequence[tuple[str, str] | LLMError],
    answers: Sequence[Result | LLMError],
    deployment: Deployment | None,
    on_error: OnError,
    started: float,
) -> Enhanced:
    failed = [outcome for outcome in outcomes if isinstance(outcome, LLMError)]
    if failed and on_error == "raise":
        raise first_of(failed, len(pieces), "prompts")
    warnings = [warning for piece in pieces for warning in piece.warnings]
    if failed:
        instead = (
            "your prompt stands as it was" if on_error == "passthrough" else "the phrasebook wrote instead"
        )
        share = f"{len(failed)} of {len(pieces)} failed, " if len(pieces) > 1 else ""
        warnings += [f"{error} ({share}{instead})" for error in _distinct(failed)]
    pairs = [
        _substitute(piece, on_error) if isinstance(outcome, LLMError) else outcome
        for piece, outcome in zip(pieces, outcomes, strict=True)
    ]
    results = [answer for answer in answers if isinstance(answer, Result)]
    info = report(answers, deployment, time.monotonic() - started, warnings)
    if failed and not results:
        info["mode"] = on_error
    by_fallback = any(result.by_fallback for result in results)
    return Enhanced(
        [prompt for prompt, _ in pairs],
        [negative for _, negative in pairs],
        info,
        bool(failed) or by_fallback,
    )


def _substitute(piece: _Piece, on_error: OnError) -> tuple[str, str]:
    if on_error == "phrasebook":
        from .phrasebook import write

        text, negative = split_negative(write(piece.task))
        return _dress(piece, text, negative)
    return piece.idea.prompt, fit_negative(piece.idea.target, piece.idea.prompt, "")


def _distinct(failed: Sequence[LLMError]) -> list[LLMError]:
    return list({str(error): error for error in failed}.values())
