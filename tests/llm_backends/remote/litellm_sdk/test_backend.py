"""The real litellm against the providers' own formats: requests and answers."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

import pytest
from wire.answers import JSON_TEXT, REASONING, TEXT, TOOL_ARGUMENTS, Answer
from wire.deployments import EVERYWHERE, deployment, key_of, signed

from quillwork.llm_backends.errors import NotConfigured
from quillwork.llm_backends.remote.litellm_sdk.backend import LiteLLMSDK
from quillwork.llm_backends.types import (
    Capabilities,
    Deployment,
    FinishReason,
    Image,
    Message,
    Request,
    Tool,
    ToolCall,
    Usage,
)

pytest.importorskip("litellm", reason="litellm is not installed here")

QUESTION = (Message("system", "Be brief."), Message("user", "a fox"))
PAINT = Tool("paint", "Paints.", {"type": "object", "properties": {"colour": {"type": "string"}}})
SCHEMA = {
    "type": "object",
    "properties": {"values": {"type": "array", "items": {"type": "string"}}},
    "required": ["values"],
    "additionalProperties": False,
}
everywhere = pytest.mark.parametrize("provider", EVERYWHERE)


@dataclass
class Heard:
    pieces: list[str] = field(default_factory=list)
    reasoning: str = ""
    calls: dict[int, list[str]] = field(default_factory=dict)
    usage: Usage | None = None
    finish: FinishReason | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


_loop = asyncio.new_event_loop()
_sdk = LiteLLMSDK()


@pytest.fixture(scope="module", autouse=True)
def _end():
    yield
    _loop.run_until_complete(_sdk.close())
    _loop.close()


def ask(deployed: Deployment, request: Request | None = None) -> Heard:
    return _loop.run_until_complete(hear(deployed, request or Request(QUESTION)))


async def hear(deployed: Deployment, request: Request) -> Heard:
    heard = Heard()
    async for chunk in _sdk.stream(request, deployed):
        if chunk.text:
            heard.pieces.append(chunk.text)
        heard.reasoning += chunk.reasoning
        for delta in chunk.tool_calls:
            call = heard.calls.setdefault(delta.index, ["", "", ""])
            call[0] = call[0] or delta.id
            call[1] += delta.name
            call[2] += delta.arguments
        heard.usage = chunk.usage or heard.usage
        heard.finish = chunk.finish_reason or heard.finish
    return heard


@everywhere
def test_a_streamed_answer(wire, provider):
    heard = ask(deployment(wire, provider))
    assert heard.text == TEXT
    assert len(heard.pieces) == 6, "the answer did not come in the pieces that were sent"
    assert heard.finish == "stop"
    assert heard.usage == Usage(11, 7), "the provider's own count is 11/7"
    (call,) = wire.calls()
    assert call.model.startswith("fox")


@everywhere
@pytest.mark.parametrize("manner", ["oneshot", "split7", "comments"])
def test_however_it_is_cut_on_the_wire(wire, provider, manner):
    if manner == "comments" and provider in ("ollama", "bedrock"):
        pytest.skip("there are no comments in lines of JSON or in AWS's frames")
    heard = ask(deployment(wire, provider, f"fox-{manner}"))
    assert (heard.text, heard.usage) == (TEXT, Usage(11, 7))


@everywhere
def test_words_beyond_ascii_stay_whole(wire, provider):
    wire.script("fox*", "ein Füchslein – 狐 🦊")
    assert ask(deployment(wire, provider, "fox-split3")).text == "ein Füchslein – 狐 🦊"


@everywhere
def test_thinking_is_kept_apart(wire, provider):
    heard = ask(deployment(wire, provider, "fox-think"))
    assert (heard.text, heard.reasoning) == (TEXT, "".join(REASONING))


@everywhere
def test_the_limit_of_length_is_told(wire, provider):
    assert ask(deployment(wire, provider, "fox-length")).finish == "length"


@everywhere
def test_a_filter_is_told(wire, provider):
    if provider == "ollama":
        pytest.skip("Ollama has no filter")
    assert ask(deployment(wire, provider, "fox-filtered")).finish == "content_filter"


@everywhere
def test_a_tool_is_called(wire, provider):
    # litellm drops tools for models of Bedrock that it does not know.
    model = "us.amazon.nova-lite-v1:0" if provider == "bedrock" else "fox-tool"
    wire.script("us.*", Answer(calls=[("call_1", "paint", TOOL_ARGUMENTS)], finish="tool_calls"))
    heard = ask(deployment(wire, provider, model), Request(QUESTION, tools=(PAINT,)))
    ((id_, name, arguments),) = heard.calls.values()
    assert id_
    assert (name, json.loads(arguments)) == ("paint", json.loads(TOOL_ARGUMENTS))
    assert heard.finish == "tool_calls"
    assert "paint" in json.dumps(wire.calls()[-1].json), "the tool was not offered"


@everywhere
def test_what_a_tool_answered_goes_back(wire, provider):
    messages = (
        Message("user", "paint a fox"),
        Message("assistant", "", tool_calls=(ToolCall("call_1", "paint", '{"colour": "red"}'),)),
        Message("tool", "painted in vermilion", tool_call_id="call_1"),
    )
    model = "us.amazon.nova-lite-v1:0" if provider == "bedrock" else "fox"
    assert ask(deployment(wire, provider, model), Request(messages, tools=(PAINT,))).text == TEXT
    assert "vermilion" in json.dumps(wire.calls()[-1].json)


@everywhere
def test_a_schema_is_on_the_wire_where_it_is_known_to_serve(wire, provider):
    knows = Capabilities(schema=True)
    model = "us.amazon.nova-lite-v1:0" if provider == "bedrock" else "gemini-2.5-flash"
    wire.script("*", JSON_TEXT)
    heard = ask(deployment(wire, provider, model, capabilities=knows), Request(QUESTION, schema=SCHEMA))
    if provider == "bedrock":  # litellm asks for the schema as a tool, and unwraps a lone list
        assert json.loads(heard.text) in (json.loads(JSON_TEXT), json.loads(JSON_TEXT)["values"])
    else:
        assert json.loads(heard.text) == json.loads(JSON_TEXT)
    word = "json_tool_call" if provider == "bedrock" else "additionalProperties"
    assert word in json.dumps(wire.calls()[-1].json)
    wire.reset()
    ask(
        deployment(wire, provider, model, capabilities=Capabilities(schema=False)),
        Request(QUESTION, schema=SCHEMA),
    )
    assert "additionalProperties" not in json.dumps(wire.calls()[-1].json)


def test_an_unknown_schema_capability_is_looked_up(wire):
    unknown = Capabilities(schema=None)
    for model, there in (("gemini-2.5-flash", True), ("fox", False)):
        ask(deployment(wire, "gemini", model, capabilities=unknown), Request(QUESTION, schema=SCHEMA))
        assert ("additionalProperties" in json.dumps(wire.calls()[-1].json)) is there


@everywhere
def test_a_picture_goes_along(wire, provider):
    if provider == "deepseek":
        pytest.skip("litellm sends texts only to DeepSeek")
    picture = Image("image/png", b"\x89PNG\r\n\x1a\nnot really")
    request = Request((Message("user", "what is this", images=(picture,)),))
    assert ask(deployment(wire, provider), request).text == TEXT
    assert "iVBORw0KGgpub3QgcmVhbGx5" in wire.calls()[-1].body.decode()


@everywhere
def test_the_knobs_reach_the_wire(wire, provider):
    request = Request(QUESTION, temperature=0.31, top_p=0.87, max_tokens=123)
    ask(deployment(wire, provider), request)
    sent = json.dumps(wire.calls()[-1].json)
    for value in ("0.31", "0.87", "123"):
        assert value in sent, f"{value} is not in {sent}"


@everywhere
def test_nothing_is_asked_for_that_was_not_wanted(wire, provider):
    ask(deployment(wire, provider))
    sent = json.dumps(wire.calls()[-1].json)
    for word in ("temperature", "top_p", "seed", "reasoning", "tools", "response_format"):
        # For Gemini's newer models litellm names the temperature that Google advises.
        assert word not in sent or (provider, word) == ("gemini", "temperature")
    if provider != "anthropic":  # which insists on a limit
        assert "max_tokens" not in sent


def test_extra_parameters_go_along(wire):
    ask(deployment(wire, "hosted_vllm"), Request(QUESTION, extra={"top_k": 7, "repetition_penalty": 1.1}))
    sent = wire.calls()[-1].json
    assert (sent["top_k"], sent["repetition_penalty"]) == (7, 1.1)
    ask(deployment(wire, "ollama"), Request(QUESTION, extra={"num_ctx": 8192}))
    assert wire.calls()[-1].json["options"]["num_ctx"] == 8192


@pytest.mark.parametrize(
    "name",
    [
        *("api_base", "base_url", "api_key", "client", "model", "messages", "custom_llm_provider"),
        *("mock_response", "fallbacks", "extra_headers", "headers", "callbacks", "metadata", "stream"),
        *("azure_ad_token", "aws_region_name", "vertex_credentials", "organization", "API_BASE"),
        *("input_cost_per_token", "litellm_params", "timeout", "num_retries", "model_list", "caching"),
        *("hf_model_name", "logger_fn", "ssl_verify"),
    ],
)
def test_extra_parameters_do_not_steer(wire, name):
    with pytest.raises(NotConfigured, match=name):
        ask(deployment(wire, "openai"), Request(QUESTION, extra={name: "http://elsewhere.example"}))
    assert wire.log == []


@pytest.mark.parametrize(
    ("provider", "model", "wanted", "found"),
    [
        ("ollama", "qwen3", "off", '"think": false'),
        ("ollama", "qwen3", "low", '"think": true'),
        ("openai", "gpt-5-mini", "low", '"reasoning_effort": "low"'),
        ("openai", "gpt-5-mini", "off", '"reasoning_effort": "minimal"'),
        ("gemini", "gemini-2.5-flash", "off", '"thinkingBudget": 0'),
        ("hosted_vllm", "qwen3", "off", '"enable_thinking": false'),
        ("openrouter", "qwen/qwen3", "off", '"enabled": false'),
        ("anthropic", "claude-haiku-4-5", "medium", '"thinking"'),
        ("deepseek", "deepseek-chat", "off", '"disabled"'),
    ],
)
def test_more_or_less_thinking(wire, provider, model, wanted, found):
    ask(deployment(wire, provider, model), Request(QUESTION, reasoning=wanted))
    assert found in json.dumps(wire.calls()[-1].json)


@pytest.mark.parametrize(
    ("provider", "model", "cost"),
    [
        ("openai", "gpt-5-mini", 11 * 0.25e-6 + 7 * 2e-6),
        ("anthropic", "claude-haiku-4-5", 11 * 1e-6 + 7 * 5e-6),
        ("gemini", "gemini-2.5-flash", 11 * 0.3e-6 + 7 * 2.5e-6),
        ("cohere", "command-a-03-2025", 11 * 2.5e-6 + 7 * 10e-6),
        ("bedrock", "us.amazon.nova-lite-v1:0", 11 * 0.06e-6 + 7 * 0.24e-6),
        # Unknown is None: no other provider's price, and not zero.
        ("openai", "fox", None),
        ("huggingface", "gpt-5-mini", None),
        ("cohere", "gpt-5-mini", None),
        ("ollama", "llama3", None),
        ("gemini", "gemini-exp-1206", None),
        ("lm_studio", "gpt-5-mini", None),
    ],
)
def test_what_it_cost(wire, provider, model, cost):
    usage = ask(deployment(wire, provider, model)).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (11, 7)
    assert usage.cost_usd == (cost if cost is None else pytest.approx(cost))


@everywhere
def test_what_nobody_counted_is_unknown(wire, provider):
    if provider in ("anthropic", "ollama"):
        pytest.skip("this provider always counts")
    for model in ("fox-nousage", "llama-3-nousage", "command-nousage"):
        assert ask(deployment(wire, provider, model)).usage is None, "a count was made up"


@pytest.mark.parametrize("provider", EVERYWHERE)
def test_ids_with_more_slashes_arrive_whole(wire, provider):
    if provider in ("gemini", "azure", "bedrock"):
        pytest.skip("the id is a part of this provider's path")
    ask(deployment(wire, provider, "openai/gpt-oss-20b"))
    assert wire.calls()[-1].json["model"] == "openai/gpt-oss-20b"


def test_bedrock_with_a_pair_of_keys_is_signed(wire):
    assert ask(signed(wire)).text == TEXT
    sent = wire.calls()[-1]
    assert sent.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAPLANTED12345/")
    assert "planted-secret" not in str(sent.headers)


def test_ollama_is_asked_one_thing_only(wire):
    """litellm asks /api/show after an answer and before a price, on the event loop."""
    ask(deployment(wire, "ollama", "llama3.2"))
    ask(deployment(wire, "ollama", "llama3.2"), Request(QUESTION, schema=SCHEMA, tools=(PAINT,)))
    assert {entry.path for entry in wire.log} == {"/api/chat"}


def test_many_at_once_share_connections(wire):
    async def many() -> list[Heard]:
        deployed = deployment(wire, "openai", "fox")
        return await asyncio.gather(*(hear(deployed, Request(QUESTION)) for _ in range(8)))

    wire.meeting = 8
    assert [heard.text for heard in _loop.run_until_complete(many())] == [TEXT] * 8
    assert wire.peak == 8


def test_replicate(wire, monkeypatch):
    """litellm knows one address of Replicate's only, so the address itself is what is imitated."""
    import litellm

    monkeypatch.setattr(
        litellm.ReplicateConfig,
        "get_complete_url",
        lambda *_, model, **__: f"{wire.url}/v1/models/{model}/predictions",
    )
    from wire.deployments import PATHS

    monkeypatch.setitem(PATHS, "replicate", "")
    deployed = deployment(wire, "replicate", "meta/fox", base_url="https://api.replicate.com/v1")
    heard = ask(deployed)
    assert heard.text == TEXT
    assert heard.usage is None, "Replicate counts nothing"
    assert wire.calls()[0].headers["authorization"] == f"Token {key_of('replicate')}"
    with pytest.raises(NotConfigured):
        ask(deployment(wire, "replicate", "meta/fox", base_url=wire.url))
