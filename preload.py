"""Command-line flag that the pack adds to the web UIs."""

from __future__ import annotations

import argparse


def preload(parser: argparse.ArgumentParser) -> None:
    """Add the flag; the host calls this before it reads its command line."""
    parser.add_argument(
        "--quillwork-home",
        metavar="FOLDER",
        default=None,
        help=(
            "folder for Quillwork's settings, library, targets and permissions; the environment "
            "variable QUILLWORK_HOME takes precedence"
        ),
    )
