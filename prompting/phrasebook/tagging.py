"""Danbooru tags added to a prompt."""

from __future__ import annotations

import re

from . import data
from .chooser import Chooser

# Of 64 numbers in a row the two nearest lie 1/123 of the whole apart.
ENOUGH_SPREAD = 130.0


def tags_of(prompt: str, chooser: Chooser, few: int, *, with_light: bool = True) -> list[str]:
    """Return tags that the prompt lacks, in its own spelling, until it has `few` (or no more fit)."""
    present = {_tag_key(part) for part in prompt.split(",")}
    underscores = bool(re.search(r"[a-z]_[a-z]", prompt)) and not re.search(r"[a-z] [a-z]", prompt)
    facets = data.facets("tags")
    # Where sentences follow, they describe the light.
    order = [
        "medium",
        "tags",
        "light" if with_light else "tags",
        "tags",
        "tags",
        "frame",
        "tags",
        "colour",
        "tags",
        "light" if with_light else "tags",
        "frame",
    ]
    order += ["tags"] * 12
    if chooser.scene.language != "en":
        order = ["frame", "colour", "frame"]
    if len(present) > 2 * few:
        order = ["frame", "light", "colour"]
    found: list[str] = []
    for facet in order:
        if len(present) + len(found) >= few and chooser.spread > ENOUGH_SPREAD:
            break
        entry = chooser.entry(f"tags/{facet}", facets[facet])
        if entry is None:
            continue
        for tag in entry.phrase.split(","):
            key = _tag_key(tag)
            if key not in present and key not in map(_tag_key, found):
                found.append(tag.strip())
    return [tag.replace(" ", "_") for tag in found] if underscores else found


def _tag_key(tag: str) -> str:
    tag = re.sub(r":[\d.]+", "", tag)
    return re.sub(r"[()\[\]{}\\]", "", tag).replace("_", " ").strip().lower()
