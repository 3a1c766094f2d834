"""Tokenizers that ComfyUI ships, for counting where no text encoder is wired."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import takewhile
from types import SimpleNamespace
from typing import Any

from .clip_target import token_counter

_CLIP_MODULES = ("comfy.sd1_clip.", "comfy.sdxl_clip.")
# Counts with the tokenizer that reads most where a target does not say how long its prompts may be.
_LONG = 10_000


@lru_cache(maxsize=16)
def counter_for(encoders: tuple[str, ...], limit: int | None) -> Callable[[str], int | None] | None:
    """Return what counts tokens as the first of these encoder classes does, None where none is at hand.

    Gemma's tokenizers, and a few others, lie in the file of the weights.
    """
    for path in encoders:
        if path.startswith(_CLIP_MODULES):
            return count_clip_tokens
        counter = token_counter(SimpleNamespace(tokenizer=_made(path)), limit or _LONG)
        if counter is not None and counter("a red fox in the snow"):
            return counter
    return None


def _made(path: str) -> Any:
    """Make the tokenizer of an encoder class, None where it lacks something."""
    try:
        return _tokenizer(path)()
    except Exception:  # noqa: BLE001 (a class of the host's that wants more than is at hand)
        return None


def _tokenizer(path: str) -> Any:
    """Return the tokenizer class of the module in `path` whose name is most like its class.

    The others of a module are parts of it, or belong to another model. Raises KeyError, ValueError.
    """
    outer, _, name = path.rpartition(".")
    # ComfyUI has imported all of its text encoders.
    module = sys.modules.get(path) or sys.modules[outer]
    wanted = name.replace("_", "").lower()
    found = [
        kind
        for name, kind in vars(module).items()
        if isinstance(kind, type) and "Tokenizer" in name and hasattr(kind, "tokenize_with_weights")
    ]

    def likeness(kind: type) -> tuple[int, bool, bool]:
        pairs = zip(kind.__name__.lower(), wanted, strict=False)
        alike = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
        is_whole = not hasattr(kind, "pad_with_end")
        return alike, is_whole, kind.__module__ == module.__name__

    return max(found, key=likeness)


def count_clip_tokens(text: str) -> int | None:
    """Count tokens with ComfyUI's own CLIP tokenizer, which knows of weights; None on a host without it."""
    try:
        from comfy.sd1_clip import escape_important, token_weights, unescape_important
    except ImportError:
        return None
    words = [unescape_important(part) for part, _ in token_weights(escape_important(text), 1.0)]
    return sum(len(_clip_tokenizer()(part, add_special_tokens=False)["input_ids"]) for part in words if part)


@cache
def _clip_tokenizer() -> Any:
    from comfy.sd1_clip import SDTokenizer

    return SDTokenizer().tokenizer
