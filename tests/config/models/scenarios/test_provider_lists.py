"""Lists of providers in the shapes that they really have, and what is known where there is no list."""

from __future__ import annotations

import json
import random

import pytest
from wire.lists import list_server

from quillwork.config import providers
from quillwork.config.access.session_keys import SessionKeys
from quillwork.config.models import listing_formats, prices, servers
from quillwork.config.models.catalog import Catalog
from quillwork.config.models.model_facts import known_of, models_of
from quillwork.config.providers.table import variable_of
from quillwork.config.settings.home import use_llm_folders
from quillwork.config.settings.values import load
from quillwork.llm_backends.runner import runner

NOTHING_THERE = "http://127.0.0.1:9"

# Provider, the list as it sends it, the models in it: window, price, vision, tools, schema.
LISTS = [
    (
        "openrouter",
        {
            "data": [
                {
                    "id": "owl/large",
                    "context_length": 9000,
                    "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
                    "pricing": {"prompt": "0.0000015", "completion": "0.000002"},
                    "supported_parameters": ["tools", "structured_outputs"],
                },
                {"id": "owl/auto", "pricing": {"prompt": "-1", "completion": "-1"}},
            ]
        },
        {"owl/large": (9000, (1.5, 2.0), True, True, True), "owl/auto": (None, None, None, None, None)},
    ),
    (
        "together_ai",
        [
            {
                "id": "Owl/Owl-9B",
                "type": "chat",
                "context_length": 262144,
                "pricing": {"hourly": 0, "input": 0.1, "output": 0.15, "base": 0},
            },
            {"id": "Owl/Painter", "type": "image", "pricing": {"input": 0, "output": 0}},
        ],
        {"Owl/Owl-9B": (262144, (0.1, 0.15), None, None, None)},
    ),
    (
        "huggingface",
        {
            "data": [
                {
                    "id": "owl/Owl-4B",
                    "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
                    "providers": [
                        {
                            "status": "live",
                            "context_length": 32768,
                            "pricing": {"input": 0.05, "output": 0.2},
                            "supports_tools": True,
                        },
                        {
                            "status": "live",
                            "context_length": 131072,
                            "pricing": {"input": 0.5, "output": 0.9},
                            "supports_tools": False,
                        },
                        {"status": "error", "context_length": 1, "pricing": {"input": 90, "output": 90}},
                    ],
                }
            ]
        },
        # Either may answer.
        {"owl/Owl-4B": (32768, (0.5, 0.9), False, True, None)},
    ),
    (
        "deepinfra",
        {
            "data": [
                {
                    "id": "owl/Owl-70B",
                    "metadata": {
                        "context_length": 131072,
                        "pricing": {"input_tokens": 0.23, "output_tokens": 0.4},
                    },
                },
                {"id": "owl/plain", "metadata": None},
            ]
        },
        {
            "owl/Owl-70B": (131072, (0.23, 0.4), None, None, None),
            "owl/plain": (None, None, None, None, None),
        },
    ),
    (
        "vercel_ai_gateway",
        {
            "data": [
                {
                    "id": "owl/owl-5",
                    "type": "language",
                    "context_window": 400000,
                    "pricing": {"input": "0.00000025", "output": "0.000002"},
                },
                {"id": "owl/owl-vectors", "type": "embedding"},
            ]
        },
        {"owl/owl-5": (400000, (0.25, 2.0), None, None, None)},
    ),
    (
        "novita",
        {
            "data": [
                {
                    "id": "owl/owl-v3",
                    "context_size": 163840,
                    "features": ["function-calling", "structured-outputs"],
                    "input_modalities": ["text"],
                }
            ]
        },
        {"owl/owl-v3": (163840, None, False, True, True)},
    ),
    (
        "chutes",
        {
            "data": [
                {
                    "id": "owl/Owl-V3",
                    "max_model_len": 163840,
                    "pricing": {"prompt": 0.25, "completion": 1},
                    "supported_features": ["json_mode", "tools"],
                }
            ]
        },
        {"owl/Owl-V3": (163840, (0.25, 1.0), None, True, False)},
    ),
    (
        "fireworks_ai",
        {
            "data": [
                {
                    "id": "accounts/owl/models/owl-8b",
                    "context_length": 131072,
                    "supports_chat": True,
                    "supports_image_input": False,
                    "supports_tools": True,
                },
                {"id": "accounts/owl/models/vectors", "supports_chat": False},
            ]
        },
        {"accounts/owl/models/owl-8b": (131072, None, False, True, None)},
    ),
    (
        "groq",
        # Its price is none of its list's: it is known.
        {
            "data": [
                {"id": "openai/gpt-oss-20b", "context_window": 131072, "active": True},
                {"id": "owl-old", "context_window": 8192, "active": False},
            ]
        },
        {
            "openai/gpt-oss-20b": (
                131072,
                tuple(known_of("groq/openai/gpt-oss-20b")["price"]),
                None,
                True,
                True,
            )
        },
    ),
    (
        "mistral",
        {
            "data": [
                {
                    "id": "mistral-small-latest",
                    "max_context_length": 131072,
                    "capabilities": {"completion_chat": True, "function_calling": True, "vision": True},
                },
                {"id": "owl-fim", "capabilities": {"completion_chat": False}},
            ]
        },
        {
            "mistral-small-latest": (
                131072,
                tuple(known_of("mistral/mistral-small-latest")["price"]),
                True,
                True,
                True,
            )
        },
    ),
    (
        "moonshot",
        {"data": [{"id": "owl-k3", "context_length": 262144, "supports_image_in": True}]},
        {"owl-k3": (262144, None, True, None, None)},
    ),
]


@pytest.fixture
def lists():
    with list_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Wait for the imitation server as long as a busy machine needs."""
    monkeypatch.setattr(servers, "PATIENCE_S", 120.0)
    monkeypatch.setattr(servers.ask_provider, "__defaults__", (120.0,))


@pytest.fixture
def moved(env, lists):
    """Move providers to the imitation server, each with a key; no server that happens to run is found."""
    env(OLLAMA_API_BASE=NOTHING_THERE, LM_STUDIO_API_BASE=NOTHING_THERE, HOSTED_VLLM_API_BASE=NOTHING_THERE)
    use_llm_folders(lambda: ())

    def move(*names: str) -> None:
        for id in names:
            row = providers.get(id)
            at = {variable_of(id, "API_BASE"): f"{lists.url}/{id}"}
            env(**at, **{row.key_variables[0]: "planted-key-0123456789"})

    return move


def found_at(provider: str):
    models = runner.run(Catalog(keys=SessionKeys()).listing(load())).models
    return {model.id.partition("/")[2]: model for model in models if model.provider == provider}


@pytest.mark.parametrize(("provider", "answer", "expected"), LISTS, ids=[row[0] for row in LISTS])
def test_a_list_as_the_provider_has_it(moved, lists, provider, answer, expected):
    moved(provider)
    lists.answers = {f"/{provider}/models": answer}
    found = {name: one for name, one in found_at(provider).items() if one.source == "provider"}
    facts = {
        name: (one.context_window, one.price, one.vision, one.tools, one.schema)
        for name, one in found.items()
    }
    assert facts == expected


def test_every_provider_that_has_a_list_is_asked_at_its_path_and_none_hides_another(moved, lists):
    remote = [row for row in providers.every() if row.wire == "openai" and row.list_path == "/models"]
    remote = [row for row in remote if not row.is_local]
    moved(*(row.id for row in remote))
    broken = {row.id: fault for row, fault in zip(remote, (500, 401, b"[[", {"data": 3}), strict=False)}
    lists.answers = {f"/{row.id}/models": broken.get(row.id, {"data": [{"id": "owl-1"}]}) for row in remote}
    found = runner.run(Catalog(keys=SessionKeys()).listing(load()))
    good = {model.provider for model in found.models if model.id == f"{model.provider}/owl-1"}
    assert good == {row.id for row in remote} - broken.keys()
    states = {source.id: source.state for source in found.sources if source.id in broken}
    assert states == dict(zip(broken, ("down", "refused", "down", "down"), strict=True))


def test_a_price_that_cannot_be_one_is_none():
    dear = {"data": [{"id": "owl", "pricing": {"prompt": 0.25, "completion": 1}}]}
    assert listing_formats.read("openai", dear)[0].price is None
    assert listing_formats.read("openai", dear, prices_per=1_000_000)[0].price == (0.25, 1.0)


@pytest.mark.parametrize("style", ["openai", "anthropic", "gemini", "ollama", "cohere"])
def test_no_row_of_a_list_can_break_the_reading_of_it(style):
    chance = random.Random(7)
    names = [*listing_formats._CONTEXT_FIELDS, "id", "name", "pricing", "providers", "metadata", "features"]
    names += ["architecture", "capabilities", "input_modalities", "type", "active", "prompt", "input"]
    parts = [None, True, -1, 0, 1e999, "owl", "NaN", "", "\ud800", [], {}, ["image"], [None], 10**400]

    def part(depth: int):
        if depth and chance.random() < 0.6:
            some = {chance.choice(names): part(depth - 1) for _ in range(4)}
            return some if chance.random() < 0.7 else [some]
        return chance.choice(parts)

    for _ in range(500):
        listing_formats.read(style, {"data": [part(4), {"id": "owl", "name": "owl", "pricing": part(2)}]})


def test_a_provider_without_a_list_offers_what_is_known_of_it_once_it_is_set_up(moved, env):
    assert set(found_at("perplexity")) == set(providers.get("perplexity").models)
    env(PERPLEXITYAI_API_KEY="planted-key-0123456789")
    found = found_at("perplexity")
    assert set(models_of("perplexity")) <= set(found) and len(found) > 10
    assert found["sonar-pro"].price == (3.0, 15.0) and found["sonar-pro"].configured


def test_a_provider_whose_list_is_not_there_offers_what_is_known_of_it(moved, lists):
    moved("xai")
    lists.answers = {"/xai/models": 404}
    found = found_at("xai")
    assert set(models_of("xai")) <= set(found) and len(found) > 10
    lists.answers = {"/xai/models": 500}
    assert set(found_at("xai")) == set(providers.get("xai").models), "it may have a list tomorrow"


@pytest.mark.parametrize(
    "id",
    [
        "groq/openai/gpt-oss-20b",
        "mistral/mistral-small-latest",
        "together_ai/openai/gpt-oss-120b",
        "xai/grok-4.3",
        "cerebras/gpt-oss-120b",
        "moonshot/kimi-k2.5",
        "dashscope/qwen-plus",
        "deepinfra/openai/gpt-oss-120b",
    ],
)
def test_price_and_window_are_known_without_a_request_and_without_litellm(env, monkeypatch, id):
    monkeypatch.setattr("quillwork.config.providers.litellm_table._rows", dict)
    known = known_of(id)
    assert known["context_window"] > 1000
    provider, model = providers.check_model_id(id)
    assert prices.of_provider(provider, model) == tuple(known["price"])


def test_all_packaged_facts_are_about_providers_of_the_table():
    text = json.dumps([one for row in providers.every() for one in models_of(row.id)])
    assert "us-east-1" not in text and len(text) > 10_000
    from quillwork.config.models.model_facts import _table

    fields, models = _table()
    assert {id.partition("/")[0] for id in models} <= {
        row.id for row in providers.every() if not row.is_local
    }
    assert all(len(row) == len(fields) for row in models.values())
    assert known_of("openai/gpt-5-mini")["price"] == [0.25, 2.0] and known_of("openai/never-heard-of") == {}
