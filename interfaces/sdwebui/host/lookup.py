"""Careful access to the host's own modules: there are four programs, and each has its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


def shared() -> Any:
    """Return the host's module of shared state; None outside of a host."""
    try:
        from modules import shared
    except ImportError:
        return None
    return shared


def fixed_seed(seed: Any) -> int:
    """Return what the host makes of a seed that may be -1 or empty: a number that it draws itself."""
    try:
        from modules.processing import get_fixed_seed
    except ImportError:
        from random import SystemRandom

        return int(seed) if seed not in (None, "", -1) else SystemRandom().randrange(2**32)
    return int(get_fixed_seed(seed))


Finish = Callable[[Sequence[str]], list[str]]
"""The host's own changes to the texts of a job's images, in their order."""


@dataclass(frozen=True, slots=True)
class Styling:
    """The host's layout of a job's texts.

    `prompts` and `negatives` put the chosen styles around them, and all three resolve what the host itself
    has a syntax for, with the seed of each image.
    """

    prompts: Finish
    negatives: Finish
    plain: Finish


def styling(p: Any) -> Styling:
    """Return the host's styling of the texts of the job `p`, once it has laid them out."""
    database = getattr(shared(), "prompt_styles", None)
    chosen = getattr(p, "styles", None) or []
    together = getattr(database, "apply_styles_to_prompts", None)
    seeds = getattr(p, "all_seeds", None)
    if (
        together is not None and seeds
    ):  # SD.Next, which has resolved {a|b} and __name__ before we get our turn
        return Styling(
            lambda texts: list(together(list(texts), [], chosen, seeds)[0]),
            lambda texts: list(together([], list(texts), chosen, seeds)[1]),
            lambda texts: list(together(list(texts), [], [], seeds)[0]),
        )
    return Styling(
        lambda texts: _styled(database, "apply_styles_to_prompt", texts, chosen),
        lambda texts: _styled(database, "apply_negative_styles_to_prompt", texts, chosen),
        list,
    )


def _styled(database: Any, method: str, texts: Sequence[str], chosen: Any) -> list[str]:
    apply = getattr(database, method, None)
    return [str(apply(text, chosen)) for text in texts] if apply is not None and chosen else list(texts)
