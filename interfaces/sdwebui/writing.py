"""Texts that are generated, written from those of a job's images: variables resolved, prompts enhanced."""

from __future__ import annotations

import os
import re
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from ...config.choice import Choice
from ...config.opening import library_folders
from ...llm_backends import modes
from ...llm_backends.errors import Cancelled, LLMError
from ...llm_backends.model import Model
from ...prompting.enhance import Enhanced, Idea, enhance, open_or_substitute
from ...prompting.targets import Target
from ...prompting.templates.library import Library, LibraryError
from ...prompting.templates.missing import supply_missing
from ...prompting.templates.resolve import TemplateError, combination_count, missing_variables, resolve
from .arguments import FOLLOW, Arguments
from .images import JobImage, Texts
from .recall import Kept, recall, signature
from .wording import words_of

T = TypeVar("T")

SKIPPED = "Skipped: your prompt was used as it is."
_FIELDS = ("prompt", "negative", "hires", "hires_negative")


class Desk(Protocol):
    """Surroundings of the writing: the host's thread, its stop buttons, its textual inversions."""

    @property
    def embeddings(self) -> Sequence[str]:
        """Names of the host's textual inversions, the longest first."""
        ...

    def open(self, choice: Choice) -> Model:
        """Open the model. Raises `LLMError`."""
        ...

    def perform(self, coroutine: Coroutine[Any, Any, T], model: Model) -> T:
        """Run `coroutine`. Raises `Cancelled` when the user stops or skips, and `LLMError`."""
        ...

    def skipped(self) -> bool:
        """Tell whether Skip ended the call, and reset that: the request counts as met."""
        ...


@dataclass(slots=True)
class Written:
    """Texts of the images, who wrote them, and the model's seed and the variation (from 0) of each.

    Also holds the errors and what else a user should know. `place` is the server's name in such sentences,
    `left` the variables that stand in the texts for others to resolve.
    """

    texts: list[Texts]
    seeds: list[int]
    variations: list[int]
    mode: str = ""
    model: str = ""
    place: str = ""
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def write(images: Sequence[JobImage], arguments: Arguments, target: Target, desk: Desk) -> Written:
    """Write the texts of `images` as `arguments` want them.

    With ``on_error`` ``raise`` raises `LLMError`, `TemplateError` or `LibraryError`; else the user's own
    texts, or the phrasebook's, stand where something failed. Raises `Cancelled` on an interrupt.
    """
    written = Written(
        [image.texts for image in images],
        [_seed(image, place, images, arguments) for place, image in enumerate(images)],
        [arguments.first] * len(images),
    )
    try:
        if arguments.variables:
            _resolve(written, images, arguments, desk)
        _enhance(written, images, arguments, target, desk)
    except Cancelled:
        if not desk.skipped():
            raise
        written.errors.append(SKIPPED)
    return written


def _seed(image: JobImage, place: int, images: Sequence[JobImage], arguments: Arguments) -> int:
    """Return the model's seed for an image.

    A fixed seed goes on from image to image where each has its own text.
    """
    if arguments.seed != FOLLOW:
        return arguments.seed + (place if arguments.per_image else 0)
    return image.seed if arguments.per_image else images[0].seed


def _resolve(written: Written, images: Sequence[JobImage], arguments: Arguments, desk: Desk) -> None:
    library = Library(*library_folders())
    try:
        supplied = _supplied(written, images, library, arguments, desk)
        resolved = [
            _resolved(texts, seed, arguments, library, supplied, written)
            for texts, seed in zip(written.texts, _turns(images, arguments), strict=True)
        ]
    except (TemplateError, LibraryError, LLMError) as error:
        if arguments.on_error == "raise":
            raise
        written.errors.append(words_of(error))
    else:
        written.texts = resolved


def _supplied(
    written: Written, images: Sequence[JobImage], library: Library, arguments: Arguments, desk: Desk
) -> dict[str, Sequence[str]]:
    if not arguments.generate_missing:
        return {}
    texts = _distinct(getattr(texts, field) for texts in written.texts for field in _FIELDS)
    names = _distinct(name for text in texts for name in missing_variables(text, library, leave_unknown=True))
    if not names:
        return {}
    model = desk.open(arguments.choice)
    supplied = desk.perform(supply_missing(names, "\n".join(texts), library, model, images[0].seed), model)
    written.warnings += [warning for report in supplied.reports for warning in report["warnings"]]
    return dict(supplied.values)


def how_many(images: Sequence[JobImage], arguments: Arguments, desk: Desk) -> int:
    """Return the number of images that `arguments` ask for, 0 where they leave it to the host.

    For combinations it is at most as many as there are. What is missing of the library is invented first,
    where that is wanted.

    Raises as `write` does, whatever ``on_error`` says.
    """
    if arguments.selection != "combinations" or not arguments.count or not arguments.variables:
        return arguments.count
    library, texts = Library(*library_folders()), images[0].texts
    _supplied(Written([texts], [], []), images[:1], library, arguments, desk)
    counts = [combination_count(getattr(texts, name), library, leave_unknown=True) for name in _FIELDS]
    return min(arguments.count, max(counts))


def _turns(images: Sequence[JobImage], arguments: Arguments) -> list[int]:
    """Return the seed for each image's values; equal seeds are counted up from image to image.

    At random they stay as they are.
    """
    seeds = [image.seed for image in images]
    alike = arguments.selection != "random" and len(set(seeds)) == 1
    return [seed + (place if alike else 0) for place, seed in enumerate(seeds)]


def _resolved(
    texts: Texts,
    seed: int,
    arguments: Arguments,
    library: Library,
    supplied: dict[str, Sequence[str]],
    written: Written | None = None,
) -> Texts:
    """Resolve the variables of `texts` that the library knows; the others stay for whoever knows them."""
    found = {}
    for name in _FIELDS:
        if text := getattr(texts, name):
            one = resolve(
                text,
                library,
                selection=arguments.selection,
                seed=seed,
                extra_values=supplied,
                leave_unknown=True,
                no_repeats=arguments.no_repeats,
            )
            found[name] = one.prompts[0]
            if written is not None:
                written.warnings += [warning for warning in one.warnings if warning not in written.warnings]
                written.left += [name for name in one.left if name not in written.left]
    return replace(texts, **found)


def keep(image: JobImage, had: Texts, arguments: Arguments, target: Target, mode: str) -> None:
    """Have `write` give `image` the texts that it `had`. Raises as `write` does for a template."""
    texts = image.texts
    if arguments.variables:
        texts = _resolved(texts, image.seed, arguments, Library(*library_folders()), {})
    mark = signature(arguments, target)
    for text, written in ((texts.prompt, had.prompt), (texts.hires, had.hires)):
        if text and written:
            recall.keep(mark, text, image.seed, Kept(written, had.negative, mode, arguments.model))


@dataclass(frozen=True, slots=True)
class _Slot:
    """Variation number `variation` (within its idea) of a text, and the images that take it."""

    field: str
    idea: Idea
    variation: int
    places: tuple[int, ...]


def _enhance(
    written: Written, images: Sequence[JobImage], arguments: Arguments, target: Target, desk: Desk
) -> None:
    slots = _slots(written, arguments, target)
    if not slots:
        return
    mark = signature(arguments, target)
    found: dict[_Slot, Kept] = {}
    for slot in slots:
        seeds = [images[place].seed for place in slot.places]
        kept = next(filter(None, (recall.find(mark, slot.idea.prompt, seed) for seed in seeds)), None)
        if kept is not None:
            found[slot] = kept
    asked = _distinct(slot.idea for slot in slots if slot not in found)
    if asked:
        answers, is_substitute = _ask(asked, written, arguments, desk)
        for slot in slots:
            if slot.idea in answers:
                found[slot] = answers[slot.idea][slot.variation]
                for place in slot.places if not is_substitute else ():
                    recall.keep(mark, slot.idea.prompt, images[place].seed, found[slot])
    for slot, kept in found.items():
        written.mode, written.model = kept.mode, kept.model
        for place in slot.places:
            written.texts[place] = _with(written.texts[place], slot, kept, arguments)
            written.variations[place] = arguments.first + slot.variation


def _slots(written: Written, arguments: Arguments, target: Target) -> list[_Slot]:
    slots = []
    for name in _fields_to_write(arguments):
        groups: dict[Any, list[int]] = {}
        for place, texts in enumerate(written.texts):
            text = getattr(texts, name)
            if text or name == "prompt":
                groups.setdefault(place if arguments.per_image else text, []).append(place)
        for places in groups.values():
            count = 1 if arguments.per_image else min(arguments.variations, len(places))
            idea = Idea(
                getattr(written.texts[places[0]], name),
                target,
                arguments.instruction,
                count,
                written.seeds[places[0]],
                arguments.first,
                from_nothing=target.form != "any",
            )
            slots += [_Slot(name, idea, number, tuple(places[number::count])) for number in range(count)]
    return slots


def _fields_to_write(arguments: Arguments) -> tuple[str, ...]:
    """Return the fields to write.

    The negative prompt is no idea of its own: it is written with the others.
    """
    main = ("prompt",) if {"positive", "negative"} & set(arguments.parts) else ()
    return (*main, "hires") if "hires" in arguments.parts else main


def _ask(
    ideas: Sequence[Idea], written: Written, arguments: Arguments, desk: Desk
) -> tuple[dict[Idea, list[Kept]], bool]:
    """Have the model enhance `ideas`, variation by variation.

    Also returns whether an error stands behind some.
    """
    shielded = [replace(idea, prompt=_shielded(idea.prompt, desk.embeddings)) for idea in ideas]
    name = ""
    opened = open_or_substitute(lambda: desk.open(arguments.choice), shielded, arguments.on_error)
    if isinstance(opened, Enhanced):
        enhanced = opened
    else:
        deployment = opened.deployment
        name = _name(opened, arguments)
        written.place = deployment.provider_label if deployment.backend == modes.ENDPOINT else ""
        enhanced = desk.perform(enhance(shielded, opened, arguments.on_error), opened)
    (written.errors if enhanced.is_substitute else written.warnings).extend(enhanced.info["warnings"])
    return _by_idea(ideas, enhanced, name, desk.embeddings), enhanced.is_substitute


def _by_idea(
    ideas: Sequence[Idea], enhanced: Enhanced, model: str, embeddings: Sequence[str]
) -> dict[Idea, list[Kept]]:
    mode = str(enhanced.info["mode"])
    kept = [
        Kept(_unshielded(prompt, embeddings), negative, mode, model)
        for prompt, negative in zip(enhanced.prompts, enhanced.negatives, strict=True)
    ]
    answers, start = {}, 0
    for idea in ideas:
        answers[idea] = kept[start : start + idea.variations]
        start += idea.variations
    return answers


def _name(model: Model, arguments: Arguments) -> str:
    """Return the model's name as its own control would show it; no path of this machine."""
    chosen = arguments.model.strip()
    if chosen and not os.path.isabs(chosen):
        return chosen
    return model.deployment.model_id if modes.of(model.deployment.backend).answers_messages else ""


def _with(texts: Texts, slot: _Slot, kept: Kept, arguments: Arguments) -> Texts:
    """Put what was written in its place in `texts`; fields that were not to be written stay."""
    if slot.field == "hires":
        texts = replace(texts, hires=kept.prompt)
    elif "positive" in arguments.parts:
        texts = replace(texts, prompt=kept.prompt)
    if "negative" not in arguments.parts or not kept.negative:
        return texts
    if slot.field == "prompt":
        texts = replace(texts, negative=joined(texts.negative, kept.negative))
    if texts.hires_negative and "hires" in arguments.parts and (slot.field == "hires" or not texts.hires):
        texts = replace(texts, hires_negative=joined(texts.hires_negative, kept.negative))
    return texts


def joined(own: str, more: str) -> str:
    """Return the user's `own` negative prompt as it is, followed by what `more` has beyond it."""
    have = {piece.strip().casefold() for piece in own.split(",")}
    new = [piece.strip() for piece in more.split(",") if piece.strip().casefold() not in have]
    return ", ".join(filter(None, [own.rstrip().rstrip(","), *new])) if new else own


def _shielded(prompt: str, embeddings: Iterable[str]) -> str:
    """Put textual inversions, which here are bare words, into the form that is known as one."""
    for name in embeddings:
        prompt = re.sub(rf"(?<![\w:./-])({re.escape(name)})(?![\w/-])", r"embedding:\1", prompt, flags=re.I)
    return prompt


def _unshielded(prompt: str, embeddings: Iterable[str]) -> str:
    for name in embeddings:
        prompt = re.sub(rf"embedding:({re.escape(name)})(?![\w/-])", r"\1", prompt, flags=re.I)
    return prompt


def _distinct(items: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(items))
