"""The host's own modules, asked for with care: four programs, and each has its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def shared() -> Any:
    """The host's module of what all share; None outside of a host."""
    try:
        from modules import shared
    except ImportError:
        return None
    return shared


def fixed_seed(seed: Any) -> int:
    """What the host makes of a seed that may be -1 or empty: one of its own drawing."""
    try:
        from modules.processing import get_fixed_seed
    except ImportError:
        from random import SystemRandom

        return int(seed) if seed not in (None, "", -1) else SystemRandom().randrange(2**32)
    return int(get_fixed_seed(seed))


def styling(p: Any) -> tuple[Callable[[str], str], Callable[[str], str]]:
    """What puts the styles chosen for `p` around a prompt, and around a negative one."""
    styles = getattr(shared(), "prompt_styles", None)
    return (
        lambda text: _styled(styles, "apply_styles_to_prompt", text, p),
        lambda text: _styled(styles, "apply_negative_styles_to_prompt", text, p),
    )


def _styled(styles: Any, method: str, text: str, p: Any) -> str:
    apply = getattr(styles, method, None)
    chosen = getattr(p, "styles", None)
    return str(apply(text, chosen)) if apply is not None and chosen else text
