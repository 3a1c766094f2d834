"""Pictures with a job: how a user says it, and how a target's prompt names them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..targets import Target
from ..tasks import Reference

JOBS = ("subject", "style", "pose", "background", "first frame", "last frame")
_NUMBER = re.compile(r"^\s*(?:(?:image|picture)\s*)?#?(\d{1,2})\s*[:.)=-]\s*", re.IGNORECASE)
_BINDING = {
    "subject": "{name} shows what {label} looks like.",
    "style": "Take only the style from {name}.",
    "pose": "Take only the pose from {name}.",
    "background": "{name} shows the background.",
    "first frame": "{name} is the first frame.",
    "last frame": "{name} is the last frame.",
}
_OTHER, _PLAIN = "{name} is the reference for {job}.", "{name} is a reference."
_MOST_LABEL = 80


def read_jobs(text: str, count: int) -> tuple[Reference, ...]:
    """Return a reference for each of `count` pictures from one line each, such as “subject: Anna” or “style”.

    A line may begin with the number of its picture. Pictures without a line have no job.
    """
    found = [Reference()] * count
    for place, line in _placed(text):
        if 0 <= place < count:
            job, _, label = (" ".join(part.split()) for part in line.partition(":"))
            known = job.casefold().replace("_", " ")
            found[place] = Reference(known if known in JOBS else job[:_MOST_LABEL], label[:_MOST_LABEL])
    return tuple(found)


def referred_to(text: str) -> int:
    """Return how many pictures the lines of `text` are for: up to the one with the highest number."""
    return max((place + 1 for place, _ in _placed(text)), default=0)


def _placed(text: str) -> Iterator[tuple[int, str]]:
    """Yield the place of a picture (from 0) and what its line says, without the number."""
    place = 0
    for line in filter(str.strip, text.splitlines()):
        if numbered := _NUMBER.match(line):
            place, line = int(numbered[1]) - 1, line[numbered.end() :]
        yield place, line
        place += 1


def name_of(target: Target, place: int) -> str:
    """Return the name of the picture at `place` (from 0) in the target's own manner."""
    return target.reference_label.format(n=place + 1, n0=place)


def told(target: Target, references: Sequence[Reference]) -> str:
    """Return what a language model is told of the pictures; "" without any."""
    if not references:
        return ""
    lines = []
    for place, one in enumerate(references):
        job = f"the {one.job}" if one.job in JOBS else one.job or "a reference"
        called = f", called “{one.label}”" if one.label else ""
        lines.append(f"- {name_of(target, place)}: {job}{called}")
    listed = "\n".join(lines)
    if target.references is None:
        return (
            f"Pictures to go by:\n{listed}\nThe image model does not get them: put into words what is to be "
            "taken from each, and do not name the pictures."
        )
    return (
        f"The image model gets these pictures:\n{listed}\nName each exactly so where the prompt speaks of "
        "what it shows, and say what is taken from it and what is not."
    )


def wanted_as(reference: Reference) -> str:
    """Return what a vision model is told of the job of the one picture that it describes; "" without one."""
    lines = []
    if reference.job:
        job = f"the {reference.job}" if reference.job in JOBS else reference.job
        lines.append(f"The picture serves as a reference for {job}: tell of that, and leave out all else.")
    if reference.label:
        lines.append(f"What it shows is called “{reference.label}”: use that name.")
    return " ".join(lines)


def unnamed(target: Target, references: Sequence[Reference], text: str) -> list[str]:
    """Return a sentence for each picture that `text` does not name, none where a target takes no pictures."""
    if target.references is None:
        return []
    return [
        _bound(target, place, one)
        for place, one in enumerate(references)
        if not re.search(rf"(?<!\w){re.escape(name_of(target, place))}(?!\d)", text, re.IGNORECASE)
    ]


def too_many(target: Target, count: int) -> str:
    """Return the warning for more pictures than a target takes; "" for as many as it does."""
    if target.references is None or count <= target.references[1]:
        return ""
    return f"{target.label} takes up to {target.references[1]} images; {count} are connected."


def _bound(target: Target, place: int, one: Reference) -> str:
    sentence = _BINDING.get(one.job, _OTHER if one.job else _PLAIN)
    name = name_of(target, place)
    bound = sentence.format(name=name, job=one.job, label=one.label or "the subject")
    return f"{bound[0].upper()}{bound[1:]}" if not bound.startswith(name) else bound
