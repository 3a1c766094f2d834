"""Inputs that several nodes share, and how to read them when every input comes as a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from comfy_api.latest import io

from ..config.choice import Choice, Role
from ..config.settings.home import targets_folder
from ..llm_backends import modes, registry
from ..prompting import target_index
from ..prompting.tasks import ASPECTS, LANGUAGES, LARGEST_SEED, LONGEST_SECONDS, MOST_REFERENCES

T = TypeVar("T")

CATEGORY = "Quillwork"
AUTO = modes.AUTO
LLM = io.Custom("QUILLWORK_LLM")
REFERENCES_HELP = (
    "Images that the image or video model gets beside the prompt. A vision model looks at them, and the "
    "prompt names them as the target wants it."
)
MODE_HELP = (
    "How to reach the model. auto decides by the model's name and your settings; if nothing is "
    "set up, the phrasebook writes without a model."
)
MODEL_HELP = (
    "provider/model, e.g. ollama/llama3.2 or openai/gpt-4o-mini, a Hugging Face repository, or "
    "a model name at your endpoint. Empty: the model from your settings. Never enter an API "
    "key here."
)


def seed_input() -> Any:
    """Build the seed input, fixed by default: a seed that changes by itself means a bill for every Run."""
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=LARGEST_SEED,
        control_after_generate=io.ControlAfterGenerate.fixed,
        tooltip=(
            "Change the seed for a different answer. If the seed, the prompt and the settings are "
            "unchanged, the model is not called again."
        ),
    )


def target_input(auto: str = "Auto (from clip, else any model)") -> Any:
    """Build the input of all targets by id; their labels, `auto` first, travel along for the browser."""
    entries = target_index.index(targets_folder())
    labels = {AUTO: auto}
    labels.update({entry.id: f"{entry.group} › {entry.label}" for entry in entries})
    return io.Combo.Input(
        "target",
        options=list(labels),
        default=AUTO,
        tooltip="The image or video model that the prompt is for. Each has its own prompt format.",
        extra_dict={"quillwork_labels": labels},
    )


def _is_serving() -> bool:
    """Tell whether the host has started: from then on nodes may look for what would delay its start."""
    from server import PromptServer

    app = getattr(getattr(PromptServer, "instance", None), "app", None)
    return bool(getattr(app, "frozen", False))


def llm_inputs() -> list[Any]:
    return [
        io.Combo.Input(
            "llm_mode",
            options=registry.choices(installed=_is_serving()),
            default=AUTO,
            optional=True,
            advanced=True,
            tooltip=MODE_HELP,
        ),
        io.String.Input("llm_model", default="", optional=True, advanced=True, tooltip=MODEL_HELP),
    ]


def freeze_inputs() -> list[Any]:
    return [
        io.Boolean.Input(
            "freeze",
            default=False,
            optional=True,
            advanced=True,
            tooltip="Output the text in `frozen` without calling a model.",
        ),
        io.String.Input(
            "frozen",
            default="",
            multiline=True,
            optional=True,
            advanced=True,
            tooltip=("The output of the node while it is frozen: plain text, or the JSON of an earlier run."),
        ),
    ]


def llm_socket() -> Any:
    return LLM.Input("llm", optional=True, tooltip="From LLM Settings. Overrides llm_mode and llm_model.")


def brief_inputs() -> list[Any]:
    """Build the inputs for what is wanted beside the idea: length, format, language."""
    return [
        io.Float.Input(
            "duration",
            default=0.0,
            min=0.0,
            max=LONGEST_SECONDS,
            step=0.5,
            optional=True,
            advanced=True,
            tooltip="The length of the video or piece of music in seconds. 0: left open.",
        ),
        io.Combo.Input(
            "aspect",
            options=[AUTO, *ASPECTS],
            default=AUTO,
            optional=True,
            advanced=True,
            tooltip="The aspect ratio to compose for.",
        ),
        io.Combo.Input(
            "language",
            options=[AUTO, *LANGUAGES],
            default=AUTO,
            optional=True,
            advanced=True,
            tooltip="The language of the prompt if the target supports it; otherwise that of lyrics, speech "
            "and lettering.",
        ),
    ]


def roles_input() -> Any:
    return io.String.Input(
        "reference_roles",
        multiline=True,
        default="",
        optional=True,
        advanced=True,
        placeholder="subject: Anna\nstyle\nbackground",
        tooltip="What each reference image is for, one line per image: subject, style, pose, background, "
        "first frame, last frame or your own words; after a colon, its name in the prompt.",
    )


def references_input() -> Any:
    """Build the input for reference images: any number, or one batch where inputs cannot grow."""
    autogrow = getattr(io, "Autogrow", None)
    if autogrow is None:
        return io.Image.Input("references", optional=True, tooltip=REFERENCES_HELP)
    return autogrow.Input(
        "references",
        optional=True,
        template=autogrow.TemplatePrefix(
            io.Image.Input("reference", optional=True, tooltip=REFERENCES_HELP),
            prefix="reference",
            min=0,
            max=MOST_REFERENCES,
        ),
        tooltip=REFERENCES_HELP,
    )


def in_order(values: Any) -> list[Any]:
    """Return what is connected to an input that grows, in the order of its sockets."""
    if isinstance(values, (list, tuple)) and values and isinstance(values[0], dict):
        values = values[0]
    if not isinstance(values, dict):
        return every(values)
    names = sorted(values, key=lambda name: int("".join(filter(str.isdigit, name)) or 0))
    return [item for name in names for item in every(values[name])]


def one(values: Sequence[T] | T, default: T) -> T:
    """Return the first item of an input that comes as a list.

    An unwired optional input comes as its plain default.
    """
    if not isinstance(values, (list, tuple)):
        return default if values is None else values  # type: ignore[return-value]
    return default if not values or values[0] is None else values[0]


def every(values: Any) -> list[Any]:
    """Return all items of an input as a list. While it validates, the host gives ``(None,)`` for a wire."""
    if values is None:
        return []
    return list(values) if isinstance(values, (list, tuple)) else [values]


def at(values: Any, index: int, default: T) -> T:
    """Return the item of an input for place `index`: the last item serves all further places."""
    items = every(values)
    if not items:
        return default
    item = items[min(index, len(items) - 1)]
    return default if item is None else item


def choice_of(llm: Any, llm_mode: Any, llm_model: Any, role: Role = "prompt_gen", clip: Any = None) -> Choice:
    """Choose the model by the `llm` socket, else by the node's widgets; `clip` is the node's own, if any."""
    settings = one(llm, None)
    if isinstance(settings, Choice):
        encoder = settings.encoder if settings.encoder is not None else one(clip, None)
        return replace(settings, role=role, encoder=encoder)
    return Choice(
        llm_mode=one(llm_mode, AUTO) or AUTO,
        llm_model=one(llm_model, "") or "",
        role=role,
        encoder=one(clip, None),
    )


def unknown_target(values: Any) -> str | None:
    """Return the sentence for a target that this computer does not have, None where all are known."""
    known = {AUTO, None, *(entry.id for entry in target_index.index(targets_folder()))}
    for value in every(values):
        if value not in known:
            from ..prompting import targets

            try:
                targets.load(value, targets_folder())
            except ValueError as error:
                return str(error)
    return None


def target_signature(values: Any) -> str:
    """Return a text that changes when the user's own file of a target in `values` does.

    The files that we ship do not change while the program runs.
    """
    marks = []
    for value in every(values):
        try:
            status = (targets_folder() / f"{value}.yaml").stat()
            marks.append(f"{value}:{status.st_mtime_ns}:{status.st_size}")
        except (OSError, ValueError):
            continue
    return ",".join(marks)


def unknown_mode(values: Any) -> str | None:
    """Return the sentence for a mode that does not exist, None where all do."""
    for value in every(values):
        if value is not None and not (value == AUTO or registry.is_known(modes.spelled(value))):
            return f"There is no llm_mode {value!r}. Choose one of {', '.join(registry.choices())}."
    return None
