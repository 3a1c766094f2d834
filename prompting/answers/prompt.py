"""Steps from a model's answer to a prompt, shared by enhancing an idea and describing a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...llm_backends.errors import LLMError
from ...llm_backends.host import feasible
from ...llm_backends.types import Deployment, Result
from ..tags.correct import corrected
from ..targets import Target, fit_prompt
from .clean import bare, one_paragraph, read_answer
from .limits import LENGTH_SLACK, Limits, size_of
from .protect import Protected, Region
from .restore import Placing, dressed, without_weights
from .shapes.sections import is_json, joined, main_of, named_parts, read

# A guard against models that never stop, roomy enough for those that think first. In tokens.
MAX_TOKENS = 2048
# Providers take seeds of 31 bits, hosts have some of 64.
SEEDS = 2**31
# What a word takes in a tokenizer that was not made for its language, what a tag does with its weight and the
# comma, and what stands around a prompt: a negative, marks, a sentence of talk.
_TOKENS_A_WORD, _TOKENS_A_TAG, _TOKENS_AROUND = 4, 8, 192
_CUT = "The answer was cut off at max_tokens. Raise it on LLM Settings to get the whole prompt."
_LOST = (
    "The model left out {}, and its answer does not show where it belongs. Check that it is where you want "
    "it."
)
_SEVERAL_LINES = ("json", "sections", "any")


def read_prompt(
    answer: Result | LLMError,
    deployment: Deployment,
    warnings: list[str],
    target: Target | None = None,
    idea: str = "",
) -> tuple[str, str] | LLMError:
    """Return (prompt, negative) from an answer, or the error that the answer is or amounts to.

    `target` is the one that it was asked for, None for a plain text; `idea` is the user's own. `warnings`
    collects what the user should know about the answer.
    """
    if isinstance(answer, LLMError):
        return answer
    try:
        form = target.form if target is not None else "any"
        if target is not None and target.parts and is_json(answer.text, target.parts):
            form = "json"
        written = (
            (whole, "")
            if target is not None
            and target.parts
            and (whole := named_parts(bare(answer.text, who=deployment.name), target.parts))
            else read_answer(answer.text, who=deployment.name, idea=idea, form=form)
        )
    except LLMError as error:
        error.provider, error.model, error.attempts = answer.provider, answer.model, answer.attempts
        return error
    if answer.finish_reason == "length":
        warnings.append(feasible(_CUT))
    warnings.extend(answer.warnings)
    return written


def answer_tokens(target: Target, ideas: Sequence[str] = ()) -> int:
    """Return how many tokens an answer needs at most that has a prompt for each of `ideas`."""
    each = _TOKENS_A_TAG if target.form == "tags" else _TOKENS_A_WORD
    if target.words is None or target.form in _SEVERAL_LINES:
        return MAX_TOKENS
    sizes = (max(target.words[1], size_of(target, idea)) for idea in ideas or ("",))
    return min(MAX_TOKENS, each * round(LENGTH_SLACK * sum(sizes)) + _TOKENS_AROUND)


def in_manner_of(
    target: Target,
    texts: Sequence[str],
    protected: Protected,
    warnings: list[str],
    limits: Limits | None = None,
    own: str = "",
) -> str:
    """Return the prompt in the target's manner, with all that is the user's own back in place.

    `texts` are what was written for the regions in `protected.written`. With `limits` they are cut where they
    pass them, never within what is the user's. `own` is all that the user wrote. `warnings` collects what the
    user should know about it.
    """
    regions = [region.front for region in protected.regions]
    lost: list[str] = []
    places = protected.written
    for place, text in zip(places, texts, strict=True):
        region = protected.regions[place]
        placing = Placing(region, text if target.weights else without_weights(text))
        text = placing.text
        if target.form not in _SEVERAL_LINES:
            text = one_paragraph(text, region.text)
        if limits is not None:
            text = limits.trimmed(text, region.text)
        text, unplaced = placing.filled(corrected(target, text, own, warnings))
        lost += [piece.source for piece in unplaced]
        edges = replace(
            target,
            prefix=target.prefix if place == places[0] else "",
            suffix=target.suffix if place == places[-1] else "",
        )
        regions[place] = _dressed(region, text, edges)
    if lost:
        warnings.append(_LOST.format(", ".join(lost)))
    return "".join(
        f"{region}{separator}" for region, separator in zip(regions, [*protected.separators, ""], strict=True)
    )


def _dressed(region: Region, text: str, target: Target) -> str:
    """Return `text` in the target's manner with what stands around the region, or around its main part."""
    main = main_of(target.parts) if target.parts and (region.front.strip() or region.back.strip()) else ""
    texts = read(text, target.parts) if main else {}
    if main not in texts:
        return dressed(region, fit_prompt(target, text))
    return fit_prompt(target, joined(texts | {main: dressed(region, texts[main])}, target.parts))


def first_of(failed: Sequence[LLMError], total: int, what: str) -> LLMError:
    """Return the error to raise for a run of `total` calls (in words: `what`) of which these `failed`."""
    error = failed[0]
    if total > 1:
        error.message = f"{len(failed)} of {total} {what} failed. {error.message}"
    return error
