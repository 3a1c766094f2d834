"""Structured files of a library: YAML, JSON and CSV, as other programs write them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ....safe_yaml import FlowList, FlowMapping, UnreadableYaml, parse_yaml
from .contents import Contents, UnreadableContents, fold
from .names import is_name
from .yaml_lines import read_lines

_LINE_END = re.compile(r"\r\n|\r|\n")
_NUMBER = re.compile(r"\s*-?[\d.,]+\s*")
_VALUE_COLUMNS = ("value", "values", "text", "content", "prompt", "name")
_WEIGHT_COLUMN = "weight"
_TEXT_KEYS = ("text", "content", "value", "prompt")


def _read_yaml(text: str, path: Path) -> Contents:
    try:
        import yaml  # noqa: F401
    except ImportError:
        raise UnreadableContents("it needs PyYAML; install it, or use a .txt file.") from None
    try:
        return _contents(parse_yaml(text, path, scalars_as_text=True, flow_sources=True))
    except UnreadableYaml as error:
        # One line that begins with a brace or a percent sign would cost the whole library.
        contents = Contents() if "aliases" in error.problem else _contents(read_lines(text))
        if not contents.named and not contents.values:
            raise UnreadableContents(error.problem, error.line) from None
        where = path.name if error.line is None else f"{path.name}, line {error.line}"
        problem = f"`{where}` in the library was read line by line: {error.problem}"
        return Contents(contents.values, "", contents.named, contents.tags, problem)


def _read_json(text: str, path: Path) -> Contents:
    try:
        return _contents(json.loads(text, parse_int=str, parse_float=str, parse_constant=str))
    except json.JSONDecodeError as error:
        raise UnreadableContents(f"this is not valid JSON ({error.msg}).", error.lineno) from None
    except RecursionError:
        raise UnreadableContents("this is nested too deeply; simplify it.") from None


def _read_csv(text: str, path: Path) -> Contents:
    """Read a table: the columns are named by the first row, the one of the values is the file's own.

    Without such a row the first column is; and where the rows are not alike, each line is a value.
    """
    lines = [line for line in _LINE_END.split(text) if line.strip() and not line.lstrip().startswith("#")]
    delimiter = max(",;\t", key=lambda sign: min((line.count(sign) for line in lines[:20]), default=0))
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)
        ]
    except csv.Error as error:
        raise UnreadableContents(f"this is not a valid table ({error}).") from None
    rows = [row for row in rows if any(row)]
    if not rows:
        return Contents(())
    width = len(rows[0])
    if width > 1 and sum(len(row) == width for row in rows) * 5 < len(rows) * 4:
        return Contents(tuple(fold(line) for line in lines))
    head = [cell.casefold() for cell in rows[0]]
    headed = len(set(head)) == width and all(is_name(cell) and not _NUMBER.fullmatch(cell) for cell in head)
    headed = headed and (width > 1 or head[0] in (*_VALUE_COLUMNS, path.stem.casefold()))
    if not headed:
        return Contents(tuple(value for row in rows if (value := fold(row[0]))))
    weights = head.index(_WEIGHT_COLUMN) if _WEIGHT_COLUMN in head else None
    columns = {
        name: tuple(_column(rows[1:], place, weights))
        for place, name in enumerate(rows[0])
        if place != weights
    }
    own = next((rows[0][head.index(name)] for name in _VALUE_COLUMNS if name in head), next(iter(columns)))
    if len(columns) == 1:
        return Contents(columns[own])
    return Contents(
        named={path.stem: columns[own], **{f"{path.stem}/{name}": column for name, column in columns.items()}}
    )


def _column(rows: Iterable[list[str]], place: int, weights: int | None) -> Iterator[str]:
    for row in rows:
        if place < len(row) and (value := fold(row[place])):
            weight = row[weights] if weights is not None and weights < len(row) else ""
            yield f"{weight}::{value}" if _is_weight(weight) else value


def _is_weight(text: object) -> bool:
    try:
        return float(str(text)) >= 0
    except ValueError:
        return False


READERS: dict[str, Callable[[str, Path], Contents]] = {
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".json": _read_json,
    ".csv": _read_csv,
}


def _contents(document: object) -> Contents:
    if isinstance(document, list):
        lists = _Lists()
        return Contents(tuple(lists.values(document, "")), named=lists.named, tags=lists.tags)
    if isinstance(document, dict):
        lists = _Lists()
        lists.collect(document, "")
        return Contents(named=lists.named, tags=lists.tags)
    if document in (None, ""):
        return Contents()
    raise UnreadableContents("it contains neither a list nor names with values; put `- ` before each value.")


class _Lists:
    """Lists of a document by name, as they are found."""

    def __init__(self) -> None:
        self.named: dict[str, tuple[str, ...]] = {}
        self.tags: dict[str, frozenset[str]] = {}

    def collect(self, mapping: dict[Any, Any], prefix: str) -> None:
        for key, value in mapping.items():
            name = f"{prefix}{str(key).strip()}"
            if isinstance(value, dict) and _is_entry(value):
                self._entry(name, value)
            elif isinstance(value, dict) and not (isinstance(value, FlowMapping) and _is_text(value)):
                self.collect(value, f"{name}/")
            else:
                items = value if isinstance(value, list) and not _is_one_text(value) else [value]
                values = tuple(self.values(items, f"{name}/"))
                if values and is_name(name):
                    self.named[name] = self.named.get(name, ()) + values
                elif isinstance(value, list) and is_name(name):
                    self.named.setdefault(name, ())

    def _entry(self, name: str, entry: dict[Any, Any]) -> None:
        """Add an entry of Umi's: its prompts, with one of its prefixes and suffixes around each."""
        parts = {str(key).casefold(): value for key, value in entry.items()}
        before, prompts, after, tags = (
            list(self.values(_as_list(parts.get(part)), f"{name}/"))
            for part in ("prefix", "prompts", "suffix", "tags")
        )
        around = [f"{{{'|'.join(texts)}}}" if len(texts) > 1 else "".join(texts) for texts in (before, after)]
        values = tuple(", ".join(filter(None, (around[0], prompt, around[1]))) for prompt in prompts)
        self.named[name] = values
        self.tags[name] = frozenset(
            tag.casefold() for text in tags for tag in map(str.strip, text.split(","))
        )

    def values(self, items: Iterable[Any], prefix: str) -> Iterator[str]:
        """Yield the values in `items`; lists within them are theirs, names within them are names."""
        for item in items:
            weight = ""
            if isinstance(item, FlowMapping | FlowList) and _is_flow_text(item):
                item = item.source
            elif isinstance(item, list):
                yield from self.values(item, prefix)
                continue
            elif isinstance(item, dict):
                weight, item = self._of_mapping(item, prefix)
            if isinstance(item, bool):
                item = "true" if item else "false"
            if isinstance(item, str) and (value := _folded(item)):
                yield weight + value

    def _of_mapping(self, item: dict[Any, Any], prefix: str) -> tuple[str, str]:
        """Return weight and text of a mapping in a list; what it has by name is collected."""
        weight = f"{item['weight']}::" if _is_weight(item.get("weight", "")) else ""
        text = next((item[key] for key in _TEXT_KEYS if isinstance(item.get(key), str) and item[key]), "")
        if not text:
            names = {key: value for key, value in item.items() if isinstance(value, dict | list)}
            self.collect(names, prefix)
            # An unquoted text with a colon and a blank in it is a mapping to YAML.
            text = ", ".join(
                f"{key}: {value}" if value else f"{key}:"
                for key, value in item.items()
                if key not in names and key != "weight"
            )
        return weight, text


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_entry(mapping: dict[Any, Any]) -> bool:
    keys = {str(key).casefold() for key in mapping}
    return "prompts" in keys and not keys.isdisjoint({"tags", "prefix", "suffix"})


def _is_text(mapping: FlowMapping) -> bool:
    """Tell whether what YAML takes for a mapping is a variant."""
    return "|" in mapping.source or "$$" in mapping.source or not any(mapping.values())


def _is_flow_text(item: FlowMapping | FlowList) -> bool:
    """Tell whether what YAML takes for a mapping or a list is a variant, or the web UI's ``[black|gray]``."""
    if isinstance(item, FlowMapping):
        return not any(item.get(key) for key in _TEXT_KEYS)
    return len(item) == 1 or "|" in item.source


def _is_one_text(value: list[Any]) -> bool:
    """Tell whether that stands where a list of values is expected."""
    return isinstance(value, FlowList) and len(value) == 1 and "|" in value.source


def _folded(text: str) -> str:
    """Return a text on one line. In a block of several `#` lines are notes; a lone one is a value."""
    if "\n" not in text.strip():
        return fold(text)
    return fold(" ".join(line for line in _LINE_END.split(text) if not line.lstrip().startswith("#")))
