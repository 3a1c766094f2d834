"""Exit codes of commands: alike for alike faults, with a sentence, and with no traceback."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from interfaces.cli.processes import ROOT, Command, endpoint
from wire.server import WireServer

ALL = {
    "enhance": ("enhance", "a fox"),
    "variables": ("variables", "season"),
    "resolve": ("resolve", "a __season__ fox", "--generate-missing"),
    "models": ("models",),
    "providers": ("providers",),
    "usage": ("usage",),
    "config": ("config",),
    "setup": ("setup",),
}
ASKING = {name: ALL[name] for name in ("enhance", "variables", "resolve")}
needs_signals = pytest.mark.skipif(os.name == "nt", reason="written for a POSIX shell")


@pytest.fixture
def home(environment: dict[str, str]) -> Path:
    folder = Path(environment["QUILLWORK_HOME"])
    folder.mkdir(parents=True)
    return folder


def ended(done: subprocess.CompletedProcess[str], code: int, says: str) -> None:
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    assert 1 <= len(done.stderr.strip().splitlines()) <= 2
    assert done.stdout == ""


@pytest.mark.parametrize("name", ALL)
def test_a_file_of_settings_that_cannot_be_read(command: Command, home: Path, name: str) -> None:
    (home / "quillwork.yaml").write_text("a: [1\nb: {")
    ended(command(*ALL[name]), 2, "quillwork.yaml, line 2: this is not valid YAML")


@pytest.mark.parametrize("name", [*ALL, "targets", "doctor"])
def test_a_home_that_is_a_file(command: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    words = ALL.get(name, (name,))
    ended(command(*words, "--home", str(tmp_path / "file")), 2, "is a file")


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize(
    ("variables", "code", "says"),
    [
        ({"LLM_MODE": "litellm"}, 2, "LLM_MODEL"),
        ({"LLM_MODEL": "mistral/some"}, 2, "MISTRAL_API_KEY"),
        ({"LLM_MODE": "gguf", "LLM_PATH": "/nosuch/fox.gguf"}, 2, "/nosuch"),
        ({"LLM_BASE_URL": "http://127.0.0.1:9/v1", "LLM_MODEL": "fox"}, 3, "127.0.0.1:9"),
    ],
    ids=["model", "key", "file", "server"],
)
def test_a_model_that_is_not_to_be_had(
    command: Command,
    name: str,
    variables: dict[str, str],
    code: int,
    says: str,
) -> None:
    ended(command(*ASKING[name], **variables), code, says)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("enhance", "a fox", "--target", "nosuch"), "nosuch"),
        (("enhance", "a fox", "--mode", "nosuch"), "nosuch"),
        (("variables", "season", "--mode", "nosuch"), "nosuch"),
        (("resolve", "a __season__", "--generate-missing", "--mode", "nosuch"), "nosuch"),
        (("setup", "--allow", "nosuch"), "nosuch"),
        (("models", "--provider", "nosuch"), "nosuch"),
        (("resolve", "a fox", "--count", "5000"), "1000"),
        (("resolve", "a __season__ fox"), "or add --generate-missing"),
        (("variables", "season", "--count", "0"), "1 to 200"),
    ],
)
def test_words_that_cannot_be_meant(command: Command, words: tuple[str, ...], says: str) -> None:
    ended(command(*words), 2, says)


@pytest.mark.parametrize("fault", ["length", "status500", "reasoning-length"])
def test_nobody_is_sent_to_a_node(command: Command, wire: WireServer, fault: str) -> None:
    done = command("enhance", "a fox", **{**endpoint(wire), "LLM_MODEL": f"fox-{fault}"})
    assert done.stderr and "LLM Settings" not in done.stderr, done.stderr


def test_values_that_cannot_be_saved_are_printed_all_the_same(
    command: Command,
    home: Path,
    wire: WireServer,
) -> None:
    (home / "library").write_text("a file")
    wire.script("fox", '{"values": ["red", "green", "blue"]}')
    done = command("variables", "hue", "--count", "3", "--save", **endpoint(wire))
    assert (done.returncode, done.stdout) == (2, "red\ngreen\nblue\n")
    assert "`hue.txt` was not saved" in done.stderr
    done = command("resolve", "__hue__", "--generate-missing", "--selection", "cycle", **endpoint(wire))
    assert (done.returncode, done.stdout) == (0, "red\n")
    assert "The values for __hue__ were not saved" in done.stderr


def test_resolve_invents_what_is_missing_and_keeps_it(command: Command, home: Path, wire: WireServer) -> None:
    wire.script("fox", '{"values": ["red", "green"]}')
    words = ("resolve", "a __hue__ fox", "--selection", "cycle", "--count", "2")
    done = command(*words, "--generate-missing", **endpoint(wire))
    assert (done.returncode, done.stdout) == (0, "a red fox\na green fox\n")
    assert "2 of 20 values" in done.stderr
    assert command(*words).stdout == done.stdout
    wire.reset()
    command(*words, "--generate-missing", **endpoint(wire))
    assert wire.log == [], "the file is there"


def test_what_the_phrasebook_does_not_know_is_told(command: Command) -> None:
    done = command("variables", "fabric", "--count", "3", "--guidance", "only historical ones")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 3
    assert "has no match for “only historical ones”" in done.stderr
    done = command("enhance", "a fox", "--instruction", "quux frobnicate")
    assert "“quux frobnicate”" in done.stderr
    assert command("enhance", "a fox", "--instruction", "at night").stderr == ""


@needs_signals
@pytest.mark.parametrize("line", ["{ours} targets | head -1", "{ours} targets >&-", "{ours} setup <&-"])
def test_a_reader_who_has_enough(environment: dict[str, str], line: str) -> None:
    ours = shlex.join([sys.executable, str(ROOT)])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.format(ours=ours)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
def test_a_disk_that_is_full(environment: dict[str, str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, str(ROOT), "targets"],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr == b"The output cannot be used (No space left on device).\n"


@needs_signals
@pytest.mark.parametrize("name", ASKING)
def test_control_c_while_a_model_writes(
    environment: dict[str, str],
    wire: WireServer,
    name: str,
) -> None:
    interrupt(environment | endpoint(wire, "fox-hang"), ASKING[name], lambda: bool(wire.log))


@needs_signals
@pytest.mark.parametrize("name", ["models", "doctor"])
def test_control_c_while_servers_are_asked(environment: dict[str, str], name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.settimeout(0)
        called: list[socket.socket] = []

        def is_called() -> bool:
            with contextlib.suppress(BlockingIOError):
                called.append(deaf.accept()[0])
            return bool(called)

        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
        interrupt(environment | {"LLM_BASE_URL": address, "LLM_MODEL": "fox"}, (name,), is_called)
        for connection in called:
            connection.close()


def interrupt(environment: dict[str, str], words: tuple[str, ...], is_time: Callable[[], bool]) -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT), *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not is_time() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed, said) == (130, "", "Cancelled.\n")


@needs_signals
@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["control-c", "control-d"])
def test_a_question_that_is_left(environment: dict[str, str], key: bytes) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(ROOT), "setup"],
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=_own_terminal,
    )
    os.close(theirs)
    said = b""
    while b"1 to 5" not in said:
        said += os.read(ours, 4096)
    assert f"Files: {environment['QUILLWORK_HOME']} (QUILLWORK_HOME)".encode() in said
    with contextlib.suppress(OSError):  # the terminal is gone
        while True:
            # Python loses a Ctrl+C that falls between the writing of a question and the wait for its answer.
            os.write(ours, key)
            while select.select([ours], [], [], 20)[0]:
                said += os.read(ours, 4096)
    assert process.wait(60) == 130
    assert b"Cancelled." in said and b"Traceback" not in said
    os.close(ours)


def _own_terminal() -> None:
    """Have the keys of this terminal reach the process, as a shell arranges it."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.parametrize(
    "seed", ["abc", "1.5", str(2**64), "9" * 5000], ids=["word", "fraction", "large", "long"]
)
def test_a_seed_that_is_none_is_told_in_one_line(command: Command, seed: str) -> None:
    done = command("enhance", "a fox", "--mode", "phrasebook", "--seed", seed)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith(f"argument --seed: a seed is a whole number of at most {2**64 - 1}")
