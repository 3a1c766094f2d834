"""The phrasebook's lists of values."""

from __future__ import annotations

import pytest

from quillwork.llm_backends.errors import BackendUnavailable
from quillwork.prompting.phrasebook import data, lists
from quillwork.prompting.tasks import VariablesTask

NAMES = lists.known_names()


@pytest.mark.parametrize("name", NAMES)
def test_every_list_has_25_to_62_distinct_values(name: str) -> None:
    values = lists.values_for(VariablesTask(name, 200))
    assert 25 <= len(values) <= 62
    assert len({value.casefold() for value in values}) == len(values)
    assert all(
        value and value == value.strip() and "  " not in value and ":" not in value for value in values
    )


@pytest.mark.parametrize("name", NAMES)
def test_no_value_stands_twice_in_its_file(name: str) -> None:
    text = data.words_of(f"lists_{lists._places()[name]}")[name]
    values = [
        value.strip().casefold() for line in text.splitlines() for value in line.split(": ")[-1].split(",")
    ]
    assert sorted(values) == sorted(set(values))


def test_there_are_many_lists_and_the_index_knows_them_all() -> None:
    assert len(NAMES) >= 60
    for file in data.words_of("lists_index"):
        assert set(data.words_of(f"lists_{file}")) == {n for n, f in lists._places().items() if f == file}


def test_one_variable_parses_one_file_of_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    for cached in (data.words_of, lists._read, lists._places, lists._aliases):
        cached.cache_clear()
    read = []
    original = data.read
    monkeypatch.setattr(data, "read", lambda name: read.append(name) or original(name))
    lists.values_for(VariablesTask("season", 5))
    assert sorted(read) == ["lists_index", "lists_nature"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("fabrics", "fabric"),
        ("dress_fabric", "fabric"),
        ("hair colour", "hair_color"),
        ("HairColor", "hair_color"),
        ("the_season", "season"),
        ("__season__", "season"),
        ("type_of_hat", "hat"),
        ("color_of_hair", "hair_color"),
        ("animals/forest_animal", "animal"),
        ("AnimalName", "animal"),
        ("mythicalCreatures", "mythical_creature"),
        ("my color 2", "color"),
        ("colours", "color"),
        ("cities", "city"),
        ("countries", "country"),
        ("time-of-day", "time_of_day"),
        ("evening dress", "outfit"),
        ("art style", "art_style"),
        ("style", "art_style"),
        ("jewellery", "jewelry"),
        ("camera_type", "camera"),
        ("background_color", "color"),
        ("hat_style", "hat"),
    ],
)
def test_a_name_finds_its_list(name: str, found: str) -> None:
    assert lists.find(name) == found


@pytest.mark.parametrize("name", ["xyz", "", "50_word_description", "../x", "季節"])
def test_an_unknown_name_is_an_honest_error(name: str) -> None:
    with pytest.raises(BackendUnavailable) as caught:
        lists.values_for(VariablesTask(name, 5))
    text = str(caught.value)
    assert text.startswith("The phrasebook has no list for “")
    assert "It has: " in text
    assert text.endswith("Choose a model to generate others.")


def test_none_of_the_existing_values_comes_again() -> None:
    everything = lists.values_for(VariablesTask("season", 200))
    existing = tuple(value.upper() for value in everything[:10])
    rest = lists.values_for(VariablesTask("season", 200, existing=existing))
    assert {value.casefold() for value in rest} == {value.casefold() for value in everything[10:]}


def test_a_list_that_is_too_short_gives_what_there_is() -> None:
    assert 25 <= len(lists.values_for(VariablesTask("decade", 200))) < 200


def test_the_seed_decides_the_order() -> None:
    first, again, other = (lists.values_for(VariablesTask("bird", 12, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 12


def test_similar_takes_the_usual_and_creative_the_unusual() -> None:
    usual = {value for value, _ in lists._read("bird")[: len(lists._read("bird")) // 3]}
    similar = lists.values_for(VariablesTask("bird", 10, creativity="similar"))
    creative = lists.values_for(VariablesTask("bird", 10, creativity="creative"))
    assert set(similar) <= usual
    assert not usual & set(creative)


def test_guidance_filters_by_tag_and_by_refusal() -> None:
    warm = lists.values_for(VariablesTask("color", 10, guidance="warm colours only"))
    assert {"red", "blue"} & set(lists.values_for(VariablesTask("color", 200)))
    assert "blue" not in warm
    assert "green" not in warm
    rest = lists.values_for(VariablesTask("color", 200, guidance="no warm ones"))
    assert "red" not in rest
    assert "blue" in rest


def test_guidance_that_says_nothing_to_us_is_no_filter_and_is_told() -> None:
    task = VariablesTask("color", 20, guidance="something for a knight")
    assert len(lists.values_for(task)) == 20
    assert lists.remark(task) == (
        "The phrasebook's list “color” has no match for “something for a knight”, "
        "so these values are of every kind."
    )


@pytest.mark.parametrize("guidance", ["", "  ", "warm colours only", "no warm ones", "no purple unicorns"])
def test_guidance_that_is_heeded_or_forbids_what_is_not_there_is_not_told_of(guidance: str) -> None:
    assert lists.remark(VariablesTask("color", 20, guidance=guidance)) == ""


@pytest.mark.parametrize("guidance", ["nur historische", "歴史的なもの", "x" * 500])
def test_guidance_in_words_that_the_list_has_not_is_told(guidance: str) -> None:
    remark = lists.remark(VariablesTask("fabric", 5, guidance=guidance))
    assert remark.startswith("The phrasebook's list “fabric” has no match for “")
    assert len(remark) < 200
