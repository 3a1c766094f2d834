"""Prompts for the lines of a file, begun on a page: previewed, stopped, resumed, fetched."""

from __future__ import annotations

import csv
import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from host.fixtures import Hosts
from host.process import Host
from routes.job_routes import WAIT_S, in_state, jobs, post, until
from wire.server import WireServer

IDEAS = "a fox\n\nan owl\na cat\na dog\na hen\n"


@pytest.fixture
def endpoint(host_factory: Hosts, wire: WireServer) -> Host:
    wire.script("fox", "a red fox in fresh snow")
    return host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LLM_MAX_CONCURRENCY": "1"})


def begin(host: Host, text: str = IDEAS, **more: Any) -> Any:
    return post(host, "jobs/prompts", text=text, **{"name": "ideas.txt", "target": "plain", **more})


def outputs(host: Host) -> list[Path]:
    return sorted((host.base_directory / "output" / "quillwork").glob("*"))


def results(host: Host, job: str) -> dict[str, str]:
    found: dict[str, str] = host.get(f"/quillwork/jobs/{job}").json()
    return found


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_preview_writes_nothing_and_is_not_asked_twice(endpoint: Host, wire: WireServer) -> None:
    shown = begin(endpoint, preview=True).json()
    assert (shown["total"], shown["left"], shown["kept"]) == (5, 5, 0)
    assert [(one["idea"], one["text"], one["error"]) for one in shown["samples"]] == [
        (idea, "a red fox in fresh snow", "") for idea in ("a fox", "an owl", "a cat")
    ]
    assert shown["left_s"] > 0
    assert (len(wire.calls()), jobs(endpoint), outputs(endpoint)) == (3, [], [])
    begun = begin(endpoint).json()
    done = until(in_state(endpoint, "done"))
    assert (done["id"], done["done"], done["failed"], done["resumable"]) == (begun["id"], 5, 0, False)
    assert len(wire.calls()) == 5, "three were asked for by the preview"
    (out,) = outputs(endpoint)
    assert done["what"] == str(out) and done["has_results"]
    fetched = results(endpoint, begun["id"])
    assert fetched == {"file": out.name, "text": out.read_text("utf-8")}
    assert [(row["line"], row["idea"]) for row in rows(fetched["text"])] == [
        (0, "a fox"),
        (2, "an owl"),
        (3, "a cat"),
        (4, "a dog"),
        (5, "a hen"),
    ]
    begin(endpoint)
    until(in_state(endpoint, "done"))
    assert (len(wire.calls()), len(outputs(endpoint))) == (5, 1)


def test_it_is_stopped_and_resumed_and_counts_on(endpoint: Host, wire: WireServer) -> None:
    goes_on = threading.Event()

    def answer(_: dict[str, Any]) -> str:
        if len(wire.calls()) > 2:
            goes_on.wait(WAIT_S)
        return "a red fox in fresh snow"

    wire.script("fox", answer)
    name = begin(endpoint).json()["id"]
    wire.wait_calls(3)
    assert begin(endpoint).status == 400, "it runs"
    assert post(endpoint, f"jobs/{name}", do="pause").json()["state"] == "paused"
    assert [row["line"] for row in rows(results(endpoint, name)["text"])] == [0, 2]
    assert post(endpoint, f"jobs/{name}", do="stop").json()["state"] == "stopping"
    goes_on.set()
    stopped = until(in_state(endpoint, "open"))
    assert (stopped["done"], stopped["total"], stopped["resumable"]) == (3, 5, True)
    assert "text" not in str(stopped)
    goes_on.clear()
    resumed = post(endpoint, f"jobs/{name}", do="resume").json()
    assert (resumed["id"], resumed["done"], resumed["total"], resumed["before"]) == (name, 3, 5, 3)
    goes_on.set()
    assert until(in_state(endpoint, "done"))["done"] == 5
    assert (len(wire.calls()), len(rows(results(endpoint, name)["text"]))) == (5, 5)


def test_a_table_with_options_of_its_own_and_a_failure(endpoint: Host, wire: WireServer) -> None:
    table = 'idea,variations\n"a fox, red",2\nan owl,1\n'
    wire.script(
        "fox", lambda body: "I cannot help with that." if "owl" in str(body["messages"][-1]) else "A red fox."
    )
    name = begin(endpoint, table, name="C:\\mine\\my ideas!.csv", save_as="csv").json()["id"]
    done = until(in_state(endpoint, "done"))
    assert (done["done"], done["failed"], done["resumable"]) == (1, 1, True)
    assert done["failures"][0]["name"] == "row 3" and "declined" in done["failures"][0]["error"]
    (out,) = outputs(endpoint)
    assert out.name == f"my_ideas-{name.removeprefix('enhance-')}.csv"
    written = list(csv.DictReader(io.StringIO(results(endpoint, name)["text"])))
    assert [(row["line"], row["prompt"]) for row in written] == [
        ("0", "A red fox."),
        ("0", "A red fox."),
        ("1", ""),
    ]
    wire.script("fox", "An owl.")
    assert post(endpoint, f"jobs/{name}", do="resume").status == 200
    until(lambda: "An owl." in results(endpoint, name)["text"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"text": "\n\n"}, "ideas.txt holds no lines"),
        ({"text": "", "name": ""}, "The text holds no lines"),
        ({"text": "a fox", "name": "ideas.docx"}, "ideas.docx is no .txt, .csv, .jsonl file"),
        ({"text": "subject\na fox", "name": "a.csv"}, "has no column idea"),
        ({"text": '"a"\n{"idea": "b", "seed": "many"}', "name": "a.jsonl"}, "line 2: seed is 'many'"),
        ({"text": '{"idea": "b", "target": ["sdxl"]}', "name": ""}, "line 1: target is"),
        ({"text": '{"idea": "b", "target": "../x"}', "name": ""}, "Line 1: "),
        ({"text": "a fox", "target": "nothing"}, "There is no target"),
        ({"text": "a fox", "llm_model": "../x"}, "A path cannot be set from here."),
        ({"text": "a fox", "out": "/elsewhere"}, "out"),
        ({"text": 5}, "text"),
        ({}, "text"),
    ],
)
@pytest.mark.parametrize("preview", [True, False])
def test_what_cannot_be_is_told_in_a_sentence(
    endpoint: Host, wire: WireServer, body: dict[str, Any], said: str, preview: bool
) -> None:
    answer = post(endpoint, "jobs/prompts", **{"name": "ideas.txt", "preview": preview, **body})
    assert answer.status == 400, answer.body
    assert said in answer.json()["error"]["message"]
    assert (wire.calls(), jobs(endpoint), outputs(endpoint)) == ([], [], [])


def test_a_file_that_is_too_large_is_refused(endpoint: Host) -> None:
    assert begin(endpoint, "a fox\n" * 1_000_000).status == 400
    assert begin(endpoint, "é" * 2**24).status == 413


def test_results_stay_in_the_hosts_output_folder(endpoint: Host, wire: WireServer, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    output = endpoint.base_directory / "output"
    output.mkdir(exist_ok=True)
    (output / "quillwork").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    refused = begin(endpoint, name="../../ideas.txt")
    assert refused.status == 400 and "leads to another folder" in refused.json()["error"]["message"]
    (output / "quillwork").unlink()
    begin(endpoint, name="../../ideas.txt")
    done = until(in_state(endpoint, "done"))
    (out,) = outputs(endpoint)
    assert out.name.startswith("ideas-")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    out.unlink()
    out.symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_text("planted", "utf-8")
    gone = endpoint.get(f"/quillwork/jobs/{done['id']}")
    assert gone.status == 413 and b"planted" not in gone.body
    out.unlink()
    assert endpoint.get(f"/quillwork/jobs/{done['id']}").status == 404


def test_others_have_no_way_in(host_factory: Hosts, wire: WireServer) -> None:
    env = {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LLM_SERVICE_TOKEN": "planted-0123456789"}
    host = host_factory(env)
    beyond = {"X-Forwarded-For": "10.0.0.9"}
    body = {"text": "a fox", "name": "a.txt"}
    assert post(host, "jobs/prompts", headers=beyond, **body).status == 401
    assert post(host, "jobs/prompts", headers={"X-Quillwork": "0"}, **body).status == 403
    assert post(host, "jobs/prompts", headers={"Origin": "https://elsewhere.example"}, **body).status == 403
    assert wire.calls() == []
    name = post(host, "jobs/prompts", **body).json()["id"]
    until(in_state(host, "done"))
    assert host.get(f"/quillwork/jobs/{name}", headers=beyond).status == 401
    assert host.get(f"/quillwork/jobs/{name}", headers={"Host": "elsewhere.example"}).status == 403
    for other in ("enhance-00000000", "../jobs/x", name + "/..", str(host.base_directory)):
        assert host.get(f"/quillwork/jobs/{other}").status == 404
