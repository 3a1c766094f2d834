"""Models without vision: reported before a call, and recognised in a server's own words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from quillwork.llm_backends import errors, registry
from quillwork.llm_backends.pipeline import complete_all
from quillwork.llm_backends.remote.status_errors import error_from_status
from quillwork.llm_backends.runner import run_in_place
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Capabilities, Deployment, Image, Message, Request
from quillwork.llm_backends.vision import cannot_see, check_vision

FOX = Deployment("b", "fox", provider="p", provider_label="Fox")
BLIND = replace(FOX, capabilities=Capabilities(vision=False))
LOOK = Request((Message("user", "What is it?", images=(Image("image/jpeg", b"1"),)),))
TEXT = Request((Message("user", "What is it?"),))


def test_a_blind_model_is_told_before_it_is_asked():
    with pytest.raises(
        errors.CannotSee, match=r"Fox \(fox\) does not support images\. Choose a model that does"
    ):
        check_vision([LOOK, LOOK], BLIND)
    with pytest.raises(errors.CannotSee):
        check_vision([LOOK], Deployment("phrasebook", "", provider_label="Phrasebook"))


def test_without_pictures_and_where_nothing_is_known_it_may_try():
    check_vision([TEXT], BLIND)
    check_vision([TEXT, LOOK], BLIND)
    check_vision([LOOK], FOX)
    check_vision([LOOK], replace(FOX, capabilities=Capabilities(vision=True)))


@pytest.mark.parametrize(
    ("seeing", "said"),
    [
        ((), r"Choose a model that does, or remove the image\."),
        (("a/b",), r"such as a/b \(here or with LLM_MODEL\), or"),
        (("a/b", "c/d"), r"such as a/b or c/d \("),
        (("a", "b", "c", "d"), r"such as a, b or c \("),
        (("fox", "c"), r"such as c \("),
    ],
)
def test_it_names_models_of_the_users_that_see(seeing, said):
    error = cannot_see(replace(FOX, seeing=lambda: seeing))
    assert error.http_status == 400
    with pytest.raises(errors.CannotSee, match=said):
        raise error


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "this model does not support image input"),
        (400, "Invalid content type. image_url is only supported by certain models."),
        (404, "No endpoints found that support image input"),
        (400, "messages[0]: unknown variant `image_url`, expected `text`"),
        (400, "messages[1].content must be a string"),
        (500, "this model is missing data required for image input"),
        (400, "At most 0 image(s) may be provided in one prompt."),
        (400, "fox is not a multimodal model"),
        (400, "Model does not support images. Please use a model that does."),
        (400, "This model doesn't support the image content block that you provided."),
        (500, "image input is not supported - hint: you may need to provide the mmproj"),
        (422, "Multimodal inputs are not supported by this model"),
        (400, "unsupported content type: image_url"),
        (400, "Image input modality is not enabled for models/fox"),
    ],
)
def test_a_server_that_takes_no_pictures_is_understood(status, said):
    error = error_from_status(status, json.dumps({"error": {"message": said}}), FOX)
    assert type(error) is errors.CannotSee
    assert error.status == status


@pytest.mark.parametrize(
    "said",
    [
        "unsupported image format",
        "image/tiff is not supported",
        "The image format avif is not supported",
        "does not support image/bmp files",
        "This model does not support image format BMP",
        "does not support images larger than 20 MB",
        "At most 8 image(s) may be provided in one prompt",
        "Could not process image",
        "tools are not supported",
        "this model does not support temperature",
    ],
)
def test_one_wrong_picture_is_another_matter(said):
    error = error_from_status(400, json.dumps({"error": {"message": said}}), FOX)
    assert type(error) is errors.BadRequest
    assert said in str(error)


class NeverAsked:
    runs_in_place = True

    def answer_all(self, *_):
        raise AssertionError("asked for what it cannot see")

    def unload(self):
        return []


def test_a_model_in_this_process_is_not_even_loaded_for_what_it_cannot_see():
    registry.register("test_never_asked", NeverAsked, replace=True)
    blind = Deployment(
        "test_never_asked", "m", capabilities=Capabilities(vision=False), seeing=lambda: ("a/vl",)
    )
    answers = run_in_place(complete_all([LOOK, LOOK], blind, LiveText()))
    assert [type(answer) for answer in answers] == [errors.CannotSee] * 2
    assert "a/vl" in str(answers[0])
