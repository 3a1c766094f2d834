"""The source of the model: mode and model out of widgets, settings and the older names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..llm_backends import modes, registry
from ..llm_backends.errors import NotConfigured
from . import providers, ways
from .access.session_keys import ENDPOINT
from .choice import ROLE_VARIABLES, Choice
from .models import local_models
from .pasted import is_key
from .settings.values import Settings, Value, warn_once

DEFAULT_REPOSITORY = "unsloth/Qwen3-4B-Instruct-2507-bnb-4bit"
_LONGEST_NAME = 1000


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A resolved mode, never ``auto``, and the model in that mode's own terms.

    `file` is the GGUF file within `model`, where there is one. `from_workflow` says that mode or model came
    out of a graph and not out of this machine's settings. `way` is one of `ways`, where the id named one.
    `guess` is a sentence that says how a model was understood whose id names no provider; empty where
    nothing was guessed.
    """

    mode: str
    model: str
    file: str = ""
    from_workflow: bool = False
    way: str = ""
    guess: str = field(default="", compare=False)


def find(choice: Choice, settings: Settings) -> ModelSource:
    """Find the mode and model for `choice` under `settings`.

    Raises `NotConfigured` where a mode lacks its model or does not exist.
    """
    way, model = ways.split(_model(choice, settings))
    if len(model) > _LONGEST_NAME:
        raise NotConfigured(
            f"The model name is {len(model):,} characters long, which is not a valid name.",
            hint="Check the model chosen here and LLM_MODEL: a text may have been pasted by mistake.",
        )
    if is_key(model.rpartition("/")[2]):
        raise NotConfigured(
            "What is chosen as the model looks like a key.",
            hint="Take it out: it would be saved and sent as a name. Enter keys in the settings, or set "
            "the provider's variable, such as OPENAI_API_KEY.",
        )
    mode = (
        _mode_of_way(way, choice, settings)
        if way
        else _mode(choice, settings, has_own_model=bool(choice.llm_model.strip()))
    )
    from_workflow = choice.by_workflow and (
        bool(choice.llm_model.strip()) or choice.llm_mode not in ("", modes.AUTO)
    )
    guess = ""
    if mode == modes.AUTO:
        asked = model
        mode, model = _automatic(model, settings)
        if mode == modes.HF_DOWNLOAD and asked:
            guess = providers.taken_for_repository(asked)
    # LLM_PATH goes with the settings' own models; a node that names one means that one.
    path = "" if choice.llm_model.strip() else settings.text("LLM_PATH")
    source = _in_mode(mode, local_models.resolve(mode, model), path, settings)
    return ModelSource(source.mode, source.model, source.file, from_workflow, way, guess)


def lacks_model(choice: Choice, settings: Settings) -> bool:
    """Tell whether the stand-in mode answers `choice` because no model is set, not because it was chosen."""
    own = bool(choice.llm_model.strip())
    automatic = _mode(choice, settings, has_own_model=own) == modes.AUTO
    return automatic and not _model(choice, settings) and modes.of(find(choice, settings).mode).stands_in


def _model(choice: Choice, settings: Settings) -> str:
    return (
        choice.llm_model.strip() or settings.text(ROLE_VARIABLES[choice.role]) or settings.text("LLM_MODEL")
    )


def unknown_mode(value: Value) -> str:
    """Say in a sentence that a setting names no mode; empty for one that does."""
    if _exists(_spelled(value)):
        return ""
    return (
        f"{value.name} is {value.text!r} (from {value.origin}), which is not a mode, so auto is "
        f"used. Choose one of {', '.join(registry.choices())}."
    )


def _spelled(value: Value) -> str:
    text = value.text if _exists(value.text) else value.text.lower()
    return modes.spelled(text)


def _mode(choice: Choice, settings: Settings, *, has_own_model: bool) -> str:
    chosen = modes.spelled(choice.llm_mode.strip() or modes.AUTO)
    if chosen != modes.AUTO:
        if not _exists(chosen):
            raise NotConfigured(
                f"There is no mode {chosen!r}.", hint=f"Choose one of {', '.join(registry.choices())}."
            )
        return chosen
    value: Value = settings.mode()
    if problem := unknown_mode(value):
        warn_once(problem)
        return modes.AUTO
    mode = _spelled(value)
    # A model typed into a node says more than a general mode that has no use for models.
    return modes.AUTO if has_own_model and not modes.of(mode).takes_model else mode


def _mode_of_way(way: str, choice: Choice, settings: Settings) -> str:
    """The mode of an id that names its way. Raises `NotConfigured` where that way is closed."""
    chosen = modes.spelled(choice.llm_mode.strip() or modes.AUTO)
    if chosen not in (modes.AUTO, modes.LITELLM):
        raise NotConfigured(
            f"A model id that begins with {way}: cannot be used in the mode {chosen}.",
            hint=f"Set llm_mode to auto or {modes.LITELLM}, or leave out {way}:.",
        )
    if way == ENDPOINT and settings.endpoint() is None:
        raise NotConfigured(
            "The model id begins with endpoint:, but no endpoint is set.",
            hint="Set LLM_BASE_URL, or choose provider/model, for example "
            f"{' or '.join(providers.examples()[:2])}.",
        )
    return modes.LITELLM


def _exists(mode: str) -> bool:
    return mode == modes.AUTO or registry.is_known(mode)


def _automatic(model: str, settings: Settings) -> tuple[str, str]:
    """The mode that a model's id implies, or the settings where there is no id."""
    if model:
        providers.refuse_faulty(model)
        if providers.is_on_hub(model) and settings.endpoint() is None:
            name = model.partition("/")[0]
            warn_once(
                f"{model} is read as a Hugging Face repository. To use it from the provider {name} "
                "instead, set llm_mode (or LLM_MODE) to litellm."
            )
            return (modes.HF_LOCAL if Path(model).expanduser().is_dir() else modes.HF_DOWNLOAD), model
        if providers.split(model) is not None:
            return modes.LITELLM, model
        if model.lower().endswith(".gguf"):
            return modes.GGUF, model
        if Path(model).expanduser().is_dir():
            return modes.HF_LOCAL, model
        if settings.endpoint() is not None:
            return modes.LITELLM, model
        if local_models.find(model) is not None:
            return modes.HF_LOCAL, model
        if modes.of(model).is_choice and registry.is_known(model):
            return model, ""
        if "://" in model or model.count("/") != 1:
            raise NotConfigured(
                f"The model {model!r} was not found.",
                hint="Use provider/model (such as ollama/llama3.2), a Hugging Face org/name, a folder "
                "or a .gguf file, or set LLM_BASE_URL.",
            )
        providers.refuse_uncalled(
            model, f"For a Hugging Face repository of that name, set llm_mode to {modes.HF_DOWNLOAD}."
        )
        return modes.HF_DOWNLOAD, model
    path = settings.text("LLM_PATH")
    if path:
        if settings.text("LLM_GGUF_FILE") or path.lower().endswith(".gguf"):
            return modes.GGUF, ""
        return (modes.HF_LOCAL, "") if Path(path).expanduser().exists() else (modes.HF_DOWNLOAD, path)
    if settings.endpoint() is not None:
        return modes.LITELLM, ""
    if settings.text("LLM_REPO"):
        return modes.HF_DOWNLOAD, ""
    return modes.stand_in(), ""


def _in_mode(mode: str, model: str, path: str, settings: Settings) -> ModelSource:
    if mode == modes.HF_DOWNLOAD:
        return ModelSource(mode, model or _older_name(settings) or DEFAULT_REPOSITORY)
    if mode == modes.HF_LOCAL:
        folder = (
            model if model and Path(model).expanduser().is_dir() else path or model or _older_name(settings)
        )
        if not folder:
            raise NotConfigured(
                "The mode hf_local needs a folder.", hint="Set LLM_PATH to the model's folder."
            )
        return ModelSource(mode, folder)
    if mode == modes.GGUF:
        file = settings.text("LLM_GGUF_FILE")
        if model.lower().endswith(".gguf"):
            return ModelSource(mode, model)
        if not path and not model:
            raise NotConfigured(
                "The mode gguf needs a file.",
                hint="Set LLM_PATH to the .gguf file, or LLM_PATH and LLM_GGUF_FILE.",
            )
        return ModelSource(mode, path or model, file)
    if mode == modes.LITELLM and not model:
        raise NotConfigured(_no_model(settings), hint=_no_model_hint(settings))
    return ModelSource(mode, model if modes.of(mode).takes_model else "")


def _older_name(settings: Settings) -> str:
    """The value of LLM_REPO, with a word about its successor. LLM_MODEL takes precedence."""
    repository = settings.text("LLM_REPO")
    if repository:
        warn_once("LLM_REPO still works, but is now called LLM_MODEL. Please rename it.")
    return repository


def _no_model(settings: Settings) -> str:
    endpoint = settings.endpoint()
    if endpoint is not None:
        return f"No model is chosen for the endpoint in {endpoint[0].name}."
    if settings.text("LLM_REPO"):
        return "No model is chosen: LLM_REPO names a model to download, which no provider offers."
    return "No model is chosen for the mode litellm."


def _no_model_hint(settings: Settings) -> str:
    if settings.endpoint() is not None:
        return "Choose one of its models here, under Model in the settings, or with LLM_MODEL."
    return "Choose a model here or with LLM_MODEL, for example " + ", ".join(providers.examples()) + "."
