"""Memory of what was written for which image: the same prompt, seed and settings call no model a second time.

A plot over other values, the upscale button of one image, Generate pressed again, parameters that were
read out of an image: each gives the text that the image had.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

from ...config.opening import effective
from ...prompting.targets import Target
from .arguments import Arguments

_MOST = 2000


@dataclass(frozen=True, slots=True)
class Kept:
    """Written prompt, its addition to the negative one, and the mode and model that wrote it."""

    prompt: str
    negative: str
    mode: str
    model: str


class Recall:
    """Bounded memory of written prompts, for this process only. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, int], Kept] = OrderedDict()

    def keep(self, signature: str, text: str, image_seed: int, kept: Kept) -> None:
        with self._lock:
            self._kept[(signature, text, image_seed)] = kept
            self._kept.move_to_end((signature, text, image_seed))
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def find(self, signature: str, text: str, image_seed: int) -> Kept | None:
        with self._lock:
            return self._kept.get((signature, text, image_seed))

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()


def signature(arguments: Arguments, target: Target) -> str:
    """Return a text that changes with whatever shapes an answer besides the text and the image's seed.

    An address or a key enters as a digest only.
    """
    parts = (
        repr(target),
        arguments.instruction,
        str((arguments.variations, arguments.first, arguments.seed, arguments.per_image)),
        effective(arguments.choice),
    )
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()


recall = Recall()
