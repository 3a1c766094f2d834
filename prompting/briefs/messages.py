"""Sentences on a target's shape, and on what is wanted beside the idea: length, format, language."""

from __future__ import annotations

from dataclasses import replace

from ..answers.shapes.shots import label_of
from ..targets import Target
from ..tasks import Brief, EnhanceTask
from ..wording import LANGUAGES
from .references import told, too_many

_PARTS = (
    "Form: the fields {names}, in this order and no other. Each begins on a line of its own with its name "
    "and a colon, with a blank line between two of them."
)
_PARTS_AS_JSON = (
    "Form: one JSON object with the fields {names}, each of them a text, and nothing around it. Lines of a "
    "text are parted by \\n."
)
_BY_SCHEMA = "Form: one JSON object by this schema, with every required field:\n{schema}"
_ONE_SHOT = "It is one short clip: one scene, few actions, each of them possible in seconds."
_SHOTS = (
    "It may have up to {most} shots; one is right for a single action. A cut changes place, size or angle, "
    "and people and things keep their looks over it."
)
_LABELLED = "Begin each shot with its label, such as “{label}”."
_UNLABELLED = "Write no shot numbers and no times."
_TIMED = "The times begin at 0 and follow on without a gap."
_LENGTH = "Length: {seconds} seconds."
_FITS = " What happens fits into them."
_TIMES_END = " The last shot ends at {seconds}."
_NOT_SAID = " Do not write {what} into the prompt."
_SUNG = "The lyrics are in {language}; all else is in the language of the rules."
_SPOKEN = "Speech and lettering are in {language}; all else is in the language of the rules."


def shape_rules(target: Target, *, as_json: bool = False) -> list[str]:
    """Return the rules on parts, shots and JSON, as far as the target has them."""
    rules = []
    if target.parts:
        form = _PARTS_AS_JSON if as_json else _PARTS
        rules.append(form.format(names=", ".join(part.name for part in target.parts)))
        rules += [f"{part.name}: {part.about}" for part in target.parts if part.about]
    if target.schema:
        rules.append(_BY_SCHEMA.format(schema=target.schema))
    return rules


def shot_rules(target: Target) -> list[str]:
    """Return the rules on the shots of a video."""
    if target.shots[1] < 2:
        return [_ONE_SHOT]
    rule = _SHOTS.format(most=target.shots[1])
    if not target.shot_label:
        return [f"{rule} {_UNLABELLED}"]
    rule += " " + _LABELLED.format(label=label_of(target.shot_label, 2, 3, 6))
    return [f"{rule} {_TIMED}" if "{from}" in target.shot_label else rule]


def brief_lines(task: EnhanceTask) -> list[str]:
    """Return what is said of the task's brief, a paragraph each; none where all is left open."""
    target, brief = task.target, task.brief
    lines = []
    unused = _unused(target, brief)
    if brief.duration and "duration" not in unused:
        seconds = f"{brief.duration:g}"
        line = _LENGTH.format(seconds=seconds)
        if target.kind in ("video", "image_to_video"):
            line += _FITS
        if "{to}" in target.shot_label:
            line += _TIMES_END.format(seconds=seconds)
        elif "duration" not in target.states and "{at}" not in target.shot_label:
            line += _NOT_SAID.format(what="the length")
        lines.append(line)
    if brief.aspect and "aspect" not in unused:
        line = f"Picture format: {brief.aspect}; compose for it."
        lines.append(line if "aspect" in target.states else line + _NOT_SAID.format(what="the format"))
    if brief.language:
        lines.append(_language(target, brief))
    lines.append(told(target, brief.references))
    return [line for line in lines if line]


def for_brief(target: Target, brief: Brief) -> Target:
    """Return `target` with the brief's language as its own, where it writes in that."""
    is_free = target.form != "any" and not target.parts
    if brief.language and is_free and {brief.language, "any"} & set(target.languages):
        return replace(target, languages=(brief.language,))
    return target


def brief_warnings(target: Target, brief: Brief) -> list[str]:
    """Return what the user should know: what the target has no use for, and a length or a number of pictures
    that it does not take."""
    warnings = [too_many(target, len(brief.references)), *_unused(target, brief).values()]
    if brief.duration and target.seconds and not target.seconds[0] <= brief.duration <= target.seconds[1]:
        least, most = target.seconds
        warnings.append(
            f"{target.label} makes {least} to {most} seconds; the prompt was written for {brief.duration:g}."
        )
    return [warning for warning in warnings if warning]


def _unused(target: Target, brief: Brief) -> dict[str, str]:
    """Return what `brief` says that `target` has no use for, each with the sentence that tells so."""
    unused = {}
    if brief.duration and target.kind in ("image", "edit") and target.form != "any":
        unused["duration"] = f"{target.label} makes still images, so the duration was not used."
    if brief.aspect and target.kind == "audio":
        unused["aspect"] = f"{target.label} makes no images, so the aspect ratio was not used."
    return unused


def _language(target: Target, brief: Brief) -> str:
    name = LANGUAGES.get(brief.language, brief.language)
    if any(part.holds == "lyrics" for part in target.parts):
        return _SUNG.format(language=name)
    if target.form == "any" or brief.language in target.languages or "any" in target.languages:
        return f"Write it in {name}."
    return _SPOKEN.format(language=name)
