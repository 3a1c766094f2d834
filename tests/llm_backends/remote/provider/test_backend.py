"""The change from litellm to our own transport, where the library breaks inside itself."""

from __future__ import annotations

import concurrent.futures
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from wire.answers import TEXT
from wire.deployments import deployment

from quillwork.llm_backends import client, errors, modes, registry
from quillwork.llm_backends.remote.litellm_sdk import presence
from quillwork.llm_backends.remote.provider.backend import Provider
from quillwork.llm_backends.types import AUTO_TRANSPORT, SDK_TRANSPORT


@pytest.fixture(autouse=True)
def _anew(monkeypatch):
    """A backend that knows of no fault yet."""
    provider = Provider()
    monkeypatch.setitem(registry._makers, modes.LITELLM, lambda: provider)
    monkeypatch.setitem(registry._backends, modes.LITELLM, provider)
    monkeypatch.setattr(presence, "_failure", "")


@pytest.fixture
def broken(monkeypatch):
    """`broken()` counts the calls to a litellm whose own code does not fit together."""
    litellm = pytest.importorskip("litellm", reason="litellm is not installed here")
    calls = []

    async def acompletion(**given):
        calls.append(given["model"])
        raise TypeError("post() got an unexpected keyword argument 'something_new'")

    monkeypatch.setattr(litellm, "acompletion", acompletion)
    return lambda: len(calls)


def test_where_the_library_breaks_a_call_goes_on_directly_with_a_warning(wire, broken):
    deployed = deployment(wire, "groq", transport=AUTO_TRANSPORT)
    for _ in range(2):
        result = client.ask("a fox", deployed)
        assert result.text == TEXT
        (warning,) = result.warnings
        assert "a bug in a package on this machine" in warning
        assert warning.endswith("Groq (fox) was called without litellm.")
    assert broken() == 1, "what broke once is not tried again"
    assert [entry.path for entry in wire.log] == ["/openai/v1/chat/completions"] * 2
    assert client.ask("a fox", deployment(wire, "openai", transport=AUTO_TRANSPORT)).warnings
    assert broken() == 2, "another provider has code of its own in the library"


def test_whoever_insists_on_litellm_hears_of_the_fault(wire, broken):
    with pytest.raises(errors.LibraryFault):
        client.ask("a fox", deployment(wire, "groq", transport=SDK_TRANSPORT, retries=0))
    with pytest.raises(errors.LibraryFault):
        client.ask("a fox", deployment(wire, "anthropic", retries=0))
    assert wire.log == []


def test_a_fault_of_the_provider_is_no_reason_to_ask_it_again(wire):
    pytest.importorskip("litellm", reason="litellm is not installed here")
    with pytest.raises(errors.ProviderFailed):
        client.ask("a fox", deployment(wire, "groq", "fox-status500", transport=AUTO_TRANSPORT, retries=0))
    assert len(wire.log) == 1


def test_a_library_that_cannot_be_loaded_is_passed_by(wire, monkeypatch, tmp_path):
    (tmp_path / "litellm").mkdir()
    (tmp_path / "litellm" / "__init__.py").write_text("import pydantic\npydantic.no_such_name_in_any\n")
    for name in [name for name in sys.modules if name.partition(".")[0] == "litellm"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    deployed = deployment(wire, "groq", transport=AUTO_TRANSPORT)
    result = client.ask("a fox", deployed)
    assert result.text == TEXT
    assert "litellm is installed but cannot be loaded" in result.warnings[0]
    assert presence.obstacle() == "it cannot be loaded (AttributeError)"
    with pytest.raises(errors.DependencyMissing):
        client.ask("a fox", replace(deployed, transport=SDK_TRANSPORT, retries=0))


@pytest.mark.parametrize(
    ("version", "said"), [("1.10.15", "it needs pydantic 2, and 1.10.15 is installed"), ("2.11.0", "")]
)
def test_an_old_pydantic_is_seen_without_an_import(monkeypatch, version, said):
    monkeypatch.setattr("importlib.metadata.version", lambda name: version)
    assert presence._old_pydantic.__wrapped__() == said


def test_a_call_does_not_wait_for_an_import_that_was_begun_beforehand(wire):
    """The import of a slow machine: it has begun, and ends when the test says so."""
    litellm = pytest.importorskip("litellm", reason="litellm is not installed here")
    provider = registry.get(modes.LITELLM)
    coming = provider._sdk.library._coming = concurrent.futures.Future()
    deployed = deployment(wire, "groq", transport=AUTO_TRANSPORT)

    assert provider.warm_up(deployed)
    assert client.ask("a fox", deployed).text == TEXT
    assert wire.log[0].headers["user-agent"] == "quillwork"

    coming.set_result(litellm)
    for thread in threading.enumerate():
        if thread.name == "quillwork-rehearsal":
            thread.join(60)
    assert client.ask("a fox", deployed).text == TEXT
    assert wire.log[1].headers["user-agent"] != "quillwork"


def test_who_insists_on_litellm_or_needs_it_waits_for_its_import(wire):
    litellm = pytest.importorskip("litellm", reason="litellm is not installed here")
    provider = registry.get(modes.LITELLM)
    asked = [deployment(wire, "groq", transport=SDK_TRANSPORT), deployment(wire, "anthropic")]
    for deployed in asked:
        coming = provider._sdk.library._coming = concurrent.futures.Future()
        provider.warm_up(deployed)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(client.ask, "a fox", deployed)
            with pytest.raises(concurrent.futures.TimeoutError):
                answer.result(0.2)
            assert wire.log == []
            coming.set_result(litellm)
            assert answer.result(60).text == TEXT
        wire.log.clear()
