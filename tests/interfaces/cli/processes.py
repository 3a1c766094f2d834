"""Names that tests of commands share: where the pack lies, a planted key, an endpoint's variables."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from wire.server import WireServer

ROOT = Path(__file__).resolve().parents[3]
KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"
Command = Callable[..., subprocess.CompletedProcess[str]]


def endpoint(wire: WireServer, model: str = "fox") -> dict[str, str]:
    return {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": model, "LLM_API_KEY": KEY}
