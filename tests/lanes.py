"""Runs the suite lane by lane, each in an environment of its own, and adds up what pytest counted.

    python tests/lanes.py [LANE ...]          without names: all that `make test` runs
    python tests/lanes.py newest [LANE ...]   with the newest releases instead of those that the lanes pin
    python tests/lanes.py environment         only makes .venv
    python tests/lanes.py python3.13=PATH     the core suite on that interpreter, nothing optional installed

Environments lie in the repository's root as .venv and .venv-NAME and are made once for each set of
requirements; one that is a link is another checkout's and left as it is. What a lane needs besides is
fetched where that may be (lane_needs.py); a lane that still cannot run is left out, and said so at the end.

Several lanes run at a time, one more than there are processors and three at most, each in a process of its
own, and are shown as they end: half of their time goes into waiting. QUILLWORK_LANES_AT_ONCE=1 runs them one
after another. When all have ended and the machine is quiet, the tests that failed run once more, where a lane
has only a few of them: one that passes then counts as passed, and is named at the end.

Exit status: 0, every lane passed; 1, something failed; 3, nothing failed, but a lane was left out, which is
no pass. `make` turns both into its own 2. QUILLWORK_SKIP_LANES names lanes to do without (comma-separated):
these do not count. Standard library only, because it runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import date
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from lane_needs import CannotRun, find_python, make_environment
from lane_table import ALL, LANES, NEWEST, ROOT, Lane, bare

PACKAGE = ("config", "interfaces", "llm_backends", "nodes", "prompting", "safe_yaml.py")
# A lane left out counts as an error.
MISSING = """
!!!! {count} of {all} lanes did not run on this machine: {names}
!!!! Nothing is known of what they test; each line above says what its lane lacks. To do without them:
!!!!     QUILLWORK_SKIP_LANES={names} make test
"""
AGAIN = """
!!!! passed only when run again: {count} of the tests. Such a test has a fault, or has found one.
{names}
"""
# Each lane has a cache of pytest's own; the tiny models, which take minutes to train, are kept for all.
MODELS = ROOT / "tests" / ".pytest_cache" / "d" / "tiny-model"
# More failures than this in one lane are no accident.
FEW = 5
# What somebody has set for their own Python, pip, pytest and mypy is not for the lanes' environments. Without
# bytecode each lane would compile all tests anew, and each of the hosts that they start all of the pack.
PRIVATE = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
PRIVATE += ("PYTHONDONTWRITEBYTECODE", "PIP_NO_COMPILE")
PRIVATE += ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "MYPYPATH")
# llama.cpp is built as its released wheels are: by default it uses whatever the processor announces, and a
# virtual machine may announce AMX (see llm_backends/local/gguf/amx.py).
BUILD = {"CMAKE_ARGS": "-DGGML_NATIVE=OFF"}
FAILED, LEFT_OUT = "FAILED", "LEFT OUT"
# Where a lane's process writes its outcome for the one that began it.
REPORT = "QUILLWORK_LANE_REPORT"
VERSIONS = """
import sys
from importlib.metadata import version
print(", ".join(f"{name} {version(name)}" for name in sys.argv[1:]))
"""


def environment(lane: Lane, lifted: bool = False) -> Path:
    """The lane's Python, in an environment that is made again when its requirements change."""
    lifted = lifted and bool(lane.newest)
    wanted = lane.requirements(lifted)
    base = LANES[lane.over] if lane.over else None
    # What is newest is asked anew every day.
    made_of = (
        wanted,
        os.path.realpath(shutil.which(lane.python) or lane.python),
        lifted and str(date.today()),
        base and base.requirements(),
    )
    key = hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]
    folder = ROOT / lane.venv
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / f".installed-{key}"
    if stamp.exists():
        return python
    if folder.is_symlink() and python.exists():
        print(f"-- {lane.venv} is a link: taken as it is", flush=True)
        return python
    below = base and environment(base)
    print(f"-- {lane.venv}: installing ...", flush=True)
    begin = time.monotonic()
    make_environment(find_python(lane.python, lambda: environment(LANES["core"])), folder)
    if below:
        # Last in the path: a release that is wrong for this lane stays there, behind the one that pip brings.
        (packages(python) / "below.pth").write_text(f"{packages(below)}\n", "utf-8")
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *wanted]
    if subprocess.run(command, env=BUILD | os.environ).returncode != 0:
        raise CannotRun(f"pip could not install what {lane.venv} needs")
    stamp.touch()
    print(f"-- {lane.venv}: {time.monotonic() - begin:.0f} s", flush=True)
    return python


def packages(python: Path) -> Path:
    """The folder of that interpreter's packages."""
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def versions(lane: Lane, python: Path) -> str:
    """The releases that the lane is about, as they are installed."""
    if not lane.newest:
        return ""
    command = [str(python), "-c", VERSIONS, *lane.newest]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def run_pytest(name: str, counts: Counter[str], lifted: bool, folder: str, *more: str) -> tuple[bool, str]:
    """Tell whether the lane passed, and with which releases of its packages; the report is in `folder`."""
    lane = LANES[name]
    found = lane.needs(lambda: environment(lane, lifted))
    python = environment(lane, lifted)
    releases = versions(lane, python)
    if releases:
        print(f"-- {lane.venv}: {releases}", flush=True)
    report, cache = (file_of(name, folder, kind) for kind in ("xml", "cache"))
    report.unlink(missing_ok=True)
    command = [str(python), "-m", "pytest", "-q", *lane.paths, *lane.select, *more]
    print(f"-- {lane.venv}: pytest {' '.join((*lane.paths, *map(repr, lane.select), *more))}", flush=True)
    command += [f"--junitxml={report}", "-o", f"cache_dir={cache}"]
    kept = {"QUILLWORK_TEST_CACHE": str(MODELS)}
    done = subprocess.run(command, cwd=ROOT, env=kept | os.environ | found)
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
        report.unlink(missing_ok=True)  # It does not tell of the tests that were still to come.
    return done.returncode == 0, releases


def file_of(name: str, folder: str, kind: str) -> Path:
    """The lane's file of that kind."""
    return Path(folder, f"{name.replace('/', '-')}.{kind}")


def cases(report: Path) -> tuple[set[str], set[str]]:
    """The tests in a report of pytest's: those that passed, and those that failed or broke."""
    passed, bad = set(), set()
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        name = f"{case.get('classname')}::{case.get('name')}"
        found = {part.tag for part in case}
        if found & {"failure", "error"}:
            bad.add(name)
        elif "skipped" not in found:
            passed.add(name)
    return passed - bad, bad


def run_again(results: dict[str, tuple[str, Counter[str]]], lifted: bool, folder: str) -> list[str]:
    """Run the tests once more with which a lane failed, if they are few; return those that passed now.

    The lanes ran side by side; now they have the machine to themselves. Puts what came of it into `results`.
    """
    found = []
    for name, (outcome, counts) in results.items():
        _, bad = cases(file_of(name, folder, "xml"))
        if not outcome.startswith(FAILED) or not 0 < len(bad) <= FEW:
            continue
        print(f"\n==== lane {name}, once more: {len(bad)} of its tests ====", flush=True)
        with contextlib.suppress(CannotRun):
            run_pytest(name, Counter(), lifted, folder, "--last-failed", "--last-failed-no-failures=none")
        passed = bad & cases(file_of(name, folder, "xml"))[0]
        found += [f"!!!!     {name}: {test}" for test in sorted(passed)]
        counts.update(passed=len(passed))
        counts["failed"], counts["errors"] = len(bad - passed), 0
        if passed == bad:
            outcome = f"{outcome.replace(FAILED, 'passed', 1)}, {len(bad)} of its tests only when run again"
        results[name] = (outcome, counts)
    return found


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


def run_lane(name: str, lifted: bool, folder: str) -> tuple[str, Counter[str]]:
    """Run the lane; return its outcome in words (`FAILED ...`, `LEFT OUT: ...`) and pytest's counts."""
    print(f"\n==== lane {name} ====", flush=True)
    begin = time.monotonic()
    counts: Counter[str] = Counter()
    try:
        good, releases = (lint(), "") if name == "lint" else run_pytest(name, counts, lifted, folder)
    except CannotRun as reason:
        print(f"LANE {name} LEFT OUT: {reason}", flush=True)
        return f"{LEFT_OUT}: {reason}", Counter(errors=1)
    counts["errors"] += not good and name == "lint"
    took = f"in {time.monotonic() - begin:.0f} s{releases and f' with {releases}'}"
    return f"{'passed' if good else FAILED} {took}", counts


def run_apart(
    name: str, lifted: bool, folder: str, found: dict[str, str] | None = None
) -> tuple[str, Counter[str], str]:
    """Run the lane in a process of its own, with the variables `found`; return all that was printed, too."""
    report = file_of(name, folder, "json")
    command = [sys.executable, __file__, *(["newest"] if lifted else []), name]
    done = subprocess.run(
        command,
        env=os.environ | (found or {}) | {REPORT: str(report)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if not report.exists():
        return f"{FAILED}: the runner ended with {done.returncode}", Counter(errors=1), done.stdout
    outcome, counts = json.loads(report.read_text("utf-8"))
    return outcome, Counter(counts), done.stdout


def prepare(names: list[str], lifted: bool) -> dict[str, dict[str, str]]:
    """Make and fetch what lanes share, before two would do it at once; return the variables of each lane."""
    # The checkers of `lint` lie in the core's environment.
    lanes = {name: LANES["core" if name == "lint" else name] for name in names}
    every = [*lanes.values(), *(LANES[lane.over] for lane in lanes.values() if lane.over)]
    shared = Counter(lane.venv for lane in every)

    def make(lane: Lane) -> None:
        with contextlib.suppress(CannotRun):
            environment(lane, lifted)

    with ThreadPoolExecutor() as pool:
        list(pool.map(make, {lane.venv: lane for lane in every if shared[lane.venv] > 1}.values()))
    found: dict[Callable[..., dict[str, str]], dict[str, str]] = {}
    for name, lane in lanes.items():
        # Asked once for all lanes: to look for Chromium may take an environment.
        if name != "lint" and lane.needs not in found:
            try:
                found[lane.needs] = lane.needs(partial(environment, lane, lifted))
            except CannotRun:
                found[lane.needs] = {}
    return {name: found.get(lane.needs, {}) for name, lane in lanes.items()}


def run_all(names: list[str], lifted: bool, folder: str) -> dict[str, tuple[str, Counter[str]]]:
    at_once = int(os.environ.get("QUILLWORK_LANES_AT_ONCE") or min(3, (os.cpu_count() or 1) + 1))
    if len(names) == 1 or at_once < 2:
        return {name: run_lane(name, lifted, folder) for name in names}
    variables = prepare(names, lifted)
    found = {}
    with ThreadPoolExecutor(at_once) as pool:
        running = {pool.submit(run_apart, name, lifted, folder, variables.get(name)): name for name in names}
        for future in as_completed(running):
            outcome, counts, said = future.result()
            print(said, flush=True)
            found[running[future]] = (outcome, counts)
    return {name: found[name] for name in names}


def main(names: list[str]) -> int:
    for private in PRIVATE:
        os.environ.pop(private, None)
    # The tests of a lane run lanes of their own.
    report = os.environ.pop(REPORT, None)
    lifted = names[:1] == ["newest"]
    if lifted:
        names = names[1:] or list(NEWEST)
    names = names or list(ALL)
    if names == ["environment"]:
        try:
            environment(LANES["core"])
        except CannotRun as reason:
            print(reason, file=sys.stderr)
            return 3
        return 0
    for name in names:
        if "=" in name:  # pythonX.Y=/path/of/that/interpreter
            version, _, python = name.partition("=")
            LANES[name] = bare(version.removeprefix("python"), python)
    if unknown := [name for name in names if name not in {*LANES, "lint"}]:
        print(f"No such lane: {', '.join(unknown)}. There are: lint, {', '.join(LANES)}.", file=sys.stderr)
        return 2
    skip = {name.strip() for name in os.environ.get("QUILLWORK_SKIP_LANES", "").split(",")} - {""}
    begin = time.monotonic()
    wanted = [name for name in names if name not in skip]
    if report:
        outcome = run_lane(names[0], lifted, str(Path(report).parent))
        Path(report).write_text(json.dumps(outcome), "utf-8")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        results = run_all(wanted, lifted, folder)
        mended = run_again(results, lifted, folder)
    print("\n==== lanes ====")
    for name in names:
        outcome = results[name][0] if name in results else "not asked for: QUILLWORK_SKIP_LANES names it"
        print(f"{name:16} {outcome}")
    failed = [name for name, (outcome, _) in results.items() if outcome.startswith(FAILED)]
    left_out = [name for name, (outcome, _) in results.items() if outcome.startswith(LEFT_OUT)]
    if left_out:
        print(MISSING.format(count=len(left_out), all=len(names), names=",".join(left_out)))
    if mended:
        print(AGAIN.format(count=len(mended), names="\n".join(mended)))
    counts = sum((counted for _, counted in results.values()), Counter())
    parts = [f"{counts[kind]} {kind}" for kind in ("failed", "passed", "skipped", "errors") if counts[kind]]
    print("All of them together:")
    print(f"{', '.join(parts) or 'no tests ran'} in {time.monotonic() - begin:.2f}s")
    return 1 if failed else 3 if left_out else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
