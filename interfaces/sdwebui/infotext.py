"""Parameters of an image that concern Quillwork, and their way back by "read generation parameters"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

from ...config.settings.home import targets_folder
from ...prompting import targets
from .arguments import AUTO, FOLLOW, PARTS, Arguments, mode_choices
from .images import JobImage, Texts

PREFIX = "Quillwork "
PROMPT, NEGATIVE = "Quillwork prompt", "Quillwork negative"
HIRES, HIRES_NEGATIVE = "Quillwork hires prompt", "Quillwork hires negative"
MODE, MODEL, TARGET, SEED = "Quillwork mode", "Quillwork model", "Quillwork target", "Quillwork seed"
INSTRUCTION, VARIATIONS = "Quillwork instruction", "Quillwork variations"
VARIATION = "Quillwork variation"
ON_ERROR, PARTS_LABEL = "Quillwork on error", "Quillwork parts"
PER_IMAGE, VARIABLES = "Quillwork per image", "Quillwork variables"
GENERATE_MISSING, ERROR = "Quillwork generate missing", "Quillwork error"
SELECTION, ALONE, LEFT = "Quillwork selection", "Quillwork variables alone", "Quillwork left"
NO_REPEATS = "Quillwork no repeats"
# Never in an image: the page has put the user's own prompt back, so it may be enhanced again.
RESTORED = "Quillwork restored"
EMPTY = "(none)"
"""A prompt that was empty: hosts cannot read an empty value."""
_NOTHING_WRITTEN = "none"
_ONLY = "only"
_HOSTS_NAMES = {
    PROMPT: "Prompt",
    NEGATIVE: "Negative prompt",
    HIRES: "Hires prompt",
    HIRES_NEGATIVE: "Hires negative prompt",
}


class PerImage(str):
    """Value that differs from image to image.

    Hosts that can call a function do so for each image, the others show the first one's, which is the text
    itself.
    """

    _values: Sequence[str | None]

    def __new__(cls, values: Sequence[str | None]) -> PerImage:
        made = super().__new__(cls, next((value for value in values if value is not None), ""))
        made._values = values
        return made

    def __call__(
        self, p: Any, index: int, all_prompts: Sequence[str], use_main_prompt: bool = False, **_: Any
    ) -> str | None:
        """Return the value for the image at `index`: in the job, or in the batch that the host passes."""
        is_batch = all_prompts is not getattr(p, "all_prompts", None) and len(all_prompts) < len(self._values)
        if is_batch and not use_main_prompt:
            index += p.iteration * p.batch_size
        return self._values[min(index, len(self._values) - 1)]


def _one_or_each(values: Sequence[str | None]) -> str | None:
    return values[0] if len(set(values)) == 1 else PerImage(values)


_PLACES = re.compile(
    r"\w+://\S+?(?=[.,;)]*(?:\s|$))"
    r"|\b[\w.-]+:\d{2,5}\b|(?<![\w/])(?:[A-Za-z]:)?[/\\](?:[\w .~@-]+[/\\])+[\w.~@-]*"
)


def without_places(error: str, server: str = "") -> str:
    """Return `error` as it may travel with a picture: without addresses, paths and the `server`'s name."""
    return _PLACES.sub("…", error.replace(server, "The endpoint") if server else error)


def clear(params: MutableMapping[str, Any]) -> None:
    """Remove what an earlier job with the same processing object left."""
    for name in [name for name in params if str(name).startswith(PREFIX)]:
        del params[name]


def describe(
    images: Sequence[JobImage],
    written: Sequence[Texts],
    arguments: Arguments,
    *,
    target: str,
    mode: str,
    model: str,
    seeds: Sequence[int],
    variations: Sequence[int],
    error: str,
    left: Sequence[str] = (),
) -> dict[str, str]:
    """Return the parameters of a job, without those that have nothing to say.

    `seeds` are the model's own, image by image, `variations` count from 0, `left` are the variables left for
    others.
    """

    def originals(field: str, changed: bool) -> str | None:
        return _one_or_each([getattr(image.texts, field) or EMPTY for image in images]) if changed else None

    def differs(field: str) -> bool:
        return any(
            getattr(image.texts, field) != getattr(text, field)
            for image, text in zip(images, written, strict=True)
        )

    several = len(set(variations)) > 1 or any(variations)
    found = {
        PROMPT: originals("prompt", True),
        NEGATIVE: originals("negative", differs("negative")),
        HIRES: originals("hires", differs("hires")),
        HIRES_NEGATIVE: originals("hires_negative", differs("hires_negative")),
        MODE: mode or _NOTHING_WRITTEN,
        MODEL: model,
        TARGET: target,
        SEED: _one_or_each([str(seed) for seed in seeds]),
        VARIATION: _one_or_each([str(number + 1) for number in variations]) if several else None,
        **_unusual(arguments),
        LEFT: "; ".join(name if name.startswith("<") else f"__{name}__" for name in left),
        ERROR: error,
    }
    return {name: value for name, value in found.items() if value}


def _unusual(arguments: Arguments) -> dict[str, str]:
    """Return the arguments that nothing else shows, where they differ from the usual ones."""
    usual = Arguments()
    texts = {
        INSTRUCTION: arguments.instruction.strip(),
        VARIATIONS: str(arguments.variations),
        ON_ERROR: arguments.on_error,
        PARTS_LABEL: "; ".join(arguments.parts) or _NOTHING_WRITTEN,
        PER_IMAGE: str(arguments.per_image),
        VARIABLES: str(arguments.variables),
        GENERATE_MISSING: str(arguments.generate_missing),
        SELECTION: arguments.selection,
        ALONE: "True" if arguments.enabled else _ONLY,
        NO_REPEATS: str(arguments.no_repeats),
    }
    names = (
        *("instruction", "variations", "on_error", "parts", "per_image", "variables", "generate_missing"),
        *("selection", "variables_alone", "no_repeats"),
    )
    return {
        label: text
        for (label, text), name in zip(texts.items(), names, strict=True)
        if getattr(arguments, name) != getattr(usual, name)
    }


def restore_prompts(params: MutableMapping[str, Any]) -> bool:
    """Put the user's own texts back into `params`, what the host has read out of an image.

    Returns False where there are none of ours.
    """
    if not _is_ours(params):
        return False
    for label, name in _HOSTS_NAMES.items():
        if label in params:
            params[name] = "" if params[label] == EMPTY else str(params[label])
    params[RESTORED] = "True"
    return True


def arguments_in(params: Mapping[str, Any]) -> Arguments:
    """Return the arguments that `params` record; those of an image that we had no part in are disabled."""
    values = {name: reader(params) for name, reader in READERS.items()}
    return Arguments(**{name: value for name, value in values.items() if value is not None})


def is_written(params: Mapping[str, Any]) -> bool:
    """Tell whether a model, or the phrasebook, wrote for the image."""
    return _is_ours(params) and params[MODE] != _NOTHING_WRITTEN


def _is_ours(params: Mapping[str, Any]) -> bool:
    return MODE in params


def _text(label: str, default: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda params: str(params.get(label, default)) if _is_ours(params) else None


def _flag(label: str, default: bool) -> Callable[[Mapping[str, Any]], Any]:
    return lambda params: str(params.get(label, default)) == "True" if _is_ours(params) else None


def _mode(params: Mapping[str, Any]) -> str | None:
    if not _is_ours(params):
        return None
    return str(params[MODE]) if params[MODE] in mode_choices() else AUTO


def _seed(params: Mapping[str, Any]) -> int | None:
    """Return the model's own seed, or that it follows the image's."""
    if not _is_ours(params):
        return None
    ours, image = str(params.get(SEED, FOLLOW)), str(params.get("Seed", ""))
    return FOLLOW if ours == image or not ours.isdigit() else int(ours)


def _parts(params: Mapping[str, Any]) -> Any:
    if not _is_ours(params):
        return None
    text = str(params.get(PARTS_LABEL, "; ".join(Arguments().parts)))
    return tuple(part for part in PARTS if part in text.split("; "))


def _variations(params: Mapping[str, Any]) -> int | None:
    text = str(params.get(VARIATIONS, 1))
    return int(text) if _is_ours(params) and text.isdigit() else None


def label_of(target: str) -> str:
    """Return the label of `target` in lists; a target that this computer does not have stays as it is."""
    return next((entry.label for entry in targets.index(targets_folder()) if entry.id == target), target)


def _target(params: Mapping[str, Any]) -> str | None:
    return label_of(str(params[TARGET])) if TARGET in params else None


# Programs hand over the enhanced prompt as it is; the page puts the user's own back first.
READERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "enabled": lambda params: str(params.get(RESTORED)) == "True" and params.get(ALONE) != _ONLY,
    "mode": _mode,
    "model": _text(MODEL, ""),
    "target": _target,
    "instruction": _text(INSTRUCTION, ""),
    "variations": _variations,
    "seed": _seed,
    "on_error": _text(ON_ERROR, Arguments().on_error),
    "parts": _parts,
    "per_image": _flag(PER_IMAGE, False),
    "variables": _flag(VARIABLES, True),
    "generate_missing": _flag(GENERATE_MISSING, False),
    "selection": _text(SELECTION, Arguments().selection),
    "count": lambda params: Arguments().count if _is_ours(params) else None,
    "variables_alone": lambda params: ALONE in params if _is_ours(params) else None,
    "no_repeats": _flag(NO_REPEATS, False),
}


class Field(str):
    """Control's name in the host's tables, which also reads the control's value out of an image's parameters.

    It is a text, by which the value is sent from tab to tab.
    """

    def __call__(self, params: Mapping[str, Any]) -> Any:
        value = READERS[self.removeprefix(PREFIX)](params)
        return list(value) if isinstance(value, tuple) else value


FIELDS = {name: Field(PREFIX + name) for name in READERS}
