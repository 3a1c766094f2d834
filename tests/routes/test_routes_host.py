"""The routes on a host, as its own page, other sites and other programs call them."""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from host.client import Response
from host.fixtures import Hosts
from host.graphs import node
from host.process import Host
from wire.server import WireServer

KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"
TOKEN = "planted-token-0123456789"
SECOND = "sk-second-Hq8wLm2RvT5xNc7BzK4"


def enhance(prompt: str = "a fox in the snow", seed: int = 1, **inputs: Any) -> dict[str, Any]:
    given = {"instruction": "", "target": "plain", "variations": 1, "seed": seed, **inputs}
    return node("QuillworkEnhancePrompt", prompt=prompt, **given)


def preview(source: str) -> dict[str, Any]:
    return node("PreviewAny", source=[source, 0])


def call(host: Host, method: str, path: str, body: Any = None, **headers: str) -> Response:
    """Send a request as the host's own page would: `headers` (with _ for -) add to its own."""
    given = {"X-Quillwork": "1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return host.request(method, f"/quillwork/{path}", json=body, headers=given)


def error(response: Response) -> tuple[int, str]:
    assert set(response.json()) == {"error"}
    assert {"type", "message", "hint"} <= set(response.json()["error"])
    return response.status, response.json()["error"]["type"]


@pytest.fixture
def endpoint_host(host_factory: Hosts, wire: WireServer) -> Host:
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox", "LLM_API_KEY": KEY})
    return host


@pytest.mark.parametrize("prefix", ["/quillwork", "/api/quillwork"])
def test_the_routes_answer_under_both_prefixes(host: Host, prefix: str) -> None:
    for path in (
        "llm/models",
        "llm/providers",
        "keys",
        "config",
        "health",
        "targets",
        "variables",
        "openapi.json",
    ):
        answer = host.get(f"{prefix}/{path}")
        assert answer.status == 200, (path, answer.text)
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:8188"},  # a rebound name: the host itself lets it pass
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["llm/models", "keys", "config"])
def test_other_sites_are_refused(host: Host, headers: dict[str, str], path: str) -> None:
    assert host.get(f"/quillwork/{path}", headers=headers).status == 403
    answer = host.post(
        "/quillwork/config", json={"settings": {"LLM_MODEL": "x"}}, headers={"X-Quillwork": "1", **headers}
    )
    assert answer.status == 403
    assert host.get("/quillwork/config").json()["settings"][1]["value"] == ""


def test_the_hosts_own_page_may_call(host: Host) -> None:
    own = {"Origin": host.base_url, "Sec-Fetch-Site": "same-origin"}
    assert host.get("/quillwork/config", headers=own).status == 200
    assert call(host, "POST", "unload", {}, **own).status == 200


def test_what_changes_something_needs_header_and_json(host: Host) -> None:
    body = {"settings": {"LLM_MODEL": "ollama/llama3.2"}}
    assert error(host.post("/quillwork/config", json=body)) == (403, "forbidden")
    plain = host.request(
        "POST",
        "/quillwork/config",
        data=json.dumps(body).encode(),
        headers={"X-Quillwork": "1", "Content-Type": "text/plain"},
    )
    assert error(plain) == (400, "bad_request")
    assert call(host, "POST", "config", body).status == 200
    call(host, "POST", "config", {"settings": {"LLM_MODEL": None}})


def test_a_body_that_is_too_large_is_not_read(host: Host) -> None:
    headers = {"X-Quillwork": "1", "Content-Type": "application/json"}
    body = b'{"prompt": "' + b"x" * (1024 * 1024) + b'"}'
    answer = host.request("POST", "/quillwork/enhance", data=body, headers=headers)
    assert error(answer) == (413, "too_large")


def test_a_body_without_a_length_is_counted_as_it_comes(host: Host) -> None:
    parts = urlsplit(host.base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    pieces = (b"x" * 65536 for _ in range(40))
    headers = {"X-Quillwork": "1", "Content-Type": "application/json"}
    try:
        connection.request("POST", "/quillwork/enhance", body=pieces, headers=headers, encode_chunked=True)
    except ConnectionError:
        return  # the connection was closed in the middle: that will do
    assert connection.getresponse().status == 413


@pytest.mark.parametrize(
    "raw", [b"{", b"\xff\xfe\x00", b"[]", b"null", b'{"prompt": 3}', b'{"prompt": "a", "x": 1}']
)
def test_a_body_that_is_not_what_it_should_be(host: Host, raw: bytes) -> None:
    headers = {"X-Quillwork": "1", "Content-Type": "application/json"}
    answer = host.request("POST", "/quillwork/enhance", data=raw, headers=headers)
    assert error(answer) == (400, "bad_request")


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/secret",
        "..%5c..%5csecret",
        "%2fetc%2fpasswd",
        "a%00b",
        "x" * 400,
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_name_leads_out_of_the_library(host: Host, name: str, method: str) -> None:
    body = {"values": ["x"]} if method == "PUT" else None
    answer = call(host, method, f"variables/{name}", body)
    assert error(answer) == (400, "invalid_name")
    assert "root:" not in answer.text


def test_a_variables_life(host: Host) -> None:
    assert call(host, "PUT", "variables/hair/style", {"values": ["bob", "bun"]}).status == 200
    assert host.get("/quillwork/variables/hair%2Fstyle").json()["values"] == ["bob", "bun"]
    assert (host.quillwork_home / "library" / "hair" / "style.txt").exists()
    assert call(host, "POST", "variables/hair/style", {"values": ["braid"]}).json()["count"] == 3
    assert call(host, "DELETE", "variables/hair/style").status == 200
    assert error(host.get("/quillwork/variables/hair/style")) == (404, "variable_not_found")


def test_the_users_syntax_comes_through(endpoint_host: Host, wire: WireServer) -> None:
    wire.script("fox", "[1] A red fox.\n[2] A cat on a mat.")
    body = {"prompt": "<lora:a:1> a (red fox:1.2) AND {{cat}} on __place__ :0.5", "target": "sdxl"}
    answer = call(endpoint_host, "POST", "enhance", body).json()
    assert answer["prompts"] == ["<lora:a:1> A (red fox:1.2). AND A {{cat}} on __place__ a mat. :0.5"]
    assert answer["info"]["warnings"] == []


def test_a_prompt_is_enhanced_in_a_stream(endpoint_host: Host) -> None:
    body = {"prompt": "a fox in the snow", "llm_model": "fox-gap30", "stream": True}
    answer = call(endpoint_host, "POST", "enhance", body)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    blocks = [block for block in answer.text.split("\n\n") if block and not block.startswith(":")]
    assert [block.partition("\n")[0] for block in blocks[:1]] == ["event: token"]
    assert blocks[-1].startswith("event: complete\n")
    done = json.loads(blocks[-1].partition("data: ")[2])
    assert done["prompts"] == ["a red fox in fresh snow"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_browser_that_goes_away_ends_the_call(endpoint_host: Host, wire: WireServer, stream: bool) -> None:
    async def leave() -> None:
        url = f"{endpoint_host.base_url}/quillwork/enhance"
        body = {"prompt": "a fox", "llm_model": "fox-hang", "stream": stream}
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2.0)) as session:
            with pytest.raises(asyncio.TimeoutError):
                async with session.post(url, json=body, headers={"X-Quillwork": "1"}) as answer:
                    await answer.read()

    asyncio.run(leave())
    wire.wait_disconnects(1)
    # Nothing of it is left behind: the host goes on.
    assert call(endpoint_host, "POST", "enhance", {"prompt": "a fox"}).status == 200
    assert endpoint_host.run({"1": enhance(), "2": preview("1")}).status == "success"


def test_a_locked_model_typed_by_hand_is_not_called(host_factory: Hosts, wire: WireServer) -> None:
    host = host_factory(
        {
            "LLM_BASE_URL": f"{wire.url}/v1",
            "LLM_MODEL": "fox-small",
            "LLM_PLAN": "small",
            "LLM_PLAN_MODELS_JSON": '{"small": ["fox-small"]}',
            "LLM_PLAN_SHOW_LOCKED": "1",
        }
    )
    listed = {model["id"]: model["locked"] for model in host.get("/quillwork/llm/models").json()["models"]}
    assert listed.pop("test_installed"), "another pack's"
    assert listed == {"fox-small": False, "fox-large": True, "phrasebook": False}
    run = host.run({"1": enhance(llm_model="fox-large")})
    assert run.status == "error"
    assert "'small' does not allow fox-large" in run.message
    over_http = call(host, "POST", "enhance", {"prompt": "a fox", "llm_model": "fox-large"})
    assert error(over_http) == (403, "not_in_plan")
    assert wire.calls() == []


def test_settings_take_effect_at_the_next_run(endpoint_host: Host, wire: WireServer) -> None:
    changed = call(endpoint_host, "POST", "config", {"settings": {"LLM_MODEL": "owl"}, "persist": True})
    assert changed.status == 200
    assert endpoint_host.run({"1": enhance(), "2": preview("1")}).status == "success"
    assert [entry.model for entry in wire.calls()] == ["owl"]
    assert json.loads((endpoint_host.quillwork_home / "panel.json").read_text()) == {"LLM_MODEL": "owl"}
    call(endpoint_host, "POST", "config", {"settings": {"LLM_MODEL": None}, "persist": True})
    assert endpoint_host.run({"1": enhance(seed=2), "2": preview("1")}).status == "success"
    assert [entry.model for entry in wire.calls()] == ["owl", "fox"]


def test_settings_that_were_kept_outlive_a_restart(host_factory: Hosts, wire: WireServer) -> None:
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, fresh=True)
    call(host, "POST", "config", {"settings": {"LLM_MODEL": "kept"}, "persist": True})
    call(host, "POST", "config", {"settings": {"LLM_MODE": "phrasebook"}})
    call(host, "POST", "keys", {"provider": "openai", "key": KEY, "check": False})
    host.restart()
    rows = {row["name"]: row for row in host.get("/quillwork/config").json()["settings"]}
    assert (rows["LLM_MODEL"]["value"], rows["LLM_MODEL"]["origin"]) == ("kept", "panel")
    assert rows["LLM_MODE"]["origin"] == "default"
    keys = {row["provider"]: row for row in host.get("/quillwork/keys").json()["keys"]}
    assert not keys["openai"]["configured"], "a key lives in memory only"


def test_a_session_key_is_used_and_shows_nowhere(host_factory: Hosts, wire: WireServer) -> None:
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, fresh=True)
    assert call(host, "POST", "keys", {"provider": "endpoint", "key": KEY, "check": False}).status == 200
    run = host.run({"1": enhance(), "2": preview("1")})
    assert run.status == "success"
    assert wire.calls()[-1].headers["authorization"] == f"Bearer {KEY}"
    seen = [host.log(), str(run.history), str(run.events)]
    for path in ("keys", "config", "llm/models", "llm/providers", "health", "openapi.json"):
        seen.append(host.get(f"/quillwork/{path}").text)
    seen += [host.get(path).text for path in ("/history", "/queue", "/object_info")]
    seen += [file.read_text("utf-8", "replace") for file in host.quillwork_home.rglob("*") if file.is_file()]
    assert not any(KEY in text for text in seen)
    call(host, "DELETE", "keys")
    assert host.run({"1": enhance(seed=2), "2": preview("1")}).status == "success"
    assert "authorization" not in wire.calls()[-1].headers


def test_a_queued_job_keeps_the_key_that_it_was_queued_with(host_factory: Hosts, wire: WireServer) -> None:
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, fresh=True)
    call(host, "POST", "keys", {"provider": "endpoint", "key": KEY, "check": False})
    first = host.submit({"1": enhance(llm_model="fox-delay1500"), "2": preview("1")})
    wire.wait_calls(1)
    second = host.submit({"1": enhance("an owl", seed=3), "2": preview("1")})
    call(host, "POST", "keys", {"provider": "endpoint", "key": SECOND, "check": False})
    call(host, "DELETE", "keys")
    third = host.submit({"1": enhance("a crow", seed=4), "2": preview("1")})
    assert [host.wait(run).status for run in (first, second, third)] == ["success"] * 3
    assert [entry.headers.get("authorization") for entry in wire.calls()] == [
        f"Bearer {KEY}",
        f"Bearer {KEY}",
        None,
    ]


def test_two_browsers_share_the_host(host_factory: Hosts, wire: WireServer) -> None:
    host = host_factory({"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}, fresh=True)
    with host.listen() as first, host.listen() as second:
        call(
            host,
            "POST",
            "keys",
            {"provider": "openai", "key": KEY, "check": False},
            X_Quillwork_Client=first.run.client_id,
        )
        call(
            host,
            "POST",
            "keys",
            {"provider": "groq", "key": SECOND, "check": False},
            X_Quillwork_Client=second.run.client_id,
        )
        rows = {row["provider"]: row["last_four"] for row in host.get("/quillwork/keys").json()["keys"]}
        assert (rows["openai"], rows["groq"]) == (KEY[-4:], SECOND[-4:])
        call(host, "DELETE", "keys?provider=openai")
        rows = {row["provider"]: row["configured"] for row in host.get("/quillwork/keys").json()["keys"]}
        assert (rows["openai"], rows["groq"]) == (False, True)


def test_beyond_this_machine_a_token_is_asked_for(host_factory: Hosts) -> None:
    host = host_factory({"LLM_SERVICE_TOKEN": TOKEN, "LLM_ALLOWED_HOSTS": "studio.lan"})
    named = {"Host": "studio.lan"}
    assert call(host, "GET", "llm/models", **named).status == 200
    assert error(call(host, "GET", "config", **named)) == (401, "wrong_token")
    assert error(call(host, "POST", "unload", {}, **named)) == (401, "wrong_token")
    assert error(call(host, "POST", "unload", {}, Authorization="Bearer wrong", **named)) == (
        401,
        "wrong_token",
    )
    assert call(host, "POST", "unload", {}, Authorization=f"Bearer {TOKEN}", **named).status == 200
    key = {"provider": "openai", "key": KEY, "check": False}
    assert error(call(host, "POST", "keys", key, Authorization=f"Bearer {TOKEN}", **named)) == (
        403,
        "forbidden",
    )
    assert error(call(host, "GET", "config", Host="other.lan", Authorization=f"Bearer {TOKEN}")) == (
        403,
        "forbidden",
    )
    assert call(host, "GET", "config").status == 200, "this very machine needs none"


def test_ids_with_markup_are_text(endpoint_host: Host, wire: WireServer) -> None:
    wire.models = ["<img src=x onerror=alert(1)>", "fox"]
    answer = call(endpoint_host, "POST", "llm/models", {})
    assert "<img src=x onerror=alert(1)>" in [model["id"] for model in answer.json()["models"]]
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
