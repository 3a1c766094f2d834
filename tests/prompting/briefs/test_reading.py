"""Briefs as users write them, and the sentence for what is none."""

from __future__ import annotations

import pytest

from quillwork.prompting.briefs.reading import UnreadableBrief, read_brief
from quillwork.prompting.tasks import OPEN, Brief, Reference


@pytest.mark.parametrize(
    ("given", "brief"),
    [
        ({}, OPEN),
        ({"duration": 0, "aspect": "auto", "language": "AUTO", "reference_roles": " \n"}, OPEN),
        ({"duration": None, "aspect": None, "language": None, "reference_roles": None}, OPEN),
        ({"duration": "8"}, Brief(duration=8)),
        ({"duration": 7.5}, Brief(duration=7.5)),
        ({"duration": "7,5 s"}, Brief(duration=7.5)),
        ({"aspect": "16:9"}, Brief(aspect="16:9")),
        ({"aspect": " 2.39 : 1"}, Brief(aspect="2.39:1")),
        ({"aspect": "1280x720"}, Brief(aspect="1280:720")),
        ({"aspect": "１６：９", "duration": "８"}, Brief(aspect="16:9", duration=8)),
        ({"language": "DE"}, Brief(language="de")),
        ({"language": "German"}, Brief(language="de")),
        (
            {"reference_roles": "subject: Anna\n\nFirst_Frame"},
            Brief(references=(Reference("subject", "Anna"), Reference("first frame"))),
        ),
        ({"reference_roles": ["style", "pose"]}, Brief(references=(Reference("style"), Reference("pose")))),
        ({"reference_roles": "2: style"}, Brief(references=(Reference(), Reference("style")))),
    ],
)
def test_it_is_read(given, brief):
    assert read_brief(**given) == brief


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"duration": "long"},
            'The duration "long" is not a number of seconds up to 3600; write one such as 8.',
        ),
        ({"duration": -1}, "The duration"),
        ({"duration": "3601"}, "up to 3600"),
        ({"duration": "nan"}, "The duration"),
        ({"duration": True}, "The duration"),
        (
            {"aspect": "wide"},
            'The aspect "wide" is not a ratio of width and height; write one such as 16:9 or 1:1.',
        ),
        ({"aspect": "0:9"}, "The aspect"),
        ({"language": "xx"}, 'The language "xx" is unknown here; choose one of en, zh'),
        ({"language": "x" * 300}, "…"),
        ({"reference_roles": "17: style"}, "The reference roles are for 17 images; 16 are the most."),
    ],
)
def test_what_is_none_is_told_in_one_sentence(given, said):
    with pytest.raises(UnreadableBrief) as error:
        read_brief(**given)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200
