"""Captions for a folder, as somebody with a training set meets them: a process of its own, real pictures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from interfaces.cli.processes import ROOT, Command, endpoint
from wire.server import WireServer

pytest.importorskip("PIL")
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(1, 6):
        Image.new("RGB", (64, 48), (40 * number, 20, 20)).save(folder / f"img{number}.png")
    return folder


def texts(folder: Path) -> dict[str, str]:
    return {file.stem: file.read_text("utf-8").strip() for file in sorted(folder.glob("*.txt"))}


def test_a_text_beside_each_picture(command: Command, wire: WireServer, folder: Path) -> None:
    (folder / "broken.jpg").write_bytes(b"\xff\xd8nothing")
    (folder / "img2.txt").write_text("mine", "utf-8")
    done = command("caption", str(folder), "--trigger", "ohwx", "--json", **endpoint(wire))
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert (report["written"], report["kept"], report["calls"]) == (4, 1, 4)
    assert [one["file"] for one in report["failed"]] == ["broken.jpg"]
    assert "Traceback" not in done.stderr
    written = "ohwx, a red fox in fresh snow"
    assert texts(folder) == {
        "img1": written,
        "img2": "mine",
        "img3": written,
        "img4": written,
        "img5": written,
    }
    # Once more: nothing is asked again, the failure is tried.
    wire.reset()
    again = command("caption", str(folder), "--trigger", "ohwx", "--json", **endpoint(wire))
    assert json.loads(again.stdout)["written"] == 4
    assert wire.calls() == []
    # What somebody deletes comes back out of the journal.
    (folder / "img4.txt").unlink()
    (folder / "broken.jpg").unlink()
    assert command("caption", str(folder), "--trigger", "ohwx", **endpoint(wire)).returncode == 0
    assert texts(folder)["img4"] == written
    assert wire.calls() == []


def test_appending_is_done_once(command: Command, wire: WireServer, folder: Path) -> None:
    (folder / "img1.txt").write_text("fox, snow,", "utf-8")
    for _ in range(2):
        assert command("caption", str(folder), "--existing", "append", **endpoint(wire)).returncode == 0
        assert texts(folder)["img1"] == "fox, snow, a red fox in fresh snow"


@pytest.mark.parametrize("save_as", ["caption", "jsonl", "csv", "metadata"])
def test_captions_go_where_they_are_wanted_and_are_not_paid_for_twice(
    command: Command, wire: WireServer, folder: Path, save_as: str
) -> None:
    Image.new("RGB", (64, 48), (9, 9, 9)).save(folder / "anim.gif")
    arguments = ("caption", str(folder), "--save-as", save_as, "--trigger", "狐", "--json")
    done = command(*arguments, **endpoint(wire))
    report = json.loads(done.stdout)
    refused = ["anim.gif"] if save_as == "metadata" else []
    assert (report["written"], [one["file"] for one in report["failed"]]) == (6 - len(refused), refused)
    assert report["calls"] == report["written"]
    written = "狐, a red fox in fresh snow"
    if save_as == "metadata":
        assert Image.open(folder / "img1.png").text["Description"] == written  # type: ignore[attr-defined]
    elif save_as == "caption":
        assert (folder / "img1.caption").read_text("utf-8") == f"{written}\n"
    else:
        assert (folder / f"metadata.{save_as}").read_text("utf-8").count(written) == 6
        (folder / f"metadata.{save_as}").unlink()
    assert texts(folder) == {}
    wire.reset()
    again = command(*arguments, **endpoint(wire))
    assert json.loads(again.stdout)["written"] == report["written"]
    assert wire.calls() == []
    if save_as in ("jsonl", "csv"):
        assert (folder / f"metadata.{save_as}").read_text("utf-8").count(written) == 6


def test_videos_are_taken_where_they_are_wanted(command: Command, wire: WireServer, folder: Path) -> None:
    (folder / "img1.mp4").write_bytes(b"no video")
    plain = json.loads(command("caption", str(folder), "--json", **endpoint(wire)).stdout)
    assert (plain["written"], plain["failed"]) == (5, [])
    shared = command("caption", str(folder), "--videos", **endpoint(wire))
    assert shared.returncode == 2
    assert "img1.mp4 and img1.png would share img1.txt. Rename one of them." in shared.stderr
    (folder / "img1.mp4").rename(folder / "clip.mp4")
    (failed,) = json.loads(command("caption", str(folder), "--videos", "--json", **endpoint(wire)).stdout)[
        "failed"
    ]
    # Where PyAV is, the file is no video; where it is not, its name is told.
    assert failed["file"] == "clip.mp4"
    assert "video" in failed["error"].lower()
    assert len(wire.calls()) == 5


def test_many_are_not_begun_unasked(command: Command, wire: WireServer, folder: Path) -> None:
    for number in range(30):
        Image.new("RGB", (32, 32), (number * 4, number * 2, 99)).save(folder / f"more{number}.png")
    done = command("caption", str(folder), **endpoint(wire))
    assert done.returncode == 2
    assert "Add --yes" in done.stderr
    assert wire.calls() == []
    assert command("caption", str(folder), "--limit", "2", **endpoint(wire)).returncode == 0
    assert len(texts(folder)) == 2


def test_a_refused_key_ends_it_at_once(command: Command, wire: WireServer, folder: Path) -> None:
    done = command("caption", str(folder), **endpoint(wire, "fox-status401"))
    assert done.returncode == 3
    assert done.stderr.count("rejected the key (401)") == 1
    assert "Traceback" not in done.stderr
    assert texts(folder) == {}


def test_killed_in_the_middle_it_goes_on(
    environment: dict[str, str],
    wire: WireServer,
    folder: Path,
) -> None:
    for number in range(60):
        Image.new("RGB", (32, 32), (number * 4, number * 2, 99)).save(folder / f"more{number}.png")
    arguments = [sys.executable, str(ROOT), "caption", str(folder), "--yes", "--json"]
    variables = {**environment, **endpoint(wire, "fox-delay100"), "LLM_MAX_CONCURRENCY": "4"}
    for written in (5, 25):
        process = subprocess.Popen(arguments, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while len(texts(folder)) < written and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
        process.communicate()
    done = subprocess.run(arguments, env=variables, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(texts(folder)) == 65
    asked = Counter(json.dumps(call.json["messages"]) for call in wire.calls())
    assert len(asked) == 65
    assert sum(asked.values()) - 65 <= 2 * 4, "only what was under way is asked again"
    usage = [sys.executable, str(ROOT), "usage", "--json"]
    told = json.loads(subprocess.run(usage, env=variables, capture_output=True, timeout=60).stdout)
    assert 65 <= told["today"]["total"]["calls"] <= sum(asked.values()), "no answer is left out"


def test_a_second_job_on_the_folder_is_told(
    environment: dict[str, str],
    command: Command,
    wire: WireServer,
    folder: Path,
) -> None:
    arguments = [sys.executable, str(ROOT), "caption", str(folder)]
    first = subprocess.Popen(
        arguments, env={**environment, **endpoint(wire, "fox-hang")}, stderr=subprocess.PIPE
    )
    try:
        wire.wait_calls()
        second = command("caption", str(folder), "--trigger", "other", **endpoint(wire))
        assert second.returncode == 2
        assert "Another job is writing to" in second.stderr
        if os.name != "nt":
            first.send_signal(signal.SIGINT)
            _, said = first.communicate(timeout=100)
            assert first.returncode == 130
            assert b"Run the same command to go on" in said and b"Traceback" not in said
            assert b"Cancelled" not in said, "once is enough"
    finally:
        first.kill()
        first.communicate()


def test_what_is_wrong_with_a_caption_is_told_with_its_name(
    command: Command, wire: WireServer, folder: Path
) -> None:
    long = " ".join(f"word{number}" for number in range(400))
    wire.script("fox", lambda body: long if len(wire.calls()) == 1 else "a red fox in fresh snow")
    done = command("caption", str(folder), "--target", "flux1_dev", "--yes", **endpoint(wire))
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("img")]
    assert len(told) == 1, (done.stderr, texts(folder))
    assert "words" in told[0]
