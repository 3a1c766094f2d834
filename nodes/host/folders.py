"""Where this host keeps language models."""

from __future__ import annotations

from pathlib import Path

_NAMES = ("LLM", "llm", "llm_gguf")


def model_folders() -> list[Path]:
    """The folders of those names below the host's models, and wherever else it was told to look for them."""
    import folder_paths

    found = {Path(folder_paths.models_dir, name): None for name in _NAMES}
    registered = getattr(folder_paths, "folder_names_and_paths", {})
    for name in _NAMES:
        found.update((Path(folder), None) for folder in registered.get(name, ((), ()))[0])
    return [folder for folder in found if folder.is_dir()]
