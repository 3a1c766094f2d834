"""Other scripts that change the images' prompts after us.

Dynamic Prompts is the most common one: it makes the prompts of all images out of the first one's.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..images import columns

_TITLE = "Dynamic Prompts"
_IN_TURN = re.compile(r"\{\s*@|__@")
# Its options that make several images' prompts from one template, or read a syntax that looks like ours.
_WHOLE = ("is_combinatorial", "enable_jinja_templates", "is_feeling_lucky")


@dataclass(frozen=True, slots=True)
class DynamicPrompts:
    """The script of Dynamic Prompts in a job, and its arguments."""

    script: Any
    args: tuple[Any, ...]
    asked: Mapping[str, Any]

    def wants_all(self) -> bool:
        """Tell whether Dynamic Prompts takes the variables, too: all combinations, or templates in Jinja."""
        return any(self.asked.get(name) for name in _WHOLE)

    def resolve(self, p: Any, texts: Mapping[str, str], place: int) -> dict[str, str]:
        """Return the neighbour's version of the `texts` (by the name of their list) of the image at `place`.

        It is the version for that image as the only one of the job `p`. Raises whatever the neighbour raises.
        """
        # Values taken in turn begin anew with each job: the prompts before are made, too, and dropped.
        start = 0 if any(map(_IN_TURN.search, texts.values())) else place
        alone = copy.copy(p)
        alone.batch_size, alone.n_iter = 1, place + 1 - start
        alone.extra_generation_params = {}
        for name, one in (("all_seeds", "seed"), ("all_subseeds", "subseed")):
            numbers = getattr(p, name, None)
            if numbers and len(numbers) > place:
                setattr(alone, name, numbers[start : place + 1])
                setattr(alone, one, numbers[start])
        for name, text in texts.items():
            setattr(alone, name, [text] * alone.n_iter)
        self.script.process(alone, *self.args)
        return {name: str(getattr(alone, name)[-1]) for name in texts}


def beside(p: Any) -> DynamicPrompts | None:
    """Return Dynamic Prompts, where it has a part in the job `p`, else None."""
    scripts = getattr(getattr(p, "scripts", None), "alwayson_scripts", None) or ()
    return next(filter(None, (_asked(script, p) for script in scripts)), None)


def _asked(script: Any, p: Any) -> DynamicPrompts | None:
    try:
        if not str(script.title()).startswith(_TITLE):
            return None
        args = tuple(p.script_args[script.args_from : script.args_to])
        names = list(inspect.signature(script.process).parameters)[1:]
    except Exception:  # noqa: BLE001 (another extension's script, and not the one)
        return None
    return DynamicPrompts(script, args, dict(zip(names, args, strict=False))) if args and args[0] else None


def give_back(p: Any, laid_out: Mapping[str, Sequence[str]], neighbour: DynamicPrompts | None) -> None:
    """Give every image of the job `p` its own text again, where a script made all from the first one's.

    `laid_out` is what stood in the host's lists, by their names, before the others' turn. What others have
    put around a text stays. Dynamic Prompts, where it is the `neighbour`, gets its turn with each text.
    """
    lists = {name: texts for name, texts in columns(p).items() if name in laid_out}
    first = {name: laid_out[name][0] for name in lists}
    for place in range(min(map(len, lists.values()), default=0)):
        own = {name: laid_out[name][min(place, len(laid_out[name]) - 1)] for name in lists}
        now = {name: texts[place] for name, texts in lists.items()}
        if own == first and (neighbour is None or now != own):
            continue
        made, made_first = own, first
        if neighbour is not None:
            try:
                made = neighbour.resolve(p, own, place)
                made_first = neighbour.resolve(p, first, place) if own != first else made
            except Exception:  # noqa: BLE001 (it has left the job as it was, too)
                made, made_first = own, first
        for name, texts in lists.items():
            if own[name] != first[name] or neighbour is not None:
                instead = made[name] if neighbour is not None else now[name]
                texts[place] = _given_back(now[name], made_first[name], made[name], instead)
    for name, texts in lists.items():
        _put(p, name, texts)


def _given_back(text: str, first: str, own: str, instead: str) -> str:
    """Put an image's `own` in the place of the `first` one's in `text`; `instead` where it has neither."""
    has_first, has_own = bool(first) and first in text, bool(own) and own in text
    if has_own and not (has_first and len(first) > len(own)):
        return text
    return text.replace(first, own, 1) if has_first else instead


def _put(p: Any, name: str, texts: list[str]) -> None:
    """Put `texts` in the place of the host's list `name`, and into the batch that the host cut from it."""
    before = getattr(p, name)
    batch = getattr(p, name.removeprefix("all_"), None)
    start = p.iteration * p.batch_size
    if isinstance(batch, list):
        for place, (old, new) in enumerate(zip(before[start:], texts[start:], strict=False)):
            if place < len(batch) and old != new:
                batch[place] = batch[place].replace(old, new, 1) if old else new
    setattr(p, name, texts)
