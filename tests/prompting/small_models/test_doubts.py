"""Doubts about a small model's text, on what SmolLM2, Gemma 270M and Qwen2.5-Coder-1.5B wrote."""

from __future__ import annotations

import pytest

from quillwork.prompting.small_models.doubts import doubts
from quillwork.prompting.target_index import OUR_FOLDER
from quillwork.prompting.targets import load

FOX = "a fox in the snow"
EXAMPLES = {
    (example.idea, example.prompt): target
    for target in (load(file.stem) for file in sorted(OUR_FOLDER.glob("*.yaml")))
    for example in target.examples
    if not target.is_structured
}


@pytest.mark.parametrize(
    ("idea", "text", "sign"),
    [
        (
            "a castle on a hill",
            "A castle on a hill, behind a white tree tree and a low wall of grey stone in the evening light.",
            "“tree tree”",
        ),
        (
            FOX,
            "A fox stands in the snow and looks at me, with low light from the left over birches.",
            "somebody who speaks",
        ),
        (
            "astronaut reading a newspaper",
            "Astronaut reading a newspaper, a scene of ordinary, but extraordinary. The story goes that they "
            "are going to tell about their adventure with the astronaut.",
            "a story",
        ),
        (
            FOX,
            "A fox in the snow was looking for food. It had walked for days and was hungry, and night came "
            "before there was any.",
            "of the past",
        ),
        (
            "astronaut reading a newspaper",
            "Astronaut reading a newspaper, in large font, with a small book at her feet, below a lamp.",
            "of text (“font”)",
        ),
        (
            "astronaut reading a newspaper",
            'Astronaut reading a newspaper. A sign on the wall says "The American Astronaut\'s Flight Deck" '
            "in black marker.",
            "lettering that was not asked for",
        ),
        (
            "astronaut reading a newspaper",
            "Astronaut reading a newspaper under a little moon, about 40-50% moonless night, to one side.",
            "numbers from nowhere (“40-50%”)",
        ),
        (
            "a red bicycle leaning on a white wall",
            "A red bicycle leaning on a white wall, in front of the setting light, is sitting in front of "
            "a car, on a beach, wearing a pink dress and long skirt. This is a picture.",
            "of itself (“This is a picture”)",
        ),
        (
            "a street sign on an ivy wall",
            "A street sign on an ivy wall, set against an open window or in a street corner. (P.",
            "in brackets",
        ),
        (
            "two cats on a bed",
            "Two cats on a bed, night, moon, lamp, rug, wall, glass, door, curtain, pillow, shelf, clock, "
            "chair, window, soft light.",
            "words together",
        ),
        (
            'a chalkboard with the words "Soup of the Day"',
            'A chalkboard with the words "Soup of the Day", "I didn\'t care", on a wall of grey brick.',
            "lettering that was not asked for (“I didn't care”)",
        ),
        (
            "a girl holding a yellow balloon",
            "A girl holding a yellow balloon. She lifts a small orange balloon up to the pale sky above her.",
            "its balloon is orange, not yellow",
        ),
        (
            "a samurai in the rain",
            "A samurai in the rain. The full moon casts long shadows on walls that are lit by the sun.",
            "the sun and the moon",
        ),
        (
            "two cats on a windowsill",
            "Two cats on a windowsill. The setting is outside. Light is made by glass. The view is natural.",
            "point by point",
        ),
        (
            "portrait of a man",
            "Portrait of a man in a long coat. A woman sits next to him and smiles at them both by a window.",
            "somebody else (“woman”)",
        ),
        (
            "a samurai in the rain",
            "A samurai in the rain. The image was made in front of a large mirror that shows the world.",
            "of itself (“The image was”)",
        ),
        (
            "two boats on a lake",
            "Two boats on a lake, seen with a long dark cloak, old oars, a long dark cloak and a lantern.",
            "more than once",
        ),
        (
            "a lion, savanna, sunset",
            "A painting by a white horse, in the field, in the evening light.",
            "lacks “lion",
        ),
        (
            FOX,
            "My name is Ada and I love snow. You can see a fox from here, and I hope that you like it.",
            "speaks to",
        ),
    ],
)
def test_a_paragraph_that_is_no_description_has_its_sign(idea, text, sign):
    assert sign in "; ".join(doubts(text, idea, load("flux1_dev")))


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("no humans, fox, snow, standing, lying down, walking, jumping, winter", "poses"),
        ("no humans, fox, snow, red tail, blue tail, green tail, winter", "“tail” 3 colours"),
        ("fox, snow, two cats, three brown kittens, winter", "counts otherwise (“three”)"),
        ("fox, snow, red, green, blue, grey, gold, pale pink, dark brown, winter", "lists colours"),
        ("fox, snow, the fox is in a deep forest, its eyes are on the hill, winter", "sentences"),
    ],
)
def test_tags_that_no_picture_can_have_have_their_sign(text, sign):
    assert sign in "; ".join(doubts(text, f"{FOX}, two cats", load("illustrious")))


@pytest.mark.parametrize(("idea", "prompt"), EXAMPLES)
def test_nothing_speaks_against_a_worked_example(idea, prompt):
    assert doubts(prompt, idea, EXAMPLES[idea, prompt]) == []


@pytest.mark.parametrize(
    ("idea", "text"),
    [
        (
            'a sign that says "You are here", 40% off',
            'A sign that says "You are here" and 40% off, on a red wall.',
        ),
        (
            "a letter, old fonts and words",
            "A letter in old fonts and words, on a desk of dark oak by a window.",
        ),
        (
            "ein Fuchs im Schnee",
            "Ein Fuchs steht im Schnee und sieht zu dem Haus hinüber, das hinter ihm liegt.",
        ),
        (
            "a potter shapes a bowl, then opens the kiln",
            "A potter shapes a bowl, then opens the kiln and waits. As the potter opens the kiln and looks, "
            "the bowl glows.",
        ),
        (
            FOX,
            "A fox in snow at 20 degrees below zero on 35mm at f/2.8 and ISO 400, a 1970s look, 4k.",
        ),
    ],
)
def test_the_users_own_words_other_languages_and_the_terms_of_photography_are_no_sign(idea, text):
    assert doubts(text, idea, load("flux1_dev")) == []


def test_labels_of_shots_are_no_repetition():
    text = (
        "A train crosses a bridge in the rain. Shot 1 (0-4s). Wide shot: the rain falls hard and the train "
        "is fast. Shot 2 (4-8s). Wide shot: its lamps shine on the wet rails."
    )
    assert doubts(text, "a train crosses a bridge in the rain", load("kling_3")) == []
    assert doubts(text, "a train crosses a bridge in the rain", load("plain"))
