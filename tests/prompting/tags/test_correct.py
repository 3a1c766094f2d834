"""Text that a model wrote, made to agree with the user's tag table; the user's own words stay."""

from __future__ import annotations

import pytest
from endpoints import endpoint
from prompting.tags.conftest import DANBOORU, E621

from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import runner
from quillwork.prompting import targets
from quillwork.prompting.enhance import Idea, enhance
from quillwork.prompting.tags.correct import corrected
from quillwork.prompting.targets import Target

TAGS = Target("t", "Tags", "g", form="tags", weights=True, tags=("danbooru",))
ORDERED = Target(
    "o",
    "Ordered",
    "g",
    form="tags",
    weights=True,
    tags=("danbooru",),
    tag_order=("count", "character", "series", "artist", "general"),
)
LINES = Target("l", "Lines", "g", form="tags", tags=("danbooru",), underscores=True)
MIXED = Target(
    "m", "Mixed", "g", form="tags_and_prose", weights=True, tags=("danbooru",), tag_order=ORDERED.tag_order
)


@pytest.mark.parametrize(
    ("target", "written", "own", "expected"),
    [
        (TAGS, "1girls, longhair, tights", "", "1girl, long hair, pantyhose"),
        (TAGS, "1girl, long_hair, Red Eyes", "", "1girl, long hair, red eyes"),
        (LINES, "1girl, long hair, tights", "", "1girl, long_hair, pantyhose"),
        (TAGS, "1girl, saber (fate)", "", r"1girl, saber \(fate\)"),
        (TAGS, r"1girl, saber \(fate\)", "", r"1girl, saber \(fate\)"),
        (LINES, "saber (fate), rain", "", "saber_(fate), rain"),
        (TAGS, "1girl, ^_^, score_9", "", "1girl, ^_^, score_9"),
        (TAGS, "1girl, (tights:1.2), ((longhair))", "", "1girl, (pantyhose:1.2), ((long hair))"),
        (TAGS, "1girl, tights, pantyhose, rain", "", "1girl, pantyhose, rain"),
        # The user's own words.
        (TAGS, "1girl, tights, rain", "a girl in tights", "1girl, tights, rain"),
        (TAGS, "1girl, longhair", "Longhair, smile", "1girl, longhair"),
        (TAGS, "1girl, wtrclr style", "wtrclr style", "1girl, wtrclr style"),
        # The order.
        (TAGS, "rain, hatsune miku, 1girl", "", "rain, hatsune miku, 1girl"),
        (
            ORDERED,
            "rain, vocaloid, wlop, long hair, hatsune miku, solo, 1girl",
            "",
            "solo, 1girl, hatsune miku, vocaloid, wlop, rain, long hair",
        ),
        (ORDERED, "wtrclr style, rain, 1girl", "wtrclr style", "wtrclr style, 1girl, rain"),
        (ORDERED, "masterpiece, rain, 1girl", "", "masterpiece, 1girl, rain"),
        # Tags and sentences.
        (
            MIXED,
            "rain, 1girl, longhair. A girl with longhair, tights and an umbrella walks.",
            "",
            "1girl, rain, long hair. A girl with longhair, tights and an umbrella walks.",
        ),
        (
            MIXED,
            "A girl, who is tall, walks in the rain. rain, 1girl, tights",
            "",
            "A girl, who is tall, walks in the rain. 1girl, rain, pantyhose",
        ),
        (
            MIXED,
            "rain, 1girl, tights, A girl walks in the heavy rain",
            "",
            "1girl, rain, pantyhose, A girl walks in the heavy rain",
        ),
    ],
)
def test_tags_become_those_of_the_table(board, target, written, own, expected):
    board("danbooru.csv", DANBOORU)
    warnings = []
    assert corrected(target, written, own, warnings) == expected
    assert warnings == []


def test_a_tag_that_does_not_exist_is_told_once_and_stays(board):
    board("danbooru.csv", DANBOORU)
    warnings = []
    text = "1girl, glowing sock puppet, rain, moon teeth, glowing sock puppet"
    assert corrected(TAGS, text, "", warnings) == "1girl, glowing sock puppet, rain, moon teeth"
    assert warnings == ["Not in your tag table, so Tags may not know it: glowing sock puppet, moon teeth."]


def test_no_more_than_a_dozen_unknown_tags_are_named(board):
    board("danbooru.csv", DANBOORU)
    warnings = []
    corrected(TAGS, ", ".join(f"odd {number}" for number in range(20)), "", warnings)
    assert warnings[0].endswith("odd 11 and 8 more.")


@pytest.mark.parametrize(
    "text", ["masterpiece, best quality, year 2015, nsfw, score_7_up, rating_safe", "extra"]
)
def test_what_the_model_was_taught_beside_the_board_is_not_told(board, text):
    board("danbooru.csv", DANBOORU)
    warnings = []
    target = Target("t", "Tags", "g", form="tags", tags=("danbooru",), suffix="extra, words")
    assert corrected(target, text, "", warnings) == text
    assert warnings == []


@pytest.mark.parametrize(
    "target",
    [
        Target("p", "Prose", "g", tags=("danbooru",)),
        Target("w", "Without", "g", form="tags"),
        Target("e", "Other board", "g", form="tags", tags=("e621",)),
    ],
)
def test_without_a_table_for_it_nothing_changes(board, target):
    board("danbooru.csv", DANBOORU)
    assert corrected(target, "1girls,  tights ,odd", "", warnings := []) == "1girls,  tights ,odd"
    assert warnings == []


def test_an_artist_gets_its_mark(board):
    board("danbooru.csv", DANBOORU)
    anima = targets.load("anima")
    assert corrected(anima, "1girl, @wlop, rain", "", []) == "1girl, @wlop, rain"
    assert corrected(anima, "1girl, rain, wlop", "", []) == "1girl, @wlop, rain"


def test_a_board_of_furries_for_models_that_know_it(board):
    board("danbooru.csv", DANBOORU)
    board("e621.csv", E621)
    assert corrected(targets.load("noobai"), "antro, k9, 1girl", "", []) == "1girl, anthro, canine"
    illustrious = targets.load("illustrious")
    assert corrected(illustrious, "antro, 1girl, rain", "", told := []) == "1girl, antro, rain"
    assert "antro" in told[0]


def test_the_way_of_an_answer(board, wire):
    """Weights, LoRA tags and words of the user's come through as they are; the rest is corrected."""
    board("danbooru.csv", DANBOORU)
    wire.script("fox", "rain, (tights:1.3), longhair, redeyes, 1girl, moon teeth")
    idea = Idea("(tights:1.3), <lora:a:0.8>, redeyes", targets.load("illustrious"), instruction="more of it")
    done = runner.run(enhance([idea], Model(endpoint(wire.url))))
    assert done.prompts == [
        "1girl, rain, (tights:1.3), <lora:a:0.8>, long hair, redeyes, moon teeth, masterpiece, best quality"
    ]
    assert any("moon teeth" in warning for warning in done.info["warnings"])
