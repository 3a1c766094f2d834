"""A stand-in for A1111, Forge and SD.Next: their extension contract on a real Gradio, with no image model.

    python launch.py --style a1111|forge|sdnext --port N --data-dir FOLDER --api

The interpreter decides which Gradio it is (3.41 or 4.40). Extensions lie in FOLDER/extensions and are treated
as those hosts treat them; differences of the styles stand where they occur.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
ROOT = Path(__file__).resolve().parent

from modules.cmd_args import cmd_opts  # noqa: E402


def main() -> None:
    if cmd_opts.style == "forge":
        # Forge's memory manager; the other hosts have none.
        sys.path.insert(0, str(ROOT / "forge"))
    if cmd_opts.style == "sdnext":
        sys.path.insert(0, str(ROOT / "sdnext"))
        import installer  # noqa: F401 (extensions find it where the host has imported it)
    else:
        from modules import launch_utils  # noqa: F401 (likewise)
    from modules import extensions, scripts, server

    if not cmd_opts.skip_install:
        extensions.run_installers()
    scripts.load_scripts()
    if cmd_opts.nowebui:
        server.serve_api_only()
        return
    while server.serve() == "restart":
        print("Restarting UI...", flush=True)
        scripts.load_scripts()


if __name__ == "__main__":
    main()
