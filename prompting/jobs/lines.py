"""Files of ideas or names, one an entry: text, CSV and JSON lines in, CSV and JSON lines out."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ..tasks import LARGEST_SEED
from .journal import JobError

IN_SUFFIXES = (".txt", ".csv", ".jsonl")
OUT_SUFFIXES = (".jsonl", ".csv")
# Python takes other characters for ends of lines, too, which an editor does not.
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
# In bytes: a file of prompts that is larger is none.
_LARGEST = 512 * 2**20
_LONGEST_SHOWN = 60
# Jobs whose entries are lines, named by their numbers.
LINE_KINDS = ("enhance", "variables")
_NUMBERS = ("variations", "seed", "count")
_TEXTS = ("target", "instruction", "context", "guidance")
_ROLES = ("reference_roles", "reference_role")


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of a file: its number (lines of text and rows alike from 0), its text, other columns."""

    number: int
    text: str
    more: Mapping[str, Any] = field(default_factory=dict)


def place_of(number: int, source: str) -> str:
    """Return where a `Line` stands in the file `source`, as an editor or a spreadsheet counts: from 1, and in
    a table with the row of names."""
    return f"row {number + 2}" if Path(source).suffix.lower() == ".csv" else f"line {number + 1}"


def by_place(failures: Mapping[str, str], about: Mapping[str, Any]) -> dict[str, str]:
    """Return the failures of a job, whose notes are in `about`, by words that a reader finds them by."""
    if about.get("kind") not in LINE_KINDS:
        return dict(failures)
    source = str(about.get("source") or about.get("what") or "")
    return {place_of(int(name), source): said for name, said in failures.items()}


def read_lines(source: str, stdin: TextIO, columns: Sequence[str]) -> list[Line]:
    """Read the file `source`, ``-`` for `stdin`; `columns` are the names under which the text may stand.

    Empty lines are left out, and keep their number. Raises `JobError` in one sentence.
    """
    if source == "-":
        return lines_of(stdin.read(), "", columns)
    _suffix_of(source)
    return lines_of(_read(Path(source)), source, columns)


def lines_of(data: str, source: str, columns: Sequence[str]) -> list[Line]:
    """Read `data`, which stood in the file `source`, "" for none, as `read_lines` does."""
    suffix = _suffix_of(source) if source else ".jsonl" if data.lstrip()[:1] == "{" else ".txt"
    source = source or "The text"
    if suffix == ".txt":
        lines = [Line(number, line.strip()) for number, line in enumerate(_LINE_ENDS.split(data))]
    elif suffix == ".csv":
        lines = list(_rows(data, source, columns))
    else:
        lines = list(_objects(data, source, columns))
    kept = [line for line in lines if line.text]
    if not kept:
        raise JobError(f"{source} holds no lines. Write one idea a line.")
    return kept


def _suffix_of(source: str) -> str:
    suffix = Path(source).suffix.lower()
    if suffix not in IN_SUFFIXES:
        raise JobError(f"{source} is no {', '.join(IN_SUFFIXES)} file. Save it as one of them.")
    return suffix


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST:
            raise JobError(f"{file} has more than {_LARGEST // 2**20} MB. Split it.")
        data = file.read_bytes()
    except OSError as error:
        raise JobError(f"{file} cannot be read ({error.strerror}).") from None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _rows(data: str, source: str, columns: Sequence[str]) -> Iterator[Line]:
    try:
        dialect: Any = csv.Sniffer().sniff(data[:8192].split("\n", 1)[0], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        reader = csv.reader(io.StringIO(data, newline=""), delimiter=dialect.delimiter)
        names = [name.strip().lower() for name in next(reader, ())]
        column = next((name for name in columns if name in names), None)
        if column is None:
            raise JobError(
                f"{source} has no column {' or '.join(columns)}. "
                "Name the column with the texts so in its first line."
            )
        # A blank row is one, too, for a spreadsheet.
        for number, cells in enumerate(reader):
            row = dict(zip(names, cells, strict=False))
            text = row.pop(column, "")
            more = {name: cell for name, cell in row.items() if cell}
            yield Line(number, text.strip(), _checked(more, source, number))
    except csv.Error as error:
        raise JobError(f"{source} cannot be read as CSV ({error}). Save it as CSV once more.") from None


def _objects(data: str, source: str, columns: Sequence[str]) -> Iterator[Line]:
    # JSON lets other characters stand that end a line elsewhere.
    for number, line in enumerate(data.split("\n")):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise JobError(f"{source}, line {number + 1}, is no JSON. Write one object a line.") from None
        if isinstance(row, str):
            row = {columns[0]: row}
        text = next((row[name] for name in columns if name in row), None) if isinstance(row, dict) else None
        if not isinstance(text, str):
            raise JobError(f'{source}, line {number + 1}, has no text. Write {{"{columns[0]}": "…"}}.')
        more = {name.lower(): value for name, value in row.items() if name not in columns}
        yield Line(number, text.strip(), _checked(more, source, number))


def _checked(more: Mapping[str, Any], source: str, number: int) -> dict[str, Any]:
    # A table's export has null, and 2.0 for 2, where a number is missing in another row.
    read = {name: value for name, value in more.items() if value is not None}

    def refuse(name: str, wanted: str) -> JobError:
        said = repr(read[name])
        said = said if len(said) <= _LONGEST_SHOWN else f"{said[:_LONGEST_SHOWN]}…"
        return JobError(f"{source}, {place_of(number, source)}: {name} is {said}. Write {wanted}.")

    for name in read:
        if name in _NUMBERS:
            try:
                read[name] = _whole(read[name])
            except (TypeError, ValueError, OverflowError):
                raise refuse(name, "a whole number of at most 20 digits") from None
        elif name in _TEXTS and not isinstance(read[name], str):
            raise refuse(name, "one text")
        elif name in _ROLES and not _is_roles(read[name]):
            raise refuse(name, "a text, or a list of them")
    return read


def _is_roles(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _whole(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError(value)
    try:
        whole = int(value)
    except ValueError:
        value = float(value)
        whole = int(value)
    if (isinstance(value, float) and value != whole) or abs(whole) > LARGEST_SEED:
        raise ValueError(value)
    return whole


class Results:
    """The rows of the file `out` in the order of the input, written as far as they are known.

    Raises `JobError` where the file cannot be written.
    """

    def __init__(self, out: Path, columns: Sequence[str], order: Iterable[str]) -> None:
        if out.suffix.lower() not in OUT_SUFFIXES:
            raise JobError(f"{out} is no {' or '.join(OUT_SUFFIXES)} file. Name one that ends so.")
        self._out, self._columns = out, list(columns)
        self._is_csv = out.suffix.lower() == ".csv"
        self._left = iter(list(order))
        self._next = next(self._left, None)
        self._known: dict[str, list[dict[str, Any]]] = {}
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            # Excel takes a CSV file for UTF-8 only by its mark.
            self._stream = out.open("w", encoding="utf-8-sig" if self._is_csv else "utf-8", newline="")
        except OSError as error:
            raise JobError(f"{out} cannot be written ({error.strerror}).") from None
        self._csv = csv.DictWriter(self._stream, self._columns, extrasaction="ignore")
        if self._is_csv:
            self._csv.writeheader()

    def add(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Add the rows of an entry; they are written when all before them are."""
        self._known[name] = rows
        while self._next is not None and self._next in self._known:
            for row in self._known.pop(self._next):
                self._write(row)
            self._next = next(self._left, None)
        self._flush()

    def close(self) -> None:
        """Write what is known of the rest, too."""
        while self._next is not None:
            for row in self._known.pop(self._next, []):
                self._write(row)
            self._next = next(self._left, None)
        self._flush()
        self._stream.close()

    def _write(self, row: dict[str, Any]) -> None:
        if self._is_csv:
            self._csv.writerow(
                {name: "" if row.get(name) is None else _cell(row[name]) for name in self._columns}
            )
        else:
            self._stream.write(json.dumps(row, ensure_ascii=False) + "\n")

    def _flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            raise JobError(
                f"{self._out} cannot be written ({error.strerror}). What was written so far is safe: "
                "run the command again."
            ) from None


def _cell(value: Any) -> Any:
    return "\n".join(map(str, value)) if isinstance(value, list) else value
