"""A loop is seen while it is written; good texts, however much they repeat, are left alone."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import pytest

from quillwork.llm_backends.middleware.loop import another_way
from quillwork.llm_backends.streaming.loops import LoopGuard
from quillwork.llm_backends.types import Message, Request

_TESTS = Path(__file__).resolve().parents[2]
_ROOT = _TESTS.parent
_CASES = _TESTS / "prompting" / "answers" / "cases"
_FOX = ("The fox is in the snow.", "The snow is white.", "It is cold in the snow.")
_THINGS = ("hat", "scarf", "coat", "fox", "sky", "sea", "car", "rose")
LOOPS = {
    "a word": "binocular " * 100,
    "a tag": "1girl, " + "red, " * 100,
    "a tag with a weight": "(snow:1.2), " * 60,
    "counting": "5, 4, 3, 2, 1, 6, " * 60,
    "digits": "55" + ",0" * 400,
    "syllables": "ha" * 300,
    "signs": "!" * 500,
    "line ends": "A fox.\n" + "\n" * 700,
    "blanks": "A fox." + " " * 700,
    "a sentence": "A fox sits in the snow. " * 40,
    "a long sentence": "It waits for the light to change, and looks at the snow before the old mill. " * 12,
    "a paragraph": " ".join(f"Word{n} stands beside word{n + 1}," for n in range(14)) * 8,
    "numbered lines": "\n".join(f"{number}. a red fox" for number in range(90)),
    "bulleted lines": "- a red fox in the snow\n" * 50,
    "quality tags": "masterpiece, best quality, " * 30,
    "tags in disorder": ", ".join(random.Random(1).choices(["snow", "fox", "red scarf", "white"], k=260)),
    "sentences in disorder": " ".join(random.Random(1).choices(_FOX, k=90)),
    "Chinese": "红色的狐狸在雪地里，" * 40,
    "Chinese tags in disorder": "、".join(
        random.Random(1).choices(["雪の中の狐", "赤い狐", "白い雪"], k=120)
    ),
    "Japanese": "雪の中の狐、" * 50,
    "Korean": "눈 속의 여우, " * 50,
    "Russian": "лиса в снегу, " * 40,
    "equal values": '{"values": [' + '"red", ' * 60,
    "late": "A red fox sits in deep snow at dawn, its breath a small cloud. Behind it " + "the the " * 80,
}
GOOD = {
    "very": "a very very very very dark wood",
    "laughter": 'a clown shouting "ha ha ha ha ha ha ha ha ha"',
    "a refrain": (
        "Row, row, row your boat, gently down the stream.\nMerrily, merrily, merrily, merrily, life is but a "
        "dream.\n"
    )
    * 3,
    "similar tags": ", ".join(f"(red {thing}:1.2)" for thing in _THINGS),
    "the same colour": ", ".join(
        f"{kind} {hue} {thing}"
        for hue in ("red", "blue")
        for kind in ("light", "dark", "pale")
        for thing in ("hat", "scarf", "coat", "boots", "gloves")
    ),
    "regions": "\nBREAK\n".join(f"1girl, {hair} hair, red dress" for hair in ("red", "blond", "black")),
    "a haiku": "old pond\na frog jumps in\nsound of water\nold pond\nold pond",
    "a ruler": "Heading\n" + "=" * 100 + "\n| a | b |\n|" + "---|" * 30,
    "the same choice": "{a|b|c|d|e|f|g|h|i|j} " * 3,
    "values": json.dumps({"values": [f"{hue} {animal}" for hue in ["red", "blue", "green"] for animal in
                                     ["fox", "owl", "hare", "wolf", "bear", "deer", "lynx", "crow"]]}),
    "numbers": json.dumps({"values": [str(number) for number in range(1, 101)]}),
    "levels": "\n".join(f"level {number}" for number in range(1, 60)),
    "a matrix": "\n".join(" ".join("0" * 8) for _ in range(8)),
    "Chinese": "一只红色的狐狸坐在雪地里，红色的围巾，红色的帽子，红色的手套，背景是红色的房子和白色的树。",
}  # fmt: skip


def stops_at(text: str, *, strict: bool, size: int = 4) -> int | None:
    """Return how many characters a guard let through, None where it let all of them."""
    guard = LoopGuard(strict=strict)
    for start in range(0, len(text), size):
        if guard.add(text[start : start + size]):
            return start + size
    return None


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_is_stopped(name):
    strict, lenient = (stops_at(LOOPS[name], strict=strict) for strict in (True, False))
    assert strict is not None and strict <= 1000, strict
    assert lenient is None or strict <= lenient <= 1300, lenient
    assert lenient is not None or "in disorder" in name


@pytest.mark.parametrize("size", [1, 3, 50, 10_000])
def test_however_it_comes_in_pieces(size):
    assert [name for name, text in LOOPS.items() if not stops_at(text, strict=True, size=size)] == []


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("strict", [True, False])
def test_a_text_that_repeats_itself_is_let_through(name, strict):
    assert stops_at(GOOD[name], strict=strict) is None


def texts_of(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return list(itertools.chain.from_iterable(map(texts_of, inner)))


def test_no_good_answer_is_stopped():
    texts = [text for file in _CASES.glob("*.json") for text in texts_of(json.loads(file.read_text("utf-8")))]
    assert len(texts) > 500
    assert [text for text in texts if stops_at(text, strict=True)] == []


def test_no_long_text_is_stopped():
    files = [*_ROOT.glob("*.md"), *_ROOT.glob("docs/*.md")]
    assert len(files) > 5
    assert [file.name for file in files if stops_at(file.read_text("utf-8"), strict=False)] == []


@pytest.mark.parametrize("target", ["sdxl", "flux1_dev", "illustrious", "qwen_image", "plain"])
def test_no_text_of_the_phrasebook_is_stopped(target):
    from quillwork.prompting import targets
    from quillwork.prompting.phrasebook import write
    from quillwork.prompting.tasks import EnhanceTask

    chosen = targets.load(target)
    ideas = ("a fox in the snow", "1girl, red hair, blue dress", "雪の中の狐", "ein Leuchtturm im Sturm")
    written = [write(EnhanceTask(idea, chosen, seed=seed)) for idea in ideas for seed in range(8)]
    assert [text for text in written if stops_at(text, strict=True)] == []


def test_another_way_is_one_indeed():
    asked = Request((Message("user", "a fox"),), seed=2**31 - 1, temperature=0.9, extra={"top_k": 5})
    other = another_way(asked, in_process=False)
    assert (other.seed, other.extra) == (0, {"top_k": 5})
    assert other.temperature == pytest.approx(0.6)
    assert another_way(Request(()), in_process=False).temperature == 1.0
    local = another_way(asked, in_process=True)
    assert local.extra["repetition_penalty"] > 1
    own = another_way(Request((), extra={"repetition_penalty": 1.05}), in_process=True)
    assert (own.extra, own.temperature) == ({"repetition_penalty": 1.05}, None)
