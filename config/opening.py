"""The parts that every entry point opens: a model, the library's folders, a mark of the settings."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..llm_backends.errors import LLMError
from ..llm_backends.host import Host, NullHost
from ..llm_backends.model import Model, Sampling
from ..llm_backends.streaming.live import LiveText
from . import model_source
from .choice import Choice
from .deployment import deploy
from .settings.home import host_library_folders
from .settings.values import Settings, load


def open_model(
    choice: Choice,
    live: LiveText | None = None,
    host: Host | None = None,
    settings: Settings | None = None,
    caller: str = "python",
) -> Model:
    """Open the model for `choice`, which shows its answer in `live`, on `host`. Sends nothing.

    `caller` is the name of its calls in the ledger.

    Raises `NotConfigured`, `MissingKey` or `ConsentNeeded`.
    """
    return Model(
        deploy(choice, settings), sampling_of(choice), live or LiveText(), host or NullHost(), caller
    )


def lacks_model(choice: Choice, settings: Settings | None = None) -> bool:
    """Tell whether the phrasebook answers `choice` because no model is set, and not because it was chosen.

    Raises `NotConfigured` as `open_model` does.
    """
    return model_source.lacks_model(choice, settings or load())


def no_model_notice(where: str, who: str = "Phrasebook") -> str:
    """The notice that the phrasebook answered because no model is set.
    `where` says how to choose one, `who` names the speaker."""
    return (
        f"{who}: no model is set up, so curated phrases were used. Choose one {where}, for example "
        "ollama/llama3.2."
    )


def sampling_of(choice: Choice) -> Sampling:
    return Sampling(
        temperature=None if choice.temperature < 0 else choice.temperature,
        top_p=None if choice.top_p < 0 else choice.top_p,
        max_tokens=choice.max_tokens or None,
        reasoning=choice.reasoning,
        extra=choice.extra,
    )


def library_folders(settings: Settings | None = None) -> tuple[Path, tuple[Path, ...]]:
    """The folders of the library: (the user's own, further ones that are only read)."""
    settings = settings or load()
    own = settings.text("LOCAL_LIBRARY_DIR")
    folder = Path(own).expanduser() if own else settings.folder / "library"
    named = (Path(item).expanduser() for item in settings.items("LIBRARY_DIRS"))
    return folder, (*named, *host_library_folders())


def effective(choice: Choice) -> str:
    """A short text that changes when a call of `choice` would go elsewhere or be made differently.

    A host's cache asks for it before every run. It reveals nothing: no address, no key.
    """
    try:
        deployment = deploy(choice)
    except LLMError as error:
        return _digest(type(error).__name__, str(error))
    chain = (deployment, *deployment.fallbacks)
    return _digest(
        *(
            f"{one.mode}\0{one.backend}\0{one.provider}\0{one.base_url}\0{one.model}\0{one.params}\0{one.plan}"
            + ",".join(one.replicas)
            for one in chain
        )
    )


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\1".join(parts).encode(), digest_size=12).hexdigest()
