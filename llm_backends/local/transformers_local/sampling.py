"""Sampling: temperature, top-k, top-p and min-p, with a private random generator for every row.

A row's draws come from its own seed alone, so that its text is the same alone, in any batch and after a
batch was split; the host's random state is never touched.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ... import errors
from ...types import Request
from ..family_sampling import sampling_of_family

_DRAWN_AT_ONCE = 128
# Enough to hold the nucleus of any model that knows what it is about; more are sorted only where it is not.
_CANDIDATES = 512


@dataclass(frozen=True)
class SamplingSettings:
    """Sampling settings. `temperature` 0 is greedy.
    `top_k` 0, `top_p` 1, `min_p` 0 and `repetition_penalty` 1 do nothing."""

    temperature: float = 0.7
    top_p: float = 0.8
    top_k: int = 20
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    @classmethod
    def of(cls, request: Request, model: str = "") -> SamplingSettings:
        """The request's own settings, else those that the authors of `model` recommend, else values that suit
        small instruction models. Raises `NotConfigured`."""
        plain = replace(cls(), **dict[str, Any](sampling_of_family(model)))
        extra = request.extra
        return cls(
            temperature=_number("temperature", request.temperature, plain.temperature, 0.0, 100.0),
            top_p=_number("top_p", request.top_p, plain.top_p, 0.0, 1.0),
            top_k=int(_number("top_k", extra.get("top_k"), plain.top_k, 0, 1_000_000)),
            min_p=_number("min_p", extra.get("min_p"), plain.min_p, 0.0, 1.0),
            repetition_penalty=_number(
                "repetition_penalty", extra.get("repetition_penalty"), plain.repetition_penalty, 0.01, 100.0
            ),
        )


def unknown_parameters(extra: Mapping[str, Any]) -> list[str]:
    """The names in `extra` that a local model does not use. Two were used when it was loaded."""
    return sorted(set(extra) - {"top_k", "min_p", "repetition_penalty", "dtype", "cuda_graph"})


def _number(name: str, value: Any, default: float, low: float, high: float) -> float:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise errors.NotConfigured(
            f"{name} is {value!r}.", hint=f"Choose a number from {low:g} to {high:g} on LLM Settings."
        )
    return value


class Draws:
    """Random numbers from 0 to 1 for one row. They depend on the seed and the count of earlier ones alone."""

    def __init__(self, seed: int | None) -> None:
        import torch

        if seed is None:
            seed = random.SystemRandom().getrandbits(32)
        # Made on the CPU wherever the model is, so that one seed means one thing on every device.
        self._generator = torch.Generator(device="cpu").manual_seed(seed % 2**63)
        self._ahead: list[float] = []

    def next(self) -> float:
        import torch

        if not self._ahead:
            numbers = torch.rand(_DRAWN_AT_ONCE, generator=self._generator, dtype=torch.float64)
            self._ahead = numbers.flip(0).tolist()
        return self._ahead.pop()


def penalise(scores: Any, seen: Sequence[int], penalty: float) -> None:
    """Make the tokens `seen` (ids) of one row of `scores` less likely, in place; `penalty` as in CTRL."""
    import torch

    places = torch.tensor(seen, device=scores.device)
    found = scores[places]
    scores[places] = (found / penalty).where(found > 0, found * penalty)


def choose(scores: Any, settings: SamplingSettings, draws: Sequence[float]) -> Any:
    """Choose a token id for each row of `scores` (rows × vocabulary) by its number from 0 to 1 in `draws`."""
    import torch

    if settings.temperature == 0:
        return _likeliest(scores)
    width = scores.shape[-1]
    numbers = torch.tensor(draws, dtype=torch.float32).to(scores.device)[:, None]
    if 0 < settings.top_k < width:
        best, ids = scores.topk(settings.top_k, dim=-1)
        return _draw(best.float() / settings.temperature, ids, settings, numbers)
    scores = scores.float() / settings.temperature
    if settings.top_p >= 1 and settings.min_p <= 0:
        return _in_order(scores.softmax(-1), numbers)
    if width > _CANDIDATES:
        best, ids = scores.topk(_CANDIDATES, dim=-1)
        share = (best.logsumexp(-1) - scores.logsumexp(-1)).exp()
        # The nucleus, or all that min_p leaves, lies within the candidates.
        if bool(((share > settings.top_p) | (best[:, -1] < _least(best, settings))).all()):
            return _draw(best, ids, settings, numbers, share[:, None])
    best, ids = scores.sort(dim=-1, descending=True)
    return _draw(best, ids, settings, numbers)


def _likeliest(scores: Any) -> Any:
    import torch

    if scores.device.type != "cpu":
        return scores.argmax(dim=-1)
    # A tenth of what torch takes for it on a CPU, which is most of the loop's own time.
    return torch.from_numpy(scores.float().numpy().argmax(-1))


def _least(best: Any, settings: SamplingSettings) -> Any:
    """The lowest score that min_p leaves."""
    return best[:, 0] + (math.log(settings.min_p) if settings.min_p > 0 else -math.inf)


def _draw(best: Any, ids: Any, settings: SamplingSettings, numbers: Any, share: Any = 1.0) -> Any:
    """Draw from scores in descending order. `share` is the part of all probability that they hold."""
    chances = best.softmax(-1) * share
    before = chances.cumsum(-1) - chances
    # The first always stays: there is nothing before it, and nothing is likelier.
    keep = before < max(settings.top_p, 1e-9)
    if settings.min_p > 0:
        keep &= chances >= settings.min_p * chances[:, :1]
    place = _in_order(chances * keep, numbers)
    return ids.gather(-1, place[:, None])[:, 0]


def _in_order(chances: Any, numbers: Any) -> Any:
    """The place in each row at which the running sum passes its number; never one of probability 0."""
    import torch

    running = chances.cumsum(-1)
    last = (running < running[:, -1:]).sum(-1, keepdim=True)
    place = torch.searchsorted(running, numbers * running[:, -1:], right=True)
    return torch.minimum(place, last)[:, 0]
