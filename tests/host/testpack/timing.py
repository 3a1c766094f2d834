"""Nodes that take time, and report it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
import time
from collections import Counter

import comfy.model_management as memory
from comfy.utils import ProgressBar
from comfy_api.latest import io
from server import PromptServer

EXECUTIONS: Counter[str] = Counter()


def _say(node, text):
    server = PromptServer.instance
    server.send_progress_text(text, node.hidden.unique_id, server.client_id)


class SlowCollection(io.ComfyNode):
    """A garbage collection of a second, the host's next, in which no other thread runs.
    It reports its time afterwards."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackSlowCollection",
            category="testpack",
            inputs=[],
            outputs=[],
            not_idempotent=True,
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls):
        return float("nan")

    @classmethod
    def execute(cls):
        if not any(isinstance(one, _Slow) for one in gc.callbacks):
            gc.callbacks.append(_Slow())
        return io.NodeOutput(ui={"held": [_Slow.held]})


class _Slow:
    held: tuple[float, float] | None = None

    def __call__(self, phase, info):
        # Only the host's own; Python collects by itself, too.
        if phase == "start" and _Slow.held is None and sys._getframe(1).f_code.co_name == "prompt_worker":
            began = time.perf_counter()
            # What is called this way keeps the interpreter to itself.
            ctypes.PyDLL(None).usleep(1_000_000)
            _Slow.held = (began, time.perf_counter())


class Sleep(io.ComfyNode):
    """A node that sleeps without blocking, looks for an interrupt every 10 ms, and reports when it ran."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackSleep",
            category="testpack",
            inputs=[
                io.Float.Input("seconds", default=0.1, min=0.0, max=60.0),
                io.String.Input("label", default=""),
                io.AnyType.Input("after", optional=True),
            ],
            outputs=[io.String.Output(display_name="when")],
            hidden=[io.Hidden.unique_id],
            not_idempotent=True,
            is_output_node=True,
        )

    @classmethod
    async def execute(cls, seconds, label, after=None):
        began = time.perf_counter()
        _say(cls, f"{label} sleeps")
        while time.perf_counter() - began < seconds:
            memory.throw_exception_if_processing_interrupted()
            await asyncio.sleep(0.01)
        ended = time.perf_counter()
        return io.NodeOutput(f"{began} {ended}", ui={"when": [[began, ended]]})


class SleepBlocking(Sleep):
    """A node that sleeps synchronously."""

    @classmethod
    def define_schema(cls):
        schema = super().define_schema()
        schema.node_id = "TestpackSleepBlocking"
        return schema

    @classmethod
    def execute(cls, seconds, label, after=None):
        began = time.perf_counter()
        _say(cls, f"{label} sleeps")
        while time.perf_counter() - began < seconds:
            memory.throw_exception_if_processing_interrupted()
            time.sleep(0.01)
        ended = time.perf_counter()
        return io.NodeOutput(f"{began} {ended}", ui={"when": [[began, ended]]})


class Stream(io.ComfyNode):
    """A node that sends the text so far, word by word, and moves its progress bar."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackStream",
            category="testpack",
            inputs=[
                io.String.Input("text", multiline=True),
                io.Float.Input("pause", default=0.02, min=0.0, max=1.0),
                io.Boolean.Input("broadcast", default=False, optional=True),
            ],
            outputs=[io.String.Output()],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    async def execute(cls, text, pause, broadcast=False):
        server, node = PromptServer.instance, cls.hidden.unique_id
        words = text.split()
        bar = ProgressBar(len(words), node_id=node)
        for count in range(1, len(words) + 1):
            server.send_progress_text(" ".join(words[:count]), node, None if broadcast else server.client_id)
            bar.update(1)
            await asyncio.sleep(pause)
        return io.NodeOutput(text)


class Count(io.ComfyNode):
    """A node that counts its runs under a name, which only a run can raise."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="TestpackCount",
            category="testpack",
            inputs=[
                io.String.Input("name"),
                io.AnyType.Input("value", optional=True),
            ],
            outputs=[io.Int.Output()],
        )

    @classmethod
    def execute(cls, name, value=None):
        EXECUTIONS[name] += 1
        return io.NodeOutput(EXECUTIONS[name])


NODES = [SlowCollection, Sleep, SleepBlocking, Stream, Count]
