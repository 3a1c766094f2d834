"""Choice of lines that fit the scene and each other, always the same ones for the same number."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from .data import Entry, stems
from .scene import Scene, compatible, not_there_either, once, settle
from .vocabulary import singular

_BITS = 256
_STEP = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: its multiples lie as far apart as can be
# Between two seeds lie so many steps that neither the variations of one seed nor those of
# rising seeds come close to each other (checked for 64 in a row by a test).
_STEPS_A_SEED = 728118


def position(seed: int, variation: int, *about: str) -> int:
    """Return a point in [0, 2**256): evenly spread over variations and seeds, and shifted by `about`."""
    offset = int.from_bytes(_digest("\0".join(about)), "big")
    high = ((seed * _STEPS_A_SEED + variation) * _STEP) % (1 << 64)
    low = int.from_bytes(_digest(f"{seed}\0{variation}\0{offset}"), "big") >> 64
    return ((high << 192 | low) + offset) % (1 << _BITS)


def shuffled(values: Sequence[str], seed: int, about: str) -> list[str]:
    """Return `values` in an order of its own for each seed, the same on every Python."""
    return sorted(values, key=lambda value: _digest(f"{seed}\0{about}\0{value}"))


class Chooser:
    """Source of decisions, made one after the other from one number; keeps the scene up to date.

    `spread` is how rare the decisions so far are: a number that lies further away than 1/spread of the
    whole cannot have led to the same ones.
    """

    def __init__(self, scene: Scene, point: int, avoid: Collection[str] = ()) -> None:
        self.scene = scene
        self.spread = 1.0
        self._point = point
        self._used: set[str] = set()
        self._stated: set[str] = set()
        self._trail = ""
        self._groups: dict[tuple[str, int], int] = {}
        self._avoid = {stem for words in avoid for stem in stems(words)} | {
            word for words in avoid for word in words.split() if len(word) == 3
        }
        # Who is not smiling has no smile.
        self._avoid |= {
            f"{word[:-3]}e"[:5] for words in avoid for word in words.lower().split() if word.endswith("ing")
        }
        either = not_there_either()
        for word in {
            form for words in avoid for one in words.lower().split() for form in (one, singular(one))
        }:
            for more in either.get(word, ()):
                self._avoid |= stems(more) | {more, f"{more}s"}
        # Without stars there is no star either, and no starry sky.
        for word in {word.removesuffix("s") for words in avoid for word in words.lower().split()}:
            if len(word) > 2:
                self._avoid |= {form[:5] for form in (word, f"{word}y", f"{word}{word[-1]}y")}

    def index(self, weights: Sequence[int]) -> int:
        """Choose a place in `weights` (positive numbers), heavier ones more often."""
        total = sum(weights)
        scaled = self._point * total
        mark = scaled >> _BITS
        place, below = 0, 0
        while below + weights[place] <= mark:
            below += weights[place]
            place += 1
        self._point = (scaled - (below << _BITS)) // weights[place]
        self.spread *= total / weights[place]
        return place

    def one(self, options: Sequence[str]) -> str:
        """Choose one of `options`."""
        return options[self.index([1] * len(options))]

    def entry(self, facet: str, entries: Sequence[Entry], tag: str = "", *, few: int = 1) -> Entry | None:
        """Choose a line of `facet` that fits, and note it; None where fewer than `few` fit.

        Where `tag` is given, the line must have it.
        """
        fitting = [entry for entry in entries if self._fits(facet, entry, tag)]
        fresh = [entry for entry in fitting if entry.stems.isdisjoint(self._used)]
        if len(fresh) < 3:
            # A tag of one word that is there already adds nothing.
            fresh = [
                entry for entry in fitting if len(entry.stems & self._used) < min(2, len(entry.stems) or 1)
            ] or fresh
        if len(fresh) < few:
            return None
        if facet == "sound":  # silence is for scenes of which nothing can be heard
            fresh = [entry for entry in fresh if entry.needs] or fresh
        # Another order after other decisions, or equal prompts would always pair the same lines.
        turn = int.from_bytes(_digest(f"{facet}\0{self._trail}")[:4], "big") % len(fresh)
        fresh = fresh[turn:] + fresh[:turn]
        chosen = fresh[self.index([1 + 2 * min(2, len(entry.needs)) for entry in fresh])]
        self.note(facet, chosen)
        return chosen

    def note(self, facet: str, entry: Entry) -> None:
        """Note that a line is used."""
        self._used |= entry.stems
        self._stated |= entry.tags & once()
        self._trail += entry.phrase
        self.scene.tags |= entry.tags
        settle(self.scene)
        key = (facet, entry.group)
        self._groups[key] = self._groups.get(key, 0) + 1

    def begin_again(self) -> None:
        """Let each group give as many lines as before once more; what the scene is by now stays."""
        self._groups.clear()

    def _fits(self, facet: str, entry: Entry, tag: str) -> bool:
        scene = self.scene
        return (
            scene.kind in entry.kinds
            and entry.needs <= scene.tags
            and entry.not_with.isdisjoint(scene.tags)
            and (not tag or tag in entry.tags or tag in entry.needs)
            and not (scene.formless and entry.names_subject)
            and self._groups.get((facet, entry.group), 0) < entry.take
            and self._stated.isdisjoint(entry.tags)
            and self._avoid.isdisjoint(entry.stems)
            and self._avoid.isdisjoint(entry.phrase.split())
            and compatible(entry.tags, scene)
        )


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).digest()
