"""Routes on a web UI: where it listens, its queue, and its own logins on a real gradio server."""

from __future__ import annotations

import base64
import http.cookiejar
import socket
import sys
import urllib.parse
import urllib.request
from types import ModuleType, SimpleNamespace

import pytest
from routes.served import Served

from quillwork.interfaces.sdwebui.host import http as http_host
from quillwork.interfaces.sdwebui.host.http import WebUiHttpHost

USER, PASSWORD = "fox", "planted-password"
TOKEN = "planted-token-0123456789"


def options(**given):
    usual = {"server_name": None, "listen": False, "share": False, "ngrok": None, "api_auth": None}
    return SimpleNamespace(**{**usual, **given})


@pytest.mark.parametrize(
    ("given", "page", "listens"),
    [
        ({}, True, ["127.0.0.1"]),
        ({"listen": True}, True, ["0.0.0.0"]),
        ({"server_name": "192.168.1.5"}, True, ["192.168.1.5"]),
        ({"server_name": "127.0.0.1"}, False, ["127.0.0.1"]),
        ({}, False, ["0.0.0.0"]),  # without a page uvicorn is given no address, and listens on all
        ({"share": True}, True, ["127.0.0.1", "a tunnel"]),
        ({"ngrok": "token"}, True, ["127.0.0.1", "a tunnel"]),
    ],
)
def test_where_the_host_listens(given, page, listens, monkeypatch):
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    demo = SimpleNamespace(share=False) if page else None
    assert list(WebUiHttpHost(options(**given), demo).listens) == listens


def test_gradios_own_variable_counts(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert WebUiHttpHost(options(), SimpleNamespace()).listens == ("0.0.0.0",)


def test_keys_stay_on_a_host_that_does_not_know_its_browsers(home):
    from quillwork.config.access.session_keys import session_keys

    session_keys.set("openai", "sk-planted-Zq3vX9tR7mKb2LwYp5", "some browser")
    session_keys.set("groq", "sk-planted-Zq3vX9tR7mKb2LwYp5")
    session_keys.sweep(http_host.Anybody())
    assert session_keys.providers() == ["groq", "openai"]


@pytest.fixture
def page(home, monkeypatch):
    """Start gradio as a web UI does, with our routes: `page(auth=..., api_auth=...)`."""
    gradio = pytest.importorskip("gradio", reason="the lanes gradio3 and gradio4 have it")
    modules, shared = ModuleType("modules"), ModuleType("modules.shared")
    modules.shared = shared
    monkeypatch.setitem(sys.modules, "modules", modules)
    monkeypatch.setitem(sys.modules, "modules.shared", shared)
    started = []

    def start(auth=None, **given):
        shared.cmd_opts = options(**given)
        with gradio.Blocks(analytics_enabled=False) as demo:
            gradio.Markdown("a page")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        app, _, _ = demo.launch(
            auth=auth, server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, quiet=True
        )
        started.append(demo)
        http_host.open_routes(demo, app)
        return Served(port)

    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    yield start
    for demo in started:
        demo.close()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def log_in(served):
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar)
    )
    form = urllib.parse.urlencode({"username": USER, "password": PASSWORD}).encode()
    opener.open(f"http://127.0.0.1:{served.port}/login", form, timeout=30).close()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


@pytest.mark.webui
def test_a_page_without_a_login_asks_for_none(page):
    served = page()
    assert served("GET", "config").status == 200
    assert served("GET", "config", Host="evil.example").error == "forbidden"


@pytest.mark.webui
@pytest.mark.parametrize("path", ["targets", "config", "llm/models"])
def test_the_login_of_the_page_is_asked_for(page, path):
    served = page(auth=[(USER, PASSWORD)])
    for cookie in ("", "access-token=wrong", "access-token-unsecure=None", "other=1"):
        answer = served("GET", path, Cookie=cookie)
        assert (answer.status, answer.error) == (401, "login_needed")
        assert "WWW-Authenticate" not in answer.headers, "no browser asks for a password of its own"
    assert served("GET", path, Authorization=basic(USER, PASSWORD)).status == 401
    assert served("GET", path, Cookie=log_in(served)).status == 200


@pytest.mark.webui
def test_the_login_of_the_api_is_asked_for(page):
    served = page(api_auth=f"{USER}:{PASSWORD},owl:two")
    wrong = ("", "Basic", "Basic !", basic(USER, "two"), basic("nobody", ""), basic("", ""), "Bearer ")
    for given in wrong:
        answer = served("GET", "config", Authorization=given)
        assert (answer.status, answer.error) == (401, "login_needed"), given
        assert answer.headers["www-authenticate"] == "Basic"
        assert PASSWORD not in answer.body.decode()
    for user, password in ((USER, PASSWORD), ("owl", "two")):
        assert served("GET", "config", Authorization=basic(user, password)).status == 200
        assert served("POST", "unload", {}, Authorization=basic(user, password)).status == 200
    assert served("GET", "config", Host="evil.example", Authorization=basic(USER, PASSWORD)).status == 403


@pytest.mark.webui
def test_either_login_will_do_where_there_are_both(page):
    served = page(auth=[(USER, PASSWORD)], api_auth="owl:two")
    assert served("GET", "config").status == 401
    assert served("GET", "config", Authorization=basic("owl", "two")).status == 200
    assert served("GET", "config", Cookie=log_in(served)).status == 200


@pytest.mark.webui
def test_our_own_tokens_pass_the_hosts_login_where_they_are_asked_for(page, monkeypatch):
    monkeypatch.setenv("LLM_SERVICE_TOKEN", TOKEN)
    monkeypatch.setenv("LLM_PROXY_TOKEN", "planted-proxy-token")
    monkeypatch.setenv("LLM_ENABLE_OPENAI_PROXY", "1")
    served = page(api_auth="owl:two", share=True)
    assert served("GET", "config", Authorization=basic("owl", "two")).error == "wrong_token"
    assert served("GET", "config", Authorization=f"Bearer {TOKEN}").status == 200
    assert served("GET", "config", Authorization="Bearer planted-proxy-token").error == "login_needed"
    assert served("GET", "v1/models", Authorization="Bearer planted-proxy-token").status == 200
    assert served("GET", "v1/models").error == "login_needed"
