"""Additions that would contradict the idea: each kind of them once."""

from __future__ import annotations

import pytest

from quillwork.prompting import targets
from quillwork.prompting.phrasebook import write
from quillwork.prompting.targets import Target
from quillwork.prompting.tasks import EnhanceTask

FLUX = targets.load("flux1_dev")
ILLUSTRIOUS = targets.load("illustrious")


def texts(prompt: str, target: Target, seeds: int = 24) -> list[str]:
    return [write(EnhanceTask(prompt, target, variations=64, variation=n, seed=n)) for n in range(seeds)]


def tags(prompt: str, seeds: int = 24) -> set[str]:
    return {tag.strip() for text in texts(prompt, ILLUSTRIOUS, seeds) for tag in text.split(",")}


@pytest.mark.parametrize(
    ("prompt", "never"),
    [
        ("a foggy pine valley seen from a mountain hut at dawn", "of the hut"),
        ("old treasure map with a compass rose, parchment", "petals"),
        ("an advertisement for running shoes, dynamic", "stride"),
        ("a kelp forest with sunlight, underwater photography", "branches"),
        ("flat vector icon of a coffee cup, white background", "toward the corners"),
        ("minimalist logo of a whale, black on white", "colour"),
        ("bonsai tree on a stone plinth, white background", "What lies behind"),
        ("a waterfall in Iceland, long exposure, summer midnight sun", "darkness"),
        ("mid-century modern house in Palm Springs, pool, golden light", "petals"),
        ("map of a fantasy kingdom with mountains and rivers, watercolor", "against the sky"),
        ("thunderstorm over the prairie, lightning strike, seen from a car window", "Blades"),
        ("frost patterns on a window pane, macro", "No part is denser"),
        ("rice terraces in Bali, a lone farmer far away", "soil"),
        ("macaron tower, pastel colors, high key", "walls of"),
        ("origami fox, paper texture, soft shadows, white background", "denser"),
        ("subway map in the style of Mondrian", "frayed"),
        ("moss covered car in a forest, god rays", "bodywork"),
        ("a ghost ship on the sea in green fog", "near the ground"),
        ("wooden chess board with a single white king, dramatic side light", "hair"),
        ("wooden chess board with a single white king, dramatic side light", "robes"),
        ("Stillleben mit Brot und Äpfeln im Zwergenlicht", "comes from"),
        ("isometric coffee shop interior, low poly, warm", "cool light"),
        ("electric kettle, 3d render, white background, no shadow", "shade"),
        ("a 1970s living room with orange wallpaper and a lava lamp", "eighbouring parts"),
        ("dragonfruit cut in half, pink background, hard shadow", "fine steps"),
        ("Werkstatt eines Uhrmachers, Lupe, warmes Licht", "Strong light"),
        ("three sailboats racing, spray, telephoto", "stride"),
        ("frozen waterfall with a climber, tiny in the frame", "hair"),
        ("Herbstwald mit Bach, lange Belichtung", "comes from"),
        ("a red kite above a beach, windy, one cloud", "layers of cloud"),
        ("storefront of a watchmaker, gold letters", "watchmaker's"),
        ("icon of a house, thin line, rounded corners", "rich in detail"),
        ("rainforest canopy walkway, hanging bridge, mist", "piers"),
        ("lone tree in a snowfield, minimal, high key", "crisp shadows"),
        ("rock garden in Kyoto, moss, early morning", "many shapes"),
        ("crystal cave with tiny explorers", "explorers'"),
        ("broken piano in a flooded ballroom", "stone floor"),
        ("garden shed full of tools, cobwebs, sunbeam", "gravel"),
        ("cave painting of bison, ochre, torchlight", "nose"),
        ("riverside factory converted to lofts, brick, morning fog", "old boxes"),
        ("rocky desert with a wrecked spaceship, two suns", "crests"),
        ("hot air balloon basket, view down on fields", "stems"),
        ("a torii gate in the sea at sunset", "handle"),
        ("steel bridge at night, traffic trails, long exposure", "stones"),
        ("empty theatre, red seats, one ghost light", "ghost's"),
        ("cloudscape over the Pacific, from a plane, dawn", "wings"),
        ("waterwheel on an old mill, ferns", "grimy"),
        ("Christmas market, wooden stalls, snow, evening", "canvas"),
        ("spring thaw, river ice breaking up, birch trees", "petals"),
        ("vintage matchbox art, rooster, two colors", "light is"),
        ("library of a spaceship, planet outside the window", "engines"),
        ("greek amphora with runners, museum light", "runners'"),
        ("a motel corridor, patterned carpet, green light", "dull reflection"),
        ('poster with the word "JAZZ" made of trumpets', "contours"),
        ("un phare étrange quelque part, biscornu", "comes from"),
    ],
)
def test_prose_never_says(prompt: str, never: str) -> None:
    for text in texts(prompt, FLUX):
        assert never not in text.replace(prompt, ""), text


@pytest.mark.parametrize(
    ("prompt", "never"),
    [
        ("a foggy pine valley seen from a mountain hut", {"building", "architecture"}),
        ("a ceramic teapot in the shape of an elephant", {"animal", "tail", "wrinkled skin"}),
        ("logo for a coffee shop", {"building", "drink", "cup"}),
        ("abstract swirl of ink in water", {"paper texture"}),
        ("isometric server room with blinking lights", {"laboratory"}),
        ("coral reef, a sunken amphora and shafts of light from above", {"from above"}),
        ("aerial view of a roundabout at night with light trails", {"crescent moon", "vanishing point"}),
        ("a whale in the sea", {"fish"}),
        ("a woman in a café", {"building", "architecture"}),
        ("technical illustration of a mechanical wristwatch", {"painterly", "blending"}),
        ("un bodegón rarísimo, claroscuro, óleo", {"film grain", "blurry background"}),
        ("a container ship at dusk leaving Rotterdam", {"dusk leaving Rotterdam"}),
        ("space elevator rising from the ocean, concept art", {"starry sky", "planet"}),
        (
            "still life with an extinguished candle and a violin, Dutch master",
            {"fire", "glowing", "film grain"},
        ),
        ("a wheelbarrow full of pumpkins next to a barn", {"tablecloth", "plate", "napkin"}),
        ("sneaker floating in the air with leaves, product shot, pastel gradient", {"patterned"}),
        ("3d icon of a padlock, glossy, blue gradient background", {"flat color", "outline"}),
        ("the planet Saturn seen from the icy surface of a moon", {"bare tree", "snowing", "visible air"}),
        ("a winding staircase in a lighthouse", {"waves", "ocean", "shore"}),
        ("spice market in Marrakesh, light beams through the roof", {"outdoors", "wind"}),
        ("pumpkin soup in a black bowl", {"chopsticks"}),
        ("marché imaginaire à Brigadoon, lumière douce", {"high contrast"}),
        ("close-up of rusted gears, orange and teal", {"food", "fruit"}),
        ("wooden chess board with a single white king", {"1boy", "king"}),
        ("fish market at dawn, crates of mackerel, ice", {"snow", "winter"}),
        ("soap carving of a swan on a sink", {"feathers", "beak"}),
        ("isometric coffee shop interior, low poly", {"drink"}),
        ("the last leaf on a maple branch, frost, bokeh", {"snowing", "snow"}),
        ("a canyon filled with clouds, first light, drone", {"aircraft"}),
        ("ice cream truck on an empty beach, November", {"building", "architecture"}),
        ("linoleum print of a crow on a fence", {"film grain", "blurry background"}),
        ("steel mill interior, molten metal, silhouettes of workers", {"minimalism", "symmetry"}),
        ("isometric gas station in the desert, neon, night", {"crescent moon", "full moon"}),
        ("underground river with a wooden boat, torches", {"ocean"}),
        ("neon sign of a flamingo on a pink wall", {"feathers", "beak"}),
        ("bathtub full of oranges", {"water", "soap bubbles"}),
        ("perfume ad, bottle on wet rocks, waves, moonlit", {"table"}),
        ("ein Korb voller Äpfel im Garten", {"apple"}),
        ("hand-painted wooden bowl, folk pattern, isolated on white", {"flat color", "patterned"}),
        ("wide canyon, river far below, eagle's view", {"eagle", "bird"}),
        ("a tin of sardines, open", {"water", "fins"}),
        ("oil painting of a kitchen garden with cabbages", {"tablecloth", "napkin"}),
        ("a bakery run by mice", {"bakery run"}),
        ("clock face without hands", {"solo"}),
        ("half-built wooden boat in a shed", {"water", "sky", "ripples"}),
        ("crumpled map on a car bonnet, desert", {"flat color", "outline"}),
        ("água clara, barco de pesca vermelho, praia", {"red pesca"}),
        ("She is not a child", {"She", "she"}),
    ],
)
def test_no_tag_says(prompt: str, never: set[str]) -> None:
    assert not tags(prompt) & never


def test_outlines_and_their_absence_are_not_tagged_together() -> None:
    for text in texts("icon set of weather symbols, flat design", ILLUSTRIOUS):
        assert not ("no lineart" in text and "outline" in text), text


def test_an_unknown_name_stays_where_the_rest_is_put_in_english() -> None:
    assert {"cat", "上野"} <= tags("上野的猫")


def test_a_frozen_lake_does_not_ripple() -> None:
    video = targets.load("ltx_2")
    for text in texts("an observatory on a frozen lake, aurora", video):
        assert "Ripples" not in text, text


@pytest.mark.parametrize(
    ("prompt", "never"),
    [
        ("pencil sketch of an elephant", {"object focus", "vignetting"}),
        ("oil painting of a stormy sea with a small sailing ship", {"ripples", "reflection"}),
        ("seven candles on a birthday cake", {"candlestand"}),
        ("flat vector icon of a coffee cup, white background", {"white outline", "vignetting"}),
        ("a fishing boat with peeling paint lies tilted on the mud at low tide", {"ripples", "reflection"}),
        ("a boat by the pier, two gulls stand on the bow", {"bow"}),
        ("a long wooden table laid for eight people, a window behind it", {"eight people"}),
    ],
)
def test_no_tag_is_against_the_idea_or_against_another(prompt: str, never: set[str]) -> None:
    assert not tags(prompt) & never


def test_what_lies_behind_and_where_to_look_are_said_once() -> None:
    for text in texts("two cats on a windowsill", targets.load("sdxl"), 48):
        assert not ("window behind" in text and "out of focus behind" in text), text
    for text in texts("[sketch], a lion, (golden mane:1.1)", FLUX, 48):
        assert not ("third of the frame" in text and "in the middle" in text), text


def test_nothing_is_clear_in_fog() -> None:
    said = "".join(texts("a tall woman walks a terrier along a pier in thick fog", targets.load("plain")))
    said += "".join(texts("a tall woman walks a terrier along a pier in thick fog", FLUX))
    assert "at a glance" not in said and "clearly different in tone" not in said
    assert "clean against what lies behind" not in said
