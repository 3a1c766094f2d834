"""Parts of a piece of music by the smallest models: what SmolLM2 135M wrote, and what stays of it."""

from __future__ import annotations

import json

import pytest

from quillwork.prompting.answers.shapes import sections
from quillwork.prompting.small_models.parts import sure_parts
from quillwork.prompting.targets import load
from quillwork.prompting.tasks import EnhanceTask

from .test_mending import by_tiny

ACE = load("ace_step_1_5")
BALLAD = "a sad country ballad about a train, male voice"
SONG = (
    "[Verse 1]\nThe train has gone away\nIt took my heart along\nI stand beside the rails\n"
    "And sing a lonely song"
)
REST = {"bpm": "108", "keyscale": "F minor", "timesignature": "4"}


def parts_of(idea: str, target: str, **texts: str) -> tuple[dict[str, str], list[str]]:
    wanted = load(target)
    text, names = sure_parts(json.dumps(texts), EnhanceTask(idea, wanted, seed=1))
    return sections.read(text, wanted.parts), names


def test_a_caption_of_something_else_is_replaced():
    idea = "fast techno for a night drive, no vocals"
    said = (
        "The sound of a car driving down the road, with lights on it's tail light. The engine is loud and "
        "fast as you hear it."
    )
    texts, names = parts_of(idea, "ace_step_1_5", caption=said, lyrics="[Instrumental]", **REST)
    assert texts["caption"].startswith(idea)
    assert "caption" in names


def test_a_caption_that_copies_the_example_is_replaced():
    example = ACE.examples[0].prompt
    said = sections.read(example, ACE.parts)["caption"]
    texts, names = parts_of(BALLAD, "ace_step_1_5", caption=f"{BALLAD}. {said}", lyrics="[Verse]\nHi", **REST)
    assert "caption" in names
    assert said not in texts["caption"]


def test_a_caption_with_the_rest_of_a_form_is_replaced():
    idea = "heavy metal about a dragon"
    said = "Global Metadata: Heavy metal about a dragon, with instruments and voice in English.\n} {"
    texts, names = parts_of(idea, "minimax_music_3", caption=said, lyrics=SONG)
    assert names == ["caption"]
    assert "{" not in texts["caption"]


def test_a_caption_of_the_idea_stays_and_the_numbers_go_with_it():
    texts, names = parts_of(BALLAD, "ace_step_1_5", caption=f"{BALLAD}, slow.", lyrics=SONG, **REST)
    assert texts["caption"] == f"{BALLAD}, slow."
    assert texts["lyrics"] == SONG
    assert names == ["bpm", "keyscale", "timesignature"]


@pytest.mark.parametrize(
    "said",
    [
        "[The Train]",
        "[Instrumental]\n]}, lyrics: The first track is a slow,\nflat tune that makes you think of a sea",
        "[Verse]\nSong 1: A girl with a head lamp\nsaw the girl\nthrough the window\nof her train",
        "[Verse]\nThe train has gone",
    ],
)
def test_what_is_no_song_is_replaced(said):
    texts, names = parts_of(BALLAD, "ace_step_1_5", caption=BALLAD, lyrics=said, **REST)
    assert texts["lyrics"] != said
    assert "lyrics" in names


def test_the_users_own_lyrics_stay():
    idea = f"{BALLAD}\n\n[Ours]\nThe train has gone away\nIt took my heart along"
    _, names = parts_of(idea, "ace_step_1_5", caption=BALLAD, lyrics="la la", **REST)
    assert "lyrics" not in names


def test_an_idea_that_nobody_can_read_stands_for_a_caption_of_something_else():
    idea = "ein fröhliches Kinderlied über Frösche"
    said = "The song of the old, lonely, weary, blue-eyed, young, childe ain't no more"
    texts, _ = parts_of(idea, "ace_step_1_5", caption=said, lyrics="[Verse 1]\nThe frogs are here", **REST)
    assert texts["caption"] == idea


def test_the_user_is_told_of_it_once():
    said = json.dumps({"caption": "A car drives by.", "lyrics": "[Instrumental]", **REST})
    prompt, warnings = by_tiny("fast techno for a night drive, no vocals", "ace_step_1_5", said, said)
    assert "techno" in prompt
    assert sum("these are the phrasebook's: caption, bpm" in warning for warning in warnings) == 1


def test_other_forms_are_left_alone():
    text = '{"short_description": "a fox in the snow"}'
    assert sure_parts(text, EnhanceTask("a fox", load("fibo"))) == (text, [])
