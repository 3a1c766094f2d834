"""Our routes on a whole web UI, as its page, its API's users and strangers call them."""

from __future__ import annotations

import base64

import pytest

OURS = {"X-Quillwork": "1"}
TOKEN = "planted-token-0123456789"


def basic(pair):
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def kind(answer):
    return answer.status, answer.json()["error"]["type"]


def test_the_routes_answer(webui):
    for path in ("llm/models", "llm/providers", "keys", "config", "health", "targets", "variables"):
        answer = webui.get(f"/quillwork/{path}")
        assert answer.status == 200, (path, answer.text)
    assert kind(webui.get("/quillwork/nothing")) == (404, "not_found")
    assert kind(webui.get("/quillwork/config", {"Host": "evil.example"})) == (403, "forbidden")
    assert kind(webui.get("/quillwork/config", {"Origin": "null"})) == (403, "forbidden")
    assert kind(webui.request("POST", "/quillwork/unload", {})) == (403, "forbidden")
    assert webui.request("POST", "/quillwork/unload", {}, OURS).status == 200


def test_a_prompt_is_written_over_http(wired, wire):
    answer = wired.request("POST", "/quillwork/enhance", {"prompt": "a fox"}, OURS)
    assert answer.json()["prompts"] == ["a red fox in fresh snow"]
    body = {"prompt": "a fox", "stream": True}
    answer = wired.request("POST", "/quillwork/enhance", body, {**OURS, "Accept-Encoding": "gzip"})
    assert answer.text.startswith("event: token") and "event: complete" in answer.text


def test_the_hosts_logins_are_asked_for(webui_factory):
    webui = webui_factory(flags=("--api-auth", "owl:two", "--gradio-auth", "fox:three"), fresh=True)
    for path in ("config", "targets"):
        assert kind(webui.get(f"/quillwork/{path}")) == (401, "login_needed")
        assert kind(webui.get(f"/quillwork/{path}", basic("owl:three"))) == (401, "login_needed")
        assert webui.get(f"/quillwork/{path}", basic("owl:two")).status == 200


@pytest.mark.parametrize("flags", [("--listen",), ("--nowebui",)], ids=["listen", "nowebui"])
def test_a_host_that_others_reach_asks_for_the_token(webui_factory, flags):
    webui = webui_factory({"LLM_SERVICE_TOKEN": TOKEN}, flags=flags, fresh=True)
    assert webui.get("/quillwork/targets").status == 200
    assert kind(webui.get("/quillwork/config")) == (401, "wrong_token")
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert webui.get("/quillwork/config", bearer).status == 200
    key = {"provider": "openai", "key": "sk-planted-Zq3vX9tR7mKb2LwYp5", "check": False}
    assert kind(webui.request("POST", "/quillwork/keys", key, {**OURS, **bearer})) == (403, "forbidden")
