"""A server of one's own, chosen on the page: tested first, kept with its key bound to it, and guarded."""

from __future__ import annotations

import json
import stat

import pytest

from quillwork.config import own_server
from quillwork.config.access import kept_keys
from quillwork.config.access.session_keys import session_keys
from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.settings.values import load
from quillwork.llm_backends.types import Secret

KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"
OTHER = "sk-other-9aB8cD7eF6gH5iJ4kL"


@pytest.fixture(autouse=True)
def _nothing_held():
    session_keys.clear()
    yield
    session_keys.clear()


def after_a_restart():
    session_keys.clear()


class TestChoosing:
    def test_a_server_that_answers_is_kept_and_called(self, call, home, wire):
        answer = call("POST", "server", {"address": f"{wire.url}/v1/"})
        assert answer.content == {"ok": True, "message": "", "hint": "", "models": ["fox-large", "fox-small"]}
        assert json.loads((home / "server.json").read_text()) == {"LLM_BASE_URL": f"{wire.url}/v1"}
        row = next(one for one in load().describe() if one["name"] == "LLM_BASE_URL")
        assert (row["value"], row["origin"]) == (f"{wire.url}/v1", "server.json")
        assert deploy(Choice(llm_model="fox")).base_url == f"{wire.url}/v1"
        assert call("GET", "server").content["address"] == f"{wire.url}/v1"

    def test_only_looking_keeps_nothing(self, call, home, wire):
        wanted = {"address": wire.url, "key": KEY, "keep": True, "only_check": True}
        assert call("POST", "server", wanted).content["models"] == ["fox-large", "fox-small"]
        assert wire.log[-1].headers["authorization"] == f"Bearer {KEY}"
        assert not (home / "server.json").exists()
        assert not (home / "keys.json").exists()
        assert session_keys.providers() == []

    def test_a_silent_server_is_not_kept(self, call, home):
        answer = call(
            "POST", "server", {"address": "http://127.0.0.1:9/v1", "key": KEY, "keep": True}
        ).content
        assert not answer["ok"]
        assert "127.0.0.1:9" in answer["message"]
        assert not (home / "server.json").exists()
        assert session_keys.providers() == kept_keys.names(home) == []

    def test_a_refused_key_is_not_kept(self, call, home, wire):
        wire.models_status = 401
        answer = call("POST", "server", {"address": wire.url, "key": OTHER, "keep": True}).content
        assert (answer["ok"], answer["models"]) == (False, [])
        assert "rejected the key" in answer["message"]
        assert not (home / "server.json").exists()
        assert session_keys.providers() == kept_keys.names(home) == []
        assert "requires a key" in call("POST", "server", {"address": wire.url}).content["message"]

    def test_what_the_other_side_says_is_not_passed_on(self, call, wire):
        wire.models_status = 418
        answer = call("POST", "server", {"address": f"{wire.url}/private"}).content
        assert not answer["ok"]
        assert answer["message"] == f"{wire.url} responds, but lists no models."

    @pytest.mark.parametrize(
        "address",
        [
            "file:///etc/passwd",
            "ftp://127.0.0.1/v1",
            "http://",
            "http://me:secret@127.0.0.1/v1",
            "http://127.0.0.1/v1?key=secret",
            "http://127.0.0.1:99999/v1",
            "http://127.0.0.1/v1,http://127.0.0.2/v1",
            "http://169.254.169.254/latest",
            "http://169.254.43518/latest",
            "http://[::ffff:169.254.169.254]/latest",
            "http://[fe80::1]/v1",
            "http://0:8000/v1",
            "http://two words/v1",
        ],
    )
    def test_no_other_addresses(self, call, home, wire, address):
        answer = call("POST", "server", {"address": address})
        assert answer.status == 400
        assert answer.error["hint"]
        assert "secret" not in json.dumps(answer.content)
        assert not (home / "server.json").exists()
        assert wire.log == []

    @pytest.mark.parametrize("where", ["environment", ".env"])
    def test_an_address_set_elsewhere_comes_first_and_says_so(self, call, home, env, wire, where):
        if where == ".env":
            (home / ".env").write_text("LLM_BASE_URL=http://127.0.0.1:1/v1\n")
        else:
            env(LLM_BASE_URL="http://127.0.0.1:1/v1")
        answer = call("POST", "server", {"address": wire.url})
        assert answer.status == 400
        assert where in answer.error["message"]
        assert where in call("GET", "server").content["obstacle"]
        # A server that was chosen before does not win either.
        own_server.write(home, f"{wire.url}/v1")
        assert load().value("LLM_BASE_URL").text == "http://127.0.0.1:1/v1"

    def test_it_is_forgotten_with_its_key(self, call, home, wire):
        call("POST", "server", {"address": wire.url, "key": KEY, "keep": True})
        call("DELETE", "server", headers={"content-type": None})
        assert load().endpoint() is None
        assert session_keys.providers() == kept_keys.names(home) == []

    def test_found_servers(self, call, wire, monkeypatch):
        usual = (("Here", f"{wire.url}/v1"), ("Nobody", "http://127.0.0.1:9/v1"))
        monkeypatch.setattr(own_server, "USUAL", usual)
        found = call("POST", "server/find", {}).content["servers"]
        assert found == [{"label": "Here", "address": f"{wire.url}/v1"}]


class TestGuard:
    def test_other_sites_and_plain_forms_are_refused(self, call, home, wire):
        wanted = {"address": wire.url}
        for headers in (
            {"x-quillwork": None},
            {"origin": "http://evil.example"},
            {"origin": "null"},
            {"host": "evil.example"},
            {"content-type": "text/plain"},
        ):
            assert call("POST", "server", wanted, headers=headers).status in (400, 403)
        assert wire.log == []
        assert not (home / "server.json").exists()

    def test_beyond_this_machine_only_with_the_token(self, call, env, home, wire):
        call.host.listens = ("0.0.0.0",)
        assert call("POST", "server", {"address": wire.url}).status == 403
        env(LLM_SERVICE_TOKEN="a-token-of-mine-123")
        assert call("POST", "server", {"address": wire.url}).status == 401
        assert wire.log == []
        carried = {"authorization": "Bearer a-token-of-mine-123"}
        assert call("POST", "server", {"address": wire.url}, headers=carried).content["ok"]
        refused = call("POST", "server", {"address": wire.url, "key": KEY}, headers=carried)
        assert refused.status == 403

    def test_settings_take_no_address(self, call):
        assert call("POST", "config", {"settings": {"LLM_BASE_URL": "http://127.0.0.1:1"}}).status == 403


class TestKeys:
    def test_key_is_there_after_a_restart_and_in_no_answer(self, call, home, wire, caplog):
        answer = call("POST", "server", {"address": wire.url, "key": KEY, "keep": True})
        after_a_restart()
        address, key = load().endpoint()
        assert key == Secret(KEY)
        assert KEY not in repr((address, key, load().describe()))
        row = next(one for one in call("GET", "keys").content["keys"] if one["provider"] == "endpoint")
        assert row["source"] == "kept"
        answers = [answer.content] + [
            call("GET", path).content for path in ("server", "keys", "config", "health")
        ]
        assert KEY not in json.dumps(answers)
        assert KEY not in caplog.text

    def test_doctor_says_where_both_come_from(self, call, wire):
        call("POST", "server", {"address": wire.url, "key": KEY, "keep": True})
        after_a_restart()
        call("POST", "llm/models", {})
        (check,) = [one for one in call("GET", "health").content["checks"] if one["name"] == "Endpoint"]
        assert check["ok"]
        assert check["message"].endswith("(address from server.json; key kept)")

    def test_key_of_one_server_goes_to_no_other(self, call, home, wire):
        call("POST", "server", {"address": wire.url, "key": KEY, "keep": True})
        wire.log.clear()
        assert call("POST", "server", {"address": wire.other_url}).content["ok"]
        assert "authorization" not in wire.log[-1].headers
        _, key = load().endpoint()
        assert key is None
        assert deploy(Choice(llm_model="fox")).api_key is None
        # Back at the first server, its key is there again.
        assert call("POST", "server", {"address": wire.url}).content["ok"]
        assert deploy(Choice(llm_model="fox")).api_key == Secret(KEY)

    def test_file_is_its_owners_alone(self, call, home, wire):
        call("POST", "server", {"address": wire.url, "key": KEY, "keep": True})
        row = next(one for one in call("GET", "keys").content["keys"] if one["provider"] == "endpoint")
        assert (row["source"], row["last_four"]) == ("kept", KEY[-4:])
        file = home / "keys.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        kept = call("GET", "keys").content["kept_in"]
        assert (kept["in_ring"], kept["name"]) == (False, str(file))

    def test_kept_key_of_a_provider(self, call, home, env):
        wanted = {"provider": "openai", "key": KEY, "check": False, "keep": True}
        key = call("POST", "keys", wanted).content
        assert "keys.json" in key["kept_in"]["label"]
        assert (key["source"], key["last_four"]) == ("kept", KEY[-4:])
        key = call("POST", "keys", {**wanted, "key": OTHER, "keep": False}).content
        assert (key["source"], key["last_four"]) == ("session", OTHER[-4:])
        after_a_restart()
        row = next(one for one in call("GET", "keys").content["keys"] if one["provider"] == "openai")
        assert (row["configured"], row["source"]) == (True, "kept")
        assert deploy(Choice(llm_model="openai/gpt-x", by_workflow=False)).api_key == Secret(KEY)
        env(OPENAI_API_KEY=OTHER)
        assert deploy(Choice(llm_model="openai/gpt-x", by_workflow=False)).api_key == Secret(OTHER)
        call("DELETE", "keys", {"provider": "openai"})
        assert kept_keys.names(home) == []

    def test_key_that_failed_its_test_is_not_kept(self, call, home, env, wire):
        env(LLM_BASE_URL=f"{wire.url}/v1")
        assert call("POST", "keys", {"provider": "endpoint", "key": KEY}).content["check"]["ok"]
        wire.models_status = 401
        answer = call("POST", "keys", {"provider": "endpoint", "key": OTHER, "keep": True}).content
        assert answer["check"]["ok"] is False
        assert "not saved" in answer["check"]["hint"]
        assert deploy(Choice(llm_model="fox")).api_key == Secret(KEY), "the one that works is still there"
        assert kept_keys.names(home) == []
