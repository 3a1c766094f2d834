"""Isolation of the real litellm: it must not read the environment, tell others, leave traces, or block."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from wire.deployments import EVERYWHERE, deployment, key_of, without_key

from quillwork.llm_backends import host
from quillwork.llm_backends.errors import LLMError, RedirectRefused
from quillwork.llm_backends.remote.litellm_sdk.backend import LiteLLMSDK
from quillwork.llm_backends.types import Deployment, Message, Request

pytest.importorskip("litellm", reason="litellm is not installed here")

TESTS = Path(__file__).resolve().parents[4]
QUESTION = Request((Message("user", "a fox with a secret"),))
everywhere = pytest.mark.parametrize("provider", EVERYWHERE)
PLANTED = {
    "OPENAI_API_KEY": "sk-stray-openai-key",
    "OPENAI_ORG_ID": "org-stray",
    "OPENAI_ORGANIZATION": "org-stray",
    "OPENAI_PROJECT_ID": "proj-stray",
    "OPENAI_CUSTOM_HEADERS": "X-Stray: stray-header",
    "OPENAI_ADMIN_KEY": "sk-stray-admin",
    "ANTHROPIC_API_KEY": "sk-stray-anthropic",
    "ANTHROPIC_AUTH_TOKEN": "stray-token",
    "GEMINI_API_KEY": "stray-gemini",
    "GOOGLE_API_KEY": "stray-google",
    "GROQ_API_KEY": "stray-groq",
    "OPENROUTER_API_KEY": "stray-openrouter",
    "OR_API_KEY": "stray-openrouter",
    "HF_TOKEN": "hf_stray",
    "HUGGINGFACE_API_KEY": "hf_stray",
    "TOGETHERAI_API_KEY": "stray-together",
    "TOGETHER_API_KEY": "stray-together",
    "DEEPSEEK_API_KEY": "stray-deepseek",
    "MISTRAL_API_KEY": "stray-mistral",
    "COHERE_API_KEY": "stray-cohere",
    "CO_API_KEY": "stray-cohere",
    "AZURE_API_KEY": "stray-azure",
    "AZURE_OPENAI_API_KEY": "stray-azure",
    "AZURE_OPENAI_AD_TOKEN": "stray-ad-token",
    "AZURE_AD_TOKEN": "stray-ad-token",
    "AZURE_API_VERSION": "1999-01-01",
    "OPENAI_API_VERSION": "1999-01-01",
    "HOSTED_VLLM_API_KEY": "stray-vllm",
    "LM_STUDIO_API_KEY": "stray-studio",
    "OLLAMA_API_KEY": "stray-ollama",
    "AWS_ACCESS_KEY_ID": "AKIASTRAY12345678",
    "AWS_SECRET_ACCESS_KEY": "stray-secret",
    "AWS_SESSION_TOKEN": "stray-session",
    "AWS_BEARER_TOKEN_BEDROCK": "stray-bearer",
    "AWS_REGION": "mars-west-1",
    "LITELLM_API_KEY": "stray-litellm",
}
# Addresses to which a call must not be diverted; the second origin of the imitation server sees it.
DIVERSIONS = (
    *("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE", "GEMINI_API_BASE"),
    *("GROQ_API_BASE", "OPENROUTER_API_BASE", "HF_API_BASE", "TOGETHER_AI_API_BASE", "DEEPSEEK_API_BASE"),
    *("MISTRAL_API_BASE", "AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT", "COHERE_API_BASE", "OLLAMA_API_BASE"),
    *("HOSTED_VLLM_API_BASE", "LM_STUDIO_API_BASE", "AWS_BEDROCK_RUNTIME_ENDPOINT", "LITELLM_PROXY_API_BASE"),
)
PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")

_loop = asyncio.new_event_loop()
_sdk = LiteLLMSDK()
_outside: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _end():
    yield
    _loop.run_until_complete(_sdk.close())
    _loop.close()


@pytest.fixture
def outside():
    """Every address outside this machine that anything in the process looked up or connected to."""
    _watch()
    _outside.clear()
    return _outside


_watching = False


def _watch() -> None:
    global _watching
    if _watching:
        return
    _watching = True

    def note(event: str, arguments: tuple) -> None:
        if event == "socket.getaddrinfo":
            address = arguments[0]
        elif event == "socket.connect":
            address = arguments[1][0] if isinstance(arguments[1], tuple) else ""
        else:
            return
        name = address.decode() if isinstance(address, bytes) else str(address or "")
        if name not in ("", "127.0.0.1", "localhost", "::1"):
            _outside.append(name)

    sys.addaudithook(note)


async def listen(deployed: Deployment, sdk: LiteLLMSDK = _sdk) -> str:
    return "".join([chunk.text async for chunk in sdk.stream(QUESTION, deployed)])


def ask(deployed: Deployment) -> str:
    return _loop.run_until_complete(asyncio.wait_for(listen(deployed), 30))


@everywhere
def test_nothing_of_the_environment_gets_into_a_call(wire, provider, monkeypatch):
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    for name in DIVERSIONS:
        monkeypatch.setenv(name, wire.other_url + "/v1")
    deployed = deployment(wire, provider)
    assert ask(deployed) == "a red fox in fresh snow"
    (sent,) = wire.log
    assert sent.origin == wire.url
    everything = json.dumps([sent.headers, sent.query, sent.path, sent.body.decode()]).lower()
    assert "stray" not in everything
    assert "mars-west" not in everything
    assert "1999-01-01" not in everything
    assert not {"openai-organization", "openai-project", "x-stray"} & sent.headers.keys()
    assert key_of(provider) in json.dumps([sent.headers, sent.query])


@everywhere
def test_without_a_key_no_other_is_taken(wire, provider, monkeypatch):
    if provider == "bedrock":
        pytest.skip("without a token Bedrock is signed for, with a pair of keys of its own")
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    assert ask(without_key(deployment(wire, provider))) == "a red fox in fresh snow"
    (sent,) = wire.log
    assert "stray" not in json.dumps([sent.headers, sent.query]).lower()
    assert not {"authorization", "x-api-key", "api-key", "x-goog-api-key"} & sent.headers.keys()


@everywhere
def test_what_other_packs_set_in_litellm_is_not_taken(wire, provider, monkeypatch):
    import litellm

    monkeypatch.setattr(host, "_program", "ComfyUI")
    seen: list[object] = []
    for name in ("api_key", "openai_key", "anthropic_key", "ollama_key", "azure_key", "cohere_key"):
        monkeypatch.setattr(litellm, name, "sk-stray-of-another-pack", raising=False)
    monkeypatch.setattr(litellm, "api_base", wire.other_url + "/v1")
    monkeypatch.setattr(litellm, "organization", "org-stray")
    monkeypatch.setattr(litellm, "headers", {"x-stray": "stray"}, raising=False)
    monkeypatch.setattr(litellm, "num_retries", 3)
    for name in ("success_callback", "failure_callback", "input_callback", "_async_success_callback"):
        monkeypatch.setattr(litellm, name, [lambda *given, **named: seen.append((given, named))])
    if provider == "ollama":
        # For Ollama litellm puts its global address above that of the call: stopped, not followed.
        with pytest.raises(RedirectRefused, match="Restart ComfyUI without it"):
            ask(deployment(wire, provider))
        assert wire.log == []
        monkeypatch.setattr(litellm, "api_base", None)
    ask(deployment(wire, provider))
    with pytest.raises(LLMError, match="503"):
        ask(deployment(wire, provider, "fox-status503"))
    _loop.run_until_complete(asyncio.sleep(0.05))
    assert len(wire.log) == 2, "another pack's retries were taken over"
    assert {sent.origin for sent in wire.log} == {wire.url}
    for sent in wire.log:
        assert "sk-stray" not in json.dumps([sent.headers, sent.query])
        assert "openai-organization" not in sent.headers
    assert seen == [], "another pack's callbacks saw the call"


@everywhere
def test_a_proxy_of_the_environment_is_not_for_this_machine(wire, provider, monkeypatch):
    for name in PROXIES:
        monkeypatch.setenv(name, wire.other_url)
    assert ask(deployment(wire, provider)) == "a red fox in fresh snow"
    assert {sent.origin for sent in wire.log} == {wire.url}


def test_a_proxy_of_the_environment_serves_other_hosts(wire, monkeypatch):
    monkeypatch.setenv("http_proxy", wire.other_url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    deployed = deployment(wire, "openai", base_url="http://provider.example/v1")
    assert ask(deployed) == "a red fox in fresh snow"
    (sent,) = wire.log
    assert sent.origin == wire.other_url
    assert sent.headers["host"] == "provider.example"


@everywhere
def test_nothing_else_is_called(wire, provider, outside):
    """Some models' names make litellm look for tokenizers, templates or prices on the net."""
    models = ["fox", "llama-3-8b", "fox-nousage", "llama-3-nousage"]
    if provider not in ("azure", "bedrock", "gemini"):  # where the name is a part of the path
        models += ["command-r", "meta-llama/fox"]
    for model in models:
        ask(deployment(wire, provider, model))
    with pytest.raises(LLMError, match="503"):
        ask(deployment(wire, provider, "llama-status503"))
    _loop.run_until_complete(asyncio.sleep(0.05))
    assert outside == []
    assert [sent.method for sent in wire.log] == ["POST"] * (len(models) + 1)


@everywhere
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_nothing_is_logged_or_printed(wire, provider, capfd, caplog, level):
    with caplog.at_level(level, logger=""):
        ask(deployment(wire, provider))
        for model in ("fox-status401", "fox-cut"):
            with pytest.raises(LLMError, match="fox"):
                ask(deployment(wire, provider, model))
        _loop.run_until_complete(asyncio.sleep(0.02))
    out, err = capfd.readouterr()
    assert "Give Feedback" not in out + err
    assert key_of(provider) not in out + err + caplog.text
    # At DEBUG the library openai writes down whole requests: who turns it on for all wants to see them.
    if level == "INFO":
        assert "a fox with a secret" not in out + err + caplog.text
    else:
        assert not [record for record in caplog.records if record.name.startswith("LiteLLM")]


def test_keys_are_forgotten(wire):
    import gc

    ask(deployment(wire, "azure"))
    ask(deployment(wire, "openai"))
    _sdk.forget_keys()
    import litellm

    kept = litellm.in_memory_llm_clients_cache.cache_dict
    gc.collect()
    held = [client for client in kept.values() if "planted" in str(getattr(client, "api_key", ""))]
    assert held == []


def test_it_can_be_used_again_after_closing(wire):
    async def twice() -> list[str]:
        first = await listen(deployment(wire, "openai"))
        await _sdk.close()
        return [first, await listen(deployment(wire, "openai"))]

    assert _loop.run_until_complete(twice()) == ["a red fox in fresh snow"] * 2


def test_it_can_be_used_on_another_loop(wire):
    sdk = LiteLLMSDK()
    assert [asyncio.run(listen(deployment(wire, "openai"), sdk)) for _ in range(2)] == [
        "a red fox in fresh snow"
    ] * 2


def fresh(code: str, **environment: str) -> str:
    """Run `code` in a process of its own, where litellm is not imported yet; return its output."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=TESTS,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_import_leaves_the_environment_and_the_net_alone(tmp_path):
    (tmp_path / ".env").write_text("STRAY_VARIABLE=from-a-dotenv\n")
    said = fresh(
        """
        import asyncio, os, sys, logging
        import conftest
        from quillwork.llm_backends.remote.litellm_sdk import backend
        assert "litellm" not in sys.modules
        outside = []
        def note(event, arguments):
            if event in ("socket.getaddrinfo", "socket.connect"):
                outside.append(arguments)
        sys.addaudithook(note)
        os.chdir(os.environ["HERE"])
        before, root = dict(os.environ), (logging.root.level, list(logging.root.handlers))
        async def load():
            return await backend.LiteLLMSDK().library.load()
        litellm = asyncio.run(load())
        assert dict(os.environ) == before, set(os.environ.items()) ^ set(before.items())
        assert (logging.root.level, list(logging.root.handlers)) == root
        assert not outside, outside
        assert litellm.suppress_debug_info is True
        for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
            logger = logging.getLogger(name)
            assert logger.level == logging.CRITICAL and not logger.propagate
        print(litellm.drop_params, litellm.num_retries, litellm.cache, litellm.callbacks, litellm.api_key)
        """,
        HERE=str(tmp_path),
        LITELLM_MODE="DEV",
    )
    assert said.split() == ["False", "None", "None", "[]", "None"]


def test_a_call_that_is_cancelled_does_not_wait_for_the_import():
    said = fresh(
        """
        import asyncio, sys, time
        import conftest
        from quillwork.llm_backends.remote.litellm_sdk.backend import LiteLLMSDK
        from quillwork.llm_backends.types import Deployment, Message, Request
        async def main():
            sdk = LiteLLMSDK()
            deployed = Deployment("litellm", "fox", provider="openai", base_url="http://127.0.0.1:9/v1")
            async def ask():
                async for _ in sdk.stream(Request((Message("user", "x"),)), deployed):
                    pass
            task = asyncio.ensure_future(ask())
            await asyncio.sleep(0.05)
            assert not task.done(), "the import was over already"
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                print("cancelled", sdk.library.loaded() is not None)
            # The import goes on, and serves the next call.
            print((await sdk.library.load()).__name__)
        asyncio.run(main())
        """
    )
    assert said.split() == ["cancelled", "False", "litellm"]


def test_a_program_that_ends_does_not_wait_for_the_import():
    said = fresh(
        """
        import asyncio, sys
        import conftest
        from quillwork.llm_backends.remote.litellm_sdk.backend import LiteLLMSDK
        async def main():
            sdk = LiteLLMSDK()
            task = asyncio.ensure_future(sdk.library.load())
            await asyncio.sleep(0.05)
            task.cancel()
            print("over", sdk.library.loaded() is not None)
        asyncio.run(main())
        """
    )
    assert said.split() == ["over", "False"]


def test_who_imports_litellm():
    """The SDK's backend, and the module for litellm's own integrations once the SDK has carried a call."""
    root = TESTS.parent
    importing = [
        path.relative_to(root).as_posix()
        for folder in ("llm_backends", "config", "prompting", "nodes", "interfaces")
        for path in (root / folder).rglob("*.py")
        if any(
            line.strip().startswith(("import litellm", "from litellm", "import openai", "from openai"))
            for line in path.read_text(encoding="utf-8").splitlines()
        )
    ]
    assert sorted(importing) == [
        "llm_backends/observers/litellm_callbacks.py",
        "llm_backends/remote/litellm_sdk/clients.py",
        "llm_backends/remote/litellm_sdk/library.py",
        "llm_backends/remote/litellm_sdk/silent_log.py",
    ]
