"""The change from litellm to our own transport, where the library breaks inside itself."""

from __future__ import annotations

import concurrent.futures
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from wire.answers import TEXT
from wire.deployments import deployment, key_of

from quillwork.llm_backends import client, errors, modes, registry
from quillwork.llm_backends.remote.litellm_sdk import presence
from quillwork.llm_backends.remote.provider.backend import Provider
from quillwork.llm_backends.types import AUTO_TRANSPORT, SDK_TRANSPORT, Image, Message, Tool


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


@pytest.fixture
def slow_import(monkeypatch):
    """`slow_import(deployed)` begins to prepare calls to it; the import ends when the test says so."""
    litellm = pytest.importorskip("litellm", reason="litellm is not installed here")
    provider = registry.get(modes.LITELLM)

    def begin(deployed):
        coming = provider._sdk.library._coming = concurrent.futures.Future()
        assert provider.warm_up(deployed)
        return lambda: coming.set_result(litellm)

    return begin


def test_a_call_does_not_wait_for_an_import_that_was_begun_beforehand(wire, slow_import):
    deployed = deployment(wire, "groq", transport=AUTO_TRANSPORT)
    end = slow_import(deployed)
    assert client.ask("a fox", deployed).text == TEXT
    assert wire.log[0].headers["user-agent"] == "quillwork"

    end()
    for thread in threading.enumerate():
        if thread.name == "quillwork-rehearsal":
            thread.join(60)
    assert client.ask("a fox", deployed).text == TEXT
    assert wire.log[1].headers["user-agent"] != "quillwork"


def test_plain_chat_does_not_wait_either_where_there_is_a_compatible_address(wire, slow_import):
    deployed = deployment(wire, "anthropic", transport=AUTO_TRANSPORT)
    end = slow_import(deployed)
    result = client.ask("a fox", deployed, temperature=0.5, max_tokens=50, seed=7)
    assert (result.text, result.warnings) == (TEXT, ())
    assert [entry.path for entry in wire.log] == ["/at/anthropic/compatible/chat/completions"]
    assert wire.log[0].headers["authorization"] == f"Bearer {key_of('anthropic')}"

    end()
    for thread in threading.enumerate():
        if thread.name == "quillwork-rehearsal":
            thread.join(60)
    assert client.ask("a fox", deployed).text == TEXT
    assert wire.log[1].path == "/v1/messages"


PICTURE = Image("image/png", b"\x89PNG" + bytes(60))


@pytest.mark.parametrize(
    ("id", "transport", "question", "how"),
    [
        ("groq", SDK_TRANSPORT, "a fox", {}),
        ("replicate", "", "a fox", {}),
        ("anthropic", AUTO_TRANSPORT, "a fox", {"schema": {"type": "object"}}),
        ("anthropic", AUTO_TRANSPORT, "a fox", {"reasoning": "low"}),
        ("anthropic", AUTO_TRANSPORT, "a fox", {"extra": {"top_k": 5}}),
        ("anthropic", AUTO_TRANSPORT, "a fox", {"tools": (Tool("look", "Looks.", {"type": "object"}),)}),
        ("anthropic", AUTO_TRANSPORT, [Message("user", "what", images=(PICTURE,))], {}),
        ("gemini", AUTO_TRANSPORT, "a fox", {"seed": 7}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_who_insists_on_litellm_or_asks_for_more_than_chat_waits_for_its_import(
    wire, slow_import, id, transport, question, how
):
    deployed = deployment(wire, id, transport=transport)
    end = slow_import(deployed)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.ask, question, deployed, **how)
        with pytest.raises(concurrent.futures.TimeoutError):
            answer.result(0.2)
        assert wire.log == []
        end()
        if id == "replicate":  # litellm calls it at its own address only
            with pytest.raises(errors.NotConfigured):
                answer.result(60)
            return
        assert answer.result(60).text
    assert wire.log[0].headers["user-agent"] != "quillwork"


def test_where_the_library_breaks_a_compatible_address_is_called(wire, broken):
    deployed = deployment(wire, "anthropic", transport=AUTO_TRANSPORT)
    result = client.ask("a fox", deployed, schema={"type": "object"})
    assert result.text and broken() == 1
    assert result.warnings[0].endswith("Anthropic (fox) was called without litellm.")
    assert result.warnings[1:] == ("Anthropic (fox) does not support response_format, so it was left out.",)
    assert [entry.path for entry in wire.log] == ["/at/anthropic/compatible/chat/completions"]
    tool = Tool("look", "Looks.", {"type": "object"})
    with pytest.raises(errors.LibraryFault):
        client.ask("a fox", deployment(wire, "gemini", transport=AUTO_TRANSPORT, retries=0), tools=(tool,))
    assert len(wire.log) == 1
