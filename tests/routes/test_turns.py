"""Local models over HTTP write in the host's own thread, in turn with its prompts, and stop like one."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from host.client import Response
from host.fixtures import Hosts
from host.graphs import node
from host.process import Host
from routes import parrot

HEADERS = {"X-Quillwork": "1"}
WAIT_S = 60.0


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parrot")


@pytest.fixture
def parrots(host_factory: Hosts, notes: Path) -> Host:
    host = host_factory(parrot.environment(notes))
    (notes / "parrot_package" / "notes").unlink(missing_ok=True)
    return host


def said(notes: Path) -> list[str]:
    file = notes / "parrot_package" / "notes"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def enhance(host: Host, prompt: str = "a secret fox", model: str = "words3", **more: Any) -> Response:
    body = {"prompt": prompt, "target": "plain", "llm_mode": "parrot", "llm_model": model, **more}
    return host.request("POST", "/quillwork/enhance", json=body, headers=HEADERS)


def eventually(holds: Any) -> None:
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def queue(host: Host) -> tuple[list[Any], list[Any]]:
    queue = host.get("/queue").json()
    return queue["queue_running"], queue["queue_pending"]


def in_background(work: Any) -> tuple[threading.Thread, list[Any]]:
    outcome: list[Any] = []
    thread = threading.Thread(target=lambda: outcome.append(work()))
    thread.start()
    return thread, outcome


@pytest.mark.parametrize("stream", [False, True])
def test_it_answers_and_leaves_no_trace_in_the_host(parrots: Host, notes: Path, stream: bool) -> None:
    answer = enhance(parrots, stream=stream)
    assert answer.status == 200, answer.text
    content = json.loads(answer.text.rstrip().rpartition("data: ")[2])
    assert content["prompts"] == ["fox fox fox"]
    assert content["info"]["completion_tokens"] == 3
    assert said(notes) != []
    eventually(lambda: parrots.get("/history").json() == {})
    assert "secret" not in parrots.log()


def test_it_streams_while_it_writes(parrots: Host) -> None:
    answer = enhance(parrots, model="words6-gap60", stream=True)
    assert answer.text.count("event: token") > 2


def test_it_waits_for_the_prompt_that_runs_and_shows_nothing_in_the_queue(parrots: Host) -> None:
    run = parrots.submit({"1": node("TestpackSleep", seconds=2.0, label="sampling")})
    eventually(lambda: queue(parrots)[0])
    thread, outcome = in_background(lambda: enhance(parrots))
    eventually(lambda: queue(parrots)[1])
    assert "secret" not in str(queue(parrots))
    assert not outcome
    assert parrots.wait(run).status == "success"
    thread.join(WAIT_S)
    assert outcome[0].status == 200


def test_a_fault_is_told_to_who_asked_and_not_to_the_host(parrots: Host) -> None:
    answer = enhance(parrots, model="broken")
    assert answer.status == 400
    assert answer.json()["error"]["message"] == "The parrot is moulting."
    assert "Traceback" not in parrots.log()
    assert enhance(parrots).status == 200


def test_an_interrupt_stops_it_and_the_next_prompt_runs(parrots: Host, notes: Path) -> None:
    thread, outcome = in_background(lambda: enhance(parrots, model="words500-gap20"))
    eventually(lambda: queue(parrots)[0])
    time.sleep(0.2)
    parrots.interrupt()
    thread.join(WAIT_S)
    assert outcome[0].status == 503
    assert outcome[0].json()["error"]["type"] == "cancelled"
    assert said(notes) == ["cancelled"]
    assert parrots.run({"1": node("TestpackSleep", seconds=0.01, label="")}).status == "success"


def test_a_cleared_queue_ends_the_wait(parrots: Host, notes: Path) -> None:
    run = parrots.submit({"1": node("TestpackSleep", seconds=1.5, label="")})
    eventually(lambda: queue(parrots)[0])
    thread, outcome = in_background(lambda: enhance(parrots))
    eventually(lambda: queue(parrots)[1])
    parrots.post("/queue", json={"clear": True})
    thread.join(WAIT_S)
    assert outcome[0].status == 503
    assert parrots.wait(run).status == "success"
    assert said(notes) == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("waits", [False, True])
def test_a_client_that_goes_away_ends_it(parrots: Host, notes: Path, stream: bool, waits: bool) -> None:
    run = parrots.submit({"1": node("TestpackSleep", seconds=1.5, label="")}) if waits else None
    eventually(lambda: bool(queue(parrots)[0]) == waits)

    async def leave() -> None:
        body = {
            "prompt": "a fox",
            "llm_mode": "parrot",
            "llm_model": "words900-gap20",
            "stream": stream,
        }
        url = f"{parrots.base_url}/quillwork/enhance"
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.7)) as session,
            session.post(url, json=body, headers=HEADERS) as answer,
        ):
            await answer.read()

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(leave())
    if run is not None:
        eventually(lambda: not queue(parrots)[1])
        assert parrots.wait(run).status == "success"
        assert said(notes) == []
    else:
        eventually(lambda: said(notes) == ["cancelled"])
        eventually(parrots.idle)
    assert enhance(parrots).status == 200


def test_the_node_of_it_is_hidden_and_does_nothing_in_a_graph(parrots: Host) -> None:
    assert enhance(parrots).status == 200
    info = parrots.object_info("QuillworkTurn")
    if parrots.is_real:
        assert info["dev_only"]
        assert info["deprecated"]
    run = parrots.run({"1": node("QuillworkTurn", job="00000000-0000-4000-8000-000000000000")})
    assert run.status == "success"
