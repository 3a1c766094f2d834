"""Plans: the allowed models, and no call at all under a plan that cannot be read."""

from __future__ import annotations

import json

import pytest
from endpoints import ask_all, endpoint, failure, question

from quillwork.config.access import plans
from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.settings.values import load
from quillwork.llm_backends import registry
from quillwork.llm_backends.errors import NotInPlan
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Deployment, Plan, Result

PLANS = {"baseline": ["ollama/*"], "studio": ["openai/gpt-5*", "ollama/*"], "nothing": []}


@pytest.fixture
def planned(env):
    def set_plan(name: str, content: object = PLANS) -> None:
        env(LLM_PLAN=name, LLM_PLAN_MODELS_JSON=json.dumps(content))

    return set_plan


def in_force() -> Plan:
    plan = plans.in_force(load())
    assert plan is not None
    return plan


def test_without_settings_there_is_no_plan(home):
    assert plans.in_force(load()) is None


@pytest.mark.parametrize(
    ("plan", "model", "allowed"),
    [
        ("studio", "openai/gpt-5-mini", True),
        ("studio", "openai/gpt-4o", False),
        ("studio", "OpenAI/gpt-5-mini", False),
        ("studio", "openai/GPT-5-mini", False),
        ("studio", "x/openai/gpt-5-mini", False),
        ("baseline", "ollama/llama3.2", True),
        ("baseline", "openai/gpt-5-mini", False),
        ("nothing", "ollama/llama3.2", False),
    ],
)
def test_globs_tell_upper_and_lower_case_apart(planned, plan, model, allowed):
    planned(plan)
    assert in_force().allows(model) is allowed


def test_the_baseline_stands_in_for_no_plan_and_for_an_unknown_one(planned, env):
    planned("gone")
    assert in_force() == Plan("baseline", ("ollama/*",))
    env(LLM_PLAN="")
    assert in_force() == Plan("baseline", ("ollama/*",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not"),
        ("{", "not valid JSON"),
        ("[]", "must be an object"),
        ('{"studio": "openai/*"}', "must be a list"),
        ('{"studio": [1]}', "must be a list"),
        ('{"other": ["*"]}', "neither"),
        ("nowhere.json", "neither JSON nor a file"),
        ("../plans.json", "outside"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_what_cannot_be_read_allows_nothing_and_says_why(home, env, text, problem):
    (home.parent / "plans.json").write_text('{"studio": ["*"]}')
    env(LLM_PLAN="studio", LLM_PLAN_MODELS_JSON=text)
    plan = in_force()
    assert problem in plan.problem
    assert not plan.allows("ollama/llama3.2")


def test_a_file_is_read_again_when_it_changes(home, env):
    env(LLM_PLAN="studio", LLM_PLAN_MODELS_JSON="plans.yaml")
    file = home / "plans.yaml"
    file.write_text("studio:\n  - openai/*\n")
    assert in_force().allowed == ("openai/*",)
    file.write_text("studio:\n  - openai/*\n  - groq/*\n")
    assert in_force().allowed == ("openai/*", "groq/*")
    file.write_text("studio: [")
    assert in_force().problem
    (home / "plans.json").write_text(json.dumps(PLANS))
    env(LLM_PLAN_MODELS_JSON="plans.json")
    assert in_force().allowed == ("openai/gpt-5*", "ollama/*")


def test_every_deployment_has_the_plan_its_fallbacks_too(planned):
    planned("baseline")
    deployment = deploy(Choice(llm_model="ollama/llama3.2", fallback_models=("ollama/qwen3:4b",)))
    assert deployment.plan == Plan("baseline", ("ollama/*",))
    assert deployment.fallbacks[0].plan == deployment.plan


def test_aliases_are_resolved_before_the_plan_is_asked(planned, env):
    planned("x", {"x": ["google/*"], "baseline": []})
    env(GEMINI_API_KEY="AIzaPlantedPlantedPlanted123")
    deployment = deploy(Choice(llm_model="google/gemini-3.5-flash", by_workflow=False))
    assert deployment.model_id == "gemini/gemini-3.5-flash"
    assert isinstance(failure(deployment), NotInPlan)


def test_a_locked_model_typed_by_hand_is_not_called(wire):
    error = failure(endpoint(wire.url, "fox", plan=Plan("studio", ("owl*",))))
    assert isinstance(error, NotInPlan)
    assert (error.type, error.http_status) == ("not_in_plan", 403)
    assert "'studio' does not allow fox" in error.message
    assert wire.log == []


def test_an_allowed_model_is_called(wire):
    (result,) = ask_all(endpoint(wire.url, "fox", plan=Plan("studio", ("f?x",))))
    assert isinstance(result, Result)


def test_a_fallback_outside_the_plan_is_not_called(wire):
    locked = endpoint(wire.url, "owl", plan=Plan("studio", ("fox*",)))
    error = failure(endpoint(wire.url, "fox-status500", plan=Plan("studio", ("fox*",)), fallbacks=(locked,)))
    assert "500" in error.message
    assert [entry.model for entry in wire.log] == ["fox-status500"]


def test_a_kept_answer_is_no_way_round_the_plan(wire, tmp_path):
    deployment = endpoint(wire.url, "fox", cache_file=tmp_path / "answers.sqlite")
    (first,) = ask_all(deployment)
    assert isinstance(first, Result)
    locked = endpoint(wire.url, "fox", cache_file=tmp_path / "answers.sqlite", plan=Plan("none"))
    assert isinstance(failure(locked), NotInPlan)


def test_the_phrasebook_is_in_every_plan(planned):
    planned("nothing")
    from quillwork.prompting import phrasebook

    phrasebook.register()
    deployment = deploy(Choice(llm_mode="phrasebook"))
    assert deployment.plan == Plan("nothing")
    from quillwork.llm_backends.pipeline import check_plan

    check_plan(deployment)


def test_a_local_model_is_asked_about_too(monkeypatch):
    class Local:
        runs_in_place = True

        def answer_all(self, requests, deployment, sinks, host):
            raise AssertionError("called outside the plan")

    monkeypatch.setattr(registry, "_makers", {**registry._makers, "hf_local": Local})
    monkeypatch.setattr(registry, "_backends", {})
    deployment = Deployment("hf_local", "/models/Qwen3-4B", mode="hf_local", plan=Plan("p", ("Llama*",)))
    (error,) = ask_all(deployment, question(), live=LiveText())
    assert isinstance(error, NotInPlan)
    assert deployment.model_id == "Qwen3-4B"
