"""Frames of videos: evenly spread, upright enough to be sent, and faults in plain words."""

from __future__ import annotations

import io
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from quillwork.llm_backends.errors import BadRequest, DependencyMissing
from quillwork.llm_backends.videos import read_frames


def test_without_pyav_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(DependencyMissing, match="Videos need the Python package av") as caught:
        read_frames(tmp_path / "a.mp4", 16, 512)
    assert "pip install av" in caught.value.hint


def clip(file: Path, frames: int) -> Path:
    av = pytest.importorskip("av", reason="videos need PyAV")
    image = pytest.importorskip("PIL.Image")
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 640, 320
        for number in range(frames):
            grey = 255 * number // max(1, frames - 1)
            frame = av.VideoFrame.from_image(image.new("RGB", (640, 320), (grey, grey, grey)))
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return file


@pytest.mark.parametrize(("frames", "count"), [(1, 1), (3, 3), (60, 16)])
def test_frames_are_evenly_spread(tmp_path: Path, frames: int, count: int) -> None:
    file = clip(tmp_path / "a.mp4", frames)
    image = pytest.importorskip("PIL.Image")
    shown = [image.open(io.BytesIO(one.data)) for one in read_frames(file, 16, 512)]
    assert len(shown) == count
    assert {one.size for one in shown} == {(512, 256)}
    greys = [one.convert("L").getpixel((100, 100)) for one in shown]
    assert greys == sorted(greys)
    if count == 16:
        assert greys[0] < 10 and greys[-1] > 225
        assert max(after - before for before, after in pairwise(greys)) < 40


@pytest.mark.parametrize("content", [b"", b"not a video", b"\x00\x00\x00\x18ftypmp42" + bytes(64)])
def test_a_file_that_is_no_video_is_told(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("av", reason="videos need PyAV")
    file = tmp_path / "a.mp4"
    file.write_bytes(content)
    with pytest.raises(BadRequest, match="damaged or of an unknown format"):
        read_frames(file, 16, 512)
