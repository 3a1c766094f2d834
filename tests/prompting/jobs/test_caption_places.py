"""Captions in a table: what is there stays, and what is no table is told."""

from __future__ import annotations

import csv
import json

import pytest

from quillwork.prompting.jobs.caption_places import place_for
from quillwork.prompting.jobs.captions import Picture
from quillwork.prompting.jobs.journal import JobError


def picture(folder, name):
    return Picture(folder, name, "1", "", has_text=False)


def read(folder, kind):
    data = (folder / f"metadata.{kind}").read_text("utf-8")
    if kind == "jsonl":
        return [json.loads(line) for line in data.splitlines()]
    return list(csv.DictReader(data.splitlines(keepends=True)))


EXISTING = {
    "jsonl": '\ufeff{"file_name": "b.png", "text": "mine", "license": "CC0"}\n\n{"file_name": "gone.png"}\n',
    "csv": '\ufefffile_name,license,text\nb.png,CC0,"mi,ne"\n"gone.png",,\n',
}


@pytest.mark.parametrize("kind", EXISTING)
def test_other_rows_and_columns_stay(tmp_path, kind):
    (tmp_path / f"metadata.{kind}").write_bytes(EXISTING[kind].encode())
    place = place_for(kind, tmp_path)
    assert place.read(picture(tmp_path, "b.png")).startswith("mi")
    assert not place.has(picture(tmp_path, "gone.png"))
    for name in ("a10.png", "sub/狐\n2.png", "a2.png"):
        assert not place.has(picture(tmp_path, name))
        place.write(picture(tmp_path, name), f'a "fox", {name}\nin snow')
    place.flush()
    rows = read(tmp_path, kind)
    assert [row["file_name"] for row in rows] == [
        "b.png",
        "gone.png",
        "a2.png",
        "a10.png",
        "sub/狐\n2.png",
    ]
    assert rows[0]["license"] == "CC0"
    assert rows[-1]["text"] == 'a "fox", sub/狐\n2.png\nin snow'
    again = place_for(kind, tmp_path)
    assert again.read(picture(tmp_path, "a2.png")) == 'a "fox", a2.png\nin snow'
    before = (tmp_path / f"metadata.{kind}").stat().st_mtime_ns
    again.flush()
    assert (tmp_path / f"metadata.{kind}").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("csv", b"name,caption\na.png,fox\n"),
        ("csv", b"file_name,text\na.png,fox,more\n"),
        ("csv", b"\xff\xfe\x00"),
        ("jsonl", b'{"image": "a.png"}\n'),
        ("jsonl", b"[1]\n"),
        ("jsonl", b"not json\n"),
    ],
)
def test_what_is_no_such_table_is_told_and_left_alone(tmp_path, kind, content):
    file = tmp_path / f"metadata.{kind}"
    file.write_bytes(content)
    with pytest.raises(JobError, match="is not a table with the columns file_name and text"):
        place_for(kind, tmp_path)
    assert file.read_bytes() == content


def test_pictures_that_cannot_hold_a_text_are_told(tmp_path):
    place = place_for("metadata", tmp_path)
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    assert "Only PNG, JPEG and WebP" in place.refusal(picture(tmp_path, "a.gif"))
    assert "is a link" in place.refusal(picture(tmp_path, "link.png"))
    assert place.refusal(picture(tmp_path, "a.png")) == ""
