"""Answers of each route, without any server in front of it."""

from __future__ import annotations

import json
import threading
from typing import ClassVar

import pytest
from wire.lists import list_server

from quillwork.config import providers
from quillwork.config.access.session_keys import session_keys
from quillwork.config.settings.values import load
from quillwork.interfaces.http import app as app_module
from quillwork.interfaces.http.model_calls import Places
from quillwork.interfaces.http.routes import enhance
from quillwork.llm_backends import registry
from quillwork.llm_backends.accounting.ledger import ledger
from quillwork.llm_backends.errors import Cancelled
from quillwork.llm_backends.types import Chunk, Result

KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"


@pytest.fixture
def endpoint(env, wire):
    env(LLM_BASE_URL=f"{wire.url}/v1", LLM_MODEL="fox", LLM_API_KEY=KEY)
    return wire


def events(text: str) -> list[tuple[str, dict]]:
    found = []
    for block in text.split("\n\n"):
        if block and not block.startswith(":"):
            name, data = block.split("\n", 1)
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


# Models and providers


def test_models_of_the_endpoint(call, endpoint):
    content = call("GET", "llm/models").content
    assert [model["id"] for model in content["models"]] == ["fox", "fox-large", "fox-small", "phrasebook"]
    first = next(model for model in content["models"] if model["id"] == "fox-small")
    assert first == {
        "id": "fox-small",
        "label": "fox-small",
        "provider": "endpoint",
        "provider_label": endpoint.url.removeprefix("http://"),
        "transport": "endpoint",
        "source": "endpoint",
        "context_window": None,
        "vision": None,
        "tools": None,
        "schema": None,
        "price": None,
        "configured": True,
        "locked": False,
        "suggested": False,
        "stale": False,
    }
    assert content["stale"] is False
    assert content["cached_at"] > 1.7e9
    assert content["plan"] is None
    assert content["sources"][0]["state"] == "ok"


def test_models_are_asked_for_once_and_again_on_request(call, endpoint):
    for _ in range(3):
        call("GET", "llm/models")
    listings = [entry for entry in endpoint.log if entry.path == "/v1/models"]
    assert len(listings) == 1
    endpoint.models = ["owl"]
    content = call("POST", "llm/models", {}).content
    assert (content["success"], content["message"], content["count"]) == (True, "Model cache refreshed", 3)
    assert [model["id"] for model in content["models"]] == ["fox", "owl", "phrasebook"]


def test_models_are_chosen_by_words_provider_and_readiness(call, endpoint):
    def ids(**query: str) -> list[str]:
        return [model["id"] for model in call("GET", "llm/models", query=query).content["models"]]

    assert ids(q="SMALL fox") == ["fox-small"]
    assert ids(provider="phrasebook") == ["phrasebook"]
    assert "direct:openai/gpt-5-mini" in ids(all="1", provider="openai"), "a plain id goes to the endpoint"
    assert ids(provider="openai") == []
    assert call("GET", "llm/models", query={"provider": "http://evil"}).status == 400


def test_an_endpoint_that_goes_down_leaves_its_list(call, endpoint):
    call("GET", "llm/models")
    endpoint.models_status = 503
    content = call("POST", "llm/models", {}).content
    assert content["stale"] is True
    assert [model["stale"] for model in content["models"]] == [False, True, True, False]
    assert "503" in content["sources"][0]["message"]


def test_a_locked_model_is_not_listed_and_not_called(call, env, endpoint):
    env(LLM_PLAN="small", LLM_PLAN_MODELS_JSON='{"small": ["fox-small"]}')
    content = call("GET", "llm/models").content
    assert [model["id"] for model in content["models"]] == ["fox-small", "phrasebook"]
    assert content["plan"] == "small"
    reply = call("POST", "enhance", {"prompt": "a fox", "llm_model": "fox-large"})
    assert (reply.status, reply.error["type"]) == (403, "not_in_plan")
    assert endpoint.calls() == []
    env(LLM_PLAN_SHOW_LOCKED="1")
    shown = {model["id"]: model["locked"] for model in call("GET", "llm/models").content["models"]}
    assert shown == {"fox": True, "fox-large": True, "fox-small": False, "phrasebook": False}


def test_providers_tell_what_they_need_and_ask_nobody(call, env, wire):
    env(ANTHROPIC_API_KEY=KEY, LLM_ALLOW="groq")
    rows = {row["id"]: row for row in call("GET", "llm/providers").content["providers"]}
    assert rows["anthropic"]["configured"] and rows["anthropic"]["source"] == "environment"
    assert not rows["openai"]["configured"]
    assert "OPENAI_API_KEY" in rows["openai"]["missing"]
    assert rows["openai"]["key_url"].startswith("https://")
    assert (rows["groq"]["allowed"], rows["openai"]["allowed"]) == (True, False)
    assert rows["ollama"]["is_local"] and not rows["ollama"]["needs_key"]
    assert "endpoint" not in rows
    assert set(rows["anthropic"]["labels"]) == set(rows["anthropic"]["models"])
    assert rows["anthropic"]["labels"]["anthropic/claude-haiku-4-5"] == "Claude Haiku 4.5"
    assert wire.log == []
    env(LLM_BASE_URL=f"{wire.url}/v1")
    assert call("GET", "llm/providers").content["providers"][0]["id"] == "endpoint"


# Keys


def test_a_key_goes_in_and_never_comes_out(call):
    reply = call("POST", "keys", {"provider": "openai", "key": f" {KEY}\n", "check": False})
    assert reply.content == {
        "provider": "openai",
        "configured": True,
        "source": "session",
        "missing": "",
        "last_four": KEY[-4:],
        "kept_in": None,
        "check": None,
    }
    assert call.host.watched == 1
    for path in ("keys", "config", "llm/providers", "llm/models", "health"):
        assert KEY not in str(call("GET", path).content)
    row = next(row for row in call("GET", "keys").content["keys"] if row["provider"] == "openai")
    assert (row["configured"], row["source"], row["last_four"]) == (True, "session", KEY[-4:])


def test_keys_are_cleared_one_by_one_or_all(call):
    for provider in ("openai", "groq", "mistral"):
        call("POST", "keys", {"provider": provider, "key": KEY, "check": False})
    call("DELETE", "keys", query={"provider": "openai"}, headers={"content-type": None})
    assert session_keys.providers() == ["groq", "mistral"]
    call("DELETE", "keys", {"provider": "groq"})
    assert session_keys.providers() == ["mistral"]
    rows = call("DELETE", "keys", headers={"content-type": None}).content["keys"]
    assert session_keys.providers() == []
    assert not any(row["source"] == "session" for row in rows)


@pytest.mark.parametrize("key", ["sk planted-one", "sk-\nplanted-one", "sk-planted\x00one", "   "])
def test_what_is_no_key_is_refused_and_not_repeated(call, key):
    reply = call("POST", "keys", {"provider": "openai", "key": key})
    assert reply.status == 400
    assert "planted" not in str(reply.content)
    assert session_keys.providers() == []


@pytest.mark.parametrize("provider", ["nobody", "http://evil", "../openai", "<b>", ""])
def test_a_key_is_for_a_provider_of_ours(call, provider):
    assert call("POST", "keys", {"provider": provider, "key": KEY}).status == 400


def test_a_key_of_the_environment_shows_nothing_of_itself(call, env):
    env(OPENAI_API_KEY=KEY)
    row = next(row for row in call("GET", "keys").content["keys"] if row["provider"] == "openai")
    assert (row["source"], row["last_four"]) == ("environment", "")


def test_a_key_is_checked_for_free(call, env, wire):
    with list_server() as lists:
        env(LLM_BASE_URL=f"{lists.url}/v1")
        lists.key, lists.answers = KEY, {"/v1/models": {"data": [{"id": "fox"}, {"id": "owl"}]}}
        good = call("POST", "keys", {"provider": "endpoint", "key": KEY}).content["check"]
        assert (good["ok"], good["message"]) == (True, f"{lists.url[7:]} lists 2 models.")
        bad = call("POST", "keys", {"provider": "endpoint", "key": "sk-other-0123456789"}).content["check"]
        assert bad["ok"] is False
        assert "rejected the key" in bad["message"]


def test_a_key_for_an_endpoint_needs_an_endpoint(call):
    assert call("POST", "keys", {"provider": "endpoint", "key": KEY}).status == 400


def test_a_key_belongs_to_the_browser_that_typed_it(call):
    headers = {"x-quillwork-client": "tab-1"}
    call("POST", "keys", {"provider": "openai", "key": KEY, "check": False}, headers=headers)
    assert session_keys._held["openai"].owner == "tab-1"


# Settings


def test_settings_are_shown_with_their_origin_and_without_secrets(call, env):
    env(
        LLM_MODEL="ollama/llama3.2",
        LLM_BASE_URL="http://127.0.0.1:9/v1",
        LLM_API_KEY=KEY,
        LLM_SERVICE_TOKEN=KEY,
    )
    view = call("GET", "config").content
    rows = {row["name"]: row for row in view["settings"]}
    assert (rows["LLM_MODEL"]["value"], rows["LLM_MODEL"]["origin"]) == ("ollama/llama3.2", "environment")
    assert rows["LLM_MODEL"]["writable"] and not rows["LLM_BASE_URL"]["writable"]
    assert rows["LLM_API_KEY"]["value"] == "***"
    assert KEY not in str(view)
    assert view["effective"]["provider"] == "endpoint"
    assert "phrasebook" in view["modes"]


def test_what_stands_in_the_way_is_told(call, env):
    env(LLM_MODEL="openai/gpt-5-mini")
    error = call("GET", "config").content["effective"]["error"]
    assert error["type"] == "missing_key"
    assert "OPENAI_API_KEY" in error["message"]


def test_models_in_force_are_told_as_people_call_them(call, env):
    env(LLM_MODEL="anthropic/claude-haiku-4-5", LLM_MODEL_CHAT="fox", ANTHROPIC_API_KEY=KEY)
    view = call("GET", "config").content
    rows = {row["name"]: (row["value"], row["label"]) for row in view["settings"]}
    assert rows["LLM_MODEL"] == ("anthropic/claude-haiku-4-5", "Claude Haiku 4.5")
    assert rows["LLM_MODEL_CHAT"] == ("fox", "")
    assert view["effective"]["model"] == "claude-haiku-4-5"
    assert view["effective"]["label"] == "Claude Haiku 4.5"


def test_settings_change_for_now_or_for_good(call, env, home):
    env(LLM_MODEL="ollama/one")
    view = call("POST", "config", {"settings": {"LLM_MODEL": "ollama/two", "LLM_TIMEOUT_MS": 5000}}).content
    rows = {row["name"]: row for row in view["settings"]}
    assert (rows["LLM_MODEL"]["value"], rows["LLM_MODEL"]["origin"]) == ("ollama/two", "panel")
    assert rows["LLM_TIMEOUT_MS"]["value"] == "5000"
    assert not rows["LLM_MODEL"]["persisted"]
    assert not (home / "panel.json").exists()
    view = call("POST", "config", {"settings": {"LLM_MODEL": "ollama/three"}, "persist": True}).content
    assert json.loads((home / "panel.json").read_text()) == {"LLM_MODEL": "ollama/three"}
    assert next(row for row in view["settings"] if row["name"] == "LLM_MODEL")["persisted"]
    call("POST", "config", {"settings": {"LLM_MODEL": None}, "persist": True})
    assert load().text("LLM_MODEL") == "ollama/one"


@pytest.mark.parametrize(
    "name",
    [
        "LLM_BASE_URL",
        "LLM_API_KEY",
        "LLM_PATH",
        "LLM_CALLBACKS",
        "LLM_PLAN",
        "LLM_PLAN_MODELS_JSON",
        "LLM_SERVICE_TOKEN",
        "LLM_PROXY_TOKEN",
        "LLM_ENABLE_OPENAI_PROXY",
        "LLM_ALLOW",
        "LLM_ALLOWED_HOSTS",
        "LOCAL_LIBRARY_DIR",
        "LIBRARY_DIRS",
    ],
)
def test_addresses_keys_paths_and_policies_are_not_changed_from_here(call, name):
    reply = call("POST", "config", {"settings": {"LLM_MODEL": "ollama/one", name: "x"}, "persist": True})
    assert (reply.status, reply.error["type"]) == (403, "read_only")
    assert load().text("LLM_MODEL") == "", "all of it or nothing"


@pytest.mark.parametrize(
    "settings",
    [
        {"LLM_MODEL": "http://evil.example/v1"},
        {"LLM_MODEL": "/etc/passwd"},
        {"LLM_MODEL": "../models"},
        {"LLM_MODEL": "a/../../b"},
        {"LLM_MODEL": "~/models"},
        {"LLM_MODEL": "C:\\models"},
        {"LLM_MODEL": "\\\\server\\share"},
        {"LLM_MODEL": "a\nb"},
        {"LLM_MODEL": 3},
        {"LLM_MODE": "no such mode"},
        {"LLM_TIMEOUT_MS": 0},
        {"LLM_TIMEOUT_MS": -1},
        {"LLM_TIMEOUT_MS": "soon"},
        {"LLM_TIMEOUT_MS": "1e3"},
        {"LLM_TIMEOUT_MS": 10**12},
        {"NO_SUCH_SETTING": "x"},
        {"PATH": "x"},
    ],
)
def test_what_is_no_value_is_refused(call, settings):
    assert call("POST", "config", {"settings": settings}).status == 400
    assert load().text("LLM_MODEL") == ""


def test_a_yes_is_kept(call, home):
    assert call("POST", "consent", {"what": "openai"}).content == {"allowed": ["openai"]}
    assert call("POST", "consent", {"what": "downloads"}).content == {"allowed": ["openai", "downloads"]}
    assert call("POST", "consent", {"what": "everything"}).status == 400


# Tests and health


def test_a_model_is_tried_with_one_short_call(call, endpoint):
    trial = call("POST", "test", {"llm_model": "fox"}).content
    assert (trial["ok"], trial["called"]) == (True, True)
    (sent,) = endpoint.calls()
    assert sent.json["max_tokens"] == 16
    failed = call("POST", "test", {"llm_model": "fox-status401"}).content
    assert (failed["ok"], failed["type"]) == (False, "authentication")
    assert KEY not in str(failed)


def test_a_provider_is_tried_without_calling_a_model(call, env, endpoint):
    trial = call("POST", "test", {"provider": "endpoint"}).content
    assert (trial["ok"], trial["called"], trial["models"]) == (True, False, 2)
    assert endpoint.calls() == []
    env(AZURE_API_KEY=KEY, AZURE_API_BASE="http://127.0.0.1:9", AZURE_API_VERSION="1")
    assert call("POST", "test", {"provider": "azure"}).content["ok"] is None
    missing = call("POST", "test", {"provider": "openai"}).content
    assert (missing["ok"], missing["type"]) == (False, "missing_key")


def test_health_is_what_the_doctor_says(call, endpoint, env):
    content = call("GET", "health").content
    assert content["status"] == "ok"
    assert content["providers"] == {"total": len(providers.names()), "configured": 0}
    assert (content["mode"], content["model"]) == ("litellm", "fox")
    checks = {check["name"]: check for check in content["checks"]}
    assert checks["Endpoint"]["ok"]
    env(LLM_BASE_URL="http://127.0.0.1:9/v1")
    content = call("GET", "health").content
    assert content["status"] == "attention"
    endpoint_check = next(check for check in content["checks"] if check["name"] == "Endpoint")
    assert not endpoint_check["ok"]
    assert "No server is responding" in endpoint_check["message"]
    assert endpoint_check["hint"]


def test_health_tells_what_was_called_and_what_is_left(call, endpoint, env):
    ledger.clear()
    env(LLM_BUDGET_SESSION="2.50")
    call("POST", "enhance", {"prompt": "a fox", "llm_model": "fox"})
    call("POST", "enhance", {"prompt": "an owl", "llm_model": "claude-haiku-4-5"})
    usage = call("GET", "health").content["usage"]
    for period in (usage["session"], usage["today"]):
        labels = {row["name"]: row["label"] for row in period["models"]}
        assert labels == {"endpoint/fox": "", "endpoint/claude-haiku-4-5": "Claude Haiku 4.5"}
    model = next(row for row in usage["session"]["models"] if row["name"] == "endpoint/fox")
    (caller,) = usage["session"]["callers"]
    assert (model["name"], model["calls"], model["prompt_tokens"]) == ("endpoint/fox", 1, 11)
    assert caller["name"] == "Enhance over HTTP"
    assert usage["today"]["total"]["calls"] == 2
    assert usage["budget"]["session_usd"] == 2.5
    assert "a fox" not in json.dumps(usage)
    assert KEY not in json.dumps(usage)
    ledger.clear()


def test_health_tells_of_settings_that_cannot_be(call, env):
    env(LLM_BUDGET_DAY="much", LLM_CALLBACKS="sentry")
    content = call("GET", "health").content
    failed = {check["name"] for check in content["checks"] if not check["ok"]}
    assert {"Budget", "Observers"} <= failed


def test_a_budget_stops_a_call_before_it_is_sent(call, env):
    env(OPENAI_API_KEY=KEY, LLM_ALLOW="openai", LLM_BUDGET_SESSION="0.000001")
    for body in ({"prompt": "a fox"}, {"prompt": "a fox", "variations": 16}):
        refused = call("POST", "enhance", {**body, "llm_model": "openai/gpt-5-mini"})
        assert (refused.status, refused.error["type"]) == (403, "budget_exceeded")
        assert "LLM_BUDGET_SESSION" in refused.error["message"] + refused.error["hint"]


# Writing


def test_a_prompt_is_enhanced(call, endpoint):
    content = call("POST", "enhance", {"prompt": "a fox", "variations": 2, "seed": 7}).content
    assert content["prompts"] == ["a red fox in fresh snow"] * 2
    assert content["negative"] == ["", ""]
    assert content["info"]["model"] == "fox"
    assert len(endpoint.calls()) == 2


def test_a_prompt_is_enhanced_for_a_length_a_format_a_language_and_references(call, endpoint):
    brief = {"duration": 8, "aspect": "16:9", "language": "de", "reference_roles": "style\nsubject: Anna"}
    content = call("POST", "enhance", {"prompt": "a fox", "target": "seedance_2", **brief}).content
    said = str(endpoint.log[0].json["messages"])
    for piece in ("Length: 8 seconds", "Picture format: 16:9", "in German", "@Image1: the style", "“Anna”"):
        assert piece in said, piece
    assert "Take only the style from @Image1." in content["prompts"][0]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("duration", 4000, "3600"),
        ("duration", "8", "a number"),
        ("aspect", "wide", "such as 16:9"),
        ("language", "xx", "choose one of en"),
        ("reference_roles", "17: style", "16 are the most"),
    ],
)
def test_a_wish_that_is_none_is_told(call, endpoint, field, value, said):
    reply = call("POST", "enhance", {"prompt": "a fox", field: value})
    assert reply.status == 400
    assert said in reply.content["error"]["message"]


def test_a_prompt_is_enhanced_while_one_watches(call, endpoint):
    streamed = events(
        call("POST", "enhance", {"prompt": "a fox", "stream": True, "llm_model": "fox-gap30"}).content
    )
    names = [name for name, _ in streamed]
    assert names[-1] == "complete"
    assert set(names[:-1]) == {"token"}
    assert len(names) > 2, "it came in pieces"
    written = ""
    for _, data in streamed[:-1]:
        written = data["text"] if data.get("restart") else written + data["text"]
    assert written == streamed[-1][1]["prompts"][0] == "a red fox in fresh snow"


def test_what_goes_wrong_in_a_stream_is_its_last_event(call, endpoint):
    streamed = events(
        call("POST", "enhance", {"prompt": "a fox", "stream": True, "llm_model": "fox-cut"}).content
    )
    name, data = streamed[-1]
    assert name == "error"
    assert data["error"]["type"] == "stream_broken"


def test_a_stream_that_nobody_reads_any_more_is_hung_up(call, endpoint):
    import asyncio

    from quillwork.interfaces.http.messages import EventStream, HttpRequest

    async def read(most: int) -> bytes:
        return json.dumps({"prompt": "a fox", "stream": True, "llm_model": "fox-babble"}).encode()

    async def watch_a_little() -> None:
        headers = {"host": "localhost", "x-quillwork": "1", "content-type": "application/json"}
        stream = await call.app.handle(
            HttpRequest("POST", "enhance", headers, {}, "127.0.0.1", "127.0.0.1", read)
        )
        assert isinstance(stream, EventStream)
        async for piece in stream.events:
            if piece:
                break
        await stream.events.aclose()

    asyncio.run(watch_a_little())
    endpoint.wait_disconnects(1)
    assert enhance.WRITING.free == enhance.WRITING.most


@pytest.mark.parametrize(
    ("body", "status", "type"),
    [
        ({"prompt": ""}, 400, "not_configured"),
        ({"prompt": "a fox", "target": "no such target"}, 400, "unknown_target"),
        ({"prompt": "a fox", "target": "../../etc/passwd"}, 400, "unknown_target"),
        ({"prompt": "a fox", "variations": 65}, 400, "bad_request"),
        ({"prompt": "a fox", "api_base": "http://evil"}, 400, "bad_request"),
        ({"prompt": "a fox", "api_key": "x"}, 400, "bad_request"),
        ({"prompt": "a fox", "llm_mode": "no such mode"}, 400, "not_configured"),
        ({"prompt": "a fox", "llm_model": "http://evil/v1"}, 400, "bad_request"),
        ({"prompt": "a fox", "llm_model": "/models/x", "llm_mode": "hf_local"}, 400, "bad_request"),
        ({"prompt": "a fox", "llm_model": "fox-status401"}, 401, "authentication"),
        ({"prompt": "a fox", "llm_model": "fox-status403"}, 403, "permission"),
        ({"prompt": "a fox", "llm_model": "fox-status404"}, 404, "model_not_found"),
        ({"prompt": "a fox", "llm_model": "fox-ctx"}, 413, "context_overflow"),
        ({"prompt": "a fox", "llm_model": "fox-status429"}, 429, "rate_limited"),
        ({"prompt": "a fox", "llm_model": "fox-status500"}, 502, "provider_failed"),
    ],
)
def test_what_goes_wrong_has_a_status_a_word_and_a_sentence(call, endpoint, body, status, type):
    reply = call("POST", "enhance", body)
    assert (reply.status, reply.error["type"]) == (status, type)
    assert reply.error["message"]
    assert KEY not in str(reply.content)


def test_on_error_is_respected(call, endpoint):
    body = {"prompt": "a fox", "llm_model": "fox-status500", "on_error": "passthrough"}
    content = call("POST", "enhance", body).content
    assert content["prompts"] == ["a fox"]
    assert "500" in content["info"]["warnings"][0]


def test_what_costs_needs_a_yes_and_says_to_what(call, env):
    env(OPENAI_API_KEY=KEY)
    for on_error in ("raise", "passthrough"):
        body = {"prompt": "a fox", "llm_model": "openai/gpt-5-mini", "on_error": on_error}
        reply = call("POST", "enhance", body)
        assert (reply.status, reply.error["type"], reply.error["what"]) == (403, "consent_needed", "openai")


@pytest.fixture
def local(monkeypatch):
    """Install a model that computes in the host's own thread: it writes four pieces, and notes where."""

    class Local:
        runs_in_place = True
        threads: ClassVar[list[threading.Thread]] = []

        def answer_all(self, requests, deployment, sinks, host):
            self.threads.append(threading.current_thread())
            for sink in sinks:
                for word in ("a ", "tiny ", "red ", "fox"):
                    if host.cancelled():
                        raise Cancelled
                    sink.add(Chunk(word))
            return [Result("a tiny red fox", mode="tiny", finish_reason="stop") for _ in requests]

    monkeypatch.setattr(registry, "_makers", {**registry._makers, "tiny": Local})
    monkeypatch.setattr(registry, "_backends", {})
    return Local


@pytest.mark.parametrize("stream", [True, False])
def test_a_local_model_writes_in_the_hosts_turn(call, local, stream):
    reply = call("POST", "enhance", {"prompt": "a fox", "llm_mode": "tiny", "stream": stream})
    content = events(reply.content)[-1][1] if stream else reply.content
    assert content["prompts"] == ["a tiny red fox"]
    assert local.threads == call.host.turns
    call("POST", "variables/generate", {"name": "x", "llm_mode": "tiny"})
    assert len(call.host.turns) == 2


def test_a_local_model_that_the_hosts_user_stops(call, local):
    call.host.is_interrupted = True
    reply = call("POST", "enhance", {"prompt": "a fox", "llm_mode": "tiny"})
    assert (reply.status, reply.error["type"]) == (503, "cancelled")
    streamed = events(
        call("POST", "enhance", {"prompt": "a fox", "llm_mode": "tiny", "stream": True}).content
    )
    assert [(name, data["error"]["type"]) for name, data in streamed] == [("error", "cancelled")]


def test_the_hosts_text_encoder_needs_a_node(call):
    reply = call("POST", "enhance", {"prompt": "a fox", "llm_mode": "host_encoder"})
    assert (reply.status, reply.error["type"]) == (400, "not_configured")
    assert "node" in reply.error["hint"]


def test_there_is_an_end_to_how_much_is_written_at_once(call, endpoint, monkeypatch):
    places = Places(1)
    monkeypatch.setattr(enhance, "WRITING", places)
    places.take()
    reply = call("POST", "enhance", {"prompt": "a fox"})
    assert (reply.status, reply.error["type"]) == (429, "busy")
    places.give_back()
    assert call("POST", "enhance", {"prompt": "a fox"}).status == 200
    assert call("POST", "enhance", {"prompt": "a fox", "llm_model": "fox-status500"}).status == 502
    assert call("POST", "enhance", {"prompt": "a fox"}).status == 200, "a failed one has given its place back"


def test_values_are_invented_and_kept_on_request(call, home):
    body = {"name": "season", "count": 3, "existing": ["autumn"], "seed": 3}
    content = call("POST", "variables/generate", body).content
    assert len(content["values"]) == 3
    assert "autumn" not in content["values"]
    assert content["added"] == []
    assert call("GET", "variables").content["variables"] == []
    content = call("POST", "variables/generate", {**body, "save": True}).content
    assert content["added"] == content["values"]
    kept = call("GET", "variables/season").content
    assert kept["values"] == content["values"]


# The library


def test_a_variables_life(call, home):
    first = call("PUT", "variables/hair/style", {"values": ["bob", "bun"], "description": "How hair is worn"})
    assert first.status == 200
    assert (home / "library" / "hair" / "style.txt").exists()
    shown = call("GET", "variables/hair/style").content
    assert (shown["values"], shown["count"], shown["truncated"]) == (["bob", "bun"], 2, False)
    added = call("POST", "variables/hair/style", {"values": ["Bob", "braid"]}).content
    assert added == {"added": ["braid"], "count": 3}
    (row,) = call("GET", "variables", query={"q": "STYLE"}).content["variables"]
    assert row == {"name": "hair/style", "count": 3, "description": "How hair is worn", "read_only": False}
    assert call("DELETE", "variables/hair/style", headers={"content-type": None}).content == {
        "deleted": "hair/style"
    }
    assert call("GET", "variables/hair/style").status == 404


def test_two_tabs_do_not_overwrite_each_other(call):
    call("PUT", "variables/color", {"values": ["red"]})
    seen = call("GET", "variables/color").content["version"]
    call("PUT", "variables/color", {"values": ["red", "green"], "version": seen})
    reply = call("PUT", "variables/color", {"values": ["blue"], "version": seen})
    assert (reply.status, reply.error["type"]) == (400, "changed_meanwhile")
    assert call("GET", "variables/color").content["values"] == ["red", "green"]


def test_a_long_variable_is_cut_unless_all_of_it_is_wanted(call):
    call("PUT", "variables/many", {"values": [f"value {number}" for number in range(600)]})
    shown = call("GET", "variables/many").content
    assert (len(shown["values"]), shown["count"], shown["truncated"]) == (500, 600, True)
    assert len(call("GET", "variables/many", query={"all": "1"}).content["values"]) == 600


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "a/../../b",
        "/etc/passwd",
        "..",
        "a\\b",
        "C:/x",
        "a\x00b",
        "~/x",
        "a//b",
        "x" * 300,
        "con",
        "%2e%2e",
    ],
)
def test_no_name_leads_out_of_the_library(call, home, method, name):
    (home / "secret.txt").write_text("planted")
    body = {"values": ["x"]} if method in ("PUT", "POST") else None
    reply = call(method, f"variables/{name}", body)
    assert (reply.status, reply.error["type"]) == (400, "invalid_name")
    assert "planted" not in str(reply.content)
    assert not (home / "library").exists()


def test_read_only_variables_stay(call, env, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "color.txt").write_text("red\n")
    env(LIBRARY_DIRS=str(tmp_path / "shared"))
    assert call("GET", "variables/color").content["read_only"] is True
    assert call("DELETE", "variables/color").status == 403
    assert (tmp_path / "shared" / "color.txt").exists()


def test_targets_are_found_by_words(call):
    found = call("GET", "targets", query={"q": "flux dev"}).content["targets"]
    flux = {"id": "flux1_dev", "label": "Flux.1 dev", "group": "Flux", "kind": "image", "is_user": False}
    assert flux in found
    assert all("flux" in row["label"].lower() for row in found)
    (music,) = call("GET", "targets", query={"q": "ace step"}).content["targets"]
    assert music["kind"] == "audio"


def test_tags_come_with_their_manner_and_once(call, home, monkeypatch):
    monkeypatch.setattr("quillwork.prompting.tags.files._find", lambda: (home / "tags.csv",))
    (home / "tags.csv").write_text('rain,0,5,"raining"\nwlop,1,9,\n1girl,0,7,\n')
    first = call("GET", "tags", query={"target": "anima"}).content
    assert first["rows"] == "\nwlop\tA9\n1girl\tG7\nrain\tG5\training\n"
    assert (first["underscores"], first["escapes"], first["artist_mark"]) == (False, True, "@")
    again = call("GET", "tags", query={"target": "illustrious", "version": first["version"]}).content
    assert (again["version"], again["rows"]) == (first["version"], "")
    by_file = {"target": "file:SDXL/illustriousXL_v0.1.safetensors", "version": ""}
    assert call("GET", "tags", query=by_file).content["version"] == first["version"]
    assert call("GET", "tags", query={"target": "file:model.safetensors"}).content["version"] == ""
    counted = call("POST", "tokens", {"text": "rain", "target": "file:illustriousXL.safetensors"})
    assert counted.content["chunk"] == 75
    unknown = call("POST", "tokens", {"text": "rain", "target": "file:model.safetensors"})
    assert (unknown.status, unknown.error["type"]) == (400, "unknown_target")


@pytest.mark.parametrize("target", ["flux1_dev", "sdxl", "illustrious"])
def test_no_tags_for_prose_and_without_a_table(call, target):
    assert call("GET", "tags", query={"target": target}).content["version"] == ""


@pytest.mark.parametrize(
    ("target", "counter", "expected"),
    [
        ("illustrious", len, (9, False, 75, 75)),
        ("illustrious", None, (3, True, 75, 75)),
        ("flux1_dev", len, (9, False, 512, None)),
        ("flux1_dev", lambda _: None, (3, True, 512, None)),
        ("midjourney_like", None, (3, True, None, None)),
    ],
)
def test_tokens_are_counted_as_the_target_reads(call, target, counter, expected):
    call.host.counter = counter
    found = call("POST", "tokens", {"text": "a red fox", "target": target}).content
    assert (found["tokens"], found["is_estimate"], found["limit"], found["chunk"]) == expected


# The rest


def test_unloading_asks_the_host_for_local_models(call):
    assert call("POST", "unload", {}).content == {"unloaded": [], "local": "none"}
    call.host.has_local = True
    assert call("POST", "unload", {}).content["local"] == "queued"
    assert call.host.unloaded == 2


@pytest.mark.parametrize(
    "raw", [b"{", b"\xff\xfe", b"nul", b"[1, 2", b"[" * 200_000, b'{"prompt": "a"} x', b"\x00"]
)
def test_a_body_that_is_not_json_is_told(call, raw):
    reply = call("POST", "enhance", raw=raw)
    assert (reply.status, reply.error["message"]) == (400, "The request body is not valid JSON.")


@pytest.mark.parametrize("content", [[], "x", 3, None, True, [{}]])
def test_a_body_is_one_object(call, content):
    assert call("POST", "enhance", raw=json.dumps(content).encode()).status == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "nowhere"), ("GET", ""), ("PATCH", "keys"), ("POST", "health"), ("GET", "variables/")],
)
def test_what_is_not_there_is_told(call, method, path):
    reply = call(method, path)
    assert (reply.status, reply.error["type"]) == (404, "not_found")


def test_a_fault_of_ours_is_no_secret_and_no_traceback(call, monkeypatch, caplog):
    def broken(settings):
        raise RuntimeError(f"something with {KEY} in it")

    monkeypatch.setattr(app_module.models.status, "provider_rows", broken)
    reply = call("GET", "llm/providers")
    assert (reply.status, reply.error["type"]) == (500, "internal")
    assert KEY not in str(reply.content) + caplog.text
    assert "RuntimeError" in caplog.text


def test_the_description_names_every_route(call):
    document = call("GET", "openapi.json").content
    described = {
        (method.upper(), path.removeprefix("/quillwork/"))
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert described == {(route.method, route.path) for route in app_module.ROUTES}
    assert document["openapi"].startswith("3.1")
    assert "api_base" not in json.dumps(document)
