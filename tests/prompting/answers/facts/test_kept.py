"""Facts of an idea that an answer keeps or loses; what is said in other words is kept."""

from __future__ import annotations

import pytest

from quillwork.prompting import targets
from quillwork.prompting.answers.facts.kept import brought_in, lost_facts, with_lettering
from quillwork.prompting.phrasebook import write
from quillwork.prompting.tasks import EnhanceTask

LOST = [
    ("three cats and two dogs", "cats and dogs play in a garden", ["three", "two"]),
    ("3 cats in a row", "some cats in a row", ["3"]),
    ("drei Kinder in gelben Gummistiefeln", "children in rubber boots", ["drei", "gelben"]),
    ("trois chats rouges", "cats on a wall", ["trois", "rouges"]),
    ("三只猫在红色的屋顶上", "cats on a roof", ["三只", "红色"]),
    ("赤い屋根に猫が三匹", "cats on a roof", ["三匹", "赤い"]),
    ("два кота", "cats on a roof", ["два"]),
    ('a sign "OPEN"', "a neon sign over a door", ["“OPEN”"]),
    ("ein Schild „Bitte nicht füttern“", "a sign at the zoo", ["“Bitte nicht füttern”"]),
    ("看板に「営業中」", "a sign over a door", ["“営業中”"]),
    ("a portrait of Marie Curie in Paris", "a woman in a laboratory", ["Marie", "Curie", "Paris"]),
    ("a green car beside a black one", "a car beside a van", ["green", "black"]),
    ("an elderly fisherman mending nets at the harbour", "a city street with cars",
     ["elderly", "fisherman", "mending", "nets", "harbour"]),
]  # fmt: skip
KEPT = [
    ("three cats and two dogs", "a trio of cats with a pair of dogs"),
    ("three cats, two dogs", "3cats, 2dogs, grass"),
    ("two girls", "2girls, multiple girls, looking at viewer"),
    ("drei Kinder in gelben Gummistiefeln", "Three kids in bright yellow rubber boots"),
    ("三只猫在红色的屋顶上", "Three cats on a scarlet roof"),
    ("a woman with red hair", "a woman with crimson hair"),
    ("a blue sea", "an azure sea"),
    ("a grey cat", "a gray tabby"),
    ("a golden crown", "a crown of gold"),
    ("a sign “Open 24h”", 'a sign that says "OPEN 24H"'),
    ("a street in Paris", "a Parisian street"),
    ("A Fox In The Snow", "a red fox in deep snow"),
    ("35mm photo of an owl, 8k, 16:9, f/1.8", "an owl on a branch"),
    ("a 40 year old woman in the 1920s", "a middle-aged woman, art deco"),
    ("a pier without red boats", "an empty pier"),
    ("ein Steg ohne rote Boote", "an empty pier"),
    ("an elderly fisherman mending nets at dawn", "an old man repairs his net as the sun comes up"),
    ("das Schild am Haus mit dem Garten", "the sign on the house with the garden"),
    ("(red scarf:1.2), __hair__, <lora:fox_v2:0.8>", "a red scarf"),
    ("one cat alone", "a cat"),
    ("", "a cat"),
    ('"', "a cat"),
    ("__hair__, {a|b}", "a cat"),
    ("a couple on a bench, both old", "a man and a woman on a bench"),
]


@pytest.mark.parametrize(("idea", "text", "lost"), LOST)
def test_what_is_lost_is_named(idea, text, lost):
    assert lost_facts(idea, text) == lost


@pytest.mark.parametrize(("idea", "text"), KEPT)
def test_what_is_kept_in_other_words_is_no_loss(idea, text):
    assert lost_facts(idea, text) == []


def test_what_the_negative_holds_is_kept():
    assert lost_facts("a pier, two red boats", "a pier", negative="two red boats") == []


@pytest.mark.parametrize(
    ("idea", "text", "shown"),
    [
        ("a pier without people", "People walk along a pier", ["people"]),
        ("a street with no neon signs", "a street with only neon signs", ["neon signs"]),
        ("a pier without people", "a deserted pier, no people in sight", []),
        ("a pier without people", "a pier free of people", []),
        ("a pier with people", "People walk along a pier", []),
    ],
)
def test_what_was_not_to_be_there(idea, text, shown):
    assert brought_in(idea, text) == shown


def test_lettering_goes_to_the_end_in_the_form_of_the_target():
    assert with_lettering("a door, rain.", ["OPEN"], "phrases") == 'a door, rain, text "OPEN"'
    assert with_lettering("A door", ["A", "B"], "prose") == (
        'A door. The text "A" and "B" can be read in the picture.'
    )
    assert with_lettering("A door.", [], "prose") == "A door."


def test_no_example_of_a_target_loses_a_fact():
    examples = [example for entry in targets.index() for example in targets.load(entry.id).examples]
    assert len(examples) > 100
    assert [
        (example.idea, lost)
        for example in examples
        if (lost := lost_facts(example.idea, example.prompt, negative=example.negative or ""))
    ] == []


def test_nor_does_the_phrasebook():
    flux = targets.load("flux1_dev")
    ideas = dict.fromkeys(
        example.idea for name in ("sdxl", "flux1_dev") for example in targets.load(name).examples
    )
    written = [(idea, write(EnhanceTask(idea, flux, seed=3))) for idea in ideas]
    assert [(idea, lost) for idea, text in written if (lost := lost_facts(idea, text))] == []
