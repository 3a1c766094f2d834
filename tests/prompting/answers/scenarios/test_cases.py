"""Answers of many models in many languages, and prompts that must come out unchanged.

The cases lie in ``cases/``. ``$FOX`` stands for one prompt. `say` is the answer, `form` the target's and
`idea` the user's own text, where they matter; then comes what is expected.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from endpoints import endpoint
from wire.answers import Answer

from quillwork.llm_backends import errors
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.thinking import ThinkingSplitter, split_finished
from quillwork.llm_backends.types import Deployment, Result
from quillwork.prompting.answers.clean import bare
from quillwork.prompting.answers.prompt import in_manner_of, read_prompt
from quillwork.prompting.answers.protect import protect
from quillwork.prompting.answers.values import read_values
from quillwork.prompting.enhance import Idea, enhance
from quillwork.prompting.targets import Target, fit_negative

FOX = "A red fox sits in deep snow at dawn, soft light."
IDEA = "a fox in the snow"
DEPLOYMENT = Deployment("openai_compatible", "fox", provider_label="Fox")
FOLDER = Path(__file__).parents[1] / "cases"


def cases(name: str) -> list:
    found = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return [pytest.param(case, id=case["name"]) for case in found]


def target(case: dict) -> Target:
    return Target("t", "Fox Model", "g", form=case.get("form", "prose"), negative="optional", weights=True)


def filled(text: str) -> str:
    return text.replace("$FOX", FOX)


def heard(said: str) -> Result:
    """The result that a call makes of a stream of small pieces."""
    splitter = ThinkingSplitter()
    parts = [splitter.feed(said[place : place + 3]) for place in range(0, len(said), 3)]
    parts.append(splitter.finish())
    text, _ = split_finished("".join(answer for answer, _ in parts))
    if not text.strip():
        raise errors.EmptyAnswer("nothing")
    return Result(text, finish_reason="stop")


def enhanced(case: dict) -> tuple[str, str]:
    idea = case.get("idea", IDEA)
    written = read_prompt(heard(filled(case["say"])), DEPLOYMENT, [], target(case), idea)
    if isinstance(written, errors.LLMError):
        raise written
    prompt = in_manner_of(target(case), [written[0]], protect(idea), [])
    return prompt, fit_negative(target(case), idea, written[1])


@pytest.mark.parametrize("case", cases("answers"))
def test_the_prompt_comes_out(case):
    if case.get("error"):
        with pytest.raises(errors.LLMError):
            enhanced(case)
        return
    prompt, negative = enhanced(case)
    assert prompt == filled(case["prompt"])
    assert case.get("negative", "") in negative
    assert bool(negative) == bool(case.get("negative"))


@pytest.mark.parametrize("case", cases("refusals"))
def test_a_refusal_is_an_error(case):
    with pytest.raises(errors.Refused):
        enhanced(case)


@pytest.mark.parametrize("case", cases("prompts"))
def test_a_prompt_comes_out_unchanged(case):
    assert enhanced(case) == (case["say"], "")


@pytest.mark.parametrize("case", cases("values"))
def test_the_values_come_out(case):
    def values() -> list[str]:
        return read_values(bare(heard(case["say"]).text))[0]

    if case.get("refused"):
        with pytest.raises(errors.Refused):
            values()
    elif case.get("error"):
        assert values() == []
    else:
        assert values() == case["values"]


OVER_THE_WIRE = (
    "harmony-full",
    "kimi",
    "magistral",
    "gemma4-channel",
    "trailing-close",
    "neg-ru",
    "pre-zh2",
    "post-ja",
)


@pytest.mark.parametrize("case", [case for case in cases("answers") if case.id in OVER_THE_WIRE])
def test_the_same_over_the_wire(wire, case):
    said = filled(case["say"])
    wire.script("fox", Answer(pieces=[said[place : place + 4] for place in range(0, len(said), 4)]))
    done = runner.run(enhance([Idea(IDEA, target(case))], Model(endpoint(wire.url))))
    assert done.prompts == [FOX]
    assert case.get("negative", "") in done.negatives[0]
