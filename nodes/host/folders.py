"""ComfyUI's folders of language models."""

from __future__ import annotations

from pathlib import Path

_NAMES = ("LLM", "llm", "llm_gguf")


def model_folders() -> list[Path]:
    """Return the folders of those names in ComfyUI's models folder and among the extra paths it was given."""
    import folder_paths

    found = {Path(folder_paths.models_dir, name): None for name in _NAMES}
    registered = getattr(folder_paths, "folder_names_and_paths", {})
    for name in _NAMES:
        found.update((Path(folder), None) for folder in registered.get(name, ((), ()))[0])
    return [folder for folder in found if folder.is_dir()]
