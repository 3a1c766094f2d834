"""The parts of a prompt in one answer: told apart by their numbers, when it is whole and before."""

from __future__ import annotations

import pytest

from quillwork.prompting.answers.parts import numbered, parts_so_far, split_parts

FOX, OWL = "A red fox in deep snow.", "An owl on a branch at dusk."


@pytest.mark.parametrize(
    "answer",
    [
        f"[1] {FOX}\n\n[2] {OWL}",
        f"[1]\n{FOX}\n[2]\n{OWL}",
        f"**[1]** {FOX}\n\n**[2]** {OWL}",
        f"1. {FOX}\n2. {OWL}",
        f"Part 1: {FOX}\n\nPart 2: {OWL}",
        f"Plan: [1] a fox, [2] an owl.\n\n[1] {FOX}\n\n[2] {OWL}",
        f"[1] {FOX}\n\n[2] {OWL}\n\n[3] A badger nobody asked for.",
        f"{FOX} BREAK {OWL}",
    ],
)
def test_the_parts_of_an_answer(answer):
    assert split_parts(answer, 2) == [FOX, OWL]


@pytest.mark.parametrize("answer", [FOX, f"[1] {FOX}", f"[2] {FOX}\n[1] {OWL}", f"[1] {FOX}\n[2] …", ""])
def test_parts_that_cannot_be_told_apart(answer):
    assert split_parts(answer, 2) is None


def test_one_part_is_asked_for_without_a_number():
    assert numbered([FOX]) == FOX
    assert split_parts(f"[1] {FOX}", 1) == [f"[1] {FOX}"]
    assert split_parts(numbered([FOX, OWL]), 2) == [FOX, OWL]


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ("", []),
        ("Sure, here are both parts", []),
        ("[1] A red fo", ["A red fo"]),
        ("Sure:\n[1] A red fox.\n\n[2] An o", ["A red fox.", "An o"]),
        ("1. A red fox.\n2. An o", ["A red fox.", "An o"]),
        ("[1] a plan [2] for it\n[1] A red fo", ["A red fo"]),
    ],
)
def test_the_parts_so_far(answer, parts):
    assert [part.strip() for part in parts_so_far(answer)] == parts
