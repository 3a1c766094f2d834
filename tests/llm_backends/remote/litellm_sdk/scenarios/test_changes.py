"""Other releases of litellm and openai: parts that are gone, and faults inside them."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from endpoints import failure as failure_of
from wire.deployments import EVERYWHERE, deployment, key_of

from quillwork import llm_backends
from quillwork.llm_backends import errors
from quillwork.llm_backends.remote.litellm_sdk import faults
from quillwork.llm_backends.remote.litellm_sdk.backend import LiteLLMSDK
from quillwork.llm_backends.remote.litellm_sdk.library import Library
from quillwork.llm_backends.types import Deployment, Message, Request

pytest.importorskip("litellm", reason="litellm is not installed here")

import litellm
import litellm.utils
import openai
from litellm.llms.custom_httpx import http_handler

QUESTION = Request((Message("user", "a fox with a secret"),))
TEXT = "a red fox in fresh snow"
everywhere = pytest.mark.parametrize("provider", EVERYWHERE)


def ask(deployed: Deployment, request: Request = QUESTION) -> str:
    """Ask through an SDK of its own, which has not looked at the library before."""

    async def listen() -> str:
        sdk = LiteLLMSDK()
        try:
            return "".join([chunk.text async for chunk in sdk.stream(request, deployed)])
        finally:
            await sdk.close()

    return asyncio.run(asyncio.wait_for(listen(), 30))


def called_by_us() -> bool:
    return sys._getframe(2).f_globals["__name__"].startswith("quillwork.")


@everywhere
def test_what_breaks_in_the_library_is_told_as_its_fault(wire, provider, monkeypatch):
    """A fault as in 1.110, whose own client was handed arguments that only OpenAI's understands."""

    async def post(self, url, *, something_new):
        raise AssertionError("not reached")

    monkeypatch.setattr(http_handler.AsyncHTTPHandler, "post", post)
    monkeypatch.setattr(openai.AsyncOpenAI, "post", post)
    monkeypatch.setattr(openai.AsyncAzureOpenAI, "post", post)
    deployed = deployment(wire, provider, retries=2)
    error = failure_of(deployed, QUESTION)
    assert type(error) is errors.LibraryFault, repr(error)
    assert error.attempts == 1, "what is broken was tried again"
    assert "package on this machine" in error.message
    assert f"litellm {faults._version('litellm')}" in error.message
    assert "provider's side" not in str(error)
    assert "LLM_BASE_URL" in error.hint
    assert key_of(provider) not in repr(error)
    assert wire.log == []


def test_it_says_which_version_is_known_to_work(wire, monkeypatch):
    def changed(*_, **__):
        raise TypeError("acompletion() got an unexpected keyword argument 'client'")

    monkeypatch.setattr(litellm, "acompletion", changed)
    monkeypatch.setattr(faults.metadata, "version", lambda name: "99.0")
    assert f"litellm=={faults.KNOWN_GOOD['litellm']}" in failure_of(deployment(wire, "openai")).hint
    monkeypatch.setattr(faults.metadata, "version", faults.KNOWN_GOOD.__getitem__)
    assert "doctor" in failure_of(deployment(wire, "openai")).hint


def test_the_version_that_is_known_to_work_is_the_one_that_the_lane_pins():
    from lane_table import LANES

    pins = LANES["litellm-newest"].requirements()
    assert {f"{name}=={version}" for name, version in faults.KNOWN_GOOD.items()} <= set(pins)


def test_a_parameter_of_the_users_that_the_library_does_not_know_is_no_fault_of_it(wire, monkeypatch):
    def create(*_, **__):
        raise TypeError("create() got an unexpected keyword argument 'swirl'")

    monkeypatch.setattr(litellm, "acompletion", create)
    error = failure_of(deployment(wire, "openai"), Request(QUESTION.messages, extra={"swirl": 3}))
    assert type(error) is errors.BadRequest
    assert "swirl" in error.message


@everywhere
def test_it_answers_without_a_log_of_ours(wire, provider, monkeypatch):
    real = litellm.utils.function_setup

    def function_setup(*given, **named):
        if called_by_us():
            raise TypeError("function_setup() missing 1 required positional argument: 'everything'")
        return real(*given, **named)

    monkeypatch.setattr(litellm.utils, "function_setup", function_setup)
    assert ask(deployment(wire, provider)) == TEXT
    assert {(sent.method, sent.origin) for sent in wire.log} == {("POST", wire.url)}


@everywhere
def test_it_answers_without_the_tables(wire, provider, monkeypatch):
    class Elsewhere:
        """The module litellm without the state that it keeps for all its callers."""

        def __getattr__(self, name):
            if name in ("model_cost", "custom_prompt_dict", "in_memory_llm_clients_cache", "cost_per_token"):
                raise AttributeError(name)
            return getattr(litellm, name)

    async def load(self):
        return Elsewhere()

    monkeypatch.setattr(Library, "load", load)
    model = "qwen3" if provider == "ollama" else "fox"
    assert ask(deployment(wire, provider, model)) == TEXT


@everywhere
def test_without_litellms_client_it_answers_with_openais_or_sends_nothing(wire, provider, monkeypatch):
    """A client that would bypass our own connection does not get the key."""
    ask(deployment(wire, provider))  # what litellm imports late is imported
    wire.reset()
    monkeypatch.delattr(http_handler, "AsyncHTTPHandler")
    deployed = deployment(wire, provider)
    with contextlib.suppress(errors.LibraryFault):
        assert ask(deployed) == TEXT
        assert deployed.params["custom_llm_provider"] in ("openai", "lm_studio", "azure")
        assert [sent.origin for sent in wire.log] == [wire.url]
        return
    assert wire.log == []


@everywhere
def test_a_client_that_is_not_used_is_noticed(wire, provider, monkeypatch):
    real = litellm.acompletion

    def acompletion(**arguments):
        arguments.pop("client")
        return real(**{**arguments, "mock_response": "what another connection brought"})

    monkeypatch.setattr(litellm, "acompletion", acompletion)
    assert type(failure_of(deployment(wire, provider))) is errors.LibraryFault


IMPORT = """
import gc, sys, types
pack = sys.modules["quillwork"] = types.ModuleType("quillwork")
pack.__path__ = [sys.argv[1]]
from quillwork.llm_backends.remote.litellm_sdk.library import Library
gc.set_threshold(*map(int, sys.argv[2].split(",")))
seen = set()
sys.setswitchinterval(0.001)
coming = Library().begin()
while not coming.done():
    seen.add(gc.get_threshold())
    if sys.argv[3] and gc.get_threshold()[0] == 100_000:
        gc.set_threshold(*map(int, sys.argv[3].split(",")))
print(max(seen)[0], *gc.get_threshold(), sep=",")
"""


@pytest.mark.parametrize(
    ("host", "meanwhile", "during", "after"),
    [
        ("700,10,10", "", 100_000, "700,10,10"),
        ("0,10,10", "", 0, "0,10,10"),
        ("700,10,10", "5000,10,10", 100_000, "5000,10,10"),
    ],
)
def test_garbage_is_collected_as_the_host_has_it_after_the_import(host, meanwhile, during, after):
    root = Path(llm_backends.__file__).parent.parent
    command = [sys.executable, "-c", IMPORT, str(root), host, meanwhile]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert said.strip() == f"{during},{after}"
