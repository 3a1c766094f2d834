"""Short ways to write a prompt in ComfyUI's API format. A link is `["node id", output number]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def graph(file: Path) -> dict[str, Any]:
    """A prompt from an API-format file, bare or under `prompt`."""
    found = json.loads(file.read_text("utf-8"))
    return found["prompt"] if isinstance(found.get("prompt"), dict) else found
