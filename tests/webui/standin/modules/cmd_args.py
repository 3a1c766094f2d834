"""The command line, with what the extensions' preload.py add to it."""

from __future__ import annotations

import argparse
from pathlib import Path

from modules import paths
from modules.script_loading import preload_extensions

parser = argparse.ArgumentParser()
parser.add_argument("--style", choices=("a1111", "forge", "sdnext"), default="a1111")
parser.add_argument("--port", type=int, default=7860)
parser.add_argument("--listen", action="store_true")
parser.add_argument("--server-name", default=None)
parser.add_argument("--subpath", default=None)
parser.add_argument("--data-dir", type=Path, default=paths.data_path)
parser.add_argument("--ui-settings-file", default=str(Path(paths.data_path, "config.json")))
parser.add_argument("--ui-config-file", default=str(Path(paths.data_path, "ui-config.json")))
parser.add_argument("--api", action="store_true")
parser.add_argument("--api-auth", default=None)
parser.add_argument("--gradio-auth", default=None)
parser.add_argument("--gradio-auth-path", default=None)
parser.add_argument("--nowebui", action="store_true")
parser.add_argument("--no-gradio-queue", action="store_true")
parser.add_argument("--skip-install", action="store_true")

preload_extensions(paths.extensions_dir, parser)
cmd_opts = parser.parse_args()
