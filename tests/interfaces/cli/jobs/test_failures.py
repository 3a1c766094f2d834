"""The list of failures of a job on the command line."""

from __future__ import annotations

from quillwork.interfaces.cli.jobs.carry_out import list_failures


def test_a_name_with_signs_for_a_terminal_stays_on_one_line(capsys):
    list_failures({"fox\n\x1b[2J狐 1.png": "It is broken."}, "id")
    assert "  fox��[2J狐 1.png: It is broken.\n" in capsys.readouterr().err
