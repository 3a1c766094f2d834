"""``doctor --json``, which strangers read: all that a fault may depend on, and nothing of the user's own."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import pytest
from interfaces.cli.processes import KEY, ROOT, Command
from terminal import user_folder

from quillwork import __version__
from quillwork.config import providers


def leave_note(environment: dict[str, str], pack: Path, **more: Any) -> None:
    notes = user_folder(Path(environment["HOME"])) / "hosts.json"
    notes.parent.mkdir(parents=True)
    note = {"host": "ComfyUI", "pack": str(pack), "home": environment["QUILLWORK_HOME"], **more}
    notes.write_text(json.dumps({"hosts": [note]}))


def test_versions_checks_and_settings_by_origin(
    command: Command,
    environment: dict[str, str],
) -> None:
    leave_note(environment, ROOT, python=sys.executable, version="0.33.0")
    home = Path(environment["QUILLWORK_HOME"])
    home.mkdir()
    (home / ".env").write_text("LLM_DTYPE=fp16\n")
    done = command("doctor", "--json", LLM_BASE_URL="http://127.0.0.1:9/v1")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["status"] == "attention"
    assert report["version"] == __version__
    assert report["host"] == {"name": "ComfyUI", "version": "0.33.0", "same_python": True}
    assert report["python"] == platform.python_version()
    assert report["platform"] == platform.platform()
    assert report["packages"]["PyYAML"] == importlib.metadata.version("PyYAML")
    assert {"litellm", "transformers", "torch", "llama-cpp-python"} <= set(report["packages"])
    assert {check["name"]: check["ok"] for check in report["checks"]}["Endpoint"] is False
    assert report["settings"] == {
        "environment": {"LLM_BASE_URL": "http://127.0.0.1:9/v1"},
        ".env": {"LLM_DTYPE": "fp16"},
    }
    assert command("doctor", "--json").returncode == 0


def test_a_package_that_is_not_here_and_a_host_that_is_not_known(command: Command) -> None:
    report = json.loads(command("doctor", "--json").stdout)
    assert report["host"] is None
    for package, found in report["packages"].items():
        try:
            assert found == importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            assert found is None


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_it_holds_no_key_and_no_path_of_the_user(
    command: Command,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    """The report stays clean whatever is set, wrong or missing, and whichever way a path is written."""
    user = tmp_path / "somebody"
    user.mkdir()
    (tmp_path / "linked").symlink_to(user)
    base = user / "ComfyUI"
    home, python = base / "user" / "__quillwork", user / "venv" / "bin" / "python"
    home.mkdir(parents=True)
    environment |= {"HOME": str(tmp_path / "linked"), "QUILLWORK_HOME": str(home)}
    pack = base / "custom_nodes" / "quillwork"
    pack.parent.mkdir()
    pack.symlink_to(ROOT)
    leave_note(environment, pack, python=str(python), models=str(base / "models"))
    keys = {variable: KEY for provider in providers.every() for variable in provider.key_variables}
    (home / ".env").write_text("".join(f"{variable}={KEY}\n" for variable in keys))
    printed = command(
        "doctor",
        "--json",
        **keys,
        LLM_BASE_URL=f"http://me:{KEY}@127.0.0.1:9/v1?key={KEY}",
        LLM_API_KEY=KEY,
        LLM_SERVICE_TOKEN=KEY,
        LLM_CALLBACKS="langfuse,helicone",
        LLM_PATH=f"{tmp_path / 'linked'}/models/a.gguf",
        LIBRARY_DIRS=str(user / "wildcards"),
        LOCAL_LIBRARY_DIR=str(base / "lists"),
        PWD=str(pack),
    ).stdout
    assert KEY not in printed
    assert str(user) not in printed and "somebody" not in printed and "linked" not in printed
    assert str(ROOT) not in printed
    found = json.loads(printed)
    assert found["settings"]["environment"]["LLM_PATH"] == "~/models/a.gguf"
    assert found["settings"]["environment"]["LLM_API_KEY"] == "***"
    messages = " ".join(check["message"] for check in found["checks"])
    assert "~/venv/bin/python" in messages and "<settings>" in messages


def test_settings_that_cannot_be_read_leave_the_rest(
    command: Command,
    environment: dict[str, str],
) -> None:
    home = Path(environment["QUILLWORK_HOME"])
    home.mkdir()
    (home / "quillwork.yaml").write_text("a: [1\nb: {")
    done = command("doctor", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert [check["name"] for check in report["checks"]] == ["Settings"]
    assert report["version"] == __version__ and report["settings"] == {}
