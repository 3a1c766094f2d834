"""Tables on terminals of a known width."""

from __future__ import annotations

import pytest

from quillwork.config import providers
from quillwork.config.diagnostics import status
from quillwork.config.settings.values import load
from quillwork.interfaces.cli.tables import cells_of, print_table

ROWS = [("Id", "Needs", "Where"), ("xai", "XAI_API_KEY XAI_REGION", "https://console.x.ai/keys")]


def lines(capsys: pytest.CaptureFixture[str], rows: list[tuple[str, ...]], width: int) -> list[str]:
    print_table(rows, width)
    return capsys.readouterr().out.splitlines()


def test_a_file_or_a_pipe_gets_one_line_a_row(capsys):
    print_table(ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "Id   Needs                   Where",
        "xai  XAI_API_KEY XAI_REGION  https://console.x.ai/keys",
    ]


def test_a_cell_is_broken_between_words_where_the_terminal_is_narrow(capsys):
    assert lines(capsys, ROWS, 43) == [
        "Id   Needs        Where",
        "xai  XAI_API_KEY  https://console.x.ai/keys",
        "     XAI_REGION",
    ]


def test_what_cannot_be_broken_stands_on_a_line_of_its_own(capsys):
    assert lines(capsys, ROWS, 30) == [
        "Id   Needs",
        "    Where",
        "xai  XAI_API_KEY XAI_REGION",
        "    https://console.x.ai/keys",
    ]


def test_columns_hold_for_wide_and_combining_letters(capsys):
    shown = lines(capsys, [("\u901a\u4e49", "one"), ("e\u0301", "two")], 0)
    assert [cells_of(line[: line.index(word)]) for line, word in zip(shown, ("one", "two"), strict=True)] == [
        6,
        6,
    ]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_all_providers_fit_a_terminal(capsys, env, width):
    rows = [
        (one["id"], one["label"], " ".join(one["needs"]), one["key_url"])
        for one in status.provider_rows(load())
    ]
    shown = lines(capsys, rows, width)
    assert max(map(cells_of, shown)) <= width
    assert len(rows) == len(providers.every())
