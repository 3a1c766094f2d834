"""The integrations of litellm with Langfuse and Helicone: for calls that litellm carried, and no others."""

from __future__ import annotations

import importlib.util
import json
import os
import time

import pytest
from endpoints import HANG_S, answer, ask, endpoint, question
from wire.reports import ReportServer

from quillwork.llm_backends.observers import dispatch, litellm_callbacks
from quillwork.llm_backends.types import Deployment, Observer, Secret

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("litellm") is None, reason="litellm is not installed here"
)
needs_langfuse = pytest.mark.skipif(
    importlib.util.find_spec("langfuse") is None, reason="langfuse is not installed here"
)
KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"
SECRET = question("a very secret fox")


@pytest.fixture
def reports(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("LANGFUSE_", "HELICONE_")):
            monkeypatch.delenv(name)
    with ReportServer.in_thread() as server:
        server.status = 200
        yield server
    for line in dispatch._lines.values():
        line.end()
    dispatch._lines.clear()
    litellm_callbacks._langfuse.cache_clear()


def by_sdk(wire, observer: Observer, model: str = "gpt-fox") -> Deployment:
    return endpoint(
        wire.url,
        model,
        backend="litellm",
        provider="openai",
        api_key=Secret("k"),
        params={"custom_llm_provider": "openai"},
        price=(1_000_000.0, 2_000_000.0),
        observers=(observer,),
    )


def helicone(reports: ReportServer, **more) -> Observer:
    return Observer("helicone", reports.url, Secret(KEY), **more)


def langfuse(reports: ReportServer, **more) -> Observer:
    return Observer("langfuse", reports.url, Secret(KEY), "pk-fox", **more)


def global_callbacks() -> list:
    import litellm

    names = ("callbacks", "success_callback", "failure_callback", "_async_success_callback", "input_callback")
    return [list(getattr(litellm, name)) for name in names]


def test_helicone_through_litellm_once(wire, reports):
    before = global_callbacks()
    answer(by_sdk(wire, helicone(reports)), SECRET)
    dispatch.drain(HANG_S)
    (report,) = reports.taken
    assert report.path == "/oai/v1/log"
    assert report.headers["authorization"] == f"Bearer {KEY}"
    assert report.json["providerRequest"]["json"]["model"] == "gpt-fox"
    assert report.json["providerResponse"]["json"]["usage"]["prompt_tokens"] == 11
    assert "secret" not in report.text
    assert "fresh snow" not in report.text
    assert global_callbacks() == before


def test_helicone_with_content(wire, reports):
    answer(by_sdk(wire, helicone(reports, with_content=True)), SECRET)
    dispatch.drain(HANG_S)
    (report,) = reports.taken
    assert report.json["providerRequest"]["json"]["messages"][0]["content"] == "a very secret fox"
    assert "fresh snow" in report.text


def test_what_helicones_integration_would_misname_goes_over_the_bus(wire, reports):
    answer(by_sdk(wire, helicone(reports), "fox"))
    ask(by_sdk(wire, helicone(reports), "gpt-fox-status401"))
    dispatch.drain(HANG_S)
    assert [report.path for report in reports.taken] == ["/custom/v1/log"] * 2
    assert reports.taken[0].json["providerRequest"]["json"]["model"] == "openai/fox"


@pytest.mark.parametrize("status", [207, 500])
def test_what_was_sent_is_not_sent_again(wire, reports, status, caplog):
    reports.status = status
    answer(by_sdk(wire, helicone(reports)))
    dispatch.drain(HANG_S)
    assert len(reports.taken) == 1
    assert "The observer helicone missed a call" in caplog.text


def test_an_endpoint_is_not_litellms(wire, reports):
    answer(endpoint(wire.url, "gpt-fox", observers=(helicone(reports),)))
    dispatch.drain(HANG_S)
    assert [report.path for report in reports.taken] == ["/custom/v1/log"]


def test_without_the_package_langfuse_the_bus_reports(wire, reports, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "langfuse" else real(name, *more)
    )
    answer(by_sdk(wire, langfuse(reports)))
    dispatch.drain(HANG_S)
    assert [report.path for report in reports.taken] == ["/api/public/ingestion"]


def traces(reports: ReportServer, count: int) -> list[bytes]:
    end = time.monotonic() + HANG_S
    while time.monotonic() < end:
        found = [report for report in reports.taken if report.path.endswith("/otel/v1/traces")]
        if b"".join(report.body for report in found).count(b"langfuse.observation.type") >= count:
            break
        time.sleep(0.05)
    return [report.body for report in found]


@needs_langfuse
def test_langfuse_through_litellm_once(wire, reports):
    before, callbacks = dict(os.environ), global_callbacks()
    answer(by_sdk(wire, langfuse(reports)), SECRET)
    ask(by_sdk(wire, langfuse(reports), "gpt-fox-status401"), SECRET)
    dispatch.drain(HANG_S)
    traced = b"".join(traces(reports, 2))
    assert not any(report.path == "/api/public/ingestion" for report in reports.taken)
    assert b"gpt-fox" in traced
    assert b"authentication" in traced
    assert b"secret" not in traced
    assert KEY.encode() not in traced
    assert dict(os.environ) == before
    assert global_callbacks() == callbacks


@needs_langfuse
def test_langfuse_with_content(wire, reports):
    result = answer(by_sdk(wire, langfuse(reports, with_content=True)), SECRET)
    dispatch.drain(HANG_S)
    traced = b"".join(traces(reports, 1))
    assert b"a very secret fox" in traced
    assert json.dumps(result.text).encode()[1:-1] in traced
