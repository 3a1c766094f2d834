"""Invention and saving of the variables that a template names and the library lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...llm_backends.model import Model
from ..generate_values import invent
from ..tasks import VariablesTask
from .library import Library, LibraryError
from .parser import literal_value

VALUES_EACH = 20


@dataclass(frozen=True, slots=True)
class Supplied:
    """Values invented for each missing name, and the reports of the calls."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reports: Sequence[Mapping[str, Any]] = ()
    is_substitute: bool = False


async def supply_missing(
    names: Sequence[str], template: str, library: Library, model: Model, seed: int
) -> Supplied:
    """Have `model` invent 20 values for each of `names` and add them to `library`.

    What a model wrote is kept as plain words: nothing in it is ever expanded. Raises `LLMError`.
    """
    values: dict[str, Sequence[str]] = {}
    reports: list[Mapping[str, Any]] = []
    is_substitute = False
    for name in names:
        invented = await invent(
            VariablesTask(name=name, count=VALUES_EACH, context=template, seed=seed), model
        )
        try:
            keep(library, name, invented.values, template)
        except LibraryError as error:
            # They may have cost something, and can fill the template anyway.
            invented.info["warnings"].append(f"The values for __{name}__ were not saved: {error}")
        values[name] = invented.values
        reports.append(invented.info)
        is_substitute = is_substitute or invented.is_substitute
    return Supplied(values, reports, is_substitute)


def keep(library: Library, name: str, values: Sequence[str], context: str = "") -> list[str]:
    """Add model-written `values` to the variable `name`, as literals; return those that were new."""
    description = f"Written for: {' '.join(context.split())}"[:200] if context.strip() else ""
    return library.add(name, [literal_value(value) for value in values], description)
