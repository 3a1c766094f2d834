"""Words that the full and the compact messages share."""

from __future__ import annotations

from .targets import Target
from .tasks import LANGUAGES as LANGUAGES
from .tasks import EnhanceTask

VARIATION_LEANINGS = (
    "an unusual viewpoint",
    "another time of day and light",
    "a closer framing",
    "a wider framing with more surroundings",
    "another palette",
    "another mood",
    "other materials and textures",
    "another weather or season, where it fits",
    "a simpler composition",
    "a richer foreground and background",
    "a stronger contrast of light and dark",
    "softer light and gentler colours",
)
_INSTRUCTED = "(none: invent one that the instruction below describes)"
_INVENTED_SOUND = (
    "(none: invent one, a piece of music or a sound with a character of its own, off the beaten track; write "
    "its whole prompt)"
)
_INVENTED = (
    "(none: invent one, with a subject, a place and a moment of your own, off the beaten track; write its "
    "whole prompt)"
)


def kind_of_model(target: Target) -> str:
    """Describe the kind of the target's model in words."""
    return {
        "image": "an image model",
        "edit": "an image editing model",
        "audio": "a model for music and sound",
    }.get(target.kind, "a video model")


def subject_of(task: EnhanceTask) -> str:
    """Return the idea, or what stands for it where there is none."""
    if task.prompt or task.instruction.strip():
        return task.prompt or _INSTRUCTED
    return _INVENTED_SOUND if task.target.kind == "audio" else _INVENTED
