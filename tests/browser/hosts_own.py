"""Complaints and requests of the host's own page, with or without our pack, each by its whole text."""

from __future__ import annotations

import re

_NOT_FOUND = "error: Failed to load resource: the server responded with a status of 404 (Not Found) ({})"
_REFUSED = (
    "error: Connecting to '{}' violates the following Content Security Policy directive: "
    "\"connect-src 'self' data:\". The action has been blocked."
)
_NO_FETCH = (
    "error: Fetch API cannot load {}. Refused to connect because it violates the document's Content "
    "Security Policy."
)
# The page asks the host's makers which pack a node belongs to; `*` is the node.
_NODE = "https://api.comfy.org/comfy-nodes/*/node"
# The workflow that a fresh page opens with names these.
_WEIGHTS = "https://huggingface.co/Comfy-Org/z_image_turbo/resolve/main/split_files/{}.safetensors"
ADDRESSES = frozenset(
    {
        _NODE,
        "https://api.comfy.org/nodes?node_id=comfy-core",
        *map(_WEIGHTS.format, ("diffusion_models/z_image_turbo_bf16", "text_encoders/qwen_3_4b", "vae/ae")),
    }
)
FAULTS = frozenset(
    {
        *(
            _NOT_FOUND.format(path)
            for path in (
                # Files that a user may have and this one has not.
                "/user.css",
                "/favicon.ico",
                "/internal/folder_paths",
                "/api/userdata/user.css",
                "/api/userdata/comfy.templates.json",
                "/api/userdata?dir=subgraphs&recurse=true&split=false&full_info=true",
                "/api/userdata?dir=workflows&recurse=true&split=false&full_info=true",
                # The picture of a fresh Load Image.
                "/api/view?type=input&filename=example.png&subfolder=",
            )
        ),
        *map(_REFUSED.format, ADDRESSES),
        *map(_NO_FETCH.format, ADDRESSES),
        "error: ComfyApp graph accessed before initialization",
        # It gives up its own request after a while: on a machine that is busy with something else.
        "error: Failed to fetch remote config: AbortError",
    }
)
# Thrown by frontends before 1.49 while a subgraph is open and another workflow's node reports.
THROWN = frozenset({"Subgraph not found"})


def without_names(text: str) -> str:
    """Return the text as the lists above have it: no name of a node, no cache-busting number, no stack."""
    text = re.sub(r"(fetch remote config: AbortError).*", r"\1", text, flags=re.DOTALL)
    return re.sub(r"&rand=[0-9.e-]+", "", re.sub(r"(/comfy-nodes/)\w+(/node)", r"\1*\2", text))
