"""Caption Folder on a host: what is written where, what comes out, interrupts, forbidden folders."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from host.fixtures import Hosts
from host.process import Host
from nodes.graphs import KEY, caption_folder, preview, wrote
from training_sets import texts, training_set
from wire.server import WireServer

pytest.importorskip("PIL.Image", reason="pictures need Pillow")

WRITTEN = "a red fox in fresh snow"


def until(came: Callable[[], bool], within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not came():
        assert time.monotonic() < end
        time.sleep(0.01)


def graph(folder: str, **inputs: Any) -> dict[str, Any]:
    outputs = {str(2 + place): preview("1", place) for place in range(4)}
    return {"1": caption_folder(folder, **inputs), **outputs}


def counts(run: Any) -> tuple[str, str, str]:
    assert run.status == "success", run.message
    return tuple(str(run.shown(node)[0]) for node in ("2", "3", "4"))  # type: ignore[return-value]


def test_twenty_pictures_get_their_captions_and_the_next_run_asks_for_nothing(
    endpoint_host: Host, wire: WireServer
) -> None:
    folder = training_set(endpoint_host.base_directory / "input" / "set")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8nothing")
    (folder / "img3.txt").write_text("mine", "utf-8")
    run = endpoint_host.run(graph("set", trigger="ohwx"))
    assert counts(run) == ("19", "1", "1")
    assert texts(folder) == {f"img{number}": f"ohwx, {WRITTEN}" for number in range(20)} | {"img3": "mine"}
    (report,) = run.shown("5")
    assert "19 of 21 images have their caption; 1 had one and was left alone; 1 failed." in report
    assert "broken.jpg: The file is not an image that can be read." in report
    assert len(wire.calls()) == 19
    assert run.progress and run.progress[-1].value == run.progress[-1].max
    assert "20 of 20 · " in run.last_text("1") and "1 failed" in run.last_text("1")
    # What a workflow is saved with has neither the folder nor the names in it.
    record = wrote(run)
    assert "broken" not in json.dumps({**record, "info": ""}) and str(folder) not in json.dumps(record)
    wire.reset()
    assert counts(endpoint_host.run(graph("set", trigger="ohwx"))) == ("19", "1", "1")
    assert wire.calls() == []


def test_an_interrupt_in_the_middle_loses_nothing(host_factory: Hosts, wire: WireServer) -> None:
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LLM_MAX_CONCURRENCY": "2"})
    folder = training_set(host.base_directory / "input" / "set")
    goes_on = threading.Event()

    def answer(_: dict[str, Any]) -> str:
        # The server stands still from the eighth question on: six are answered by then, two at a time.
        if len(wire.calls()) >= 8:
            goes_on.wait(60)
        return WRITTEN

    wire.script("fox", answer)
    run = host.run(graph("set"), interrupt_after=lambda run: len(texts(folder)) >= 6)
    assert run.status == "interrupted"
    assert 6 <= len(texts(folder)) <= 8
    goes_on.set()
    assert counts(host.run(graph("set"))) == ("20", "0", "0")
    assert len(texts(folder)) == 20
    assert 20 <= len(wire.calls()) <= 22, "only what was under way is asked again"


def test_a_job_is_paused_resumed_and_stopped_over_http(host_factory: Hosts, wire: WireServer) -> None:
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LLM_MAX_CONCURRENCY": "1"})
    folder = training_set(host.base_directory / "input" / "set", 6)
    goes_on = threading.Event()

    def answer(_: dict[str, Any]) -> str:
        if len(wire.calls()) > 1:
            goes_on.wait(60)
        return WRITTEN

    def job() -> dict[str, Any]:
        (found,) = host.get("/quillwork/jobs").json()["jobs"]
        return found

    def turn(to: str) -> Any:
        return host.post(f"/quillwork/jobs/{name}", json={"do": to}, headers={"X-Quillwork": "1"})

    wire.script("fox", answer)
    run = host.submit(graph("set"))
    wire.wait_calls(2)
    name = job()["id"]
    assert (job()["state"], job()["total"], job()["done"], job()["what"]) == ("running", 6, 1, str(folder))
    assert turn("pause").json()["state"] == "paused"
    goes_on.set()
    until(lambda: len(texts(folder)) == 2)
    assert (job()["state"], len(wire.calls())) == ("paused", 2)
    goes_on.clear()
    assert turn("resume").json()["state"] == "running"
    wire.wait_calls(3)
    assert turn("stop").json()["state"] == "stopping"
    goes_on.set()
    assert host.wait(run).status == "interrupted"
    assert len(texts(folder)) == 3
    assert (job()["state"], job()["id"]) == ("open", name)
    assert turn("pause").status == 404
    goes_on.clear()
    run = host.submit(graph("set"))
    wire.wait_calls(4)
    assert (job()["state"], job()["total"], job()["done"], job()["before"]) == ("running", 6, 3, 3)
    goes_on.set()
    assert counts(host.wait(run)) == ("6", "0", "0")
    assert (job()["state"], job()["done"], len(wire.calls())) == ("done", 6, 6)


def test_the_output_folder_and_a_target_of_its_own(endpoint_host: Host, wire: WireServer) -> None:
    folder = training_set(endpoint_host.output_directory / "made", 3)
    inputs = {
        "target": "sdxl",
        "save_as": "caption",
        "limit": 2,
        "never": "fox",
        "form": "tags",
        "words": 12,
    }
    run = endpoint_host.run(graph("made [output]", **inputs))
    assert counts(run) == ("2", "0", "0")
    assert sorted(file.name for file in folder.glob("*.caption")) == ["img0.caption", "img1.caption"]
    asked = json.dumps(wire.log[0].json["messages"])
    assert "SDXL" in asked and "about 12 words" in asked and "Do not use these words: fox" in asked
    assert "the model used fox all the same" in run.shown("5")[0]


@pytest.mark.parametrize("form", ["{}", "../{}", "link"])
def test_a_folder_elsewhere_needs_the_users_consent(
    host_factory: Hosts, wire: WireServer, tmp_path: Path, form: str
) -> None:
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"})
    folder = training_set(tmp_path / "own, photos", 1)
    source = host.base_directory / "input"
    if form == "link":
        (source / "link").symlink_to(folder, target_is_directory=True)
    named = {"{}": str(folder), "link": "link"}.get(form) or str(Path("..", *[".."] * 40, *folder.parts[1:]))
    run = host.run(graph(named))
    assert run.status == "error"
    assert f"writes captions in {folder}" in run.message
    assert f"LLM_ALLOW=folder:{folder}." in run.message
    assert texts(folder) == {} and wire.calls() == []
    headers = {"X-Quillwork": "1"}
    there = host.post("/quillwork/consent", json={"what": f"folder:{folder}"}, headers=headers)
    assert there.status == 200 and f"folder:{folder}" in there.json()["allowed"]
    nowhere = host.post("/quillwork/consent", json={"what": "folder:sets"}, headers=headers)
    assert nowhere.status == 400
    assert counts(host.run(graph(named))) == ("1", "0", "0")
    assert texts(folder) == {"img0": WRITTEN}


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("", "No folder is named."),
        ("nothing", "There is no folder "),
        ("empty", "The folder empty holds no images."),
        ("file.png", "is no folder"),
    ],
)
def test_what_is_no_folder_of_pictures_is_told(
    endpoint_host: Host, wire: WireServer, folder: str, said: str
) -> None:
    source = endpoint_host.base_directory / "input"
    (source / "empty").mkdir()
    (source / "file.png").write_bytes(b"x")
    run = endpoint_host.run(graph(folder))
    assert run.status == "error"
    assert said in run.message
    assert wire.calls() == []


def test_a_model_that_cannot_see_is_told_before_the_first_picture(host: Host) -> None:
    folder = training_set(host.base_directory / "input" / "set", 2)
    run = host.run(graph("set"))
    assert "Phrasebook does not support images." in run.message
    assert texts(folder) == {}


def test_a_refused_key_says_where_it_stopped(host_factory: Hosts, wire: WireServer) -> None:
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox-status401", "LLM_API_KEY": KEY})
    training_set(host.base_directory / "input" / "set", 3)
    run = host.run(graph("set"))
    assert "0 of 3 images have their caption; the next run continues." in run.message
    assert KEY not in run.message + host.log()


@pytest.mark.skipif(sys.platform != "linux", reason="a process of another is looked up in /proc")
def test_a_large_folder_is_read_by_processes_that_end_with_the_job(
    host_factory: Hosts, wire: WireServer, tmp_path: Path
) -> None:
    # A machine with processors enough for that, whatever this one has.
    (tmp_path / "sitecustomize.py").write_text(
        "import os\nos.sched_getaffinity = lambda process: set(range(4))\n", "utf-8"
    )
    env = {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "PYTHONPATH": str(tmp_path)}
    host = host_factory(env)
    folder = training_set(host.base_directory / "input" / "set", 100)
    goes_on = threading.Event()

    def answer(_: dict[str, Any]) -> str:
        goes_on.wait(60)
        return WRITTEN

    def readers() -> list[str]:
        children = Path(f"/proc/{host.process.pid}/task").glob("*/children")
        commands = [
            Path(f"/proc/{child}/cmdline").read_text("utf-8")
            for file in children
            for child in file.read_text().split()
        ]
        return [command for command in commands if "quillwork_pictures" in command]

    wire.script("fox", answer)
    run = host.submit(graph("set"))
    wire.wait_calls(1)
    assert readers() and not any("main.py" in command for command in readers())
    goes_on.set()
    assert counts(host.wait(run)) == ("100", "0", "0")
    assert readers() == []
    assert len(texts(folder)) == 100
