"""Axes for the host's XYZ plot: the target, and the number of the variation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...config.settings.home import targets_folder
from ...prompting import targets
from .arguments import AUTO
from .generation import PLOT
from .host.settings import target_choices

TARGET_AXIS, VARIATION_AXIS = "[Quillwork] For model", "[Quillwork] Variation"


def add_axes() -> None:
    """Add our axes to the host's plot script, where it has one.

    A plot over one of them switches Quillwork on.
    """
    module = _plot_module()
    make, axes = getattr(module, "AxisOption", None), getattr(module, "axis_options", None)
    if make is None or not isinstance(axes, list) or any(axis.label == TARGET_AXIS for axis in axes):
        return
    axes.append(make(TARGET_AXIS, str, _sets("target"), confirm=check_targets, choices=target_choices))
    axes.append(
        make(VARIATION_AXIS, int, _sets("first", lambda number: number - 1), confirm=check_variations)
    )


def _plot_module() -> Any:
    """Find the module of the plot script, as the host does not keep scripts in sys.modules."""
    try:
        from modules import scripts
    except ImportError:
        return None
    for data in getattr(scripts, "scripts_data", ()):
        if str(getattr(data, "path", "")).replace("\\", "/").endswith("/xyz_grid.py"):
            return getattr(data, "module", None)
    return None


def _sets(name: str, meaning: Callable[[Any], Any] = lambda value: value) -> Callable[[Any, Any, Any], None]:
    def apply(p: Any, value: Any, _all: Any) -> None:
        # The cells of a plot are shallow copies of one object.
        setattr(p, PLOT, {**getattr(p, PLOT, {}), name: meaning(value)})

    return apply


def check_targets(_p: Any, values: Sequence[str]) -> None:
    """Raise ValueError for an unknown target before the plot begins."""
    for value in values:
        if value != AUTO:
            targets.load(value, targets_folder())


def check_variations(_p: Any, values: Sequence[int]) -> None:
    """Raise ValueError for a number below 1, before the plot begins."""
    if any(value < 1 for value in values):
        raise ValueError("Variations are numbered from 1.")
