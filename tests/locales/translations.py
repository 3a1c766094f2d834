"""Location of the translations, and readers for them and for the English texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from host.client import Client

LOCALES = Path(__file__).resolve().parents[2] / "locales"
LANGUAGES = ("de", "es", "fr", "ja", "ko", "pt-BR", "ru", "zh", "zh-TW")
RECORD = Path(__file__).with_name("english.json")
FILES = ("nodeDefs", "main", "settings", "commands")


def read(language: str, name: str) -> dict[str, Any]:
    """Read a file of a language; empty where there is none."""
    file = LOCALES / language / f"{name}.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}


def texts(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Return every text with its path, such as ``quillwork.dialog.title``."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from texts(value, f"{path}{key}.")
        else:
            assert isinstance(value, str), f"{path}{key} is no text"
            yield f"{path}{key}", value


def our_nodes(host: Client) -> dict[str, dict[str, Any]]:
    """Return our nodes as the host describes them, without what it hides."""
    found = {
        name: one for name, one in host.get("/object_info").json().items() if name.startswith("Quillwork")
    }
    for definition in found.values():
        definition["input"].pop("hidden", None)
    return found


def node_texts(definition: dict[str, Any]) -> dict[str, str]:
    """Return the texts of a node as the host describes it, under the paths that a translation has."""
    found = {"display_name": definition["display_name"], "description": definition["description"]}
    for inputs in definition["input"].values():
        for name, (_, *options) in inputs.items():
            shown = options[0] if options else {}
            found[f"inputs.{name}.name"] = shown.get("display_name") or name
            if shown.get("tooltip"):
                found[f"inputs.{name}.tooltip"] = shown["tooltip"]
    for place, name in enumerate(definition["output_name"]):
        found[f"outputs.{place}.name"] = name
        tooltips = definition.get("output_tooltips") or []
        if place < len(tooltips) and tooltips[place]:
            found[f"outputs.{place}.tooltip"] = tooltips[place]
    return found


def english_texts(host: Client) -> dict[str, str]:
    """Return every English text: of our nodes, as the host has them by their schemas, and of the browser."""
    found: dict[str, str] = {}
    for name, definition in our_nodes(host).items():
        found |= {f"nodeDefs.{name}.{path}": text for path, text in node_texts(definition).items()}
    for file in FILES[1:]:
        found |= {f"{file}.{path}": text for path, text in texts(read("en", file))}
    return found


def translated_texts(language: str) -> dict[str, str]:
    """Return every text of a language, under the same paths."""
    return {f"{file}.{path}": text for file in FILES for path, text in texts(read(language, file))}
