"""The names that others rely on: all that the former version had, in their order, with new ones behind them.

`public_surface.json` records version 0.1.0 of before its folders were made. It is never written anew: what
stands in it is a promise to workflows, scripts and other packs.
"""

from __future__ import annotations

import argparse
import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from quillwork.config import providers
from quillwork.config.settings.variables import VARIABLES
from quillwork.interfaces.cli import main as command_line
from quillwork.interfaces.http.app import ROUTES
from quillwork.llm_backends import errors

FORMER = json.loads(Path(__file__).with_name("public_surface.json").read_text("utf-8"))


def test_routes() -> None:
    now = [f"{route.method} {route.path} {route.access}" for route in ROUTES]
    assert [route for route in FORMER["routes"] if route not in now] == []


@pytest.mark.parametrize("name", FORMER["environment"])
def test_a_variable_of_the_environment(name: str) -> None:
    assert set(FORMER["environment"][name]) <= set(VARIABLES[name].aliases)


@pytest.mark.parametrize("name", FORMER["providers"])
def test_a_provider_and_its_variables(name: str) -> None:
    row = providers.get(name)
    assert row.id == name
    assert set(FORMER["providers"][name]) <= {*row.key_variables, *row.base_variables}


def commands() -> dict[str, list[str]]:
    """Return each command's arguments: an option's flags or a name, then how many values.

    A name that may be left out takes all that one which may not takes.
    """
    (choices,) = (
        action.choices
        for action in command_line._parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return {
        name: [
            "|".join(action.option_strings or [action.dest])
            + (f" {action.nargs}" if action.nargs not in (None, "?") else "")
            for action in parser._actions
        ]
        for name, parser in choices.items()
    }


@pytest.mark.parametrize("name", FORMER["commands"])
def test_a_command_and_its_arguments(name: str) -> None:
    was, now = FORMER["commands"][name], commands()[name]
    assert [argument for argument in was if argument not in now] == []
    positional = [argument for argument in was if not argument.startswith("-")]
    assert [argument for argument in now if not argument.startswith("-")] == positional


def test_the_classes_of_errors_and_the_word_for_each() -> None:
    now = {name: getattr(getattr(errors, name, None), "type", "") for name in FORMER["errors"]}
    assert now == FORMER["errors"]
    assert all(hasattr(errors, name) for name in FORMER["errors"])


def parameters(found: Any) -> list[str]:
    try:
        return list(inspect.signature(found).parameters)
    except (TypeError, ValueError):
        return []


@pytest.mark.parametrize("name", FORMER["python"])
def test_a_name_for_scripts_and_its_parameters(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    home = import_module(f"quillwork.{module}")
    found = getattr(home, attribute, None) or import_module(f"quillwork.{name}")
    was = FORMER["python"][name]
    assert parameters(found)[: len(was)] == was
