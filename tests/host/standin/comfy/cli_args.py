"""The arguments that the tests pass."""

from __future__ import annotations

import argparse

_parser = argparse.ArgumentParser(description="A small stand-in for ComfyUI, for tests.")
_parser.add_argument("--base-directory", required=True)
_parser.add_argument("--user-directory")
_parser.add_argument("--listen", default="127.0.0.1", nargs="?", const="0.0.0.0,::")
_parser.add_argument("--port", type=int, default=8188)
_parser.add_argument("--front-end-root")
_parser.add_argument("--cpu", action="store_true")
_parser.add_argument("--disable-api-nodes", action="store_true")
args = _parser.parse_args()
