"""Turns ideas into prompts for a target: one call for each variation of each prompt, all at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..llm_backends.errors import EmptyAnswer, LLMError, NotConfigured
from ..llm_backends.model import Model
from ..llm_backends.types import Deployment, Image, Request, Result
from .clean import clean, one_paragraph, split_negative
from .messages import enhance_messages
from .protect import Protected, protect, restore, without_weights
from .report import report
from .targets import Target, fit_negative, fit_prompt
from .tasks import EnhanceTask

OnError = Literal["raise", "passthrough", "phrasebook"]
MOST_VARIATIONS = 64

# A guard against models that never stop, roomy enough for those that think first. In tokens.
_MAX_TOKENS = 2048
_SEEDS = 2**31
_CUT = {
    "length": "The answer was cut off at max_tokens: raise it on LLM Settings for a whole prompt.",
    "content_filter": "The answer was cut off by the provider's content filter: reword the prompt.",
}
_SEVERAL_LINES = ("json", "sections", "any")


@dataclass(frozen=True, slots=True)
class Idea:
    """One prompt of the user's, to be enhanced `variations` times (1 to 64)."""

    prompt: str
    target: Target
    instruction: str = ""
    variations: int = 1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Enhanced:
    """Prompts, negatives (as many), the report, and whether an error stands behind some of them: such an
    answer is not to be kept by anybody's cache."""

    prompts: list[str]
    negatives: list[str]
    info: dict[str, Any]
    makeshift: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """One variation of one idea on its way."""

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
    if pictures:
        _check_sight(model.deployment)
    answers = await model.ask([_request(piece) for piece in pieces])
    outcomes = [
        _finish(piece, answer, model.deployment) for piece, answer in zip(pieces, answers, strict=True)
    ]
    return _gather(pieces, outcomes, answers, model.deployment, on_error, started)


def enhance_without_model(ideas: Sequence[Idea], error: LLMError, on_error: OnError) -> Enhanced:
    """What `enhance` gives when there is no model to ask because of `error`, which is raised where
    `on_error` says so."""
    pieces = _pieces(ideas, ())
    return _gather(pieces, [error] * len(pieces), [], None, on_error, time.monotonic())


def _check_sight(deployment: Deployment) -> None:
    if deployment.capabilities.vision is False or deployment.backend == "phrasebook":
        raise NotConfigured(
            f"{deployment.name} cannot see pictures.",
            hint="Choose a model that can, or unwire the image.",
        )


def _pieces(ideas: Sequence[Idea], pictures: Sequence[Image]) -> list[_Piece]:
    pieces = []
    for place, idea in enumerate(ideas):
        if not 1 <= idea.variations <= MOST_VARIATIONS:
            raise NotConfigured(f"variations is {idea.variations}.", hint=f"Choose 1 to {MOST_VARIATIONS}.")
        protected = protect(idea.prompt)
        if not protected.text and not idea.instruction.strip():
            raise NotConfigured("The prompt is empty.", hint="Write an idea, or at least an instruction.")
        for variation in range(idea.variations):
            task = EnhanceTask(
                prompt=protected.text,
                target=idea.target,
                instruction=idea.instruction,
                variation=variation,
                variations=idea.variations,
                seed=(idea.seed + variation) % _SEEDS,
            )
            pieces.append(_Piece(idea, task, protected, pictures[place] if pictures else None))
    return pieces


def _request(piece: _Piece) -> Request:
    return Request(
        messages=enhance_messages(piece.task, piece.protected, piece.picture),
        max_tokens=_MAX_TOKENS,
        seed=piece.task.seed,
        task=piece.task,
    )


def _finish(piece: _Piece, answer: Result | LLMError, deployment: Deployment) -> tuple[str, str] | LLMError:
    """(prompt, negative) out of an answer, or the error that it is or amounts to."""
    if isinstance(answer, LLMError):
        return answer
    try:
        text, negative = split_negative(clean(answer.text, who=deployment.name))
        if not text:
            raise EmptyAnswer(f"{deployment.name} wrote a negative prompt only.")
    except LLMError as error:
        error.provider, error.model, error.attempts = answer.provider, answer.model, answer.attempts
        return error
    if answer.finish_reason in _CUT:
        piece.warnings.append(_CUT[answer.finish_reason])
    piece.warnings.extend(answer.warnings)
    return _dress(piece, text, negative)


def _dress(piece: _Piece, text: str, negative: str) -> tuple[str, str]:
    """The prompt as the target wants it, with the user's own tags and weights back in place."""
    target = piece.idea.target
    if target.form not in _SEVERAL_LINES:
        text = one_paragraph(text)
    if not target.weights:
        text = without_weights(text, piece.protected)
    prompt = restore(fit_prompt(target, text), piece.protected)
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
        raise _first(failed, len(pieces))
    warnings = [warning for piece in pieces for warning in piece.warnings]
    if failed:
        instead = (
            "your prompt stands as it was" if on_error == "passthrough" else "the phrasebook wrote instead"
        )
        share = f"{len(failed)} of {len(pieces)} failed, " if len(pieces) > 1 else ""
        warnings += [f"{error} ({share}{instead})" for error in _distinct(failed)]
    pairs = [
        _makeshift(piece, on_error) if isinstance(outcome, LLMError) else outcome
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


def _makeshift(piece: _Piece, on_error: OnError) -> tuple[str, str]:
    if on_error == "phrasebook":
        from .phrasebook import write

        text, negative = split_negative(write(piece.task))
        return _dress(piece, text, negative)
    return piece.idea.prompt, fit_negative(piece.idea.target, piece.idea.prompt, "")


def _distinct(failed: Sequence[LLMError]) -> list[LLMError]:
    return list({str(error): error for error in failed}.values())


def _first(failed: Sequence[LLMError], total: int) -> LLMError:
    error = failed[0]
    if total > 1:
        error.message = f"{len(failed)} of {total} prompts failed. {error.message}"
    return error
