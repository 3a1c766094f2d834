"""Update model_facts.json: the facts of litellm's own table on the models in providers.yaml.

    python config/models/update_model_facts.py       (in an environment that has litellm; it is not imported)

A model that the table does not know gets no row: unknown stays unknown.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TABLE = "model_prices_and_context_window_backup.json"


def main() -> None:
    import yaml

    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        raise SystemExit("litellm is not installed here: pip install litellm.")
    known = json.loads(Path(spec.origin).with_name(TABLE).read_text(encoding="utf-8"))
    rows = yaml.safe_load((HERE.parent / "providers.yaml").read_text(encoding="utf-8"))
    facts = {}
    for provider, row in rows.items():
        prefix = row.get("price_prefix", row.get("prefix", provider))
        for model in row["models"]:
            spellings = (f"{prefix}/{model}", f"{provider}/{model}", model)
            named = [known[name] for name in spellings if name in known]
            found = next((entry for entry in named if _is_of(entry, prefix, provider)), None)
            if found is not None and not row.get("local"):
                facts[f"{provider}/{model}"] = _facts(found)
    text = json.dumps(facts, indent=1, sort_keys=True)
    (HERE / "model_facts.json").write_text(text + "\n", encoding="utf-8")


def _is_of(entry: dict[str, Any], prefix: str, provider: str) -> bool:
    """Tell whether `entry` is of `provider`: two may have a model of the same name, at different prices."""
    return entry.get("litellm_provider", "").partition("_converse")[0] in (
        prefix,
        prefix.partition("/")[0],
        provider,
    )


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    each_in, each_out = row.get("input_cost_per_token"), row.get("output_cost_per_token")
    # Nothing stands for unknown in that table.
    price = [round(each_in * 1e6, 6), round(each_out * 1e6, 6)] if each_in and each_out else None
    return {
        "context_window": row.get("max_input_tokens"),
        "most_output": row.get("max_output_tokens"),
        "thinks": row.get("supports_reasoning"),
        "vision": row.get("supports_vision"),
        "tools": row.get("supports_function_calling"),
        "schema": row.get("supports_response_schema"),
        "price": price,
    }


if __name__ == "__main__":
    main()
