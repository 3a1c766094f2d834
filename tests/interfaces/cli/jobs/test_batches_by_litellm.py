"""Jobs that may wait: batches of three providers in their own formats, killed and resumed, at half the price.

The bodies are litellm's own, so the lanes of its oldest and newest release run these as well.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from interfaces.cli.processes import KEY, ROOT, endpoint
from wire.batch_formats import Batch
from wire.server import WireServer

from quillwork.interfaces.cli import place
from quillwork.interfaces.cli.main import main
from quillwork.llm_backends.remote.batches.anthropic_batches import AnthropicBatches
from quillwork.llm_backends.remote.batches.openai_batches import OpenAIBatches

pytest.importorskip("litellm")

MODELS = {
    "openai": "openai/gpt-5-mini",
    "anthropic": "anthropic/claude-haiku-4-5",
    "gemini": "gemini/gemini-2.5-flash",
}
ORDINARY = ("/chat/completions", "/v1/messages", ":streamGenerateContent")
everywhere = pytest.mark.parametrize("provider", MODELS)


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def command(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Return a function that runs a command in this process, where litellm is imported once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(place, "settle_in", lambda chosen: None)

    def run(*arguments: str, **variables: str) -> Done:
        capsys.readouterr()
        with monkeypatch.context() as changed:
            for name, text in variables.items():
                changed.setenv(name, text)
            try:
                code = main(arguments)
            except SystemExit as end:  # argparse
                code = int(end.code or 0)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


@pytest.fixture
def ideas(tmp_path: Path) -> Path:
    file = tmp_path / "ideas.txt"
    file.write_text("a fox\nan owl\na cat\n", "utf-8")
    return file


def setup(wire: WireServer, provider: str) -> dict[str, str]:
    paths = {"openai": "/v1", "anthropic": "", "gemini": "/v1beta"}
    name = provider.upper()
    return {
        f"{name}_API_KEY": KEY,
        f"{name}_API_BASE": wire.url + paths[provider],
        "LLM_MODEL": MODELS[provider],
    }


def job(tmp_path: Path, *more: str) -> tuple[str, ...]:
    files = ("--file", str(tmp_path / "ideas.txt"), "--out", str(tmp_path / "out.jsonl"))
    return ("enhance", *files, "--target", "plain", "--json", *more)


def rows(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]


def spent(command: Command) -> float:
    """Return what stands in the day's ledger."""
    today = json.loads(command("usage", "--json").stdout)["today"]
    return float(today["total"]["cost_usd"])


def ordinary(wire: WireServer) -> list[str]:
    return [call.path for call in wire.calls() if call.path.endswith(ORDINARY)]


def by_idea(body: dict[str, Any]) -> str:
    """Answer with the animal that was asked for."""
    asked = re.search(r'an? (fox|owl|cat)"', json.dumps(body))
    assert asked is not None
    return f"A red {asked[1]}."


@pytest.fixture
def begin(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that begins a command, which is killed in the end."""
    begun: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(ROOT), *arguments],
            env={**environment, **variables},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def wait_until(is_so: Callable[[], bool], within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


@everywhere
def test_the_answers_stand_in_order_and_cost_half(
    command: Command, wire: WireServer, ideas: Path, tmp_path: Path, provider: str
) -> None:
    wire.script("*", by_idea)
    wire.batches.no_keys = True
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, provider))
    assert done.returncode == 0, done.stderr
    assert [row["prompt"] for row in rows(tmp_path)] == ["A red fox.", "A red owl.", "A red cat."]
    assert "3 questions at half the price, for at most $0.0" in done.stderr
    assert "within 24 hours" in done.stderr
    assert ordinary(wire) == [] and len(wire.batches.made) == 1
    # What lies in an account is cleared away.
    assert [name for name in wire.batches.files if name.startswith("file")] == []
    cheap = json.loads(done.stdout)
    assert spent(command) == pytest.approx(cheap["cost_usd"], rel=1e-3) and cheap["calls"] == 3
    at_once = json.loads(command(*job(tmp_path, "--seed", "1"), **setup(wire, provider)).stdout)
    assert cheap["cost_usd"] == pytest.approx(at_once["cost_usd"] / 2) and cheap["cost_usd"] > 0
    assert len(ordinary(wire)) == 3


def test_killed_while_it_waits_it_submits_nothing_again(
    command: Command,
    begin: Callable[..., subprocess.Popen[str]],
    wire: WireServer,
    ideas: Path,
    tmp_path: Path,
) -> None:
    provider = "anthropic"
    wire.batches.looks = 10**6
    first = begin(*job(tmp_path, "--when-cheap"), **setup(wire, provider))
    wait_until(lambda: any(batch.looks for batch in wire.batches.made.values()))
    first.kill()
    first.communicate()
    (listed,) = json.loads(command("jobs", "--json").stdout)["jobs"]
    assert listed["state"] == "waiting for 3 answers"
    shown = command("jobs", "show", listed["id"]).stdout
    assert f"Batch {next(iter(wire.batches.made))}: " in shown and "0 of 3 answered" in shown
    # At once it would be paid for twice.
    refused = command(*job(tmp_path), **setup(wire, provider))
    assert refused.returncode == 2 and "Add --when-cheap" in refused.stderr
    assert "0 journals" in command("jobs", "clean").stdout
    wire.batches.looks = 1
    done = command("jobs", "resume", listed["id"], **setup(wire, provider))
    assert done.returncode == 0, done.stderr
    assert [row["prompt"] for row in rows(tmp_path)] == ["a red fox in fresh snow"] * 3
    assert len(wire.batches.made) == 1 and ordinary(wire) == []


@everywhere
def test_killed_while_it_submits_it_finds_its_batch_again(
    command: Command,
    begin: Callable[..., subprocess.Popen[str]],
    wire: WireServer,
    ideas: Path,
    tmp_path: Path,
    provider: str,
) -> None:
    wire.batches.hangs = True
    first = begin(*job(tmp_path, "--when-cheap"), **setup(wire, provider))
    wait_until(lambda: bool(wire.batches.made))
    first.kill()
    first.communicate()
    wire.batches.hangs = False
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, provider))
    assert done.returncode == 0, done.stderr
    assert len(rows(tmp_path)) == 3 and len(wire.batches.made) == 1


@pytest.mark.parametrize("have_ended", [True, False])
def test_a_batch_of_somebody_else_is_not_taken_for_a_nameless_one(
    have_ended: bool,
    command: Command,
    begin: Callable[..., subprocess.Popen[str]],
    wire: WireServer,
    ideas: Path,
    tmp_path: Path,
) -> None:
    wire.batches.hangs = True
    first = begin(*job(tmp_path, "--when-cheap"), **setup(wire, "anthropic"))
    wait_until(lambda: bool(wire.batches.made))
    first.kill()
    first.communicate()
    wire.batches.hangs = False
    (ours,) = wire.batches.made.values()
    theirs = {f"theirs-{number}": asked for number, asked in enumerate(ours.asked.values())}
    # The later one, of the same size. Where neither has ended it is the one that is waited for.
    wire.batches.made["msgbatch_9"] = Batch("msgbatch_9", "", theirs, looks=int(have_ended))
    ours.looks = int(have_ended)
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, "anthropic"))
    assert done.returncode == 0, done.stderr
    assert [row["error"] for row in rows(tmp_path)] == [None] * 3 and len(wire.batches.made) == 2


def test_a_submission_that_came_to_nothing_is_made_again(
    command: Command,
    begin: Callable[..., subprocess.Popen[str]],
    wire: WireServer,
    ideas: Path,
    tmp_path: Path,
) -> None:
    wire.batches.hangs = True
    first = begin(*job(tmp_path, "--when-cheap"), **setup(wire, "gemini"))
    wait_until(lambda: bool(wire.batches.made))
    first.kill()
    first.communicate()
    wire.batches.hangs = False
    wire.batches.made.clear()
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, "gemini"))
    assert done.returncode == 0, done.stderr
    assert "The submission of 3 questions was cut off" in done.stderr
    assert len(rows(tmp_path)) == 3 and len(wire.batches.made) == 1


@everywhere
def test_a_line_that_failed_is_told_and_alone_asked_again(
    command: Command, wire: WireServer, ideas: Path, tmp_path: Path, provider: str
) -> None:
    body = {"error": {"type": "invalid_request_error", "message": "No owls.", "code": 400}}
    model = MODELS[provider].partition("/")[2]
    wire.refuse(model, lambda asked: (400, body) if "an owl" in json.dumps(asked) else None)
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, provider))
    assert done.returncode == 3, done.stderr
    assert [row["prompt"] is None for row in rows(tmp_path)] == [False, True, False]
    assert "No owls" in str(rows(tmp_path)[1]["error"]) and "line 1" not in done.stdout
    wire.refuse(model, lambda asked: None)
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, provider))
    assert done.returncode == 0, done.stderr
    assert [len(batch.asked) for batch in wire.batches.made.values()] == [3, 1]
    assert [row["prompt"] for row in rows(tmp_path)] == ["a red fox in fresh snow"] * 3


@pytest.mark.parametrize(
    ("provider", "end"),
    # Those of Anthropic do not fail as a whole.
    [*((provider, "expired") for provider in MODELS), ("openai", "failed"), ("gemini", "failed")],
)
def test_a_batch_that_came_to_nothing_is_made_again(
    command: Command, wire: WireServer, ideas: Path, tmp_path: Path, provider: str, end: str
) -> None:
    wire.batches.end = end
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, provider))
    assert done.returncode == 3, done.stderr
    # Google keeps nothing of a batch that has expired.
    left = 2 if end == "expired" and provider != "gemini" else 3
    assert len(json.loads(done.stdout)["failed"]) == left
    said = str(rows(tmp_path)[-1]["error"])
    assert "has not carried this out in the batch" in said
    assert ("Too many tokens waiting." in said) == ((provider, end) == ("openai", "failed"))
    wire.batches.end = "completed"
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, provider))
    assert done.returncode == 0, done.stderr
    assert [len(batch.asked) for batch in wire.batches.made.values()] == [3, left]


def test_a_batch_that_nobody_knows_any_more_is_made_again(
    command: Command, wire: WireServer, ideas: Path, tmp_path: Path
) -> None:
    wire.batches.refusals = [(401, {})]
    assert command(*job(tmp_path, "--when-cheap"), **setup(wire, "gemini")).returncode == 3
    wire.batches.made.clear()
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, "gemini"))
    assert done.returncode == 3 and "has no such batch any more" in str(rows(tmp_path)[0]["error"])
    assert command(*job(tmp_path, "--when-cheap"), **setup(wire, "gemini")).returncode == 0


def test_who_offers_nothing_is_told_before_anything_is_sent(
    command: Command, wire: WireServer, ideas: Path, tmp_path: Path
) -> None:
    groq = {"GROQ_API_KEY": KEY, "GROQ_API_BASE": f"{wire.url}/openai/v1", "LLM_MODEL": "groq/fox"}
    for variables in (groq, endpoint(wire), {"LLM_MODE": "phrasebook"}):
        done = command(*job(tmp_path, "--when-cheap"), **variables)
        assert (done.returncode, done.stdout) == (2, "")
        assert "takes no batches" in done.stderr and "OpenAI, Anthropic or Google Gemini" in done.stderr
    done = command(*job(tmp_path, "--flex"), **setup(wire, "anthropic"))
    assert done.returncode == 2 and "Use --when-cheap" in done.stderr
    gemini = {"GEMINI_API_KEY": KEY, "LLM_MODEL": MODELS["gemini"], "LLM_TRANSPORT": "direct"}
    done = command(*job(tmp_path, "--when-cheap"), **gemini)
    assert done.returncode == 2 and "Batches of Google Gemini need the package litellm." in done.stderr
    assert "no jobs" in command("jobs").stdout
    assert wire.log == []
    assert command("enhance", "a fox", "--when-cheap").returncode == 2


@pytest.mark.skipif(os.name == "nt", reason="Ctrl+C cannot be sent to one process there")
def test_stopped_it_says_how_to_fetch(
    command: Command,
    begin: Callable[..., subprocess.Popen[str]],
    wire: WireServer,
    ideas: Path,
    tmp_path: Path,
) -> None:
    wire.batches.looks = 10**6
    first = begin(*job(tmp_path, "--when-cheap"), **setup(wire, "openai"))
    wait_until(lambda: any(batch.looks for batch in wire.batches.made.values()))
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 130
    assert "jobs resume enhance-" in said and "The batch goes on at OpenAI" in said
    assert "Traceback" not in said and "Cancelled" not in said


def test_a_provider_that_wants_to_be_left_alone_is(
    command: Command, wire: WireServer, ideas: Path, tmp_path: Path
) -> None:
    wire.batches.refusals = [(429, {"Retry-After": "3"}), (503, {})]
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, "openai"))
    assert done.returncode == 0, done.stderr
    looks = [entry.at for entry in wire.log if entry.path.startswith("/v1/batches/")]
    assert looks[1] - looks[0] >= 3.0


def test_a_refused_key_ends_it_at_once_and_leaves_nothing(
    command: Command, wire: WireServer, ideas: Path, tmp_path: Path
) -> None:
    wire.require_key = "another"
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, "openai"))
    assert done.returncode == 3 and done.stderr.count("rejected the key (401") == 1
    wire.require_key = None
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, "openai"))
    assert (done.returncode, len(wire.batches.made)) == (0, 1)
    assert "cut off" not in done.stderr


def test_a_budget_that_ends_in_the_middle_leaves_the_rest(
    command: Command, wire: WireServer, ideas: Path, tmp_path: Path
) -> None:
    # A question may cost some $0.0103 at half the price.
    limited = {**setup(wire, "openai"), "LLM_BUDGET_DAY": "0.025"}
    done = command(*job(tmp_path, "--when-cheap"), **limited)
    assert done.returncode == 3 and "LLM_BUDGET_DAY" in done.stderr
    assert [row["line"] for row in rows(tmp_path)] == [0, 1]
    assert command(*job(tmp_path, "--when-cheap"), **setup(wire, "openai")).returncode == 0
    assert [len(batch.asked) for batch in wire.batches.made.values()] == [2, 1]
    assert len(rows(tmp_path)) == 3


def test_a_budget_counts_the_batch_of_a_killed_run_too(
    command: Command,
    begin: Callable[..., subprocess.Popen[str]],
    wire: WireServer,
    ideas: Path,
    tmp_path: Path,
) -> None:
    limited = {**setup(wire, "openai"), "LLM_BUDGET_DAY": "0.025"}
    looks, wire.batches.looks = wire.batches.looks, 99
    first = begin(*job(tmp_path, "--when-cheap"), **limited)
    wait_until(lambda: any(batch.looks for batch in wire.batches.made.values()))
    first.kill()
    first.communicate()
    wire.batches.looks = looks
    done = command(*job(tmp_path, "--when-cheap"), **limited)
    # The third would fit if the two that wait were not counted.
    assert done.returncode == 3 and "LLM_BUDGET_DAY" in done.stderr
    assert [len(batch.asked) for batch in wire.batches.made.values()] == [2]
    assert [row["line"] for row in rows(tmp_path)] == [0, 1]


def test_what_is_too_much_for_one_batch_makes_several(
    command: Command, wire: WireServer, ideas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAIBatches, "most_requests", 2)
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, "openai"))
    assert done.returncode == 0, done.stderr
    monkeypatch.setattr(AnthropicBatches, "most_bytes", 100)
    done = command(*job(tmp_path, "--when-cheap"), **setup(wire, "anthropic"))
    assert done.returncode == 0, done.stderr
    assert [len(batch.asked) for batch in wire.batches.made.values()] == [2, 1, 1, 1, 1]


def test_equal_lines_are_asked_once_and_each_variation_for_itself(
    command: Command, wire: WireServer, tmp_path: Path
) -> None:
    (tmp_path / "ideas.txt").write_text("a fox\na fox\nan owl\n", "utf-8")
    done = command(*job(tmp_path, "--variations", "2", "--when-cheap"), **setup(wire, "openai"))
    assert done.returncode == 0, done.stderr
    (batch,) = wire.batches.made.values()
    assert len(batch.asked) == 4 and len(rows(tmp_path)) == 6


def test_what_a_first_answer_lacks_is_asked_for_at_once(
    command: Command, wire: WireServer, tmp_path: Path
) -> None:
    (tmp_path / "names.txt").write_text("season\n", "utf-8")
    values = iter(('{"values": ["spring", "summer"]}', '{"values": ["autumn", "winter"]}'))
    wire.script("gpt-5-mini", lambda body: next(values))
    arguments = ("variables", "--file", "names.txt", "--out", "out.jsonl", "--count", "4", "--when-cheap")
    done = command(*arguments, **setup(wire, "openai"))
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path)[0]["values"] == ["spring", "summer", "autumn", "winter"]
    assert (len(wire.batches.made), len(ordinary(wire))) == (1, 1)
    # Half of one call, and all of the other.
    price = (11 * 0.25 + 7 * 2.0) / 1_000_000
    assert spent(command) == pytest.approx(1.5 * price, rel=1e-3)


def test_captions_come_in_a_batch(command: Command, wire: WireServer, tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    from PIL import Image

    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(4):
        Image.new("RGB", (64, 48), (40 * number, 20, 20)).save(folder / f"img{number}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8nothing")
    done = command("caption", str(folder), "--yes", "--when-cheap", "--json", **setup(wire, "openai"))
    report = json.loads(done.stdout)
    assert (report["written"], [one["file"] for one in report["failed"]]) == (4, ["broken.jpg"])
    assert (folder / "img3.txt").read_text("utf-8") == "a red fox in fresh snow\n"
    (batch,) = wire.batches.made.values()
    assert len(batch.asked) == 4 and ordinary(wire) == []
    assert "data:image/" in json.dumps(next(iter(batch.asked.values())).body)


@pytest.mark.parametrize("provider", ["openai", "gemini"])
def test_the_slower_tier_costs_half(
    command: Command, wire: WireServer, ideas: Path, tmp_path: Path, provider: str
) -> None:
    done = command(*job(tmp_path, "--flex"), **setup(wire, provider))
    if done.returncode == 2:
        assert provider == "gemini" and "does not ask" in done.stderr and wire.log == []
        pytest.skip("this litellm does not know Gemini's tier")
    assert done.returncode == 0, done.stderr
    tiers = [call.json.get("service_tier") or call.json.get("serviceTier") for call in wire.calls()]
    assert tiers == ["flex"] * 3
    price = {"openai": (0.25, 2.0), "gemini": (0.3, 2.5)}[provider]
    cost = 3 * (11 * price[0] + 7 * price[1]) / 1_000_000 / 2
    assert json.loads(done.stdout)["cost_usd"] == pytest.approx(cost)
