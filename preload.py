"""The web UIs' command line: one flag of ours."""

from __future__ import annotations

import argparse


def preload(parser: argparse.ArgumentParser) -> None:
    """Called by the host before it reads its command line."""
    parser.add_argument(
        "--quillwork-home",
        metavar="FOLDER",
        default=None,
        help="where Quillwork's settings, library, targets and consent lie; the variable QUILLWORK_HOME wins",
    )
