"""Vision of models, as far as it is known without a request."""

from __future__ import annotations

import json

import pytest

from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.models.catalog import Catalog, catalog
from quillwork.config.models.entries import ModelEntry
from quillwork.config.models.vision import models_that_see
from quillwork.config.settings.home import use_llm_folders
from quillwork.config.settings.values import load

KEYS = {"ANTHROPIC_API_KEY": "sk-1", "GEMINI_API_KEY": "k-2", "DEEPSEEK_API_KEY": "k-3"}


def vision(**fields):
    return deploy(Choice(by_workflow=False, **fields)).capabilities.vision


@pytest.fixture
def heard(home, monkeypatch):
    """`heard(model_id, vision)`: a server has said so of its model."""
    monkeypatch.setattr(catalog, "_kept", {})

    def say(model_id, vision):
        from quillwork.config.models.catalog import _Kept

        server = model_id.partition("/")[0] if "/" in model_id else "endpoint"
        entry = ModelEntry(model_id, model_id, server, "P", "litellm", "provider", vision=vision)
        catalog._kept[model_id] = _Kept(0.0, [entry], 0.0)

    return say


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("anthropic/claude-haiku-4-5", True),
        ("anthropic/some-model-of-tomorrow", True),
        ("deepseek/deepseek-v4-pro", False),
        ("deepseek/deepseek-v4-flash", True),
        ("deepseek/some-model-of-tomorrow", None),
        # litellm makes one text of the messages for Replicate, whatever the model there could see.
        ("replicate/openai/gpt-5-mini", False),
    ],
)
def test_models_of_providers(env, model, known):
    env(**KEYS, REPLICATE_API_KEY="r-4", REPLICATE_API_TOKEN="r-4")
    assert vision(llm_model=model) is known


def test_what_a_server_says_of_its_own_model_counts_first(env, heard):
    env(**KEYS)
    assert vision(llm_model="ollama/fox-vl") is None
    heard("ollama/fox-vl", True)
    heard("deepseek/deepseek-v4-flash", False)
    assert vision(llm_model="ollama/fox-vl") is True
    assert vision(llm_model="deepseek/deepseek-v4-flash") is False


def test_models_of_an_endpoint_are_unknown_until_it_has_told(env, heard):
    env(LLM_BASE_URL="http://127.0.0.1:4000/v1", LLM_MODEL="fox")
    assert vision() is None
    heard("fox", False)
    assert vision() is False


def test_models_of_this_process(env, tmp_path):
    for name, config in (("seeing", {"vision_config": {}}), ("blind", {}), ("odd", [])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        (tmp_path / name / "model.safetensors").write_bytes(b"")
    use_llm_folders(lambda: [tmp_path])
    try:
        assert vision(llm_mode="hf_local", llm_model="seeing") is True
        assert vision(llm_mode="hf_local", llm_model="blind") is False
        assert vision(llm_mode="hf_local", llm_model="odd") is False
        assert "seeing" in models_that_see(load())
        assert "blind" not in models_that_see(load())
        for name in ("fox-Q4_K_M.gguf", "mmproj-fox-f16.gguf", "owl.gguf"):
            (tmp_path / name).write_bytes(b"GGUF")
        use_llm_folders(lambda: [tmp_path])
        assert "fox-Q4_K_M.gguf" in models_that_see(load())
        assert "owl.gguf" not in models_that_see(load())
    finally:
        use_llm_folders(lambda: ())
    assert vision(llm_mode="hf_local", llm_model=str(tmp_path)) is None
    assert vision(llm_mode="hf_download") is False, "the default repository writes only"
    assert vision(llm_mode="hf_download", llm_model="org/other") is None
    assert vision(llm_mode="phrasebook") is False


def test_the_users_models_that_see_are_named_and_no_server_is_asked(env, monkeypatch):
    def never(*_):
        raise AssertionError("a server was asked")

    monkeypatch.setattr(Catalog, "_begin", never)
    env(ANTHROPIC_API_KEY="sk-1")
    seeing = deploy(Choice(llm_mode="phrasebook")).seeing()
    assert "anthropic/claude-haiku-4-5" in seeing
    assert not any(name.startswith(("gemini/", "deepseek/")) for name in seeing)


def test_somebody_who_has_none_gets_examples(env):
    assert models_that_see(load())[0].startswith("ollama/")


def test_a_plan_is_kept_to(env):
    env(
        ANTHROPIC_API_KEY="sk-1", LLM_PLAN="small", LLM_PLAN_MODELS_JSON='{"small": ["anthropic/*haiku-4-5"]}'
    )
    assert models_that_see(load()) == ("anthropic/claude-haiku-4-5",)
