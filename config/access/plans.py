"""Plans of allowed models: a policy of the person who runs the host, not a lock against intruders.

LLM_PLAN_MODELS_JSON is an object of plans, each a list of globs over model ids, such as ``{"baseline":
["ollama/*"], "studio": ["openai/gpt-5*", "ollama/*"]}``: the JSON itself, or the name of a JSON or YAML file
in QUILLWORK_HOME. Without LLM_PLAN, or with an unknown one, the plan ``baseline`` is in force. A plan that
cannot be read allows nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...llm_backends.system.files import Reread
from ...llm_backends.types import Plan
from ...safe_yaml import UnreadableYaml, read_yaml
from ..settings.values import Settings, warn_once

BASELINE = "baseline"
_LARGEST_FILE = 256 * 1024


class _BrokenPlans(ValueError):
    """The plans cannot be read. The text is one sentence that says what to do."""


_files: Reread[Any] = Reread()


def in_force(settings: Settings) -> Plan | None:
    """The plan under `settings`; None where none is set. Files are read again when they change."""
    name, text = settings.text("LLM_PLAN"), settings.text("LLM_PLAN_MODELS_JSON")
    if not name and not text:
        return None
    name = name or BASELINE
    try:
        plans = _plans(text, settings.folder)
        if name not in plans:
            warn_once(
                f"LLM_PLAN is {name!r}, which is not a plan in LLM_PLAN_MODELS_JSON: {BASELINE} is used."
            )
            if BASELINE not in plans:
                raise _BrokenPlans(
                    f"LLM_PLAN_MODELS_JSON has neither a plan {name!r} nor a plan {BASELINE!r}."
                )
            name = BASELINE
        return Plan(name, _globs(name, plans[name]))
    except _BrokenPlans as error:
        return Plan(name, problem=str(error))


def shows_locked(settings: Settings) -> bool:
    """Tell whether models outside the plan are listed, marked as locked."""
    return settings.flag("LLM_PLAN_SHOW_LOCKED")


def _plans(text: str, folder: Path) -> dict[str, Any]:
    if not text:
        raise _BrokenPlans(
            "LLM_PLAN is set, but LLM_PLAN_MODELS_JSON, which lists what each plan allows, is not."
        )
    plans = _parse_json(text, "LLM_PLAN_MODELS_JSON") if text[:1] in "{[" else _read(folder, text)
    if not isinstance(plans, dict):
        raise _BrokenPlans('LLM_PLAN_MODELS_JSON must be an object such as {"baseline": ["ollama/*"]}.')
    return plans


def _read(folder: Path, name: str) -> Any:
    file = folder / name
    try:
        if not file.resolve().is_relative_to(folder.resolve()):
            raise _BrokenPlans(f"LLM_PLAN_MODELS_JSON names a file outside {folder}. Move it there.")
        return _files.get(file, _parse)
    except _BrokenPlans:
        raise
    except (OSError, ValueError):
        raise _BrokenPlans(
            f"LLM_PLAN_MODELS_JSON is neither JSON nor a file in {folder}. Put the plans there."
        ) from None


def _parse(file: Path) -> Any:
    try:
        if file.suffix in (".yaml", ".yml"):
            return read_yaml(file, _LARGEST_FILE)
        return _parse_json(file.read_text(encoding="utf-8-sig")[:_LARGEST_FILE], file.name)
    except UnreadableYaml as error:
        raise _BrokenPlans(str(error)) from None
    except (OSError, UnicodeDecodeError):
        raise _BrokenPlans(
            f"{file.name} cannot be read. Check its permissions and that it is UTF-8."
        ) from None


def _parse_json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _BrokenPlans(f"{where} is not valid JSON ({error}). Correct it.") from None


def _globs(name: str, listed: Any) -> tuple[str, ...]:
    if not isinstance(listed, list) or not all(isinstance(glob, str) for glob in listed):
        raise _BrokenPlans(f"The plan {name!r} in LLM_PLAN_MODELS_JSON must be a list of model ids.")
    return tuple(listed)
