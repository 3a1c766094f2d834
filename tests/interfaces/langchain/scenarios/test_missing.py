"""Without langchain-core: one sentence, and no import of it before it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]

PROGRAM = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location(
    "quillwork", sys.argv[1] + "/package.py", submodule_search_locations=[sys.argv[1]])
sys.modules["quillwork"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.modules["langchain_core"] = None
from quillwork.interfaces.langchain import as_langchain
from quillwork.llm_backends import Deployment
from quillwork.llm_backends.errors import DependencyMissing
try:
    as_langchain(Deployment("openai_compatible", "fox"))
except DependencyMissing as error:
    print(error)
"""


def test_without_langchain_core_it_says_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT)], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout == (
        "as_langchain() needs the Python package langchain-core, which is not installed. "
        "Run `pip install langchain-core` in the environment of your script, but not in "
        "a web UI's environment: it changes packages that the web UI depends on.\n"
    )
