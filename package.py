"""Quillwork: a language model that writes for the image model.

This file is the top of the package. Every entry point (ComfyUI's ``__init__.py``, the command line's
``__main__.py``, a web UI's ``scripts/quillwork.py``, the tests) loads it under the one name ``quillwork``,
whatever the folder is called, so that a process has one registry, one key store and one copy of a model.
"""

from __future__ import annotations

__version__ = "0.1.0"

# The parts that bring a mode of their own: each is registered with the modes themselves, whatever the door.
MODES_OF = ("prompting.phrasebook",)
