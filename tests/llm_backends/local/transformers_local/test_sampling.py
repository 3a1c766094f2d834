"""Drawing tokens: the right distribution, each row from its own seed, torch's own state untouched."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from quillwork.llm_backends import errors  # noqa: E402
from quillwork.llm_backends.local.transformers_local.sampling import (  # noqa: E402
    Draws,
    SamplingSettings,
    choose,
    penalise,
    unknown_parameters,
)
from quillwork.llm_backends.types import Message, Request  # noqa: E402

CHANCES = [0.4, 0.3, 0.15, 0.1, 0.05]


def request(**changes: Any) -> Request:
    return Request((Message("user", "a"),), **changes)


def frequencies(settings: SamplingSettings, width: int = 5, draws: int = 4000) -> list[float]:
    """The frequency of each of the first five tokens, with `width` of them in all."""
    scores = torch.full((draws, width), -1e4)
    scores[:, :5] = torch.tensor(CHANCES).log()
    numbers = Draws(5)
    counts = Counter(choose(scores, settings, [numbers.next() for _ in range(draws)]).tolist())
    return [counts[place] / draws for place in range(5)]


def expected(*chances: float) -> Any:
    return pytest.approx([chance / sum(chances) for chance in chances], abs=0.03)


# 2000 is more than the candidates that are looked at first.
@pytest.mark.parametrize("width", [5, 2000])
@pytest.mark.parametrize(
    ("settings", "chances"),
    [
        (SamplingSettings(1, 1, 0), CHANCES),
        (SamplingSettings(1, 1, 3), [0.4, 0.3, 0.15, 0, 0]),
        (SamplingSettings(1, 0.75, 0), [0.4, 0.3, 0.15, 0, 0]),
        (SamplingSettings(1, 0.69, 0), [0.4, 0.3, 0, 0, 0]),
        (SamplingSettings(1, 0.0, 0), [1, 0, 0, 0, 0]),
        (SamplingSettings(1, 1, 0, min_p=0.3), [0.4, 0.3, 0.15, 0, 0]),
        (SamplingSettings(1, 1, 4, min_p=0.5), [0.4, 0.3, 0, 0, 0]),
        (SamplingSettings(0.5, 1, 0), [chance**2 for chance in CHANCES]),
        (SamplingSettings(2.0, 1, 2), [0.4**0.5, 0.3**0.5, 0, 0, 0]),
        (SamplingSettings(0.0), [1, 0, 0, 0, 0]),
    ],
)
def test_the_distribution(settings: SamplingSettings, chances: list[float], width: int) -> None:
    assert frequencies(settings, width) == expected(*chances)


def test_a_flat_distribution_is_sorted_whole() -> None:
    """The nucleus of many equal tokens is larger than the first candidates."""
    scores = torch.zeros(3000, 2000)
    numbers = Draws(1)
    drawn = set(choose(scores, SamplingSettings(1, 0.9, 0), [numbers.next() for _ in range(3000)]).tolist())
    assert 1200 < len(drawn) <= 1800


@pytest.mark.parametrize("number", [0.0, 1.0 - 2**-53, 0.9999999999])
@pytest.mark.parametrize(
    "settings", [SamplingSettings(1, 1, 0), SamplingSettings(1, 1, 3), SamplingSettings()]
)
def test_the_ends_of_the_range_never_draw_what_is_forbidden(
    settings: SamplingSettings, number: float
) -> None:
    scores = torch.full((1, 3000), -float("inf"))
    scores[0, 7], scores[0, 11] = 1.0, 2.0
    assert choose(scores, settings, [number]).item() in (7, 11)


def test_half_precision_scores_draw_too() -> None:
    scores = torch.tensor([[1.0, 5.0, 2.0]], dtype=torch.bfloat16)
    assert choose(scores, SamplingSettings(0.1, 0.9, 2), [0.5]).item() == 1


def test_a_rows_draws_depend_on_its_seed_alone() -> None:
    state = torch.get_rng_state()
    first, other = Draws(1), Draws(2)
    mixed = [(first.next(), other.next()) for _ in range(300)]
    torch.rand(3)
    torch.set_rng_state(state)
    again = Draws(1)
    alone = [again.next() for _ in range(300)]
    assert alone == [number for number, _ in mixed] and alone != [number for _, number in mixed]
    assert all(0 <= number < 1 for number in alone) and len(set(alone)) == 300
    assert torch.equal(torch.get_rng_state(), state)


def test_without_a_seed_rows_differ() -> None:
    assert Draws(None).next() != Draws(None).next()


@pytest.mark.parametrize("seed", [0, -1, 2**63, 2**64 + 5, -(2**65)])
def test_any_whole_number_is_a_seed(seed: int) -> None:
    assert Draws(seed).next() == Draws(seed).next()


def test_what_is_repeated_gets_less_likely() -> None:
    scores = torch.tensor([2.0, -2.0, 1.0])
    penalise(scores, [0, 1, 1], 2.0)
    assert scores.tolist() == [1.0, -4.0, 1.0]


def test_what_is_repeated_is_found_in_sixteen_bits_too() -> None:
    """bfloat16 counts to 256 only: ids have to stay whole numbers."""
    scores = torch.ones(151_936, dtype=torch.bfloat16)
    penalise(scores, [523, 151_935], 2.0)
    assert scores.nonzero()[scores.float() < 1].flatten().tolist() == [523, 151_935]


def test_defaults_and_wishes() -> None:
    assert SamplingSettings.of(request()) == SamplingSettings(0.7, 0.8, 20, 0.0, 1.0)
    asked = request(
        temperature=0.2,
        top_p=0.5,
        extra={"top_k": 3, "min_p": 0.1, "repetition_penalty": 1.1, "fox": 1, "dtype": "nf4"},
    )
    assert SamplingSettings.of(asked) == SamplingSettings(0.2, 0.5, 3, 0.1, 1.1)
    assert unknown_parameters(asked.extra) == ["fox"]


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": -1},
        {"top_p": 1.5},
        {"extra": {"top_k": "many"}},
        {"extra": {"top_k": True}},
        {"extra": {"min_p": 2}},
        {"extra": {"repetition_penalty": 0}},
        {"temperature": float("nan")},
    ],
)
def test_wishes_that_cannot_be_meant(changes: dict[str, Any]) -> None:
    with pytest.raises(errors.NotConfigured):
        SamplingSettings.of(request(**changes))
