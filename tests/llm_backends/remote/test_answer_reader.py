"""Every shape that an answer comes in gives the prompt or the reason, however its bytes are cut up."""

from __future__ import annotations

import random

import pytest
from endpoints import ask, endpoint
from wire.answer_faults import FAULTY_SHAPES
from wire.answer_shapes import SHAPES, Shape, chunk, dump, said, sse
from wire.answers import Raw
from wire.other_formats import OTHER_FORMATS

from quillwork.llm_backends import errors
from quillwork.llm_backends.remote.answer_reader import AnswerReader
from quillwork.llm_backends.types import Chunk, Deployment, Result, Secret

KEY = "planted-key-of-no-known-shape"
FOX = Deployment(
    "openai_compatible", "fox", provider_label="Fox", base_url="http://fox/v1", api_key=Secret(KEY)
)
every_shape = pytest.mark.parametrize(
    "shape", [*SHAPES, *FAULTY_SHAPES, *OTHER_FORMATS], ids=lambda shape: shape.name
)


def cut(body: bytes, draw: random.Random) -> tuple[int, ...]:
    """Random sizes of pieces, many of them tiny."""
    sizes: list[int] = []
    while sum(sizes) < len(body):
        sizes.append(draw.choice((1, 1, 2, 3, 7, 40, 200, 1000)))
    return tuple(sizes)


@every_shape
def test_what_comes_of_each_shape(wire, shape: Shape):
    """The whole way: through sockets, in random pieces, to the result of a call."""
    sizes = cut(shape.body, random.Random(shape.name))
    wire.script("fox", Raw(shape.body, shape.content_type, shape.status, sizes, shape.torn))
    outcome = ask(endpoint(wire.url, api_key=Secret(KEY)))
    if shape.error is None:
        assert isinstance(outcome, Result), repr(outcome)
        assert (outcome.text, outcome.reasoning) == (shape.text, shape.reasoning)
    else:
        assert type(outcome) is shape.error, repr(outcome)
        for words in shape.says:
            assert words in str(outcome)
        assert outcome.hint
    assert len(wire.calls()) == 1


def read(body: bytes, sizes: tuple[int, ...], content_type: str) -> tuple[object, object]:
    """Read a body that comes in pieces of `sizes`: what it says, and the error that it ends in."""
    reader, chunks = AnswerReader(FOX, content_type), [Chunk()]
    error: object = None
    try:
        place = 0
        for size in sizes:
            chunks.append(reader.feed(body[place : place + size]))
            place += size
            if reader.is_over:
                break
        chunks.append(reader.finish())
        reader.check()
    except errors.LLMError as caught:
        error = type(caught), str(caught), caught.retryable
    finish = [one.finish_reason for one in chunks if one.finish_reason]
    return ("".join(one.text for one in chunks), "".join(one.reasoning for one in chunks), finish), error


@every_shape
def test_any_cut_gives_what_the_whole_gives(shape: Shape):
    whole, error = read(shape.body, (len(shape.body),), shape.content_type)
    draw = random.Random(f"cuts of {shape.name}")
    for sizes in [(1,) * len(shape.body), *(cut(shape.body, draw) for _ in range(12))]:
        cut_up, caught = read(shape.body, sizes, shape.content_type)
        assert caught == error, sizes
        assert error is not None or cut_up == whole, sizes


@pytest.mark.parametrize("place", range(0, 200, 9))
def test_no_error_holds_a_key(place):
    """Not even the half of one where a long text is cut short."""
    echo = "x" * place + " " + KEY
    for body in (
        sse({"error": {"message": f"bad key {echo}"}}),
        sse(b"{" + echo.encode()),
        echo.encode(),
        f"<html><title>{echo}</title>".encode(),
        sse(chunk({"refusal": echo})),
        sse(chunk({}, f"safety {echo}")),
        sse(*said("a fox"), done=False) + echo.encode() + b"\n",
        dump({"detail": [{"loc": ["body", echo], "msg": echo}]}),
    ):
        _, error = read(body, (len(body),), "")
        assert error is not None
        for start in range(len(KEY) - 8):
            assert KEY[start : start + 8] not in str(error), body


def test_text_is_passed_on_as_it_comes():
    reader = AnswerReader(FOX)
    shown = [reader.feed(sse(frame, done=False)).text for frame in said("a ", "red ", "fox ", "in snow")]
    assert shown == ["a ", "red ", "fox ", "in snow"]
