"""The Python interface: from threads, from event loops, as a stream; stopped, misused and at the end."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from endpoints import HANG_S, endpoint, question
from wire.answers import TEXT, Answer
from wire.embeddings import TOKENS_A_TEXT, vector_of
from wire.server import WireServer

from quillwork import llm_backends
from quillwork.llm_backends import (
    Cancelled,
    LLMError,
    Message,
    Model,
    Request,
    ask,
    ask_async,
    ask_with_tools,
    ask_with_tools_async,
    embed,
    embed_async,
    errors,
    stream,
)
from quillwork.llm_backends.model import Sampling
from quillwork.llm_backends.runner import Runner, runner
from quillwork.llm_backends.tools import registry
from quillwork.llm_backends.types import Deployment, Result, Usage

ROOT = Path(__file__).resolve().parents[2]


def sent(wire: WireServer) -> dict:
    """The body of the one call that was made."""
    (call,) = wire.calls()
    return call.json


class TestAsk:
    def test_a_text_a_conversation_or_a_request(self, wire):
        deployment = endpoint(wire.url, "fox-echo")
        assert ask("a fox", deployment).text == "a fox"
        talk = [Message("system", "Be brief."), Message("user", "an owl")]
        assert ask(talk, deployment).text == "an owl"
        assert ask(Request(tuple(talk), seed=7), deployment).text == "an owl"
        first, second, third = (call.json for call in wire.calls())
        assert [len(body["messages"]) for body in (first, second, third)] == [1, 2, 2]
        assert third["seed"] == 7

    def test_fields_of_the_request_by_name(self, wire):
        schema = {"type": "object"}
        ask(question(seed=1), endpoint(wire.url), temperature=0.2, seed=5, schema=schema, extra={"top_k": 3})
        body = sent(wire)
        assert (body["temperature"], body["seed"], body["top_k"]) == (0.2, 5, 3)
        assert body["response_format"]["json_schema"]["schema"] == schema

    def test_what_is_said_at_the_call_stands_above_the_settings(self, wire):
        chosen = Sampling(temperature=0.9, top_p=0.5, extra={"top_k": 9, "min_p": 0.1})
        ask("a fox", Model(endpoint(wire.url), chosen), temperature=0.2, extra={"top_k": 3})
        body = sent(wire)
        assert (body["temperature"], body["top_p"], body["top_k"], body["min_p"]) == (0.2, 0.5, 3, 0.1)

    def test_a_misspelt_field_is_said(self, wire):
        with pytest.raises(TypeError, match="temprature"):
            ask("a fox", endpoint(wire.url), temprature=0.2)
        assert wire.calls() == []

    def test_an_error_is_one_of_ours(self, wire):
        with pytest.raises(errors.AuthenticationFailed, match="rejected the key"):
            ask("a fox", endpoint(wire.url, "fox-status401"))

    def test_the_phrasebook_is_no_model(self):
        with pytest.raises(errors.NotConfigured, match="No model is set up"):
            ask("a fox", Deployment("phrasebook", "", mode="phrasebook"))

    def test_from_many_threads(self, wire):
        deployment = endpoint(wire.url, "fox-echo-delay20")
        with ThreadPoolExecutor(24) as pool:
            texts = list(pool.map(lambda number: ask(f"fox {number}", deployment).text, range(60)))
        assert texts == [f"fox {number}" for number in range(60)]
        assert wire.peak <= deployment.max_concurrency

    def test_from_within_a_running_loop(self, wire):
        async def cell() -> str:
            return ask("a fox", endpoint(wire.url, "fox-echo")).text

        assert asyncio.run(cell()) == "a fox"

    def test_on_the_runners_own_thread_it_is_refused(self, wire):
        async def wait_for_itself() -> None:
            ask("a fox", endpoint(wire.url))

        with pytest.raises(RuntimeError, match="own thread"):
            runner.run(wait_for_itself())

    def test_cancelled_hangs_up(self, wire):
        with pytest.raises(Cancelled):
            ask("a fox", endpoint(wire.url, "fox-hang"), cancelled=lambda: bool(wire.calls()))
        wire.wait_disconnects()

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
    @pytest.mark.parametrize("asked", ["ask('a fox', it)", "list(stream('a fox', it))"])
    def test_ctrl_c_hangs_up(self, wire, asked):
        program = PROGRAM + f"print('asking', flush=True)\n{asked}\n"
        with subprocess.Popen(
            [sys.executable, "-c", program, str(ROOT), wire.url, "fox-hang"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            wire.wait_calls(within_s=60)
            process.send_signal(signal.SIGINT)
            wire.wait_disconnects()
            _, printed = process.communicate(timeout=HANG_S)
        assert printed.rstrip().endswith("KeyboardInterrupt")
        assert "never retrieved" not in printed
        assert "destroyed" not in printed


class TestAskAsync:
    def test_from_loop_after_loop(self, wire):
        deployment = endpoint(wire.url, "fox-echo")
        for text in ("a fox", "an owl"):  # connections belong to the runner's loop, not to these
            assert asyncio.run(ask_async(text, deployment)).text == text

    def test_many_at_once(self, wire):
        deployment = endpoint(wire.url, "fox-echo")
        wire.meeting = 8

        async def all_of_them() -> list[Result]:
            return await asyncio.gather(*(ask_async(f"fox {number}", deployment) for number in range(8)))

        assert [result.text for result in asyncio.run(all_of_them())] == [
            f"fox {number}" for number in range(8)
        ]
        assert wire.peak == 8

    def test_on_the_runner_itself(self, wire):
        assert runner.run(ask_async("a fox", endpoint(wire.url, "fox-echo"))).text == "a fox"

    def test_cancelling_the_task_hangs_up(self, wire):
        async def cancel() -> None:
            task = asyncio.create_task(ask_async("a fox", endpoint(wire.url, "fox-hang")))
            while not wire.calls():
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancel())
        wire.wait_disconnects()

    def test_an_error_is_one_of_ours(self, wire):
        with pytest.raises(LLMError, match="429"):
            asyncio.run(ask_async("a fox", endpoint(wire.url, "fox-status429")))


class TestStream:
    def test_the_pieces_are_the_answer_and_the_last_one_counts(self, wire):
        pieces = list(stream("a fox", endpoint(wire.url, "fox-gap10")))
        assert len(pieces) > 3
        assert "".join(piece.text for piece in pieces) == TEXT
        assert pieces[-1].usage == Usage(11, 7, None)
        assert pieces[-1].finish_reason == "stop"

    def test_on_an_event_loop(self, wire):
        async def read() -> str:
            return "".join([chunk.text async for chunk in stream("a fox", endpoint(wire.url, "fox-gap10"))])

        assert asyncio.run(read()) == TEXT

    def test_the_whole_answer_is_there_afterwards(self, wire):
        pieces = stream("a fox", endpoint(wire.url))
        for _ in pieces:
            pass
        assert pieces.result.text == TEXT

    def test_the_error_comes_where_a_piece_would(self, wire):
        pieces = stream("a fox", endpoint(wire.url, "fox-cut"))
        assert next(pieces).text
        with pytest.raises(errors.StreamBroken):
            list(pieces)

    def test_leaving_it_hangs_up(self, wire):
        with stream("a fox", endpoint(wire.url, "fox-hang")) as pieces:
            for _ in pieces:
                break
        wire.wait_disconnects()
        assert list(pieces) == []
        with pytest.raises(Cancelled):
            _ = pieces.result

    def test_one_that_is_dropped_hangs_up(self, wire):
        for _ in stream("a fox", endpoint(wire.url, "fox-hang")):
            break
        wire.wait_disconnects()

    def test_waiting_on_the_runners_own_thread_is_refused(self, wire):
        async def wait_for_itself() -> None:
            list(stream("a fox", endpoint(wire.url, "fox-hang")))

        with pytest.raises(RuntimeError, match="own thread"):
            runner.run(wait_for_itself())


class TestEmbed:
    def test_a_vector_for_each_text(self, wire):
        result = embed(["a fox", "an old owl"], endpoint(wire.url))
        assert [list(vector) for vector in result.vectors] == [vector_of("a fox"), vector_of("an old owl")]
        assert result.usage.prompt_tokens == 2 * TOKENS_A_TEXT

    def test_from_an_event_loop(self, wire):
        (vector,) = asyncio.run(embed_async(["a fox"], endpoint(wire.url))).vectors
        assert list(vector) == vector_of("a fox")

    def test_one_text_by_itself_is_not_taken_for_its_letters(self, wire):
        with pytest.raises(TypeError, match="list of texts"):
            embed("a fox", endpoint(wire.url))
        assert wire.log == []

    def test_none_at_all(self, wire):
        with pytest.raises(errors.BadRequest):
            embed([], endpoint(wire.url))
        assert wire.log == []


def weigh(count: int) -> str:
    return f"{count} foxes weigh {7 * count} kg"


@pytest.fixture
def scales() -> str:
    parameters = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}
    registry.register("test.weigh", "Weighs foxes.", parameters, weigh, replace=True)
    return "test.weigh"


class TestTools:
    def script(self, wire: WireServer) -> None:
        called = Answer(calls=[("call_1", "test-weigh", '{"count": 2}')], finish="tool_calls")
        wire.script("*", [called, "They weigh 14 kg."])

    def test_the_model_is_told_what_it_called_for(self, wire, scales):
        self.script(wire)
        talk = ask_with_tools("How heavy are two foxes?", endpoint(wire.url), [scales], temperature=0.1)
        assert talk.result.text == "They weigh 14 kg."
        assert [(use.name, use.answer) for use in talk.uses] == [(scales, "2 foxes weigh 14 kg")]
        first, second = (call.json for call in wire.calls())
        assert first["temperature"] == second["temperature"] == 0.1
        assert second["messages"][-1]["content"] == "2 foxes weigh 14 kg"

    def test_from_an_event_loop(self, wire, scales):
        self.script(wire)
        talk = asyncio.run(ask_with_tools_async("How heavy?", endpoint(wire.url), [scales]))
        assert talk.result.text == "They weigh 14 kg."

    def test_a_tool_that_is_none_is_said_before_anything_is_sent(self, wire):
        with pytest.raises(errors.NotConfigured, match=r"no tool 'test\.nothing'"):
            ask_with_tools("How heavy?", endpoint(wire.url), ["test.nothing"])
        assert wire.log == []


class InThisProcess:
    """A backend that computes where it is asked, as local models do."""

    runs_in_place = True

    def answer_all(self, requests, deployment, sinks, host):
        where = threading.current_thread().name
        return [Result(f"{request.messages[-1].content} in {where}") for request in requests]

    def unload(self):
        return []


@pytest.fixture
def in_place() -> Deployment:
    llm_backends.register("test_in_place", InThisProcess, replace=True)
    return Deployment("test_in_place", "tiny", mode="test_in_place")


def test_a_model_in_this_process_computes_in_the_thread_that_asks(in_place):
    here = f"a fox in {threading.current_thread().name}"
    assert ask("a fox", in_place).text == here
    assert asyncio.run(ask_async("a fox", in_place)).text == here
    pieces = stream("a fox", in_place)
    assert [piece.text for piece in pieces] == [here, ""]


def test_once_the_program_ends_nothing_is_asked_any_more(wire, monkeypatch):
    from quillwork.llm_backends import client
    from quillwork.llm_backends.streaming import chunk_stream

    ended = Runner()
    ended.close()
    monkeypatch.setattr(client, "runner", ended)
    monkeypatch.setattr(chunk_stream, "runner", ended)
    deployment = endpoint(wire.url)
    with pytest.raises(RuntimeError, match="shutting down"):
        ask("a fox", deployment)
    with pytest.raises(RuntimeError, match="shutting down"):
        asyncio.run(ask_async("a fox", deployment))
    with pytest.raises(RuntimeError, match="shutting down"):
        stream("a fox", deployment)


def test_who_waits_when_the_program_ends_is_told(wire, monkeypatch):
    """The error is `Cancelled`, never `CancelledError`: the waiting task was not cancelled."""
    from quillwork.llm_backends import client
    from quillwork.llm_backends.streaming import chunk_stream

    ending = Runner()
    monkeypatch.setattr(client, "runner", ending)
    monkeypatch.setattr(chunk_stream, "runner", ending)
    deployment = endpoint(wire.url, "fox-silent")

    async def read() -> None:
        async for _ in stream("a fox", deployment):
            pass

    async def wait() -> list[BaseException | None]:
        async def end() -> None:
            while len(wire.calls()) < 2:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(ending.close)

        outcomes = await asyncio.gather(ask_async("a fox", deployment), read(), end(), return_exceptions=True)
        return outcomes[:2]

    assert [type(outcome) for outcome in asyncio.run(wait())] == [Cancelled, Cancelled]


PROGRAM = """
import importlib.util, sys
root, url, model = sys.argv[1:]
spec = importlib.util.spec_from_file_location(
    "quillwork", root + "/package.py", submodule_search_locations=[root])
sys.modules["quillwork"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from quillwork.llm_backends import Deployment, ask, stream
it = Deployment("openai_compatible", model, base_url=url + "/v1", retries=0)
"""


def test_the_names_are_there_and_cost_nothing_until_they_are_used():
    program = (
        "import sys; sys.argv[1:] = [sys.argv[1], 'x', 'y']\n"
        + PROGRAM.partition("from quillwork")[0]
        + "import quillwork.llm_backends as ours\n"
        + "print(sorted(name for name in sys.modules if name.startswith('quillwork')))\n"
        + "print([callable(getattr(ours, name)) for names in ours._HOMES.values() for name in names])\n"
        + "try:\n    ours.nothing\nexcept AttributeError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    loaded, there, missing = done.stdout.splitlines()
    assert loaded == "['quillwork', 'quillwork.llm_backends']"
    assert "False" not in there
    assert missing == "module 'quillwork.llm_backends' has no attribute 'nothing'"
