"""Command-line entry point: ``python . enhance "a fox in the snow"``, or with the path of this folder."""

import importlib.util
import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent


def _as_typed(argument: str) -> Path:
    """Return this folder under the path that the caller used: a shell leaves the links it followed in PWD."""
    folder = Path(argument)
    if folder.suffix == ".py":
        folder = folder.parent
    shell = os.environ.get("PWD", "")
    try:
        here = shell if shell and os.path.samefile(shell, os.curdir) else os.getcwd()
        typed = Path(os.path.normpath(os.path.join(here, folder)))
        return typed if os.path.samefile(typed, _ROOT) else _ROOT
    except OSError:
        return _ROOT


# Python puts this folder first on the path, where our `config` and `nodes` would hide other people's.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _ROOT]

_spec = importlib.util.spec_from_file_location(
    "quillwork", _ROOT / "package.py", submodule_search_locations=[str(_ROOT)]
)
assert _spec is not None and _spec.loader is not None
sys.modules["quillwork"] = _module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

if __name__ == "__main__":
    from quillwork.llm_backends.system.command_line import use_pack_folder

    use_pack_folder(_as_typed(sys.argv[0]))
    try:
        from quillwork.interfaces.cli.main import main

        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:  # while all this is loaded
        sys.exit(130)
