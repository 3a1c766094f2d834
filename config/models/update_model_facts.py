"""Update model_facts.json: the facts of litellm's own table on the chat models of our providers.

    python config/models/update_model_facts.py       (in an environment that has litellm; it is not imported)

A model that the table does not know gets no row: unknown stays unknown. Models that are gone by their own
date are left out, save those that providers.yaml suggests.
"""

from __future__ import annotations

import datetime
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TABLE = "model_prices_and_context_window_backup.json"
FIELDS = ("context_window", "most_output", "thinks", "vision", "tools", "schema", "price")
# Prices of a region, a commitment or another way of calling, which are no names of models.
_NO_NAMES = re.compile(r"(?:\*|invoke|apac|eu|us|global|global-standard|[a-z]{2,4}(?:-[a-z]+)+-\d+)/")


def main() -> None:
    import yaml

    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        raise SystemExit("litellm is not installed here: pip install litellm.")
    known = json.loads(Path(spec.origin).with_name(TABLE).read_text(encoding="utf-8"))
    rows, _ = yaml.safe_load_all((HERE.parent / "providers" / "providers.yaml").read_text(encoding="utf-8"))
    facts = {}
    for provider, row in rows.items():
        if not row.get("local"):
            for model, entry in {**_suggested(known, provider, row), **_others(known, provider, row)}.items():
                facts[f"{provider}/{model}"] = _facts(entry)
    lines = ",\n".join(f"{json.dumps(name)}:{_compact(facts[name])}" for name in sorted(facts))
    text = f'{{"fields":{_compact(FIELDS)},\n"models":{{\n{lines}\n}}}}\n'
    (HERE / "model_facts.json").write_text(text, encoding="utf-8")


def _suggested(
    known: Mapping[str, Any], provider: str, row: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    found = {}
    for model in row.get("models", ()):
        spellings = (f"{_prefix(provider, row)}/{model}", f"{provider}/{model}", model)
        entries = (known[name] for name in spellings if name in known)
        entry = next((entry for entry in entries if _is_of(entry, provider, row)), None)
        if entry is not None:
            found[model] = entry
    return found


def _others(known: Mapping[str, Any], provider: str, row: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The table's models of `provider` that answer a chat, under the names that it is called by."""
    today = datetime.date.today().isoformat()
    found: dict[str, Mapping[str, Any]] = {}
    for name, entry in known.items():
        if not isinstance(entry, dict) or not _is_of(entry, provider, row) or not _chats(entry, row):
            continue
        if (entry.get("deprecation_date") or today) < today:
            continue
        model = next((name[len(start) :] for start in _starts(provider, row) if name.startswith(start)), name)
        if not _NO_NAMES.match(model):
            found[model] = entry
    return found


def _chats(entry: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    # What has only the newer format is asked in it where a list says that the model is there.
    return entry.get("mode") == "chat" or (entry.get("mode") == "responses" and row.get("list") != "packaged")


def _prefix(provider: str, row: Mapping[str, Any]) -> str:
    return str(row.get("price_prefix", row.get("prefix", provider)))


def _starts(provider: str, row: Mapping[str, Any]) -> Iterator[str]:
    prefix = _prefix(provider, row)
    for start in (prefix, prefix.partition("/")[0], provider):
        yield f"{start}/"


def _is_of(entry: Mapping[str, Any], provider: str, row: Mapping[str, Any]) -> bool:
    """Tell whether `entry` is of `provider`: two may have a model of the same name, at different prices."""
    prefix = _prefix(provider, row)
    whose = entry.get("litellm_provider", "").partition("_converse")[0]
    return whose in (prefix, prefix.partition("/")[0], provider)


def _facts(row: Mapping[str, Any]) -> tuple[Any, ...]:
    each_in, each_out = row.get("input_cost_per_token"), row.get("output_cost_per_token")
    # Nothing stands for unknown in that table.
    price = [round(each_in * 1e6, 6), round(each_out * 1e6, 6)] if each_in and each_out is not None else None
    return (
        row.get("max_input_tokens"),
        row.get("max_output_tokens"),
        row.get("supports_reasoning"),
        row.get("supports_vision"),
        row.get("supports_function_calling"),
        row.get("supports_response_schema"),
        price,
    )


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    main()
