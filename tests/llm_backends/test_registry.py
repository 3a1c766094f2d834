"""The registry of backends by mode; other packs bring their own."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest
from endpoints import HANG_S, answer, endpoint

from quillwork.llm_backends import registry
from quillwork.llm_backends.errors import BackendUnavailable
from quillwork.llm_backends.types import Chunk

ROOT = Path(__file__).resolve().parents[2]


class Echo:
    """Another pack's backend."""

    def __init__(self) -> None:
        self.made_in = threading.current_thread().name

    async def stream(self, request, deployment):
        yield Chunk(f"{deployment.model}: {request.messages[-1].content}", finish_reason="stop")

    async def close(self) -> None:
        pass


@pytest.fixture
def name():
    return f"pack-{uuid.uuid4().hex[:8]}"


def test_ours_are_there():
    assert {"litellm", "openai_compatible"} <= set(registry.names())
    assert registry.names() == sorted(registry.names())


def test_another_packs_backend_answers(name):
    registry.register(name, Echo)
    assert name in registry.names()
    assert answer(endpoint("", "parrot", backend=name)).text == "parrot: a fox"


def test_a_backend_is_made_at_first_use_and_once(name):
    made = []
    registry.register(name, lambda: made.append(1) or Echo())
    assert not made
    assert registry.get(name) is registry.get(name)
    assert made == [1]
    assert registry.get(name) in registry.made()


def test_a_name_is_taken_once_unless_it_is_replaced(name):
    registry.register(name, Echo)
    before = registry.get(name)
    with pytest.raises(ValueError, match="already registered"):
        registry.register(name, Echo)
    registry.register(name, Echo, replace=True)
    assert registry.get(name) is not before


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(BackendUnavailable) as caught:
        registry.get("no_such")
    assert "'no_such'" in caught.value.message
    assert "openai_compatible" in caught.value.hint
    assert not registry.is_known("no_such")


def test_two_threads_get_the_same(name):
    def make():
        time.sleep(0.05)
        return Echo()

    registry.register(name, make)
    got = []
    threads = [threading.Thread(target=lambda: got.append(registry.get(name))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_S)
    assert len(got) == 4
    assert len(set(map(id, got))) == 1


PROGRAM = """
import importlib.util, sys
root, packs = sys.argv[1:]
sys.path.insert(0, packs)
spec = importlib.util.spec_from_file_location(
    "quillwork", root + "/package.py", submodule_search_locations=[root])
sys.modules["quillwork"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from quillwork.llm_backends import registry
assert "parrot_pack" not in sys.modules
print("parrot" in registry.names(), registry.is_known("parrot"), "parrot_pack" in sys.modules)
print(type(registry.get("parrot")).__name__)
print(type(registry.get("openai_compatible")).__name__)
try:
    registry.get("broken")
except Exception as error:
    print(type(error).__name__, error)
"""


def test_entry_points_of_installed_packs(tmp_path):
    (tmp_path / "parrot_pack.py").write_text("class Parrot: pass\n")
    info = tmp_path / "parrot_pack-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: parrot-pack\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[quillwork.backends]\n"
        "parrot = parrot_pack:Parrot\n"
        "openai_compatible = parrot_pack:Parrot\n"
        "broken = parrot_pack:NoSuch\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT), str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[:3] == ["True True False", "Parrot", "OpenAICompatible"]
    assert lines[3].startswith("BackendUnavailable")
    assert "broken" in lines[3]
