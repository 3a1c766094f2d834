"""Pictures become words, end to end against the imitation server: questions, answers, limits, failures."""

from __future__ import annotations

from itertools import pairwise

import pytest
from endpoints import endpoint

from quillwork.llm_backends import errors
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.types import Capabilities, Deployment, Image
from quillwork.prompting import phrasebook, targets
from quillwork.prompting.describe import (
    MOST_FRAMES,
    MOST_PICTURES,
    Described,
    View,
    describe,
    describe_views,
    pick_frames,
)
from quillwork.prompting.targets import Target

SENTENCES = Target("t", "Fox Model", "g", words=(30, 80))
TAGS = Target("tags", "Tags", "g", form="tags", prefix="masterpiece", negative="default", weights=True)
JSON = Target("json", "Json", "g", form="json")
CLIP = Target("clip", "Clips", "g", kind="video")
FROM_PICTURE = Target("i2v", "Clips", "g", kind="image_to_video", languages=("zh", "en"))
EDITOR = Target("edit", "Editor", "g", kind="edit", form="instruction")


def pictures(count: int) -> list[Image]:
    return [Image("image/jpeg", bytes([number])) for number in range(count)]


def run(count, deployment, **options) -> Described:
    return runner.run(describe(pictures(count), Model(deployment), **options))


def system(wire) -> str:
    return wire.calls()[-1].json["messages"][0]["content"]


def user_text(wire) -> str:
    return wire.calls()[-1].json["messages"][1]["content"][0]["text"]


def shown(body: dict) -> list[str]:
    return [part["image_url"]["url"] for part in body["messages"][1]["content"][1:]]


def test_one_text_for_each_picture_in_their_order_and_at_once(wire):
    wire.script("fox*", lambda body: f"Picture {shown(body)[0][-4:]} with seed {body['seed']}.")
    wire.meeting = 3
    described = run(3, endpoint(wire.url, "fox"), seed=7)
    assert described.texts == [f"Picture {mark}== with seed 7." for mark in ("AA", "AQ", "Ag")]
    assert [len(shown(call.json)) for call in wire.calls()] == [1, 1, 1]
    assert wire.peak == 3, "they were asked one after the other"
    assert described.info["prompt_tokens"] == 33
    assert described.info["warnings"] == []
    assert not described.is_substitute


def test_without_a_target_a_description_is_asked_for(wire):
    run(1, endpoint(wire.url))
    assert "tell somebody who cannot see it" in system(wire)
    assert "Instruction" not in user_text(wire)
    (call,) = wire.calls()
    assert call.json["max_tokens"] == 2048


def test_plain_has_no_manner_of_its_own(wire):
    run(1, endpoint(wire.url), target=targets.load("plain"))
    assert "tell somebody who cannot see it" in system(wire)


def test_a_wish_goes_along_and_is_none_of_the_rules(wire):
    run(1, endpoint(wire.url), instruction="  Which colour is the car? ")
    assert user_text(wire).endswith("Instruction:\nWhich colour is the car?")
    assert "car" not in system(wire)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            SENTENCES,
            ("Fox Model", "would make it again", "one flowing paragraph", "30 to 80 words", "English"),
        ),
        (TAGS, ("tags in lower case", "medium and the style that it really has")),
        (JSON, ("one JSON object",)),
        (CLIP, ("a video model", "Say what moves")),
        (FROM_PICTURE, ("the clip that begins with it", "what happens from it on", "Language: Chinese")),
        (EDITOR, ("editing instruction", "Name what is to change")),
    ],
)
def test_a_target_brings_its_own_manner(wire, target, said):
    run(1, endpoint(wire.url), target=target)
    for piece in said:
        assert piece in system(wire)
    assert "tell somebody who cannot see it" not in system(wire)


@pytest.mark.parametrize("target", [entry.id for entry in targets.index()])
def test_every_target_of_ours_can_be_asked_for(wire, target):
    loaded = targets.load(target)
    run(1, endpoint(wire.url), target=loaded)
    for rule in loaded.rules if loaded.form != "any" else ():
        assert rule in system(wire)


def test_the_answer_is_finished_in_the_targets_manner(wire):
    wire.script(
        "fox", "Here is your prompt:\n\n- a fox,\n- (snow:1.3), <lora:made-up:1>, frost\n\nNegative: blur"
    )
    assert run(1, endpoint(wire.url), target=TAGS).texts == ["masterpiece, a fox, (snow:1.3), frost"]
    assert run(1, endpoint(wire.url), target=SENTENCES).texts == ["a fox, snow, frost"]


def test_json_stays_on_its_lines(wire):
    wire.script("fox", '```json\n{"a":\n "b"}\n```')
    assert run(1, endpoint(wire.url), target=JSON).texts == ['{"a":\n "b"}']


def test_a_description_keeps_its_paragraphs_and_brings_no_networks(wire):
    wire.script("fox", "<think>hm</think>A fox.\n\nSnow, <lora:x:1>, frost.")
    assert run(1, endpoint(wire.url)).texts == ["A fox.\n\nSnow, frost."]


def test_a_video_is_one_question(wire):
    described = run(5, endpoint(wire.url), as_video=True)
    (call,) = wire.calls()
    assert len(shown(call.json)) == 5
    assert len(described.texts) == 1
    assert "5 pictures are frames of one video clip, in their order" in user_text(wire)
    assert "not frame by frame" in system(wire)


def test_a_long_video_is_shown_in_part_and_said_so(wire):
    described = run(64, endpoint(wire.url), as_video=True)
    (call,) = wire.calls()
    assert len(shown(call.json)) == MOST_FRAMES
    assert described.info["warnings"] == [
        f"The video has 64 frames; the model was shown {MOST_FRAMES} of them, evenly spread."
    ]


def test_frames_are_picked_evenly_from_the_first_to_the_last():
    picked, note = pick_frames(range(1000))
    gaps = {later - earlier for earlier, later in pairwise(picked)}
    assert (picked[0], picked[-1], len(picked)) == (0, 999, MOST_FRAMES)
    assert gaps <= {66, 67}
    assert "1000 frames" in note
    assert pick_frames([1, 2]) == ([1, 2], "")


def test_questions_may_differ_in_more_than_their_pictures(wire):
    wire.script("fox", lambda body: body["messages"][1]["content"][0]["text"].split("\n")[-1])
    one, two = pictures(2)
    views = [View((one,), None, "first", 1), View((two,), SENTENCES, "second", 2)]
    described = runner.run(describe_views(views, Model(endpoint(wire.url))))
    assert described.texts == ["first", "second"]
    assert sorted(call.json["seed"] for call in wire.calls()) == [1, 2]


@pytest.mark.parametrize("count", [0, MOST_PICTURES + 1])
def test_no_picture_and_too_many(wire, count):
    with pytest.raises(errors.NotConfigured, match="image"):
        run(count, endpoint(wire.url))
    with pytest.raises(errors.NotConfigured, match="no image"):
        run(0, endpoint(wire.url), as_video=True)
    assert not wire.log


def test_a_seed_beyond_what_apis_take_is_folded(wire):
    run(1, endpoint(wire.url), seed=2**63 + 5)
    assert wire.calls()[0].json["seed"] == 5


def test_a_model_that_cannot_see_is_not_asked(wire):
    blind = endpoint(wire.url, capabilities=Capabilities(vision=False), seeing=lambda: ("other/vl",))
    with pytest.raises(errors.CannotSee, match="such as other/vl"):
        run(1, blind)
    assert not wire.log


def test_the_phrasebook_says_that_it_cannot_see():
    phrasebook.register()
    with pytest.raises(errors.CannotSee, match=r"Phrasebook does not support images\. Choose a model"):
        run(1, Deployment("phrasebook", "", provider_label="Phrasebook"))


def test_a_refusal_and_an_empty_answer_are_errors(wire):
    wire.script("fox", "I'm sorry, but I can't describe this picture.")
    with pytest.raises(errors.Refused):
        run(1, endpoint(wire.url))
    with pytest.raises(errors.EmptyAnswer):
        run(1, endpoint(wire.url, "fox-empty"))


def test_of_many_the_first_failure_is_told_with_its_share(wire):
    with pytest.raises(errors.ProviderFailed, match=r"^3 of 3 pictures failed\."):
        run(3, endpoint(wire.url, "fox-status500", retries=0))


def test_an_answer_that_was_cut_off_is_told(wire):
    assert "cut off at max_tokens" in run(1, endpoint(wire.url, "fox-length")).info["warnings"][0]


def test_a_fallbacks_answer_is_marked(wire):
    other = endpoint(wire.url, "other")
    described = run(1, endpoint(wire.url, "fox-status500", retries=0, fallbacks=(other,)))
    assert described.is_substitute
    assert "was used instead" in described.info["warnings"][0]


def test_a_fallback_that_sees_stands_in_for_a_model_that_does_not(wire):
    blind = endpoint(
        wire.url, capabilities=Capabilities(vision=False), fallbacks=(endpoint(wire.url, "other"),)
    )
    described = run(1, blind)
    assert described.info["model"] == "other"
    assert "does not support images" in described.info["warnings"][0]
    assert len(wire.calls()) == 1
