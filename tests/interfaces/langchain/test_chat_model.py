"""`as_langchain` with the real langchain-core: every way of calling a chat model, over the wire."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from endpoints import endpoint
from wire.answers import REASONING, TEXT, Answer
from wire.server import WireServer

pytest.importorskip("langchain_core")

from langchain_core.messages import (
    AIMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool

from quillwork import llm_backends
from quillwork.interfaces.langchain import as_langchain
from quillwork.llm_backends import Deployment, LLMError, Model, Result, Secret, errors
from quillwork.llm_backends.model import Sampling

PIXEL = base64.b64encode(b"\x89PNG not a real one").decode()
KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"
WASH = {"type": "function", "function": {"name": "wash"}}
USAGE = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}


@tool
def paint(colour: str, count: int = 1) -> str:
    """Paint things in a colour."""
    return f"{count} things are {colour}"


@tool
def wash(count: int) -> str:
    """Wash things."""
    return f"{count} things are clean"


def fox(wire: WireServer, model: str = "fox", **changes: Any) -> Any:
    return as_langchain(endpoint(wire.url, model, **changes))


def sent(wire: WireServer) -> dict[str, Any]:
    return wire.calls()[-1].json


class TestAnswers:
    def test_invoke(self, wire):
        answer = fox(wire).invoke("a fox")
        assert isinstance(answer, AIMessage)
        assert answer.content == TEXT
        assert answer.usage_metadata == USAGE
        assert answer.response_metadata["finish_reason"] == "stop"
        assert answer.response_metadata["model_name"] == "fox"

    def test_ainvoke(self, wire):
        assert asyncio.run(fox(wire).ainvoke("a fox")).content == TEXT

    def test_stream(self, wire):
        pieces = list(fox(wire, "fox-gap10").stream("a fox"))
        assert len([piece for piece in pieces if piece.content]) > 2
        whole = pieces[0]
        for piece in pieces[1:]:
            whole += piece
        assert whole.content == TEXT
        assert whole.usage_metadata == USAGE
        assert whole.response_metadata["finish_reason"] == "stop"

    def test_astream(self, wire):
        async def read() -> str:
            return "".join([str(piece.content) async for piece in fox(wire, "fox-gap10").astream("a fox")])

        assert asyncio.run(read()) == TEXT

    def test_leaving_a_stream_hangs_up(self, wire):
        pieces = fox(wire, "fox-hang").stream("a fox")
        next(pieces)
        pieces.close()
        wire.wait_disconnects()

    def test_cancelling_hangs_up(self, wire):
        async def cancel() -> None:
            task = asyncio.create_task(fox(wire, "fox-silent").ainvoke("a fox"))
            while not wire.calls():
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancel())
        wire.wait_disconnects()

    def test_batch(self, wire):
        answers = fox(wire, "fox-echo").batch(["a fox", "an owl", "a hare"])
        assert [answer.content for answer in answers] == ["a fox", "an owl", "a hare"]

    def test_abatch(self, wire):
        answers = asyncio.run(fox(wire, "fox-echo").abatch(["a fox", "an owl"]))
        assert [answer.content for answer in answers] == ["a fox", "an owl"]

    def test_in_a_chain(self, wire):
        prompt = ChatPromptTemplate([("system", "Be brief."), ("user", "Three words for {what}.")])
        chain = prompt | fox(wire, "fox-echo") | StrOutputParser()
        assert chain.invoke({"what": "snow"}) == "Three words for snow."

    def test_what_the_model_thinks_stands_beside_its_text(self, wire):
        model = fox(wire, "fox-think")
        answer = model.invoke("a fox")
        assert (answer.content, answer.additional_kwargs["reasoning_content"]) == (TEXT, "".join(REASONING))
        pieces = list(model.stream("a fox"))
        thought = "".join(piece.additional_kwargs.get("reasoning_content", "") for piece in pieces)
        assert thought == "".join(REASONING)

    def test_unknown_tokens_are_not_zero(self, wire):
        assert fox(wire, "fox-nousage").invoke("a fox").usage_metadata is None


class TestParameters:
    def test_for_one_call(self, wire):
        fox(wire).invoke("a fox", temperature=0.2, max_tokens=9, seed=4, stop=["\n", "END"], top_k=3)
        body = sent(wire)
        assert body["temperature"] == 0.2
        assert body["max_tokens"] == 9
        assert body["seed"] == 4
        assert body["stop"] == ["\n", "END"]
        assert body["top_k"] == 3

    def test_bound(self, wire):
        fox(wire).bind(temperature=0.2, stop=["END"]).invoke("a fox")
        assert (sent(wire)["temperature"], sent(wire)["stop"]) == (0.2, ["END"])

    def test_those_of_the_settings(self, wire):
        model = as_langchain(Model(endpoint(wire.url), Sampling(temperature=0.9, top_p=0.5)))
        model.invoke("a fox", temperature=0.2)
        assert (sent(wire)["temperature"], sent(wire)["top_p"]) == (0.2, 0.5)

    def test_a_schema_of_the_answer(self, wire):
        fox(wire).bind(schema={"type": "object"}).invoke("a fox")
        assert sent(wire)["response_format"]["json_schema"]["schema"] == {"type": "object"}


class TestMessages:
    def test_a_conversation(self, wire):
        talk = [
            SystemMessage("Be brief."),
            HumanMessage("a fox"),
            AIMessage(
                [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "It is red."}],
                tool_calls=[{"name": "paint", "args": {"colour": "red"}, "id": "call_1"}],
            ),
            ToolMessage("1 things are red", tool_call_id="call_1"),
            ChatMessage("And now?", role="user"),
        ]
        fox(wire).invoke(talk)
        system, first, ai, result, second = sent(wire)["messages"]
        assert (system["role"], first["role"], second["role"]) == ("system", "user", "user")
        assert (ai["role"], ai["content"]) == ("assistant", "It is red.")
        (call,) = ai["tool_calls"]
        assert (call["id"], json.loads(call["function"]["arguments"])) == ("call_1", {"colour": "red"})
        assert (result["role"], result["tool_call_id"]) == ("tool", "call_1")

    @pytest.mark.parametrize(
        "block",
        [
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
            {"type": "image_url", "image_url": f"data:image/png;base64,{PIXEL}"},
            {"type": "image", "base64": PIXEL, "mime_type": "image/png"},
            {"type": "image", "source_type": "base64", "data": PIXEL, "mime_type": "image/png"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
        ],
        ids=["openai", "openai text", "standard", "standard of 0.3", "anthropic"],
    )
    def test_pictures(self, wire, block):
        fox(wire).invoke([HumanMessage([{"type": "text", "text": "What is this?"}, block])])
        text, picture = sent(wire)["messages"][0]["content"]
        assert text == {"type": "text", "text": "What is this?"}
        assert picture["image_url"]["url"] == f"data:image/png;base64,{PIXEL}"

    @pytest.mark.parametrize(
        ("block", "sentence"),
        [
            ({"type": "image_url", "image_url": {"url": "http://example.com/a.png"}}, "nothing is fetched"),
            ({"type": "image", "url": "file:///etc/passwd"}, "nothing is fetched"),
            ({"type": "image", "base64": "%%", "mime_type": "image/png"}, "not valid base64"),
            ({"type": "image", "base64": PIXEL, "mime_type": "text/html"}, "nothing is fetched"),
            ({"type": "audio", "base64": PIXEL, "mime_type": "audio/wav"}, "'audio' cannot be sent"),
        ],
    )
    def test_what_cannot_be_sent_is_said_before(self, wire, block, sentence):
        with pytest.raises(errors.BadRequest, match=sentence):
            fox(wire).invoke([HumanMessage([block])])
        assert wire.log == []

    def test_a_message_of_an_older_time(self, wire):
        with pytest.raises(errors.BadRequest, match="'function' cannot be sent"):
            fox(wire).invoke([FunctionMessage("1", name="paint")])


class TestTools:
    def test_a_call_and_its_result(self, wire):
        model = fox(wire, "fox-tool").bind_tools([paint])
        answer = model.invoke("Paint.")
        (call,) = answer.tool_calls
        assert (call["name"], call["args"], call["id"]) == ("paint", {"colour": "red", "count": 3}, "call_1")
        assert answer.response_metadata["finish_reason"] == "tool_calls"
        assert paint.invoke(call).content == "3 things are red"
        (offered,) = sent(wire)["tools"]
        assert offered["function"]["name"] == "paint"
        assert set(offered["function"]["parameters"]["properties"]) == {"colour", "count"}

    def test_streamed(self, wire):
        pieces = list(fox(wire, "fox-tools").bind_tools([paint]).stream("Paint."))
        whole = pieces[0]
        for piece in pieces[1:]:
            whole += piece
        assert [(call["id"], call["args"]) for call in whole.tool_calls] == [
            ("call_1", {"colour": "red", "count": 3}),
            ("call_2", {"colour": "red", "count": 3}),
        ]

    @pytest.mark.parametrize(
        ("choice", "on_the_wire", "names"),
        [
            (None, None, ["paint", "wash"]),
            ("auto", None, ["paint", "wash"]),
            ("none", "none", ["paint", "wash"]),
            ("any", "required", ["paint", "wash"]),
            (True, "required", ["paint", "wash"]),
            ("wash", WASH, ["paint", "wash"]),
            (WASH, WASH, ["paint", "wash"]),
        ],
    )
    def test_who_chooses(self, wire, choice, on_the_wire, names):
        fox(wire).bind_tools([paint, wash], tool_choice=choice).invoke("Paint.")
        assert sent(wire).get("tool_choice") == on_the_wire
        assert [one["function"]["name"] for one in sent(wire)["tools"]] == names

    def test_a_choice_that_is_not_there(self, wire):
        with pytest.raises(errors.NotConfigured, match="'dye'"):
            fox(wire).bind_tools([paint], tool_choice="dye").invoke("Paint.")

    def test_arguments_that_are_no_object_are_kept_apart(self, wire):
        wire.script("*", Answer(calls=[("call_1", "paint", "[1, 2")], finish="tool_calls"))
        answer = fox(wire).bind_tools([paint]).invoke("Paint.")
        assert answer.tool_calls == []
        (wrong,) = answer.invalid_tool_calls
        assert (wrong["name"], wrong["args"]) == ("paint", "[1, 2")
        # It goes back into the talk as it came.
        fox(wire).invoke(["Paint.", answer, ToolMessage("That is no JSON.", tool_call_id="call_1")])
        assert sent(wire)["messages"][1]["tool_calls"][0]["function"]["arguments"] == "[1, 2"

    def test_structured_output(self, wire):
        schema = {
            "title": "paint",
            "description": "What to paint.",
            "type": "object",
            "properties": {"colour": {"type": "string"}, "count": {"type": "integer"}},
            "required": ["colour"],
        }
        found = fox(wire, "fox-tool").with_structured_output(schema).invoke("Paint.")
        assert found == {"colour": "red", "count": 3}


class TestFaults:
    def test_errors_are_ours(self, wire):
        with pytest.raises(errors.AuthenticationFailed, match="rejected the key"):
            fox(wire, "fox-status401").invoke("a fox")
        with pytest.raises(LLMError):
            list(fox(wire, "fox-cut").stream("a fox"))

    def test_words_that_would_have_to_be_taken_back(self, wire):
        """Another model answers from the beginning, and a LangChain stream cannot express that."""
        wire.script("fox*", "an old fox")
        wire.script("owl", "two young owls")
        pieces = fox(wire, "fox-cut-gap200", fallbacks=(endpoint(wire.url, "owl"),)).stream("a fox")
        assert next(pieces).content == "an "
        with pytest.raises(errors.StreamBroken, match="another attempt succeeded"):
            list(pieces)

    def test_thinking_that_shows_as_such_only_at_the_end_does_no_harm(self, wire):
        wire.script("*", "Hm, a fox.</think>a red fox")
        pieces = list(fox(wire, "fox-gap50").stream("a fox"))
        assert "".join(str(piece.content) for piece in pieces).endswith("a red fox")
        assert pieces[-1].response_metadata or pieces[-2].response_metadata

    def test_a_second_attempt_before_there_are_words_is_none_of_its_business(self, wire):
        pieces = fox(wire, "fox-fail503x1", retries=1).stream("a fox")
        assert "".join(str(piece.content) for piece in pieces) == TEXT

    def test_no_key_is_told(self, wire):
        model = fox(wire, api_key=Secret(KEY))
        model.invoke("a fox")
        assert wire.calls()[0].headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in f"{model!r} {model} {model._identifying_params} {model.bind_tools([paint])!r}"


class InThisProcess:
    runs_in_place = True

    def answer_all(self, requests, deployment, sinks, host):
        return [Result("one two END three")] * len(requests)

    def unload(self):
        return []


def test_a_model_in_this_process_stops_where_it_is_told():
    llm_backends.register("test_in_place", InThisProcess, replace=True)
    model = as_langchain(Deployment("test_in_place", "tiny", mode="test_in_place"))
    assert model.invoke("count", stop=["END"]).content == "one two "
    assert "".join(str(piece.content) for piece in model.stream("count", stop=["END"])) == "one two "
    assert asyncio.run(model.ainvoke("count")).content == "one two END three"


def test_an_id_is_read_as_this_users_settings_say(wire, monkeypatch, tmp_path):
    monkeypatch.setenv("QUILLWORK_HOME", str(tmp_path))
    monkeypatch.setenv("LLM_BASE_URL", f"{wire.url}/v1")
    monkeypatch.setenv("LLM_MODEL_CHAT", "the-chat-model")
    monkeypatch.setenv("LLM_MODEL", "another")
    as_langchain().invoke("a fox")
    as_langchain("some-model").invoke("a fox")
    assert [call.model for call in wire.calls()] == ["the-chat-model", "some-model"]


def test_models_are_told_apart_by_langchains_cache(wire):
    from langchain_core.caches import InMemoryCache

    cache = InMemoryCache()
    for name in ("fox-echo", "fox-echo", "owl-echo"):
        model = fox(wire, name)
        model.cache = cache
        model.invoke("a fox")
    assert [call.model for call in wire.calls()] == ["fox-echo", "owl-echo"]
