"""Fields of a target, and the checks on its YAML file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from ...safe_yaml import UnreadableYaml
from .examples import Example

Kind = Literal["image", "edit", "video", "image_to_video"]
Form = Literal["prose", "tags", "tags_and_prose", "phrases", "instruction", "json", "sections", "any"]
Negative = Literal["none", "optional", "default"]

KINDS: tuple[Kind, ...] = ("image", "edit", "video", "image_to_video")
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
    tokenizers; where targets share one, `encoder_default` marks the one that is meant.
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
    aliases: tuple[str, ...] = ()
    source: str = ""


class BrokenTarget(UnreadableYaml):
    """Error for a file that is YAML but not a target. The text names file, line and field."""


class _Wrong(ValueError):
    """Reason why a value does not fit its field, as the end of a sentence."""


def check_fields(value: object, path: Path) -> dict[str, object]:
    """Return the fields of one file in their final types; a null field is left out (its default holds).

    Besides the fields of `Target` (without `id`) there are `extends` (the id of the target to start
    from) and `add_rules` (appended to the rules). Raises `BrokenTarget`.
    """
    if not isinstance(value, dict):
        what = "is empty" if value is None else f"contains {_kind_of(value)}"
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
        except _Wrong as error:
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


def line_of(path: Path, field: str) -> int | None:
    """Return the line (from 1) on which a field of `path` begins, for error messages."""
    try:
        text = path.read_bytes()[: 256 * 1024].decode("utf-8-sig", errors="replace")
    except OSError:
        return None
    pattern = re.compile(rf"""["']?{re.escape(field)}["']?\s*:""")
    return next((n for n, line in enumerate(text.splitlines(), 1) if pattern.match(line)), None)


def _kind_of(value: object) -> str:
    if isinstance(value, dict):
        return "fields"
    if isinstance(value, list):
        return "a list"
    return f'only "{str(value)[:40]}"'


def _texts_of(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _Wrong(f"must be text, not {_named(value)}")
    text = str(value)
    if len(text) > 8000:
        raise _Wrong("is longer than 8000 characters")
    return text


def _name(value: object) -> str:
    text = " ".join(_text(value).split())
    if not text or len(text) > 80:
        raise _Wrong("must be a name of 1 to 80 characters")
    return text


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    if len(items) > 200:
        raise _Wrong("has more than 200 entries")
    texts = []
    for number, item in enumerate(items, 1):
        if isinstance(item, dict):
            raise _Wrong(f"has an entry {number} that YAML reads as a mapping; put it in quotes")
        text = " ".join(_text(item).split())
        if text:
            texts.append(text)
    return tuple(texts)


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("yes", "on", "no", "off"):
        return value.lower() in ("yes", "on")
    raise _Wrong("must be true or false")


def _choice(options: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value not in options:
            raise _Wrong(f"must be one of {', '.join(options)}, not {_named(value)}")
        return str(value)

    return check


def _some_of(options: tuple[str, ...]) -> Callable[[object], tuple[str, ...]]:
    def check(value: object) -> tuple[str, ...]:
        texts = _texts(value)
        for text in texts:
            if text not in options:
                raise _Wrong(f"must contain only {', '.join(options)}, not {_named(text)}")
        return texts

    return check


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise _Wrong(f"must be a whole number above 0, not {_named(value)}")
    return value


def _range(value: object) -> tuple[int, int]:
    if isinstance(value, str) and (found := re.fullmatch(r"\s*(\d{1,6})\s*[-–]\s*(\d{1,6})\s*", value)):
        value = [int(found[1]), int(found[2])]
    if not isinstance(value, list) or len(value) != 2:
        raise _Wrong("must be the minimum and maximum number of words, such as [30, 80]")
    fewest, most = (_count(item) for item in value)
    if fewest > most:
        raise _Wrong(f"must have the smaller number first, such as [{most}, {fewest}]")
    return fewest, most


def _languages(value: object) -> tuple[str, ...]:
    codes = tuple(code.lower() for code in _texts(value))
    for code in codes:
        if not re.fullmatch(r"any|[a-z]{2,3}(-[a-z]{2,4})?", code):
            raise _Wrong(f'must contain language codes such as en or zh, or any, not "{code[:20]}"')
    if not codes:
        raise _Wrong("must name at least one language, such as [en]")
    return codes


def _unless(value: object) -> tuple[Unless, ...]:
    found = []
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict) or set(item) != {"asked", "drop"}:
            raise _Wrong("must be a list of entries with the two fields asked and drop")
        found.append(Unless(_texts(item["asked"]), _texts(item["drop"])))
    return tuple(found)


def _named(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "nothing" if value is None else f'"{str(value)[:40]}"'


_CHECKS: dict[str, Callable[[object], object]] = {
    "extends": _name,
    "label": _name,
    "group": _name,
    "kind": _choice(KINDS),
    "form": _choice(FORMS),
    "languages": _languages,
    "words": _range,
    "limit_tokens": _count,
    "negative": _choice(NEGATIVES),
    "default_negative": _text,
    "negative_unless": _unless,
    "negative_prefix": _text,
    "weights": _flag,
    "rules": _texts,
    "add_rules": _texts,
    "prefix": _text,
    "suffix": _text,
    "keep_detailed": _flag,
    "tags": _some_of(BOARDS),
    "tag_order": _some_of(TAG_GROUPS),
    "underscores": _flag,
    "artist_mark": _text,
    "encoders": _texts,
    "encoder_default": _flag,
    "aliases": _texts,
    "source": _text,
}

FIELDS = tuple(_CHECKS)
assert {field.name for field in fields(Target)} <= {"id", "added_rules", "examples", *FIELDS}
