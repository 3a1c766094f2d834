"""ComfyUI's folders of pictures, and those that its user allows besides."""

from __future__ import annotations

from pathlib import Path

from ...config.access.consent import require_folder
from ...config.settings.values import load
from ...llm_backends.errors import NotConfigured
from ...prompting.jobs.captions import whole_path


def picture_folder(name: str) -> Path:
    """Return the folder `name`: in ComfyUI's input folder, with `` [output]`` behind it in the output folder.

    A whole path is taken, too. Raises `ConsentNeeded` for one outside of both that the user has not allowed,
    `NotConfigured` where nothing is named, and `JobError` for what no folder can be called.
    """
    import folder_paths

    source, output = Path(folder_paths.get_input_directory()), Path(folder_paths.get_output_directory())
    name = name.strip()
    base = source
    for words, place in ((" [input]", source), (" [output]", output)):
        if name.endswith(words):
            name, base = name.removesuffix(words).rstrip(), place
    if not name:
        raise NotConfigured(
            "No folder is named.", hint="Enter the name of a folder in ComfyUI's input folder."
        )
    folder = whole_path(base, name)
    if not any(folder.is_relative_to(place.resolve()) for place in (source, output)):
        require_folder(folder, load())
    return folder
