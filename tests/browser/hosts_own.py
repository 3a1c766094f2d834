"""What the host's own page complains of and asks for, with or without our pack. Each by its whole text."""

from __future__ import annotations

_NOT_FOUND = "error: Failed to load resource: the server responded with a status of 404 (Not Found) ({})"
_REFUSED = (
    "error: Connecting to '{}' violates the following Content Security Policy directive: "
    "\"connect-src 'self' data:\". The action has been blocked."
)
_NO_FETCH = (
    "error: Fetch API cannot load {}. Refused to connect because it violates the document's Content "
    "Security Policy."
)
# The workflow that a fresh page opens with is looked up at its makers'.
_NODES = "https://api.comfy.org/comfy-nodes/{}/node"
_WEIGHTS = "https://huggingface.co/Comfy-Org/z_image_turbo/resolve/main/split_files/{}.safetensors"
ADDRESSES = frozenset(
    {
        *map(_NODES.format, ("CheckpointLoaderSimple", "EmptyLatentImage", "KSampler", "VAEDecode")),
        "https://api.comfy.org/nodes?node_id=comfy-core",
        *map(_WEIGHTS.format, ("diffusion_models/z_image_turbo_bf16", "text_encoders/qwen_3_4b")),
    }
)
FAULTS = frozenset(
    {
        *(
            _NOT_FOUND.format(path)
            for path in (
                # What a user may have and this one has not.
                "/user.css",
                "/favicon.ico",
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
    }
)
