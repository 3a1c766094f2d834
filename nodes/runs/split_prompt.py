"""Run of Split Prompt."""

from __future__ import annotations

import json

from comfy_api.latest import io

from ...config.settings.home import targets_folder
from ...llm_backends.errors import NotConfigured
from ...prompting.answers.shapes.split import split_prompt


def split(prompt: str, names: str, most: int) -> io.NodeOutput:
    """Return `most` parts of `prompt`, those of `names` where any are named, and all of them as JSON."""
    found = split_prompt(prompt, targets_folder())
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = {name.casefold().replace(" ", "_"): text for name, text in found.items()}
    missing = [name for name in wanted if name.casefold().replace(" ", "_") not in known]
    if missing:
        raise NotConfigured(
            f"The prompt has no part {', '.join(repr(name[:40]) for name in missing)}.",
            hint=f"It has {', '.join(found)}. Change the names in parts, or leave it empty.",
        ) from None
    if len(wanted) > most:
        raise NotConfigured(f"parts has {len(wanted)} names.", hint=f"Enter up to {most}.")
    texts = [known[name.casefold().replace(" ", "_")] for name in wanted] or list(found.values())
    texts = [*texts, *[""] * most][:most]
    return io.NodeOutput(*texts, json.dumps(found, ensure_ascii=False))
