"""Images that the host is about to make: their seeds and texts, read from its processing object.

The texts are written back once the host has laid them out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .host.lookup import Finish, Styling


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of one image, before styles. Empty hires texts follow the others."""

    prompt: str
    negative: str = ""
    hires: str = ""
    hires_negative: str = ""


@dataclass(frozen=True, slots=True)
class JobImage:
    seed: int
    texts: Texts


def images_of(p: Any, fixed_seed: Callable[[Any], Any]) -> list[JobImage]:
    """Return the images of the job `p` in order.

    A seed that the host would draw later is drawn now, with its own `fixed_seed`, and stays: what is written
    may follow it.
    """
    prompts = _laid_out(p.prompt, p)
    count = len(prompts) if isinstance(p.prompt, list) else len(_laid_out(p.negative_prompt, p))
    prompts = prompts if isinstance(p.prompt, list) else [p.prompt] * count
    p.seed = [fixed_seed(seed) for seed in p.seed] if isinstance(p.seed, list) else fixed_seed(p.seed)
    hires = bool(getattr(p, "enable_hr", False))
    negatives = _laid_out(p.negative_prompt, p)
    columns = (
        prompts,
        negatives,
        _own(_laid_out(getattr(p, "hr_prompt", "") if hires else "", p), prompts),
        _own(_laid_out(getattr(p, "hr_negative_prompt", "") if hires else "", p), negatives),
    )
    return [
        JobImage(_seed(p, place), Texts(*(_at(column, place) or "" for column in columns)))
        for place in range(count)
    ]


def _own(hires: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """Return hires texts that differ from the others, which the host copies into empty ones."""
    return ["" if text == _at(others, place) else text for place, text in enumerate(hires)]


def _laid_out(text: Any, p: Any) -> list[Any]:
    return list(text) if isinstance(text, list) else [text] * (p.batch_size * p.n_iter)


def _at(column: Sequence[Any], place: int) -> Any:
    return column[min(place, len(column) - 1)]


def _seed(p: Any, place: int) -> int:
    if isinstance(p.seed, list):
        return int(_at(p.seed, place))
    return int(p.seed) + (place if not getattr(p, "subseed_strength", 0) else 0)


def lay_out(p: Any, before: Sequence[Texts], after: Sequence[Texts], styling: Styling) -> None:
    """Put the texts `after` in the place of `before` in what the host has laid out by now.

    That may hold styles and what other extensions have added.
    """
    columns = (
        ("all_prompts", "prompt", "", styling.prompts),
        ("all_negative_prompts", "negative", "", styling.negatives),
        ("all_hr_prompts", "hires", "prompt", styling.prompts),
        ("all_hr_negative_prompts", "hires_negative", "negative", styling.negatives),
    )
    for name, field, instead, finish in columns:
        laid_out = getattr(p, name, None)
        if not laid_out:
            continue
        pairs = []
        for place in range(len(laid_out)):
            old, new = _at(before, place), _at(after, place)
            source = field if getattr(old, field) or not instead else instead
            pairs.append((getattr(old, source), getattr(new, source)))
        setattr(p, name, _replaced(list(laid_out), pairs, finish, styling.plain))
    # The prompt that the host writes on a grid.
    for name, column in (("main_prompt", "all_prompts"), ("main_negative_prompt", "all_negative_prompts")):
        if getattr(p, column, None) and hasattr(p, name):
            setattr(p, name, getattr(p, column)[0])


def columns(p: Any) -> dict[str, list[str]]:
    """Return the host's lists of the images' texts in the job `p`, by their names, without empty ones."""
    names = ("all_prompts", "all_negative_prompts", "all_hr_prompts", "all_hr_negative_prompts")
    return {name: list(texts) for name in names if (texts := getattr(p, name, None))}


def shorten(p: Any, most: int | None) -> None:
    """Make no more than `most` images in the job `p`: the last batch may be a smaller one."""
    for name in (*columns(p), "all_seeds", "all_subseeds"):
        made = getattr(p, name, None)
        if most and isinstance(made, list) and len(made) > most:
            setattr(p, name, made[:most])


def _replaced(texts: list[str], pairs: Sequence[tuple[str, str]], finish: Finish, plain: Finish) -> list[str]:
    """Return `texts` with the second of each of `pairs` where the first was."""
    if all(old == new for old, new in pairs):
        return texts
    laid_out, finished = (finish([pair[number] for pair in pairs]) for number in (0, 1))
    changed_by_others = [
        text != usual and old.strip() != "" and old.strip() in text
        for text, usual, (old, _) in zip(texts, laid_out, pairs, strict=True)
    ]
    if any(changed_by_others):
        within = [text.replace(old.strip(), new, 1) for text, (old, new) in zip(texts, pairs, strict=True)]
        finished = [
            inner if by_others else whole
            for by_others, inner, whole in zip(changed_by_others, plain(within), finished, strict=True)
        ]
    return [text if old == new else one for text, (old, new), one in zip(texts, pairs, finished, strict=True)]
