"""Kept answers: whole ones, under a key of all that shapes them, in a file of the user's own."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from endpoints import answer, ask_all, endpoint, failure, picky, question, raw_server
from wire.answers import Answer

from quillwork.llm_backends.middleware import cache
from quillwork.llm_backends.types import Image, Message, Request, Secret, Tool, ToolCall

KEY = "sk-planted-0123456789abcdef"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "new" / "answers.sqlite"


def rows(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT answer FROM answers")]


def test_the_second_time_nothing_is_sent(wire, file):
    deployment = endpoint(wire.url, cache_file=file)
    first, second = answer(deployment), answer(deployment)
    assert len(wire.calls()) == 1
    assert (first.cached, second.cached, second.attempts) == (False, True, 0)
    assert (second.text, second.model, second.finish_reason) == (first.text, first.model, first.finish_reason)
    assert second.usage.cost_usd == 0
    assert second.usage.prompt_tokens == first.usage.prompt_tokens


def test_without_a_file_nothing_is_kept(wire):
    for _ in range(2):
        answer(endpoint(wire.url))
    assert len(wire.calls()) == 2


def test_the_file_is_the_users_own(wire, file):
    answer(endpoint(wire.url, cache_file=file, api_key=Secret(KEY)))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for kept in file.parent.iterdir():
        assert KEY.encode() not in kept.read_bytes()


BASE = Request((Message("user", "a fox"),))
SHAPES = {
    "text": Request((Message("user", "an owl"),)),
    "role": Request((Message("system", "a fox"),)),
    "image": Request((Message("user", "a fox", images=(Image("image/png", b"1"),)),)),
    "other image": Request((Message("user", "a fox", images=(Image("image/png", b"2"),)),)),
    "more messages": Request((Message("user", "a fox"), Message("user", "a fox"))),
    "tool answer": Request((Message("tool", "a fox", tool_call_id="c"),)),
    "tool call": Request((Message("user", "a fox", tool_calls=(ToolCall("c", "n", "{}"),)),)),
    "temperature": replace(BASE, temperature=0.0),
    "top_p": replace(BASE, top_p=0.0),
    "max_tokens": replace(BASE, max_tokens=5),
    "seed": replace(BASE, seed=0),
    "other seed": replace(BASE, seed=1),
    "reasoning": replace(BASE, reasoning="off"),
    "schema": replace(BASE, schema={"type": "object"}),
    "tools": replace(BASE, tools=(Tool("n", "d", {}),)),
    "tool_choice": replace(BASE, tool_choice="auto"),
    "extra": replace(BASE, extra={"top_k": 1}),
}


def test_all_that_shapes_an_answer_is_in_the_key():
    here = endpoint("http://h")
    keys = {cache.key_of(request, here) for request in (BASE, *SHAPES.values())}
    keys |= {
        cache.key_of(BASE, replace(here, **change))
        for change in (
            {"model": "owl"},
            {"base_url": "http://i/v1"},
            {"provider": "other"},
            {"backend": "other"},
            {"params": {"api_version": "2"}},
        )
    }
    assert len(keys) == 1 + len(SHAPES) + 5


def test_what_shapes_nothing_is_not():
    here = endpoint("http://h")
    same = [
        replace(here, api_key=Secret(KEY)),
        replace(here, params={"aws_secret": Secret(KEY)}),
        replace(here, idle_timeout_s=1, retries=7, max_concurrency=2),
    ]
    assert {cache.key_of(BASE, one) for one in (here, *same)} == {cache.key_of(BASE, here)}
    assert cache.key_of(replace(BASE, task=object()), here) == cache.key_of(BASE, here)


@pytest.mark.parametrize("word", ["length", "status500", "empty", "cut", "filtered"])
def test_what_is_not_whole_is_not_kept(wire, file, word):
    deployment = endpoint(wire.url, f"fox-{word}", cache_file=file)
    for _ in range(2):
        ask_all(deployment)
    assert len(wire.calls()) == 2


def test_a_fallbacks_answer_is_kept_under_its_own_name(wire, file):
    other = endpoint(wire.url, "owl", cache_file=file)
    deployment = endpoint(wire.url, "fox-fail503x1", cache_file=file, fallbacks=(other,))
    assert answer(deployment).model == "owl"
    assert answer(deployment).model == "fox-fail503x1"
    assert answer(deployment).cached
    kept = answer(other)
    assert (kept.model, kept.cached, kept.by_fallback) == ("owl", True, False)


def test_a_warned_answer_is_kept_with_its_warnings(file):
    """A parameter refused once is refused the next time: the answer is as good."""
    serve, bodies = picky({"seed"})
    asked = question("a fox", seed=1)
    with raw_server(serve) as port:
        first, second = (
            answer(endpoint(f"http://127.0.0.1:{port}", cache_file=file), asked) for _ in range(2)
        )
    assert len(bodies) == 2
    assert (first.cached, second.cached) == (False, True)
    assert first.warnings == second.warnings == ("Fox (fox) does not support seed, so it was left out.",)


def test_thinking_and_giant_answers_are_not_kept(wire, file):
    wire.script("fox-think", Answer(pieces=["a fox"], reasoning=[f"hmm {n} " for n in range(15_000)]))
    wire.script("owl", Answer(pieces=[" ".join(map(str, range(60_000)))]))
    for model in ("fox-think", "owl"):
        answer(endpoint(wire.url, model, cache_file=file))
    (kept,) = rows(file)
    assert len(kept) < 1000
    assert "hmm" not in kept


def test_the_file_stays_small(wire, file, monkeypatch):
    monkeypatch.setattr(cache, "MOST_ANSWERS", 3)
    deployment = endpoint(wire.url, cache_file=file)
    for number in range(5):
        answer(deployment, question(str(number)))
        answer(deployment, question("0"))  # used last of all every time: stays
    assert len(rows(file)) == 3
    assert len(wire.calls()) == 5


def test_a_broken_file_is_put_aside(wire, file, caplog):
    file.parent.mkdir()
    file.write_bytes(b"this is no database" * 100)
    deployment = endpoint(wire.url, cache_file=file)
    answer(deployment)
    assert answer(deployment).cached
    assert file.with_suffix(".broken").read_bytes().startswith(b"this is no database")
    assert "answers.sqlite" in caplog.text


@pytest.mark.parametrize("kept", ["{", "[]", "{}", '{"text": "a fox"}', '{"text": 3, "unknown": 1}'])
def test_an_entry_of_another_version_is_made_anew(wire, file, kept):
    deployment = endpoint(wire.url, cache_file=file)
    answer(deployment)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE answers SET answer = ?", (kept,))
    assert not answer(deployment).cached
    assert answer(deployment).cached


def test_a_folder_that_cannot_be_written_is_done_without(wire, tmp_path, caplog):
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("")
    assert answer(endpoint(wire.url, cache_file=blocked / "answers.sqlite")).text
    assert "cannot be used" in caplog.text


def test_a_directory_in_its_place_is_done_without(wire, file):
    file.mkdir(parents=True)
    assert answer(endpoint(wire.url, cache_file=file)).text


PROGRAM = """
import importlib.util, sys
root, url, file = sys.argv[1:]
spec = importlib.util.spec_from_file_location(
    "quillwork", root + "/package.py", submodule_search_locations=[root])
sys.modules["quillwork"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from pathlib import Path
sys.path.append(root + "/tests")
from endpoints import answer, endpoint
print(answer(endpoint(url, cache_file=Path(file), max_concurrency=2)).cached)
"""


def test_answers_outlive_the_program(wire, file):
    said = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(ROOT), wire.url, str(file)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert said == ["False\n", "True\n"]
    assert len(wire.calls()) == 1


def test_an_error_is_an_error_with_a_cache_too(wire, file):
    assert failure(endpoint(wire.url, "fox-status401", cache_file=file)).status == 401


def test_what_is_kept_is_plain_json(wire, file):
    answer(endpoint(wire.url, cache_file=file))
    assert json.loads(rows(file)[0])["text"]
