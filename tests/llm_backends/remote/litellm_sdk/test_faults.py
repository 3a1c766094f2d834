"""The real litellm against everything that goes wrong: a plain error of our family, and one attempt."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from wire.deployments import EVERYWHERE, deployment, key_of, signed, without_key

from quillwork.llm_backends import errors
from quillwork.llm_backends.remote.litellm_sdk.backend import LiteLLMSDK
from quillwork.llm_backends.types import Deployment, Message, Request

pytest.importorskip("litellm", reason="litellm is not installed here")

PROMPT = "a very private fox in the snow"
QUESTION = Request((Message("user", PROMPT),))
everywhere = pytest.mark.parametrize("provider", EVERYWHERE)
_loop = asyncio.new_event_loop()
_sdk = LiteLLMSDK()


@pytest.fixture(scope="module", autouse=True)
def _end():
    yield
    _loop.run_until_complete(_sdk.close())
    _loop.close()


async def listen(deployed: Deployment, heard: list[str]) -> None:
    async for chunk in _sdk.stream(QUESTION, deployed):
        heard.append(chunk.text)


def failure(deployed: Deployment, heard: list[str] | None = None) -> errors.LLMError:
    """The error of a call that must fail, checked for what every error must be."""
    with pytest.raises(errors.LLMError) as caught:
        _loop.run_until_complete(asyncio.wait_for(listen(deployed, [] if heard is None else heard), 30))
    error = caught.value
    shown = f"{error} {error!r}"
    assert error.message
    assert error.hint
    assert "\n" not in shown
    for secret in (key_of(deployed.provider), "planted", PROMPT, "Traceback", "litellm.", "Exception -"):
        assert secret not in shown
    assert error.__suppress_context__ or error.__context__ is None, (
        "the chained error would be printed by the host"
    )
    assert (error.provider, error.model) == (deployed.provider, deployed.model)
    return error


@everywhere
@pytest.mark.parametrize(
    ("model", "kind", "status"),
    [
        ("fox-status400", errors.BadRequest, 400),
        ("fox-status401", errors.AuthenticationFailed, 401),
        ("fox-status402", errors.RateLimited, 402),
        ("fox-status403", errors.PermissionDenied, 403),
        ("fox-status404", errors.ModelNotFound, 404),
        ("fox-status413", errors.ContextOverflow, 413),
        ("fox-status422", errors.BadRequest, 422),
        ("fox-status429", errors.RateLimited, 429),
        ("fox-status500", errors.ProviderFailed, 500),
        ("fox-status502", errors.ProviderFailed, 502),
        ("fox-status503", errors.ProviderFailed, 503),
        ("fox-status504", errors.TimedOut, 504),
        ("fox-status529", errors.ProviderFailed, 529),
        ("fox-ctx", errors.ContextOverflow, 400),
        ("fox-redirect", errors.RedirectRefused, 307),
    ],
)
def test_what_the_status_says(wire, provider, model, kind, status):
    deployed = deployment(wire, provider, model)
    error = failure(deployed)
    assert type(error) is kind
    assert error.status == status
    assert error.retry_after_s is None
    assert len(wire.log) == 1, "more than one attempt, or a redirect that was followed"
    if status == 401:
        assert deployed.key_variable in error.hint


@everywhere
def test_how_long_to_wait_is_passed_on(wire, provider):
    assert failure(deployment(wire, provider, "fox-status429-retryafter3")).retry_after_s == 3.0


@everywhere
def test_a_wrong_key(wire, provider):
    """Google answers 400 to it, the others 401."""
    wire.require_key = "the-right-key"
    deployed = deployment(wire, provider)
    error = failure(deployed)
    assert type(error) is errors.AuthenticationFailed
    assert deployed.key_variable in error.hint


@everywhere
@pytest.mark.parametrize(
    ("model", "kind", "some"),
    [
        ("fox-cut", errors.StreamBroken, True),
        ("fox-garbage", errors.MalformedAnswer, False),
        ("fox-badsse", errors.MalformedAnswer, True),
        ("fox-streamerror", errors.ProviderFailed, True),
    ],
)
def test_what_breaks_after_a_good_start(wire, provider, model, kind, some):
    heard: list[str] = []
    error = failure(deployment(wire, provider, model), heard)
    assert isinstance(error, kind)
    # litellm may gather a kilobyte of Bedrock's events before it reads the first.
    assert bool("".join(heard)) is some or provider == "bedrock"
    assert len(wire.log) == 1


@everywhere
def test_an_answer_in_one_piece_is_read_or_refused(wire, provider):
    """Some formats allow one; an empty prompt is never returned without a word."""
    deployed, heard = deployment(wire, provider, "fox-nostream"), []
    try:
        _loop.run_until_complete(listen(deployed, heard))
    except errors.MalformedAnswer:
        return
    assert "".join(heard) == "a red fox in fresh snow"


@everywhere
def test_nothing_listens(wire, provider):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{taken.getsockname()[1]}"
        base = deployment(wire, provider).base_url.replace(wire.url, origin)
        error = failure(deployment(wire, provider, base_url=base))
    assert type(error) is errors.ConnectionFailed
    assert origin in error.message
    assert error.retryable


@everywhere
def test_a_connection_that_is_dropped_is_not_made_again(wire, provider):
    """litellm's own client sends the question a second time; it may have been billed the first time."""
    taken: list[bytes] = []

    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(await reader.read(100))
        writer.transport.abort()

    async def call() -> errors.LLMError:
        server = await asyncio.start_server(drop, "127.0.0.1", 0)
        origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        base = deployment(wire, provider).base_url.replace(wire.url, origin)
        async with server:
            with pytest.raises(errors.ConnectionFailed) as caught:
                await listen(deployment(wire, provider, base_url=base), [])
        return caught.value

    assert _loop.run_until_complete(asyncio.wait_for(call(), 30)).retryable
    assert len(taken) == 1


@everywhere
def test_no_such_host(wire, provider):
    base = deployment(wire, provider).base_url.replace(wire.url, "http://no-such-host.invalid")
    error = failure(deployment(wire, provider, base_url=base))
    assert type(error) is errors.ConnectionFailed
    assert "no-such-host.invalid" in error.message
    assert not error.retryable


@everywhere
def test_no_tls_there(wire, provider):
    base = deployment(wire, provider).base_url.replace("http://", "https://")
    error = failure(deployment(wire, provider, base_url=base))
    assert type(error) is errors.ConnectionFailed
    assert "secure connection" in error.message


@pytest.mark.parametrize("provider", ["openai", "anthropic", "ollama", "gemini"])
def test_an_endless_answer_is_cut_off(wire, provider, monkeypatch):
    from quillwork.llm_backends.remote.litellm_sdk import watched_stream

    monkeypatch.setattr(watched_stream, "LONGEST_ANSWER", 20_000)
    assert type(failure(deployment(wire, provider, "fox-babble"))) is errors.AnswerTooLarge
    _loop.run_until_complete(asyncio.to_thread(wire.wait_disconnects))


def test_a_megabyte_of_refusal_is_not_shown(wire):
    wire.script("*", "never")
    error = failure(deployment(wire, "openai", "fox-status500-" + "x" * 2000))
    assert len(str(error)) < 5000


@everywhere
@pytest.mark.parametrize("model", ["fox-hang", "fox-silent", "fox-forever"])
def test_a_cancelled_call_is_seen_by_the_other_side(wire, provider, model):
    deployed = deployment(wire, provider, model)

    async def cancel() -> float:
        heard: list[str] = []
        task = asyncio.ensure_future(listen(deployed, heard))
        await asyncio.to_thread(wire.wait_calls)
        while model == "fox-hang" and not heard and provider != "bedrock":
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        task.cancel()
        left = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await task
        return left

    left = _loop.run_until_complete(asyncio.wait_for(cancel(), 30))
    (gone,) = _loop.run_until_complete(asyncio.to_thread(wire.wait_disconnects))
    assert gone.at - left < 5


@everywhere
def test_a_reader_who_stops_closes_the_connection(wire, provider):
    async def read_one() -> None:
        stream = _sdk.stream(QUESTION, deployment(wire, provider, "fox-babble"))
        async for chunk in stream:
            if chunk.text:
                break
        await stream.aclose()

    _loop.run_until_complete(asyncio.wait_for(read_one(), 30))
    _loop.run_until_complete(asyncio.to_thread(wire.wait_disconnects))


@everywhere
def test_a_key_that_is_none(wire, provider):
    """A text with a line break would be a second header; the call ends before anything is sent."""
    from wire.deployments import with_key

    with pytest.raises(errors.AuthenticationFailed):
        _loop.run_until_complete(listen(with_key(deployment(wire, provider), "two\r\nlines: x"), []))
    assert wire.log == []


def test_a_wrong_pair_of_aws_keys(wire):
    error = failure(signed(wire, "fox-status403"))
    assert type(error) is errors.PermissionDenied


def test_an_address_in_the_model_is_never_called(wire):
    with pytest.raises(errors.NotConfigured):
        _loop.run_until_complete(listen(deployment(wire, "openai", "x/http://127.0.0.1:1"), []))
    assert wire.log == []


@everywhere
def test_without_a_key_none_is_sent(wire, provider, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-in-the-environment")
    deployed = without_key(deployment(wire, provider))
    if provider == "bedrock":
        pytest.skip("without a token Bedrock is signed for, with a pair of keys of its own")
    _loop.run_until_complete(listen(deployed, []))
    sent = wire.calls()[-1].headers
    assert not {"authorization", "x-api-key", "api-key", "x-goog-api-key"} & sent.keys()


def broken_library(tmp_path, source: str) -> str:
    """The error of a call where ``import litellm`` runs `source`."""
    package = tmp_path / "litellm"
    package.mkdir()
    (package / "__init__.py").write_text(source)
    code = textwrap.dedent(
        """
        import asyncio, sys
        import conftest
        from quillwork.llm_backends.remote.litellm_sdk.backend import LiteLLMSDK
        from quillwork.llm_backends.errors import DependencyMissing
        from quillwork.llm_backends.types import Deployment, Request, Message
        async def main():
            sdk = LiteLLMSDK()
            deployed = Deployment("litellm", "fox", provider="openai", base_url="http://127.0.0.1:9")
            for _ in range(2):
                try:
                    async for _ in sdk.stream(Request((Message("user", "x"),)), deployed):
                        pass
                except DependencyMissing as error:
                    print(error)
            await sdk.close()
        asyncio.run(main())
        """
    )
    tests = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tests,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    first, second = done.stdout.splitlines()
    assert first == second
    return first


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise ModuleNotFoundError(\"No module named 'litellm'\", name='litellm')", "is not installed"),
        ("import not_there_at_all", "the package not_there_at_all"),
        ("this is no python", "cannot be loaded (SyntaxError)"),
        ("raise ImportError('a DLL')", "cannot be loaded (ImportError)"),
        ("raise RuntimeError('boom')", "cannot be loaded (RuntimeError)"),
    ],
)
def test_a_missing_or_broken_library(tmp_path, source, said):
    printed = broken_library(tmp_path, source)
    assert said in printed
    # install.py leaves a litellm alone that is there.
    assert ("litellm==" if "cannot be loaded" in said else "python install.py") in printed
    assert "LLM_BASE_URL" in printed
