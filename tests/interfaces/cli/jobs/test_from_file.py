"""Enhance and variables over a file, and the jobs that they leave."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from interfaces.cli.processes import Command, endpoint
from wire.server import WireServer

from quillwork.prompting.jobs.journal import Journal


def rows(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_each_line_has_its_row_and_a_failure_its_error(
    command: Command,
    wire: WireServer,
    tmp_path: Path,
) -> None:
    ideas = tmp_path / "ideas.txt"
    ideas.write_text("a fox\n\nan owl\na cat\n", "utf-8")
    out = tmp_path / "out.jsonl"
    wire.script(
        "fox", lambda body: "I cannot help with that." if "owl" in str(body["messages"][-1]) else "A red fox."
    )
    arguments = ("enhance", "--file", str(ideas), "--out", str(out), "--target", "plain")
    done = command(*arguments, **endpoint(wire))
    assert done.returncode == 3
    assert [(row["line"], row["idea"], row["prompt"]) for row in rows(out)] == [
        (0, "a fox", "A red fox."),
        (2, "an owl", None),
        (3, "a cat", "A red fox."),
    ]
    assert "declined" in str(rows(out)[1]["error"])
    assert "\n  line 3: " in done.stderr, "as an editor counts"
    assert set(rows(out)[0]) == {"line", "idea", "prompt", "negative", "error"}
    wire.reset()
    wire.script("fox", "An owl.")
    done = command(*arguments, "--json", **endpoint(wire))
    assert (done.returncode, json.loads(done.stdout)["calls"]) == (0, 1)
    assert [row["prompt"] for row in rows(out)] == ["A red fox.", "An owl.", "A red fox."]


def test_the_phrasebook_writes_a_csv(command: Command, tmp_path: Path) -> None:
    ideas = tmp_path / "ideas.csv"
    ideas.write_text("idea,variations\na fox in snow,2\nan owl,1\n", "utf-8")
    done = command("enhance", "--file", str(ideas), "--out", str(tmp_path / "out.csv"))
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()
    assert lines[0] == "line,idea,prompt,negative,error,warnings"
    assert [line.split(",")[0] for line in lines[1:]] == ["0", "0", "1"]


def test_each_line_may_have_its_length_format_language_and_references(
    command: Command, wire: WireServer, tmp_path: Path
) -> None:
    ideas = tmp_path / "ideas.jsonl"
    ideas.write_text(
        '{"idea": "a fox", "duration": 8, "aspect": "9:16", "reference_roles": ["style", "pose"]}\n'
        '{"idea": "an owl", "language": "fr", "reference_role": "subject: Ada"}\n',
        "utf-8",
    )
    out = tmp_path / "out.jsonl"
    arguments = ("enhance", "--file", str(ideas), "--out", str(out), "--target", "seedance_2")
    done = command(*arguments, "--duration", "5", **endpoint(wire))
    assert done.returncode == 0, done.stderr
    asked = [str(call.json["messages"]) for call in wire.log]
    fox, owl = (next(said for said in asked if idea in said) for idea in ("a fox", "an owl"))
    for said, pieces in (
        (fox, ("Length: 8 seconds", "9:16", "@Image1: the style", "@Image2: the pose")),
        (owl, ("Length: 5 seconds", "in French", "called “Ada”")),
    ):
        assert all(piece in said for piece in pieces), said
    ideas.write_text('{"idea": "a fox"}\n{"idea": "an owl", "aspect": "wide"}\n', "utf-8")
    done = command(*arguments, **endpoint(wire))
    assert done.returncode == 2
    assert 'Line 2: The aspect "wide" is not a ratio' in done.stderr
    ideas.write_text('{"idea": "a fox"}\n{"idea": "an owl", "target": "nosuch"}\n', "utf-8")
    done = command(*arguments, **endpoint(wire))
    assert done.returncode == 2
    assert 'Line 2: There is no target "nosuch"' in done.stderr


def test_values_for_each_name(command: Command, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("season\nanimal\n", "utf-8")
    out = tmp_path / "out.jsonl"
    done = command("variables", "--file", str(names), "--out", str(out), "--count", "4")
    assert done.returncode == 0, done.stderr
    assert [(row["name"], len(row["values"])) for row in rows(out)] == [("season", 4), ("animal", 4)]  # type: ignore[arg-type]


def test_what_is_wrong_with_one_line_ends_no_job(command: Command, tmp_path: Path) -> None:
    ideas, out = tmp_path / "ideas.txt", tmp_path / "out.jsonl"
    ideas.write_text("a fox\n!!!\nan owl\n", "utf-8")
    done = command("enhance", "--file", str(ideas), "--out", str(out))
    assert done.returncode == 3, done.stderr
    assert [bool(row["prompt"]) for row in rows(out)] == [True, False, True]
    assert "The prompt is empty." in str(rows(out)[1]["error"])
    names = tmp_path / "names.txt"
    names.write_text("season\nquantum flux capacitors\nfabric\n", "utf-8")
    done = command("variables", "--file", str(names), "--out", str(out), "--count", "3")
    assert done.returncode == 3, done.stderr
    assert [bool(row["values"]) for row in rows(out)] == [True, False, True]


def test_jobs_are_listed_shown_resumed_and_cleaned(
    command: Command,
    wire: WireServer,
    tmp_path: Path,
) -> None:
    ideas = tmp_path / "ideas.txt"
    ideas.write_text("a fox\nan owl\n", "utf-8")
    out = tmp_path / "out.jsonl"
    assert "no jobs" in command("jobs").stdout
    wire.script("fox", "I cannot help with that.")
    command("enhance", "--file", "ideas.txt", "--out", "out.jsonl", **endpoint(wire))
    (job,) = json.loads(command("jobs", "--json").stdout)["jobs"]
    assert (job["kind"], job["state"]) == ("enhance", "2 failed")
    assert "\n  line 1: " in command("jobs", "show", job["id"]).stderr
    assert "0 journals" in command("jobs", "clean").stdout
    wire.script("fox", "A red fox.")
    assert command("jobs", "resume", job["id"], **endpoint(wire)).returncode == 0
    assert [row["prompt"] for row in rows(out)] == ["A red fox."] * 2
    assert "1 journals" in command("jobs", "clean").stdout
    assert command("jobs", "show", "nothing").returncode == 2


def test_what_would_go_wrong_is_told_before_anything_is_sent(
    command: Command,
    wire: WireServer,
    tmp_path: Path,
) -> None:
    ideas = tmp_path / "ideas.csv"
    ideas.write_text("idea,target\na fox,plain\nan owl,nothere\n", "utf-8")
    done = command("enhance", "--file", "ideas.csv", "--out", "out.csv", **endpoint(wire))
    assert done.returncode == 2 and 'Row 3: There is no target "nothere"' in done.stderr
    ideas.write_text("idea\na fox\n", "utf-8")
    done = command("enhance", "--file", "ideas.csv", "--out", str(ideas), **endpoint(wire))
    assert done.returncode == 2 and "Name another file with --out" in done.stderr
    assert ideas.read_text("utf-8") == "idea\na fox\n"
    assert wire.calls() == []


def test_what_belongs_together_is_told(command: Command, tmp_path: Path) -> None:
    for arguments in (
        ("enhance",),
        ("enhance", "--file", "x.txt"),
        ("enhance", "a fox", "--out", "x.csv"),
        ("variables",),
    ):
        done = command(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "--file" in done.stderr and "usage:" not in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_preview_is_no_job_and_is_cleaned(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "home" / "jobs" / "caption-12345678.sqlite"
    with Journal(file) as journal:
        journal.remember("key", {"text": "a fox"})
    assert "no jobs" in command("jobs").stdout
    assert "1 journals" in command("jobs", "clean").stdout
    assert not file.exists()


def test_a_table_is_counted_in_rows(command: Command, wire: WireServer, tmp_path: Path) -> None:
    ideas = tmp_path / "ideas.csv"
    ideas.write_text("idea\na fox\nan owl\n", "utf-8")
    words = ("enhance", "--file", str(ideas), "--out", str(tmp_path / "out.csv"))
    done = command(*words, **endpoint(wire, "fox-status400"))
    assert "0 of 2 rows are written" in done.stdout, done.stderr
    assert "row 2: " in done.stderr and "row 3: " in done.stderr


def test_a_row_carries_the_warnings_of_its_own_prompt(
    command: Command, wire: WireServer, tmp_path: Path
) -> None:
    ideas = tmp_path / "ideas.jsonl"
    ideas.write_text(
        '{"idea": "a sign that says \\"OPEN\\"", "variations": 2}\n{"idea": "a cat on a sofa"}\n', "utf-8"
    )
    wire.script(
        "fox",
        lambda body: (
            "A grey cat sleeps on a sofa in soft light."
            if "cat" in str(body["messages"][-1])
            else "A wooden sign hangs above a door."
        ),
    )
    arguments = ("enhance", "--file", str(ideas), "--target", "plain", "--out")
    done = command(*arguments, str(tmp_path / "out.jsonl"), **endpoint(wire))
    assert done.returncode == 0, done.stderr
    assert "2 of 2 lines are written" in done.stdout and "(1 with warnings)" in done.stdout
    *signs, cat = rows(tmp_path / "out.jsonl")
    assert "warnings" not in cat
    assert [len(row["warnings"]) for row in signs] == [1, 1]
    assert all("OPEN" in str(row["warnings"]) for row in signs)
    assert command(*arguments, str(tmp_path / "out.csv"), **endpoint(wire)).returncode == 0
    table = list(csv.DictReader((tmp_path / "out.csv").open(encoding="utf-8-sig", newline="")))
    assert [bool(row["warnings"]) for row in table] == [True, True, False]
