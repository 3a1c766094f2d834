"""Pictures through the real litellm SDK: in each provider's own format, once for each question, whole."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from endpoints import answer, failure
from wire.deployments import EVERYWHERE, deployment, signed

from quillwork.llm_backends import errors
from quillwork.llm_backends.types import Capabilities, Image, Message, Request

pytest.importorskip("litellm", reason="litellm is not installed here")

# Bytes that no format changes on its way but by base64.
JPEG = Image("image/jpeg", b"\xff\xd8\xff\xe0" + hashlib.sha256(b"a fox").digest() * 8)
PNG = Image("image/png", b"\x89PNG\r\n\x1a\n" + hashlib.sha256(b"an owl").digest() * 8)
TEXT = "What is in the picture?"


def look(*images: Image, text: str = TEXT) -> Request:
    return Request((Message("system", "You see."), Message("user", text, images=images)))


def pictures_in(body: Any) -> Iterator[tuple[str, bytes]]:
    """(media type, bytes) of every picture in a request of any format, in their order."""
    if isinstance(body, list):
        for one in body:
            yield from pictures_in(one)
    if not isinstance(body, dict):
        return
    url = body.get("image_url")
    address = url.get("url") if isinstance(url, dict) else url
    if isinstance(address, str):  # OpenAI and its kin
        head, _, data = address.partition(";base64,")
        yield head.removeprefix("data:"), base64.b64decode(data)
        return
    source = body.get("source")
    if body.get("type") == "image" and isinstance(source, dict):  # Anthropic
        yield source["media_type"], base64.b64decode(source["data"])
        return
    inline = body.get("inline_data") or body.get("inlineData")
    if isinstance(inline, dict):  # Gemini
        yield inline.get("mime_type") or inline["mimeType"], base64.b64decode(inline["data"])
        return
    if isinstance(body.get("image"), dict):  # Bedrock
        yield f"image/{body['image']['format']}", base64.b64decode(body["image"]["source"]["bytes"])
        return
    for key, value in body.items():
        if key == "images":  # Ollama tells no type
            yield from (("", base64.b64decode(data)) for data in value)
        else:
            yield from pictures_in(value)


SEEN = tuple(provider for provider in EVERYWHERE if provider != "deepseek")


@pytest.mark.parametrize("provider", SEEN)
def test_the_picture_arrives_whole_and_once(wire, provider):
    assert answer(deployment(wire, provider), look(JPEG)).text
    (call,) = wire.calls()
    found = list(pictures_in(call.json))
    assert [data for _, data in found] == [JPEG.data]
    assert {kind for kind, _ in found} <= {"", "image/jpeg"}
    body = call.body.decode()
    assert body.count(base64.b64encode(JPEG.data).decode()) == 1
    assert json.dumps(TEXT)[1:-1] in body


@pytest.mark.parametrize("provider", SEEN)
def test_several_keep_their_order_and_their_types(wire, provider):
    answer(deployment(wire, provider), look(JPEG, PNG))
    (call,) = wire.calls()
    found = list(pictures_in(call.json))
    assert [data for _, data in found] == [JPEG.data, PNG.data]
    assert [kind for kind, _ in found] in (["image/jpeg", "image/png"], ["", ""])


@pytest.mark.parametrize("provider", ["anthropic", "bedrock", "gemini", "openai", "ollama"])
def test_a_picture_without_a_word_is_sent_without_an_empty_one(wire, provider):
    """Anthropic refuses empty texts."""
    answer(deployment(wire, provider), look(JPEG, text=""))
    (call,) = wire.calls()
    assert len(list(pictures_in(call.json))) == 1
    assert '"text":""' not in call.body.decode().replace(": ", ":")


@pytest.mark.parametrize(
    "provider", ["openai", "anthropic", "gemini", "ollama", "bedrock", "mistral", "openrouter"]
)
def test_a_model_that_takes_none_is_told_in_plain_words(wire, provider):
    error = failure(deployment(wire, provider, "fox-blind", seeing=lambda: ("other/vl",)), look(JPEG))
    assert type(error) is errors.CannotSee
    assert "does not support images. Choose a model that does, such as other/vl" in str(error)


def test_what_is_known_to_be_blind_is_not_called(wire):
    blind = deployment(wire, "openai", capabilities=Capabilities(vision=False))
    assert type(failure(blind, look(JPEG))) is errors.CannotSee
    assert not wire.log


def test_a_picture_that_litellm_would_leave_out_is_not_left_out_in_silence(wire):
    """For DeepSeek, litellm passes on pictures only to models in its own list."""
    error = failure(deployment(wire, "deepseek"), look(JPEG))
    assert type(error) is errors.CannotSee
    assert "litellm does not pass images on to DeepSeek (fox)." in str(error)
    assert not wire.log, "a model would have described what it never saw"
    assert answer(deployment(wire, "deepseek"), Request((Message("user", "a fox"),))).text


def test_with_a_pair_of_keys_bedrock_gets_its_picture_too(wire):
    assert answer(signed(wire), look(JPEG)).text
    assert [data for _, data in pictures_in(wire.calls()[0].json)] == [JPEG.data]
