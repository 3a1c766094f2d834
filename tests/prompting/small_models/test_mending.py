"""Mended answers of small models: from what Gemma 270M, SmolLM2 and Qwen2.5-Coder-1.5B wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from quillwork.llm_backends.errors import AnswerLoops, EmptyAnswer
from quillwork.llm_backends.types import Deployment, Request, Result
from quillwork.prompting.answers.limits import size_of
from quillwork.prompting.answers.terms import without_runaway, without_shown
from quillwork.prompting.enhance import Enhanced, Idea, enhance
from quillwork.prompting.phrasebook import write
from quillwork.prompting.small_models.mending import filled
from quillwork.prompting.small_models.sentences import drawable
from quillwork.prompting.targets import load
from quillwork.prompting.tasks import EnhanceTask

FOX = "a fox in the snow"
GOOD = (
    "A fox in the snow, its thick winter coat flecked with white. Pale morning light falls from the left and "
    "leaves long blue shadows behind it. Snow-laden branches close the frame at its edges."
)


class Told:
    """A small model in this process that says `texts` in turn; `asked` is what it was asked."""

    def __init__(self, *texts: Any, name: str = "some-500m.gguf") -> None:
        self.texts = list(texts)
        self.asked: list[Request] = []
        self.deployment = Deployment("gguf", name, mode="gguf", provider="gguf")

    async def ask(self, requests: Sequence[Request], shown: Any = None) -> list[Any]:
        self.asked += requests
        said = [self.texts.pop(0) for _ in requests]
        return [Result(text=text, finish_reason="stop") if isinstance(text, str) else text for text in said]


def made(idea: str, target: str, *texts: Any, **fields: Any) -> tuple[str, Enhanced, Told]:
    model = Told(*texts)
    done = asyncio.run(enhance([Idea(idea, load(target), **fields)], model))  # type: ignore[arg-type]
    return done.prompts[0], done, model


class TestProse:
    def test_a_good_answer_stays_and_costs_no_call_and_no_warning(self):
        prompt, done, model = made(FOX, "flux1_dev", f"<prompt>{GOOD}</prompt>")
        assert prompt == GOOD
        assert (len(model.asked), done.info["warnings"]) == (1, [])

    @pytest.mark.parametrize(
        "talk",
        [
            "Each time you print, press it down on your computer.",
            "Write the subject's name, and what it does.",
            "Marie Curie was born in Warsaw on December 7, 1867.",
            "One paragraph, 26 to 30 words, in English.",
            "In the setting, light, materials, view.",
            "I hope this helps!",
            "The prompt describes a winter scene.",
        ],
    )
    def test_a_sentence_that_is_nothing_to_draw_goes(self, talk):
        assert drawable(f"{GOOD} {talk}", FOX) == GOOD

    def test_labels_of_our_own_go_and_what_follows_stays(self):
        written = "A fox in the snow, setting: park, light: warm sun; view: from below."
        assert drawable(written, FOX) == "A fox in the snow, park, warm sun; from below."
        assert drawable(written, f"{FOX}, light: warm sun") == written

    def test_the_users_own_words_are_no_talk(self):
        own = 'a sign that says "You are here". I love it'
        assert drawable('A sign that says "You are here".', own) == 'A sign that says "You are here".'

    @pytest.mark.parametrize(
        "more",
        [
            "A wolf, in a small wooden box, is in a small wooden box, a fox in a small wooden box.",
            "Its thick winter coat is flecked with white.",
            "Pale yellow sky, taken from low among the stal",
            "狐狸在雪地里。",
        ],
    )
    def test_rounds_repetitions_another_script_and_what_is_not_finished_go(self, more):
        assert drawable(f"{GOOD} {more}", FOX) == GOOD

    def test_a_sentence_of_a_worked_example_does_not_come_back(self):
        shown = "It stands alone on white paper, with a soft violet shadow pooling to its left."
        assert (
            drawable(f"{GOOD} It stands alone on white paper, with a soft violet shadow.", FOX, shown=[shown])
            == GOOD
        )

    def test_what_must_not_be_there_goes_with_its_clause_or_its_sentence(self):
        prompt, _, model = made(
            "a Tokyo alley at night without neon signs",
            "flux1_dev",
            "A Tokyo alley at night, with neon signs, lights flickering in the shadows. The neon signs cast "
            "long shadows. Rain has left the narrow paving wet, and one lantern hangs above a door.",
        )
        assert prompt.startswith("A Tokyo alley at night, lights flickering in the shadows. Rain has")
        assert "neon" not in prompt
        assert len(model.asked) == 1

    def test_another_attempt_has_another_seed(self):
        _, _, model = made("ein roter Quastenflosser auf gelbem Sand", "flux1_dev", GOOD, GOOD, seed=7)
        assert [request.seed for request in model.asked] == [7, 7926]

    def test_another_attempt_is_told_what_was_lost_and_not_shown_what_it_would_copy(self):
        _, _, model = made("ein roter Quastenflosser auf gelbem Sand", "flux1_dev", GOOD, GOOD)
        first, second = (request.messages for request in model.asked)
        assert second[:-1] == first[:-1]
        assert second[-1].content == f"{first[-1].content}\nLeave nothing out: roter, gelbem."

    def test_it_is_cut_at_a_sentence_and_no_warning_is_due(self):
        huts = ("stone", "timber", "brick", "slate", "straw", "plaster", "copper", "glass", "felt")
        long = " ".join([GOOD, *(f"Behind it stands a small {hut} cabin with a lantern." for hut in huts)])
        prompt, done, _ = made(FOX, "flux1_dev", long)
        assert size_of(load("flux1_dev"), prompt) <= 80
        assert prompt.endswith(".")
        assert not done.info["warnings"]

    def test_what_an_answer_drops_of_an_english_idea_stands_first(self):
        prompt, done, model = made(
            "two cats on a windowsill, Bello asleep", "flux1_dev", GOOD.replace("fox", "dog")
        )
        assert prompt.startswith("Two cats on a windowsill, Bello asleep. A dog in the snow")
        assert (len(model.asked), done.info["warnings"]) == (1, [])

    def test_a_list_is_completed_with_what_it_lacks(self):
        prompt, _, _ = made(
            "knight, full armor, castle ruins, fog",
            "flux1_dev",
            GOOD.replace("fox", "knight in armor in fog"),
        )
        assert prompt.endswith("Also in the picture: full armor, castle ruins.")

    def test_pieces_of_a_sentence_are_not_put_in(self):
        idea = (
            "I would like a picture for our kitchen: it should show a long table laid for eight people, "
            "with sunlight coming in from a window on the left, and our dog asleep under the table."
        )
        said = (
            "The table is covered in plates. A window on the left lets in soft sunlight, and the dog sleeps."
        )
        prompt, _, _ = made(idea, "flux1_dev", said, said)
        assert "coming" not in prompt and "from window" not in prompt
        assert "kitchen" in prompt and "eight people" in prompt

    def test_a_list_that_code_alone_has_put_in_is_told_of(self):
        idea = "silver hair, red eyes, black coat, night"
        trees = (
            "The trees have green leaves against a yellow rock behind them, in the sun of a long afternoon."
        )
        prompt, done, _ = made(idea, "flux1_dev", trees, trees)
        assert "Also in the picture: silver hair" in prompt
        assert [warning for warning in done.info["warnings"] if "it lacks “silver”" in warning]

    def test_a_short_one_is_filled_up_and_told(self):
        prompt, done, model = made(FOX, "flux1_dev", "A fox in the snow, with open mouth.")
        assert prompt.startswith("A fox in the snow, with open mouth. ")
        assert 30 <= size_of(load("flux1_dev"), prompt) <= 80
        assert len(model.asked) == 1
        assert [warning for warning in done.info["warnings"] if "from the phrasebook" in warning]


SHORT_CLIP = (
    "A train crosses a bridge in the rain, its front lamp glowing. Drops run along the windows of the second "
    "carriage. Below, the brown river carries a branch slowly from left to right."
)
NEXT = (
    "The camera stays beside the first pillar while the carriages pass one by one, each a little darker than "
    "the one before it."
)


class TestTooShort:
    def test_a_clip_goes_on_from_what_was_written(self):
        _, _, model = made(
            "a train crosses a bridge in the rain",
            "hunyuan_video_1_5_t2v",
            SHORT_CLIP,
            f"{SHORT_CLIP} {NEXT}",
        )
        assert len(model.asked) == 2
        assert model.asked[1].opening == f"<prompt>{SHORT_CLIP} The camera"

    def test_nothing_is_begun_that_was_said_already(self):
        seen = f"{SHORT_CLIP} {NEXT}"
        _, _, model = made("a train crosses a bridge in the rain", "hunyuan_video_1_5_t2v", seen, seen)
        assert model.asked[1].opening == f"<prompt>{seen} In the background,"

    def test_what_has_another_fault_is_written_anew(self):
        _, _, model = made(
            "three trains cross a bridge", "hunyuan_video_1_5_t2v", f"{SHORT_CLIP} It shines.", SHORT_CLIP
        )
        assert not model.asked[1].opening.startswith(f"<prompt>{SHORT_CLIP}")

    def test_an_edit_says_what_stays_without_a_call(self):
        written = "Change the jacket to red and leave everything else as they are."
        prompt, done, model = made(
            "make the jacket red", "qwen_image_2_1_edit", f"<prompt>{written}</prompt>"
        )
        assert prompt.startswith(written)
        assert size_of(load("qwen_image_2_1_edit"), prompt) >= 20
        assert len(model.asked) == 1
        (warning,) = done.info["warnings"]
        assert warning.endswith("what stays as it is was added from the phrasebook.")

    def test_what_a_picture_does_next_is_filled_up(self):
        written = "She turns her head to the right and grins. The camera follows her as she laughs."
        prompt, done, model = made("she turns round and laughs", "kandinsky_5_i2v", written)
        assert prompt.startswith(written)
        assert prompt.count("camera") == 1
        assert size_of(load("kandinsky_5_i2v"), prompt) >= 40
        assert len(model.asked) == 1
        (warning,) = done.info["warnings"]
        assert warning.endswith("movement of the camera and of what is around was added from the phrasebook.")

    def test_what_a_picture_does_next_costs_no_second_call(self):
        _, done, model = made("the light goes out", "ltx_2_5_i2v", "The light goes out.")
        assert len(model.asked) == 1
        assert "is short for LTX-2.5" in done.info["warnings"][0]

    def test_what_lacks_little_gets_no_more_than_it_may_have(self):
        wan = load("wan_2_1_t2v")
        text = f"{SHORT_CLIP} {NEXT} A gull sits on the railing and lets the wind lift all its feathers high."
        assert wan.words[0] - 10 < size_of(wan, text) < wan.words[0]
        done = filled(text, EnhanceTask("a train crosses a bridge in the rain", wan, seed=7), "")
        assert done.startswith(text)
        assert wan.words[0] <= size_of(wan, done) <= wan.words[1]

    def test_where_the_idea_may_stay_as_it_is_little_more_is_asked_for(self):
        _, _, model = made("a keeper feeds five gulls on the rocks", "boogu_image", GOOD)
        asked = model.asked[0].messages[-1].content
        assert "8 to 21 words" in asked
        assert model.asked[0].opening.endswith("on the rocks")
        assert "add little else" in asked


class TestLists:
    def test_a_short_one_is_filled_up(self):
        prompt, done, model = made(FOX, "illustrious", "no humans, fox, snow, white fur")
        assert prompt.startswith("no humans, fox, snow, white fur, ")
        assert size_of(load("illustrious"), prompt) >= 20
        assert (len(model.asked), len(done.info["warnings"])) == (1, 1)

    def test_what_the_idea_names_stands_behind_who_is_there(self):
        prompt, _, _ = made("a girl with green hair", "illustrious", "1girl, blue dress, smile")
        assert prompt.startswith("1girl, green hair, blue dress, smile, ")

    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("fox, red hue, green hue, blue hue, pink hue, red skin", "fox, red hue, green hue"),
            ("fox, snow hill, snow hut, snow sky, snow fox, sun", "fox, snow hill, snow hut"),
            (
                "red hair, blue eyes, long hair, grey coat, blue scarf",
                "red hair, blue eyes, long hair, grey coat, blue scarf",
            ),
            ("fox, fox cub, den, hill", "fox, fox cub, den, hill"),
        ],
    )
    def test_a_list_that_runs_away_ends_there(self, text, left):
        assert without_runaway(text) == left

    def test_the_terms_of_a_worked_example_do_not_come_back(self):
        shown = ["1boy, old, oil lamp, round table, spiral staircase", "1girl, witch, teapot, steam, kitchen"]
        text = "1girl, knitting, oil lamp, round table, spiral staircase, teapot, hat"
        assert without_shown(text, "a girl", shown) == "1girl, knitting, teapot, hat"
        assert without_shown(text, "oil lamp, round table, spiral staircase", shown) == text

    def test_sentences_and_weights_of_its_own_are_no_tags(self):
        prompt, _, _ = made(
            FOX, "illustrious", "no humans, (fox:1.4), a fox that walks through the deep snow at night, snow"
        )
        assert prompt.startswith("no humans, fox, snow, ")
        assert ":1.4" not in prompt

    def test_phrases_lose_their_labels(self):
        prompt, _, _ = made(
            FOX,
            "sdxl",
            "a fox in the snow, setting: pine forest, light: low winter sun, soft haze over hills",
        )
        assert "a fox in the snow, pine forest, low winter sun" in prompt


@pytest.mark.parametrize(
    ("idea", "target", "is_told"),
    [
        ("一只熊猫在竹林里吃竹子", "flux1_dev", True),
        ("un chat noir dort sur un piano", "flux1_dev", True),
        (FOX, "flux1_dev", False),
        ("一只熊猫在竹林里吃竹子", "plain", False),
        ("一只熊猫在竹林里吃竹子", "qwen_image", False),
    ],
)
def test_the_smallest_models_are_no_translators(idea, target, is_told):
    _, done, _ = made(idea, target, *[GOOD] * 2)
    assert any("to translate" in warning for warning in done.info["warnings"]) is is_told


class TestPlain:
    IDEA = "a dog it run on beach , the dog is brown"

    def test_a_correction_stays(self):
        prompt, done, _ = made(self.IDEA, "plain", "A brown dog is running on the beach.")
        assert prompt == "A brown dog is running on the beach."
        assert not done.info["warnings"]

    @pytest.mark.parametrize(
        "text",
        [
            "It was a cold winter day. The dog was looking for food, and it ran along the shore until the "
            "sun went down behind the hills, and nobody was there to see it.",
            "Once upon a time.",
            "Un perro marrón corre por la playa con los niños.",
            "A brown dog is running on the beach. There are also two red balls.",
            "A dog is running.",
        ],
    )
    def test_what_strays_gives_way_to_the_users_own_words(self, text):
        prompt, done, model = made(self.IDEA, "plain", text)
        assert prompt == self.IDEA
        assert "strayed from the idea" in done.info["warnings"][0]
        assert "your own words were kept" in done.info["warnings"][0]
        assert len(model.asked) == 1


def test_what_stands_before_a_loop_of_a_list_keeps_no_envelope():
    listed = ", ".join(f"{letter * 3}ine" for letter in "abcdefghijklmnopqrstuvwxyz")
    prompt, _, _ = made(FOX, "illustrious", AnswerLoops.of("It", f"<prompt>no humans, fox, snow, {listed}"))
    assert prompt.startswith("no humans, fox, snow, aaaine")


def test_an_idea_in_another_language_is_neither_begun_nor_read_for_what_is_not_there():
    _, done, model = made(
        "um velho faroleiro consertando bandolins no porto", "sdxl", f"{GOOD[:-1]}, soft light, hills"
    )
    assert "no porto" in model.asked[0].messages[-1].content
    assert not done.negatives[0].endswith("porto")


NONSENSE = (
    "A fox in the snow, with a white tree tree and a white tree tree behind it. It stands at the edge of a "
    "wide field in pale light, and a low wall of stone closes the picture on its left side."
)


def test_a_short_list_before_a_loop_is_filled_up():
    listed = "fox, snow, pine trees, footprints, pale sky, snow hut, snow hut, snow hut, snow hut, snow hut"
    prompt, done, _ = made(FOX, "illustrious", AnswerLoops.of("It", f"<prompt>no humans, {listed}"))
    assert prompt.startswith("no humans, fox, snow, pine trees, footprints, pale sky")
    assert size_of(load("illustrious"), prompt) >= 20
    assert any("repetitions were removed" in warning for warning in done.info["warnings"])


def test_a_word_that_was_not_translated_goes_and_lettering_stays():
    idea = "一只熊猫在竹林里吃竹子, 招牌写着「竹」"
    rest = (
        "bamboo trees covered with leaves, natural light, wind in the branches, quiet morning, low angle view"
    )
    prompt, _, _ = made(idea, "sdxl", f'a panda eating bamboo, 熊猫\'s head is green, a sign "竹", {rest}')
    assert "熊猫" not in prompt
    assert '"竹"' in prompt
    prompt, _, _ = made(idea, "flux1_dev", f'A panda eats bamboo, 熊猫 is happy. A sign says "竹". {GOOD}')
    assert prompt.startswith('A panda eats bamboo. A sign says "竹".')


def test_in_portuguese_no_is_no_negation():
    idea = "um velho pescador consertando redes no porto"
    answer = (
        "old fisherman mending nets, porto waterfront, old wooden pier, rope laid out, low morning sun, gulls"
    )
    prompt, done, model = made(idea, "sdxl", answer)
    assert "porto waterfront" in prompt
    assert len(model.asked) == 1
    assert "Negative" not in model.asked[0].messages[-1].content
    assert not any("must not be there" in warning for warning in done.info["warnings"])


def test_an_idea_in_common_words_of_another_language_is_asked_for_in_english():
    prompt, done, model = made(
        "ein alter Leuchtturm im Sturm", "flux1_dev", f"Old lighthouse in storm, {GOOD}"
    )
    assert "Idea for a picture: old lighthouse in storm\n" in model.asked[0].messages[-1].content
    assert model.asked[0].opening == "<prompt>Old lighthouse in storm,"
    assert "“old lighthouse in storm”" in done.info["warnings"][0]
    assert prompt.startswith("Old lighthouse")


@pytest.mark.parametrize(
    ("idea", "target", "fields"),
    [
        ("ein alter Leuchtturm im Sturm", "plain", {}),  # reads any language
        ("一只熊猫在竹林里吃竹子", "qwen_image", {}),  # reads Chinese
        ("ein alter Leuchtturm im Sturm", "flux1_dev", {"instruction": "heller"}),
        ('ein alter Leuchtturm, darauf "Nord"', "flux1_dev", {}),
        ("ein alter Leuchtturm BREAK ein alter Sturm", "sdxl", {}),
        ("ein alter Quastenflosser im Sturm", "flux1_dev", {}),  # a word that the list has not
    ],
)
def test_else_it_is_asked_for_as_it_is(idea, target, fields):
    _, done, model = made(idea, target, *[GOOD] * 4, **fields)
    assert "alter" in model.asked[0].messages[-1].content or "熊猫" in model.asked[0].messages[-1].content
    assert not any("word by word" in warning for warning in done.info["warnings"])


def test_nonsense_is_asked_for_once_more_with_another_seed_and_then_told_of_in_one_warning():
    prompt, done, model = made(FOX, "flux1_dev", NONSENSE, NONSENSE)
    assert "tree tree" in prompt
    assert len(model.asked) == 2
    assert model.asked[1].messages == model.asked[0].messages
    assert model.asked[1].seed != model.asked[0].seed
    (warning,) = done.info["warnings"]
    assert warning.startswith("The answer may be of no use (it says “tree tree”): once more asked for")
    assert warning.endswith("choose a larger model or the phrasebook.")


def test_a_better_second_answer_is_taken():
    prompt, done, _ = made(FOX, "flux1_dev", NONSENSE, GOOD)
    assert prompt == GOOD
    (warning,) = done.info["warnings"]
    assert warning.endswith("it was asked for once more.")


@pytest.mark.parametrize(
    ("idea", "more", "shown"),
    [
        ("a Tokyo alley at night without neon signs", "narrow streets with neon lights", "neon"),
        ("a living room, no television, no plants", "a TV standing in the corner", "TV"),
        ("a castle on a hill", "and the image needs added details", "needs"),
        ("a castle on a hill", "light, colours and framing", "framing"),
        ("a castle on a hill", "for example when it is snowing", "example"),
        ("a castle on a hill", "льном", "льном"),
    ],
)
def test_what_is_excluded_under_another_name_and_our_own_words_go(idea, more, shown):
    rest = (
        "cobblestones, warm lamps, tall old houses, cloudy sky, soft shadows, low angle view, muted colours"
    )
    prompt, _, _ = made(idea, "sdxl", f"{more}, {rest}")
    assert shown not in prompt
    assert "cobblestones" in prompt


def by_tiny(idea: str, target: str, *texts: Any) -> tuple[str, list[str]]:
    """Return (prompt, warnings) where a model of 135M parameters says `texts`."""
    model = Told(*texts, name="SmolLM2-135M-Instruct.gguf")
    done = asyncio.run(enhance([Idea(idea, load(target))], model))  # type: ignore[arg-type]
    return done.prompts[0], done.info["warnings"]


class TestTheSmallestModels:
    """On what SmolLM2 135M wrote."""

    @pytest.mark.parametrize("said", [EmptyAnswer("It was silent."), "<prompt></prompt>"])
    @pytest.mark.parametrize("target", ["flux1_dev", "illustrious"])
    def test_the_phrasebook_speaks_for_a_model_that_says_nothing(self, said, target):
        prompt, (warning,) = by_tiny("the last bus at night, one passenger asleep", target, said)
        assert "last bus" in prompt
        assert len(prompt.split()) > 25
        assert warning.endswith("nothing in it could be used, so the phrasebook wrote the prompt.")

    def test_a_translation_that_would_lose_a_no_is_not_made(self):
        idea = "ein Leuchtturm im Sturm, keine Menschen"
        prompt, (warning,) = by_tiny(idea, "flux1_dev", "People stand at the lighthouse.")
        assert prompt.casefold() == idea.casefold()
        assert "your own words were kept" in warning

    def test_a_model_that_says_nothing_to_an_edit_is_an_error(self):
        with pytest.raises(EmptyAnswer):
            by_tiny("make the car red", "flux1_kontext", EmptyAnswer("It was silent."))

    @pytest.mark.parametrize("prompt", ["", "...", "<lora:film:0.8>"])
    @pytest.mark.parametrize("target", ["flux1_dev", "illustrious", "wan_2_2_t2v"])
    def test_talk_in_answer_to_no_idea_makes_room_for_the_phrasebook(self, prompt, target):
        said = "What makes a good story about the moon? I think you want to write about my life."
        model = Told(said, said, name="SmolLM2-135M-Instruct.gguf")
        idea = Idea(prompt, load(target), from_nothing=True)
        done = asyncio.run(enhance([idea], model))  # type: ignore[arg-type]
        (text,), (warning,) = done.prompts, done.info["warnings"]
        assert text.startswith(prompt)
        assert len(text.split()) > 15
        assert "think" not in text
        assert warning.endswith("nothing in it could be used, so the phrasebook wrote the prompt.")

    @pytest.mark.parametrize(
        ("idea", "target", "text", "gone"),
        [
            (
                'a chalkboard with the words "Soup of the Day"',
                "midjourney_like",
                'A chalkboard with the words "Soup of the Day", a picture of a lemon',
                "lemon",
            ),
            (
                'a street sign reading "Rue des Lilas" on an ivy wall',
                "midjourney_like",
                'A street sign reading "Rue des Lilas" on an ivy wall, a short phrase, a short sentence',
                "phrase",
            ),
            (
                "seven candles on a birthday cake",
                "chroma",
                "Seven candles on a birthday cake, a candle-making process, a moment of beauty and joy.",
                "moment",
            ),
            (
                "portrait of a man",
                "flux1_schnell",
                "Portrait of a man, with a white linen cloak. A portrait of a woman, with a delicate face.",
                "woman",
            ),
            (
                "an albino peacock",
                "flux1_dev",
                "An albino peacock, setting, light, see in front of the mirror, a long basket-type object.",
                "mirror",
            ),
            (
                "a ship in a bottle",
                "flux1_dev",
                "A ship in a bottle. He walks to the corner of the wheel, picks up a glass and shuffles it.",
                "wheel",
            ),
        ],
    )
    def test_what_does_not_fit_the_idea_is_left_out(self, idea, target, text, gone):
        prompt, _ = by_tiny(idea, target, text, text)
        assert gone not in prompt
        assert prompt.lower().startswith(idea.lower())
        assert size_of(load(target), prompt) >= load(target).words[0] / 2

    @pytest.mark.parametrize(
        ("idea", "target", "text", "sign"),
        [
            (
                "blur the background",
                "flux1_kontext",
                "Change the colour of the background to another colour, keeping its size, and leave all "
                "else unchanged.",
                "it lacks “blur”",
            ),
            (
                "put a hat on the dog",
                "flux2_edit",
                'Change the letter "A" to "A" in the sentence "The dog is a cat."',
                "it lacks “hat”",
            ),
            (
                FOX,
                "flux1_dev",
                "A fox in the snow, its fur is a deep, dark brown, its eyes are a clear blue, its fur is a "
                "dark, snowy white. Snow-laden branches close the frame at its edges and blur at the top.",
                "its fur has",
            ),
            ("a dog", "flux1_kontext", "A dog. No, no, no, no, no. No, no, no, no, no.", "again and again"),
        ],
    )
    def test_what_remains_is_reported(self, idea, target, text, sign):
        _, warnings = by_tiny(idea, target, text, text)
        assert any(sign in warning for warning in warnings)

    def test_a_form_that_it_fills_in_is_to_be_checked(self):
        text = '{"short_description": "a fox in the snow", "objects": []}'
        _, warnings = by_tiny(FOX, "fibo", text, text)
        assert any("too small a model to fill in such a form" in warning for warning in warnings)

    def test_a_good_answer_stays_and_what_nothing_vouches_for_is_named(self):
        prompt, warnings = by_tiny(FOX, "flux1_dev", f"<prompt>{GOOD}</prompt>")
        assert prompt == GOOD
        assert len(warnings) == 1
        assert "SmolLM2-135M-Instruct.gguf" in warnings[0]
        assert "is a very small model. Read the prompt before you use it" in warnings[0]
        assert "“its thick winter coat flecked with white”" in warnings[0]

    @pytest.mark.parametrize(
        ("idea", "target", "text"),
        [
            (
                "make the sky purple",
                "flux1_kontext",
                "Make the sky purple, and leave everything else exactly the same as it is.",
            ),
            ("a fox in the snwo", "plain", "A fox in the snow."),
            ("a fox it run in snow", "plain", "A fox running in snow."),
        ],
    )
    def test_the_users_words_and_the_phrasebooks_need_no_warning(self, idea, target, text):
        prompt, warnings = by_tiny(idea, target, text)
        assert prompt == text
        assert warnings == []

    @pytest.mark.parametrize("target", ["midjourney_like", "sdxl", "sd15"])
    @pytest.mark.parametrize(
        "idea", [FOX, "a castle on a hill", "portrait of an old fisherman", "a bowl of ramen"]
    )
    def test_the_phrasebooks_own_phrases_need_no_warning(self, idea, target):
        wanted = load(target)
        text = write(EnhanceTask(idea, wanted)).partition("\nNegative")[0]
        assert by_tiny(idea, target, text, text)[1] == []

    @pytest.mark.parametrize(
        ("idea", "target", "text"),
        [
            (
                "an origami crane on a keyboard",
                "flux1_dev",
                "An origami crane on a keyboard, using only a white wash and a soft light. A blue sky in the "
                "distance is shown in yellow, while a faint light fills the dark sky of yellow and orange.",
            ),
            (
                "turn the day into night",
                "flux2_edit",
                "One of the changes is to turn the day into night, changing the colour of the sky to blue.",
            ),
            ("make the sky purple", "flux1_kontext", "Make the sky not purple."),
            (
                "a fox in the snow at night",
                "midjourney_like",
                "A fox in the snow at night, clear daylight with crisp shadows, a fox in snow",
            ),
            (
                "portrait of an old fisherman",
                "midjourney_like",
                "Portrait of an old fisherman, soft overcast daylight, clear daylight with crisp shadows",
            ),
            (
                "红色灯塔，日出",
                "z_image_turbo",
                "红色灯塔，日出，画面中有一只大象站在海边，天空是绿色的，光线很强。" * 2,
            ),
            (
                "the woman turns around",
                "wan_2_2_i2v",
                "The woman turns around and becomes a tall building of glass.",
            ),
            (
                "rain on a tin roof",
                "stable_audio_3",
                "Rain on a tin roof, a choir of cheerful robots sings at 128 BPM.",
            ),
            (
                "a fox in the snow BREAK a red barn",
                "sdxl",
                "1. a fox in the snow\n2. a red barn full of candles",
            ),
        ],
    )
    def test_words_of_its_own_are_never_without_a_warning(self, idea, target, text):
        _, warnings = by_tiny(idea, target, text, text, text, text)
        assert warnings

    def test_what_is_too_short_loses_the_words_that_may_not_fit(self):
        text = "A ship in a bottle, a container is at sea."
        prompt, warnings = by_tiny("a ship in a bottle", "flux1_dev", text, text)
        assert prompt.startswith("A ship in a bottle. ")
        assert "container" not in prompt
        assert len(warnings) == 1
        assert "words that may not fit were left out" in warnings[0]

    @pytest.mark.parametrize(
        ("idea", "is_empty"), [("a violinist on a subway platform", False), ("an owl on a mailbox", True)]
    )
    def test_who_has_a_profession_is_somebody(self, idea, is_empty):
        model = Told(idea, idea, name="SmolLM2-135M-Instruct.gguf")
        done = asyncio.run(enhance([Idea(idea, load("illustrious"))], model))  # type: ignore[arg-type]
        assert ("no humans" in done.prompts[0]) is is_empty
        assert ("no humans" in model.asked[0].opening) is is_empty

    def test_a_grandfather_clock_is_nobody(self):
        idea = "the inside of a grandfather clock"
        model = Told(idea, idea, name="SmolLM2-135M-Instruct.gguf")
        done = asyncio.run(enhance([Idea(idea, load("illustrious"))], model))  # type: ignore[arg-type]
        assert "1boy" not in done.prompts[0]
        assert "1boy" not in model.asked[0].opening

    def test_the_rest_of_a_sentence_does_not_say_a_word_again(self):
        idea = "desk lamp, typewriter, rain on window"
        text = (
            "Desk lamp, typewriter, rain on window. Set up a desk lamp, typewriter, a white sheet of glass, "
            "a rain curtain, and a set of windows."
        )
        prompt, _ = by_tiny(idea, "qwen_image", text, text)
        assert prompt.startswith("Desk lamp, typewriter, rain on window. ")
        assert "typewriter. " not in prompt

    def test_a_second_answer_is_read_as_the_first(self):
        rest = "white paper, red water, green grass, sea water, open window, fog, soft sand, cloudy sky"
        texts = (f"Two kayaks on a lake, 150-165, {rest}", f"Two kayaks on a lake, {rest}")
        _, warnings = by_tiny("two kayaks on a lake", "sdxl", *texts)
        assert any(warning.endswith("it was asked for once more.") for warning in warnings)
        assert any("Read the prompt before you use it" in warning for warning in warnings)

    def test_no_half_of_a_quotation_stays(self):
        idea = 'birthday card with "Happy 40th, Ruth!" in gold letters'
        text = 'Birthday card with "Happy 40th, Ruth!", in gold letters, "Happy 40th'
        prompt, _ = by_tiny(idea, "sdxl", text, text)
        assert '"Happy 40th, Ruth!"' in prompt
        assert prompt.count('"') == 2

    @pytest.mark.parametrize(
        ("idea", "text"),
        [
            ("a red cat on a chair", "A red car on a chair."),
            ("a horse on a hill", "A house on a hill."),
            ("a beach with no people", "A beach with people."),
            ("a fox in the snow", "A fox in the snow storm."),
        ],
    )
    def test_another_word_is_no_correction(self, idea, text):
        prompt, warnings = by_tiny(idea, "plain", text, text)
        assert prompt == idea
        assert any("strayed" in warning for warning in warnings)

    @pytest.mark.parametrize(
        ("idea", "target", "text", "gone"),
        [
            (
                "an abandoned swimming pool",
                "wan_2_2_t2v",
                "An abandoned swimming pool, covered in a thick layer of dirt, lies at the bottom of a "
                "small lake. The pool is filled with a large amount of water that has been used to create "
                "an abandoned swimming pool. The camera stays close to the bottom of the lake, but it is "
                "not looking at them directly because they have no eyes that can see anything beyond what "
                "they are seeing through a glass window.",
                "no eyes",
            ),
            (
                "a cave with crystals",
                "flux1_dev",
                "A cave with crystals, a setting of the sun, and light. A delicate crystal on its surface "
                "with an unusual pattern that seems to be made by the natural world. The view is from a "
                "window into a dreamscape.",
                "dreamscape",
            ),
            (
                "an alchemist's laboratory",
                "sdxl",
                "An alchemist's laboratory, a room filled with strange and wondrous things, where the "
                "most extraordinary feats are performed.",
                "feats",
            ),
            (
                "two wooden rowing boats on a beach",
                "sdxl",
                "Two wooden rowing boats on a beach, a small wooden boat with two rows of seats, the "
                "sound of waves crashing on the shore.",
                "sound",
            ),
        ],
    )
    def test_what_says_nothing_of_how_it_looks_goes(self, idea, target, text, gone):
        prompt, warnings = by_tiny(idea, target, text, text)
        assert gone not in prompt
        assert prompt.lower().startswith(idea.lower())
        assert any("added from the phrasebook" in warning for warning in warnings)

    def test_terms_that_only_say_where_something_is_go(self):
        idea = "three cats, two dogs, five balloons"
        text = (
            f"no humans, {idea}, underwater, the coral reef, from above, around, under, from the ground, in "
            "front of, at, facing, in the background, with the ground, on top, over, on the top, above, "
            "behind, in the middle, right"
        )
        prompt, _ = by_tiny(idea, "illustrious", text, text)
        terms = prompt.split(", ")
        assert not {"around", "under", "in front of", "at", "on top", "in the middle", "right"} & {*terms}
        assert "from above" in terms

    def test_words_of_a_worked_example_go(self):
        text = (
            'A neon sign that says "OPEN LATE" above a diner door. The front door is black. A few thick '
            "pencil lines on a soft violet shadow spread across the middle of the rear window. A pale green "
            "wash runs from the top left corner to the far end of the wall."
        )
        prompt, _ = by_tiny('a neon sign that says "OPEN LATE" above a diner door', "flux1_dev", text, text)
        assert "violet shadow" not in prompt

    @pytest.mark.parametrize(
        ("idea", "target", "text"),
        [
            ("девочка кормит голубей на площади", "sdxl", "A picture of a woman with a scarf"),
            (
                "猫と老人が縁側に座っている",
                "wan_2_2_t2v",
                "One of the two men is standing in front of his house.",
            ),
            ("красный трактор в поле", "illustrious", "2dog, 3dogs, cat, doggy, kitten, puppy, little girl"),
            (
                "eine Katze schläft auf einem Stapel Bücher",
                "wan_2_2_t2v",
                "The cat sleeps on a bed of straw.",
            ),
            ("un vals con acordeón", "stable_audio_3", "TrackType: Vocal, a solo piano in the background."),
        ],
    )
    def test_an_idea_that_it_cannot_translate_stays(self, idea, target, text):
        model = Told(text, name="SmolLM2-135M-Instruct.gguf")
        done = asyncio.run(enhance([Idea(idea, load(target))], model))  # type: ignore[arg-type]
        assert idea in done.prompts[0]
        assert text not in done.prompts[0]
        (warning,) = done.info["warnings"]
        assert "too small a model to translate an idea, so your own words were kept" in warning

    def test_a_word_that_is_not_known_stays_in_an_idea_put_into_english(self):
        model = Told(
            "Two children playing with cerf-volant, on a hill.", "", name="SmolLM2-135M-Instruct.gguf"
        )
        idea = Idea("deux enfants jouent avec un cerf-volant", load("flux1_dev"))
        done = asyncio.run(enhance([idea], model))  # type: ignore[arg-type]
        assert done.prompts[0].startswith("Two children playing with cerf-volant")
        assert "word by word: “two children playing with cerf-volant”" in done.info["warnings"][0]
        told = Told(GOOD, GOOD)
        asyncio.run(enhance([idea], told))  # type: ignore[arg-type]
        assert "deux enfants" in told.asked[0].messages[-1].content

    def test_a_man_alone_is_not_joined_by_a_woman(self):
        text = (
            "Portrait of a man, with a white shirt. The man is wearing a long coat and has a hat on his "
            "head. She stands beside the man, smiling at them both."
        )
        prompt, _ = by_tiny("portrait of a man", "flux1_dev", text, text)
        assert "She" not in prompt

    @pytest.mark.parametrize(
        ("idea", "again"),
        [
            ("three cats, two dogs, five balloons", "a cat, a dog"),
            ("a red panda in a tree", "a red panda in the tree"),
        ],
    )
    def test_a_term_that_says_the_idea_again_goes(self, idea, again):
        text = f"{idea}, {again}, soft light, red carpet, wooden floor, warm colours, low view"
        prompt, _ = by_tiny(idea, "sdxl", text, text)
        assert prompt.lower().startswith(f"{idea}, soft light")

    def test_a_quality_of_nothing_goes(self):
        idea = "twin sisters in matching coats waiting for a bus"
        text = f"{idea}, a small, red, white, blue, green, wet cobblestones, warm lamps, grey sky, low view"
        prompt, _ = by_tiny(idea, "sdxl", text, text)
        assert prompt.endswith(f"{idea[1:]}, wet cobblestones, warm lamps, grey sky, low view")

    def test_lettering_of_one_letter_is_reported(self):
        text = (
            'Portrait of a man, his back to the window. He reads the letter "E" in an old pencil note on the '
            "door. He holds his hat with one hand and looks at the coat on the wall beside the window."
        )
        _, warnings = by_tiny("portrait of a man, no beard", "flux1_dev", text, text)
        assert any("lettering that was not asked for (“E”)" in warning for warning in warnings)

    def test_the_ideas_own_words_stay_where_the_models_go(self):
        idea = "1girl, white dress, sunflower field, straw hat, smile"
        text = (
            "One girl walks around the farm, carrying on the straw hat and sunflower field, giving "
            "herself the appearance of being one of the girls in the picture. The sun shines through the "
            "hay bales into the fields, as it is not in them. The girl stands still."
        )
        prompt, _ = by_tiny(idea, "qwen_image", text, text)
        assert prompt.startswith(f"{idea}. ")
        assert "Also in the picture" not in prompt

    def test_the_strangest_phrases_are_named_and_the_others_counted(self):
        text = (
            "A glassblower at work, a glass of fine, sparkling water. A soft light from the window casts "
            "shadows on the wall behind him. He's wearing a black and white suit with a blue collar. The "
            "room is dimly lit by candles in front of his desk. He has a large glass filled with crystal "
            "clear water that he uses to make glasses for himself. His eyes are bright, shining like "
            "stars."
        )
        _, (warning,) = by_tiny("a glassblower at work", "flux1_dev", text)
        assert "“He's wearing a black and white suit with a blue collar”, “" in warning
        assert "that he uses to …”" in warning
        assert warning.endswith(" more of its phrases fit the idea.")

    def test_an_idea_that_is_kept_has_one_warning(self):
        text = "I'm not a singer. I'm a music lover."
        prompt, warnings = by_tiny("a cellist in an empty church", "plain", text, text)
        assert prompt == "a cellist in an empty church"
        assert len(warnings) == 1
        assert "strayed" in warnings[0]


@pytest.mark.parametrize(
    ("idea", "instruction"),
    [("a quiet harbour in winter", "no boats"), ("a quiet harbour in winter, no boats", "")],
)
def test_what_is_filled_up_stays_without_what_is_not_wanted(idea, instruction):
    target = load("flux1_dev")
    for seed in range(16):
        text = filled("A quiet harbour in winter.", EnhanceTask(idea, target, instruction, seed=seed), idea)
        assert not {"Hulls", "hulls", "Masts", "masts", "boats", "ropes"} & set(text.split()), text


def test_what_is_filled_up_ends_its_first_sentence():
    idea = "1boy, sword, armor, forest, standing"
    assert filled(idea, EnhanceTask(idea, load("wan_2_2_t2v"), seed=1), idea).startswith(f"{idea}. ")


def test_a_depth_of_field_brings_no_grass_to_a_fireplace():
    idea = "no humans, sleeping dog, fireplace"
    lists = [filled(idea, EnhanceTask(idea, load("illustrious"), seed=seed), idea) for seed in range(12)]
    blurred = [listed.split(", ") for listed in lists if "depth of field" in listed]
    assert blurred
    assert not any("grass" in tags for tags in blurred)
