"""Threads that keep a host's event loop free: files are read in our own, models are called on the runner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from ...llm_backends.runner import runner

T = TypeVar("T")
P = ParamSpec("P")

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="quillwork-http")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in a thread of ours and return its result."""
    call = partial(function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_threads, call)


async def on_runner(coroutine: Coroutine[Any, Any, T]) -> T:
    """Await `coroutine` on the runner's loop; it is cancelled when the caller is."""
    return await asyncio.wrap_future(runner.submit(coroutine).future)
