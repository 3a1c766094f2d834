"""YAML that users write, read without any of YAML's surprises.

PyYAML only parses the file into events; the value is built here. That keeps out dangers (aliases that blow
up, nesting that overflows the stack of PyYAML's C part, tags) and surprises (``no`` that turns into False,
``12:30`` into 750, a key given twice of which the first is silently lost).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_MAX_DEPTH = 32
_TOO_DEEP = f"this is nested more than {_MAX_DEPTH} levels deep; write it flatter."
_ALIASES = (
    "YAML aliases (*{}) are not allowed here; write the value out, or put text that begins with * in quotes."
)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?[0-9]{0,17}\.[0-9]{1,17}(?:[eE][-+]?[0-9]{1,3})?")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


class FlowMapping(dict[str, object]):
    """Mapping in braces within a list, with what stands in the file: it may not be meant for one."""

    source: str = ""


class FlowList(list[object]):
    """List in brackets, with what stands in the file."""

    source: str = ""


class UnreadableYaml(ValueError):
    """A YAML file that cannot be used. `path` is the file, `line` the line (from 1) where one is known.

    The text is one sentence that names both and says what to do.
    """

    def __init__(self, path: Path, problem: str, line: int | None = None) -> None:
        where = path.name if line is None else f"{path.name}, line {line}"
        super().__init__(f"{where}: {problem}")
        self.path = path
        self.line = line
        self.problem = problem


def read_yaml(path: Path, max_bytes: int, *, scalars_as_text: bool = False) -> object:
    """Read the value of the one document in `path`: dict with text keys, list, str, int, float, bool or None.

    UTF-8 (with or without BOM), UTF-16 with BOM, else Windows' latin-1. Only ``true``, ``false``, ``null``,
    ``~`` and plain decimal numbers are more than text; with `scalars_as_text` nothing is. An empty file
    is None. Raises `UnreadableYaml`, also for a file of more than `max_bytes`.
    """
    return parse_yaml(_read_text(path, max_bytes), path, scalars_as_text=scalars_as_text)


def parse_yaml(text: str, path: Path, *, scalars_as_text: bool = False, flow_sources: bool = False) -> object:
    """Parse text as `read_yaml` does a file; `path` is only named in errors.

    With `flow_sources` what stands in braces is a `FlowMapping` of its plain pairs, and what stands in
    brackets a `FlowList`.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events = yaml.parse(text, Loader=loader)
        return _build(events, yaml, path, scalars_as_text, text if flow_sources else None)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "something is out of place"
        line = None if mark is None else mark.line + 1
        if "nesting depth" in problem:
            # Since 6.0.4 PyYAML has a limit of its own, and looks further ahead than it tells.
            raise UnreadableYaml(path, _TOO_DEEP, line) from None
        raise UnreadableYaml(
            path,
            f"this is not valid YAML ({problem}); check the indentation, and put text that holds ': ' or "
            "begins with one of * & ! % @ ` [ { in quotes.",
            line,
        ) from None
    except yaml.YAMLError as error:
        problem = getattr(error, "reason", "") or "unknown reason"
        raise UnreadableYaml(
            path, f"this is not a text file that YAML can read ({problem}); save it again as UTF-8 text."
        ) from None


def _read_text(path: Path, max_bytes: int) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise UnreadableYaml(path, "there is no such file; check its name and its folder.") from None
    except PermissionError:
        raise UnreadableYaml(path, "this file may not be read; change its permissions.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableYaml(path, f"this file cannot be read ({reason}); check that it is a file.") from None
    if len(data) > max_bytes:
        raise UnreadableYaml(path, f"this file is larger than {_size(max_bytes)}; split it or shorten it.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _build(events: Any, yaml: Any, path: Path, scalars_as_text: bool, source: str | None) -> object:
    # A stack of open containers instead of recursion: depth costs nothing and cannot overflow.
    result: object = None
    documents = 0
    containers: list[dict[str, object] | list[object]] = []
    keys: list[str | None] = []

    def refuse(event: Any, problem: str) -> UnreadableYaml:
        return UnreadableYaml(path, problem, event.start_mark.line + 1)

    def place(event: Any, value: object) -> None:
        nonlocal result
        if not containers:
            result = value
            return
        parent = containers[-1]
        if isinstance(parent, list):
            parent.append(value)
            return
        key = keys[-1]
        if key is not None:
            parent[key] = value
            keys[-1] = None
        elif not isinstance(event, yaml.ScalarEvent):
            raise refuse(event, "a key must be plain text, not a list or a mapping; put the key in quotes.")
        elif event.value in parent:
            raise refuse(event, f'"{event.value}" is given twice; keep one of the two.')
        else:
            keys[-1] = event.value

    for event in events:
        if isinstance(event, yaml.ScalarEvent):
            if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
                raise refuse(
                    event, f"the tag {event.tag} is not understood here; remove it or quote the value."
                )
            plain = not event.style and event.tag is None and not scalars_as_text
            place(event, _scalar(event.value) if plain else event.value)
        elif source is not None and isinstance(event, yaml.CollectionStartEvent) and event.flow_style:
            place(event, _flow(events, event, yaml, path, source, len(containers)))
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            if event.tag not in (None, "!"):
                raise refuse(event, f"the tag {event.tag} is not understood here; remove it.")
            if len(containers) >= _MAX_DEPTH:
                raise refuse(event, _TOO_DEEP)
            opened: dict[str, object] | list[object] = {} if isinstance(event, yaml.MappingStartEvent) else []
            place(event, opened)
            containers.append(opened)
            keys.append(None)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            containers.pop()
            keys.pop()
        elif isinstance(event, yaml.AliasEvent):
            if source is not None and f"&{event.anchor}" not in source:
                place(event, f"*{event.anchor}")
                continue
            raise refuse(event, _ALIASES.format(event.anchor))
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise refuse(event, "there is a second document after ---; keep one document in a file.")
    return result


def _flow(events: Any, start: Any, yaml: Any, path: Path, source: str, depth: int) -> FlowMapping | FlowList:
    """Return the collection in braces or brackets that `start` begins.

    Nothing in it is refused but its depth and aliases, for it may be no YAML at all.
    """
    if depth > _MAX_DEPTH:
        raise UnreadableYaml(path, _TOO_DEEP, start.start_mark.line + 1)
    items: list[object] = []
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            break
        if isinstance(event, yaml.CollectionStartEvent):
            items.append(_flow(events, event, yaml, path, source, depth + 1))
        elif isinstance(event, yaml.ScalarEvent):
            items.append(event.value)
        elif f"&{event.anchor}" in source:
            raise UnreadableYaml(path, _ALIASES.format(event.anchor), event.start_mark.line + 1)
        else:
            items.append(f"*{event.anchor}")
    flow: FlowMapping | FlowList
    if isinstance(start, yaml.SequenceStartEvent):
        flow = FlowList(items)
    else:
        pairs = zip(items[::2], items[1::2], strict=False)
        flow = FlowMapping({key: value for key, value in pairs if isinstance(key, str)})
    flow.source = source[start.start_mark.index : event.end_mark.index]
    return flow


def _scalar(value: str) -> object:
    lowered = value.lower()
    if lowered in _WORDS:
        return _WORDS[lowered]
    if _INTEGER.fullmatch(value):
        return int(value)
    if _DECIMAL.fullmatch(value):
        return float(value)
    return value


def _size(count: int) -> str:
    return f"{count // 1024} kB" if count < 1 << 20 else f"{count / (1 << 20):.0f} MB"
