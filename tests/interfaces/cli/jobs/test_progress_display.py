"""The progress of a job on a terminal and elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from quillwork.interfaces.cli.jobs import progress_display
from quillwork.interfaces.cli.jobs.progress_display import ProgressDisplay
from quillwork.prompting.jobs.work import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, *missing: str) -> str:
    """Return what is written for a job in the middle."""
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(progress_display, "_SHOW_EVERY_S", 0.0)
    monkeypatch.setattr(progress_display, "_LINE_EVERY_S", 0.0)
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    progress = Progress(20, before=1030)
    display = ProgressDisplay(progress)
    progress.done, progress.failed, progress.cost_usd = 7, 1, 0.0123
    display.tick()
    display.end()
    display.tick()
    return stderr.getvalue()


@pytest.mark.parametrize("library", ["rich", "tqdm", ""])
def test_a_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    if library:
        pytest.importorskip(library)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")
    text = shown(monkeypatch, Terminal(), *{"rich", "tqdm"} - {library})
    for fact in ("1038", "1050", "1030 from before", "/s", " left", "$0.0123", "1 failed"):
        assert fact in text.replace(",", "")
    assert "\r" in text or "\033[" in text


def test_elsewhere_it_is_a_plain_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, io.StringIO())
    assert text.startswith("1,038 of 1,050 · 1,030 from before · ") and text.endswith(" · 1 failed\n")
    assert "\r" not in text and "\033" not in text


def test_without_any_place_to_write_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    display = ProgressDisplay(Progress(2))
    display.tick()
    display.end()
