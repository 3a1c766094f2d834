"""The target's limits on an answer: what is found wrong, and where a text is cut."""

from __future__ import annotations

import pytest

from quillwork.prompting import targets
from quillwork.prompting.answers.limits import Limits, size_of
from quillwork.prompting.answers.prompt import in_manner_of
from quillwork.prompting.answers.protect import protect
from quillwork.prompting.targets import Target

SDXL, SCHNELL, QWEN = (targets.load(name) for name in ("sdxl", "flux1_schnell", "qwen_image"))
TAGS, ANY, EDIT = (targets.load(name) for name in ("illustrious", "plain", "flux1_kontext"))
TIGHT = targets.load("hidream_i1")

GOOD = (
    "A red fox sits in deep snow at the edge of a pine wood, looking over its shoulder while the low winter "
    "sun lights the fur along its back, seen from the side in a quiet photograph."
)


def words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def tags(count: int) -> str:
    return ", ".join(f"tag number {number}" for number in range(count))


def sentences(count: int) -> str:
    return " ".join(f"The fox number {number} jumps over stone {number}." for number in range(count))


def kinds(target: Target, text: str, idea: str = "a fox", **how) -> list[str]:
    return [fault.kind for fault in Limits(target, **how).faults(text, idea)]


@pytest.mark.parametrize(
    ("target", "text", "found"),
    [
        (SDXL, tags(150), "450 words"),
        (SDXL, words(91), "91 words"),
        (SCHNELL, words(560), "560 words"),
        (SCHNELL, sentences(70), "560 words"),
        (TAGS, tags(150), "150 tags"),
        (TAGS, tags(76), "76 tags"),
        (TIGHT, words(97), "97 words"),
        (QWEN, "一只红狐坐在厚厚的雪地里，看着镜头，" * 40, "320 words"),
    ],
)
def test_too_long(target, text, found):
    fault = next(fault for fault in Limits(target).faults(text, "a fox") if fault.kind == "long")
    assert fault.found == found
    assert fault.wanted.startswith(str(target.words[0]))


@pytest.mark.parametrize(
    ("target", "text", "idea"),
    [
        (SDXL, words(90), "a fox"),
        (SCHNELL, words(120), "a fox"),
        (TAGS, tags(75), "a fox"),
        (ANY, words(2000), "a fox"),
        (SDXL, words(200), words(180)),
        (SDXL, GOOD, "a fox"),
        (SCHNELL, GOOD, "a fox"),
    ],
)
def test_long_enough(target, text, idea):
    assert kinds(target, text, idea) == []


def test_tokens_count_where_a_tokenizer_is_at_hand():
    def twice(text: str) -> int:
        return 2 * len(text.split())

    assert kinds(SDXL, words(60)) == []
    assert kinds(SDXL, words(60), count_tokens=twice) == ["long"]
    assert kinds(SDXL, words(56), count_tokens=twice) == []
    assert kinds(TIGHT, words(64), count_tokens=twice) == []
    assert kinds(TIGHT, words(65), count_tokens=twice) == ["long"]
    (fault,) = Limits(SDXL, twice).faults(words(60), "a fox")
    assert fault.found == "120 tokens"
    assert twice(Limits(SDXL, twice).trimmed(words(60), "a fox")) <= 112


@pytest.mark.parametrize(
    ("target", "text", "language"),
    [
        (SDXL, "Ein roter Fuchs sitzt im tiefen Schnee und schaut in die Kamera, weiches Licht", "de"),
        (SDXL, "Un renard roux est assis dans la neige profonde, avec une lumière douce et des arbres", "fr"),
        (SDXL, "Un zorro rojo en la nieve profunda, con una luz suave y los árboles del bosque", "es"),
        (SDXL, "Лиса сидит в глубоком снегу на рассвете, мягкий свет", "ru"),
        (SDXL, "一只红狐坐在厚厚的雪地里，看着镜头，柔和的光线", "zh"),
        (SDXL, "深い雪の中に座る赤い狐、柔らかい光、冬の朝", "ja"),
        (SDXL, "깊은 눈 속에 앉아 있는 붉은 여우, 부드러운 빛", "ko"),
        (QWEN, "Ein roter Fuchs sitzt im tiefen Schnee und schaut in die Kamera, weiches Licht", "de"),
    ],
)
def test_the_wrong_language(target, text, language):
    (fault,) = Limits(target).faults(text, "a fox")
    assert (fault.kind, fault.found, fault.wanted) == ("language", language, "en")


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (QWEN, "一只红狐坐在厚厚的雪地里，看着镜头，柔和的光线"),
        (ANY, "Ein roter Fuchs sitzt im tiefen Schnee und schaut in die Kamera, weiches Licht"),
        (SDXL, 'A shop sign that says "Bitte nicht auf die Wiese mit dem Hund und der Katze" in red letters'),
        (SDXL, "a sign “一只红狐坐在厚厚的雪地里看着镜头” over a small door in a lane"),
        (SDXL, "1girl, hatsune miku, kimono, sakura, katana, full body, cherry blossoms"),
        (SDXL, "ein Fuchs"),
    ],
)
def test_a_language_that_will_do(target, text):
    assert kinds(target, text) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("fox, red, red, red, snow", "fox, red, snow"),
        ("fox, red, red, red, red, red, red, red", "fox, red"),
        ("red, blue, red, blue, red, blue, snow", "red, blue, snow"),
        ("A fox in the snow. A fox in the snow. A fox in the snow. Dusk.", "A fox in the snow. Dusk."),
        ("a fox and a fox and a fox and a fox and snow", "a fox and snow"),
        ("soft light soft light Soft Light on snow", "soft light on snow"),
        ("snow snow snow snow snow", "snow"),
        ("a fox " * 500, "a fox "),
    ],
)
def test_loops(text, left):
    assert "loop" in kinds(SDXL, text)
    assert Limits(SDXL).trimmed(text, "a fox") == left


@pytest.mark.parametrize(
    ("text", "idea"),
    [
        ("a very very very dark wood", "a wood"),
        ("red fox, red hat, red scarf, red snow", "red"),
        ("knock, knock, a door", "a door"),
        ('a laughing man, "ha, ha, ha"', 'a man, "ha, ha, ha"'),
        (GOOD, "a fox"),
    ],
)
def test_what_is_no_loop(text, idea):
    assert kinds(SDXL, text, idea) == []


@pytest.mark.parametrize(
    ("target", "text", "idea", "found"),
    [
        (SDXL, "a fox in snow", "a fox in snow", ["unchanged"]),
        (SDXL, "A Fox, in snow.", "a fox in snow", ["unchanged"]),
        (SCHNELL, "a fox", "a fox", ["unchanged"]),
        (SDXL, "a fox in deep snow", "a fox in snow", []),
        (ANY, "a fox", "a fox", []),
        (EDIT, "make the hat red", "make the hat red", []),
        (SCHNELL, words(70), words(70), []),
        (TAGS, tags(40), tags(40), []),
        (SDXL, "a fox", "", []),
    ],
)
def test_an_idea_handed_back(target, text, idea, found):
    assert kinds(target, text, idea) == found


def test_an_instruction_is_to_change_something():
    (fault,) = Limits(ANY).faults("a fox", "a fox", has_instruction=True)
    assert fault.kind == "unchanged"


@pytest.mark.parametrize(
    ("target", "text", "end"),
    [
        (SCHNELL, sentences(70), "stone 9."),
        (SCHNELL, f"{words(60)}, and {words(60)}. More.", "word59."),
        (SCHNELL, words(200), "word79."),
        (TAGS, tags(150), "tag number 49"),
        (SDXL, tags(150), "tag number 19"),
        (SDXL, f'{words(50)} "{words(60)}"', "word49"),
    ],
)
def test_a_text_is_cut_at_a_sensible_place(target, text, end):
    cut = Limits(target).trimmed(text, "a fox")
    assert cut.endswith(end)
    assert text.startswith(cut.rstrip("."))
    assert size_of(target, cut) <= target.words[1]
    assert cut.count('"') % 2 == 0


def test_json_is_never_cut():
    target = targets.load("ideogram_4")
    assert Limits(target).trimmed('{"a": "' + words(3000) + '"}', "a fox").endswith('"}')


def test_no_cut_goes_through_what_is_the_users():
    prompt = "<lora:a:1> a (red fox:1.2), {by day|at night}, __place__ embedding:x"
    said = f"{words(55)} a red fox, {words(30)}, {{by day|at night}}, {words(30)}, __place__, {words(30)}"
    whole = in_manner_of(SDXL, [said], protect(prompt), [], Limits(SDXL))
    for piece in ("<lora:a:1>", "(red fox:1.2)", "{by day|at night}", "__place__", "embedding:x"):
        assert whole.count(piece) == 1
    assert len(whole.split()) < 75
