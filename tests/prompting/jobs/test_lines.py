"""Files of lines as people save them, and the results beside them."""

from __future__ import annotations

import csv
import io
import json

import pytest

from quillwork.prompting.jobs.journal import JobError
from quillwork.prompting.jobs.lines import Results, read_lines

IDEAS = ("idea", "prompt", "text")


def read(tmp_path, name, content, columns=IDEAS):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [
        (line.number, line.text, dict(line.more)) for line in read_lines(str(file), io.StringIO(), columns)
    ]


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.txt", "a fox\n\n  an owl \r\n", [(0, "a fox", {}), (2, "an owl", {})]),
        ("a.txt", "a\u2028fox\x0b\ran owl", [(0, "a\u2028fox", {}), (1, "an owl", {})]),
        ("a.txt", "\ufeffein Füchslein", [(0, "ein Füchslein", {})]),
        ("a.txt", "ein Füchslein".encode("utf-16"), [(0, "ein Füchslein", {})]),
        ("a.txt", "ein Füchslein".encode("cp1252"), [(0, "ein Füchslein", {})]),
        ("a.csv", "idea\na fox\nan owl\n", [(0, "a fox", {}), (1, "an owl", {})]),
        ("a.csv", '\ufeffPrompt;Seed\r\n"a fox; red";7\r\n', [(0, "a fox; red", {"seed": 7})]),
        (
            "a.csv",
            'idea,target\n"a ""big"" fox\non a hill",sdxl\n',
            [(0, 'a "big" fox\non a hill', {"target": "sdxl"})],
        ),
        ("a.csv", "text\tvariations\na fox\t3\n", [(0, "a fox", {"variations": 3})]),
        ("a.csv", "idea,seed\na fox\n\nan owl,7,more\n", [(0, "a fox", {}), (2, "an owl", {"seed": 7})]),
        (
            "a.jsonl",
            '{"idea": "a fox", "seed": 5}\n\n"an owl"\n',
            [(0, "a fox", {"seed": 5}), (2, "an owl", {})],
        ),
        ("a.jsonl", '{"prompt": "a\\u2028fox\u2028"}', [(0, "a\u2028fox", {})]),
        ("a.csv", "idea,variations,seed\na fox,2.0,\n", [(0, "a fox", {"variations": 2})]),
        ("a.jsonl", '{"idea": "a fox", "seed": 7.0, "variations": null}', [(0, "a fox", {"seed": 7})]),
    ],
)
def test_lines(tmp_path, name, content, lines):
    assert read(tmp_path, name, content) == lines


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "subject\na fox\n", "has no column idea or prompt or text"),
        ("a.csv", "idea,seed\na fox,many\n", "seed is 'many'"),
        ("a.jsonl", '{"idea": "a fox", "variations": 2.7}', "variations is 2.7"),
        ("a.jsonl", '{"idea": "a fox", "seed": 1e400}', "seed is inf"),
        ("a.csv", "idea,seed\na fox,inf\n", "seed is 'inf'"),
        ("a.jsonl", '"a cat"\n{"idea": "a fox", "seed": 12345678901234567890123456}', "line 2: seed is 1234"),
        ("a.jsonl", '{"idea": "a fox", "seed": true}', "line 1: seed is True. Write a whole number"),
        ("a.jsonl", '{"idea": "a fox", "target": ["sdxl"]}', r"target is \[.sdxl.\]. Write one text."),
        ("a.jsonl", '{"idea": "a fox", "instruction": 3}', "line 1: instruction is 3. Write one text."),
        ("a.jsonl", '{"idea": "a fox", "reference_roles": 5}', "reference_roles is 5. Write a text"),
        ("a.jsonl", '{"idea": "a fox", "reference_role": ["style", 5]}', "reference_role is "),
        ("a.csv", "idea,seed\na cat,1\na fox,many\n", "row 3: seed is 'many'"),
        ("a.jsonl", "{oops", "line 1, is no JSON"),
        ("a.jsonl", "[" * 100_000, "line 1, is no JSON"),
        ("a.jsonl", '{"title": "x"}', "has no text"),
        ("a.jsonl", "[1]", "has no text"),
        ("a.txt", "\n\n", "holds no lines"),
        ("a.docx", "x", "Save it as one of them"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path, name, content, said):
    with pytest.raises(JobError, match=said):
        read(tmp_path, name, content)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(JobError, match="cannot be read"):
        read_lines(str(tmp_path / "no.txt"), io.StringIO(), IDEAS)


def test_standard_input_is_lines_or_json():
    assert [line.text for line in read_lines("-", io.StringIO("a fox\nan owl"), IDEAS)] == ["a fox", "an owl"]
    assert [line.text for line in read_lines("-", io.StringIO('{"idea": "a fox"}\n'), IDEAS)] == ["a fox"]


def row(line, prompt):
    return {"line": line, "idea": "x", "prompt": prompt, "negative": "", "error": None}


def test_results_are_written_in_the_order_of_the_input_as_they_come(tmp_path):
    out = tmp_path / "out.jsonl"
    results = Results(out, ("line", "prompt"), ["0", "1", "2", "3"])
    results.add("1", [row(1, "an owl")])
    assert out.read_text() == ""
    results.add("0", [row(0, "a fox"), row(0, "a red fox")])
    assert [json.loads(line)["prompt"] for line in out.read_text("utf-8").splitlines()] == [
        "a fox",
        "a red fox",
        "an owl",
    ]
    results.add("3", [row(3, "a cat")])
    results.close()
    assert [json.loads(line)["line"] for line in out.read_text("utf-8").splitlines()] == [0, 0, 1, 3]


def test_csv_results_are_read_back_by_a_spreadsheet(tmp_path):
    out = tmp_path / "out.csv"
    results = Results(out, ("line", "prompt", "values", "error"), ["0"])
    results.add("0", [{"line": 0, "prompt": 'a "fox",\nred', "values": ["a", "b"], "error": None}])
    results.close()
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    with out.open(encoding="utf-8-sig", newline="") as stream:
        assert list(csv.DictReader(stream)) == [
            {"line": "0", "prompt": 'a "fox",\nred', "values": "a\nb", "error": ""}
        ]


def test_an_unknown_form_of_results_is_told(tmp_path):
    with pytest.raises(JobError, match=r"is no \.jsonl or \.csv file"):
        Results(tmp_path / "out.xlsx", ("line",), [])
