"""Templates as users of Dynamic Prompts, the Impact Pack, SD.Next and Umi write them."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from quillwork.prompting.templates.library import Library
from quillwork.prompting.templates.parser import parse
from quillwork.prompting.templates.resolve import (
    Selection,
    TooLarge,
    combination_count,
    missing_variables,
    resolve,
    variables,
)

FILES = {
    "season.txt": "spring\nsummer\nautumn\nwinter\n",
    "size.txt": "small\nbig\n",
    "animal.txt": "a __size__ fox\n{tame|wild} cat\n",
    "joint.txt": "and\nor\n",
    "style.txt": "${medium:oil} of a ${what}\n",
    "frame.txt": "old photo of ..., faded\nsketch of ..., rough\n",
    "deep/in/place.txt": "moor\n",
    "shirt.txt": "${color?=!{red|blue}}${color} shirt\n",
}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Library(tmp_path)


def combinations(template: str, library: Library | None = None) -> list[str]:
    return resolve(template, library, selection="combinations", count=1000).prompts


ALL = {
    # Brackets and pipes within options.
    "{blonde|[black|gray]|red}": ["blonde", "[black|gray]", "red"],
    "{(a|b:1.2)|c}": ["(a|b:1.2)", "c"],
    "{((a|b))|[[c|d]]|e}": ["((a|b))", "[[c|d]]", "e"],
    "{[(a|b)|c]|d}": ["[(a|b)|c]", "d"],
    "{[a|b] and (c|d)|e}": ["[a|b] and (c|d)", "e"],
    "{[__size__|x]|y}": ["[small|x]", "[big|x]", "y"],
    "{[{a|b}|c]|d}": ["[a|c]", "[b|c]", "d"],
    "{2$$[a|b]|c}": ["[a|b], c"],
    "{0.5::[a|b]|2::c}": ["[a|b]", "c"],
    "{:)|:(}": [":)", ":("],
    "{(a|b}": ["(a", "b"],
    "{a)|b}": ["a)", "b"],
    "{[a|(b]|c}": ["[a|(b]", "c"],
    r"{\(a|b\)|c}": [r"\(a", r"b\)", "c"],
    "[{a|b}|{c|d}]": ["[a|c]", "[a|d]", "[b|c]", "[b|d]"],
    "{<lora:a|b:1>|[c:d:0.5]}": ["<lora:a|b:1>", "[c:d:0.5]"],
    # Syntax in separators.
    "{2$$ __joint__ $$a|b}": ["a and b", "a or b"],
    "{2$$ {und|oder} $$a|b}": ["a und b", "a oder b"],
    "{1-2$$ __joint__ $$a|b}": ["a", "b", "a and b", "a or b"],
    "${j= + }{2$$${j}$$a|b}": ["a+b"],
    "${j=plus}{2$$ ${j} $$a|b}": ["a plus b"],
    "{2$$ | $$a|b}": ["a | b"],
    "{2$$\n$$a|b}": ["a\nb"],
    # SD.Next's weights.
    "{red:0.3|green:0.7}": ["red", "green"],
    "{white:0.6|green:.2|{purple|yellow}}": ["white", "green", "purple", "yellow"],
    "{red:3|green:7}": ["red", "green"],
    "{red : 0.3 | green : 0.7}": ["red ", " green "],
    "{16:9|4:3}": ["16:9", "4:3"],
    "{at 5:30|at noon}": ["at 5:30", "at noon"],
    "{red:3|green}": ["red:3", "green"],
    "({red:1.2|blue:0.8})": ["(red:1.2)", "(blue:0.8)"],
    "[{red:1.2|blue:0.8}]": ["[red:1.2]", "[blue:0.8]"],
    "<lora:{a:0.5|b:0.8}>": ["<lora:a:0.5>", "<lora:b:0.8>"],
    "{(red:1.2)|(blue:0.8)}": ["(red:1.2)", "(blue:0.8)"],
    "{2::red:0.3|green:0.7}": ["red:0.3", "green:0.7"],
    "{:0.3|a:0.7}": [":0.3", "a:0.7"],
    # Impact's number of copies.
    "{1$$, $$2#__size__}": ["small", "big", "small", "big"],
    "{2$$, $$2#__size__}": ["small, small", "small, big", "big, small", "big, big"],
    "{2#__size__|x}": ["small", "big", "small", "big", "x"],
    "2#__size__": ["small, small", "small, big", "big, small", "big, big"],
    "1#__size__!": ["small!", "big!"],
    "0#__size__": ["0#small", "0#big"],
    "a2#__size__": ["a2#small", "a2#big"],
    "#__size__": ["#small", "#big"],
    # Names.
    r"__deep\in\place__": ["moor"],
    "__deep/in/place__ __place__ __Deep/In/Place__": ["moor moor moor"],
    "__SIZE__": ["small", "big"],
    r"\__size\_\_": ["__size__"],
    # Dynamic Prompts' variables.
    "${x=__size__}${x} ${x}": ["small small", "small big", "big small", "big big"],
    "${x=!__size__}${x} ${x}": ["small small", "big big"],
    "${ x = !{a|b} }${x}${ x }": ["aa", "bb"],
    "${x=!{a|b}}${x}{${x}|c}": ["aa", "ac", "bb", "bc"],
    "${x:default}": ["default"],
    "${x:{a|b}}": ["a", "b"],
    "${x=a}${x:default}": ["a"],
    "${ x = a }[${x}]": ["[a]"],
    "${x=}[${x}]": ["[]"],
    "${x=a}${x=b}${x}": ["b"],
    "${x=a}${x?=b}${x}": ["a"],
    "${x?=b}${x}": ["b"],
    "${x} ${x=a}": ["a "],
    "${y=very ${x}}${x=red}${y}": ["very red"],
    "${x=red}${y=!very ${x}}${y}": ["very red"],
    "${my-x=a}${my-x}": ["a"],
    "${x=!{__size__}}${x} ${x}": ["small small", "big big"],
    "${x={2$$__size__}}${x}": ["small, big"],
    "${x={word}}${x}": ["{word}"],
    "${x=a}\nb ${x}": ["b a"],
    "c ${x=a} b ${x}": ["c  b a"],
    "${what=cat}__style__": ["oil of a cat"],
    "${what=cat}${medium={ink|chalk}}__style__": ["ink of a cat", "chalk of a cat"],
    "__style(what=fox)__": ["oil of a fox"],
    "__style(what=fox, medium=ink)__ __style(what=cat)__": ["ink of a fox oil of a cat"],
    "__shirt__": ["red shirt", "blue shirt"],
    "${color=green}__shirt__": ["green shirt"],
    "<lora:${x=a}${x}:1>": ["<lora:a:1>"],
    # Dynamic Prompts' wraps.
    "%{old ... here$${fox|cow}}": ["old fox here", "old cow here"],
    "%{{old|new} … here$$fox}": ["old fox here", "new fox here"],
    "%{__frame__$$a cat}": ["old photo of a cat, faded", "sketch of a cat, rough"],
    "%{happy $$fox}": ["happy fox"],
    "50%{a|b}": ["50%a", "50%b"],
    "%{2$$a|b}": ["%a, b"],
    # Lines, and comments on them.
    "{\n  a\n  | b c\n  |\n}": ["a", "b c", ""],
    "{\n  a   # the first\n  # | not this\n  | b\n}": ["a", "b"],
    "{\n  #1 fan\n|b}": ["", "b"],
    "{a #1|b\n|c}": ["a #1", "b", "c"],
    "{ a | b }": [" a ", " b "],
    # Samplers that are none.
    "{@wlop|@greg rutkowski}": ["@wlop", "@greg rutkowski"],
    "{!a|!b}": ["!a", "!b"],
    "{~5|~6}": ["~5", "~6"],
    "{@word}": ["{@word}"],
    "__@__ __!__": ["__@__ __!__"],
}


@pytest.mark.parametrize("template", ALL, ids=str)
def test_all_that_may_come_out(library: Library, template: str) -> None:
    resolved = resolve(template, library, selection="combinations", count=1000)
    assert resolved.prompts == ALL[template]
    assert combination_count(template, library) == len(ALL[template])
    possible = set(ALL[template])
    for selection in ("random", "cycle"):
        drawn = resolve(template, library, selection=selection, count=60, seed=5).prompts
        if "2$$" not in template:
            assert set(drawn) <= possible
        if selection == "random" and len(possible) < 9 and "2$$" not in template:
            assert set(drawn) == possible


UNTOUCHED = [
    "{a}",
    "{{a}}",
    "{}",
    '{"a": "x|y", "b": [1, {"c": "::$$|"}]}',
    "[a|b] (a|b) [a:b:0.5] (word:1.2) ((x)) [[x]]",
    "1.3::x:: x++ y-- (a, b)+",
    "<segment:face> <wlr:a:1> <dora:b:0.5> <embed:c>",
    "<random:a, b> <wildcard:x>",
    "a $5 {b} 100% c",
    "$x = 3, $(y), $ {z}",
    "${a.b} ${} ${1}",
    "a # no comment\n# nor this\n// nor this /* nor this */",
    "C:\\new\\dir \\(series\\) \\<b> \\n",
    "___ ____ _ __ :) :| |",
    "BREAK, AND, ADDCOL, [SEP]",
    "key: value - {x}",
    "x #1 #2 3# 4#_a_",
    "＿a＿ “q” — é 色 हिन्दी 🎨",
]


@pytest.mark.parametrize("text", UNTOUCHED)
@pytest.mark.parametrize("selection", ["random", "cycle", "combinations"])
def test_what_is_no_syntax_passes_through(library: Library, text: str, selection: Selection) -> None:
    resolved = resolve(text, library, selection=selection)
    assert resolved.prompts == [text]
    assert resolved.warnings in ([], *([w] for w in resolved.warnings if "${" in w))


def test_any_text_between_syntax_passes_through_byte_for_byte(library: Library) -> None:
    signs = random.Random(12)
    alphabet = "ab1é色 \n\r\t,.;:!?@#~%$*+=()[]<>/'\"|&^`-"
    for _ in range(400):
        texts = ["".join(signs.choices(alphabet, k=signs.randrange(12))) for _ in range(3)]
        # A sign that would belong to what follows is no text.
        texts[:2] = [text.rstrip("$%#0123456789\\") for text in texts[:2]]
        first, second, third = texts
        template = f"{first}__size__{second}{{x|y}}{third}"
        (prompt,) = resolve(template, library).prompts
        size, letter = resolve("__size__{x|y}", library).prompts[0][:-1], prompt[len(prompt) - len(third) - 1]
        assert prompt == f"{first}{size}{second}{letter}{third}"


@pytest.mark.parametrize(
    ("template", "prompts"),
    [
        ("A {@red|green} ball", ["A red ball", "A green ball", "A red ball", "A green ball"]),
        ("__@season__", ["spring", "summer", "autumn", "winter"]),
        ("{@__season__}", ["spring", "summer", "autumn", "winter"]),
        ("{@a|b} {@c|d}", ["a c", "b d", "a c", "b d"]),
        ("{@2$$__season__}", ["spring, summer", "summer, autumn", "autumn, winter", "winter, spring"]),
        ("{!a|b} {!x|y}", ["a x", "a y", "b x", "b y"]),
        ("__!size__ {!x|y}", ["small x", "small y", "big x", "big y"]),
        ("{!2$$a|b|c}", ["a, b", "a, c", "b, c", "a, b"]),
        ("{@__size__|x}", ["small", "x", "small", "x"]),
        ("{@a|{b|c}}", ["a", "c", "a", "c"]),
        ("__!animal__", ["a small fox", "a big fox", "tame cat", "wild cat"]),
        ("${x=__@size__}${x}", ["small", "big", "small", "big"]),
        ("__@deep/**__ {@a|b}", ["moor a", "moor b", "moor a", "moor b"]),
    ],
)
def test_samplers_within_random(library: Library, template: str, prompts: list[str]) -> None:
    drawn = resolve(template, library, count=4).prompts
    assert drawn == prompts
    assert resolve(template, library, count=3, seed=1).prompts == [*prompts, prompts[0]][1:4]


def test_one_in_turn_while_others_are_random(library: Library) -> None:
    prompts = resolve("__@season__ __season__ {~a|b}", library, count=40, seed=0).prompts
    assert [prompt.split()[0] for prompt in prompts] == ["spring", "summer", "autumn", "winter"] * 10
    assert len({prompt.split(" ", 1)[1] for prompt in prompts}) == 8


@pytest.mark.parametrize(
    ("template", "firsts", "others"),
    [
        ("{red|green} {~ball|car}", ["red", "green"], {"ball", "car"}),
        ("__season__ __~size__", ["spring", "summer", "autumn", "winter"], {"small", "big"}),
        ("{a|b} {~x|{y|z}}", ["a", "b"], {"x", "y", "z"}),
        ("{a|b} {~x|{!y|z}}", ["a", "b"], {"x", "y", "z"}),
    ],
)
def test_random_within_combinations_is_no_combination(
    library: Library, template: str, firsts: list[str], others: set[str]
) -> None:
    seen = set()
    for seed in range(0, 400, 4):
        prompts = resolve(template, library, selection="combinations", count=9, seed=seed).prompts
        assert [prompt.split()[0] for prompt in prompts] == firsts
        seen |= {prompt.split()[1] for prompt in prompts}
    assert seen == others


def test_in_turn_within_combinations() -> None:
    assert combinations("A {red|green} {@ball|car}") == ["A red ball", "A green car"]
    assert combinations("A {@red|green} {ball|car} {at night|at noon}") == [
        "A red ball at night", "A green ball at noon", "A red car at night", "A green car at noon",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("__season__ {a|b|c} __size__", "a photo, __season__ and then {a|b|c}: __size__!"),
        ("__season__ {a|b|c} __size__", "__size__ __season__ {a|b|c}"),
        ("__season__ {a|b|c} __size__", "__season__ {c|a|b} __size__"),
        ("__season__ {a|b|c} __size__", "{x|y} __season__ {a|b|c} __joint__ __size__ {1|2|3}"),
        ("__season__ {a|b|c} __size__", "__season__ {a|b|c} __size__ __season__ {a|b|c}"),
        ("__season__ {a|b|c} __size__", "{__season__ now} {a|b|c} {__size__|__size__}"),
        ("__season__ {a|b|c} __size__", "${x=1}__season__ {a|b|c} __size__"),
        ("__season__ {2::a|b|c} __size__", "__season__ {c|b|2::a} __size__"),
        ("__animal__ __size__", "__size__ and __animal__"),
    ],
)
def test_picks_do_not_move_when_the_template_changes_around_them(
    library: Library, before: str, after: str
) -> None:
    moved = Counter[str]()
    for seed in range(80):
        first = resolve(before, library, count=3, seed=seed)
        second = resolve(after, library, count=3, seed=seed)
        for one, other, prompt, changed in zip(
            first.picks, second.picks, first.prompts, second.prompts, strict=True
        ):
            for name in ("season", "animal"):
                taken = other.get(name)
                moved[name] += one.get(name) != (taken[0] if isinstance(taken, list) else taken)
            for letter in "abc":
                if f" {letter} " in f" {prompt} ":
                    moved[letter] += letter not in changed.replace(":", " ").split()
    assert sum(moved.values()) == 0


def test_equal_places_are_picked_apart(library: Library) -> None:
    prompts = resolve("{a|b}{a|b} __size__ __size__ __animal__ __animal__", library, count=200).prompts
    assert {prompt[:2] for prompt in prompts} == {"aa", "ab", "ba", "bb"}
    assert len({tuple(prompt.split()[1:3]) for prompt in prompts}) == 4


def test_random_follows_sd_nexts_weights() -> None:
    drawn = Counter(resolve("{red:0.1|green:0.9}", None, count=1000).prompts)
    assert 60 < drawn["red"] < 150
    assert set(drawn) == {"red", "green"}


@pytest.mark.parametrize("selection", ["random", "cycle", "combinations"])
@pytest.mark.parametrize(
    "template",
    [
        "__season__ __season__ __season__ __season__",
        "__season__ {2$$ $$__season__} __season__",
        "${s=__season__}${s} ${s} ${s}",
        "3#__season__",
        "{__season__|__season__} {__season__|x} __season__",
    ],
)
def test_no_value_comes_twice_where_that_is_wanted(
    library: Library, selection: Selection, template: str
) -> None:
    resolved = resolve(template, library, selection=selection, count=24, no_repeats=True)
    for picks in resolved.picks:
        taken = picks["season"]
        assert isinstance(taken, str) or len(set(taken)) == len(taken)
    again = resolve(template, library, selection=selection, count=24, no_repeats=True)
    assert again.prompts == resolved.prompts


def test_values_come_twice_where_there_are_no_others(library: Library) -> None:
    for selection in ("random", "cycle"):
        for prompt in resolve(
            "__size__ __size__ __size__", library, selection=selection, count=9, no_repeats=True
        ).prompts:
            assert set(prompt.split()[:2]) == {"small", "big"}
    assert (
        len(resolve("__size__ __size__ __size__", library, selection="combinations", no_repeats=True).prompts)
        == 1
    )
    (library.folder / "twice.txt").write_text("a\na\nb\n")
    for prompt in resolve("__twice__ __twice__", library, count=20, no_repeats=True).prompts:
        assert set(prompt.split()) == {"a", "b"}
    assert combinations("__size__ __size__", library)[0] == "small small"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("_season_", "season"),
        ("__season_", "season"),
        ("_season__", "season"),
        ("__ season__", "season"),
        ("__season __", "season"),
        ("{season}", "season"),
        ("{ season }", "season"),
        ("＿＿season＿＿", "season"),
        ("_SEASON_", "SEASON"),
        ("_deep/in/place_", "deep/in/place"),
        ("in _season_, then", "season"),
        ("(_season_:1.2)", "season"),
    ],
)
def test_what_is_nearly_a_variable_is_told(library: Library, text: str, name: str) -> None:
    resolved = resolve(f"{text} {{a|a}}", library)
    assert resolved.prompts == [f"{text} a"]
    (warning,) = resolved.warnings
    assert "stays as it is" in warning
    assert warning.endswith(f"__{name}__.")


@pytest.mark.parametrize(
    "text",
    ["_italic_", "snake_season_case", "{word}", "__nothing_", "_a", "{}", "season", "$season", "<season>"],
)
def test_what_is_no_variable_is_not(library: Library, text: str) -> None:
    assert resolve(text, library).warnings == []


def test_a_misspelt_name_is_told_with_the_nearest(library: Library) -> None:
    (warning,) = resolve("__sesaon__", library, leave_unknown=True).warnings
    assert "did you mean __season__?" in warning
    (warning,) = resolve("${season}", library).warnings
    assert "`${season}` stays as it is: nothing sets it" in warning
    assert "__season__" in warning


@pytest.mark.parametrize("name", ["no, such", "it's", "a (b)", "R&B", "a+b"])
def test_signs_make_a_variable_only_where_the_library_has_it(library: Library, name: str) -> None:
    template = f"__{name}__ x"
    resolved = resolve(template, library)
    assert resolved.prompts == [template]
    assert resolved.left == [name]
    assert variables(template) == []
    assert missing_variables(template, library) == []
    (library.folder / f"{name}.txt").write_text("found\n")
    assert resolve(template, library).prompts == ["found x"]


@pytest.mark.parametrize(
    "template",
    [
        "${x=${x}}${x}",
        "${x=a ${y}}${y=b ${x}}${x}",
        "${x=!${x}}${x}",
        "".join(f"${{a{i}=${{a{i + 1}}}}}" for i in range(1500)) + "${a0}",
        "${x=" * 40 + "a" + "}" * 40,
        "${x={" + "a|" * 5000 + "b}}" + "${x}" * 500,
        "%{" * 200 + "$$}" * 200,
        "{2$$" * 200 + "$$a|b}" * 200,
        "{~" * 2000 + "a|b" + "}" * 2000,
        "{" + "[(" * 20000 + "|" + ")]" * 20000 + "|a}",
        "{" + "((" * 20000 + "]" * 20000 + "|a}",
        "__a(" + "=" * 50_000,
        "__a, " * 20_000,
        "9#" * 20_000 + "__a",
        "<[a]" * 20_000,
        "<" + "[a]" * 20_000,
        "{\n#" + " # " * 20_000 + "\n|a}",
        "{a:" + "1" * 20_000 + "|b}",
        "${x:" * 2000,
    ],
    ids=lambda template: template[:12],
)
def test_hostile_templates_have_an_end(template: str) -> None:
    try:
        resolve(template, None, count=2)
        combination_count(template, None)
    except TooLarge:
        pass


def test_copies_have_a_bound(library: Library) -> None:
    assert len(parse("999#__size__").nodes[0].options) == 100  # type: ignore[union-attr]
