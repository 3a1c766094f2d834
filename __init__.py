"""Entry point of ComfyUI: loads the pack as ``quillwork`` and hands over the nodes."""

import importlib.util
import logging
import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent


def _load_package() -> bool:
    """Put the pack into ``sys.modules`` as ``quillwork``; return False when another copy is there already."""
    present = sys.modules.get("quillwork")
    if present is not None:
        return Path(getattr(present, "__file__", None) or "").parent == _ROOT
    spec = importlib.util.spec_from_file_location(
        "quillwork", _ROOT / "package.py", submodule_search_locations=[str(_ROOT)]
    )
    assert spec is not None and spec.loader is not None
    sys.modules["quillwork"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return True


# pytest and other tools import this file with no parent package; only a host gives it one.
if __package__:
    if _load_package():
        from quillwork.llm_backends.system.command_line import use_pack_folder

        use_pack_folder(Path(os.path.abspath(__file__)).parent)
        from quillwork.nodes import comfy_entrypoint  # noqa: F401

        WEB_DIRECTORY = "./web"
    else:
        NODE_CLASS_MAPPINGS: dict[str, type] = {}
        logging.getLogger("quillwork").warning(
            "Quillwork is installed twice: %s is in use, %s is not. Remove one of the two folders.",
            Path(sys.modules["quillwork"].__file__ or "").parent,
            _ROOT,
        )
