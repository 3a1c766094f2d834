"""Runs the suite lane by lane, each in an environment of its own, and adds up what pytest counted.

    python tests/lanes.py [LANE ...]          without names: all that `make test` runs
    python tests/lanes.py environment         only makes .venv
    python tests/lanes.py python3.13=PATH     the core suite on that interpreter, nothing optional installed

Environments lie in the repository's root as .venv and .venv-NAME and are made once for each set of
requirements. A lane that this machine cannot run fails, unless QUILLWORK_SKIP_LANES names it
(comma-separated). Standard library only, because it runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ("config", "interfaces", "llm_backends", "nodes", "prompting", "safe_yaml.py")
CORE = "not proxy and not browser and not webui"
BARE = ("pytest>=8.2,<10", "pytest-timeout>=2.3", "hypothesis>=6.100")


class CannotRun(Exception):
    """This machine lacks something that the lane needs; says what to do."""


@dataclass(frozen=True)
class Lane:
    """One run of pytest: where, with what installed (`files` and `more`), and on which tests."""

    venv: str
    select: tuple[str, ...]
    more: tuple[str, ...] = ()
    files: tuple[str, ...] = ("tests/requirements.txt",)
    python: str = sys.executable
    paths: tuple[str, ...] = ("tests",)
    needs: Callable[[], None] = lambda: None


def find_chromium() -> None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    if not (os.environ.get("CHROMIUM_PATH") or any(map(shutil.which, names))):
        raise CannotRun("no Chromium here: apt-get install chromium, or set CHROMIUM_PATH")


def local(name: str, transformers: str) -> Lane:
    """The tests of local models, with the real torch, transformers and bitsandbytes on the CPU."""
    libraries = (
        "torch==2.13.0",
        f"transformers=={transformers}",
        "bitsandbytes==0.50.2",
        "accelerate==1.15.0",
        "pillow>=10.2",
    )
    paths = tuple(
        path
        for path in (
            "tests/llm_backends/transformers_local",
            "tests/llm_backends/test_downloads.py",
            "tests/nodes/test_local_model.py",
            "tests/interfaces/sdwebui/test_guest_memory.py",
        )
        if (ROOT / path).exists()
    )
    return Lane(f".venv-{name}", ("-m", CORE), (*BARE, *libraries), ("requirements.txt",), paths=paths)


def find_compiler() -> None:
    if not any(map(shutil.which, ("c++", "g++", "clang++", "cl"))):
        raise CannotRun("no C++ compiler here, and llama-cpp-python comes as source: apt-get install g++")


def gradio(version: str, *beside: str) -> Lane:
    """The web UIs' stand-in on that Gradio, with what the hosts pin beside it."""
    pins = ("httpx==0.24.1", "httpcore==0.15", "Pillow==9.5.0", "numpy==1.26.2", "playwright>=1.45")
    paths = (
        "tests/webui",
        "tests/interfaces/sdwebui",
        "tests/interfaces/http/test_adapters.py",
        "tests/test_install.py",
    )
    return Lane(
        f".venv-gradio{version[0]}",
        ("-m", "webui"),
        (*BARE, f"gradio=={version}", *beside, *pins),
        ("requirements.txt",),
        paths=tuple(path for path in paths if (ROOT / path).exists()),
        needs=find_chromium,
    )


def bare(version: str, python: str = "") -> Lane:
    """The core suite on another Python with the pack's own requirements and nothing optional."""
    return Lane(f".venv-{version}", ("-m", CORE), BARE, ("requirements.txt",), python or f"python{version}")


def langchain(name: str, version: str) -> Lane:
    """Our models as LangChain's. Apart from the core: langchain-core brings a dozen packages along."""
    paths = ("tests/interfaces/langchain", "tests/test_docs.py")
    select = ("-m", CORE, "-k", "langchain")
    return Lane(
        f".venv-{name}", select, (*BARE, f"langchain-core=={version}"), ("requirements.txt",), paths=paths
    )


LANES = {
    "core": Lane(".venv", ("-m", CORE)),
    # The floor is what Forge can have (install.py's last candidate), with the openai it gets beside it.
    "litellm-oldest": Lane(
        ".venv-litellm-oldest",
        ("-m", CORE, "-k", "litellm"),
        (*BARE, "litellm==1.83.0", "openai==2.24.0"),
        ("requirements.txt",),
    ),
    "proxy": Lane(".venv-proxy", ("-m", "proxy"), (*BARE, "litellm[proxy]==1.106.2"), ("requirements.txt",)),
    # Its releases and litellm's have to fit; it brings OpenTelemetry along.
    "langfuse": Lane(
        ".venv-langfuse",
        ("-m", CORE),
        (*BARE, "litellm==1.106.2", "langfuse==4.18.0"),
        ("requirements.txt",),
        paths=("tests/llm_backends/test_litellm_observing.py",),
    ),
    "browser": Lane(".venv", ("-m", "browser"), needs=find_chromium),
    # The newest and the oldest that a host with a local model may have.
    "local": local("local", "5.23.0"),
    "local-oldest": local("local-oldest", "4.51.3"),
    # Not with the other local models: building llama.cpp takes minutes.
    "gguf": Lane(
        ".venv-gguf",
        ("-m", CORE),
        (*BARE, "torch==2.13.0", "transformers==5.23.0", "llama-cpp-python==0.3.36"),
        ("requirements.txt",),
        paths=(
            "tests/llm_backends/test_gguf.py",
            "tests/llm_backends/test_downloads.py",
            "tests/nodes/test_gguf.py",
        ),
        needs=find_compiler,
    ),
    "langchain": langchain("langchain", "1.7.2"),
    "langchain-oldest": langchain("langchain-oldest", "0.3.0"),
    # A1111 and Forge Classic; Forge and Forge Neo. Python 3.10 or 3.11, as there: numpy 1 and Pillow 9.
    "gradio3": gradio("3.41.2", "fastapi==0.94.0", "pydantic==1.10.20", "huggingface-hub==0.26.5"),
    "gradio4": gradio("4.40.0", "fastapi==0.104.1", "pydantic==2.8.2", "huggingface-hub==0.26.2"),
    **{f"python{version}": bare(version) for version in ("3.10", "3.11", "3.12", "3.13")},
}

# What `make test` runs.
ALL = [
    "lint",
    "core",
    "litellm-oldest",
    "proxy",
    "browser",
    "gradio3",
    "gradio4",
    "local",
    "local-oldest",
    "gguf",
]
ALL += ["langfuse", "langchain", "langchain-oldest"]


def environment(lane: Lane) -> Path:
    """The lane's Python, in an environment that is made again when its requirements change."""
    listed = [(ROOT / file).read_text("utf-8") for file in lane.files]
    key = hashlib.sha256(repr((listed, lane.more, lane.python)).encode()).hexdigest()[:16]
    folder = ROOT / lane.venv
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / f".installed-{key}"
    if stamp.exists():
        return python
    print(f"-- {lane.venv}: installing ...", flush=True)
    begin = time.monotonic()
    try:
        subprocess.run([lane.python, "-m", "venv", "--clear", str(folder)], check=True)
    except (OSError, subprocess.CalledProcessError):
        raise CannotRun(
            f"{lane.python} -m venv failed: is that Python there, with its venv module?"
        ) from None
    files = [option for file in lane.files for option in ("-r", str(ROOT / file))]
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *files, *lane.more]
    if subprocess.run(command).returncode != 0:
        raise CannotRun(f"pip could not install what {lane.venv} needs")
    stamp.touch()
    print(f"-- {lane.venv}: {time.monotonic() - begin:.0f} s", flush=True)
    return python


def run_pytest(name: str, counts: Counter[str]) -> bool:
    lane = LANES[name]
    lane.needs()
    python = environment(lane)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [str(python), "-m", "pytest", "-q", *lane.paths, *lane.select, f"--junitxml={report}"]
        print(f"-- {lane.venv}: pytest {' '.join((*lane.paths, *map(repr, lane.select)))}", flush=True)
        done = subprocess.run(command, cwd=ROOT)
        if report.exists():
            for suite in ElementTree.parse(report).iter("testsuite"):
                bad = {key: int(suite.get(key, "0")) for key in ("failures", "errors", "skipped")}
                counts.update(failed=bad["failures"], errors=bad["errors"], skipped=bad["skipped"])
                counts["passed"] += int(suite.get("tests", "0")) - sum(bad.values())
    if done.returncode == 5:
        print(f"LANE {name}: NOTHING WAS SELECTED", flush=True)
        counts["errors"] += 1
    elif done.returncode not in (0, 1):
        counts["errors"] += 1
    return done.returncode == 0


def lint() -> bool:
    """ruff over everything; mypy over the package under its own name, whatever this folder is called."""
    python = environment(LANES["core"])
    layout = ROOT / ".mypy_cache" / "layout"
    shutil.rmtree(layout, ignore_errors=True)
    package, doors = layout / "quillwork", layout / "doors"
    package.mkdir(parents=True)
    doors.mkdir()
    # As at run time: package.py is the top of the package, and the hosts' doors lie beside it.
    (package / "__init__.py").symlink_to(ROOT / "package.py")
    for name in PACKAGE:
        (package / name).symlink_to(ROOT / name)
    for door in ("__init__.py", "__main__.py", "install.py", "scripts/quillwork.py"):
        if (ROOT / door).exists():
            (doors / f"door_{Path(door).stem.strip('_')}.py").symlink_to(ROOT / door)
    mypy = [str(python), "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
    mypy += ["--cache-dir", str(ROOT / ".mypy_cache")]
    commands: list[tuple[list[str], Path]] = [
        ([str(python), "-m", "ruff", "check", "."], ROOT),
        ([str(python), "-m", "ruff", "format", "--check", "."], ROOT),
        ([*mypy, "-p", "quillwork"], layout),
        ([*mypy, *(str(file.relative_to(layout)) for file in sorted(doors.iterdir()))], layout),
    ]
    good = True
    for command, folder in commands:
        good &= subprocess.run(command, cwd=folder).returncode == 0
    return good


def main(names: list[str]) -> int:
    names = names or list(ALL)
    for place, name in enumerate(names):
        if "=" in name:  # pythonX.Y=/path/of/that/interpreter
            names[place], _, python = name.partition("=")
            LANES[names[place]] = bare(names[place].removeprefix("python"), python)
    if names == ["environment"]:
        environment(LANES["core"])
        return 0
    if unknown := [name for name in names if name not in {*LANES, "lint"}]:
        print(f"No such lane: {', '.join(unknown)}. There are: lint, {', '.join(LANES)}.", file=sys.stderr)
        return 2
    skip = {name.strip() for name in os.environ.get("QUILLWORK_SKIP_LANES", "").split(",")} - {""}
    begin = time.monotonic()
    counts: Counter[str] = Counter()
    outcome: dict[str, str] = {}
    for name in names:
        if name in skip:
            outcome[name] = "SKIPPED: QUILLWORK_SKIP_LANES names it"
            continue
        print(f"\n==== lane {name} ====", flush=True)
        lane_begin = time.monotonic()
        try:
            good = lint() if name == "lint" else run_pytest(name, counts)
        except CannotRun as reason:
            outcome[name] = f"CANNOT RUN: {reason} (or name it in QUILLWORK_SKIP_LANES)"
            counts["errors"] += 1
        else:
            counts["errors"] += not good and name == "lint"
            outcome[name] = f"{'passed' if good else 'FAILED'} in {time.monotonic() - lane_begin:.0f} s"
    print("\n==== lanes ====")
    for name, text in outcome.items():
        print(f"{name:16} {text}")
    bad = [name for name, text in outcome.items() if text.startswith(("FAILED", "CANNOT"))]
    parts = [f"{counts[kind]} {kind}" for kind in ("failed", "passed", "skipped", "errors") if counts[kind]]
    print("All of them together:")
    print(f"{', '.join(parts) or 'no tests ran'} in {time.monotonic() - begin:.2f}s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
