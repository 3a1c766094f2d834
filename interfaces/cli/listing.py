"""Commands that list: targets, models, providers, usage, config."""

from __future__ import annotations

import argparse
from typing import Any

from ...config import providers, usage, ways
from ...config.diagnostics import status
from ...config.models.catalog import catalog
from ...config.models.entries import ModelEntry
from ...config.settings.home import targets_folder
from ...config.settings.values import load
from ...llm_backends.accounting.budget import dollars
from ...llm_backends.runner import runner
from ...llm_backends.system.command_line import command
from ...prompting import targets
from . import place
from .tables import print_table
from .writing import print_json

_MOVING = (
    "<PROVIDER>_API_BASE, such as XAI_API_BASE or NANO_GPT_API_BASE, names another address for one of them.\n"
    "Any other server that speaks OpenAI's format answers at LLM_BASE_URL."
)


def targets_command(options: argparse.Namespace) -> int:
    entries = targets.search(" ".join(options.words), targets_folder())
    if options.json:
        print_json(
            {"targets": [{"id": entry.id, "label": entry.label, "group": entry.group} for entry in entries]}
        )
    else:
        print_table([(entry.id, entry.label, entry.group) for entry in entries])
    return 0


def models_command(options: argparse.Namespace) -> int:
    """List the models that can be called now with their transports, and with --all those to be set up."""
    listing = runner.run(catalog.listing(load()))
    words = " ".join(options.words)
    if options.provider and not listing.select(provider=options.provider, everything=True):
        providers.get(options.provider)  # raises for an unknown one, listing those that exist
    if options.json:
        print_json(listing.to_json(provider=options.provider, words=words, everything=options.all))
        return 0
    models = listing.select(provider=options.provider, words=words, everything=options.all)
    print_table([_model_row(model) for model in models])
    for source in listing.sources:
        if source.state not in ("ok", "off"):
            print(f"\n{source.label}: {source.message} {source.hint}".rstrip())
    if not options.all:
        print("\n--all also lists models that are not set up.")
    return 0


def _model_row(model: ModelEntry) -> tuple[str, ...]:
    window = f"{model.context_window:,} tokens" if model.context_window else "-"
    price = "-"
    if model.price is not None:
        price = "free" if not any(model.price) else "${:g} / ${:g}".format(*model.price)
    marks = [
        word
        for word, holds in (
            ("not set up", not model.configured),
            ("not in the plan", model.locked),
            ("stale", model.stale),
        )
        if holds
    ]
    return model.id, model.provider_label, model.transport, window, price, ", ".join(marks)


def providers_command(options: argparse.Namespace) -> int:
    """List the providers for which something is set, and with --all every one, with what it needs."""
    rows = status.provider_rows(load())
    if options.json:
        print_json({"providers": rows})
        return 0
    begun = sorted((row for row in rows if row["begun"]), key=lambda row: not row["configured"])
    print_table(
        [("Provider", "Name", "State"), *((row["id"], row["label"], _readiness(row)) for row in begun)]
    )
    others = [row for row in rows if not row["begun"]]
    if not options.all:
        print(f"\n{len(others)} more can be set up: `{command('providers', '--all')}` says what each needs.")
        return 0
    print()
    needs = [(row["id"], row["label"], " ".join(row["needs"]) or "-", row["key_url"]) for row in others]
    print_table([("Provider", "Name", "Needs", "Where to get it"), *needs])
    print(f"\n{_MOVING}")
    return 0


def _readiness(row: dict[str, Any]) -> str:
    """The state of a provider: what is missing, or where its key is from, and the way that its calls go where
    that is not the usual one."""
    if not row["configured"]:
        return str(row["missing"])
    if row["transport"] == ways.DIRECT:
        served = providers.get(row["id"]).compatible
        some = f", models {' '.join(served.models)}" if served and served.models[0] != "*" else ""
        return f"ready ({row['source']}), called without litellm{some}"
    if row["obstacle"]:
        return f"set up ({row['source']}), but only litellm can call it, and {row['obstacle']}"
    return f"ready ({row['source']})"


def usage_command(options: argparse.Namespace) -> int:
    """List today's calls by all programs that share the folder of settings."""
    view = usage.view(load())
    if options.json:
        print_json(view)
        return 0
    today, budget = view["today"], view["budget"]
    rows = [*today["models"], {**today["total"], "name": "today"}]
    print_table([_usage_row(row) for row in rows])
    if budget["day_usd"] is not None:
        print(f"\nToday's budget: {dollars(budget['day_used_usd'])} of {dollars(budget['day_usd'])} used.")
    return 0


def _usage_row(row: dict[str, Any]) -> tuple[str, ...]:
    tokens = f"{row['prompt_tokens']:,} + {row['completion_tokens']:,} tokens"
    cost = "cost unknown" if row["cost_usd"] is None else dollars(row["cost_usd"])
    if row["cost_usd"] is not None and row["unpriced"]:
        cost += f" and {row['unpriced']} of unknown cost"
    return row["name"], f"{row['calls']} calls", tokens, cost


def config_command(options: argparse.Namespace) -> int:
    view = status.config_view(load())
    if options.json:
        print_json(view)
        return 0
    effect = view["effective"]
    print(place.line())
    print(f"Active: {effect['error']['message'] if effect['error'] else _effect(effect)}\n")
    print_table([(row["name"], row["value"] or "-", row["origin"]) for row in view["settings"]])
    return 0


def _effect(effect: dict[str, str]) -> str:
    return f"{effect['mode']}, {effect['model'] or 'no model'} ({effect['provider_label']})"
