"""Errors of templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class TemplateError(ValueError):
    """Error of a template that cannot be resolved. The text is one sentence that says what to do.

    `type` is the word that programs see, `http_status` the status under which a route reports it.
    """

    type: ClassVar[str] = "template"
    http_status: ClassVar[int] = 400


class UnknownVariable(TemplateError):
    """Error for `names` of which the library has no values."""

    type = "unknown_variable"

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = tuple(names)


class TooLarge(TemplateError):
    """Error for variables that nest too deep, and for a prompt that would grow beyond all reason."""

    type = "template_too_large"


class InvalidSelection(TemplateError):
    """Error for a `selection` or `count` that does not exist."""

    type = "invalid_selection"


def too_deep() -> TooLarge:
    return TooLarge(
        "Variables and braces are nested too deeply. Simplify the template or the values in the library."
    )
