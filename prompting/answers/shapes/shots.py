"""Shots of a clip: their labels in the target's manner, and times that add up to its length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_TIME = r"\d{1,3}(?::\d{2})?(?:[.,]\d{1,3})?"


@dataclass(frozen=True, slots=True)
class Shot:
    """Label of a shot in a text: its place, its number, and the times that it gives."""

    start: int
    end: int
    number: int
    begins: float | None
    ends: float | None


def label_of(label: str, number: int, begins: float = 0, ends: float = 0) -> str:
    """Return the label of a shot; one that only says when it begins says so from the second shot on."""
    if "{at}" in label and number == 1:
        label = re.split(r"\s*\b[Aa]t\s+\{at\}", label)[0]
    minutes, seconds = divmod(begins, 60)
    return (
        label.replace("{n}", str(number))
        .replace("{from}", _seconds(begins))
        .replace("{to}", _seconds(ends))
        .replace("{at}", f"{int(minutes):02}:{seconds:06.3f}")
    )


def without_labels(text: str, label: str) -> str:
    """Return what happens in the shots of `text`, without their labels."""
    return _pattern(_word_of(label)).sub("", text)


def shots_in(text: str, label: str) -> list[Shot]:
    """Return the shots that `text` is labelled with, also where the label is written a little differently."""
    return [
        Shot(
            found.start(),
            found.end(),
            int(found["n"]),
            _value(found["a1"] or found["a2"] or found["a3"]),
            _value(found["b1"]),
        )
        for found in _pattern(_word_of(label)).finditer(text)
    ]


def labelled(text: str, label: str) -> list[tuple[str, str]]:
    """Return the pieces of `text`, each with the label of a shot before it, "" where it has none.

    Without shots, or without a `label` to tell them by, `text` is one piece as it stands.
    """
    shots = shots_in(text, label) if label else []
    ends = [*(shot.start for shot in shots), len(text)]
    found = [("", text[: ends[0]])] if not shots or text[: ends[0]].strip() else []
    for shot, end in zip(shots, ends[1:], strict=True):
        found.append((text[shot.start : shot.end].strip(), " ".join(text[shot.end : end].split())))
    return found


def mended(text: str, label: str, most: int, duration: float) -> str:
    """Return `text` with its shots labelled in the target's manner, numbered from 1, and timed.

    The times begin at 0, leave no gap, and end at `duration`; where that is 0, at the end of the last shot.
    What is in more shots than `most` happens in the last one.
    """
    shots = shots_in(text, label)
    for shot in reversed(shots[most:]):
        text = text[: shot.start] + text[shot.end :]
    shots = shots[:most]
    if not shots:
        if "{to}" in label and not duration:
            return text
        return f"{label_of(label, 1, 0, duration)} {text.lstrip()}"
    begins = _begins(shots, duration) if "{from}" in label or "{at}" in label else [0.0] * (len(shots) + 1)
    if begins is None:
        return text
    pieces = [text[: shots[0].start]]
    for place, shot in enumerate(shots):
        until = shots[place + 1].start if place + 1 < len(shots) else len(text)
        head = label_of(label, place + 1, begins[place], begins[place + 1])
        pieces.append(f"{head} {text[shot.end : until].lstrip()}")
    return "".join(pieces)


def wrong(text: str, label: str, most: int, duration: float) -> str:
    """Return what is wrong with the shots of `text` in a few words; "" where nothing is."""
    shots = shots_in(text, label)
    if len(shots) > most:
        return f"{len(shots)} shots where at most {most} fit"
    if [shot.number for shot in shots] != list(range(1, len(shots) + 1)):
        return "shots that are not numbered from 1"
    if "{from}" not in label and "{at}" not in label:
        return ""
    spans = [(shot.begins, shot.ends) for shot in shots]
    if "{from}" in label:
        ends = [0.0, *(end or -1.0 for _, end in spans)]
        gapless = all(begin == before for (begin, _), before in zip(spans, ends, strict=False))
        if not gapless or (duration and spans and abs(ends[-1] - duration) > 0.05):
            return "shot times that do not add up to the length"
        return ""
    times = [begin or 0.0 for begin, _ in spans]
    if times != sorted(set(times)) or (duration and times and times[-1] >= duration):
        return "shot times that do not rise within the length"
    return ""


def divided(duration: float, count: int) -> list[float]:
    """Return when each of `count` shots begins, and when the last ends: in whole seconds where they fit."""
    return _scaled([1.0] * count, duration)


def _begins(shots: Sequence[Shot], duration: float) -> list[float] | None:
    lengths: list[float] = []
    for place, shot in enumerate(shots):
        begin = shot.begins if shot.begins is not None else (0.0 if place == 0 else None)
        end = shot.ends
        if end is None and place + 1 < len(shots):
            end = shots[place + 1].begins
        if end is None and place + 1 == len(shots):
            end = duration or ((begin or 0) + (sum(lengths) / len(lengths) if lengths else 1))
        lengths.append((end or 0) - begin if begin is not None else 0)
    if min(lengths) <= 0:
        if not duration:
            return None
        lengths = [1.0] * len(shots)
    total = duration or sum(lengths)
    begins = [sum(lengths[:place]) for place in range(len(lengths) + 1)]
    is_right = abs(begins[-1] - total) < 0.05 and all(
        shot.begins in (None, begin) for shot, begin in zip(shots, begins, strict=False)
    )
    return [*begins[:-1], total] if is_right else _scaled(lengths, total)


def _scaled(lengths: Sequence[float], total: float) -> list[float]:
    begins = [total * sum(lengths[:place]) / sum(lengths) for place in range(len(lengths) + 1)]
    whole = [float(round(begin)) for begin in begins[:-1]] + [total]
    if total >= len(lengths) and all(one < other for one, other in pairwise(whole)):
        return whole
    return [round(begin, 2) for begin in begins[:-1]] + [total]


def _seconds(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _value(text: str | None) -> float | None:
    if not text:
        return None
    minutes, _, seconds = text.replace(",", ".").rpartition(":")
    return int(minutes or 0) * 60 + float(seconds)


def _word_of(label: str) -> str:
    word = re.search(r"[A-Za-z]+(?=\s*\{n\})", label)
    return word[0] if word else "Shot"


@lru_cache(maxsize=8)
def _pattern(word: str) -> re.Pattern[str]:
    unit = r"\s*(?:seconds|sec|s)?"
    span = rf"(?P<a1>{_TIME}){unit}\s*(?:-|–|to)\s*(?P<b1>{_TIME}){unit}"
    one = rf"[(\[]\s*(?P<a3>{_TIME}){unit}\s*[)\]]"
    at = rf"[Aa]t\s+(?P<a2>{_TIME})\s*(?:seconds|sec|s\b)?,?"
    return re.compile(
        rf"(?:\A|(?<=\n)|(?<=[.!?:;,”\"]\s))[*\[]{{0,3}}{word}\s+(?P<n>\d{{1,2}})\]?\*{{0,2}}"
        rf"(?:\s*[(\[,]?\s*{span}\s*[)\]]?|\s*{one}|\s*{at})?[ \t]*(?:[:.,]|[-–—](?=\s))?\*{{0,2}}[ \t]*"
    )
