"""The pack loaded as every entry point does: under the name ``quillwork``, whatever the folder's name."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A shell starts what it runs in the background with Ctrl+C ignored, and so would be what tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

if "quillwork" not in sys.modules:
    _spec = importlib.util.spec_from_file_location(
        "quillwork", ROOT / "package.py", submodule_search_locations=[str(ROOT)]
    )
    assert _spec is not None and _spec.loader is not None
    sys.modules["quillwork"] = _module = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(_module)

# Support code of the tests is imported by name (`from wire.server import ...`); last in the path, so that
# the folders in here, which are named as in the source, never hide a host's own modules.
sys.path.append(str(ROOT / "tests"))

from host.process import FOREIGN, OF_THE_TESTS  # noqa: E402

# Nor may it for what the tests run in this process: the keys and settings of who runs them are no one's test.
for _name in [name for name in os.environ if FOREIGN.search(name) and not OF_THE_TESTS.search(name)]:
    del os.environ[_name]
# A strict one would close to others what tests open to them.
os.umask(0o022)
# Where nothing else is set, ours lies in the user's own folder.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="quillwork-tests-")
atexit.register(shutil.rmtree, os.environ["XDG_CONFIG_HOME"], ignore_errors=True)
# A test that asks whether litellm is there imports it, and its import would ask the internet for prices.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

from host.fixtures import _hosts, host, host_factory, mark_host_tests  # noqa: E402, F401
from webui.fixtures import (  # noqa: E402, F401
    _webui_browser,
    _webuis,
    mark_webui_tests,
    open_page,
    webui,
    webui_factory,
    webui_page,
    wired,
)
from wire.fixtures import _wire_thread, wire  # noqa: E402, F401


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_host_tests(items)
    mark_webui_tests(items)


@pytest.fixture(autouse=True)
def _as_where_there_are_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have advice as on the canvas, whatever host an earlier test has entered."""
    monkeypatch.setattr("quillwork.llm_backends.host._has_nodes", True)


@pytest.fixture(autouse=True)
def _modes_as_they_were() -> Iterator[None]:
    """Restore the modes after a test that registers one: lists of models hold every mode."""
    from quillwork.llm_backends import modes, registry

    kept = [(table, dict(table)) for table in (registry._makers, modes._rows)]
    yield
    for table, before in kept:
        table.clear()
        table.update(before)
