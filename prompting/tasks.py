"""Tasks of a caller as plain data, with limits on their size.

The messages to a model are written from these; a backend that writes without a model (the phrasebook)
reads them directly, as `Request.task`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from .targets import Target

Creativity = Literal["similar", "balanced", "creative"]
CREATIVITIES: tuple[Creativity, ...] = get_args(Creativity)
Selection = Literal["random", "cycle", "combinations"]
SELECTIONS: tuple[Selection, ...] = get_args(Selection)
OnError = Literal["raise", "passthrough", "phrasebook"]
ON_ERROR: tuple[OnError, ...] = get_args(OnError)
# Of captions: what becomes of those that are there, their form, what the model is told besides, and where
# they are kept.
Existing = Literal["keep", "append", "replace"]
EXISTING: tuple[Existing, ...] = get_args(Existing)
Form = Literal["any", "prose", "tags", "both"]
FORMS: tuple[Form, ...] = get_args(Form)
Hint = Literal["none", "name", "text"]
HINTS: tuple[Hint, ...] = get_args(Hint)
SaveAs = Literal["txt", "caption", "jsonl", "csv", "metadata"]
SAVE_AS: tuple[SaveAs, ...] = get_args(SaveAs)
MOST_VARIATIONS = 64
MOST_VALUES = 200
LANGUAGES = {
    "en": "English",
    "zh": "Chinese",
    "ja": "Japanese",
    "ko": "Korean",
    "ru": "Russian",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "pt": "Portuguese",
    "it": "Italian",
    "pl": "Polish",
    "tr": "Turkish",
    "ar": "Arabic",
    "hi": "Hindi",
}
LONGEST_SECONDS = 3600.0
ASPECTS = ("1:1", "5:4", "4:5", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "21:9", "9:21")
MOST_REFERENCES = 16
LARGEST_SEED = 2**64 - 1
"""The largest seed that a host lets its user choose; models are asked with less of it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture that the image model gets beside the prompt: its job there, and what the user calls it."""

    job: str = ""
    label: str = ""


NO_REFERENCE = Reference()


@dataclass(frozen=True, slots=True)
class Brief:
    """Wishes for the picture, clip or piece beside its idea.

    `duration` is in seconds, `aspect` such as ``16:9``, `language` an ISO code; 0 or "" leaves it open.
    """

    duration: float = 0.0
    aspect: str = ""
    language: str = ""
    references: tuple[Reference, ...] = ()


OPEN = Brief()
"""The brief that leaves everything open."""


@dataclass(frozen=True, slots=True)
class EnhanceTask:
    """Turn `prompt` into a prompt for `target`.

    `prompt` is the user's text with tags, weights and comments already taken out. Where it has several
    `parts` (regions of a picture), each is written for itself. `variation` counts from 0; two variations of
    one prompt should differ. `seed` is the seed of this very variation. The answer is the prompt as text, of
    several parts each behind its number in square brackets, and then, where the target has a negative prompt
    and there is something to say, a last line that begins with ``Negative:``.
    """

    prompt: str
    target: Target
    instruction: str = ""
    variation: int = 0
    variations: int = 1
    seed: int = 0
    parts: tuple[str, ...] = ()
    brief: Brief = OPEN


@dataclass(frozen=True, slots=True)
class VariablesTask:
    """Invent `count` values for the variable `name`, none of them (ignoring case) among `existing`.

    `context` is the template that the values will stand in, `guidance` the user's own guidance. The answer is
    the JSON object ``{"values": ["...", ...]}``.
    """

    name: str
    count: int
    context: str = ""
    guidance: str = ""
    creativity: Creativity = "balanced"
    existing: tuple[str, ...] = field(default=())
    seed: int = 0
