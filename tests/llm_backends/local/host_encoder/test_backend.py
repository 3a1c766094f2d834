"""The mode host_encoder where no host lends an encoder; tests/nodes has it write in ComfyUI."""

from __future__ import annotations

import pytest

from quillwork.config.choice import Choice
from quillwork.config.opening import open_model
from quillwork.llm_backends import errors
from quillwork.llm_backends.local.unload import unload_in_place
from quillwork.llm_backends.runner import run_in_place
from quillwork.llm_backends.types import Message, Request

REQUEST = Request((Message("user", "a fox"),))


@pytest.mark.parametrize("mode", ["host_encoder", "z_image"])
def test_without_an_encoder_it_says_what_it_needs(mode: str) -> None:
    model = open_model(Choice(llm_mode=mode))
    assert model.runs_in_place
    answers = run_in_place(model.ask([REQUEST, REQUEST]))
    assert [type(answer) for answer in answers] == [errors.NotConfigured] * 2
    assert "connect a CLIP loader to `clip`" in str(answers[0])
    assert "choose another mode" in str(answers[0])


def test_auto_never_means_it() -> None:
    encoder = object()
    assert open_model(Choice(encoder=encoder)).deployment.mode != "host_encoder"


def test_the_wired_encoder_is_no_part_of_what_is_printed_or_compared() -> None:
    wired = Choice(llm_mode="host_encoder", encoder="planted")
    assert "planted" not in repr(wired)
    assert wired == Choice(llm_mode="host_encoder")


def test_there_is_nothing_to_unload() -> None:
    run_in_place(open_model(Choice(llm_mode="host_encoder")).ask([REQUEST]))
    assert unload_in_place() == []
