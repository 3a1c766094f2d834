"""litellm, openai and httpx as a user meets them: nothing on the terminal.

Their import does not count against the other side's time.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest.importorskip("litellm", reason="litellm is not installed here")

TESTS = Path(__file__).resolve().parents[4]
START = """
import asyncio, gc, logging, sys
import conftest
# As ComfyUI does: all packs' lines from INFO on go to the terminal.
logging.basicConfig(level=logging.INFO)
logging.getLogger("aiohttp.access").setLevel(logging.ERROR)
from wire.server import WireServer
from wire.deployments import deployment
from quillwork.llm_backends.errors import Cancelled
from quillwork.llm_backends.remote.litellm_sdk.backend import LiteLLMSDK
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.types import Image, Message, Request
asked = Request((Message("user", "a fox"),))
vectors = Request((), embed=("a fox", "an owl"))
"""


def terminal(code: str) -> str:
    """Run `code` in a process of its own with Python's default warnings; return its terminal output."""
    done = subprocess.run(
        [sys.executable, "-c", START + textwrap.dedent(code)],
        cwd=TESTS,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_calls_and_their_faults_leave_nothing():
    said = terminal(
        """
        import time
        picture = Image("image/png", b"\\x89PNG\\r\\n\\x1a\\nnot really")
        schema = {"type": "object", "properties": {"values": {"type": "array", "items": {"type": "string"}}}}
        requests = [
            asked,
            Request((Message("user", "what is this", images=(picture,)),)),
            Request(asked.messages, schema=schema, temperature=0.3, max_tokens=50, reasoning="low"),
            vectors,
        ]
        models = ["fox", "fox-tool", "fox-think", "fox-nousage", "fox-filtered"]
        models += ["fox-status401", "fox-status500", "fox-cut", "fox-garbage", "fox-streamerror"]
        def ask(deployed, request, **how):
            return runner.run(Model(deployed, live=LiveText()).ask([request]), **how)
        with WireServer.in_thread() as wire:
            for provider in ("openai", "anthropic", "gemini", "ollama"):
                for model in models:
                    ask(deployment(wire, provider, model, retries=0), asked)
                for request in requests:
                    ask(deployment(wire, provider), request)
                for model in ("fox-hang", "fox-silent", "fox-babble"):
                    end = time.monotonic() + 0.2
                    stop = lambda: time.monotonic() > end
                    try:
                        ask(deployment(wire, provider, model), asked, cancelled=stop)
                    except Cancelled:
                        pass
                gc.collect()
        runner.close()
        gc.collect()
        print("over")
        """
    )
    assert said == "over\n"


def test_the_import_is_no_silence_of_the_other_side():
    """The first call of a program, with less time than the import takes."""
    said = terminal(
        """
        with WireServer.in_thread() as wire:
            for provider in ("lm_studio", "gemini"):
                deployed = deployment(wire, provider, retries=0, idle_timeout_s=1.5, total_timeout_s=15)
                (outcome,) = runner.run(Model(deployed, live=LiveText()).ask([asked]))
                print(getattr(outcome, "text", outcome))
        """
    )
    assert said == "a red fox in fresh snow\n" * 2


def test_a_loop_that_ends_early_leaves_nothing():
    """Work that litellm had put off for its log is not awaited any more then."""
    said = terminal(
        """
        async def once(request, deployed):
            sdk = LiteLLMSDK()
            try:
                async for _ in sdk.stream(request, deployed):
                    pass
            except Exception:
                pass
            await sdk.close()
        with WireServer.in_thread() as wire:
            for provider in ("openai", "azure", "anthropic") * 2:
                for model in ("fox", "fox-status500", "fox-cut"):
                    for request in (vectors, asked):
                        asyncio.run(once(request, deployment(wire, provider, model)))
                gc.collect()
        print("over")
        """
    )
    assert said == "over\n"
