"""Enhancement of ideas into prompts for a target: a call for each variation of each idea, all at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..llm_backends import modes
from ..llm_backends.errors import CannotSee, LLMError, NotConfigured, NothingAsked
from ..llm_backends.model import Model
from ..llm_backends.types import Deployment, Image, Result
from .answers.clean import read_answer
from .answers.facts.idea_tags import is_english
from .answers.parts import split_parts
from .answers.prompt import SEEDS, first_of
from .answers.protect import protect
from .answers.shapes.shape import parts_of
from .briefs.messages import brief_warnings, for_brief
from .compact import negates
from .drafts import Draft, Order
from .model_size import billions_of, is_small, is_tiny
from .phrasebook.glossary import gloss_for
from .report import report
from .targets import Target, fit_negative
from .tasks import MOST_VARIATIONS, OPEN, Brief, EnhanceTask, OnError

# Smaller ones take an idea in another language for another idea (benchmarks/RESULTS.md).
_TRANSLATES_FROM_BILLIONS = 2.0
_APART = (
    "The model did not keep the {0} parts of the prompt apart, so each was asked for on its own: {0} more "
    "calls."
)
_GLOSSED = "The model is too small to translate well, so it got your idea in English, word by word: “{}”."
_BLIND = "{} does not support images, so it wrote by the jobs of the references alone."


@dataclass(frozen=True, slots=True)
class Idea:
    """One prompt of the user's, to be enhanced `variations` times (1 to 64).

    The variations begin with number `first` (from 0). `brief` is what is wanted beside the idea. With
    `from_nothing` an empty prompt is no error: the model invents one. `count_tokens` counts as the target's
    text encoder does, where it is at hand.
    """

    prompt: str
    target: Target
    instruction: str = ""
    variations: int = 1
    seed: int = 0
    first: int = 0
    from_nothing: bool = False
    brief: Brief = OPEN
    count_tokens: Callable[[str], int] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Enhanced:
    """Prompts, as many negatives, the report, and of its warnings those of each prompt.

    `is_substitute` says that an error stands behind some of them: no cache is to keep such an answer.
    """

    prompts: list[str]
    negatives: list[str]
    info: dict[str, Any]
    warnings: list[list[str]]
    is_substitute: bool = False


async def enhance(
    ideas: Sequence[Idea],
    model: Model,
    on_error: OnError = "raise",
    pictures: Sequence[Image] = (),
    references: Sequence[Image] = (),
) -> Enhanced:
    """Enhance all `ideas`; prompts come idea by idea, variation by variation.

    `pictures` are none, or one for each idea, for the model to look at. `references` are the pictures that
    the image model gets too, for all ideas: those of each idea's `brief`.

    With `on_error` ``raise`` the first error is raised (an `LLMError`); else the idea itself, or the
    phrasebook's version of it, stands where an answer is missing, and ``info["warnings"]`` says why.
    """
    started = time.monotonic()
    for_small, for_tiny = is_small(model.deployment), is_tiny(model.deployment)
    in_english = for_small and (billions_of(model.deployment) or 0) < _TRANSLATES_FROM_BILLIONS
    is_blind = modes.of(model.deployment.backend).sees is False
    orders = _orders(
        ideas,
        pictures,
        () if is_blind else references,
        is_for_small=for_small,
        is_for_tiny=for_tiny,
        speaks_english=in_english,
    )
    answers = await _asked(orders, model)
    if references and not is_blind and any(isinstance(answer, CannotSee) for answer in answers):
        # What each picture is for can be written without a look at it.
        orders = _orders(
            ideas, pictures, is_for_small=for_small, is_for_tiny=for_tiny, speaks_english=in_english
        )
        orders[0].warnings.append(_BLIND.format(model.deployment.name))
        answers = await _asked(orders, model)
    drafts = [order.read(answer, model.deployment) for order, answer in zip(orders, answers, strict=True)]
    written = await _apart(orders, drafts, answers, model)
    is_written = modes.of(model.deployment.backend).answers_messages
    if is_written:
        written = await _repaired(orders, written, answers, model)
    outcomes = [
        draft if isinstance(draft, LLMError) else order.finished(draft, within_limits=is_written)
        for order, draft in zip(orders, written, strict=True)
    ]
    return _gather(orders, outcomes, answers, model.deployment, on_error, started)


async def _asked(orders: Sequence[Order], model: Model) -> list[Result | LLMError]:
    return await model.ask(
        [order.request() for order in orders], lambda place, text: orders[place].shown(text)
    )


async def _apart(
    orders: Sequence[Order],
    drafts: Sequence[Draft | LLMError | None],
    answers: list[Result | LLMError],
    model: Model,
) -> list[Draft | LLMError]:
    """Have the parts of those `drafts` that are None written one by one; adds to `answers`."""
    requests = {
        place: orders[place].requests_by_part() for place, draft in enumerate(drafts) if draft is None
    }
    more = await model.ask([request for those in requests.values() for request in those]) if requests else []
    answers += more
    left = iter(more)
    whole = []
    for place, (order, draft) in enumerate(zip(orders, drafts, strict=True)):
        if draft is None:
            order.warnings.append(_APART.format(len(requests[place])))
            draft = order.read_all([next(left) for _ in requests[place]], model.deployment)
        whole.append(draft)
    return whole


async def _repaired(
    orders: Sequence[Order],
    drafts: Sequence[Draft | LLMError],
    answers: list[Result | LLMError],
    model: Model,
) -> list[Draft | LLMError]:
    """Have those of `drafts` that have faults written again, once; adds to `answers`."""
    written, mended = list(drafts), list(drafts)
    faulty = [
        (place, draft)
        for place, draft in enumerate(drafts)
        if isinstance(draft, Draft) and orders[place].faults(draft)
    ]
    in_process = modes.of(model.deployment.backend).in_process
    asked = [
        (place, draft) for place, draft in faulty if orders[place].asks_again(draft, in_process=in_process)
    ]
    more = (
        await model.ask(
            [orders[place].repair(draft) for place, draft in asked],
            lambda number, text: orders[asked[number][0]].shown(text),
        )
        if asked
        else []
    )
    answers += more
    second = {place: answer for (place, _), answer in zip(asked, more, strict=True)}
    for place, draft in faulty:
        order = orders[place]
        again = order.read(second[place], model.deployment) if place in second else None
        better = order.better(draft, again)
        whole = order.completed(better)
        order.tell(draft, whole, asked=place in second)
        mended[place] = whole
        written[place] = better
    for order, left in zip(orders, written, strict=True):
        if isinstance(left, Draft):
            order.tell_of_own_words(left, model.deployment)
    return mended


def open_or_substitute(
    open_model: Callable[[], Model],
    ideas: Sequence[Idea],
    on_error: OnError,
    *,
    always_raise: tuple[type[LLMError], ...] = (),
) -> Model | Enhanced:
    """Open the model for `ideas`, or return what stands in for its answers where it cannot be opened.

    With `on_error` ``raise`` raises the error of `open_model`; one of the kinds `always_raise` in any case.
    """
    try:
        return open_model()
    except LLMError as error:
        if isinstance(error, always_raise):
            raise
        failure = error.with_traceback(None)
    orders = _orders(ideas, ())
    return _gather(orders, [failure] * len(orders), [], None, on_error, time.monotonic())


def _orders(
    ideas: Sequence[Idea],
    pictures: Sequence[Image],
    references: Sequence[Image] = (),
    *,
    is_for_small: bool = False,
    is_for_tiny: bool = False,
    speaks_english: bool = False,
) -> list[Order]:
    """Return an order for each variation; a model that `speaks_english` gets ideas in it as far as can be."""
    orders = []
    for place, idea in enumerate(ideas):
        if not 1 <= idea.variations <= MOST_VARIATIONS:
            raise NotConfigured(f"variations is {idea.variations}.", hint=f"Choose 1 to {MOST_VARIATIONS}.")
        protected = protect(idea.prompt, has_lyrics=idea.target.kind == "audio")
        if not protected.text and not idea.instruction.strip() and not idea.from_nothing:
            raise NothingAsked("The prompt is empty.", hint="Enter an idea, or at least an instruction.")
        is_bare = not idea.instruction.strip() and len(protected.parts) < 2
        english = ""
        if speaks_english and is_bare:
            english = _in_english(protected.text, idea.target, is_for_tiny=is_for_tiny)
        last = idea.first + idea.variations
        for variation in range(idea.first, last):
            task = EnhanceTask(
                prompt=english or protected.text,
                target=for_brief(idea.target, idea.brief),
                instruction=idea.instruction,
                variation=variation,
                variations=last,
                seed=(idea.seed + variation) % SEEDS,
                parts=protected.parts,
                brief=idea.brief,
            )
            seen = (*pictures[place : place + 1], *references)
            order = Order(
                task,
                protected,
                idea.prompt,
                seen,
                idea.count_tokens,
                is_for_small,
                is_for_tiny,
                bool(english),
            )
            if english and variation == idea.first:
                order.warnings.append(_GLOSSED.format(english))
            if variation == idea.first:
                order.warnings.extend(brief_warnings(task.target, idea.brief))
            orders.append(order)
    return orders


def _in_english(text: str, target: Target, *, is_for_tiny: bool) -> str:
    """Return an idea that `target` cannot read in English, word by word; "" where not all words are known.

    For a tiny model, which understands no other language, a word that could be English need not be known.
    """
    found = gloss_for(text, target.languages)
    if found is None or (found.unknown and not (is_for_tiny and found.keeps_unknown)):
        return ""
    if not all(map(is_english, found.unknown)):
        return ""
    known = " ".join(word for word in found.english.split() if word.strip(",") not in found.unknown)
    if negates(text) and not negates(known):
        return ""  # it would ask for what must not be there
    return found.english if not is_for_tiny or is_english(found.english) else ""


def _gather(
    orders: Sequence[Order],
    outcomes: Sequence[tuple[str, str] | LLMError],
    answers: Sequence[Result | LLMError],
    deployment: Deployment | None,
    on_error: OnError,
    started: float,
) -> Enhanced:
    failed = [outcome for outcome in outcomes if isinstance(outcome, LLMError)]
    if failed and on_error == "raise":
        raise first_of(failed, len(orders), "prompts")
    warnings = [warning for order in orders for warning in order.warnings]
    by_prompt = [list(dict.fromkeys(order.warnings)) for order in orders]
    if failed:
        instead = (
            "your prompt was left unchanged"
            if on_error == "passthrough"
            else "the phrasebook was used instead"
        )
        share = f"{len(failed)} of {len(orders)} failed, " if len(orders) > 1 else ""
        warnings += [f"{error} ({share}{instead})" for error in _distinct(failed)]
        for said, outcome in zip(by_prompt, outcomes, strict=True):
            if isinstance(outcome, LLMError):
                said.append(f"{outcome} ({instead})")
    pairs = [
        _substitute(order, on_error) if isinstance(outcome, LLMError) else outcome
        for order, outcome in zip(orders, outcomes, strict=True)
    ]
    results = [answer for answer in answers if isinstance(answer, Result)]
    info = report(answers, deployment, time.monotonic() - started, warnings)
    if failed and not results:
        info["mode"] = on_error
    parts = [parts_of(prompt, order.target) for order, (prompt, _) in zip(orders, pairs, strict=True)]
    if any(len(found) > 1 for found in parts):
        info["parts"] = parts
    by_fallback = any(result.by_fallback for result in results)
    return Enhanced(
        [prompt for prompt, _ in pairs],
        [negative for _, negative in pairs],
        info,
        by_prompt,
        bool(failed) or by_fallback,
    )


def _substitute(order: Order, on_error: OnError) -> tuple[str, str]:
    if on_error == "phrasebook":
        from .phrasebook import write

        text, negative = read_answer(write(order.task), idea=order.own_words, form=order.target.form)
        texts = split_parts(text, len(order.protected.written)) or [text]
        return order.finished(Draft(tuple(texts), negative), within_limits=False)
    return order.prompt, fit_negative(order.target, order.prompt, "")


def _distinct(failed: Sequence[LLMError]) -> list[LLMError]:
    return list({str(error): error for error in failed}.values())
