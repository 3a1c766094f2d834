"""Print, as JSON, what our table makes of ComfyUI's encoder classes, built without weights.

python encoder_families.py COMFYUI REPOSITORY
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from typing import Any

COMFYUI, REPOSITORY = sys.argv[1:3]
sys.argv = ["main.py", "--cpu"]
sys.path.insert(0, COMFYUI)


def encoders() -> dict[str, Any]:
    importlib.import_module("comfy.sd")
    from comfy import text_encoders as t

    return {
        "z_image": t.z_image.te(),
        "klein_9b": t.flux.klein_te(model_type="qwen3_8b"),
        "anima": t.anima.te(),
        "ideogram4": t.ideogram4.te(),
        "krea2": t.krea2.te(),
        "lumina2": t.lumina2.te(),
        "gemma3_vision": t.lumina2.te(model_type="gemma3_4b_vision"),
        "ltx2": t.lt.ltxav_te(),
        "gemma3_12b": t.lt.gemma3_te(),
        "gemma4": t.gemma4.gemma4_te(model_class=t.gemma4.Gemma4_E4B),
        "qwen35_9b": t.qwen35.te(model_type="qwen35_9b"),
        "ernie": t.ernie.te(),
        "qwen_image": t.qwen_image.te(),
        "flux2": t.flux.flux2_te(),
        "newbie": t.newbie.te(),
    }


def main() -> None:
    import comfy.options

    comfy.options.enable_args_parsing()  # without it --cpu is not read
    import torch

    package = importlib.util.spec_from_file_location(
        "quillwork", f"{REPOSITORY}/package.py", submodule_search_locations=[REPOSITORY]
    )
    assert package is not None and package.loader is not None
    sys.modules["quillwork"] = module = importlib.util.module_from_spec(package)
    package.loader.exec_module(module)
    ours = importlib.import_module("quillwork.nodes.host.text_encoder")
    errors = importlib.import_module("quillwork.llm_backends.errors")
    found = {}
    for name, encoder in encoders().items():
        try:
            found[name] = ours.find_writer(encoder(device="meta", dtype=torch.bfloat16))[1].name
        except errors.NotConfigured as error:
            found[name] = error.message
    print(json.dumps(found))


main()
