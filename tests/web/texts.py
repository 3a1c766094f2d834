"""English texts of the browser side, read out of its source.

python tests/web/texts.py        writes locales/en/{main,settings,commands}.json anew
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
WEB = REPOSITORY / "web"
ENGLISH = REPOSITORY / "locales" / "en"
LITERAL = r'"((?:[^"\\]|\\.)*)"'
SAID = re.compile(rf"\bt\(\s*{LITERAL},\s*{LITERAL}")
ROW = re.compile(rf"\[(MODEL|PLACES|KEYS|USAGE|FIELDS), {LITERAL}, {LITERAL}")
CATEGORY = re.compile(rf"^const (?:PAGE|MODEL|PLACES|KEYS|USAGE|FIELDS) = {LITERAL}", re.MULTILINE)
COMMAND = re.compile(rf"\{{\s*id: {LITERAL},\s*label: {LITERAL}")


def _text(literal: str) -> str:
    return json.loads(f'"{literal}"')


def said() -> dict[str, set[str]]:
    """Return the English texts at each key: more than one is a mistake."""
    found: dict[str, set[str]] = {}
    for script in sorted(WEB.rglob("*.js")):
        for key, text in SAID.findall(script.read_text("utf-8")):
            found.setdefault(key, set()).add(_text(text))
    return found


def mode_texts() -> dict[str, dict[str, str]]:
    """Return the texts that the scripts take from the rows of our modes."""
    from quillwork.llm_backends import registry

    ours = [row for row in registry.offered(installed=False) if row.choice_label]
    return {
        "modes": {row.name: row.choice_label for row in ours},
        "modeNames": {row.name: row.label for row in ours if row.stands_in},
    }


def english() -> dict[str, dict[str, Any]]:
    """Return the content of each English file."""
    page = (WEB / "settings" / "page.js").read_text("utf-8")
    commands = (WEB / "panels.js").read_text("utf-8")
    texts: dict[str, Any] = {}
    for key, found in said().items():
        *path, last = key.split(".")
        level = texts
        for step in path:
            level = level.setdefault(step, {})
        level[last] = min(found)
    texts |= mode_texts()
    return {
        "main": {
            "quillwork": texts,
            "settingsCategories": {_text(name): _text(name) for name in CATEGORY.findall(page)},
        },
        "settings": {key.replace(".", "_"): {"name": _text(name)} for _, key, name in ROW.findall(page)},
        "commands": {
            key.replace(".", "_"): {"label": _text(label)} for key, label in COMMAND.findall(commands)
        },
    }


if __name__ == "__main__":
    sys.path.append(str(REPOSITORY / "tests"))
    importlib.import_module("conftest")  # loads the pack under its name
    for name, content in english().items():
        text = json.dumps(content, ensure_ascii=False, indent=2)
        (ENGLISH / f"{name}.json").write_text(f"{text}\n", "utf-8")
