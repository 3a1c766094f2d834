"""Observers: they hear of every call of every mode, never delay it, and see no content unless asked."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import pytest
from endpoints import HANG_S, answer, ask, ask_all, endpoint, question
from wire.reports import ReportServer

from quillwork.llm_backends import errors, registry
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.observers import dispatch
from quillwork.llm_backends.observers.events import CallEvent
from quillwork.llm_backends.runner import run_in_place, runner
from quillwork.llm_backends.types import (
    Deployment,
    Image,
    Message,
    Observer,
    Request,
    Result,
    Secret,
    Usage,
)

ROOT = Path(__file__).resolve().parents[3]
KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"
PRICE = (1_000_000.0, 2_000_000.0)
SECRET = question("a very secret fox")


@pytest.fixture(autouse=True)
def _nobody_listens():
    yield
    dispatch.drain(HANG_S)
    for line in [*dispatch._registered, *dispatch._lines.values()]:
        line.end()
    dispatch._registered.clear()
    dispatch._lines.clear()


@pytest.fixture
def events() -> list[CallEvent]:
    """The events that a registered observer gets; `received` waits for them."""
    seen: list[CallEvent] = []
    dispatch.register(seen.append)
    return seen


def received(seen: list[Any]) -> list[Any]:
    dispatch.drain(HANG_S)
    return seen


def test_start_and_end_of_a_call(wire, events):
    answer(endpoint(wire.url, price=PRICE))
    start, end = received(events)
    assert (start.kind, end.kind) == ("started", "completed")
    assert start.call_id == end.call_id
    assert end.started_at == start.started_at <= end.at
    record = end.record
    assert (record.mode, record.provider, record.model, record.caller) == (
        "litellm",
        "endpoint",
        "fox",
        "python",
    )
    assert (record.prompt_tokens, record.completion_tokens, record.cost_usd) == (11, 7, 25.0)
    assert (record.attempts, record.error, record.cached) == (1, "", False)
    assert record.seconds > 0


def test_a_failed_call_with_its_retries(wire, events):
    ask(endpoint(wire.url, "fox-status503-retryafter0", retries=1))
    _, end = received(events)
    assert (end.kind, end.record.error, end.record.attempts) == ("failed", "provider_failed", 2)


def test_a_cancelled_call(wire, events):
    with pytest.raises(errors.Cancelled):
        runner.run(
            Model(endpoint(wire.url, "fox-hang")).ask([question()]), cancelled=lambda: bool(wire.calls())
        )
    _, end = received(events)
    assert (end.kind, end.record.error) == ("failed", "cancelled")


def test_a_fallback_is_a_call_of_its_own(wire, events):
    answer(endpoint(wire.url, "fox-status503", fallbacks=(endpoint(wire.url, "owl"),)))
    kinds = [(event.kind, event.record.model) for event in received(events)]
    assert kinds == [
        ("started", "fox-status503"),
        ("failed", "fox-status503"),
        ("started", "owl"),
        ("completed", "owl"),
    ]


def test_a_kept_answer(wire, events, tmp_path):
    deployment = endpoint(wire.url, cache_file=tmp_path / "answers.sqlite")
    answer(deployment)
    answer(deployment)
    assert [event.record.cached for event in received(events) if event.kind == "completed"] == [False, True]


class InPlace:
    runs_in_place: Literal[True] = True
    outcomes: ClassVar[list] = []

    def answer_all(self, requests, deployment, sinks, host):
        if not self.outcomes:
            raise errors.Cancelled
        return self.outcomes

    def unload(self):
        return []


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([Result("text", usage=Usage(3, 4)), errors.EmptyAnswer("no")], ["", "empty_answer"]),
        ([], ["cancelled", "cancelled"]),
    ],
)
def test_a_model_in_this_process(events, monkeypatch, outcomes, expected):
    monkeypatch.setitem(registry._makers, "here", InPlace)
    monkeypatch.setattr(InPlace, "outcomes", outcomes)
    here = Deployment(backend="here", model="owl", mode="gguf", price=(0.0, 0.0))
    try:
        run_in_place(Model(here).ask([question(), question()]))
    except errors.Cancelled:
        assert not outcomes
    ends = [event for event in received(events) if event.kind != "started"]
    assert [event.record.error for event in ends] == expected
    assert len(events) == 4
    registry._backends.pop("here", None)


def test_the_content_is_kept_back(wire, events):
    answer(endpoint(wire.url), SECRET)
    for event in received(events):
        assert event.messages is None
        assert event.answer is None
        assert "secret" not in repr(event)
        assert event.asked() is None


def test_unless_it_is_asked_for(wire):
    seen: list[CallEvent] = []
    dispatch.register(seen.append, with_content=True)
    picture = Message("user", "a very secret fox", images=(Image("image/png", b"x" * 1000),))
    result = answer(endpoint(wire.url), Request((picture,)))
    _, end = received(seen)
    assert end.asked() == [{"role": "user", "content": "a very secret fox"}]
    assert end.answer == result.text
    assert end.messages[0].images == ()
    assert "secret" not in repr(end)


def test_a_broken_observer_breaks_nothing_and_is_named_once(wire, events, caplog):
    def broken(event: CallEvent) -> None:
        raise ValueError("with a secret in its text")

    dispatch.register(broken)
    for _ in range(3):
        assert answer(endpoint(wire.url)).text
    assert len(received(events)) == 6
    assert caplog.text.count("broken missed a call: it raised ValueError") == 1
    assert "secret" not in caplog.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_ends_its_own_thread_is_heard_again(wire):
    seen = []

    def leaving(event: CallEvent) -> None:
        seen.append(event)
        raise SystemExit

    dispatch.register(leaving)
    before = observer_threads()
    for count in (1, 2):
        answer(endpoint(wire.url))
        assert len(received_up_to(seen, count)) >= count
        while observer_threads() - before:
            time.sleep(0.01)


def test_a_slow_observer_delays_nobody_and_drops(wire, events, monkeypatch, caplog):
    monkeypatch.setattr(dispatch, "MOST_WAITING", 3)
    waiting = threading.Event()
    seen: list[CallEvent] = []

    def slow(event: CallEvent) -> None:
        waiting.wait(HANG_S)
        seen.append(event)

    dispatch.register(slow)
    started = time.monotonic()
    ask_all(endpoint(wire.url), *[question(str(number)) for number in range(10)])
    assert time.monotonic() - started < HANG_S / 2
    assert len(received_up_to(events, 20)) == 20
    waiting.set()
    assert len(received(seen)) <= 4
    assert dispatch._registered[1].dropped >= 16
    assert caplog.text.count("too slow") == 1


def received_up_to(seen: list[Any], count: int) -> list[Any]:
    """Wait for so many events, while another observer hangs."""
    end = time.monotonic() + HANG_S
    while len(seen) < count and time.monotonic() < end:
        time.sleep(0.01)
    return seen


def test_what_is_taken_back_is_told_no_more(wire):
    seen: list[CallEvent] = []
    unregister = dispatch.register(seen.append)
    answer(endpoint(wire.url))
    assert len(received(seen)) == 2
    unregister()
    unregister()
    answer(endpoint(wire.url))
    assert len(received(seen)) == 2


def observer_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "quillwork-observer"}


def test_where_nobody_listens_nothing_is_made(wire):
    before = observer_threads()
    answer(endpoint(wire.url))
    assert dispatch.lines_to(()) == []
    assert observer_threads() <= before


@pytest.fixture
def module(monkeypatch):
    """A module of another pack: ``watching.on_call`` and ``watching.inner.on_call``."""
    seen: list[CallEvent] = []
    found = SimpleNamespace(on_call=seen.append, inner=SimpleNamespace(on_call=seen.append), seen=seen)
    monkeypatch.setitem(sys.modules, "watching", found)
    return found


@pytest.mark.parametrize("path", ["watching:on_call", "watching:inner.on_call"])
def test_a_python_path(wire, module, path):
    answer(endpoint(wire.url, observers=(Observer(path),)), SECRET)
    assert [event.kind for event in received(module.seen)] == ["started", "completed"]
    assert module.seen[0].messages is None
    answer(endpoint(wire.url, observers=(Observer(path, with_content=True),)), SECRET)
    assert received(module.seen)[-1].asked()[0]["content"] == "a very secret fox"


@pytest.mark.parametrize("path", ["no_such_module:on_call", "watching:no_such", "quillwork:no.such.one"])
def test_a_path_that_leads_nowhere(wire, module, caplog, path):
    for _ in range(2):
        assert answer(endpoint(wire.url, observers=(Observer(path),))).text
    dispatch.drain(HANG_S)
    assert caplog.text.count("missed a call") == 1
    assert path in caplog.text


# Services


@pytest.fixture
def reports() -> Iterator[ReportServer]:
    with ReportServer.in_thread() as server:
        yield server


def langfuse(reports: ReportServer, **more: Any) -> Observer:
    return Observer("langfuse", reports.url, Secret(KEY), "pk-fox", **more)


def helicone(reports: ReportServer, **more: Any) -> Observer:
    return Observer("helicone", reports.url, Secret(KEY), **more)


def test_langfuse_is_told_of_a_trace_and_a_generation(wire, reports):
    answer(endpoint(wire.url, price=PRICE, observers=(langfuse(reports),)), SECRET)
    dispatch.drain(HANG_S)
    (report,) = reports.taken
    assert report.path == "/api/public/ingestion"
    assert (
        base64.b64decode(report.headers["authorization"].removeprefix("Basic ")) == f"pk-fox:{KEY}".encode()
    )
    trace, generation = report.json["batch"]
    assert (trace["type"], generation["type"]) == ("trace-create", "generation-create")
    assert trace["id"] != generation["id"]
    assert generation["body"]["traceId"] == trace["body"]["id"]
    body = generation["body"]
    assert body["model"] == "endpoint/fox"
    assert body["usageDetails"] == {"input": 11, "output": 7}
    assert body["costDetails"] == {"total": 25.0}
    assert body["level"] == "DEFAULT"
    assert body["startTime"] <= body["endTime"]
    assert (body["input"], body["output"]) == (None, None)
    assert body["metadata"]["mode"] == "litellm"
    assert "secret" not in report.text


def test_langfuse_with_content_and_of_a_failure(wire, reports):
    observer = langfuse(reports, with_content=True)
    result = answer(endpoint(wire.url, observers=(observer,)), SECRET)
    ask(endpoint(wire.url, "fox-status401", observers=(observer,)), SECRET)
    dispatch.drain(HANG_S)
    good, bad = (report.json["batch"][1]["body"] for report in reports.taken)
    assert good["input"] == [{"role": "user", "content": "a very secret fox"}]
    assert good["output"] == result.text
    assert "costDetails" not in good  # unknown is not zero
    assert (bad["level"], bad["statusMessage"]) == ("ERROR", "authentication")


def test_helicone_is_told_over_its_custom_log(wire, reports):
    answer(endpoint(wire.url, price=PRICE, observers=(helicone(reports),)), SECRET)
    ask(endpoint(wire.url, "fox-status401", observers=(helicone(reports, with_content=True),)), SECRET)
    dispatch.drain(HANG_S)
    good, bad = sorted(reports.taken, key=lambda report: report.json["providerResponse"]["status"])
    assert good.path == "/custom/v1/log"
    assert good.headers["authorization"] == f"Bearer {KEY}"
    assert good.json["providerRequest"]["url"] == "custom-model-nopath"
    assert good.json["providerRequest"]["json"] == {"model": "endpoint/fox", "messages": []}
    assert good.json["providerResponse"]["json"]["usage"]["total_tokens"] == 18
    assert set(good.json["timing"]) == {"startTime", "endTime"}
    assert all(isinstance(value, str) for value in good.json["providerRequest"]["meta"].values())
    assert "secret" not in good.text
    assert bad.json["providerResponse"]["status"] == 500
    assert bad.json["providerRequest"]["json"]["messages"][0]["content"] == "a very secret fox"


@pytest.mark.parametrize("make", [langfuse, helicone])
def test_kept_answers_are_not_reported(wire, reports, tmp_path, make):
    deployment = endpoint(wire.url, observers=(make(reports),), cache_file=tmp_path / "answers.sqlite")
    for _ in range(2):
        answer(deployment)
    dispatch.drain(HANG_S)
    assert len(reports.taken) == 1


@pytest.mark.parametrize("make", [langfuse, helicone])
@pytest.mark.parametrize("status", [401, 500, 302])
def test_a_service_that_says_no(wire, reports, make, status, caplog):
    reports.status = status
    for _ in range(2):
        assert answer(endpoint(wire.url, observers=(make(reports),))).text
    dispatch.drain(HANG_S)
    assert len(reports.taken) == 2  # no redirect is followed, and nothing is sent twice
    assert caplog.text.count("missed a call") == 1
    assert KEY not in caplog.text


def test_a_service_that_is_not_there(wire, caplog):
    nowhere = Observer("langfuse", "http://127.0.0.1:9", Secret(KEY), "pk-fox")
    assert answer(endpoint(wire.url, observers=(nowhere,))).text
    dispatch.drain(HANG_S)
    assert "The observer langfuse missed a call" in caplog.text


PROGRAM = """
import importlib.util, sys
root, url, reports = sys.argv[1:]
spec = importlib.util.spec_from_file_location(
    "quillwork", root + "/package.py", submodule_search_locations=[root])
sys.modules["quillwork"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.path.append(root + "/tests")
from endpoints import answer, endpoint
from quillwork.llm_backends.types import Observer, Secret
answer(endpoint(url, observers=(Observer("langfuse", reports, Secret("k"), "p"),)))
"""


def test_the_last_report_leaves_before_the_program_ends(wire, reports):
    subprocess.run([sys.executable, "-c", PROGRAM, str(ROOT), wire.url, reports.url], timeout=60, check=True)
    assert len(reports.taken) == 1


def test_a_service_that_hangs_does_not_keep_the_program(wire, reports):
    reports.hangs = True
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", PROGRAM, str(ROOT), wire.url, reports.url], timeout=60, check=True)
    assert time.monotonic() - began < 30
