"""Keys of a session: in memory, whole, and gone when they are cleared, idle, or left behind."""

from __future__ import annotations

import threading

import pytest

from quillwork.config.access import key_holders
from quillwork.config.access.session_keys import GRACE_S, IDLE_S, SessionKeys, session_keys
from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.settings.values import load
from quillwork.llm_backends import registry
from quillwork.llm_backends.errors import MissingKey
from quillwork.llm_backends.types import Secret


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(clock) -> SessionKeys:
    return SessionKeys(clock)


def test_set_get_and_clear(keys):
    keys.set("openai", "  sk-one\n")
    keys.set("groq", "gsk-two")
    assert keys.get("openai") == Secret("sk-one")
    assert keys.providers() == ["groq", "openai"]
    keys.clear("openai")
    keys.clear("openai")
    assert keys.get("openai") is None
    assert keys.get("groq") == Secret("gsk-two")
    keys.clear()
    assert keys.get("groq") is None


@pytest.mark.parametrize("text", ["", "   ", "sk one", "sk\none", "sk\tone", "sk\x00one"])
def test_what_is_no_key_is_not_kept_and_not_repeated(keys, text):
    with pytest.raises(ValueError, match="not a valid key") as caught:
        keys.set("openai", text)
    assert "one" not in str(caught.value).replace("no key", "")
    assert keys.get("openai") is None


def test_a_call_in_flight_keeps_its_key(keys):
    keys.set("openai", "sk-one")
    held = keys.get("openai")
    keys.set("openai", "sk-two")
    keys.clear()
    assert held.reveal() == "sk-one"


def test_keys_show_nowhere(keys):
    keys.set("openai", "sk-planted-0123456789")
    keys.capture("job")
    assert "planted" not in repr(keys) + str(vars(keys))


@pytest.mark.parametrize(
    ("key", "shown"), [("sk-planted-0123456789", "6789"), ("short-key", ""), ("12345678901", "")]
)
def test_the_last_four_never_give_a_short_key_away(keys, key, shown):
    keys.set("openai", key)
    assert keys.last_four("openai") == shown
    assert keys.last_four("groq") == ""


def test_a_key_that_is_not_used_goes(keys, clock):
    keys.set("openai", "sk-one")
    clock.now += IDLE_S - 1
    assert keys.get("openai") is not None, "this is a use"
    clock.now += IDLE_S - 1
    assert keys.peek("openai") is not None, "this is none"
    clock.now += 2
    assert keys.peek("openai") is None
    assert keys.get("openai") is None
    assert keys.providers() == []


def test_sweeping_takes_what_is_idle(keys, clock):
    keys.set("openai", "sk-one", "tab")
    clock.now += IDLE_S + 1
    keys.sweep({"tab"})
    assert keys.providers() == []


def test_a_key_outlives_its_browser_by_the_grace_time_only(keys, clock):
    keys.set("openai", "sk-one", "tab")
    keys.sweep({"tab"})
    clock.now += GRACE_S * 3
    keys.sweep(set())
    clock.now += GRACE_S - 1
    keys.sweep(set())
    assert keys.providers() == ["openai"]
    clock.now += 1
    keys.sweep(set())
    assert keys.providers() == []


def test_a_browser_that_comes_back_keeps_its_keys(keys, clock):
    keys.set("openai", "sk-one", "tab")
    keys.sweep(set())
    clock.now += GRACE_S - 1
    keys.sweep({"tab"})
    clock.now += GRACE_S - 1
    keys.sweep(set())
    clock.now += GRACE_S - 1
    keys.sweep(set())
    assert keys.providers() == ["openai"]


def test_two_sessions_go_each_at_its_own_time(keys, clock):
    keys.set("openai", "sk-one", "first")
    keys.set("groq", "gsk-two", "second")
    keys.set("mistral", "mi-three")
    keys.sweep({"second"})
    clock.now += GRACE_S
    keys.sweep({"second"})
    assert keys.providers() == ["groq", "mistral"], "one of no known session stays while there is any"
    keys.sweep(set())
    clock.now += GRACE_S
    keys.sweep(set())
    assert keys.providers() == []


def test_a_queued_job_keeps_the_keys_it_was_queued_with(keys, clock):
    keys.set("openai", "sk-one")
    keys.capture("job")
    keys.set("openai", "sk-two")
    with keys.as_queued("job"):
        assert keys.get("openai") == Secret("sk-one")
    assert keys.get("openai") == Secret("sk-two")
    keys.clear()
    with keys.as_queued("job"):
        assert keys.get("openai") == Secret("sk-one")
        assert keys.get("groq") is None
    with keys.as_queued("another"):
        assert keys.get("openai") is None
    with keys.as_queued(None):
        assert keys.get("openai") is None


def test_another_thread_is_not_in_the_job(keys):
    keys.set("openai", "sk-one")
    keys.capture("job")
    keys.clear()
    found = []
    with keys.as_queued("job"):
        thread = threading.Thread(target=lambda: found.append(keys.get("openai")))
        thread.start()
        thread.join()
    assert found == [None]


def test_a_job_that_is_over_gives_its_keys_back(keys, clock):
    keys.set("openai", "sk-one")
    for job in ("running", "over"):
        keys.capture(job)
    keys.release({"running"})
    assert keys.jobs() == ["running", "over"], "the host may be looking at it still"
    clock.now += 61
    keys.release({"running"})
    assert keys.jobs() == ["running"]


def test_a_job_without_keys_takes_up_nothing(keys):
    keys.capture("job")
    assert keys.jobs() == []


def test_jobs_are_bounded(keys):
    keys.set("openai", "sk-one")
    for number in range(1500):
        keys.capture(str(number))
    assert len(keys.jobs()) == 1000
    assert keys.jobs()[-1] == "1499"


def test_those_that_hold_keys_hear_of_a_clearing(keys, clock):
    heard = []
    keys.on_clear(lambda: heard.append(keys.providers()))
    keys.set("openai", "sk-one")
    assert heard == []
    keys.set("openai", "sk-two")
    keys.clear("openai")
    keys.set("openai", "sk-one", "tab")
    keys.sweep({"tab"})
    assert len(heard) == 2
    clock.now += IDLE_S + 1
    keys.sweep({"tab"})
    assert heard == [["openai"], [], []]


def test_clearing_reaches_the_clients_of_every_backend(keys, monkeypatch):
    done = {name: threading.Event() for name in ("forgets", "closes")}

    class Forgets:
        def forget_keys(self):
            done["forgets"].set()

        async def close(self):
            raise AssertionError("a client without keys stays open")

    class Closes:
        async def close(self):
            done["closes"].set()

    class Fails:
        async def close(self):
            raise OSError("broken")

    monkeypatch.setattr(registry, "_backends", {"a": Fails(), "b": Forgets(), "c": Closes()})
    key_holders.watch(keys)
    keys.set("openai", "sk-one")
    keys.clear("openai")
    assert all(event.wait(60) for event in done.values())


def test_a_session_key_is_what_a_call_carries(home):
    session_keys.set("openai", "sk-session-0123456789")
    deployment = deploy(Choice(llm_model="openai/gpt-5-mini", by_workflow=False), load())
    assert deployment.api_key == Secret("sk-session-0123456789")
    session_keys.clear()
    with pytest.raises(MissingKey):
        deploy(Choice(llm_model="openai/gpt-5-mini", by_workflow=False), load())
