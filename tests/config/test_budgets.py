"""Budgets and observers out of the settings, and prices that need no request."""

from __future__ import annotations

import importlib.util

import pytest

from quillwork.config import budgets, providers, usage
from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.models import prices
from quillwork.config.models.catalog import catalog
from quillwork.config.models.model_facts import known_of
from quillwork.config.providers import litellm_table
from quillwork.config.settings.values import load
from quillwork.config.settings.variables import VARIABLES
from quillwork.llm_backends.accounting.ledger import ledger
from quillwork.llm_backends.accounting.usage_totals import CallRecord
from quillwork.llm_backends.errors import NotConfigured
from quillwork.llm_backends.types import Budget

KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"
LANGFUSE = {"LANGFUSE_PUBLIC_KEY": "pk-1", "LANGFUSE_SECRET_KEY": KEY}


@pytest.fixture(autouse=True)
def _no_langfuse(home, monkeypatch):
    for name in ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "LANGFUSE_HOST", "HELICONE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    catalog.forget()


def test_without_a_setting_there_is_no_budget(home):
    assert budgets.budget(load()) is None
    deployment = deploy(Choice(llm_mode="phrasebook"))
    assert deployment.budget is None
    assert deployment.usage_file == home / "usage.json"


@pytest.mark.parametrize(("text", "dollars"), [("2.50", 2.5), ("$3", 3.0), ("0", 0.0), (" 1e-2 ", 0.01)])
def test_amounts(env, text, dollars):
    env(LLM_BUDGET_DAY=text)
    assert budgets.budget(load()) == Budget(None, dollars)


@pytest.mark.parametrize("text", ["much", "-1", "nan", "inf", "2,50", "2.50 EUR"])
def test_an_amount_that_cannot_be_read_stops_every_call(env, text):
    env(LLM_BUDGET_SESSION=text, LLM_MODE="phrasebook")
    with pytest.raises(NotConfigured, match="LLM_BUDGET_SESSION is"):
        deploy(Choice())
    assert usage.view(load())["budget"]["session_usd"] is None


def test_unpriced_models_are_refused_unless_allowed(env):
    env(LLM_BUDGET_SESSION="1")
    assert budgets.budget(load()).refuses_unpriced
    env(LLM_BUDGET_UNPRICED="allow")
    assert not budgets.budget(load()).refuses_unpriced
    env(LLM_BUDGET_UNPRICED="perhaps")
    with pytest.raises(NotConfigured, match="refuse or allow"):
        budgets.budget(load())


def test_none_of_it_is_changed_from_the_panel():
    for name in VARIABLES:
        if name.startswith(("LLM_BUDGET", "LLM_CALLBACKS")):
            assert not VARIABLES[name].writable, name


def test_no_observers(home):
    assert budgets.observers(load()) == ()


def test_observers_by_name(env):
    env(LLM_CALLBACKS="langfuse, helicone,my_pack.watch:on_call", HELICONE_API_KEY=KEY, **LANGFUSE)
    langfuse, helicone, path = deploy(Choice(llm_mode="phrasebook")).observers
    assert (langfuse.base_url, langfuse.public_key) == ("https://cloud.langfuse.com", "pk-1")
    assert langfuse.key.reveal() == helicone.key.reveal() == KEY
    assert (path.name, path.base_url) == ("my_pack.watch:on_call", "")
    assert not any(one.with_content for one in (langfuse, helicone, path))
    assert KEY not in repr((langfuse, helicone))


def test_addresses_and_content(env):
    env(LLM_CALLBACKS="langfuse", LLM_CALLBACKS_CONTENT="1", LANGFUSE_HOST="http://127.0.0.1:9/", **LANGFUSE)
    (langfuse,) = budgets.observers(load())
    assert langfuse.base_url == "http://127.0.0.1:9"
    assert langfuse.with_content


@pytest.mark.parametrize("name", ["langfuse", "helicone", "sentry", "os.system", "a:b c", ":x", "a:"])
def test_one_that_cannot_be_told_is_warned_of_once_and_passed_over(env, caplog, name):
    env(LLM_CALLBACKS=f"{name},my_pack:on_call")
    for _ in range(2):
        assert [one.name for one in budgets.observers(load())] == ["my_pack:on_call"]
    assert len(caplog.records) == 1


def test_local_models_are_free_and_others_cost(env):
    env(OPENAI_API_KEY=KEY)
    assert deploy(Choice(llm_mode="phrasebook")).price == (0.0, 0.0)
    assert deploy(Choice(llm_model="ollama/llama3.2")).price == (0.0, 0.0)
    known = known_of("openai/gpt-5-mini")["price"]
    assert deploy(Choice(llm_model="openai/gpt-5-mini", by_workflow=False)).price == tuple(known)


def test_an_endpoints_price_is_unknown_until_it_tells(env):
    env(LLM_BASE_URL="http://127.0.0.1:9/v1", LLM_MODEL="fox")
    assert deploy(Choice()).price is None


def test_what_litellm_knows_helps_where_it_is_installed(home, monkeypatch):
    table = {
        "gpt-x": {"litellm_provider": "openai", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6},
        "free-x": {"litellm_provider": "openai", "input_cost_per_token": 0, "output_cost_per_token": 0},
        "owl": {"litellm_provider": "groq", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6},
    }
    monkeypatch.setattr(litellm_table, "_rows", lambda: table)
    openai = providers.get("openai")
    assert prices.of_provider(openai, "gpt-x") == (1.0, 2.0)
    assert prices.of_provider(openai, "free-x") is None
    assert prices.of_provider(openai, "owl") is None
    assert prices.of_provider(openai, "never-heard-of") is None


@pytest.mark.skipif(importlib.util.find_spec("litellm") is None, reason="litellm is not installed here")
def test_litellms_table_is_read(home):
    assert litellm_table._rows()["gpt-4o"]["litellm_provider"] == "openai"


def test_usage_is_told_with_the_budgets(env, home):
    ledger.clear()
    env(LLM_BUDGET_DAY="2")
    ledger.add(CallRecord("x", "litellm", "openai", "fox", cost_usd=0.5), home / "usage.json")
    summary = usage.view(load())
    assert summary["today"]["models"][0]["name"] == "openai/fox"
    assert (summary["budget"]["day_usd"], summary["budget"]["day_used_usd"]) == (2.0, 0.5)
    ledger.clear()
