"""A log object for litellm that does nothing, in the place of litellm's own."""

from __future__ import annotations

import datetime
import logging
import uuid
import warnings
from typing import Any

_LOG_METHODS = (
    "pre_call",
    "post_call",
    "success_handler",
    "failure_handler",
    "response_cost_calculator",
    "_response_cost_calculator",
)
_ASYNC_LOG_METHODS = (
    "async_success_handler",
    "async_failure_handler",
    "dispatch_success_handlers",
    "dispatch_failure_handlers",
)


def silent_log(function: str, model: str, **question: Any) -> dict[str, Any]:
    """The argument that hands litellm a log object for one call, one that does nothing.

    litellm's own asks Ollama about the model after an answer, and fetches tokenizers from the Hugging Face
    hub to price it, synchronously, on our event loop; it hands keys and prompts to whatever callbacks other
    packs have set.
    """
    try:
        from litellm.utils import Rules, function_setup

        log, _ = function_setup(
            function,
            Rules(),
            datetime.datetime.now(),
            model=model,
            litellm_call_id=str(uuid.uuid4()),
            **question,
        )
        log.stream_options = {"include_usage": True}
        for name in _LOG_METHODS:
            setattr(log, name, _nothing)
        for name in _ASYNC_LOG_METHODS:
            setattr(log, name, _nothing_async)
    except Exception as error:  # noqa: BLE001 - with its own log it answers as well
        logging.getLogger("quillwork").info(
            "litellm's logging could not be disabled (%s).", type(error).__name__
        )
        return {"no-log": True}
    return {"litellm_logging_obj": log}


def _nothing(*_: Any, **__: Any) -> None:
    pass


async def _nothing_async(*_: Any, **__: Any) -> None:
    pass


def ignore_leftovers() -> None:
    """Ignore the coroutines of this log where a loop ends before litellm's queue is worked off."""
    warnings.filterwarnings("ignore", f"coroutine '{_nothing_async.__qualname__}' was never awaited")
