"""Values of the smallest models: what Gemma 270M wrote, and what stays of it."""

from __future__ import annotations

import pytest

from quillwork.prompting.small_models.values import is_value


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("June (season", "season"),
        ("August (season)", "season"),
        ("summer, the", "season"),
        ("on, the", "season"),
        ("animal, animal", "animal"),
        ("horsecolour (black, brown, red, grey, etc.)", "hair colour"),
        ("coats; these; suit$", "animal"),
    ],
)
def test_noise_is_no_value(value, name):
    assert not is_value(value, name)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("May (harvest)", "season"),
        ("in the rain", "weather"),
        ("#ff8800", "hex code"),
        ("a fox; it runs", "50 word description"),
        ("an in Grau", "Farbe"),
        ("cat of the woods", "animal"),
    ],
)
def test_a_value_stays(value, name):
    assert is_value(value, name)
