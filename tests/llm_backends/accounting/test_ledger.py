"""The ledger: totals of calls by caller and model; the day's part outlives the program."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from quillwork.llm_backends.accounting import day_file, usage_totals
from quillwork.llm_backends.accounting.ledger import Ledger
from quillwork.llm_backends.accounting.usage_totals import MOST_ROWS, OTHERS, CallRecord
from quillwork.llm_backends.system import file_lock

ROOT = Path(__file__).resolve().parents[3]
FOX = CallRecord("enhance #3", "litellm", "openai", "fox", 1, 10, 5, False, 0.25, 0.5)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "new" / "usage.json"


def row(table: list[dict], name: str) -> dict:
    (found,) = [one for one in table if one["name"] == name]
    return found


def test_a_call_is_told_by_model_and_by_caller():
    ledger = Ledger()
    ledger.add(FOX)
    ledger.add(CallRecord("cli enhance", "litellm", "openai", "fox", 2, 30, 7, True, 0.5, 1.0))
    ledger.add(CallRecord("cli enhance", "gguf", "gguf", "owl", 1, 3, 4, False, 0.0, 2.0))
    session = ledger.summary()["session"]
    assert session["total"] == {
        "calls": 3,
        "failed": 0,
        "cached": 0,
        "attempts": 4,
        "prompt_tokens": 43,
        "completion_tokens": 16,
        "estimated": 1,
        "cost_usd": 0.75,
        "unpriced": 0,
        "seconds": 3.5,
    }
    assert [one["name"] for one in session["models"]] == ["openai/fox", "gguf/owl"]
    assert row(session["models"], "openai/fox")["calls"] == 2
    assert row(session["callers"], "cli enhance")["cost_usd"] == 0.5
    assert ledger.session_cost() == 0.75


def test_an_unknown_cost_is_no_zero():
    ledger = Ledger()
    ledger.add(CallRecord("a", "litellm", "endpoint", "owl", 1, 3, 4))
    total = ledger.summary()["session"]["total"]
    assert (total["cost_usd"], total["unpriced"]) == (None, 1)
    ledger.add(FOX)
    total = ledger.summary()["session"]["total"]
    assert (total["cost_usd"], total["unpriced"]) == (0.25, 1)


def test_free_is_zero():
    ledger = Ledger()
    ledger.add(CallRecord("a", "gguf", "gguf", "owl", cost_usd=0.0))
    assert ledger.summary()["session"]["total"]["cost_usd"] == 0


def test_kept_answers_are_counted_apart():
    ledger = Ledger()
    ledger.add(CallRecord("a", "litellm", "openai", "fox", 0, 10, 5, cost_usd=0.0, cached=True))
    total = ledger.summary()["session"]["total"]
    assert (total["calls"], total["cached"], total["prompt_tokens"], total["cost_usd"]) == (0, 1, 0, 0)


def test_failed_calls_are_calls():
    ledger = Ledger()
    ledger.add(CallRecord("a", "litellm", "openai", "fox", 3, error="timeout", cost_usd=0.0))
    total = ledger.summary()["session"]["total"]
    assert (total["calls"], total["failed"], total["attempts"]) == (1, 1, 3)


def test_tables_are_bounded_and_lose_nothing():
    ledger = Ledger()
    for number in range(MOST_ROWS + 50):
        ledger.add(CallRecord(f"node {number}", "litellm", "openai", "m" * 10_000, cost_usd=1.0))
    session = ledger.summary()["session"]
    assert len(session["callers"]) == MOST_ROWS + 1
    assert row(session["callers"], OTHERS)["calls"] == 50
    assert (
        sum(one["cost_usd"] for one in session["callers"]) == session["total"]["cost_usd"] == MOST_ROWS + 50
    )
    assert len(session["models"][0]["name"]) == usage_totals._LONGEST_NAME


def test_many_threads_at_once(file):
    ledger = Ledger()
    threads = [threading.Thread(target=lambda: [ledger.add(FOX, file) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        ledger.flush()
    ledger.flush()
    assert ledger.summary()["session"]["total"]["calls"] == 1600
    assert Ledger().summary(file)["today"]["total"]["calls"] == 1600


def test_the_day_outlives_the_program_and_the_session_does_not(file):
    first = Ledger()
    first.add(FOX, file)
    assert first.summary(file)["today"]["total"]["calls"] == 1  # before it is written, too
    first.flush()
    again = Ledger()
    summary = again.summary(file)
    assert summary["today"]["total"]["cost_usd"] == again.day_cost(file) == 0.25
    assert row(summary["today"]["callers"], "enhance #3")["calls"] == 1
    assert summary["session"]["total"]["calls"] == 0
    assert again.summary()["today"] is None


def test_it_is_written_by_itself_a_moment_later(file, monkeypatch):
    monkeypatch.setattr(day_file, "WRITE_AFTER_S", 0.01)
    written = threading.Event()
    real = day_file.DayFile.flush
    monkeypatch.setattr(day_file.DayFile, "flush", lambda self: (real(self), written.set()))
    ledger = Ledger()
    ledger.add(FOX, file)
    assert written.wait(15)
    assert json.loads(file.read_text())["total"]["calls"] == 1


def test_the_file_is_the_users_own_and_has_no_content(file):
    ledger = Ledger()
    ledger.add(FOX, file)
    ledger.flush()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(json.loads(file.read_text())) == {"date", "total", "models", "callers", "logs"}


def test_yesterdays_page_is_turned(file):
    day = "2026-01-01"
    ledger = Ledger(lambda: day)
    ledger.add(FOX, file)
    ledger.flush()
    assert ledger.day_cost(file) == 0.25
    day = "2026-01-02"
    summary = ledger.summary(file)
    assert (summary["today"]["date"], summary["today"]["total"]["calls"]) == (day, 0)
    assert ledger.day_cost(file) == 0
    ledger.add(FOX, file)
    ledger.flush()
    assert json.loads(file.read_text())["total"]["calls"] == 1
    assert summary["session"]["total"]["calls"] == 1


def test_two_programs_add_up(file):
    one, other = Ledger(), Ledger()
    for ledger in (one, other, one):
        ledger.add(FOX, file)
        ledger.flush()
    assert one.day_cost(file) == other.day_cost(file) == 0.75


PROGRAM = """
import importlib.util, sys
root, file = sys.argv[1:]
spec = importlib.util.spec_from_file_location(
    "quillwork", root + "/package.py", submodule_search_locations=[root])
sys.modules["quillwork"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from pathlib import Path
from quillwork.llm_backends.accounting.ledger import ledger
from quillwork.llm_backends.accounting.usage_totals import CallRecord
for _ in range(50):
    ledger.add(CallRecord("a", "litellm", "openai", "fox", cost_usd=1.0), Path(file))
    if _ % 10 == 0:
        ledger.flush()
"""


def test_programs_that_write_at_the_same_time_lose_nothing(file):
    """Totals not yet written are written when the program ends."""
    programs = [subprocess.Popen([sys.executable, "-c", PROGRAM, str(ROOT), str(file)]) for _ in range(3)]
    assert [program.wait(60) for program in programs] == [0, 0, 0]
    assert Ledger().summary(file)["today"]["total"]["calls"] == 150
    assert sorted(path.name for path in file.parent.iterdir()) == ["usage.json", "usage.lock"]


NOTED = (
    PROGRAM.split("for _ in")[0]
    + """
import os
for _ in range(3):
    ledger.add(CallRecord("a", "litellm", "openai", "fox", cost_usd=1.0), Path(file))
os._exit(9)
"""
)
KILLED = (
    PROGRAM.split("for _ in")[0]
    + """
import os
while True:
    ledger.add(CallRecord("a", "litellm", "openai", "fox", cost_usd=1.0), Path(file))
    os.write(1, b".")
"""
)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_call_that_is_noted_survives_a_kill(file):
    """Three times in a row, beside a program that lives on. One call at a time may be noted and not told."""
    alive, told = Ledger(), 0
    for calls in (1, 200, 500):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(ROOT), str(file)], stdout=subprocess.PIPE
        ) as program:
            before_the_kill = program.stdout.read(calls)
            program.send_signal(signal.SIGKILL)
            told += len(before_the_kill + program.stdout.read())
        alive.add(FOX, file)
        alive.flush()
    assert told + 3 <= Ledger().summary(file)["today"]["total"]["calls"] <= told + 6
    assert sorted(path.name for path in file.parent.iterdir()) == ["usage.json", "usage.lock"]


def test_what_a_killed_program_had_noted_is_seen_by_the_next_at_once(file):
    program = subprocess.run([sys.executable, "-c", NOTED, str(ROOT), str(file)], check=False)
    assert program.returncode == 9
    assert not file.exists()
    assert Ledger().day_cost(file) == 3.0
    assert Ledger().day_cost(file) == 3.0


def test_a_kill_between_the_totals_and_the_log_counts_nothing_twice(file):
    ledger = Ledger()
    ledger.add(FOX, file)
    (log,) = file.parent.glob("*.calls")
    content = log.read_bytes()
    ledger.flush()
    log.write_bytes(content)  # as if it had not been removed
    ledger.add(FOX, file)
    ledger.flush()
    assert Ledger().day_cost(file) == 0.5
    assert not log.exists()


def test_a_log_that_is_cut_off_broken_or_of_yesterday_spoils_nothing(file):
    file.parent.mkdir()
    whole = b'\n["a", "litellm", "openai", "fox", 1, 10, 5, false, 0.25, 0.5, false, ""]'
    (file.parent / "usage.2026-01-01.cut.calls").write_bytes(whole + b'\n["a", "lite' + whole)
    (file.parent / "usage.2026-01-01.odd.calls").write_bytes(b"\n3\n[]\n\xff\xfe\n" + b"\0" * 50 + whole)
    (file.parent / "usage.2025-12-31.old.calls").write_bytes(whole)
    assert Ledger(lambda: "2026-01-01").day_cost(file) == 0.75
    assert not list(file.parent.glob("*.calls"))


def test_while_another_program_writes_ours_waits(file):
    file.parent.mkdir()
    ledger = Ledger()
    ledger.add(FOX, file)
    writing = threading.Thread(target=ledger.flush)
    with file.with_suffix(".lock").open("wb") as stream:
        file_lock.lock(stream)
        writing.start()
        writing.join(0.3)
        assert writing.is_alive()
        assert not file.exists()
        assert ledger.day_cost(file) == 0.25
    writing.join(15)
    assert Ledger().day_cost(file) == 0.25


def test_one_that_writes_for_ever_is_not_waited_for(file, monkeypatch, caplog):
    monkeypatch.setattr(day_file, "_PATIENCE_S", 0.05)
    file.parent.mkdir()
    ledger = Ledger()
    ledger.add(FOX, file)
    with file.with_suffix(".lock").open("wb") as stream:
        file_lock.lock(stream)
        ledger.flush()
    assert "cannot be written" in caplog.text
    ledger.add(FOX, file)
    ledger.flush()
    assert Ledger().day_cost(file) == 0.5


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"date": "2026-01-01"}',
    b'{"date": "2026-01-01", "total": {"calls": -1}, "models": {}, "callers": {}}',
    b'{"date": "2026-01-01", "total": {"calls": "1"}, "models": {}, "callers": {}}',
    b'{"date": "2026-01-01", "total": {"cost_usd": NaN}, "models": {}, "callers": {}}',
    b'{"date": "2026-01-01", "total": {}, "models": [], "callers": {}}',
    b'{"date": "2026-01-01", "total": {}, "models": {"a": 3}, "callers": {}}',
]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_begun_anew(file, content):
    file.parent.mkdir()
    file.write_bytes(content)
    ledger = Ledger(lambda: "2026-01-01")
    assert ledger.day_cost(file) == 0
    ledger.add(FOX, file)
    ledger.flush()
    assert Ledger(lambda: "2026-01-01").day_cost(file) == 0.25


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path, caplog):
    (tmp_path / "blocked").write_text("")
    file = tmp_path / "blocked" / "usage.json"
    ledger = Ledger()
    for _ in range(2):
        ledger.add(FOX, file)
        ledger.flush()
    assert ledger.day_cost(file) == 0.5
    assert caplog.text.count("cannot be written") == 1
