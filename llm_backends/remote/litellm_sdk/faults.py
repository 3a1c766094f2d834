"""Faults of litellm itself, or of openai below it, reported as theirs and not as the other side's.

Neither library is imported here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata

from ...errors import LibraryFault
from ...host import program
from ...types import Deployment

# The newest pair that all of our own tests pass with; the lane litellm-newest has the same.
KNOWN_GOOD = {"litellm": "1.110.2", "openai": "3.57.0"}
_REINSTALL = (
    f"Run `python -m pip install {' '.join(f'{name}=={version}' for name, version in KNOWN_GOOD.items())}` "
    "with {program}'s Python and restart {program}, or set LLM_BASE_URL, which needs neither."
)
_KNOWN_HINT = (
    "Choose another model, or set LLM_BASE_URL, which does not need litellm. Please report "
    "this with the output of `python . doctor`."
)
# What only code raises that does not fit together.
_CODE = (TypeError, AttributeError, NameError, ImportError, NotImplementedError)
# As good as: what is raised of those by reading an answer that is not as expected.
_DATA = re.compile(
    r"'(?:NoneType|str|bytes|int|float|bool|list|dict|tuple)' object (?:has no attribute|is not)"
    r"|(?:indices|subscripted|operand|can only concatenate|argument of type|must be|\bexpected)",
    re.I,
)


def reinstall() -> str:
    """The advice to install libraries that fit together."""
    return _REINSTALL.format(program=program())


def is_of_code(error: BaseException, *, answered: bool) -> bool:
    """Tell whether `error` says that libraries do not fit together.
    Where something was `answered`, an odd answer may have broken their code."""
    return any(
        isinstance(cause, _CODE) and not (answered and _DATA.search(str(cause))) for cause in chain(error)
    )


def fault_kind(error: BaseException) -> str:
    """The kind of fault by the name of Python's exception."""
    return next(type(cause).__name__ for cause in chain(error) if isinstance(cause, _CODE))


def changed(what: str, deployment: Deployment) -> LibraryFault:
    """The error for a library in which `what` happened during a call to `deployment`."""
    versions = {name: _version(name) for name in KNOWN_GOOD}
    named = " with ".join(f"{name} {version}" for name, version in versions.items() if version)
    return LibraryFault(
        f"The call to {deployment.name} failed because of a bug in a package on this machine "
        f"({named}: {what}).",
        hint=_KNOWN_HINT if versions == KNOWN_GOOD else reinstall(),
        provider=deployment.provider,
        model=deployment.model,
    )


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The chain of `error` and its causes, as Python and as litellm keep them."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = getattr(one, "original_exception", None)
        waiting += [one.__cause__ or one.__context__, inner if isinstance(inner, BaseException) else None]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
