"""The previews that a node may show in the browser."""

from __future__ import annotations

from typing import Any

from .node import UIOutput

__all__ = ["PreviewText"]


class PreviewText(UIOutput):
    def __init__(self, value: str, **kwargs: Any) -> None:
        self.value = value

    def as_dict(self) -> dict[str, Any]:
        return {"text": (self.value,)}
