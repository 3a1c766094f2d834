"""Pictures of a folder and the captions beside them."""

from __future__ import annotations

import pytest

from quillwork.prompting.jobs.captions import (
    Picture,
    Wishes,
    caption,
    find_pictures,
    forbidden,
    in_order,
    joined,
    read_text,
)
from quillwork.prompting.jobs.journal import JobError


def names(folder, *files):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"x")


def test_pictures_come_in_the_order_of_their_numbers(tmp_path):
    names(tmp_path, "b10.png", "b2.JPG", "a.webp", "notes.txt", ".hidden.png", "sub/c.png", "狐 1\n.png")
    pictures = in_order(find_pictures(tmp_path, ".txt", with_subfolders=False))
    found = [picture.file.name for picture in pictures]
    assert found == ["a.webp", "b2.JPG", "b10.png", "狐 1\n.png"]
    deep = in_order(find_pictures(tmp_path, ".txt", with_subfolders=True))
    assert deep[-1].name == "sub/c.png"
    assert deep[-1].file.exists()


def test_two_pictures_for_one_caption_are_told(tmp_path):
    names(tmp_path, "fox.png", "fox.jpg")
    with pytest.raises(JobError, match=r"fox.jpg and fox.png would share fox.txt"):
        find_pictures(tmp_path, ".txt", with_subfolders=False)


@pytest.mark.parametrize("place", ["nothing", "file.png"])
def test_a_folder_that_is_none_is_told(tmp_path, place):
    names(tmp_path, "file.png")
    with pytest.raises(JobError):
        find_pictures(tmp_path / place, ".txt", with_subfolders=False)


@pytest.mark.parametrize(
    ("said", "trigger", "line"),
    [
        ("a red fox\nin snow", "", "a red fox in snow"),
        ("a red fox", "ohwx", "ohwx, a red fox"),
        ("OHWX, a red fox", "ohwx", "OHWX, a red fox"),
        ("ohwxing foxes", "ohwx", "ohwx, ohwxing foxes"),
        ("a fox", "(ohwx", "(ohwx, a fox"),
    ],
)
def test_the_trigger_stands_first_and_once(said, trigger, line):
    assert caption(said, Wishes(trigger=trigger)) == line


@pytest.mark.parametrize(
    ("said", "form", "line"),
    [
        ("a fox in Snow.", "any", "a fox in Snow"),
        ("a fox.", "prose", "a fox, snow"),
        ("photo, fox", "tags", "fox, snow"),
        ("fox, old photo of snow, photograph", "tags", "fox, photograph, snow"),
        ("a photo of snow.", "prose", "a photo of snow."),
        ("photo", "tags", "photo, snow"),
    ],
)
def test_words_that_must_and_must_not_stand_there(said, form, line):
    wishes = Wishes(always=("snow",), never=("photo",), form=form)
    assert caption(said, wishes).rstrip(".") == line.rstrip(".")


@pytest.mark.parametrize(
    ("before", "whole"), [("old, tags,\n", "old, tags, a fox"), ("", "a fox"), (" \n", "a fox")]
)
def test_a_text_goes_behind_what_was_there(before, whole):
    assert joined(before, "a fox") == whole


def test_wishes_reach_the_model(tmp_path):
    (tmp_path / "the_red-fox.txt").write_bytes("\ufefffox, snow".encode())
    picture = Picture(tmp_path, "the_red-fox.png", "1", "the_red-fox.txt", has_text=True)
    wishes = Wishes(
        instruction="Name the light.",
        omit="hair colour",
        always=("dusk",),
        never=("photo",),
        form="tags",
        words=40,
    )
    said = wishes.instruction_for(picture)
    for words in (
        "Name the light.",
        "hair colour",
        "Use these words: dusk",
        "photo",
        "comma-separated",
        "40 words",
    ):
        assert words in said
    assert "the red fox" in Wishes(hint="name").instruction_for(picture)
    assert "fox, snow" in Wishes(hint="text").instruction_for(picture, read_text(picture.text_file))
    assert Wishes().instruction_for(picture) == ""


def test_words_that_must_not_occur_are_found_whole():
    assert forbidden("A photograph of a Photo.", Wishes(never=("photo", "blurry"))) == ["photo"]
    assert forbidden("A photograph.", Wishes(never=("photo",))) == []
