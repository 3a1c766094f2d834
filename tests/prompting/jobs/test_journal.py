"""The journal: what it keeps, who may hold it, and what is said where it cannot be used."""

from __future__ import annotations

import sqlite3

import pytest

from quillwork.prompting.jobs.journal import JobError, Journal, journals, remove


@pytest.fixture
def file(tmp_path):
    return tmp_path / "jobs" / "caption-1.sqlite"


def test_texts_failures_and_notes_are_there_again(file):
    with Journal(file) as journal:
        journal.note(kind="caption", total=2)
        journal.fail("a.png", "damaged")
        journal.fail("b.png", "damaged")
        journal.write("a.png", "12-1", "key", {"text": "ein Füchslein"})
    with Journal(file) as journal:
        assert journal.about == {"kind": "caption", "total": 2}
        assert journal.failures() == {"b.png": "damaged"}
        assert journal.stamps() == {"a.png": "12-1"}
        assert journal.texts() == {"a.png": {"text": "ein Füchslein"}}
        assert journal.text("key") == {"text": "ein Füchslein"}
        assert journal.text("other") is None


def test_what_stood_there_first_is_kept(file):
    with Journal(file) as journal:
        assert journal.keep({"a.png": "old"}) == {"a.png": "old"}
        assert journal.keep({"a.png": "old, new", "b.png": ""}) == {"a.png": "old", "b.png": ""}


def test_a_second_program_is_told(file):
    with Journal(file), pytest.raises(JobError, match="caption-1 is running in another program"):
        Journal(file)
    Journal(file).__exit__(None, None, None)


@pytest.mark.parametrize(
    "content",
    [b"not a database, but long enough to be looked at" * 30, b"SQLite format 3\0" + b"\xff" * 4000],
)
def test_a_journal_that_is_none_is_told(file, content):
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(JobError, match="cannot be used"):
        Journal(file)


def test_a_full_disk_is_told_and_loses_nothing(file):
    with Journal(file) as journal:
        journal.write("a.png", "1", "key", {"text": "a fox"})
        journal._data.execute("pragma max_page_count = 1")
        with pytest.raises(JobError, match="What it holds is safe"):
            journal.write("b.png", "1", "other", {"text": "x" * 200_000})
    with Journal(file) as journal:
        assert journal.text("key") == {"text": "a fox"}


def test_journals_are_listed_and_removed(file):
    with Journal(file):
        assert journals(file.parent) == [file]
        with pytest.raises(JobError, match="running"):
            remove(file)
    remove(file)
    assert list(file.parent.iterdir()) == []


def test_a_crash_leaves_whole_entries(file):
    with Journal(file) as journal:
        journal.write("a.png", "1", "key", {"text": "a fox"})
        # What a process that is killed leaves: the journal of the journal, not yet merged.
        copied = {name: (file.parent / name).read_bytes() for name in (file.name, f"{file.name}-wal")}
    other = file.parent / "other"
    other.mkdir()
    for name, content in copied.items():
        (other / name).write_bytes(content)
    with Journal(other / file.name) as journal:
        assert journal.text("key") == {"text": "a fox"}
    assert sqlite3.connect(other / file.name).execute("pragma integrity_check").fetchone() == ("ok",)
