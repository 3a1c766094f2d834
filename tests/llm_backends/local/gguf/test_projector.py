"""GGUF models that see: their projector found, and pictures read through the real llama.cpp."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tiny_model.as_gguf import write_vision_gguf
from tiny_model.asking import WatchingHost
from tiny_model.fixtures import TRAINING_S
from tiny_model.see import COLOURS, picture, sentence

from quillwork.llm_backends import errors
from quillwork.llm_backends.images import encode_picture
from quillwork.llm_backends.local.gguf import file as gguf_file
from quillwork.llm_backends.local.gguf.backend import Gguf
from quillwork.llm_backends.local.gguf.prompt import Picture, Prompt
from quillwork.llm_backends.local.gguf_names import projector_of
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Deployment, Image, Message, Request, Result

needs_llama = pytest.mark.skipif(
    find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed here"
)
HEAD = b"GGUF" + struct.pack("<I", 3)
GEMMA = "gemma-3-4b-it-Q4_K_M.gguf"


def deployment(path: Path | str, **params: Any) -> Deployment:
    return Deployment("gguf", str(path), mode="gguf", provider_label="GGUF", params=params, is_local=True)


@pytest.mark.parametrize(
    ("model", "beside", "found"),
    [
        (GEMMA, [], None),
        (GEMMA, ["mmproj-F16.gguf"], "mmproj-F16.gguf"),
        (GEMMA, ["mmproj-model-f16.gguf"], "mmproj-model-f16.gguf"),
        (GEMMA, ["mmproj-BF16.gguf", "mmproj-F16.gguf", "mmproj-F32.gguf"], "mmproj-F16.gguf"),
        (GEMMA, ["mmproj-F32.gguf", "mmproj-BF16.gguf"], "mmproj-BF16.gguf"),
        (GEMMA, ["mmproj-google_gemma-3-4b-it-f16.gguf"], "mmproj-google_gemma-3-4b-it-f16.gguf"),
        # Another model's: it counts where no other model could be meant.
        (GEMMA, ["mmproj-fox-vl-f16.gguf"], "mmproj-fox-vl-f16.gguf"),
        (GEMMA, ["mmproj-fox-vl-f16.gguf", "fox-vl-Q8_0.gguf"], None),
        (GEMMA, ["mmproj-F16.gguf", "fox-vl-Q8_0.gguf"], None),
        (GEMMA, ["mmproj-F16.gguf", "gemma-3-4b-it-Q8_0.gguf"], "mmproj-F16.gguf"),
        ("fox-UD-Q4_K_XL-00001-of-00002.gguf", ["fox-mmproj-f16.gguf", "owl.gguf"], "fox-mmproj-f16.gguf"),
        ("Fox-VL.Q4_K_M.gguf", ["fox-vl.MMPROJ-F16.GGUF", "owl.gguf"], "fox-vl.MMPROJ-F16.GGUF"),
        ("fox.gguf", ["mmproj-fox.safetensors"], None),
    ],
)
def test_a_projector_is_known_by_its_name(model: str, beside: list[str], found: str | None) -> None:
    assert projector_of(model, [model, *beside]) == found


def test_a_named_projector_goes_first(tmp_path: Path) -> None:
    for name in ("fox.gguf", "mmproj-F16.gguf", "eyes.gguf"):
        (tmp_path / name).write_bytes(HEAD)
    file = tmp_path / "fox.gguf"
    assert gguf_file.find_projector(file, deployment(file)) is None  # there are two models, as it seems
    for named in ("mmproj-F16.gguf", str(tmp_path / "mmproj-F16.gguf")):
        found = gguf_file.find_projector(file, deployment(file, projector=named))
        assert found == tmp_path / "mmproj-F16.gguf"
    with pytest.raises(errors.NotConfigured, match=r"no projector owl.gguf.*LLM_MMPROJ"):
        gguf_file.find_projector(file, deployment(file, projector="owl.gguf"))


def test_a_named_projector_is_downloaded_from_the_models_repository(tmp_path: Path) -> None:
    asked = []

    def fetch(repository: str, file: str) -> Path:
        asked.append((repository, file))
        return tmp_path / file

    (tmp_path / "fox.gguf").write_bytes(HEAD)
    wanted = deployment("org/fox-GGUF", file="fox.gguf", projector="mmproj-F16.gguf")
    found = gguf_file.find_projector(tmp_path / "fox.gguf", wanted, fetch)
    assert (found, asked) == (tmp_path / "mmproj-F16.gguf", [("org/fox-GGUF", "mmproj-F16.gguf")])


def test_a_prompt_is_cut_at_its_pictures() -> None:
    eyes = Picture(-7, positions=3, cells=5, chunk=None)
    prompt = Prompt.of([1, 2, 3, eyes, 4, 5, 6, eyes, 7, 8], opens_thinking=True)
    assert prompt.ids == (1, 2, 3, -7, -7, -7, 4, 5, 6, -7, -7, -7, 7, 8)
    assert prompt.cells == 14 + 4
    assert prompt.pieces(2) == [
        (0, 2, None),
        (2, 3, None),
        (3, 6, eyes),
        (6, 8, None),
        (8, 9, None),
        (9, 12, eyes),
        (12, 14, None),
    ]
    assert Prompt.of(range(5), False).pieces(2) == [(0, 2, None), (2, 4, None), (4, 5, None)]
    assert prompt.followed_by([9]).pieces(9)[-1] == (12, 15, None)


def test_a_prompt_is_cut_behind_what_many_begin_with() -> None:
    assert Prompt.of(range(8), False, range(3)).pieces(2) == [
        (0, 2, None),
        (2, 3, None),
        (3, 5, None),
        (5, 7, None),
        (7, 8, None),
    ]
    assert Prompt.of(range(4), False, [7]).seam == 0
    # Its last token may have been joined with what follows.
    assert Prompt.of(range(4), False, [0, 1, 9]).seam == 2
    assert Prompt.of(range(4), False, range(4)).pieces(9) == [(0, 4, None)]


def look(*names: str, size: tuple[int, int] = (112, 112), **changes: Any) -> Request:
    images = tuple(encode_picture(picture(COLOURS[name], *size)) for name in names)
    message = Message("user", "What is it?", images=images)
    return Request((message,), **{"temperature": 0, "max_tokens": 24, **changes})


def answers(backend: Gguf, file: Path, *requests: Request, **params: Any) -> list[Result | errors.LLMError]:
    sinks = LiveText().start(len(requests))
    return backend.answer_all(requests, deployment(file, **params), sinks, WatchingHost())


def texts(backend: Gguf, file: Path, *requests: Request) -> list[str]:
    return [
        answer.text if isinstance(answer, Result) else str(answer)
        for answer in answers(backend, file, *requests)
    ]


@pytest.fixture(scope="session")
def seeing(tiny_vision_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeing")
    return write_vision_gguf(tiny_vision_model, folder / "tiny-F32.gguf", folder / "mmproj-tiny-F32.gguf")


@pytest.fixture
def backend() -> Iterator[Gguf]:
    made = Gguf()
    yield made
    made.unload()


@needs_llama
@pytest.mark.timeout(TRAINING_S + 120)
class TestSeeing:
    def test_it_names_the_colour_of_each_picture(self, backend: Gguf, seeing: Path) -> None:
        requests = [look(name) for name in COLOURS] + [look("red", size=(112, 56))]
        assert texts(backend, seeing, *requests) == [sentence(name) for name in (*COLOURS, "red")]

    def test_several_pictures_keep_their_order(self, backend: Gguf, seeing: Path) -> None:
        asked = [look("red", "blue"), look("blue", "red"), look("red", "green")]
        assert texts(backend, seeing, *asked) == [
            sentence("red", "blue"),
            sentence("blue", "red"),
            sentence("red", "green"),
        ]

    def test_one_seed_is_one_text_whatever_was_looked_at_before(self, backend: Gguf, seeing: Path) -> None:
        hot = look("red", "blue", temperature=9.0, top_p=1.0, seed=3, extra={"top_k": 0})
        (alone,) = texts(backend, seeing, hot)
        warm = texts(backend, seeing, look("red", "green"), hot, look("blue"), hot, hot)
        assert [warm[1], warm[3], warm[4]] == [alone] * 3

    def test_what_a_picture_takes_is_counted(self, backend: Gguf, seeing: Path) -> None:
        one, two, none = answers(backend, seeing, look("red"), look("red", "red"), look())
        assert isinstance(one, Result) and isinstance(two, Result) and isinstance(none, Result)
        tokens = [answer.usage.prompt_tokens or 0 for answer in (none, one, two)]
        # 112 pixels are four squares of 28, and there is a mark on either side.
        assert [tokens[1] - tokens[0], tokens[2] - tokens[1]] == [4 * 4 + 2] * 2

    def test_a_picture_still_fits_after_the_context_was_widened(self, backend: Gguf, seeing: Path) -> None:
        long = Request((Message("user", "red " * 9000, look("red").messages[0].images),), max_tokens=8)
        (answer,) = answers(backend, seeing, long)
        assert isinstance(answer, errors.ContextOverflow)
        assert texts(backend, seeing, look("red")) == [sentence("red")]

    def test_without_a_projector_it_says_what_to_do(
        self, backend: Gguf, seeing: Path, tmp_path: Path
    ) -> None:
        blind = Path(shutil.copy(seeing, tmp_path))
        (seen, read) = answers(backend, blind, look("red"), look())
        assert isinstance(seen, errors.CannotSee)
        assert str(seen).startswith("tiny-F32.gguf does not support images. Put the model's projector")
        assert isinstance(read, Result)

    def test_a_projector_of_another_model_is_told(self, backend: Gguf, seeing: Path, tmp_path: Path) -> None:
        blind = Path(shutil.copy(seeing, tmp_path))
        shutil.copy(seeing, tmp_path / "mmproj-other.gguf")
        (answer,) = answers(backend, blind, look("red"))
        assert isinstance(answer, errors.CannotSee)
        assert "could not use mmproj-other.gguf as the projector of tiny-F32.gguf" in str(answer)

    def test_a_broken_picture_is_told(self, backend: Gguf, seeing: Path) -> None:
        request = Request((Message("user", "fox", images=(Image("image/png", b"x"),)),), max_tokens=8)
        (answer, other) = answers(backend, seeing, request, look("red"))
        assert isinstance(answer, errors.BadRequest)
        assert isinstance(other, Result)
