"""Arguments from the controls or a program, and the sentences for invalid ones."""

from __future__ import annotations

import pytest

from quillwork.interfaces.sdwebui.arguments import NAMES, Arguments, read
from quillwork.llm_backends.errors import NotConfigured
from quillwork.prompting import phrasebook


def test_the_order_is_a_promise():
    assert NAMES == (
        "enabled",
        "mode",
        "model",
        "target",
        "instruction",
        "variations",
        "seed",
        "on_error",
        "parts",
        "per_image",
        "variables",
        "generate_missing",
        "selection",
        "count",
        "variables_alone",
        "no_repeats",
    )


@pytest.mark.parametrize("args", [[], [None], [False], [False, None, None]])
def test_nothing_said_is_disabled(args):
    assert read(args) == Arguments()


def test_by_position_the_rest_is_as_usual():
    assert read([True, "litellm", "ollama/fox"]) == Arguments(True, "litellm", "ollama/fox")
    everything = [True, "gguf", "m", "sdxl", "w", 3, 7, "passthrough", ["hires"], True, False, True]
    assert read(everything) == Arguments(
        True, "gguf", "m", "sdxl", "w", 3, 7, "passthrough", ("hires",), True, False, True
    )


def test_by_name_it_is_enabled_unless_it_says_no():
    assert read([{"variations": 2}, "what the host", "fills in"]) == Arguments(True, variations=2)
    assert read([{"enabled": False, "variations": 2}]) == Arguments(False, variations=2)


def test_as_hosts_and_programs_write_values():
    named = {"enabled": "true", "variations": "3", "seed": 7.0, "parts": "negative, positive", "variables": 0}
    assert read([named]) == Arguments(
        True, variations=3, seed=7, parts=("positive", "negative"), variables=False
    )
    assert read([{"seed": -5, "mode": "", "target": " "}]) == Arguments(True)
    assert read([{"parts": []}]).parts == ()
    # The host's list of a Script's arguments has the labels.
    assert [read([{"mode": mode}]).mode for mode in ("gguf", "GGUF file", None)] == ["gguf", "gguf", "auto"]


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"model_name": "x"}, "no argument 'model_name'"),
        ({"variations": 0}, "Choose 1 to 64"),
        ({"variations": 65}, "Choose 1 to 64"),
        ({"variations": "many"}, "a whole number"),
        ({"seed": [1]}, "a whole number"),
        ({"enabled": "perhaps"}, "true or false"),
        ({"on_error": "ignore"}, "raise, passthrough, phrasebook"),
        ({"mode": "gpt"}, "Choose one of auto"),
        ({"parts": ["prompt"]}, "positive, negative, hires"),
        ({"parts": 3}, "positive, negative, hires"),
    ],
)
def test_what_cannot_be_meant_is_told(named, words):
    with pytest.raises(NotConfigured) as caught:
        read([named])
    assert words in str(caught.value)


def test_the_choice_is_what_a_shared_image_may_have_brought():
    phrasebook.register()
    choice = read([True, "phrasebook", "x"]).choice
    assert (choice.llm_mode, choice.llm_model, choice.by_workflow) == ("phrasebook", "x", True)
