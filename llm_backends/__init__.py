"""Access to language models, local and remote.

Knows no host, no node, no image prompt and no setting: it is handed a `Deployment` and a `Request`
and answers with a `Result`, or with one of the errors of `errors.py`. The names below are what scripts
and other packs need; each is imported at first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import ask as ask
    from .client import ask_async as ask_async
    from .client import ask_with_tools as ask_with_tools
    from .client import ask_with_tools_async as ask_with_tools_async
    from .client import embed as embed
    from .client import embed_async as embed_async
    from .client import stream as stream
    from .errors import Cancelled as Cancelled
    from .errors import LLMError as LLMError
    from .model import Model as Model
    from .registry import register as register
    from .types import Chunk as Chunk
    from .types import Deployment as Deployment
    from .types import Image as Image
    from .types import Message as Message
    from .types import Request as Request
    from .types import Result as Result
    from .types import Secret as Secret
    from .types import Tool as Tool

_HOMES = {
    "client": (
        "ask",
        "ask_async",
        "ask_with_tools",
        "ask_with_tools_async",
        "embed",
        "embed_async",
        "stream",
    ),
    "errors": ("Cancelled", "LLMError"),
    "model": ("Model",),
    "registry": ("register",),
    "types": ("Chunk", "Deployment", "Image", "Message", "Request", "Result", "Secret", "Tool"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(f".{home}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
