"""Command-line flag that the pack adds to the web UIs."""

from __future__ import annotations

import argparse


def preload(parser: argparse.ArgumentParser) -> None:
    """Add the flag; the host calls this before it reads its command line."""
    parser.add_argument(
        "--quillwork-home",
        metavar="FOLDER",
        default=None,
        help="where Quillwork's settings, library, targets and consent lie; the variable QUILLWORK_HOME wins",
    )
