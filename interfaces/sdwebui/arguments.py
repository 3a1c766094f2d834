"""Arguments of the Script: its controls in their order, or values by name from a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ...config.choice import Choice
from ...llm_backends import modes, registry
from ...llm_backends.errors import NotConfigured
from ...prompting.tasks import MOST_VARIATIONS, ON_ERROR, SELECTIONS, OnError, Selection

TITLE = "Quillwork"
"""The Script's name, by which programs call it."""
TABS = ("txt2img", "img2img", "control", "video")
"""The host's tabs with a prompt box, by what their elements' ids begin with. The last two are SD.Next's."""
AUTO = modes.AUTO
FOLLOW = -1
"""The seed that stands for the image's own."""
PARTS = ("positive", "negative", "hires")
MOST_IMAGES = 1000
_YES, _NO = {"true", "1", "yes", "on"}, {"false", "0", "no", "off", ""}


@dataclass(frozen=True, slots=True)
class Arguments:
    """Values of the Script's controls.

    Their order is that of ``alwayson_scripts.Quillwork.args``: a promise to programs.

    `mode` and `model` are as on the nodes. `target` is an id, a label or ``auto``. `variations` different
    prompts are taken in turn by the images that share an idea; with `per_image` none share. `seed` is the
    model's: `FOLLOW`, or a number. `parts` are the texts that a model writes; `variables` resolves
    ``__name__`` and ``{a|b}``: by `selection` at random, in turn or through all combinations, with the seed
    of each image, and with `variables_alone` even where nothing is enhanced; with `no_repeats` no
    value of a variable comes twice in one text, as long as it has others. `count` is the number of images,
    of combinations at most as many as there are; 0 leaves it to the host. `first` is the number (from 0) of
    the first variation, which an XYZ plot sets.
    """

    enabled: bool = False
    mode: str = AUTO
    model: str = ""
    target: str = AUTO
    instruction: str = ""
    variations: int = 1
    seed: int = FOLLOW
    on_error: OnError = "raise"
    parts: tuple[str, ...] = ("positive",)
    per_image: bool = False
    variables: bool = True
    generate_missing: bool = False
    selection: Selection = "random"
    count: int = 0
    variables_alone: bool = False
    no_repeats: bool = False
    first: int = 0

    @property
    def choice(self) -> Choice:
        return Choice(llm_mode=self.mode, llm_model=self.model)


NAMES = tuple(field.name for field in fields(Arguments) if field.name != "first")
_DEFAULTS = Arguments()


def read(args: Sequence[Any]) -> Arguments:
    """Read the arguments from what the host hands over.

    That is values by position, the missing ones at the end or None, or one mapping by name in the first place
    (which counts as enabled unless it says no). Raises `NotConfigured` for an unknown name or an invalid
    value.
    """
    first = args[0] if args else None
    if isinstance(first, Mapping):
        unknown = [str(name) for name in first if name not in NAMES]
        if unknown:
            raise NotConfigured(
                f"Quillwork has no argument {unknown[0]!r}.", hint=f"The arguments are {', '.join(NAMES)}."
            )
        given = {"enabled": True, **first}
    else:
        given = dict(zip(NAMES, args, strict=False))
    values = {name: _value(name, value) for name, value in given.items() if value is not None}
    return Arguments(**values)


def _value(name: str, value: Any) -> Any:
    default = getattr(_DEFAULTS, name)
    if isinstance(default, bool):
        return _flag(name, value)
    if isinstance(default, int):
        return _number(name, value)
    if name == "parts":
        return _parts(value)
    text = str(value).strip() if name != "instruction" else str(value)
    if name == "mode":
        # The host's API lists the labels.
        text = dict(mode_options()).get(text, text)
    if name == "selection" and text not in SELECTIONS:
        raise _wrong(name, value, f"Choose one of {', '.join(SELECTIONS)}.")
    if name == "on_error" and text not in ON_ERROR:
        raise _wrong(name, value, f"Choose one of {', '.join(ON_ERROR)}.")
    if name == "mode" and text and text not in mode_choices():
        raise _wrong(name, value, f"Choose one of {', '.join(mode_choices())}.")
    return text or default


def mode_choices() -> list[str]:
    """Return the modes to choose from: a web UI lends us no text encoder that could write."""
    return [name for _, name in mode_options()]


def mode_options() -> list[tuple[str, str]]:
    """Return the same modes as a list shows them, each with its name.

    For a `gr.Radio`: with Gradio 3 a drop-down has no labels of its own.
    """
    return [(mode.choice_text, mode.name) for mode in registry.offered() if not mode.needs_wire]


def _flag(name: str, value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _YES | _NO:
        raise _wrong(name, value, "Use true or false.")
    return text in _YES


def _number(name: str, value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(name, value, "Use a whole number.") from None
    if name == "variations" and not 1 <= number <= MOST_VARIATIONS:
        raise _wrong(name, value, f"Choose 1 to {MOST_VARIATIONS}.")
    if name == "count" and not 0 <= number <= MOST_IMAGES:
        raise _wrong(name, value, f"Choose 0 to {MOST_IMAGES}.")
    return max(number, FOLLOW)


def _parts(value: Any) -> tuple[str, ...]:
    items = value.replace(";", ",").split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)):
        raise _wrong("parts", value, f"Use a list of {', '.join(PARTS)}.")
    parts = tuple(str(item).strip().lower() for item in items if str(item).strip())
    if not set(parts) <= set(PARTS):
        raise _wrong("parts", value, f"Use a list of {', '.join(PARTS)}.")
    return tuple(part for part in PARTS if part in parts)


def _wrong(name: str, value: Any, hint: str) -> NotConfigured:
    return NotConfigured(f"Quillwork's argument {name} cannot be {str(value)[:80]!r}.", hint=hint)
