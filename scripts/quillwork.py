"""Entry point of the web UIs (A1111, Forge, SD.Next): loads the pack as ``quillwork``, returns the Script."""

import importlib.util
import os
import sys
from pathlib import Path

import modules.scripts as scripts

_ROOT = Path(scripts.basedir()).resolve()

if "quillwork" not in sys.modules:
    _spec = importlib.util.spec_from_file_location(
        "quillwork", _ROOT / "package.py", submodule_search_locations=[str(_ROOT)]
    )
    assert _spec is not None and _spec.loader is not None
    sys.modules["quillwork"] = _module = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(_module)

if Path(sys.modules["quillwork"].__file__ or "").parent == _ROOT:
    from quillwork.interfaces.sdwebui.callbacks import register
    from quillwork.llm_backends.system.command_line import use_pack_folder

    use_pack_folder(Path(os.path.abspath(scripts.basedir())))
    from quillwork.interfaces.sdwebui.script import QuillworkScript  # noqa: F401 (the host finds it by its class)

    register()
else:
    print(f"Quillwork is installed twice: {_ROOT} is not in use. Remove one of the two folders.")
