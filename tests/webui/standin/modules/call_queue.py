"""The one lock that every generation holds."""

from __future__ import annotations

import html
import threading
import time
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

from modules import shared

queue_lock = threading.Lock()


def wrap_queued_call(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with queue_lock:
            return function(*args, **kwargs)

    return run


def wrap_gradio_gpu_call(function: Callable[..., Any], extra_outputs: list[Any]) -> Callable[..., Any]:
    """Run `function` as a generation: under the lock, in a fresh state; its fault becomes the last output."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            with queue_lock:
                shared.state.begin(job="generation")
                began = time.perf_counter()
                answer = list(function(*args, **kwargs))
                shared.state.end()
            answer[-1] += f"<p class='time'>Time taken: {time.perf_counter() - began:.6f} sec.</p>"
            return answer
        except Exception as error:
            traceback.print_exc()
            message = html.escape(f"{type(error).__name__}: {error}")
            return [*extra_outputs, f"<div class='error'>{message}</div>"]
        finally:
            shared.state.interrupted = shared.state.skipped = False

    return run
