"""The published examples of Dynamic Prompts: everything that may come out does, and nothing else."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from quillwork.prompting.templates.library import Library
from quillwork.prompting.templates.resolve import resolve

FILES = {
    "season.txt": "# seasons.txt\nsummer\n{autumn|fall}\nwinter\nspring\n",
    "flavours.txt": "chocolate\nvanilla\nstrawberry\n",
    "colours-cold.txt": "blue\ngreen\n",
    "colours-warm.txt": "red\nyellow\n",
    "people.txt": "__asia__\n__africa__\n",
    "africa.txt": "Zimbabwean\nNamibian\nBasotho\n",
    "asia.txt": "Thai\n",
    "season_clothes.txt": "In ${season}, I wear ${season} shirts\n",
    "example.yaml": (
        "clothing:\n  - T-shirt\n  - Pants\n"
        "artists:\n  finnish:\n    - Akseli\n    - Eero\n  dutch:\n    - Piet\n"
    ),
    "examples.yaml": (
        "examples:\n  prompt:\n"
        '    - "${subject?=!{man|woman}} ${weather?=!{sun|rain}} ${drink?=!{__examples/drink__}} '
        'a ${subject} in the ${weather} drinking ${drink}"\n'
        "  drink:\n    - coffee\n    - tea\n"
        '  winter:\n    - "${weather=snow} ${drink=hot chocolate} __examples/prompt__"\n'
    ),
    "gems.txt": "diamond\nruby\n",
    "metals.txt": "{rose|yellow|white} gold\nplatinum\n",
    "weighted.yaml": (
        "animals:\n  heavy:\n    - 50::elephant\n    - 20.5::rhino\n"
        "  light:\n    - { weight: 1, text: mouse }\n    - { weight: 3, content: cat }\n"
    ),
    "wrappers.txt": "Art Deco, ..., sleek\nPop Art, ....., vivid\n",
    "flavors/pantry.json": '{"bitter": ["coffee", "dark chocolate"]}',
    "plush/toy.yaml": "- Squishy ${animal} plush toy\n",
    "beasts/all.txt": "# These refer to files within this directory.\n\n__mammals/canine__\n__mystical__\n",
    "beasts/mammals/canine.txt": "dog\nwolf\n",
    "beasts/mystical.txt": "unicorn\n",
}
FLAVOURS = ("chocolate", "vanilla", "strawberry")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return Library(tmp_path)


def some(words: tuple[str, ...], *sizes: int, joiner: str = ", ") -> set[str]:
    return {joiner.join(order) for size in sizes for order in itertools.permutations(words, size)}


EXAMPLES: dict[str, set[str]] = {
    "{summer|autumn} is coming": {"summer is coming", "autumn is coming"},
    "{0.5::summer|0.1::autumn|0.3::winter|0.1::spring}": {"summer", "autumn", "winter", "spring"},
    "{2$$chocolate|vanilla|strawberry}": some(FLAVOURS, 2),
    "{2$$ and $$chocolate|vanilla|strawberry}": some(FLAVOURS, 2, joiner=" and "),
    "{1-2$$ and $$chocolate|vanilla|strawberry}": some(FLAVOURS, 1, 2, joiner=" and "),
    "{-2$$chocolate|vanilla|strawberry}": some(FLAVOURS, 1, 2),
    "{1-$$chocolate|vanilla|strawberry}": some(FLAVOURS, 1, 2, 3),
    "{4$$chocolate|vanilla|strawberry}": some(FLAVOURS, 3),
    "__season__ is coming": {f"{one} is coming" for one in ("summer", "autumn", "fall", "winter", "spring")},
    "{2$$__flavours__}": some(FLAVOURS, 2),
    "{2$$__flavours__|__flavours__}": {f"{a}, {b}" for a in FLAVOURS for b in FLAVOURS},
    "__people__": {"Thai", "Zimbabwean", "Namibian", "Basotho"},
    "__colours*__": {"blue", "green", "red", "yellow"},
    "{2$$__colours*__}": some(("blue", "green", "red", "yellow"), 2),
    "__artists/**__": {"Akseli", "Eero", "Piet"},
    "__artists/finnish__ in __clothing__": {
        f"{a} in {b}" for a in ("Akseli", "Eero") for b in ("T-shirt", "Pants")
    },
    "${season=!{summer|winter}}In ${season}, ${season} shirts": {
        "In summer, summer shirts",
        "In winter, winter shirts",
    },
    "${season={summer|winter}}In ${season}, ${season} shirts": {
        f"In {a}, {b} shirts" for a in ("summer", "winter") for b in ("summer", "winter")
    },
    "${p={blond|red}, {tall|short}}A ${p} man, a ${p} woman": {
        f"A {a}, {b} man, a {c}, {d} woman"
        for a in ("blond", "red")
        for b in ("tall", "short")
        for c in ("blond", "red")
        for d in ("tall", "short")
    },
    "__season_clothes(season=winter)__": {"In winter, I wear winter shirts"},
    "${season={summer|winter}}__season_clothes__": {
        f"In {a}, I wear {b} shirts" for a in ("summer", "winter") for b in ("summer", "winter")
    },
    "In ${season:summer}, I wear ${season:summer} shirts": {"In summer, I wear summer shirts"},
    "${subject=boy}__examples/prompt__": {
        f"a boy in the {weather} drinking {drink}"
        for weather in ("sun", "rain")
        for drink in ("coffee", "tea")
    },
    "${subject=cowboy} ${weather=sun} ${drink=juice} __examples/prompt__": {
        "a cowboy in the sun drinking juice"
    },
    "__examples/winter__": {f"a {one} in the snow drinking hot chocolate" for one in ("man", "woman")},
    "${subject=boy} ${weather=rain} ${drink=iced tea} __examples/winter__": {
        "a boy in the snow drinking hot chocolate"
    },
    "{\n    summer\n\t|autumn\n\t# | fall    # commented this value out\n\t|winter\n}": {
        "summer",
        "autumn",
        "winter",
    },
    "%{something wrapping ..., very cool$$this internal prompt}": {
        "something wrapping this internal prompt, very cool"
    },
    "{red|green} {square|circle}": {"red square", "red circle", "green square", "green circle"},
    "{red|green|blue} {@square|circle}": {
        f"{a} {b}" for a in ("red", "green", "blue") for b in ("square", "circle")
    },
    "{@embedding1|embedding2} and {@embedding3|embedding4}": {
        "embedding1 and embedding3",
        "embedding2 and embedding4",
    },
    "A {{rose|yellow} gold|platinum} band": {
        f"A {one} band" for one in ("rose gold", "yellow gold", "platinum")
    },
    "A {\n    {rose|yellow} gold   # you can also add comments\n    | platinum    # ignored\n} band": {
        f"A {one} band" for one in ("rose gold", "yellow gold", "platinum")
    },
    "A __gems__ ring, __metals__": {
        f"A {gem} ring, {metal}"
        for gem in ("diamond", "ruby")
        for metal in ("rose gold", "yellow gold", "white gold", "platinum")
    },
    "{2-3$$__flavours__}": some(FLAVOURS, 2, 3),
    "{1$$A|B|{2$$ and $$X|Y}}": {"A", "B", "X and Y", "Y and X"},
    "{|hot,}{|summer,}": {"", "hot,", "summer,", "hot,summer,"},
    "__animals/heavy__ __animals/light__": {
        f"{a} {b}" for a in ("elephant", "rhino") for b in ("mouse", "cat")
    },
    "%{__wrappers__$${fox|cow}}": {
        f"{a} {one}, {b}"
        for one in ("fox", "cow")
        for a, b in (("Art Deco,", "sleek"), ("Pop Art,", "vivid"))
    },
    "%{... in jail$${fox|cow}}": {"fox in jail", "cow in jail"},
    "%{ {cool|hot} ...$${fox|cow}}": {f"{a} {b}" for a in ("cool", "hot") for b in ("fox", "cow")},
    "__flavors/bitter__": {"coffee", "dark chocolate"},
    "{2$$ 1| 2| 3}": some(("1", "2", "3"), 2),
    "prompt with closing bra}ce but {parsed|accepted}": {
        "prompt with closing bra}ce but parsed",
        "prompt with closing bra}ce but accepted",
    },
    "({0$$a|b} {1$$c|d})": {"( c)", "( d)"},
    "${animal={fox|manatee}} __plush/toy__": {f"Squishy {one} plush toy" for one in ("fox", "manatee")},
    "__plush/toy(animal=fox)__": {"Squishy fox plush toy"},
    "__beasts/all__": {"dog", "wolf", "unicorn"},
}


@pytest.mark.parametrize("template", EXAMPLES, ids=str)
def test_a_published_example(library: Library, template: str) -> None:
    drawn = resolve(template, library, count=600, seed=3).prompts
    assert {text.strip() for text in drawn} == {text.strip() for text in EXAMPLES[template]}


def test_the_weights_of_yaml_are_followed(library: Library) -> None:
    drawn = resolve("__animals/heavy__", library, count=1000).prompts
    assert 640 < drawn.count("elephant") < 780
