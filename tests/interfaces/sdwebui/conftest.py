"""The Script's parts on plain objects: no Gradio, no host, a real model server at the other end."""

from __future__ import annotations

import os
import sys
import threading
from types import ModuleType, SimpleNamespace

import pytest

from quillwork.config.settings import values as settings_module
from quillwork.interfaces.sdwebui.recall import recall
from quillwork.prompting import phrasebook


@pytest.fixture
def library(tmp_path, monkeypatch, wire):
    """Set nothing but an endpoint, the imitation server's model ``fox``; return the folder of variables."""
    for name in list(os.environ):
        if name.startswith(("LLM_", "LITELLM_")) or name in ("LOCAL_LIBRARY_DIR", "LIBRARY_DIRS"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("QUILLWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LLM_BASE_URL", f"{wire.url}/v1")
    monkeypatch.setenv("LLM_MODEL", "fox")
    monkeypatch.setattr(settings_module, "_overrides", {})
    monkeypatch.setattr(settings_module, "_host_settings", None)
    recall.forget()
    phrasebook.register()
    folder = tmp_path / "home" / "library"
    folder.mkdir(parents=True)
    yield folder
    recall.forget()


@pytest.fixture
def queue(monkeypatch):
    """Set up a host with a queue, with Forge's one thread for models, and an Interrupt button."""
    lock, seen = threading.Lock(), SimpleNamespace(errors=[], locked=[])

    def run_and_wait_result(work):
        seen.locked.append(lock.locked())
        try:
            return work()
        except Exception as error:  # what Forge would print as a traceback and drop
            seen.errors.append(error)

    names = ("modules", "modules.call_queue", "modules.shared", "modules_forge", "modules_forge.main_thread")
    modules = {name: ModuleType(name) for name in names}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    modules["modules"].shared = modules["modules.shared"]
    modules["modules.call_queue"].queue_lock = lock
    modules["modules.shared"].state = seen.state = SimpleNamespace(interrupted=False)
    modules["modules_forge.main_thread"].run_and_wait_result = run_and_wait_result
    seen.lock = lock
    return seen
