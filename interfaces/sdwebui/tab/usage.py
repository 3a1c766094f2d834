"""Usage in the tab: totals of the calls since the host started, and of today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from ....config import usage
from ....config.settings.values import load
from ..page_parts import AT_ONCE, guarded, note, table

_HEAD = ("", "Calls", "Failed", "Cached", "Input tokens", "Output tokens", "US$")


def build(page: Any, tab: Any) -> None:
    view = gr.HTML("", elem_id="quillwork_usage")
    refresh = gr.Button("Refresh", elem_id="quillwork_usage_refresh")
    for event in (page.load, tab.select, refresh.click):
        event(fn=_show, inputs=[], outputs=[view], **AT_ONCE)


@guarded(1)
def _show() -> str:
    summary = usage.view(load())
    parts = [_sums("Since start", summary["session"])]
    if summary["today"]:
        parts.append(_sums("Today, all programs", summary["today"]))
    return "".join([*parts, note(*_budget(summary["budget"]))])


def _sums(title: str, sums: Mapping[str, Any]) -> str:
    rows = [_row(title, sums["total"]), *(_row(row["name"], row) for row in sums["models"])]
    return table(_HEAD, rows)


def _row(name: str, totals: Mapping[str, Any]) -> tuple[Any, ...]:
    cost = "unknown" if totals["cost_usd"] is None else f"{totals['cost_usd']:.4f}"
    counts = ("calls", "failed", "cached", "prompt_tokens", "completion_tokens")
    return (name, *(totals[count] for count in counts), cost)


def _budget(budget: Mapping[str, Any]) -> Iterator[str]:
    for span, name in (("session", "since start"), ("day", "a day")):
        if (limit := budget[f"{span}_usd"]) is not None:
            yield f"Budget {name}: ${budget[f'{span}_used_usd']:.4f} of ${limit:.2f} used."
