"""The host's folders. Read before the command line is parsed, because extensions may add to it."""

from __future__ import annotations

import argparse
from pathlib import Path

_early = argparse.ArgumentParser(add_help=False)
_early.add_argument("--data-dir", type=Path, default=Path(__file__).resolve().parent.parent)

script_path = str(Path(__file__).resolve().parent.parent)
data_path = str(_early.parse_known_args()[0].data_dir)
extensions_dir = str(Path(data_path, "extensions"))
models_path = str(Path(data_path, "models"))
