"""Usage and costs, on Quillwork's page of the settings dialog."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def tables(comfy):
    """Return a function that opens the dialog and returns the tables; close it again afterwards."""
    opened = []

    def show():
        opened.append(comfy.open_settings())
        found = opened[-1].locator("[data-setting-id='Quillwork.Usage.Tables'] .quillwork-usage")
        found.locator("table").first.wait_for()
        return found

    yield show
    for dialog in opened:
        comfy.page.keyboard.press("Escape")
        dialog.wait_for(state="detached")


def cells(tables, name):
    """Return the cells of the first row of that name."""
    row = tables.locator("tr").filter(has=tables.page.get_by_role("rowheader", name=name, exact=True))
    row.first.wait_for()
    return row.first.locator("td").all_inner_texts()


def test_a_run_stands_under_its_model_and_its_node(comfy, tables, wire):
    fresh = comfy.host.get("/quillwork/health").json()["usage"]["session"]["total"]["calls"]
    node = comfy.enhance("a fox in the fog", seed=fresh)  # not what the host has in its cache
    assert comfy.run()[0] == "execution_success"
    caller = f"Enhance Prompt #{node}"
    session = comfy.host.get("/quillwork/health").json()["usage"]["session"]
    (row,) = [one for one in session["callers"] if one["name"] == caller]
    shown = tables()
    calls, read, written, cost, _ = cells(shown, caller)
    assert calls.split("\n")[0] == str(row["calls"])  # some may have failed
    # Those of calls that failed are estimated.
    assert read.removeprefix("≈ ") == f"{row['prompt_tokens']:,}"
    assert written.removeprefix("≈ ") == f"{row['completion_tokens']:,}"
    assert cost == "unknown"
    assert cells(shown, "endpoint/fox")[3] == "unknown"
    captions = shown.locator("caption").all_inner_texts()
    assert captions == ["Since ComfyUI started", "By node or program", "Today"]
    assert "fog" not in shown.inner_text()
    assert shown.locator("button, input").count() == 0


def test_costs_and_budgets_are_in_dollars(comfy, tables):
    """Another host may answer with costs that are known, small, or known in part."""
    row = {
        "calls": 3,
        "failed": 1,
        "cached": 2,
        "attempts": 4,
        "prompt_tokens": 12345,
        "completion_tokens": 67,
        "estimated": 1,
        "cost_usd": 0.0123,
        "unpriced": 0,
        "seconds": 4.25,
    }
    session = {
        "since": "2026-01-01T00:00:00",
        "total": row,
        "models": [
            {"name": "openai/gpt", "label": "", **row},
            {"name": "x/y", "label": "", **row, "cost_usd": 2.5, "unpriced": 1},
            {"name": "anthropic/claude-haiku-4-5", "label": "Claude Haiku 4.5", **row},
        ],
        "callers": [],
    }
    today = {**session, "date": "2026-01-01", "models": []}
    budget = {
        "session_usd": 2.5,
        "session_used_usd": 0.5,
        "day_usd": None,
        "day_used_usd": 0.5,
        "set_aside_usd": 0,
    }
    answer = {"usage": {"session": session, "today": today, "budget": budget}}
    comfy.page.route("**/quillwork/health", lambda route: route.fulfill(json=answer))
    try:
        shown = tables()
        assert cells(shown, "openai/gpt") == [
            "3\n1 failed\n2 answered from the cache",
            "≈ 12,345",
            "≈ 67",
            "$0.012",
            "4.3",
        ]
        assert cells(shown, "x/y")[3] == "$2.50 plus 1 of unknown cost"
        assert cells(shown, "Total")[3] == "$0.012"
        assert cells(shown, "Claude Haiku 4.5 anthropic/claude-haiku-4-5")[3] == "$0.012"
        # The tables stand one below the other, and so do their columns, over the whole width of the page.
        columns = shown.locator("table").evaluate_all(
            "(tables) => tables.map(({rows: [head]}) =>"
            " [...head.cells].map((cell) => cell.getBoundingClientRect().left))"
        )
        assert columns[0] == columns[1] == columns[2]
        page = comfy.page.locator("[data-setting-id='Quillwork.Usage.Tables']").bounding_box()
        assert shown.bounding_box()["width"] > 0.95 * page["width"]
        assert shown.get_by_text("No calls yet.").count() == 2
        assert "Budget (LLM_BUDGET_SESSION): $0.50 of $2.50 used." in shown.inner_text()
        assert not any(word in shown.inner_text() for word in ("LLM_BUDGET_DAY", "null", "undefined", "NaN"))
    finally:
        comfy.page.unroute("**/quillwork/health")
