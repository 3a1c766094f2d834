"""English for ideas in other languages: no word is made of a part of another one."""

from __future__ import annotations

import pytest

from quillwork.prompting.phrasebook.glossary import gloss, spoken


def english(idea: str) -> str | None:
    found = gloss(idea, spoken(idea))
    return found.english if found else None


@pytest.mark.parametrize(
    ("idea", "said"),
    [
        ("鳥居", "torii gate"),
        ("鳥居の前の猫", "cat in front of torii gate"),
        ("上海", "shanghai"),
        ("上海的夜景", "night view of the city, shanghai"),
        ("霓虹灯", "neon light"),
        ("東京の夜", "tokyo, night"),
        ("赛博朋克城市", "cyberpunk city"),
        ("一个穿着和服的女孩", "girl, wearing kimono"),
        ("猫耳少女", "girl, cat ears"),
        ("竹林里的武士", "samurai, bamboo forest"),
        ("桜の木の下で眠る猫", "cat under cherry tree, sleeping"),
        ("神社", "shrine"),
        ("日本の侍", "samurai, japan"),
        ("两个武士在竹林中", "two samurai, bamboo forest"),
        ("花火", "fireworks"),
        ("개구리", "frog"),
        ("숲속의 고양이", "cat, forest"),
        ("старый трамвай на зимней улице", "old tram on winter street"),
        ("女孩站在红色的门前", "girl, standing in front of red door"),
        ("ein Haus", "house"),
        ("eine Katze", "cat"),
        ("le chat", "cat"),
        ("ein Haus im Wald", "house in forest"),
        ("un chien sous la neige", "dog in snow"),
        ("eine junge Frau im Regen ohne Schirm", "young woman in rain without umbrella"),
        ("una niña con un globo rojo en la playa", "girl with red balloon in beach"),
        ("una niña con un paraguitas rojo en la playa", "girl with red paraguitas in beach"),
    ],
)
def test_common_words_are_said_in_english(idea: str, said: str) -> None:
    assert english(idea) == said


def test_an_accent_tells_a_language_of_which_few_words_are_known() -> None:
    assert spoken("la mariée jette son bouquet") == "fr"


def test_italian_is_no_spanish() -> None:
    assert spoken("un bambino che gioca con un cane") == "it"


@pytest.mark.parametrize(
    "idea",
    ["龙居", "上野", "地铁", "河马", "海月", "赤ん坊", "鳥かご", "手紙", "강남 거리", "소나무", "물감"],
)
def test_no_word_is_made_of_a_part_of_another(idea: str) -> None:
    """A hippopotamus, "river horse", is neither."""
    assert english(idea) is None


def test_a_stretch_that_is_not_known_stays_whole_and_is_told() -> None:
    found = gloss("猫坐在塔楼前", "zh")
    assert found is not None
    assert (found.english, found.unknown, found.keeps_unknown) == ("cat, sitting, 塔楼前", ("塔楼前",), True)
