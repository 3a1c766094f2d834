"""Fields of a target, and the checks on its YAML file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from .checks import (
    BrokenTarget,
    Wrong,
    check_choice,
    check_count,
    check_flag,
    check_languages,
    check_name,
    check_range,
    check_some,
    check_text,
    check_texts,
    kind_of,
    line_of,
)
from .examples import Example
from .shape import Part, check_parts, check_reference, check_schema, check_shot, check_states

Kind = Literal["image", "edit", "video", "image_to_video", "audio"]
Form = Literal["prose", "tags", "tags_and_prose", "phrases", "instruction", "json", "sections", "any"]
Negative = Literal["none", "optional", "default"]

KINDS: tuple[Kind, ...] = ("image", "edit", "video", "image_to_video", "audio")
FORMS: tuple[Form, ...] = (
    "prose",
    "tags",
    "tags_and_prose",
    "phrases",
    "instruction",
    "json",
    "sections",
    "any",
)
BOARDS = ("danbooru", "e621")
TAG_GROUPS = ("count", "character", "series", "artist", "species", "rating", "meta", "general")
NEGATIVES: tuple[Negative, ...] = ("none", "optional", "default")


@dataclass(frozen=True, slots=True)
class Unless:
    """Exception to the default negative prompt: `drop` leaves it when the prompt mentions one of `asked`."""

    asked: tuple[str, ...]
    drop: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Prompting manner of one family of image or video models.

    `rules` are the instructions to the language model, `added_rules` those of them that one target adds to
    another's; `examples` are shown to small models. `prefix`, `suffix`, `default_negative` and
    `negative_prefix` are added by code and never asked of it. `words` is (fewest, most) words, or tags
    where `form` is ``tags``; `limit_tokens` the length that the image model was trained for.
    `languages` are ISO codes, the first is the one to write in, ``any`` means the user's own.
    `negative` is ``none`` where a negative prompt has no effect, ``optional`` where one is written only
    on demand, ``default`` where `default_negative` is always there. `weights` says whether
    ``(word:1.2)`` has a meaning for this model. `keep_detailed`: an already detailed prompt is only
    lightly edited. `tags` are the boards whose tags the model knows, `tag_order` the groups of tags in
    the order that it wants, `underscores` says that it wants those instead of blanks, `artist_mark` stands
    before an artist. `encoders` are class paths (or the beginning of one) of ComfyUI text encoders or
    tokenizers; where targets share one, a checkpoint with one of `files` in its name (letters and digits
    only) tells which is meant, else `encoder_default`.

    `negations` says that the model understands “no watermark”. A prompt consists of `parts`, or is JSON by
    `schema` (as text). `shots` is (fewest, most) of them, each of more than one begun with `shot_label`;
    `seconds` the shortest and longest clip or piece, `states` what of ``duration`` and ``aspect`` the prompt
    itself says. `references` are (fewest, most) pictures, called by `reference_label`. `source_file`
    (owner/repository/path) had the Git blob hash `source_hash` when it was read.
    """

    id: str
    label: str
    group: str
    kind: Kind = "image"
    form: Form = "prose"
    languages: tuple[str, ...] = ("en",)
    words: tuple[int, int] | None = None
    limit_tokens: int | None = None
    negative: Negative = "none"
    default_negative: str = ""
    negative_unless: tuple[Unless, ...] = ()
    negative_prefix: str = ""
    weights: bool = False
    rules: tuple[str, ...] = ()
    added_rules: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    prefix: str = ""
    suffix: str = ""
    keep_detailed: bool = False
    tags: tuple[str, ...] = ()
    tag_order: tuple[str, ...] = ()
    underscores: bool = False
    artist_mark: str = ""
    encoders: tuple[str, ...] = ()
    encoder_default: bool = False
    files: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    negations: bool = False
    parts: tuple[Part, ...] = ()
    schema: str = ""
    shots: tuple[int, int] = (1, 1)
    shot_label: str = ""
    seconds: tuple[int, int] | None = None
    states: tuple[str, ...] = ()
    references: tuple[int, int] | None = None
    reference_label: str = "image {n}"
    source: str = ""
    source_file: str = ""
    source_hash: str = ""

    @property
    def is_structured(self) -> bool:
        """Tell whether a prompt has fields or elements, so that its lines and signs are not free."""
        return bool(self.parts or self.schema) or self.form in ("json", "sections")


def check_fields(value: object, path: Path) -> dict[str, object]:
    """Return the fields of one file in their final types; a null field is left out (its default holds).

    Besides the fields of `Target` (without `id`) there are `extends` (the id of the target to start
    from) and `add_rules` (appended to the rules). Raises `BrokenTarget`.
    """
    if not isinstance(value, dict):
        what = "is empty" if value is None else f"contains {kind_of(value)}"
        raise BrokenTarget(
            path, f"a target must be a list of fields such as 'label: My model', but this file {what}."
        )
    checked: dict[str, object] = {}
    for field, given in value.items():
        check = _CHECKS.get(field)
        if check is None:
            raise BrokenTarget(
                path,
                f'there is no field "{field}"; the fields are {", ".join(sorted(_CHECKS))}.',
                line_of(path, field),
            )
        if given is None:
            continue
        try:
            checked[field] = check(given)
        except Wrong as error:
            raise BrokenTarget(path, f'the field "{field}" {error}.', line_of(path, field)) from None
    return checked


def merge_fields(base: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    """Override `base` with `own`: rules can be added to, and a dropped negative takes its list along."""
    merged = dict(base)
    if own.get("negative", "default") != "default":
        merged.pop("default_negative", None)
        merged.pop("negative_unless", None)
    if "rules" in own:
        merged.pop("added_rules", None)
    merged.update(own)
    merged.pop("extends", None)
    more = merged.pop("add_rules", ())
    if more:
        merged["rules"] = (*_texts_of(merged.get("rules")), *_texts_of(more))
        merged["added_rules"] = (*_texts_of(merged.get("added_rules")), *_texts_of(more))
    return merged


def build(identifier: str, merged: Mapping[str, Any], path: Path) -> Target:
    """Build the target from its merged fields; raises `BrokenTarget` where fields contradict each other."""
    target = Target(**{"id": identifier, "label": identifier, "group": "", **merged})
    if target.default_negative and target.negative != "default":
        raise BrokenTarget(
            path,
            'the field "default_negative" needs "negative: default"; add that line or remove the list.',
            line_of(path, "default_negative"),
        )
    if not target.rules and not target.prefix and not target.suffix and target.form == "any":
        raise BrokenTarget(path, 'a target needs "rules"; add rules, or "extends: plain".')
    return target


def _texts_of(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _unless(value: object) -> tuple[Unless, ...]:
    found = []
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict) or set(item) != {"asked", "drop"}:
            raise Wrong("must be a list of entries with the two fields asked and drop")
        found.append(Unless(check_texts(item["asked"]), check_texts(item["drop"])))
    return tuple(found)


_CHECKS: dict[str, Callable[[object], object]] = {
    "extends": check_name,
    "label": check_name,
    "group": check_name,
    "kind": check_choice(KINDS),
    "form": check_choice(FORMS),
    "languages": check_languages,
    "words": check_range("words", "[30, 80]"),
    "limit_tokens": check_count,
    "negative": check_choice(NEGATIVES),
    "default_negative": check_text,
    "negative_unless": _unless,
    "negative_prefix": check_text,
    "weights": check_flag,
    "tags": check_some(BOARDS),
    "tag_order": check_some(TAG_GROUPS),
    "underscores": check_flag,
    "artist_mark": check_text,
    "negations": check_flag,
    "parts": check_parts,
    "schema": check_schema,
    "shots": check_range("shots", "[1, 6]"),
    "shot_label": check_shot,
    "seconds": check_range("seconds", "[4, 15]"),
    "states": check_states,
    "references": check_range("images", "[1, 9]"),
    "reference_label": check_reference,
    "rules": check_texts,
    "add_rules": check_texts,
    "prefix": check_text,
    "suffix": check_text,
    "keep_detailed": check_flag,
    "encoders": check_texts,
    "encoder_default": check_flag,
    "files": check_texts,
    "aliases": check_texts,
    "source": check_text,
    "source_file": check_text,
    "source_hash": check_text,
}

FIELDS = tuple(_CHECKS)
assert {field.name for field in fields(Target)} <= {"id", "added_rules", "examples", *FIELDS}
