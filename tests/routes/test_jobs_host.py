"""Jobs begun on a page: previewed, carried out outside of the queue, resumed, behind the host's prompts."""

from __future__ import annotations

import http.client
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from host.fixtures import Hosts
from host.graphs import node
from host.process import Host
from routes import parrot
from routes.job_routes import WAIT_S, in_state, jobs, post, until
from training_sets import texts, training_set
from wire.server import WireServer

pytest.importorskip("PIL.Image", reason="pictures need Pillow")
WRITTEN = "a red fox in fresh snow"


@pytest.fixture
def endpoint(host_factory: Hosts, wire: WireServer) -> Host:
    return host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LLM_MAX_CONCURRENCY": "1"})


def test_a_preview_writes_nothing_and_is_not_asked_twice(endpoint: Host, wire: WireServer) -> None:
    folder = training_set(endpoint.base_directory / "input" / "set", 6)
    (folder / "img1.txt").write_text("mine", "utf-8")
    shown = post(endpoint, folder="set", trigger="ohwx", preview=True).json()
    assert (shown["total"], shown["left"], shown["kept"]) == (6, 5, 1)
    assert shown["samples"] == [
        {"file": f"img{number}.{kind}", "text": f"ohwx, {WRITTEN}", "error": ""}
        for number, kind in ((0, "png"), (2, "webp"), (3, "gif"))
    ]
    assert shown["left_s"] > 0
    assert len(wire.calls()) == 3
    assert texts(folder) == {"img1": "mine"}
    assert jobs(endpoint) == [], "it has not begun"
    begun = post(endpoint, folder="set", trigger="ohwx").json()
    assert begun["what"] == str(folder)
    done = until(in_state(endpoint, "done"))
    assert (done["done"], done["failed"], done["resumable"]) == (5, 0, False)
    assert texts(folder) == {f"img{number}": f"ohwx, {WRITTEN}" for number in range(6)} | {"img1": "mine"}
    assert len(wire.calls()) == 5, "three were asked for by the preview"
    for name in ("img0", "img2"):
        (folder / f"{name}.txt").unlink()
    again = post(endpoint, folder="set", trigger="ohwx", preview=True).json()
    assert (again["left"], again["samples"]) == (2, []), "what is gone is written again, from the journal"
    assert len(wire.calls()) == 5


@pytest.mark.parametrize("existing", ["append", "replace"])
def test_what_a_preview_has_seen_is_still_written(endpoint: Host, wire: WireServer, existing: str) -> None:
    folder = training_set(endpoint.base_directory / "input" / "set", 2)
    (folder / "img0.txt").write_text("old", "utf-8")
    asked = {"folder": "set", "existing": existing}
    assert post(endpoint, preview=True, **asked).json()["left"] == 2
    # Changed between the preview and the start: that is what stands there before the job.
    (folder / "img0.txt").write_text("mine", "utf-8")
    assert post(endpoint, **asked).status == 200
    until(in_state(endpoint, "done"))
    first = f"mine, {WRITTEN}" if existing == "append" else WRITTEN
    assert texts(folder) == {"img0": first, "img1": WRITTEN}
    assert len(wire.calls()) == 2


def test_it_obeys_and_goes_on_where_it_stopped(endpoint: Host, wire: WireServer) -> None:
    folder = training_set(endpoint.base_directory / "input" / "set", 6)
    goes_on = threading.Event()

    def answer(_: dict[str, Any]) -> str:
        if len(wire.calls()) > 2:
            goes_on.wait(WAIT_S)
        return WRITTEN

    wire.script("fox", answer)
    name = post(endpoint, folder="set").json()["id"]
    wire.wait_calls(3)
    again = post(endpoint, folder="set", trigger="other")
    assert again.status == 400
    assert again.json()["error"]["message"] == (
        f"Another job is writing to {folder}. Wait until it has ended, or stop it there."
    )
    # The queue of the host is free meanwhile.
    assert endpoint.run({"1": node("TestpackSleep", seconds=0.01, label="")}).status == "success"
    assert post(endpoint, f"jobs/{name}", do="pause").json()["state"] == "paused"
    assert post(endpoint, f"jobs/{name}", do="resume").json()["state"] == "running"
    assert post(endpoint, f"jobs/{name}", do="stop").json()["state"] == "stopping"
    goes_on.set()
    stopped = until(in_state(endpoint, "open"))
    assert (stopped["id"], stopped["done"], stopped["total"]) == (name, 3, 6)
    assert (stopped["error"], stopped["resumable"]) == ("", True)
    assert post(endpoint, f"jobs/{name}", do="pause").status == 404
    goes_on.clear()
    resumed = post(endpoint, f"jobs/{name}", do="resume").json()
    assert (resumed["id"], resumed["done"], resumed["total"], resumed["before"]) == (name, 3, 6, 3)
    goes_on.set()
    assert until(in_state(endpoint, "done"))["done"] == 6
    assert (len(texts(folder)), len(wire.calls())) == (6, 6)


def test_failures_are_listed_and_tried_again(endpoint: Host, wire: WireServer) -> None:
    folder = training_set(endpoint.base_directory / "input" / "set", 2)
    (folder / "broken.png").write_bytes(b"nothing")
    name = post(endpoint, folder="set").json()["id"]
    done = until(in_state(endpoint, "done"))
    assert (done["done"], done["failed"], done["resumable"]) == (2, 1, True)
    (failed,) = done["failures"]
    assert failed["name"] == "broken.png" and "not an image" in failed["error"]
    training_set(folder / "mended", 1)
    (folder / "mended" / "img0.png").replace(folder / "broken.png")
    assert post(endpoint, f"jobs/{name}", do="resume").status == 200
    mended = until(lambda: next((job for job in jobs(endpoint) if job.get("failures") == []), None))
    assert (mended["state"], mended["done"]) == ("done", 3)


def test_what_ends_it_is_told_in_the_list(host_factory: Hosts, wire: WireServer) -> None:
    host = host_factory(
        {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox-status401", "LLM_API_KEY": "sk-x"}
    )
    training_set(host.base_directory / "input" / "set", 3)
    refused = post(host, folder="set", preview=True)
    assert refused.status == 401 and jobs(host) == []
    post(host, folder="set")
    ended = until(in_state(host, "open"))
    assert ended["error"].startswith(refused.json()["error"]["message"])
    assert (ended["done"], ended["total"], ended["resumable"]) == (0, 3, True)


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("", "No folder is named."),
        ("nothing", "There is no folder "),
        ("empty", "The folder empty holds no images."),
        ("file.png", "is no folder"),
        ("a\0b", "cannot be opened (embedded null byte)"),
        ("x" * 4000, "cannot be read (File name too long)"),
    ],
)
@pytest.mark.parametrize("preview", [False, True])
def test_what_is_no_folder_of_pictures_is_told(
    endpoint: Host, wire: WireServer, folder: str, said: str, preview: bool
) -> None:
    source = endpoint.base_directory / "input"
    (source / "empty").mkdir()
    (source / "file.png").write_bytes(b"x")
    answer = post(endpoint, folder=folder, preview=preview)
    assert 400 <= answer.status < 500
    assert said in answer.json()["error"]["message"]
    assert wire.calls() == [] and jobs(endpoint) == []


@pytest.mark.parametrize("form", ["{}", "../{}", "link"])
def test_a_folder_elsewhere_needs_the_users_consent(
    endpoint: Host, wire: WireServer, tmp_path: Path, form: str
) -> None:
    folder = training_set(tmp_path / "own photos", 1)
    if form == "link":
        (endpoint.base_directory / "input" / "link").symlink_to(folder, target_is_directory=True)
    named = {"{}": str(folder), "link": "link"}.get(form) or str(Path("..", *[".."] * 40, *folder.parts[1:]))
    for preview in (True, False):
        refused = post(endpoint, folder=named, preview=preview)
        fault = refused.json()["error"]
        assert (refused.status, fault["type"], fault["what"]) == (403, "consent_needed", f"folder:{folder}")
        assert fault["message"].startswith(f"This job writes captions in {folder}, outside ")
    assert texts(folder) == {} and wire.calls() == []
    assert post(endpoint, "consent", what=f"folder:{folder}").status == 200
    assert post(endpoint, folder=named).status == 200
    until(in_state(endpoint, "done"))
    assert texts(folder) == {"img0": WRITTEN}


def test_a_host_that_others_reach_wants_its_token(host_factory: Hosts, wire: WireServer) -> None:
    env = {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LLM_SERVICE_TOKEN": "planted-0123456789"}
    host = host_factory(env)
    training_set(host.base_directory / "input" / "set", 1)
    beyond = {"X-Forwarded-For": "10.0.0.9"}
    assert post(host, headers=beyond, folder="set").status == 401
    assert post(host, headers={"X-Quillwork": "0"}, folder="set").status == 403
    assert post(host, headers={"Origin": "https://elsewhere.example"}, folder="set").status == 403
    assert wire.calls() == []
    token = {"Authorization": "Bearer planted-0123456789"}
    assert post(host, headers={**beyond, **token}, folder="set").status == 200
    until(in_state(host, "done"))


def test_a_name_of_a_job_is_no_path(endpoint: Host, tmp_path: Path) -> None:
    for name in ("caption-00000000", "../jobs/caption-00000000", str(tmp_path / "x")):
        assert post(endpoint, f"jobs/{name}", do="resume").status in (404, 405)


# A model in the host's own process


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parrot")


@pytest.fixture
def parrots(host_factory: Hosts, notes: Path) -> Host:
    return host_factory(parrot.environment(notes))


def queue(host: Host) -> tuple[list[Any], list[Any]]:
    found = host.get("/queue").json()
    return found["queue_running"], found["queue_pending"]


def test_the_hosts_prompts_go_first_while_a_local_model_works(parrots: Host) -> None:
    folder = training_set(parrots.base_directory / "input" / "set", 16)
    held = parrots.submit({"1": node("TestpackSleep", seconds=60.0, label="first")})
    until(lambda: queue(parrots)[0])
    post(parrots, folder="set", llm_mode="parrot", llm_model="words4-gap50")
    until(in_state(parrots, "waiting"))
    time.sleep(0.3)
    assert texts(folder) == {}, "a prompt runs"
    parrots.interrupt()
    assert parrots.wait(held).status == "interrupted"
    until(lambda: texts(folder))
    assert in_state(parrots, "running")()
    # Queued while it works: they run before the rest of it, what is under way and one turn aside.
    runs = [parrots.submit({"1": node("TestpackSleep", seconds=0.2, label=str(n))}) for n in range(3)]
    before = len(texts(folder))
    assert [parrots.wait(run).status for run in runs] == ["success"] * 3
    assert len(texts(folder)) <= before + 8
    until(in_state(parrots, "done"))
    assert len(texts(folder)) == 16
    until(lambda: queue(parrots) == ([], []))
    history = parrots.get("/history").json()
    assert len(history) == 4, "only the host's own prompts are in its history"


def test_paused_it_leaves_the_queue_and_an_interrupt_stops_it(parrots: Host) -> None:
    folder = training_set(parrots.base_directory / "input" / "set", 16)
    name = post(parrots, folder="set", llm_mode="parrot", llm_model="words4-gap50").json()["id"]
    until(lambda: texts(folder))
    assert post(parrots, f"jobs/{name}", do="pause").json()["state"] == "paused"
    until(lambda: queue(parrots) == ([], []))
    there = len(texts(folder))
    assert there < 16
    time.sleep(0.3)
    assert len(texts(folder)) == there
    post(parrots, f"jobs/{name}", do="resume")
    until(lambda: len(texts(folder)) > there)
    until(lambda: queue(parrots)[0])
    parrots.interrupt()
    stopped = until(in_state(parrots, "open"))
    assert stopped["done"] == len(texts(folder)) < 16
    assert parrots.run({"1": node("TestpackSleep", seconds=0.01, label="")}).status == "success"
    post(parrots, f"jobs/{name}", do="resume")
    until(in_state(parrots, "done"))
    assert len(texts(folder)) == 16


def test_a_preview_nobody_waits_for_leaves_the_queue(parrots: Host) -> None:
    training_set(parrots.base_directory / "input" / "set", 4)
    held = parrots.submit({"1": node("TestpackSleep", seconds=60.0, label="first")})
    until(lambda: queue(parrots)[0])
    page = http.client.HTTPConnection("127.0.0.1", parrots.port)
    headers = {"X-Quillwork": "1", "Content-Type": "application/json"}
    asked = {"folder": "set", "preview": True, "llm_mode": "parrot"}
    page.request("POST", "/quillwork/jobs", json.dumps(asked), headers)
    until(lambda: queue(parrots)[1])
    page.close()
    until(lambda: not queue(parrots)[1])
    assert queue(parrots)[0], "only the prompt is there"
    parrots.interrupt()
    assert parrots.wait(held).status == "interrupted"
