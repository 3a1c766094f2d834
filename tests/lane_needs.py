"""What a lane needs of the machine besides Python packages."""

from __future__ import annotations

import os
import shutil


class CannotRun(Exception):
    """This machine lacks something that the lane needs; says what to do."""


def find_chromium() -> None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    if not (os.environ.get("CHROMIUM_PATH") or any(map(shutil.which, names))):
        raise CannotRun("no Chromium here: apt-get install chromium, or set CHROMIUM_PATH")


def find_compiler() -> None:
    if not any(map(shutil.which, ("c++", "g++", "clang++", "cl"))):
        raise CannotRun("no C++ compiler here, and llama-cpp-python comes as source: apt-get install g++")
