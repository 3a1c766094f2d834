"""Inline thinking is split from the answer, however the stream was cut up."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quillwork.llm_backends.thinking import ThinkingSplitter, split_finished

PIECES = st.sampled_from(
    [
        "<think>", "</think>", "<thinking>", "</thinking>", "<reasoning>", "</reasoning>", "<THINK>",
        "</Think>", "a fox",
        " ", "\n", "\n\n", "<", ">", "</", "<lora:fox:0.8>", "<b>", "</b>", "é", "hmm ", "th",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=8).map("".join)


def split(text: str, cuts: list[int]) -> tuple[str, str]:
    splitter = ThinkingSplitter()
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parts = [splitter.feed(text[a:b]) for a, b in itertools.pairwise(edges) if b > a]
    parts.append(splitter.finish())
    return "".join(answer for answer, _ in parts), "".join(thinking for _, thinking in parts)


@pytest.mark.parametrize(
    ("text", "answer", "thinking"),
    [
        ("a red fox", "a red fox", ""),
        ("<think>hmm</think>a red fox", "a red fox", "hmm"),
        ("\n <think>\nhmm\n</think>\n\na red fox", "a red fox", "\nhmm\n"),
        ("<Thinking>hmm</tHinking> a red fox", "a red fox", "hmm"),
        ("<thought>a</thought><reasoning>b</reasoning>fox", "fox", "ab"),
        ("<think></think>fox", "fox", ""),
        ("<think>it never ends </thi", "", "it never ends </thi"),
        ("<think>a </thinking> b</think>c", "c", "a </thinking> b"),
        ("<lora:fox:0.8> a fox", "<lora:fox:0.8> a fox", ""),
        ("a fox that would <think>so</think>", "a fox that would <think>so</think>", ""),
        ("<thinker> statue", "<thinker> statue", ""),
        ("<", "<", ""),
        (" \n a fox", " \n a fox", ""),
    ],
)
def test_tells_thinking_from_the_answer(text, answer, thinking):
    assert split(text, []) == (answer, thinking)
    assert split(text, list(range(len(text)))) == (answer, thinking)


@given(TEXTS, st.lists(st.integers(0, 80), max_size=12))
@example("<think>\n</think>fox", [15])
@example("<reasoning>hm</reasoning>fox", list(range(28)))
@example("<think></think>\n\nfox", [15])
def test_any_split_gives_what_the_whole_gives(text, cuts):
    assert split(text, cuts) == split(text, [])


@given(TEXTS)
def test_nothing_is_lost_or_made_up(text):
    answer, thinking = split(text, [])
    rest = iter(text)
    assert all(character in rest for character in thinking + answer), "not a subsequence of what was said"


def test_answers_are_passed_on_at_once():
    splitter = ThinkingSplitter()
    assert splitter.feed("a fox") == ("a fox", "")
    assert splitter.feed(" <think") == (" <think", "")
    splitter = ThinkingSplitter()
    assert splitter.feed("<think>long thoughts") == ("", "long thoughts")


@pytest.mark.parametrize(
    ("text", "answer", "thinking"),
    [
        ("a red fox", "a red fox", ""),
        ("hmm, a fox.\n</think>\n\na red fox", "a red fox", "hmm, a fox.\n"),
        ("a</thought>b</think>c", "c", "a</thought>b"),
        ("the sign says <think> twice</think>", "the sign says <think> twice</think>", ""),
    ],
)
def test_a_lone_closing_tag_is_mended_at_the_end(text, answer, thinking):
    assert split_finished(text) == (answer, thinking)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a red fox</think>", "a red fox"),
        ("a red fox</think></think><|im_end|>", "a red fox"),
        ("</think>" * 3000, ""),
    ],
)
def test_a_closing_mark_with_nothing_behind_it_takes_nothing_away(text, answer):
    assert split_finished(text) == (answer, "")
