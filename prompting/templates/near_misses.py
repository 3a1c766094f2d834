"""Text that is nearly a variable: a name of the library between signs that are not those of a variable."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .nodes import Nodes

_NAME = r"[^\W_](?:[\w./\-]*[^\W_])?"
_UNDERSCORED = re.compile(
    rf"(?<![\w\\])(?P<before>[_＿]{{1,2}})(?P<inner> ?{_NAME} ?)(?P<after>[_＿]{{0,2}})(?!\w)"
)
_BRACED = re.compile(rf"(?<![$%\\])\{{(?P<inner>\s*{_NAME}\s*)\}}")


def near_misses(nodes: Nodes, known: Callable[[str], bool]) -> Iterator[str]:
    """Yield a warning for each text in `nodes` that a user will have meant for a variable.

    `known` tells whether there is a variable of a name.
    """
    for text in nodes:
        if not isinstance(text, str):
            continue
        for found in _UNDERSCORED.finditer(text):
            if len(found["before"]) + len(found["after"]) > 1 and known(name := found["inner"].strip()):
                yield (
                    f"`{found[0].strip()}` stays as it is: two underscores on each side make a variable, "
                    f"__{name}__."
                )
        for found in _BRACED.finditer(text):
            if known(name := found["inner"].strip()):
                yield (
                    f"`{found[0]}` stays as it is: braces with one option are plain text; a variable is "
                    f"written __{name}__."
                )
