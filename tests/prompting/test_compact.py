"""Messages for small models: few, exemplary, the same for all ideas of a target up to the last question."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from quillwork.llm_backends.errors import AnswerLoops
from quillwork.llm_backends.local.transformers_local.sampling import SamplingSettings
from quillwork.llm_backends.types import Deployment, Image, Message, Request, Result
from quillwork.prompting.answers.facts.idea_tags import tags_in
from quillwork.prompting.answers.protect import protect
from quillwork.prompting.answers.terms import sifted, with_count, without_contradictions
from quillwork.prompting.compact import CLOSING, OPENING, chosen, compact_messages, named
from quillwork.prompting.drafts import Draft, Order
from quillwork.prompting.messages import enhance_messages
from quillwork.prompting.model_size import billions_of, is_small
from quillwork.prompting.targets import Target, index, load
from quillwork.prompting.targets.examples import Example
from quillwork.prompting.tasks import Brief, EnhanceTask
from quillwork.safe_yaml import UnreadableYaml

ALL = [load(entry.id) for entry in index()]
SHOWN = [target for target in ALL if target.examples]


def asked(target: Target, idea: str = "a fox in the snow", **fields):
    return compact_messages(EnhanceTask(idea, target, **fields), protect(idea).kept)


def order(target: Target, idea: str = "a fox", *, small: bool = True, picture: Image | None = None) -> Order:
    protected = protect(idea)
    task = EnhanceTask(protected.text, target, parts=protected.parts)
    pictures = (picture,) if picture else ()
    return Order(task, protected, idea, pictures, is_for_small=small)


class TestMessages:
    @pytest.mark.parametrize("target", SHOWN, ids=lambda target: target.id)
    def test_two_examples_or_a_long_one_stand_before_the_question(self, target):
        roles = [message.role for message in asked(target)]
        is_long = any(len(example.prompt.split()) > 80 for example in target.examples)
        has_both = target.form.startswith("tags") and {
            example.prompt.startswith("no humans") for example in target.examples
        } == {True, False}
        shown = 1 if is_long and not has_both else 2
        assert roles == ["system", *["user", "assistant"] * shown, "user"]
        for message in asked(target)[2::2]:
            assert message.content.startswith(OPENING) is not target.is_structured
            assert message.content.endswith(CLOSING) is not target.is_structured

    @pytest.mark.parametrize("target", SHOWN, ids=lambda target: target.id)
    def test_all_before_the_question_is_the_same_for_all_ideas(self, target):
        fields = {"instruction": "much darker", "variation": 2, "variations": 3}
        assert asked(target)[:-1] == asked(target, "ein Schloss auf dem Berg", **fields)[:-1]

    def test_they_are_shorter_by_far_than_the_full_ones(self):
        words = {
            make: sum(
                len(message.content.split())
                for target in SHOWN
                for message in make(EnhanceTask("a fox in the snow", target))
            )
            for make in (compact_messages, enhance_messages)
        }
        assert words[compact_messages] < 0.6 * words[enhance_messages]

    def test_the_question_ends_with_form_length_and_language(self):
        question = asked(load("flux1_dev"))[-1].content
        assert question.startswith("Idea for a picture: a fox in the snow\n")
        assert "One paragraph of plain sentences" in question
        assert "in English" in question

    def test_a_wish_a_leaning_and_kept_pieces_are_in_the_question(self):
        question = asked(
            load("flux1_dev"), "a __colour__ fox", instruction="at night", variation=1, variations=2
        )[-1].content
        for piece in ("__colour__", "Instruction: at night", "Lean towards"):
            assert piece in question

    @pytest.mark.parametrize("idea", ["une rue sans voitures", "ohne Menschen", "海滩，没有人"])
    def test_what_is_excluded_has_its_place(self, idea):
        assert "Negative:" in asked(load("sdxl"), idea)[-1].content
        assert "what is there instead" in asked(load("flux1_dev"), idea)[-1].content
        assert "Negative:" not in asked(load("sdxl"))[-1].content

    def test_added_rules_of_a_user_are_told_however_many_there_are(self, tmp_path: Path):
        rules = "".join(f"  - Rule number {number}.\n" for number in range(6))
        (tmp_path / "mine.yaml").write_text(f"extends: sdxl\nadd_rules:\n{rules}")
        system = asked(load("mine", tmp_path))[0].content
        assert all(f"Rule number {number}." in system for number in range(6))

    def test_an_example_of_the_same_things_gives_way(self):
        examples = [Example("a red tractor", "x"), Example("a fox", "y"), Example("a boat", "z")]
        assert [example.idea for example in chosen(examples, "two tractors")] == ["a fox", "a boat"]
        assert [example.idea for example in chosen(examples, "a hill")] == ["a red tractor", "a fox"]


class TestExamples:
    @pytest.mark.parametrize("target", SHOWN, ids=lambda target: target.id)
    def test_they_keep_to_the_target(self, target):
        for example in target.examples:
            size = len(example.prompt.split(",") if target.form == "tags" else example.prompt.split())
            if target.words and target.words[0] < 150:
                assert target.words[0] * 0.75 <= size <= target.words[1] * 1.25, example.idea

    def test_a_users_own_stand_in_a_file_of_the_targets_id(self, tmp_path: Path):
        (tmp_path / "examples").mkdir()
        file = tmp_path / "examples" / "sdxl.yaml"
        file.write_text("- idea: a hut\n  prompt: a hut, straw\n- {idea: a cow, prompt: 'a cow, hay'}\n")
        assert [example.idea for example in load("sdxl", tmp_path).examples] == ["a hut", "a cow"]
        assert load("sd15", tmp_path).examples == load("sd15").examples
        file.write_text("- idea: a hut\n")
        with pytest.raises(UnreadableYaml, match=r"sdxl\.yaml: examples must be a list"):
            load("sdxl", tmp_path)


class TestManner:
    def test_a_small_model_begins_inside_the_envelope_and_stops_at_its_end(self):
        request = order(load("sdxl"), "ein Fuchs und eine Eule").request()
        assert (request.opening, request.stop) == (OPENING, (CLOSING,))
        assert len(request.messages) == 6

    @pytest.mark.parametrize(
        ("target", "idea", "words"),
        [
            ("flux1_dev", "a fox in the snow, no people", "A fox in the snow,"),
            ("flux1_dev", "Marie Curie in her laboratory, 1903", "Marie Curie in her laboratory, 1903,"),
            ("flux1_dev", 'a sign that says "OPEN"', 'A sign that says "OPEN",'),
            ("flux1_dev", "A boat lies on the mud. Two gulls.", "A boat lies on the mud. Two gulls."),
            ("sdxl", "knight, full armor, fog", "knight, full armor, fog,"),
            ("flux1_dev", "knight, full armor, fog, night", ""),
            ("flux1_dev", "I want a picture of a fox", ""),
            ("flux1_dev", "un chat noir dort sur un piano", ""),
            ("flux1_dev", "a {red|blue} fox", ""),
            ("plain", "a fox in the snow", ""),
            ("wan_2_2_i2v", "a fox runs", ""),
            ("illustrious", "a fox in the snow", "no humans, fox, snow,"),
            (
                "illustrious",
                "a girl with green hair holding a yellow balloon",
                "1girl, green hair, holding yellow balloon,",
            ),
            (
                "illustrious",
                'oil painting of a small sailing ship and a sign that says "Rue des Lilas"',
                'no humans, oil painting, small sailing ship, sign, "Rue des Lilas",',
            ),
            (
                "illustrious",
                "a tall woman in black rubber boots walks a small white terrier along a pier",
                "1girl, tall woman, black rubber boots walks small white, terrier, pier,",
            ),
            ("illustrious", "Nikola and Elif playing chess", "Nikola, Elif, playing chess,"),
            ("illustrious", "[sketch], a lion, snow", "no humans, sketch, lion, snow,"),
        ],
    )
    def test_it_goes_on_from_what_an_english_idea_says(self, target, idea, words):
        request = order(load(target), idea).request()
        assert request.opening == OPENING + words
        assert ("\n" in request.stop) is bool(words)

    def test_an_instruction_may_change_what_the_idea_says(self):
        one = order(load("sdxl"), "a red fox")
        changed = replace(one, task=replace(one.task, instruction="make it white"))
        assert changed.request().opening == OPENING

    @pytest.mark.parametrize("target", [target for target in ALL if target.parts], ids=lambda t: t.id)
    def test_parts_are_shown_and_asked_for_as_the_fields_of_an_object(self, target):
        request = order(target).request()
        names = [part.name for part in target.parts]
        assert request.schema is not None
        assert list(request.schema["properties"]) == names
        assert not request.opening
        for message in request.messages[2::2]:
            assert list(json.loads(message.content)) == names
        assert ", ".join(names) in request.messages[-1].content

    @pytest.mark.parametrize("form", ["sections", "json"])
    def test_a_form_without_examples_has_the_full_rules(self, form, tmp_path: Path):
        (tmp_path / "mine.yaml").write_text(f"label: Mine\nform: {form}\nrules: [Be brief.]\n")
        small, full = (order(load("mine", tmp_path), small=small).request() for small in (True, False))
        assert small.messages == full.messages

    def test_length_format_and_language_are_told(self):
        brief = Brief(duration=8, aspect="9:16", language="de")
        question = asked(load("kling_3"), brief=brief)[-1].content
        for piece in ("Length: 8 seconds", "The last shot ends at 8.", "9:16", "German"):
            assert piece in question

    def test_shots_may_stand_on_lines_of_their_own(self):
        one = order(load("kling_3"), "a ship in a storm")
        text = (
            "A ship fights its way through a storm, in dark blues.\nShot 1 (0-4s). Wide view: the bow dives "
            "into a wave.\n\nShot 2 (4-7s). Near view: a rope snaps. The crew ducks."
        )
        request = one.request()
        assert "\n" not in request.stop
        assert "Begin each shot with its label" in request.messages[0].content
        draft = one.read(Result(text=text), Deployment("gguf", "x"))
        assert isinstance(draft, Draft)
        assert draft.texts[0] == " ".join(text.split())

    def test_what_must_not_be_there_is_said_where_the_model_understands_it(self):
        question = asked(load("gpt_image"), "a poster without text")[-1].content
        assert question.startswith("Idea for a picture: a poster without text\n")
        assert "Say what must not be there" in question

    def test_a_thin_prompt_for_a_model_that_takes_pictures_is_filled_up(self):
        one = order(load("gpt_image"), "a red fox in the snow")
        draft = one.completed(Draft(("A red fox stands in the snow.",)))
        assert len(draft.texts[0].split()) >= 30

    def test_large_models_pictures_and_regions_have_the_full_rules(self):
        for request in (
            order(load("sdxl"), small=False).request(),
            order(load("sdxl"), picture=Image("image/png", b"")).request(),
            order(load("sdxl"), "a fox BREAK a hen").request(),
        ):
            assert len(request.messages) == 2
            assert not request.opening


@pytest.mark.parametrize(
    ("model", "billions"),
    [
        ("SmolLM2-135M-Instruct.gguf", 0.135),
        ("gemma-3-270m-it-Q4_K_M.gguf", 0.27),
        ("qwen2.5-coder-1.5b-instruct-q4.gguf", 1.5),
        ("/models/Qwen3-4B-Instruct-2507", 4),
        ("qwen3:1.7b", 1.7),
        ("llama3.2:3b-instruct-q4_K_M", 3),
        ("google/gemma-3n-E2B-it", 2),
        ("mixtral-8x7b", 56),
        ("Qwen3-30B-A3B", 30),
        ("gemma2_2b", 2),
        ("smollm2", 1),
        ("gpt-5-nano", None),
        ("claude-sonnet-4-5", None),
        ("llama3.2", None),
    ],
)
def test_the_size_is_read_from_the_name(model, billions):
    deployment = Deployment("openai_compatible", model)
    assert billions_of(deployment) == billions
    assert is_small(deployment) is (billions is not None and billions < 3.5)


def test_else_the_size_is_read_from_the_file(tmp_path: Path):
    file = tmp_path / "model.gguf"
    with file.open("wb") as opened:
        opened.truncate(1_300_000_000)
    assert billions_of(Deployment("gguf", str(file))) == 2
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert is_small(replace(Deployment("hf_local", str(tmp_path)), mode="hf_local"))
    assert billions_of(Deployment("gguf", str(tmp_path / "absent.gguf"))) is None


def test_the_weights_tell_the_size_of_a_folder_that_is_named_after_a_family(tmp_path: Path) -> None:
    folder = tmp_path / "smol"
    folder.mkdir()
    assert billions_of(Deployment("hf_local", str(folder))) == 1.0
    with (folder / "model.safetensors").open("wb") as weights:
        weights.truncate(270_000_000)
    assert billions_of(Deployment("hf_local", str(folder))) == 0.135


class TestNegations:
    def test_what_is_excluded_is_not_shown_to_the_model_and_goes_into_the_negative(self):
        one = order(load("sdxl"), "a Tokyo alley at night without neon signs, no people")
        assert one.request().messages[-1].content.startswith("Idea for a picture: a Tokyo alley at night\n")
        _, negative = one.finished(Draft(("a narrow alley in Tokyo",), "fog"))
        assert negative.endswith("fog, neon signs, people")

    def test_a_target_without_a_negative_is_told_what_is_there_instead(self):
        assert asked(load("flux1_dev"), "a beach without people")[-1].content.startswith(
            "Idea for a picture: a beach, deserted\n"
        )

    def test_a_large_model_sees_them(self):
        one = order(load("sdxl"), "a beach without people", small=False)
        assert "without people" in one.request().messages[-1].content
        assert not one.finished(Draft(("a beach",)))[1].endswith("people")

    def test_an_idea_of_nothing_else_stays(self):
        assert asked(load("sdxl"), "no humans")[-1].content.startswith("Idea for a picture: no humans\n")


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("gemma-3-270m-it-Q4_K_M.gguf", (1.0, 0.95, 64, 1.0)),
        ("qwen2.5-coder-1.5b-instruct-q4.gguf", (0.7, 0.8, 20, 1.1)),
        ("Qwen2.5-Coder-7B-Instruct", (0.7, 0.8, 20, 1.1)),
        ("Qwen2.5-7B-Instruct", (0.7, 0.8, 20, 1.05)),
        ("Qwen3-4B-Instruct-2507", (0.7, 0.8, 20, 1.0)),
        ("Llama-3.2-1B-Instruct-Q4_K_M.gguf", (0.6, 0.9, 0, 1.0)),
        ("SmolLM2-135M-Instruct.gguf", (0.2, 0.9, 0, 1.0)),
        ("somebodys-own", (0.7, 0.8, 20, 1.0)),
    ],
)
def test_sampling_is_what_the_authors_recommend(model, settings):
    found = SamplingSettings.of(Request((Message("user", "x"),)), model)
    assert (found.temperature, found.top_p, found.top_k, found.repetition_penalty) == settings
    assert SamplingSettings.of(Request((), temperature=0.1), model).temperature == 0.1


@pytest.mark.parametrize(
    ("idea", "names"),
    [
        ("Nikola and Elif playing chess in Istanbul", ["Nikola", "Elif", "Istanbul"]),
        ("Marie Curie in her laboratory, 1903", ["Marie Curie"]),
        ("three red apples and 2 green pears", ["three red apples", "2 green pears"]),
        ("A table for eight people. The light is warm", ["eight people"]),
        ('a sign reading "Rue des Lilas", <lora:Big_Film:1>', []),
        ("Kinder in gelben Gummistiefeln springen in eine Pfütze", []),
        ("a fox in the snow", []),
    ],
)
def test_names_and_numbers_are_said_again(idea, names):
    assert named(idea) == names
    assert ("\nName " in asked(load("flux1_dev"), idea)[-1].content) is bool(names)


class TestLists:
    def test_words_for_calm_count_as_one(self):
        text = "serene forest, tranquil setting, lake, peaceful view, quiet scene"
        assert sifted(text) == "serene forest, tranquil setting, lake, peaceful view"

    @pytest.mark.parametrize(
        ("own", "text", "left"),
        [
            ("three cats", "no humans, cats, blue sweater, red scarf, sill", "no humans, cats, sill"),
            ("a cat in a scarf", "no humans, cat, red scarf, sill", "no humans, cat, red scarf, sill"),
            ("a nurse", "1girl, nurse, white dress", "1girl, nurse, white dress"),
            ("a panda", "panda, white fur, red eyes, yellow fur, brown fur", "panda, white fur, red eyes"),
            ("red fur, a fox", "fox, red fur, orange fur", "fox, red fur"),
            ("white fur, black fur", "white fur, black fur", "white fur, black fur"),
        ],
    )
    def test_tags_that_contradict_others_are_left_out(self, own, text, left):
        assert without_contradictions(text, own) == left

    def test_what_is_left_of_a_sentence_between_its_things_is_no_tag(self):
        idea = (
            "A boat lies on the mud. Behind it, a row of houses climbs a hill. Shot on 35mm film, soft light."
        )
        tags = tags_in(idea)
        assert "35mm film" in tags
        assert not {"Behind", "Shot"} & set(tags)

    def test_somebody_who_speaks_of_themselves_is_there(self):
        assert with_count("no humans, walk, dog", "a walk along the Seine with my dog") == "walk, dog"
        ada = "portrait of Ada Lovelace writing"
        assert with_count("no humans, portrait, Ada Lovelace", ada) == "portrait, Ada Lovelace"
        assert with_count("no humans, portrait, fox", "portrait of a fox") == "no humans, portrait, fox"
        assert with_count("no humans, tin can", "a tin can") == "no humans, tin can"

    def test_nobody_is_there_beside_somebody(self):
        assert with_count("no humans, tired nurse, bed", "a tired nurse") == "1girl, tired nurse, bed"
        assert with_count("no humans, man, oven", "der Ofen") == "man, oven"
        assert with_count("no humans, solo, fox", "a fox") == "no humans, solo, fox"

    @pytest.mark.parametrize(
        ("idea", "begins"),
        [("a fox in the snow", "no humans"), ("portrait of an old fisherman", "1"), ("2girls, spring", "1")],
    )
    def test_the_last_example_begins_as_the_answer_should(self, idea, begins):
        first, last = chosen(load("illustrious").examples, idea)
        assert last.prompt.startswith(begins)
        assert first.prompt.startswith("no humans") is not last.prompt.startswith("no humans")

    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("fox, snow, Fox, snow, tree", "fox, snow, tree"),
            ("sofa, TV, television, potted plant, television screen", "sofa"),
            ("two cats, 25 tags, in English, sill", "two cats, sill"),
            ("(fox:1.2), fox", "(fox:1.2)"),
            (
                "snow hill, snow hut, snow fox, snow owl, snow sky, sun",
                "snow hill, snow hut, snow fox, sun",
            ),
        ],
    )
    def test_repeated_excluded_and_echoed_terms_are_left_out(self, text, left):
        assert sifted(text, ["television", "potted plants"]) == left

    @pytest.mark.parametrize(
        ("idea", "tags", "left"),
        [
            ("a girl with a hat", "no humans, girl, hat", "1girl, girl, hat"),
            ("an old fisherman", "old man, boat", "1boy, old fisherman, old man, boat"),
            ("a girl", "1girl, solo, hat", "1girl, solo, hat"),
            ("a man and a woman", "no humans, man, woman, sea", "man, woman, sea"),
            ("a fox", "no humans, fox", "no humans, fox"),
            ("a beach without people", "no humans, beach", "no humans, beach"),
            ("two sisters", "2girls, sisters, hat", "2girls, sisters, hat"),
        ],
    )
    def test_tags_say_who_is_there(self, idea, tags, left):
        one = order(load("illustrious"), idea)
        assert one.read(Result(text=tags), Deployment("gguf", "x")) == Draft((left,))

    def test_a_list_without_end_is_cut_at_its_last_whole_term_and_needs_no_warning(self):
        one = order(load("illustrious"))
        text = ", ".join(f"tag{number}" for number in range(70)) + ", ta"
        draft = one.read(Result(text=text, finish_reason="length"), Deployment("gguf", "x"))
        assert isinstance(draft, Draft)
        assert draft.texts[0].endswith("tag28, tag29")
        assert not one.warnings

    def test_what_stands_before_a_loop_is_taken_where_it_is_enough(self):
        one = order(load("illustrious"))
        many = "fox, " + ", ".join(f"tag{number}" for number in range(20))
        loops = AnswerLoops.of("The model", f"{many}, icy lake, icy lake, icy lake")
        assert one.read(loops, Deployment("gguf", "x")) == Draft((f"{many}, icy lake",))
        assert "repeated itself" in one.warnings[0]
        few = AnswerLoops.of("The model", "fox, icy lake, icy lake")
        assert one.read(few, Deployment("gguf", "x")) is few
        large = order(load("illustrious"), small=False)
        assert large.read(loops, Deployment("gguf", "x")) is loops
