"""OpenAI-compatible endpoint, as the stock clients of others see it."""

from __future__ import annotations

import base64
import io
import json

import pytest
from routes.served import on_aiohttp
from wire.answers import JSON_TEXT, REASONING, TEXT, TOOL_ARGUMENTS, USAGE
from wire.embeddings import TOKENS_A_TEXT, vector_of

openai = pytest.importorskip("openai", reason="the client comes with litellm, which is not installed here")

TOKEN = "planted-proxy-token-0123456789"
KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"
# With tools litellm looks for MCP servers, with a library that it does not bring.
NO_MCP = {"_skip_mcp_handler": True}
FOX = [{"role": "user", "content": "a fox"}]
PAINT = {
    "type": "function",
    "function": {
        "name": "paint",
        "description": "Paints.",
        "parameters": {"type": "object", "properties": {"colour": {"type": "string"}}},
    },
}


@pytest.fixture
def base_url(call, env, wire):
    env(LLM_BASE_URL=f"{wire.url}/v1", LLM_MODEL="fox", LLM_API_KEY=KEY)
    env(LLM_ENABLE_OPENAI_PROXY="1", LLM_PROXY_TOKEN=TOKEN)
    with on_aiohttp(lambda: call.host) as served:
        yield f"http://127.0.0.1:{served.port}/quillwork/v1"


@pytest.fixture
def client(base_url):
    with openai.OpenAI(base_url=base_url, api_key=TOKEN, max_retries=0) as client:
        yield client


def chat(client, model="fox", messages=FOX, **more):
    return client.chat.completions.create(model=model, messages=messages, **more)


def test_a_chat(client, wire):
    answer = chat(client, temperature=0.5, max_tokens=9, seed=3, stop=["x"], user="somebody")
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (
        *USAGE,
        sum(USAGE),
    )
    assert answer.model == "fox"
    assert answer.object == "chat.completion"
    (sent,) = wire.calls()
    assert sent.headers["authorization"] == f"Bearer {KEY}", "the token is not the key"
    assert (sent.json["temperature"], sent.json["max_tokens"], sent.json["seed"]) == (0.5, 9, 3)
    assert sent.json["stop"] == ["x"]
    assert "user" not in sent.json


def test_a_stream_with_its_usage_in_the_last_chunk(client):
    chunks = list(chat(client, "fox-gap20", stream=True, stream_options={"include_usage": True}))
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(texts) == TEXT
    assert len([text for text in texts if text]) > 2
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == [
        "stop"
    ]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == sum(USAGE)
    assert len({chunk.id for chunk in chunks}) == 1


def test_no_usage_where_none_was_asked_for(client):
    assert all(chunk.choices for chunk in chat(client, stream=True))


def test_an_awaited_stream(base_url):
    import asyncio

    async def read():
        async with openai.AsyncOpenAI(base_url=base_url, api_key=TOKEN, max_retries=0) as client:
            stream = await client.chat.completions.create(model="fox", messages=FOX, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(read()) == TEXT


def test_thinking_stands_beside_the_answer(client):
    assert chat(client, "fox-think").choices[0].message.reasoning_content == "".join(REASONING)
    chunks = list(chat(client, "fox-think", stream=True))
    thoughts = [getattr(chunk.choices[0].delta, "reasoning_content", None) or "" for chunk in chunks]
    assert "".join(thoughts) == "".join(REASONING)


def test_tools_are_passed_through_both_ways(client, wire):
    answer = chat(client, "fox-tool", tools=[PAINT], tool_choice="auto", parallel_tool_calls=False)
    (call,) = answer.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("paint", TOOL_ARGUMENTS)
    assert answer.choices[0].finish_reason == "tool_calls"
    sent = wire.calls()[0].json
    assert sent["tools"] == [PAINT]
    assert sent["parallel_tool_calls"] is False
    message = answer.choices[0].message.model_dump(exclude_none=True)
    outcome = {"role": "tool", "tool_call_id": call.id, "content": "done"}
    assert chat(client, messages=[*FOX, message, outcome]).choices[0].message.content == TEXT
    again = wire.calls()[1].json["messages"]
    assert again[1]["tool_calls"][0]["function"] == {"name": "paint", "arguments": TOOL_ARGUMENTS}
    assert again[2] == outcome
    chat(client, "fox-tool", tools=[PAINT], tool_choice={"type": "function", "function": {"name": "paint"}})
    assert wire.calls()[2].json["tool_choice"] == {"type": "function", "function": {"name": "paint"}}


def test_tool_calls_come_in_pieces(client):
    calls: dict[int, list[str]] = {}
    finish = None
    for chunk in chat(client, "fox-tools", tools=[PAINT], stream=True):
        for delta in chunk.choices[0].delta.tool_calls or ():
            call = calls.setdefault(delta.index, ["", "", ""])
            call[0] += delta.id or ""
            call[1] += delta.function.name or ""
            call[2] += delta.function.arguments or ""
        finish = chunk.choices[0].finish_reason or finish
    assert calls == {0: ["call_1", "paint", TOOL_ARGUMENTS], 1: ["call_2", "paint", TOOL_ARGUMENTS]}
    assert finish == "tool_calls"


def picture(kind="PNG"):
    library = pytest.importorskip("PIL.Image", reason="Pillow reads pictures")
    file = io.BytesIO()
    library.new("RGB", (40, 30), "red").save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def looking(url):
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    return [{"role": "user", "content": parts}]


def test_a_picture_is_looked_at(client, wire):
    assert chat(client, messages=looking(f"data:image/png;base64,{picture()}")).choices[0].message.content
    (_, part) = wire.calls()[0].json["messages"][0]["content"]
    assert part["image_url"]["url"].startswith("data:image/jpeg;base64,")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x.png", "file:///etc/passwd", "data:image/png;base64,AAAA", "data:,x", "%%%"]
)
def test_no_address_is_fetched_and_no_nonsense_looked_at(client, wire, url):
    with pytest.raises(openai.BadRequestError):
        chat(client, messages=looking(url))
    assert wire.log == []


def test_an_answer_in_json(client, wire):
    schema = {"type": "object", "properties": {"values": {"type": "array"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "list", "schema": schema, "strict": True}}
    answer = chat(client, "fox-json", response_format=wanted)
    assert answer.choices[0].message.content == JSON_TEXT
    assert wire.calls()[0].json["response_format"] == wanted
    chat(client, "fox-json", response_format={"type": "json_object"})
    assert wire.calls()[1].json["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize("encoding", [None, "float", "base64"])
def test_embeddings(client, wire, encoding):
    more = {} if encoding is None else {"encoding_format": encoding}
    answer = client.embeddings.create(model="fox", input=["a red fox", "an owl"], **more)
    if encoding == "base64":
        assert all(isinstance(row.embedding, str) for row in answer.data)
    else:
        assert [row.embedding for row in answer.data] == [vector_of("a red fox"), vector_of("an owl")]
    assert [row.index for row in answer.data] == [0, 1]
    assert answer.usage.prompt_tokens == 2 * TOKENS_A_TEXT
    assert client.embeddings.create(model="fox", input="an owl", dimensions=3).data
    assert wire.calls()[1].json["dimensions"] == 3


def test_models(client, wire):
    listed = [model.id for model in client.models.list()]
    assert listed[0] == "default"
    assert {"fox", "fox-small", "fox-large"} <= set(listed)
    assert "phrasebook" not in listed
    assert client.models.retrieve("fox-small").id == "fox-small"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody/knows")
    assert chat(client, "default").model == "fox"


@pytest.mark.parametrize(
    ("model", "kind", "code"),
    [
        ("fox-status400", openai.BadRequestError, "bad_request"),
        ("fox-status401", openai.AuthenticationError, "authentication"),
        ("fox-status404", openai.NotFoundError, "model_not_found"),
        ("fox-status429", openai.RateLimitError, "rate_limit_exceeded"),
        ("fox-status500", openai.InternalServerError, "provider_failed"),
        ("fox-ctx", openai.BadRequestError, "context_length_exceeded"),
        ("http://127.0.0.1:9/v1", openai.BadRequestError, "bad_request"),
        ("/etc/passwd", openai.BadRequestError, "bad_request"),
        ("local/nothing", openai.NotFoundError, "model_not_found"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_goes_wrong_is_the_clients_own_error(client, model, kind, code, stream):
    with pytest.raises(kind) as caught:
        chat(client, model, stream=stream)
    assert caught.value.code == code
    assert caught.value.body["message"]
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "more",
    [
        {"n": 2},
        {"logprobs": True},
        {"temperature": 9},
        {"messages": []},
        {"extra_body": {"api_base": "http://127.0.0.1:9"}},
        {"extra_body": {"base_url": "http://127.0.0.1:9"}},
        {"tool_choice": "paint", "tools": [PAINT]},
        {"tools": [{"type": "function", "function": {"name": "no name"}}]},
        {"response_format": {"type": "json_schema"}},
    ],
)
def test_what_is_not_offered_is_refused_in_a_sentence(client, wire, more):
    messages = more.pop("messages", FOX)
    with pytest.raises(openai.BadRequestError) as caught:
        chat(client, messages=messages, **more)
    assert caught.value.type == "invalid_request_error"
    assert wire.log == []


@pytest.mark.parametrize("input", [[], [[1, 2]], [1, 2]])
def test_embeddings_of_nothing_or_of_tokens(client, wire, input):
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model="fox", input=input)
    assert wire.log == []


def test_nan_is_no_temperature(base_url):
    import urllib.error
    import urllib.request

    body = b'{"model": "fox", "messages": [{"role": "user", "content": "x"}], "temperature": NaN}'
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(f"{base_url}/chat/completions", body, headers))
    assert caught.value.code == 400
    assert "number" in json.loads(caught.value.read())["error"]["message"]


def test_a_break_in_the_middle_is_an_error_in_the_stream(client):
    chunks = iter(chat(client, "fox-cut-gap50", stream=True))
    assert [next(chunks).choices[0].delta.content for _ in range(2)][1]
    with pytest.raises(openai.APIError) as caught:
        list(chunks)
    assert caught.value.code == "stream_broken"


def test_a_second_attempt_after_words_went_out_is_told(client, wire, env, call, monkeypatch):
    from dataclasses import replace

    from quillwork.interfaces.http.v1 import models, routes
    from quillwork.llm_backends.model import Model

    def with_fallback(name: str, caller: str) -> Model:
        model = models.open_named("fox-cut-gap50", caller)
        other = replace(model.deployment, model="owl")
        return replace(model, deployment=replace(model.deployment, fallbacks=(other,)))

    monkeypatch.setattr(routes, "open_named", with_fallback)
    wire.script("fox-cut-gap50", "one two three")
    with pytest.raises(openai.APIError) as caught:
        list(chat(client, stream=True))
    assert caught.value.code == "stream_broken"
    assert chat(client).choices[0].message.content == TEXT


def test_who_leaves_hangs_up(client, wire):
    stream = chat(client, "fox-babble", stream=True)
    next(iter(stream))
    stream.close()
    wire.wait_disconnects(1)


def test_the_plan_holds(client, env, wire):
    env(LLM_PLAN="small", LLM_PLAN_MODELS_JSON='{"small": ["fox-small"]}')
    assert "fox-large" not in [model.id for model in client.models.list()]
    wire.log.clear()
    for work in (lambda: chat(client, "fox-large"), lambda: client.embeddings.create(model="x", input="a")):
        with pytest.raises(openai.PermissionDeniedError) as caught:
            work()
        assert caught.value.code == "not_in_plan"
    assert wire.calls() == []
    assert chat(client, "fox-small").choices[0].message.content == TEXT


def test_the_budget_holds(client, env, wire):
    env(LLM_BASE_URL="", LLM_MODEL="openai/gpt-5-mini", OPENAI_API_KEY=KEY, LLM_BUDGET_SESSION="0.000001")
    with pytest.raises(openai.PermissionDeniedError) as caught:
        chat(client, "openai/gpt-5-mini")
    assert caught.value.code == "insufficient_quota"
    assert wire.calls() == []


def test_who_may_call(base_url, env, wire):
    with openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            chat(client)
        assert caught.value.code == "invalid_api_key"
        env(LLM_PROXY_TOKEN="")
        with pytest.raises(openai.PermissionDeniedError, match="LLM_PROXY_TOKEN"):
            chat(client)
        env(LLM_ENABLE_OPENAI_PROXY="0")
        with pytest.raises(openai.NotFoundError, match="LLM_ENABLE_OPENAI_PROXY"):
            chat(client)
    assert wire.log == []


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_no_page_of_another_site_may_call(client, wire, headers):
    with pytest.raises(openai.PermissionDeniedError):
        chat(client, extra_headers=headers)
    assert wire.log == []


def test_a_local_model_answers_in_the_hosts_turn(client, call, monkeypatch):
    from quillwork.config.models import local_models
    from quillwork.llm_backends import registry
    from quillwork.llm_backends.types import Chunk, Usage
    from quillwork.llm_backends.types import Result as Whole

    class Local:
        runs_in_place = True

        def answer_all(self, requests, deployment, sinks, host):
            for word in ("a ", "tiny ", "fox"):
                sinks[0].add(Chunk(word))
            return [Whole("a tiny fox", usage=Usage(4, 3, 0.0), finish_reason="stop", model="tiny")]

    found = (local_models.FoundModel("LLM/tiny", __import__("pathlib").Path("/nowhere"), "hf_local"),)
    monkeypatch.setattr(local_models, "models", lambda *, refresh=False: found)
    monkeypatch.setattr(registry, "_makers", {**registry._makers, "hf_local": Local})
    monkeypatch.setattr(registry, "_backends", {})
    assert "local/LLM/tiny" in [model.id for model in client.models.list()]
    assert chat(client, "local/LLM/tiny").choices[0].message.content == "a tiny fox"
    chunks = list(chat(client, "local/LLM/tiny", stream=True, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "a tiny fox"
    assert chunks[-1].usage.completion_tokens == 3
    assert len(call.host.turns) == 2
    with pytest.raises(openai.BadRequestError, match="stop"):
        chat(client, "local/LLM/tiny", stop="x")


def test_too_many_at_once(client, monkeypatch):
    from quillwork.interfaces.http.model_calls import Places
    from quillwork.interfaces.http.v1 import routes

    monkeypatch.setattr(routes, "TALKING", Places(0))
    with pytest.raises(openai.RateLimitError) as caught:
        chat(client, stream=True)
    assert caught.value.code == "busy"


@pytest.fixture(scope="module")
def litellm():
    # Imported before a test removes the variables that keep its import from asking the internet for prices.
    return pytest.importorskip("litellm")


def test_litellm_calls_it_too(litellm, base_url, wire):
    place = {"api_base": base_url, "api_key": TOKEN}
    answer = litellm.completion(model="openai/fox", messages=FOX, **place)
    assert answer.choices[0].message.content == TEXT
    assert answer.usage.total_tokens == sum(USAGE)
    chunks = litellm.completion(model="openai/fox", messages=FOX, stream=True, **place)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
    answer = litellm.completion(model="openai/fox-tool", messages=FOX, tools=[PAINT], **place, **NO_MCP)
    assert answer.choices[0].message.tool_calls[0].function.arguments == TOOL_ARGUMENTS
    vectors = litellm.embedding(model="openai/fox", input=["an owl"], **place)
    assert vectors.data[0]["embedding"] == vector_of("an owl")
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion(model="openai/fox", messages=FOX, api_base=base_url, api_key="x", num_retries=0)
    with pytest.raises(litellm.ContextWindowExceededError):
        litellm.completion(model="openai/fox-ctx", messages=FOX, num_retries=0, **place)
