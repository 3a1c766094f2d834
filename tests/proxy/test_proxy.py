"""A real LiteLLM proxy between our endpoint backend and the imitation server."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from wire.answers import JSON_TEXT, TEXT, Answer

from quillwork.llm_backends import errors
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.remote.model_list import list_models
from quillwork.llm_backends.remote.openai_compatible import OpenAICompatible
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.tools.loop import answer_with_tools
from quillwork.llm_backends.tools.registry import RegisteredTool
from quillwork.llm_backends.types import Deployment, Message, Request, Secret, Tool, Usage

pytestmark = pytest.mark.proxy

QUESTION = Request((Message("system", "Be brief."), Message("user", "a fox")))
MASTER_KEY = f"sk-{secrets.token_hex(24)}"
UPSTREAM_KEY = "planted-upstream-key-0123456789"


def program() -> str:
    beside = Path(sys.executable).with_name("litellm")
    found = os.environ.get("LITELLM_PROXY_BIN") or (
        str(beside) if beside.exists() else shutil.which("litellm")
    )
    if not found:
        pytest.fail("no litellm program here: run `python tests/lanes.py proxy`, or set LITELLM_PROXY_BIN")
    return found


def configuration(origin: str) -> dict:
    def model(alias: str, model: str, base: str) -> dict:
        return {
            "model_name": alias,
            "litellm_params": {"model": model, "api_base": base, "api_key": "os.environ/UPSTREAM_KEY"},
        }

    return {
        "model_list": [
            model("writer", "openai/fox", f"{origin}/v1"),
            model("thinker", "openai/fox-think", f"{origin}/v1"),
            model("painter", "openai/fox-tool", f"{origin}/v1"),
            model("lister", "openai/fox-json", f"{origin}/v1"),
            model("claude", "anthropic/fox", origin),
            model("busy", "openai/fox-status429", f"{origin}/v1"),
            model("shaky", "openai/fox-fail503x2", f"{origin}/v1"),
            model("broken", "openai/fox-status500", f"{origin}/v1"),
            model("slow", "openai/fox-hang", f"{origin}/v1"),
            model("long", "openai/fox-ctx", f"{origin}/v1"),
        ],
        "litellm_settings": {
            "drop_params": True,
            "num_retries": 2,
            "request_timeout": 30,
            "fallbacks": [{"broken": ["writer"]}],
        },
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
    }


@pytest.fixture(scope="module")
def proxy(_wire_thread, tmp_path_factory):
    """Return the address of a running proxy whose models are the imitation server's."""
    folder = tmp_path_factory.mktemp("proxy")
    (folder / "config.yaml").write_text(yaml.safe_dump(configuration(_wire_thread.url)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "UPSTREAM_KEY": UPSTREAM_KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_OFFLINE_MODE": "true",
        "LITELLM_MODE": "PRODUCTION",
    }
    command = [program(), "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--num_workers", "1", "--telemetry", "False"]
    with (folder / "log.txt").open("w+") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            base = f"http://127.0.0.1:{port}"
            end = time.monotonic() + 100
            while not is_alive(base):
                if process.poll() is not None or time.monotonic() > end:
                    log.seek(0)
                    pytest.fail(f"the proxy did not start:\n{log.read()[-3000:]}")
                time.sleep(0.2)
            yield base
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


def is_alive(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/health/liveliness", timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def at(proxy: str, model: str, key: str | None = MASTER_KEY) -> Deployment:
    return Deployment(
        backend="openai_compatible",
        model=model,
        mode="litellm",
        provider="endpoint",
        provider_label="the proxy",
        base_url=f"{proxy}/v1",
        api_key=Secret(key) if key else None,
        key_variable="LLM_API_KEY",
        is_local=True,
        retries=0,
    )


def ask(deployed: Deployment, request: Request = QUESTION) -> list:
    async def listen() -> list:
        backend = OpenAICompatible()
        try:
            return [chunk async for chunk in backend.stream(request, deployed)]
        finally:
            await backend.close()

    return asyncio.run(asyncio.wait_for(listen(), 60))


def text_of(chunks: list) -> str:
    return "".join(chunk.text for chunk in chunks)


def failure(deployed: Deployment) -> errors.LLMError:
    with pytest.raises(errors.LLMError) as caught:
        ask(deployed)
    for secret in (MASTER_KEY, UPSTREAM_KEY, "Traceback"):
        assert secret not in f"{caught.value} {caught.value!r}"
    return caught.value


@pytest.mark.timeout(200)
def test_an_answer_comes_through_in_pieces(proxy, wire):
    chunks = ask(at(proxy, "writer"))
    assert text_of(chunks) == TEXT
    usage = [chunk.usage for chunk in chunks if chunk.usage]
    assert (usage[-1].prompt_tokens, usage[-1].completion_tokens) == (11, 7)
    assert isinstance(usage[-1], Usage)
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason][-1] == "stop"
    (sent,) = wire.calls()
    assert sent.headers["authorization"] == f"Bearer {UPSTREAM_KEY}"
    assert MASTER_KEY not in str(sent.headers), "our key for the proxy went on to the provider"


def test_another_format_behind_an_alias(proxy, wire):
    assert text_of(ask(at(proxy, "claude"))) == TEXT
    assert wire.calls()[-1].path == "/v1/messages"


def test_thinking_and_tools_come_through(proxy, wire):
    thought = "".join(chunk.reasoning for chunk in ask(at(proxy, "thinker")))
    assert thought == "The user wants a fox."
    paint = Tool("paint", "Paints.", {"type": "object", "properties": {"colour": {"type": "string"}}})
    chunks = ask(at(proxy, "painter"), Request(QUESTION.messages, tools=(paint,)))
    deltas = [delta for chunk in chunks for delta in chunk.tool_calls]
    assert "".join(delta.name for delta in deltas) == "paint"
    assert "".join(delta.arguments for delta in deltas) == '{"colour": "red", "count": 3}'


def test_a_schema_reaches_the_provider(proxy, wire):
    schema = {"type": "object", "properties": {"values": {"type": "array"}}, "additionalProperties": False}
    assert text_of(ask(at(proxy, "lister"), Request(QUESTION.messages, schema=schema))) == JSON_TEXT
    assert wire.calls()[-1].json["response_format"]["json_schema"]["schema"] == schema


def test_the_aliases_are_listed(proxy, wire):
    listed = asyncio.run(list_models(f"{proxy}/v1", Secret(MASTER_KEY)))
    assert {"writer", "claude", "broken"} <= set(listed)
    assert "fox" not in listed


def test_an_unknown_model(proxy, wire):
    error = failure(at(proxy, "nobody"))
    assert isinstance(error, (errors.ModelNotFound, errors.BadRequest))
    assert "nobody" in str(error)
    assert wire.calls() == []


@pytest.mark.parametrize("key", ["sk-not-the-right-one-0123456789", None])
def test_a_wrong_key_and_none(proxy, wire, key):
    """The proxy answers 400, 401 or even 500 to these, by release."""
    error = failure(at(proxy, "writer", key))
    assert type(error) is errors.AuthenticationFailed, repr(error)
    assert "LLM_API_KEY" in error.hint
    assert error.status in (400, 401, 500)
    assert wire.calls() == []


def test_too_many_calls(proxy, wire):
    assert isinstance(failure(at(proxy, "busy")), errors.RateLimited)


def test_the_proxy_tries_again(proxy, wire):
    assert text_of(ask(at(proxy, "shaky"))) == TEXT
    assert len(wire.calls()) == 3


def test_the_proxy_falls_back_to_another_alias(proxy, wire):
    assert text_of(ask(at(proxy, "broken"))) == TEXT
    assert wire.calls()[-1].model == "fox"


def test_a_text_that_is_too_long(proxy, wire):
    assert isinstance(failure(at(proxy, "long")), errors.ContextOverflow)


def test_a_cancelled_call_ends_behind_the_proxy_too(proxy, wire):
    async def cancel() -> None:
        backend, heard = OpenAICompatible(), asyncio.Event()

        async def listen() -> None:
            async for chunk in backend.stream(QUESTION, at(proxy, "slow")):
                if chunk.text:
                    heard.set()

        task = asyncio.ensure_future(listen())
        await asyncio.wait_for(heard.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(wire.wait_disconnects)
        await backend.close()

    asyncio.run(cancel())


@pytest.mark.parametrize("alias", ["writer", "claude"])
def test_tools_are_called_until_there_is_an_answer(proxy, wire, alias):
    """The model makes two calls at once, one of them wrong, through the proxy to another format and back."""
    first = Answer(
        calls=[("call_1", "fox-paint", '{"colour": "red"}'), ("call_2", "fox-paint", '{"colour": "pi')],
        finish="tool_calls",
    )
    wire.script("fox", [first, "a red fox"])
    schema = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}
    tool = RegisteredTool("fox.paint", "Paints.", schema, lambda colour: f"dyed {colour}")
    said = runner.run(answer_with_tools(Model(at(proxy, alias)), QUESTION, [tool]))
    assert said.result.text == "a red fox"
    assert said.result.usage.prompt_tokens == 22
    assert [use.is_error for use in said.uses] == [False, True]
    last = json.dumps(wire.calls()[-1].json)
    assert "dyed red" in last
    assert "are not valid JSON" in last
