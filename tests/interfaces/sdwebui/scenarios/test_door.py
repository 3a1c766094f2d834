"""scripts/quillwork.py as a host executes it, without one: under its file's name and not in sys.modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]

HOST = """
import importlib.util, json, os, resource, sys, time, types
root = sys.argv[1]
modules = types.ModuleType("modules")
registered = []
modules.scripts = types.ModuleType("modules.scripts")
modules.scripts.Script = type("Script", (), {})
modules.scripts.AlwaysVisible = object()
modules.scripts.basedir = lambda: root
modules.script_callbacks = types.ModuleType("modules.script_callbacks")
for name in ("ui_settings", "before_ui", "app_started", "ui_tabs", "infotext_pasted", "after_component",
             "before_component"):
    note = lambda call, _name=name, **_: registered.append((_name, call))
    vars(modules.script_callbacks)["on_" + name] = note
for name in ("modules", "modules.scripts", "modules.script_callbacks"):
    sys.modules[name] = modules if name == "modules" else getattr(modules, name.split(".")[1])
installer = sys.modules["installer"] = types.ModuleType("installer")
installer.control_extensions = ["NudeNet"]
# A host has loaded these long before it comes to us.
import argparse, asyncio, concurrent.futures, email, http.client, logging, urllib.request, uuid
sys.path.insert(0, root)
before = set(sys.modules)
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.process_time()
spec = importlib.util.spec_from_file_location("quillwork.py", os.path.join(root, "scripts", "quillwork.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
took = time.process_time() - began
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
found = [one for one in vars(module).values() if isinstance(one, type)]
classes = [one for one in found if issubclass(one, modules.scripts.Script)]
[call() for name, call in registered if name == "before_ui"]
print(json.dumps({
    "took": took, "kb": grown, "classes": [one.__name__ for one in classes],
    "metaclasses": [type(one).__name__ for one in classes],
    "control": installer.control_extensions,
    "registered": [name for name, _ in registered],
    "in_path": root in sys.path or os.path.realpath(root) in sys.path,
    "tops": sorted({name.split(".")[0] for name in set(sys.modules) - before}),
}))
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> dict:
    import json

    root = tmp_path_factory.mktemp("extensions") / "my-own quillwork (1)"
    root.symlink_to(ROOT, target_is_directory=True)
    done = subprocess.run([sys.executable, "-c", HOST, str(root)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_host_finds_one_plain_script(report):
    assert report["classes"] == ["QuillworkScript"]
    assert report["metaclasses"] == ["type"], "SD.Next passes over classes with a metaclass"


def test_our_folder_is_off_the_path_again(report):
    assert report["in_path"] is False


def test_nothing_heavy_and_nobody_s_names(report):
    heavy = {
        "torch",
        "transformers",
        "litellm",
        "aiohttp",
        "yaml",
        "gradio",
        "fastapi",
        "PIL",
        "numpy",
        "pydantic",
    }
    assert not heavy & set(report["tops"])
    assert not {"nodes", "config", "interfaces", "prompting", "llm_backends", "scripts"} & set(report["tops"])


def test_it_is_light(report):
    """The limits are 0.15 s and 10 MB; this is CPU time, with room for a slow machine."""
    assert report["took"] < 1
    assert report["kb"] < 10 * 1024


def test_all_callbacks_are_registered(report):
    assert {"ui_settings", "before_ui", "app_started", "ui_tabs", "infotext_pasted"} <= set(
        report["registered"]
    )


def test_the_control_tab_of_sd_next_shows_us(report):
    assert report["control"] == ["NudeNet", "Quillwork"]
