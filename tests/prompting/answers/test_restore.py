"""The user's own syntax in what a model wrote: all of it, once, beside the words that it belongs to."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from quillwork.prompting.answers.parts import numbered, split_parts
from quillwork.prompting.answers.prompt import in_manner_of
from quillwork.prompting.answers.protect import Protected, is_silent, protect, shown
from quillwork.prompting.answers.restore import without_weights
from quillwork.prompting.syntax import read
from quillwork.prompting.targets import Target

WEIGHTS = Target("w", "W", "g", form="prose", weights=True)
PLAIN = Target("p", "P", "g", form="prose")
TAGS = Target("t", "T", "g", form="tags", weights=True, prefix="masterpiece", suffix="absurdres")
JSON = Target("j", "J", "g", form="json")


def put_back(prompt: str, *answers: str, target: Target = WEIGHTS) -> tuple[str, list[str]]:
    warnings: list[str] = []
    return in_manner_of(target, answers, protect(prompt), warnings), warnings


# What a user wrote, what the model made of its words, and what comes out.
KEPT = [
    # Weights, in all dialects: the same words, other letters, marks of the model's own.
    ("a (red fox:1.2)", "A red fox in snow.", "A (red fox:1.2) in snow."),
    ("a (red fox:1.2)", "A Red Fox in snow.", "A (red fox:1.2) in snow."),
    ("a (red fox:1.2)", "A (red fox) in snow.", "A (red fox:1.2) in snow."),
    ("a (red fox:1.2)", "A (red fox:1.4) in snow.", "A (red fox:1.2) in snow."),
    ("a (red fox:1.2)", "A (red fox:1.2) in snow.", "A (red fox:1.2) in snow."),
    ("a (red fox:1.2)", "A red_fox in snow.", "A (red fox:1.2) in snow."),
    ("a (freckled woman:1.3)", "A (freckled woman:1.3):1.3 in a park", "A (freckled woman:1.3) in a park"),
    ("a (freckled woman:1.3)", "A freckled woman:1.3 in a park", "A (freckled woman:1.3) in a park"),
    ("a (freckled man:1.3)", "A (tall freckled man:1.3) in a park", "A tall (freckled man:1.3) in a park"),
    ("a (freckled woman:1.3)", "A ((freckled woman)) in a park", "A (freckled woman:1.3) in a park"),
    ("a (wavy red hair:1.3)", "her red, wavy hair shines", "her (wavy red hair:1.3) shines"),
    ("a (wavy red hair:1.3)", "her long wavy dark red hair", "her long dark (wavy red hair:1.3)"),
    ("a (fox:1.2)", "Two foxes.", "Two foxes, (fox:1.2)."),
    ("a (fox:1.2)", "A den (fox, snow).", "A den ((fox:1.2), snow)."),
    ("((red fox:1.2) in snow:1.1)", "A red fox in snow.", "A ((red fox:1.2) in snow:1.1)."),
    ("a ((red fox)) in snow", "A red fox sits in snow.", "A ((red fox)) sits in snow."),
    ("a (((red fox))) in snow", "A red fox sits in snow.", "A (((red fox))) sits in snow."),
    ("a fox, [blurry trees]", "A fox before blurry trees.", "A fox before [blurry trees]."),
    ("a fox, [[trees]]", "A fox before trees.", "A fox before [[trees]]."),
    ("a {{red}} fox", "A red fox in snow.", "A {{red}} fox in snow."),
    ("a {red} fox", "A red fox in snow.", "A {red} fox in snow."),
    ("1.3::red fox::, snow", "A red fox in snow.", "A 1.3::red fox:: in snow."),
    ("-1::trees::, snow", "Snow, trees.", "Snow, -1::trees::."),
    ("a fox++ in snow", "A fox in deep snow.", "A fox++ in deep snow."),
    ("a fox-- in snow", "A fox in deep snow.", "A fox-- in deep snow."),
    ("a (red fox)++ in snow", "A red fox in deep snow.", "A (red fox)++ in deep snow."),
    ("a (red fox)1.2 in snow", "A red fox in deep snow.", "A (red fox)1.2 in deep snow."),
    ("(红狐:1.2)在雪地里", "一只红狐站在厚厚的雪地里。", "一只(红狐:1.2)站在厚厚的雪地里。"),
    ("(masterpiece:1.2), a fox", "A fox in snow.", "(masterpiece:1.2), A fox in snow."),
    ("a woman, (freckles:1.3), a park", "A woman in a park.", "A woman in a park, (freckles:1.3)."),
    ("a woman in a (red:1.2) coat", "A woman in a coat and hat.", "A woman in a (red:1.2) coat and hat."),
    ("(a __b__ {c|d}:1.2) fox", "A __b__ {c|d} fox.", "(a __b__ {c|d}:1.2) fox."),
    ("(fox, embedding:x:1.2)", "A (fox, embedding:x:1.2), embedding:y.", "A (fox, embedding:x:1.2)."),
    # Schedules.
    ("a [red:blue:0.5] fox", "A fox in snow.", "A [red:blue:0.5] fox in snow."),
    ("a [red:blue:0.5] fox", "A [red:blue:0.5] fox in snow.", "A [red:blue:0.5] fox in snow."),
    ("a [red:blue:0.5] fox", "A [rouge:bleu:0.5] fox.", "A [red:blue:0.5] fox."),
    ("a [red::0.5] fox", "A fox in snow.", "A [red::0.5] fox in snow."),
    ("a [:red:0.3] fox", "A fox in snow.", "A [:red:0.3] fox in snow."),
    ("a fox, [snow:0.3]", "A fox at dusk.", "A fox at dusk, [snow:0.3]."),
    ("a [red|blue] fox", "A fox in snow.", "A [red|blue] fox in snow."),
    ("a [red|blue] fox", "A [blue|red] fox in snow.", "A [red|blue] fox in snow."),
    ("a [<lora:a:1>red:<lora:b:1>blue:0.5] fox", "A fox.", "A [<lora:a:1>red:<lora:b:1>blue:0.5] fox."),
    ("a fox [<lora:a:1>::0.5] in snow", "A fox in deep snow.", "A fox [<lora:a:1>::0.5] in deep snow."),
    # Variables, choices, commands.
    ("a __colour__ fox", "A fox in snow.", "A __colour__ fox in snow."),
    ("a __colour__ fox", "A __colour__ fox in snow.", "A __colour__ fox in snow."),
    ("a __colour__ fox", "Un renard __couleur__.", "Un renard __colour__."),
    ("a __colour__ fox", "A __colour__ fox, __colour__ tail.", "A __colour__ fox, tail."),
    ("a fox in __two words__", "A fox sits.", "A fox in __two words__ sits."),
    ("a fox with 3#__hats__", "A fox with 3#__hats__ on.", "A fox with 3#__hats__ on."),
    ("a {red|blue} fox", "A fox in snow.", "A {red|blue} fox in snow."),
    ("a {red|blue} fox", "A {rot|blau} fox.", "A {red|blue} fox."),
    ("a {red|\n blue} fox", "A {red| blue} fox.", "A {red|\n blue} fox."),
    ("a {2$$, $$red|blue} fox", "A fox.", "A {2$$, $$red|blue} fox."),
    ("${c={red|blue}} a ${c} fox", "A ${c} fox.", "${c={red|blue}} A ${c} fox."),
    ("a ${c} fox, ${c={red|blue}}, snow", "A fox, snow.", "${c={red|blue}} A ${c} fox, snow."),
    ("a photo of %date%", "A photo of snow.", "A photo of %date% snow."),
    ("a <random:red,blue> fox", "A fox.", "A <random:red,blue> fox."),
    ("a cat.swap(dog) on a mat", "An animal on a mat.", "An animal cat.swap(dog) on a mat."),
    # Names with brackets.
    (r"saber \(fate\), a sword", "Saber (Fate) with a sword.", r"Saber \(fate\) with a sword."),
    (r"saber \(fate\), a sword", r"Saber \(fate\) with a sword.", r"Saber \(fate\) with a sword."),
    (r"saber \(fate\), a sword", "Saber with a sword.", r"Saber \(fate\) with a sword."),
    # Tags: where they stood.
    ("<lora:a:1> a fox", "A red fox.", "<lora:a:1> A red fox."),
    ("<lora:a:1> a fox", "<lora:a:1> a red fox", "<lora:a:1> a red fox"),
    ("a fox <lora:a:1>", "A red fox.", "A red fox. <lora:a:1>"),
    ("a fox <lora:a:1>", "a red fox, <lora:a:1>, <lora:b:1>", "a red fox <lora:a:1>"),
    ("a fox, <lora:a:1>, snow", "a red fox, deep snow", "a red fox, <lora:a:1>, deep snow"),
    ("a fox <wlr:a:1> in snow", "A red fox in snow.", "A red fox <wlr:a:1> in snow."),
    ("a fox <dora:a> in snow", "A red fox in snow.", "A red fox <dora:a> in snow."),
    ("a fox <anything:a b> in snow", "A red fox in snow.", "A red fox <anything:a b> in snow."),
    ("<lora:__style__:1> a fox", "A red fox.", "<lora:__style__:1> A red fox."),
    ("{<lora:a:1>|<lora:b:1>} fox", "A fox.", "{<lora:a:1>|<lora:b:1>} A fox."),
    ("a fox, embedding:easy", "A red fox.", "A red fox. embedding:easy"),
    ("a fox, (embedding:easy:1.2), snow", "a fox, snow", "a fox, (embedding:easy:1.2), snow"),
    ("a fox", "A fox <lora:made_up:1>, embedding:bad, in snow", "A fox, in snow"),
    ("a fox STYLE(A1111, mean)", "A red fox.", "A red fox. STYLE(A1111, mean)"),
    ("a fox --ar 3:2", "A red fox.", "A red fox. --ar 3:2"),
    # Comments.
    ("# mine\na fox", "A red fox.", "# mine\nA red fox."),
    ("a fox // mine", "A red fox.", "A red fox. // mine"),
    ("a fox // mine\nin snow", "A fox in snow.", "A fox // mine\nin snow."),
    ("a fox\n# mine\nin snow", "A fox in snow.", "A fox\n# mine\nin snow."),
    ("a fox /* mine */ in snow", "A fox in deep snow.", "A fox /* mine */ in deep snow."),
    # What the model chose, or worded anew.
    ("a {red|blue} fox", "A red fox in snow.", "A {red|blue} fox in snow."),
    ("a [red:blue:0.5] fox", "A blue fox in snow.", "A [red:blue:0.5] fox in snow."),
    ("a {red|blue} fox, red sky", "A fox, a red sky.", "A {red|blue} fox, a red sky."),
    ("a man with [a pipe:a cigar:0.4]", "A man smokes a pipe.", "A man smokes [a pipe:a cigar:0.4]."),
    (
        "(a woman in a red dress walking through a rainy street at night:1.1), 35mm",
        "A tall woman wearing a red dress walks through a rainy street by night, on 35mm film. Neon.",
        "A tall (a woman in a red dress walking through a rainy street at night:1.1), on 35mm film. Neon.",
    ),
    # Several at once.
    (
        "<lora:fox:0.8> a (red fox:1.2) in __place__, embedding:easy",
        "A red fox, (snow:1.4) and <lora:made_up:1> embedding:bad frost.",
        "<lora:fox:0.8> A (red fox:1.2) in __place__, (snow:1.4) and frost. embedding:easy",
    ),
    ("(red fox:1.2), (fox:1.1)", "A red fox.", "A (red fox:1.2), (fox:1.1)."),
    ("(fox:1.1), (red fox:1.2)", "A red fox.", "(fox:1.1), A (red fox:1.2)."),
    ("a __c__ fox and a __c__ owl", "A __c__ fox and an owl.", "A __c__ fox and an __c__ owl."),
    ("__c__", "", "__c__"),
]  # fmt: skip


@pytest.mark.parametrize(("prompt", "answer", "whole"), KEPT, ids=range(len(KEPT)))
def test_all_of_it_comes_back(prompt, answer, whole):
    assert put_back(prompt, answer)[0] == whole


REGIONS = [
    ("a fox BREAK a cat", ("A fox.", "A cat."), "A fox. BREAK A cat."),
    ("a fox,\nBREAK\na cat", ("A fox", "A cat"), "A fox,\nBREAK\nA cat"),
    ("a fox AND a cat :0.5", ("A fox", "A cat"), "A fox AND A cat :0.5"),
    ("a fox:1.2 AND a cat :0.5", ("A fox", "A cat"), "A fox:1.2 AND A cat :0.5"),
    ("best ADDCOMM a fox ADDCOL a cat ADDROW a dog", ("q", "f", "c", "d"), "q ADDCOMM f ADDCOL c ADDROW d"),
    ("a fox ADDBASE a cat", ("A fox", "A cat"), "A fox ADDBASE A cat"),
    ("a fox [SEP] a cat", ("A fox", "A cat"), "A fox [SEP] A cat"),
    ("a den COUPLE(0 1) a fox COUPLE(1 2) a cat", ("den", "f", "c"), "den COUPLE(0 1) f COUPLE(1 2) c"),
    ("a den FILL() COUPLE MASK(0 0.5) a fox", ("den", "f"), "den FILL() COUPLE MASK(0 0.5) f"),
    ("a fox MASK(0 0.5) AND a cat MASK(0.5 1)", ("f", "c"), "f MASK(0 0.5) AND c MASK(0.5 1)"),
    ("a fox AREA(0 1) AND a cat :0.5", ("f", "c"), "f AREA(0 1) AND c :0.5"),
    ("a woman <segment:face> freckles", ("A woman.", "freckles"), "A woman. <segment:face> freckles"),
    ("a fox <break> a cat", ("f", "c"), "f <break> c"),
    ("hot::2 dog::1", ("h", "d"), "h::2 d::1"),
    (
        "<lora:a:1> a fox BREAK <lora:b:1> a cat <lora:c:1>",
        ("A fox <lora:c:1>", "A cat"),
        "<lora:a:1> A fox BREAK <lora:b:1> A cat <lora:c:1>",
    ),
    ("a __c__ fox BREAK a cat", ("A fox", "A __c__ cat"), "A __c__ fox BREAK A __c__ cat"),
    ("a (fox:1.2) BREAK a (cat:1.1)", ("A cat", "A fox"), "A cat, (fox:1.2) BREAK A fox, (cat:1.1)"),
    ("a fox BREAK a cat", ("A fox BREAK in snow", "A cat AND a mat"), "A fox in snow BREAK A cat and a mat"),
    ("a fox BREAK BREAK <lora:a:1> BREAK a cat", ("f", "c"), "f BREAK BREAK <lora:a:1> BREAK c"),
    ("# left\na fox\nBREAK\n# right\na cat", ("f", "c"), "# left\nf\nBREAK\n# right\nc"),
]  # fmt: skip


@pytest.mark.parametrize(("prompt", "answers", "whole"), REGIONS, ids=range(len(REGIONS)))
def test_each_region_is_written_for_itself(prompt, answers, whole):
    assert put_back(prompt, *answers)[0] == whole


def test_what_the_target_adds_stands_at_both_ends():
    assert put_back("(fox:1.2) BREAK cat <lora:a:1>", "fox, snow", "cat, mat", target=TAGS)[0] == (
        "masterpiece, (fox:1.2), snow BREAK cat, mat, absurdres <lora:a:1>"
    )


def test_json_stays_json():
    said = '{"scene": "A red fox in snow", "style": "photo"}'
    whole, _ = put_back(r"a (red fox:1.2) in __place__, \(x\)", said, target=JSON)
    assert whole == '{"scene": "A (red fox:1.2) in __place__ snow, \\\\(x\\\\)", "style": "photo"}'
    assert put_back("an owl, (x:1.1) and __y__", said, target=JSON)[0].count('"') == 8


def test_what_has_no_place_is_named():
    _, warnings = put_back("the owl, __c__, the moon <lora:a:1>", "A fox.")
    assert len(warnings) == 1
    assert "__c__" in warnings[0]
    assert "lora" not in warnings[0]
    assert put_back("a fox, __c__, snow", "A fox.")[1] == []


def test_weights_that_a_model_made_up_become_words():
    said = "a (red fox:1.2), (snow:1.3), ((ice:1.1) and frost:1.4)"
    assert without_weights(said) == "a red fox, snow, ice and frost"
    assert without_weights(r"a fox \(vulpes\), (16:9 look) (see (it:1.2))") == (
        r"a fox \(vulpes\), (16:9 look) (see it)"
    )
    assert put_back("a (fox:1.2)", "A (fox:1.1) in (snow:1.3)", target=PLAIN)[0] == "A (fox:1.2) in snow"


# -- any prompt, any answer

NOUNS = "fox owl cat dog heron badger otter raven lynx stoat".split()  # noqa: SIM905
PLACES = ("in snow", "at dusk", "by a river", "under an old oak", "on a quay", "soft light", "oil on canvas")
FORMS = (
    "((%s))", "[%s]", "[[%s]]", "{{%s}}", "1.3::%s::", "%s++", "%s--", "(%s)1.2", "(%s:1.2)",
    "(small %s:0.8)",
    "[%s:moth:0.5]", "[%s::0.5]", "[:%s:0.3]", "[%s|moth]", "[%s:0.3]", r"%s \(book\)", "<wlr:%s:1>",
    "<dora:%s>",
    "<lora:%s:0.8>", "<lyco:%s:1>", "<hypernet:%s:1>", "<embed:%s>", "<embedding:%s>", "embedding:%s",
    "<other:%s x>",
    "%%%s%%", "__%s__", "__two %s__", "{%s|moth}", "{%s|\n moth}", "${%s}", "3#__%s__",
    "[<lora:%s:1>::0.5]", "/* %s */",
    "MASK(0 0.5, %s)", "STYLE(%s)", "<random:%s,moth>",
)  # fmt: skip
SEPARATORS = (
    "BREAK",
    "AND",
    "ADDCOL",
    "ADDROW",
    "ADDCOMM",
    "ADDBASE",
    "[SEP]",
    "COUPLE(0 0.5)",
    "<segment:x>",
)


def prompt_of(dice: random.Random) -> str:
    nouns = dice.sample(NOUNS, len(NOUNS))
    regions = []
    for _ in range(dice.choice((1, 1, 2, 3))):
        parts = ["a " + dice.choice(("moor", "hill", "barn"))]
        for _ in range(dice.randint(0, 3)):
            if nouns:
                parts.append(dice.choice(FORMS) % nouns.pop())
            parts.append(dice.choice(PLACES))
        dice.shuffle(parts)
        regions.append(dice.choice((", ", " ", ",\n")).join(parts))
    return "".join(
        region + (f" {dice.choice(SEPARATORS)} " if number < len(regions) - 1 else "")
        for number, region in enumerate(regions)
    )


def placeholders(text: str) -> list[str]:
    return [piece.source for piece in read(text) if piece.kind != "emphasis"]


def plainly(dice: random.Random, text: str) -> str:
    words = re.findall(r"\w+", re.sub(r"__\w+__|\{.*?\}|\[.*?\]|%\w+%|\$\S+", "", text))
    words = [word for word in words if dice.random() < 0.6]
    return f"A picture with {', '.join(words)} in the evening, and more."


def echoed(dice: random.Random, text: str) -> str:
    return text


def dropped(dice: random.Random, text: str) -> str:
    for piece in placeholders(text):
        text = text.replace(piece, "", dice.randint(0, 1))
    return text or "x"


def doubled(dice: random.Random, text: str) -> str:
    for piece in placeholders(text):
        text = text.replace(piece, f"{piece} and {piece}", 1)
    return text


def reordered(dice: random.Random, text: str) -> str:
    parts = re.split(r"(?<=,) ", text)
    dice.shuffle(parts)
    return " ".join(parts)


def translated(dice: random.Random, text: str) -> str:
    for piece in placeholders(text):
        text = text.replace(piece, re.sub(r"[a-z]{3,}", lambda word: word[0][::-1] + "o", piece), 1)
    return text


def weighted(dice: random.Random, text: str) -> str:
    return re.sub(
        r"\b(fox|owl|cat|dog|heron|badger|otter|raven|lynx|stoat)\b(?![\w:|=},<>%])", r"(\1:1.3)", text
    )


DOUBLES = (plainly, echoed, dropped, doubled, reordered, translated, weighted)


def sources(text: str) -> Counter[str]:
    return Counter(piece.source for piece in read(text))


@pytest.mark.parametrize("model", DOUBLES, ids=lambda model: model.__name__)
@pytest.mark.parametrize("target", [WEIGHTS, PLAIN], ids=["weights", "none"])
def test_nothing_is_lost_whatever_a_model_makes_of_it(model, target):
    dice = random.Random(f"{model.__name__} {target.id}")
    for _ in range(120):
        prompt = prompt_of(dice)
        protected: Protected = protect(prompt)
        answers = [model(dice, part) for part in protected.parts]
        parted = split_parts(numbered(answers), len(answers))
        assert parted is not None
        assert [" ".join(part.split()) for part in parted] == [" ".join(part.split()) for part in answers]
        answers = parted
        whole = in_manner_of(target, answers, protected, [])
        told = (prompt, answers, whole)
        had, has = sources(prompt), sources(whole)
        assert {source: has[source] for source in had} == dict(had), told
        assert protect(whole).separators == protected.separators, told
        for region, written in zip(protected.regions, protect(whole).regions, strict=True):
            own = Counter(piece.source for piece in region.pieces)
            assert not own - Counter(
                piece.source for piece in written.pieces + tuple(read(written.front + written.back))
            ), told
        for piece in read(whole):
            if piece.source in had and piece.kind == "emphasis":
                assert not re.match(r"\s*:\s*[\d.]", whole[piece.end :]), told
        nested = [piece for piece in read(whole) if piece.source not in had and piece.kind == "emphasis"]
        assert not any(source in piece.source for piece in nested for source in had), told


def test_an_echo_is_the_prompt():
    dice = random.Random(3)
    for _ in range(200):
        prompt = prompt_of(dice)
        protected = protect(prompt)
        whole = in_manner_of(WEIGHTS, protected.parts, protected, [])
        assert re.sub(r"[\s,]", "", whole) == re.sub(r"[\s,]", "", prompt)


# -- parts of one answer


@pytest.mark.parametrize(
    "answer",
    [
        "[1] a fox\n[2] a cat", "[1] a fox [2] a cat", "**[1]** a fox\n\n**[2]** a cat",
        "1. a fox\n2. a cat", "1) a fox\n2) a cat",
        "Part 1: a fox\nPart 2: a cat", "### Part 1\na fox\n\n### Part 2\na cat",
        "Region 1\na fox\nRegion 2\na cat",
        "**Part 1:** a fox\n**Part 2:** a cat", "Here are both:\n[1]: a fox\n[2]: a cat",
        "- [1] a fox\n- [2] a cat",
        "I think of [1] owls and [2] mice.\n[1] a fox\n[2] a cat", "a fox BREAK a cat", "a fox\nAND\na cat",
    ],
)  # fmt: skip
def test_parts_are_told_apart(answer):
    assert split_parts(answer, 2) == ["a fox", "a cat"]


@pytest.mark.parametrize(
    "answer", ["a fox and a cat", "[1] a fox", "[2] a cat [1] a fox", "[1] [2] a cat", "a BREAK b BREAK c"]
)
def test_parts_that_are_not_apart(answer):
    assert split_parts(answer, 2) is None


def test_what_is_asked_in_parts_is_read_back():
    parts = ["a fox\nin snow", "a [red] cat"]
    assert numbered(parts) == "[1] a fox in snow\n\n[2] a [red] cat"
    assert split_parts(numbered(parts), 2) == ["a fox in snow", "a [red] cat"]
    assert numbered(["a fox"]) == "a fox"


def test_silent_pieces_are_never_shown():
    for piece in read("<lora:a:1> // x"):
        assert is_silent(piece)
        assert shown(piece) == ""
