"""The registry of backends by mode.

A backend is registered by name with a maker, and made at first use, so that registering costs no
import. Other packs call `register` (or publish an entry point in the group ``quillwork.backends`` whose
name is the mode and whose object is the maker); their mode is then a valid ``LLM_MODE``.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any

from .. import MODES_OF
from . import modes
from .errors import BackendUnavailable, LLMError
from .modes import Mode

Maker = Callable[[], Any]
ENTRY_POINT_GROUP = "quillwork.backends"

_makers: dict[str, Maker] = {}
_backends: dict[str, Any] = {}
_lock = threading.RLock()
_entry_points_read = False


def register(name: str, maker: Maker, *, replace: bool = False, mode: Mode | None = None) -> None:
    """Register `maker` (called once, with nothing, at first use) under the mode `name`.

    `mode` is its row of facts, a plain one by default. Raises ValueError when the name is taken
    and `replace` is False.
    """
    with _lock:
        if name in _makers and not replace:
            raise ValueError(f"a backend named {name!r} is already registered")
        _makers[name] = maker
        _backends.pop(name, None)
        modes.add(mode or modes.plain(name))


def names() -> list[str]:
    """All registered names, those of installed entry points among them, sorted."""
    _read_entry_points()
    return sorted(_makers)


def rows() -> list[Mode]:
    """The modes of all registered backends, those of installed entry points among them."""
    _read_entry_points()
    return modes.rows()


def offered(*, installed: bool = True) -> list[Mode]:
    """The modes to choose from: ``auto``, our modes, then those of other packs.
    With `installed` False no entry points are read, which would delay a host's start."""
    if installed:
        _read_entry_points()
    return modes.offered()


def choices(*, installed: bool = True) -> list[str]:
    """The names of the modes to choose from; see `offered`."""
    return [row.name for row in offered(installed=installed)]


def is_known(name: str) -> bool:
    """Tell whether `get` would find a backend of that name."""
    if name not in _makers:
        _read_entry_points()
    return name in _makers


def get(name: str) -> Any:
    """The backend of that name, made if need be. Raises `BackendUnavailable` for an unknown name."""
    with _lock:
        if name in _backends:
            return _backends[name]
        if name not in _makers:
            _read_entry_points()
        maker = _makers.get(name)
        if maker is None:
            raise BackendUnavailable(
                f"The mode {name!r} is not available here.",
                hint=f"Choose one of: {', '.join(sorted(_makers))}.",
            )
        try:
            backend = _backends[name] = maker()
        except LLMError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever another pack may raise)
            raise BackendUnavailable(
                f"The mode {name!r} could not be loaded ({type(error).__name__}: {error}).",
                hint="Install what it needs, or choose another mode.",
            ) from None
        return backend


def made() -> list[Any]:
    """The backends that are in use so far."""
    with _lock:
        return list(_backends.values())


def lazily(module: str, attribute: str) -> Maker:
    """A maker that imports ``module`` (relative to this package) only when the backend is wanted."""

    def make() -> Any:
        return getattr(importlib.import_module(module, __package__), attribute)()

    return make


def _read_entry_points() -> None:
    global _entry_points_read
    with _lock:
        if _entry_points_read:
            return
        _entry_points_read = True
        # Not at the top: it takes a tenth of the pack's import, and most hosts never ask.
        from importlib import metadata

        for entry in metadata.entry_points(group=ENTRY_POINT_GROUP):
            # Ours win: a stray package must not take over a mode that users rely on.
            if entry.name not in _makers:
                register(entry.name, lambda entry=entry: entry.load()())  # type: ignore[misc]


for _name, _maker in (
    (modes.ENDPOINT, lazily(".remote.openai_compatible", "OpenAICompatible")),
    (modes.LITELLM, lazily(".remote.provider.backend", "Provider")),
    (modes.HF_LOCAL, lazily(".local.transformers_local.backend", "shared")),
    (modes.HF_DOWNLOAD, lazily(".local.transformers_local.backend", "shared")),
    (modes.HOST_ENCODER, lazily(".local.host_encoder.backend", "HostEncoder")),
    (modes.GGUF, lazily(".local.gguf.backend", "shared")),
):
    register(_name, _maker, mode=modes.of(_name))
for _name in MODES_OF:
    importlib.import_module(f"..{_name}", __package__).register()
