"""Chat, pictures, embeddings and costs over HTTP."""

from __future__ import annotations

import base64
import io
import json

import pytest
from wire.answers import JSON_TEXT, REASONING, TEXT, USAGE
from wire.answers import Answer as Said
from wire.embeddings import TOKENS_A_TEXT, vector_of

from quillwork.interfaces.http.model_calls import TALKING, Places
from quillwork.interfaces.http.routes import chat as talking_routes
from quillwork.llm_backends.accounting.estimate import ROOM_FOR_THOUGHTS
from quillwork.llm_backends.tools import registry

KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"
FOX = [{"role": "user", "content": "a fox"}]
SCHEMA = {"type": "object", "properties": {"values": {"type": "array"}}}


@pytest.fixture
def endpoint(env, wire):
    env(LLM_BASE_URL=f"{wire.url}/v1", LLM_MODEL="fox", LLM_API_KEY=KEY)
    return wire


def chat(call, **more):
    return call("POST", "llm/chat/completions", {"messages": FOX, **more})


def events(text: str) -> list[tuple[str, dict]]:
    blocks = [block.split("\n", 1) for block in text.split("\n\n") if block and not block.startswith(":")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> str:
    library = pytest.importorskip("PIL.Image", reason="Pillow reads pictures")
    file = io.BytesIO()
    library.new("RGB", size, "red").save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


# Chat


def test_a_chat(call, endpoint):
    how = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 50, "seed": 7, "reasoning": "low"}
    content = chat(call, messages=[{"role": "system", "content": "Be brief."}, *FOX], **how).content
    assert content["text"] == TEXT
    assert content["tool_uses"] == []
    assert (content["info"]["prompt_tokens"], content["info"]["completion_tokens"]) == USAGE
    assert (content["info"]["model"], content["info"]["finish_reason"]) == ("fox", "stop")
    sent = endpoint.calls()[0].json
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert (sent["temperature"], sent["top_p"], sent["seed"]) == (0.5, 0.9, 7)
    assert sent["max_tokens"] == 50 + ROOM_FOR_THOUGHTS["low"]
    assert sent["reasoning_effort"] == "low"


def test_the_model_for_talking_is_the_settings_one(call, endpoint, env):
    env(LLM_MODEL_CHAT="owl")
    assert chat(call).content["info"]["model"] == "owl"


def test_a_chat_while_one_watches(call, endpoint):
    streamed = events(chat(call, llm_model="fox-gap30", stream=True).content)
    assert [name for name, _ in streamed[:-1]] == ["token"] * (len(streamed) - 1)
    assert "".join(data["text"] for _, data in streamed[:-1]) == streamed[-1][1]["text"] == TEXT
    assert streamed[-1][0] == "complete"
    assert TALKING.free == TALKING.most


def test_thinking_is_shown_beside_the_words(call, endpoint):
    streamed = events(chat(call, llm_model="fox-think-gap20", stream=True).content)
    assert "".join(data.get("reasoning", "") for _, data in streamed[:-1]) == "".join(REASONING)
    assert streamed[-1][1]["reasoning"] == "".join(REASONING)


def test_what_breaks_in_the_middle_is_the_last_event(call, endpoint):
    streamed = events(chat(call, llm_model="fox-cut", stream=True).content)
    assert streamed[-1][0] == "error"
    assert streamed[-1][1]["error"]["type"] == "stream_broken"


def test_an_answer_of_a_schema(call, endpoint):
    wanted = {"type": "json_schema", "json_schema": {"name": "list", "schema": SCHEMA}}
    assert chat(call, llm_model="fox-json", response_format=wanted).content["text"] == JSON_TEXT
    sent = endpoint.calls()[0].json["response_format"]["json_schema"]
    assert (sent["name"], sent["schema"]) == ("list", SCHEMA)


def test_tools_that_are_registered_are_called(call, endpoint):
    registry.register(
        "test.double",
        "Doubles.",
        {"type": "object", "properties": {"x": {"type": "integer"}}},
        lambda x: 2 * x,
    )
    try:
        asking = Said(calls=[("call_1", "test-double", '{"x": 21}')], finish="tool_calls")
        endpoint.script("fox", [asking, "It is 42."])
        content = chat(call, tools=["test.double"], tool_choice="test.double").content
    finally:
        registry._tools.pop("test.double")
    assert content["text"] == "It is 42."
    assert content["tool_uses"] == [
        {"name": "test.double", "arguments": '{"x": 21}', "answer": "42", "is_error": False}
    ]
    assert content["info"]["attempts"] == 2
    first = endpoint.calls()[0].json
    assert first["tool_choice"] == {"type": "function", "function": {"name": "test-double"}}


def test_our_own_tools_are_there(call, endpoint):
    assert chat(call, tools=["targets.describe", "prompt.token_count"]).status == 200
    offered = [tool["function"]["name"] for tool in endpoint.calls()[0].json["tools"]]
    assert offered == ["targets-describe", "prompt-token_count"]


def test_a_tool_that_writes_needs_a_yes(call, endpoint):
    reply = chat(call, tools=["variables.add"])
    assert (reply.status, reply.error["type"]) == (403, "consent_needed")
    assert endpoint.calls() == []


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "data": "PICTURE"},
        {"type": "image_url", "image_url": "data:image/png;base64,PICTURE"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,PICTURE"}},
    ],
)
def test_a_picture_goes_along(call, endpoint, part):
    part = json.loads(json.dumps(part).replace("PICTURE", picture()))
    parts = [{"type": "text", "text": "What is it?"}, part]
    assert chat(call, messages=[{"role": "user", "content": parts}]).status == 200
    sent = endpoint.calls()[0].json["messages"][0]["content"]
    assert sent[1]["image_url"]["url"].startswith("data:image/jpeg;base64,")


@pytest.mark.parametrize(
    "body",
    [
        {"messages": []},
        {"messages": "a fox"},
        {"messages": [{"role": "user"}, {"content": "x"}]},
        {"messages": [{"role": "wizard", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "data": "%%%"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "data": "AAAA"}]}]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": "http://127.0.0.1:1/x"}]}
            ]
        },
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "file:///x"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "data": "AAAA"}] * 17}]},
        {"temperature": 3},
        {"temperature": "hot"},
        {"temperature": True},
        {"top_p": -1},
        {"max_tokens": 0},
        {"seed": 2**65},
        {"api_base": "http://127.0.0.1:9"},
        {"api_key": "x"},
        {"base_url": "x"},
        {"tools": ["os.system"]},
        {"tools": [{"type": "function"}]},
        {"tools": ["targets.describe"], "tool_choice": "variables.add"},
        {"max_rounds": 99},
        {"response_format": {"type": "json_schema"}},
        {"llm_model": "http://127.0.0.1:9/v1"},
        {"llm_model": "/etc/passwd", "llm_mode": "hf_local"},
    ],
)
def test_what_cannot_be_asked(call, endpoint, body):
    reply = chat(call, **body)
    assert reply.status == 400, reply.content
    assert reply.error["message"]
    assert endpoint.log == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none(call, endpoint, number):
    raw = b'{"messages": [{"role": "user", "content": "x"}], "temperature": %s}' % number.encode()
    reply = call("POST", "llm/chat/completions", raw=raw)
    assert reply.status == 400
    assert "temperature" in reply.error["message"]


def test_a_body_that_is_nested_without_end(call, endpoint):
    deep = b'{"messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert call("POST", "llm/chat/completions", raw=deep).status == 400


def test_headers_with_line_breaks_go_nowhere(call, endpoint):
    headers = {"x-quillwork-client": "a\r\nX-Evil: 1", "authorization": "Bearer a\r\nb"}
    assert call("POST", "llm/chat/completions", {"messages": FOX}, headers=headers).status == 200
    assert "x-evil" not in endpoint.calls()[0].headers


def test_there_is_an_end_to_how_many_talk_at_once(call, endpoint, monkeypatch):
    monkeypatch.setattr(talking_routes, "TALKING", Places(0))
    reply = chat(call, stream=True)
    assert (reply.status, reply.error["type"]) == (429, "busy")
    assert TALKING.most >= 100


# Pictures


def test_pictures_are_described(call, endpoint):
    body = {
        "images": [picture(), f"data:image/jpeg;base64,{picture('JPEG')}"],
        "instruction": "Which animal?",
    }
    content = call("POST", "llm/vision", body).content
    assert content["texts"] == [TEXT, TEXT]
    assert content["info"]["model"] == "fox"
    assert len(endpoint.calls()) == 2


def test_pictures_become_a_prompt_or_a_video(call, endpoint):
    body = {"images": [picture(), picture()], "target": "flux1", "as_video": True}
    assert len(call("POST", "llm/vision", body).content["texts"]) == 1
    assert call("POST", "llm/vision", {"images": [picture()], "target": "no such"}).status == 400


@pytest.mark.parametrize("images", [[], ["AAAA"], ["%%%"], ["http://127.0.0.1:1/x.png"], [""], ["x"] * 17])
def test_pictures_that_are_none(call, endpoint, images):
    reply = call("POST", "llm/vision", {"images": images})
    assert reply.status == 400, reply.content
    assert endpoint.log == []


def test_a_picture_that_is_wide_or_a_bomb(call, endpoint):
    assert call("POST", "llm/vision", {"images": [picture(size=(16_000, 8))]}).status == 200
    bomb = picture(size=(20_000, 20_000))
    reply = call("POST", "llm/vision", {"images": [bomb]})
    assert reply.status == 400
    assert "million pixels" in reply.error["message"]


def test_a_model_without_eyes_says_so(call, endpoint):
    reply = call("POST", "llm/vision", {"images": [picture()], "llm_mode": "phrasebook"})
    assert reply.status in (400, 503)
    assert endpoint.calls() == []


# Embeddings and costs


def test_texts_become_vectors(call, endpoint):
    content = call("POST", "llm/embeddings", {"texts": ["a red fox", "an owl"], "dimensions": 3}).content
    assert content["vectors"] == [vector_of("a red fox"), vector_of("an owl")]
    assert content["info"]["prompt_tokens"] == 2 * TOKENS_A_TEXT
    assert endpoint.calls()[0].json["dimensions"] == 3


@pytest.mark.parametrize("texts", [[], ["x"] * 2049, [1], "x", ["x" * 900_000] * 3])
def test_texts_that_cannot_be_embedded(call, endpoint, texts):
    reply = call("POST", "llm/embeddings", {"texts": texts})
    assert reply.status == 400
    assert endpoint.log == []


def test_a_cost_is_estimated_without_a_call_or_a_key(call):
    body = {"llm_model": "openai/gpt-5-mini", "prompt_tokens": 1_000_000, "completion_tokens": 1_000_000}
    content = call("POST", "llm/cost/estimate", body).content
    price = content["price"]
    assert content["cost_usd"] == pytest.approx(price["input"] + price["output"])
    assert (content["provider"], content["model"]) == ("openai", "gpt-5-mini")
    counted = call("POST", "llm/cost/estimate", {"llm_model": "openai/gpt-5-mini", "texts": ["a fox " * 100]})
    assert 100 < counted.content["prompt_tokens"] < 300
    assert 0 < counted.content["cost_usd"] < 0.01


@pytest.mark.parametrize("model", ["openai/no-such-model", "openrouter/nobody/nothing"])
def test_what_is_unknown_is_null(call, model):
    content = call("POST", "llm/cost/estimate", {"llm_model": model, "texts": ["a fox"]}).content
    assert (content["cost_usd"], content["price"]) == (None, None)


def test_what_computes_here_is_free(call):
    assert call("POST", "llm/cost/estimate", {"texts": ["a fox"]}).content["cost_usd"] == 0
    local = {"llm_model": "ollama/llama3.2", "texts": ["a fox"]}
    assert call("POST", "llm/cost/estimate", local).content["cost_usd"] == 0
