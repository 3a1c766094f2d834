"""Executes an extension's file as the hosts do: under its file name, and not in sys.modules."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from types import ModuleType

from modules import errors


def load_module(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(path).name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def preload_extensions(folder: str, parser: argparse.ArgumentParser) -> None:
    """Let every extension that has a preload.py add its flags."""
    for file in sorted(Path(folder).glob("*/preload.py")):
        try:
            module = load_module(str(file))
            if hasattr(module, "preload"):
                module.preload(parser)
        except Exception:
            errors.report(f"Error running preload() for {file}", exc_info=True)
