"""The integrations of litellm with Langfuse and Helicone, for the calls that litellm carried.

They are handed one call after another in the observer's thread. Nothing is set in litellm itself: other packs
share the module, and its callbacks would see their calls, too. Where an integration cannot take a call (the
package ``langfuse`` is missing or too old, Helicone has no name for the model), the bus reports it.
"""

from __future__ import annotations

import datetime
import functools
import importlib.util
import logging
import os
from typing import Any

from ..types import Observer
from .events import CallEvent
from .reporting import NotTaken

_log = logging.getLogger("quillwork")
# What the integration leaves in the environment, for a proxy's alerts.
_TRACE = "LANGFUSE_PROJECT_ID"


def tell_langfuse(event: CallEvent, observer: Observer) -> bool:
    """Report the call that `event` ended by litellm's integration; tell whether that has taken it."""
    logger = _langfuse(observer)
    if logger is None:
        return False
    record = event.record
    failure = {"level": "ERROR", "status_message": record.error} if record.error else {}
    logged = logger.log_event_on_langfuse(
        kwargs=_call(event),
        response_obj=None if record.error else _response(event),
        start_time=_moment(event.started_at),
        end_time=_moment(event.at),
        user_id=None,
        **failure,
    )
    return bool(logged and logged.get("trace_id"))


def tell_helicone(event: CallEvent, observer: Observer) -> bool:
    """Report the call that `event` ended by litellm's integration; tell whether that is the one to use.
    It reports answers only, and a model that it does not know under another's name. Raises `NotTaken`."""
    from litellm.integrations.helicone import HeliconeLogger

    model = event.record.model
    if event.record.error or not any(known in model for known in HeliconeLogger.helicone_model_list):
        return False
    if "claude" in model and importlib.util.find_spec("anthropic") is None:
        return False
    logger = HeliconeLogger()
    logger.key = observer.key.reveal() if observer.key else ""
    logger.api_base = observer.base_url
    said: list[str] = []
    logger.log_success(
        model=model,
        messages=event.asked() or [],
        response_obj=_response(event),
        start_time=_moment(event.started_at),
        end_time=_moment(event.at),
        print_verbose=said.append,
        kwargs=_call(event),
    )
    # It raises nothing and answers nothing; this is how it says that the call was taken.
    if not any("Success!" in line for line in said):
        raise NotTaken("litellm's integration was rejected")
    return True


@functools.lru_cache(maxsize=8)
def _langfuse(observer: Observer) -> Any:
    """The logger of litellm for one project; None where there can be none."""
    if importlib.util.find_spec("langfuse") is None:
        return None
    before = os.environ.get(_TRACE)
    try:
        from litellm.integrations.langfuse.langfuse import LangFuseLogger

        return LangFuseLogger(
            langfuse_public_key=observer.public_key,
            langfuse_secret=observer.key.reveal() if observer.key else "",
            langfuse_host=observer.base_url,
        )
    except Exception as error:  # noqa: BLE001 - releases of the two that do not fit raise what they like
        _log.info("litellm cannot report to Langfuse (%s); Quillwork does.", type(error).__name__)
        return None
    finally:
        if before is None:
            os.environ.pop(_TRACE, None)
        else:
            os.environ[_TRACE] = before


def _call(event: CallEvent) -> dict[str, Any]:
    """A call as litellm's loggers know it."""
    record = event.record
    metadata = {"generation_name": record.caller, "trace_name": record.caller, **event.facts()}
    return {
        "model": record.model,
        "custom_llm_provider": record.provider,
        "messages": event.asked() or [],
        "call_type": "acompletion",
        "litellm_call_id": event.call_id,
        "response_cost": record.cost_usd,
        "optional_params": {},
        "litellm_params": {"metadata": metadata, "custom_llm_provider": record.provider},
    }


def _response(event: CallEvent) -> Any:
    import litellm

    record = event.record
    read, written = record.prompt_tokens, record.completion_tokens
    return litellm.ModelResponse(
        id=event.call_id,
        model=record.model,
        choices=[{"finish_reason": "stop", "message": {"role": "assistant", "content": event.answer}}],
        usage=litellm.Usage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written),
    )


def _moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
