"""Access control: every way in that a host leaves open is shut here."""

from __future__ import annotations

import pytest

TOKEN = "planted-token-0123456789"
CHANGES = [
    ("POST", "llm/models"),
    ("POST", "keys"),
    ("DELETE", "keys"),
    ("POST", "config"),
    ("POST", "consent"),
    ("POST", "test"),
    ("POST", "enhance"),
    ("POST", "variables/generate"),
    ("PUT", "variables/color"),
    ("POST", "variables/color"),
    ("DELETE", "variables/color"),
    ("POST", "unload"),
]
READS = [
    "llm/models",
    "llm/providers",
    "keys",
    "config",
    "health",
    "targets",
    "variables",
    "tags",
    "openapi.json",
]
OPEN = ["llm/models", "llm/providers", "targets", "openapi.json"]
PRIVATE = ["keys", "config", "health", "variables", "tags"]


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8188",  # a name that was pointed at this machine
        "127.0.0.1.evil.example",
        "localhost.evil.example:8188",
        "192.168.1.5:8188",  # not the address that was called
        "",
        "127.0.0.1@evil.example",
        "evil.example#127.0.0.1",
        "[::1",
        "0.0.0.0:8188",
    ],
)
def test_a_foreign_name_is_no_host_of_ours(call, path, host):
    reply = call("GET", path, headers={"host": host})
    assert reply.status == 403
    assert reply.error["type"] == "forbidden"
    assert "LLM_ALLOWED_HOSTS" in reply.error["hint"]


def test_a_request_without_any_host_is_refused(call):
    assert call("GET", "targets", headers={"host": None}).status == 403


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8188", "localhost:8188", "LOCALHOST", "[::1]:8188", "127.1.2.3"]
)
def test_this_machine_is_known_by_its_names(call, host):
    assert call("GET", "targets", headers={"host": host}).status == 200


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "http://127.0.0.1:3000",  # another program on this machine
        "http://localhost:8188",  # another name is another origin
        "https://127.0.0.1.evil.example:8188",
        "file://",
        "",
        "garbage",
        "http://127.0.0.1:99999",
    ],
)
def test_a_foreign_origin_is_refused(call, path, origin):
    assert call("GET", path, headers={"origin": origin}).status == 403


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8188", "http://127.0.0.1:8188"),
        ("localhost", "http://localhost"),
        ("localhost", "https://localhost"),
        ("localhost:443", "https://localhost"),
        ("[::1]:8188", "http://[::1]:8188"),
        ("LOCALHOST:8188", "http://localhost:8188"),
    ],
)
def test_the_hosts_own_page_may_call(call, host, origin):
    assert call("GET", "config", headers={"host": host, "origin": origin}).status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_calls_foreign_is_refused_without_an_origin_too(call, site):
    assert call("GET", "llm/models", headers={"sec-fetch-site": site}).status == 403
    assert call("GET", "targets", headers={"sec-fetch-site": "same-origin"}).status == 200


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_what_changes_something_needs_a_header_that_no_foreign_page_can_send(call, method, path):
    for given in (None, "", "0", "true"):
        reply = call(method, path, {}, headers={"x-quillwork": given})
        assert reply.status == 403
        assert "X-Quillwork" in reply.error["message"]


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"]
)
def test_what_changes_something_is_json(call, method, path, kind):
    reply = call(method, path, {}, headers={"content-type": kind})
    assert reply.status == 400
    assert "application/json" in reply.error["hint"]


@pytest.mark.parametrize(("method", "path"), [change for change in CHANGES if change[0] != "DELETE"])
def test_a_body_says_what_it_is(call, method, path):
    assert call(method, path, {}, headers={"content-type": None}).status == 400


def test_json_with_a_charset_will_do(call):
    reply = call("POST", "unload", {}, headers={"content-type": "application/json; charset=utf-8"})
    assert reply.status == 200


BEYOND = [
    {"listens": ("0.0.0.0",)},
    {"listens": ("127.0.0.1", "::")},
    {"listens": ("192.168.1.5",)},
    {"peer": "192.168.1.7"},
    {"peer": ""},
    {"headers": {"host": "192.168.1.5:8188"}, "local": "192.168.1.5"},
    {"headers": {"x-forwarded-for": "203.0.113.9"}},
    {"headers": {"forwarded": "for=203.0.113.9"}},
]


def beyond(call, case, method, path, body=None, **headers):
    call.host.listens = case.get("listens", ("127.0.0.1",))
    return call(
        method,
        path,
        body,
        headers={**case.get("headers", {}), **headers},
        peer=case.get("peer", "127.0.0.1"),
        local=case.get("local", "127.0.0.1"),
    )


@pytest.mark.parametrize("case", BEYOND)
def test_beyond_this_machine_a_token_is_asked_for(call, env, case):
    env(LLM_SERVICE_TOKEN=TOKEN)
    for wrong in ("", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \u00e9"):
        reply = beyond(call, case, "POST", "unload", {}, authorization=wrong)
        assert (reply.status, reply.error["type"]) == (401, "wrong_token")
        assert TOKEN not in str(reply.content)
    assert beyond(call, case, "POST", "unload", {}, authorization=f"Bearer {TOKEN}").status == 200


@pytest.mark.parametrize("case", BEYOND)
def test_beyond_this_machine_nothing_changes_where_no_token_is_set(call, case):
    for method, path in CHANGES:
        reply = beyond(call, case, method, path, {})
        assert (reply.status, reply.error["type"]) == (403, "token_not_set")
        assert "LLM_SERVICE_TOKEN" in reply.error["hint"]


@pytest.mark.parametrize("path", PRIVATE)
def test_beyond_this_machine_what_is_anybodys_own_needs_the_token_too(call, env, path):
    env(LLM_SERVICE_TOKEN=TOKEN)
    case = {"listens": ("0.0.0.0",)}
    assert beyond(call, case, "GET", path).status == 401
    assert beyond(call, case, "GET", path, authorization=f"bearer {TOKEN}").status == 200


@pytest.mark.parametrize("path", OPEN)
def test_the_lists_need_none(call, path):
    assert beyond(call, {"listens": ("0.0.0.0",)}, "GET", path).status == 200


@pytest.mark.parametrize(
    ("allowed", "host", "status"),
    [
        ("studio.lan", "studio.lan:8188", 200),
        ("studio.lan", "STUDIO.lan.:8188", 200),
        ("studio.lan:8188", "studio.lan:8188", 200),
        ("studio.lan:8188", "studio.lan:9000", 403),
        ("studio.lan, other.lan", "other.lan", 200),
        ("studio.lan", "evil.studio.lan", 403),
        ("", "studio.lan", 403),
    ],
)
def test_further_names_are_those_that_are_set(call, env, allowed, host, status):
    env(LLM_ALLOWED_HOSTS=allowed)
    assert call("GET", "targets", headers={"host": host}).status == status


def test_keys_are_refused_where_others_could_spend_them(call, env):
    env(LLM_SERVICE_TOKEN=TOKEN)
    case, body = (
        {"listens": ("0.0.0.0",)},
        {"provider": "openai", "key": "sk-planted-0123456789", "check": False},
    )
    reply = beyond(call, case, "POST", "keys", body, authorization=f"Bearer {TOKEN}")
    assert reply.status == 403
    assert "remote_keys" in reply.error["hint"]
    assert "planted-0123" not in str(reply.content)
    status = beyond(call, case, "GET", "keys", authorization=f"Bearer {TOKEN}").content
    assert status["session_keys"] is False
    env(LLM_ALLOW="remote_keys")
    assert beyond(call, case, "POST", "keys", body, authorization=f"Bearer {TOKEN}").status == 200
