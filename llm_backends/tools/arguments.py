"""Arguments of a tool call: parsed from the model's text and checked for the tool."""

from __future__ import annotations

import json
from typing import Any

from ..json_schema import problem
from .registry import RegisteredTool

# In characters. What is longer is a model that is stuck.
LONGEST = 100_000


class BadArguments(ValueError):
    """The arguments do not fit; the text is one sentence for the model."""


def read_arguments(text: str) -> dict[str, Any]:
    """Parse `text` as an object. Raises `BadArguments`."""
    if not text.strip():
        return {}  # how several models call a tool that takes nothing
    if len(text) > LONGEST:
        raise BadArguments(f"The arguments are longer than {LONGEST:,} characters.")
    try:
        arguments = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise BadArguments("The arguments are nested too deeply.") from None
    except BadArguments:
        raise
    except ValueError as error:
        raise BadArguments(f"The arguments are not valid JSON ({error}).") from None
    if not isinstance(arguments, dict):
        raise BadArguments("The arguments must be a JSON object.")
    return arguments


def check_arguments(arguments: dict[str, Any], tool: RegisteredTool) -> None:
    """Raise `BadArguments` unless `arguments` follow the tool's schema; an unknown one is never passed on."""
    schema = {"additionalProperties": False, **tool.parameters}
    try:
        wrong = problem(arguments, schema, "The call")
    except RecursionError:
        wrong = "The arguments are nested too deeply."
    if wrong:
        raise BadArguments(wrong)


def _refuse(constant: str) -> None:
    raise BadArguments(f"{constant} is not valid in JSON.")
