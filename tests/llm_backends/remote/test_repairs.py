"""Refused requests and their repairs: the words of real servers, on both transports at the wire."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from endpoints import answer, endpoint, failure, question
from wire.deployments import deployment

from quillwork.llm_backends import errors
from quillwork.llm_backends.types import Capabilities, Message, Request, Secret

# The words of real servers: what was refused ("repaired"), and what no repair helps ("real").
SAID = json.loads(Path(__file__).with_name("refusals.json").read_text("utf-8"))
CASES = SAID["repaired"]
KEY = Secret("planted-key-0123456789")
SYSTEM = Message("system", "You write prompts.")
USER = Message("user", "a fox")
SCHEMA = {"type": "object", "properties": {"values": {"type": "array", "items": {"type": "string"}}}}
FULL: dict[str, Any] = {"seed": 7, "temperature": 0.7, "top_p": 0.9, "max_tokens": 2048}
# What a server looks at in a request of OpenAI's format, where it is not a field alone.
REFUSES = {
    "stream": lambda body: body.get("stream"),
    "system": lambda body: any(m["role"] == "system" for m in body["messages"]),
    "tokens": lambda body: (body.get("max_tokens") or body.get("max_completion_tokens") or 0) > 1500,
    "both": lambda body: "temperature" in body and "top_p" in body,
    "off": lambda body: body.get("reasoning_effort") == "none",
}
_number = count()


def said(message: str, **more: Any) -> dict[str, Any]:
    return {
        "error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **more}
    }


def has(what: str, body: dict[str, Any]) -> bool:
    return bool(REFUSES[what](body) if what in REFUSES else what in body)


def name_of(case: dict[str, Any]) -> str:
    return f"{case['refuses']}-{case['server']}"


def request_of(case: dict[str, Any]) -> Request:
    schema = SCHEMA if case["refuses"] == "response_format" else None
    return Request((SYSTEM, USER), schema=schema, reasoning=case.get("reasoning", "default"), **FULL)


def refusing(wire: Any, case: dict[str, Any]) -> str:
    """The name of a model that refuses as in `case`."""
    model = f"refusing{next(_number)}"
    wire.refuse(model, lambda body: (case["status"], case["body"]) if has(case["refuses"], body) else None)
    return model


def check(case: dict[str, Any], wire: Any, result: Any) -> None:
    """Check the last request: `gone` fields are missing, `left` ones have a value, or one in a range."""
    body = wire.calls()[-1].json
    assert not has(case["refuses"], body)
    assert not set(case.get("gone", ())) & set(body)
    for name, value in case.get("left", {}).items():
        assert value[0] <= body[name] <= value[1] if isinstance(value, list) else body[name] == value
    if case["refuses"] == "system":
        assert body["messages"] == [{"role": "user", "content": f"{SYSTEM.content}\n\n{USER.content}"}]
    assert result.text
    if case["refuses"] not in ("stream_options", "max_tokens"):
        assert result.warnings, "the repair was not told"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_refused_part_is_left_out_once_for_all(wire, case):
    place = endpoint(wire.url, refusing(wire, case))
    check(case, wire, answer(place, request_of(case)))
    assert len(wire.calls()) == 2, "one repair, one call"
    check(case, wire, answer(place, request_of(case)))
    assert len(wire.calls()) == 3, "what was refused once was sent again"


# One of each kind: what is read of a refusal is the same on both transports.
OVER_THE_SDK = [case for case in CASES if not case.get("only_endpoint") and "reasoning" not in case][::6]


@pytest.mark.parametrize("case", OVER_THE_SDK, ids=name_of)
def test_the_sdk_has_the_same_repairs(wire, case):
    place = deployment(wire, "openai", refusing(wire, case))
    for calls in (2, 3):
        check(case, wire, answer(place, request_of(case)))
        assert len(wire.calls()) == calls


def anthropic_rules(body: dict[str, Any]) -> tuple[int, Any] | None:
    """Anthropic's own, in its own words."""
    thinking, most = body.get("thinking") or {}, body["max_tokens"]
    message = ""
    if most > 64000:
        message = (
            f"max_tokens: {most} > 64000, which is the maximum allowed number of output tokens for claude"
        )
    elif thinking.get("budget_tokens", 0) >= most:
        message = "`max_tokens` must be greater than `thinking.budget_tokens`."
    elif thinking and body.get("temperature", 1) != 1:
        message = "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode."
    elif thinking and body.get("top_p", 1) < 0.95:
        message = "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
    elif "temperature" in body and "top_p" in body:
        message = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
    return (
        (400, {"type": "error", "error": {"type": "invalid_request_error", "message": message}})
        if message
        else None
    )


THINKING = Capabilities(thinks=True, most_output=64000, context_window=200_000)


@pytest.mark.parametrize("reasoning", ["default", "off", "low", "medium", "high"])
def test_claude_thinks_without_a_refusal(wire, reasoning):
    wire.refuse("claude-sonnet-4-5", anthropic_rules)
    place = deployment(wire, "anthropic", "claude-sonnet-4-5", capabilities=THINKING)
    result = answer(place, Request((SYSTEM, USER), max_tokens=2048, seed=3, reasoning=reasoning))
    body = wire.calls()[-1].json
    assert len(wire.calls()) == 1, "the happy path is one call"
    assert body["max_tokens"] >= 2048 + (body.get("thinking") or {}).get("budget_tokens", 0)
    assert not [warning for warning in result.warnings if "seed" not in warning]


@pytest.mark.parametrize(("reasoning", "left"), [("medium", set()), ("off", {"temperature"})])
def test_claude_takes_what_it_takes_with_and_without_thinking(wire, reasoning, left):
    wire.refuse("claude-sonnet-4-5", anthropic_rules)
    place = deployment(wire, "anthropic", "claude-sonnet-4-5", capabilities=THINKING)
    request = Request((SYSTEM, USER), reasoning=reasoning, **FULL)
    result = answer(place, request)
    assert {"temperature", "top_p"} & set(wire.calls()[-1].json) == left
    assert any("top_p" in warning for warning in result.warnings)
    calls = len(wire.calls())
    answer(place, request)
    assert len(wire.calls()) == calls + 1


def test_gemini_has_room_for_its_thoughts(wire):
    place = deployment(
        wire, "gemini", "gemini-2.5-flash", capabilities=Capabilities(thinks=True, most_output=65536)
    )
    answer(place, Request((USER,), max_tokens=2048))
    assert wire.calls()[-1].json["generationConfig"]["max_output_tokens"] >= 4 * 2048
    answer(place, Request((USER,), max_tokens=2048, reasoning="off"))
    assert wire.calls()[-1].json["generationConfig"]["max_output_tokens"] == 2048


def no_instruction(body: dict[str, Any]) -> tuple[int, Any] | None:
    message = "Developer instruction is not enabled for models/gemini-2.5-flash"
    there = body.get("system_instruction") or body.get("systemInstruction")
    return (
        (400, {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}) if there else None
    )


def test_google_takes_no_system_text_for_some_models(wire):
    wire.refuse("gemini-2.5-flash", no_instruction)
    result = answer(deployment(wire, "gemini", "gemini-2.5-flash"), Request((SYSTEM, USER)))
    (message,) = wire.calls()[-1].json["contents"]
    assert message["parts"][0]["text"] == f"{SYSTEM.content}\n\n{USER.content}"
    assert "system" in result.warnings[0]


def test_ollama_has_a_model_that_does_not_think(wire):
    said = {"error": "registry.ollama.ai/library/llama3.2:latest does not support thinking"}
    wire.refuse("llama3.2", lambda body: (400, said) if body.get("think") else None)
    result = answer(deployment(wire, "ollama", "llama3.2"), Request((USER,), reasoning="high"))
    assert not wire.calls()[-1].json.get("think") and result.warnings


def test_a_small_limit_of_the_users_own_stays(wire):
    answer(endpoint(wire.url, "fox"), question(max_tokens=9))
    assert wire.calls()[-1].json["max_tokens"] == 9


def test_known_limits_are_kept_to(wire):
    place = endpoint(wire.url, "fox", capabilities=Capabilities(context_window=1000, most_output=800))
    answer(place, question(max_tokens=2048))
    assert wire.calls()[-1].json["max_tokens"] == 800
    answer(place, question("fox " * 700, max_tokens=2048))
    assert 16 <= wire.calls()[-1].json["max_tokens"] < 400


# -- what no repair helps


@pytest.mark.parametrize("fault", SAID["real"], ids=lambda fault: f"{fault['error']}-{fault['status']}")
def test_a_real_fault_is_no_repair(wire, fault):
    wire.refuse("refused", lambda _: (fault["status"], fault["body"]))
    error = failure(endpoint(wire.url, "refused", api_key=KEY), Request((SYSTEM, USER), **FULL))
    assert type(error).__name__ == fault["error"]
    assert len(wire.calls()) == 1


@pytest.mark.parametrize("status", [400, 404, 422, 500, 501])
def test_a_repair_that_does_not_help_gives_the_first_error(wire, status):
    replies = iter(["seed is not supported", *["it failed at temperature, for another reason"] * 20])
    wire.refuse("stubborn", lambda _: (status, said(next(replies))))
    error = failure(endpoint(wire.url, "stubborn"), Request((SYSTEM, USER), **FULL))
    assert "seed is not supported" in error.message
    assert len(wire.calls()) == 3


def test_repairs_end(wire):
    wire.refuse(
        "never", lambda body: (400, said(f"{sorted(body)[-1 - len(wire.calls()) % 4]} is not supported"))
    )
    failure(endpoint(wire.url, "never"), Request((SYSTEM, USER), schema=SCHEMA, reasoning="low", **FULL))
    assert len(wire.calls()) <= 7


def test_a_fault_behind_a_repair_is_the_one_that_counts(wire):
    replies = iter([(400, said("seed is not supported")), (429, said("Rate limit reached"))])
    wire.refuse("limited", lambda _: next(replies, None))
    assert type(failure(endpoint(wire.url, "limited"), Request((USER,), seed=1))) is errors.RateLimited


def test_several_repairs_are_each_told_and_remembered(wire):
    def refuse(body: dict[str, Any]) -> tuple[int, Any] | None:
        bad = next((name for name in ("seed", "stream_options", "temperature") if name in body), None)
        return (400, said(f"Unsupported parameter: '{bad}'")) if bad else None

    wire.refuse("strict", refuse)
    for calls in (4, 5):
        result = answer(endpoint(wire.url, "strict"), question(seed=1, temperature=0.5, top_p=0.9))
        assert len(wire.calls()) == calls and "top_p" in wire.calls()[-1].json
        assert sorted(result.warnings) == [
            "Fox (strict) does not support seed, so it was left out.",
            "Fox (strict) does not support temperature, so it was left out.",
        ]


def test_what_one_call_learns_the_others_know(wire):
    wire.refuse("learning", lambda body: (400, said("seed is not supported")) if "seed" in body else None)
    place = endpoint(wire.url, "learning")
    answer(place, question(seed=1))
    answer(replace(place, retries=2), question(seed=2))
    assert len(wire.calls()) == 3


def test_a_parameter_of_the_users_own_stays(wire):
    wire.refuse("own", lambda body: (400, said("Unsupported parameter: 'seed'")) if "seed" in body else None)
    error = failure(endpoint(wire.url, "own"), question(seed=1, extra={"seed": 5}))
    assert type(error) is errors.BadRequest and len(wire.calls()) == 1


def test_a_learned_context_holds_for_other_prompts(wire):
    def refuse(body: dict[str, Any]) -> tuple[int, Any] | None:
        read = sum(len(message["content"]) for message in body["messages"]) // 2
        if read + body.get("max_tokens", 0) <= 4000:
            return None
        most = body["max_tokens"]
        return 400, said(
            f"This model's maximum context length is 4000 tokens. However, you requested {read + most} "
            f"tokens ({read} in the messages, {most} in the completion)."
        )

    wire.refuse("small", refuse)
    for text in ("fox " * 200, "fox " * 1000, "fox " * 1500):
        answer(endpoint(wire.url, "small"), question(text, max_tokens=3900))
    assert len(wire.calls()) == 4, "only the first one is refused"


# -- OpenAI's Responses API

ONLY = said("This model is only supported in v1/responses and not in v1/chat/completions.", param="model")


def only_responses(body: dict[str, Any]) -> tuple[int, Any] | None:
    return (404, ONLY) if "messages" in body else None


@pytest.mark.parametrize("model", ["gpt-5-pro", "gpt-5-codex", "gpt-5.1-codex-max", "o3-pro", "o1-pro"])
def test_a_model_of_the_responses_api_is_called_there(wire, model):
    wire.refuse(model, only_responses)
    request = Request((SYSTEM, USER), schema=SCHEMA, max_tokens=2048, reasoning="high")
    result = answer(deployment(wire, "openai", model), request)
    (call,) = wire.calls()
    assert (call.path, result.text, result.usage.prompt_tokens) == (
        "/v1/responses",
        "a red fox in fresh snow",
        11,
    )
    assert call.json["reasoning"] == {"effort": "high"} and call.json["max_output_tokens"] == 2048 + 16384
    assert call.json["text"]["format"]["schema"] == SCHEMA
    assert call.headers["authorization"].startswith("Bearer planted-key")


def of_the_responses_api(provider: str) -> list[str]:
    """The models of `provider` that litellm lists as answering there."""
    folder = importlib.util.find_spec("litellm").submodule_search_locations[0]
    listed = json.loads((Path(folder) / "model_prices_and_context_window_backup.json").read_text("utf-8"))
    return [
        name.removeprefix(f"{provider}/")
        for name, about in listed.items()
        if about.get("mode") == "responses" and about.get("litellm_provider") == provider
    ]


@pytest.mark.parametrize(("provider", "fewest"), [("openai", 24), ("xai", 7)])
def test_every_listed_model_of_the_responses_api_answers_by_the_sdk(wire, provider, fewest):
    models = of_the_responses_api(provider)
    assert len(models) >= fewest
    for model in models:
        wire.refuse(model, only_responses)
        assert answer(deployment(wire, provider, model), question()).text == "a red fox in fresh snow", model
    calls = wire.calls()
    assert [call.json["model"] for call in calls] == models, "one call each"
    assert all(call.path.endswith("/responses") for call in calls)


@pytest.mark.parametrize("provider", ["openai", "xai"])
def test_every_listed_model_of_the_responses_api_answers_at_an_endpoint(wire, provider):
    models = of_the_responses_api(provider)
    for model in models:
        wire.refuse(model, only_responses)
        for _ in range(2):
            assert answer(endpoint(wire.url, model), question()).text == "a red fox in fresh snow", model
    calls = [(call.json["model"], call.path) for call in wire.calls()]
    tried = ("/v1/chat/completions", "/v1/responses", "/v1/responses")
    assert calls == [(model, path) for model in models for path in tried], "tried once, then remembered"


def test_azure_has_them_below_another_path(wire):
    result = answer(deployment(wire, "azure", "gpt-5-pro"), question())
    assert result.text and wire.calls()[-1].path == "/openai/v1/responses"


@pytest.mark.parametrize("streams", [True, False])
def test_an_endpoint_says_that_a_model_is_one_of_them(wire, streams):
    def refuse(body: dict[str, Any]) -> tuple[int, Any] | None:
        if body.get("stream") and "input" in body and not streams:
            return 400, said(
                "Unsupported value: 'stream' does not support true with this model.", param="stream"
            )
        return only_responses(body)

    model = f"o3-pro-{streams}"
    wire.refuse(model, refuse)
    for calls in (2, 3) if streams else (3, 4):
        assert answer(endpoint(wire.url, model), question()).text == "a red fox in fresh snow"
        assert len(wire.calls()) == calls


@pytest.mark.parametrize(
    ("word", "kind"),
    [("filtered", errors.Refused), ("cut", errors.StreamBroken), ("empty", errors.EmptyAnswer)],
)
def test_faults_of_the_responses_api(wire, word, kind):
    model = f"o3-pro-{word}"
    wire.refuse(model, only_responses)
    assert type(failure(endpoint(wire.url, model), question())) is kind
