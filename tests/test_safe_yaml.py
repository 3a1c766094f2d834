from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quillwork.safe_yaml import UnreadableYaml, parse_yaml, read_yaml

SOURCE = Path(__file__).resolve().parents[1] / "safe_yaml.py"


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def error_of(path: Path, max_bytes: int = 10_000_000) -> UnreadableYaml:
    with pytest.raises(UnreadableYaml) as caught:
        read_yaml(path, max_bytes)
    message = str(caught.value)
    assert message.startswith("mine.yaml")
    assert "\n" not in message
    assert message.endswith(".")
    return caught.value


def test_reads_nested_values(tmp_path: Path) -> None:
    path = write(
        tmp_path, "a:\n  b: [1, -2, 2.5, x]\n  c: |\n    two\n    lines\nd: {e: true, f: null, g: ~}\nh:\n"
    )
    assert read_yaml(path, 1000) == {
        "a": {"b": [1, -2, 2.5, "x"], "c": "two\nlines\n"},
        "d": {"e": True, "f": None, "g": None},
        "h": None,
    }


def test_numbers_keep_their_type(tmp_path: Path) -> None:
    value = read_yaml(write(tmp_path, "[1, 1.0, .5, 1e3, 007, 0x10, 99999999999999999999]"), 1000)
    assert [(type(item), item) for item in value] == [
        (int, 1),
        (float, 1.0),
        (float, 0.5),
        (str, "1e3"),
        (str, "007"),
        (str, "0x10"),
        (str, "99999999999999999999"),
    ]


@pytest.mark.parametrize(
    "word", ["no", "yes", "On", "off", "n", "y", "12:30", "2024-01-01", "2024-13-45", "1_000", "<<"]
)
def test_words_that_yaml_would_turn_into_something_else_stay_text(tmp_path: Path, word: str) -> None:
    assert read_yaml(write(tmp_path, f"- {word}\n"), 1000) == [word]


def test_quoted_words_stay_text(tmp_path: Path) -> None:
    assert read_yaml(write(tmp_path, "['true', \"1\", !!str 2]"), 1000) == ["true", "1", "2"]


def test_keys_are_always_text(tmp_path: Path) -> None:
    assert read_yaml(write(tmp_path, "1: a\ntrue: b\n"), 1000) == {"1": "a", "true": "b"}


def test_scalars_as_text(tmp_path: Path) -> None:
    path = write(tmp_path, "a: [1, 1.50, true, null, ~]\nb:\n")
    assert read_yaml(path, 1000, scalars_as_text=True) == {"a": ["1", "1.50", "true", "null", "~"], "b": ""}


@pytest.mark.parametrize("content", ["", "\n\n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_none(tmp_path: Path, content: str) -> None:
    assert read_yaml(write(tmp_path, content), 1000) is None


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"\xef\xbb\xbfa: \xc3\xbc\n", "ü"),
        ("a: ü\n".encode("utf-16"), "ü"),
        (b"a: \xfc\r\n", "ü"),
        (b"a: \x93x\x94\n", "“x”"),
        (b"a: \x81\xfc\n", None),
        (b"a: b\r\n", "b"),
        (b"a: b\r", "b"),
    ],
)
def test_encodings_and_line_ends(tmp_path: Path, content: bytes, value: str | None) -> None:
    path = write(tmp_path, content)
    if value is None:  # 0x81 is a control character in every encoding that is left
        assert "UTF-8" in str(error_of(path))
    else:
        assert read_yaml(path, 1000) == {"a": value}


def test_size_limit_counts_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, "a: " + "x" * 97)
    assert read_yaml(path, 100) == {"a": "x" * 97}
    path.write_text("a: " + "x" * 98)
    assert "larger than" in str(error_of(path, 100))


def test_size_is_told_in_words(tmp_path: Path) -> None:
    path = write(tmp_path, b"x" * 300_000)
    assert "256 kB" in str(error_of(path, 256 * 1024))


def test_the_alias_bomb_is_refused_before_it_grows(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 20)]
    begun = time.monotonic()
    error = error_of(write(tmp_path, "\n".join(lines)))
    assert "aliases" in str(error)
    assert error.line == 2
    assert time.monotonic() - begun < 10


def test_an_anchor_without_an_alias_is_harmless(tmp_path: Path) -> None:
    assert read_yaml(write(tmp_path, "a: &x 1\n"), 1000) == {"a": 1}


def test_text_that_begins_with_a_star_gets_the_right_hint(tmp_path: Path) -> None:
    error = error_of(write(tmp_path, "ok: 1\nrules:\n  - *smile*\n"))
    assert error.line == 3
    assert "quotes" in str(error)


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? "])
def test_deep_nesting_is_refused_and_does_not_crash_the_process(tmp_path: Path, opening: str) -> None:
    path = write(tmp_path, opening * 80_000)
    program = (
        "import importlib.util, sys; from pathlib import Path\n"
        f"spec = importlib.util.spec_from_file_location('safe_yaml', {str(SOURCE)!r})\n"
        "module = importlib.util.module_from_spec(spec); sys.modules['safe_yaml'] = module\n"
        "spec.loader.exec_module(module)\n"
        f"try: module.read_yaml(Path({str(path)!r}), 10_000_000)\n"
        "except module.UnreadableYaml as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "levels deep" in done.stdout or "must be plain text" in done.stdout


@pytest.mark.parametrize(
    ("content", "line", "part"),
    [
        ("a: b: c\n", 1, "not valid YAML"),
        ("a:\n  - b\n c: d\n", 3, "not valid YAML"),
        ("a: [1, 2\nb: 3\n", 2, "not valid YAML"),
        ('a: "open\n', 2, "not valid YAML"),
        ("a:\n\tb: 1\n", 2, "not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", 3, '"a" is given twice'),
        ("[1, 2]: x\n", 1, "a key must be plain text"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: !!python/object/apply:os.system [echo]\n", 1, "tag"),
        ("a: !secret x\n", 1, "tag"),
        ("a: !!binary aGk=\n", 1, "tag"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, content: str, line: int, part: str) -> None:
    error = error_of(write(tmp_path, content))
    assert part in str(error)
    assert error.line == line
    assert f"line {line}" in str(error)


def test_binary_data_is_no_text(tmp_path: Path) -> None:
    assert "UTF-8" in str(error_of(write(tmp_path, b"a: \x00\x01\x02")))


def test_a_missing_file(tmp_path: Path) -> None:
    said = str(error_of(tmp_path / "mine.yaml"))
    assert "no such file" in said
    assert str(tmp_path) not in said


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").mkdir()
    error_of(tmp_path / "mine.yaml")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_permission(tmp_path: Path) -> None:
    path = write(tmp_path, "a: 1")
    path.chmod(0)
    assert "permissions" in str(error_of(path))


def test_the_pure_python_parser_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    text = "a: [1, {b: no}]\nc: 'x'\n"
    expected = parse_yaml(text, tmp_path / "mine.yaml")
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert parse_yaml(text, tmp_path / "mine.yaml") == expected
    with pytest.raises(UnreadableYaml):
        parse_yaml("a: b: c", tmp_path / "mine.yaml")
