"""The table of providers, the check of a model's id, and the preflight."""

from __future__ import annotations

import subprocess
import sys

import pytest

from quillwork.config import providers
from quillwork.llm_backends.errors import MissingKey, NotConfigured
from quillwork.llm_backends.types import Secret

KEYED = [p for p in providers.every() if not p.key_optional]


def hint_of(model_id: str) -> str:
    with pytest.raises(NotConfigured) as caught:
        providers.check_model_id(model_id)
    return str(caught.value)


def full_environment() -> dict[str, str]:
    env = {}
    for provider in providers.every():
        env[provider.key_variables[0]] = f"key-of-{provider.id}"
        for variables in provider.needed_variables.values():
            env[variables[0]] = "value"
    return {**env, "AZURE_API_BASE": "https://mine.example.com"}


def test_the_names_without_yaml_are_the_table():
    assert providers.names() == tuple(p.id for p in providers.every())
    assert len(set(providers.names())) == 16


def test_names_need_no_yaml(quillwork_root):
    code = (
        "import sys, conftest\nfrom quillwork.config import providers\nproviders.names()\n"
        "assert 'yaml' not in sys.modules, 'yaml was imported'"
    )
    subprocess.run([sys.executable, "-c", code], cwd=quillwork_root / "tests", check=True, timeout=60)


@pytest.fixture
def quillwork_root():
    from pathlib import Path

    return Path(providers.__file__).resolve().parent.parent


def test_every_row_is_complete():
    names = [name for p in providers.every() for name in (p.id, *p.aliases)]
    assert len(names) == len(set(names)), "an alias is used twice"
    for provider in providers.every():
        assert provider.label
        assert provider.models, provider.id
        assert provider.key_variables, provider.id
        assert provider.key_url.startswith("https://"), provider.id
        assert provider.default_base_url or provider.base_variable, provider.id
        assert (provider.retries, provider.max_concurrency) == (
            (0, 4 if provider.id in ("ollama", "lm_studio") else 16) if provider.is_local else (2, 16)
        )


@pytest.mark.parametrize(
    ("model_id", "provider", "rest"),
    [
        ("ollama/llama3.2", "ollama", "llama3.2"),
        ("openrouter/anthropic/claude-haiku-4.5", "openrouter", "anthropic/claude-haiku-4.5"),
        ("vllm/Qwen/Qwen3-4B", "hosted_vllm", "Qwen/Qwen3-4B"),
        ("google/gemini-3.5-flash", "gemini", "gemini-3.5-flash"),
        ("openai/openai/gpt-oss-20b", "openai", "openai/gpt-oss-20b"),
        ("bedrock/us.amazon.nova-lite-v1:0", "bedrock", "us.amazon.nova-lite-v1:0"),
    ],
)
def test_an_id_is_cut_at_the_first_slash(model_id, provider, rest):
    found, model = providers.check_model_id(model_id)
    assert (found.id, model) == (provider, rest)
    assert providers.split(model_id) == (found, model)


@pytest.mark.parametrize("model_id", ["gpt-4o", "fox", "", "openai/", "/x", "Qwen/Qwen3-4B", "OpenAI/x"])
def test_what_names_no_provider(model_id):
    assert providers.split(model_id) is None
    hint_of(model_id)


@pytest.mark.parametrize("model_id", ["oobabooga/http://10.0.0.1/x", "openai/http://h", "https://h/v1"])
def test_an_address_in_an_id_is_refused(model_id):
    assert "LLM_BASE_URL" in hint_of(model_id)


@pytest.mark.parametrize("model_id", ["openai/a b", " openai/x", "openai/x\n", "openai/\u202ex"])
def test_an_id_is_one_plain_word(model_id):
    assert "not a valid model id" in hint_of(model_id)


def test_ids_that_litellm_would_act_upon_are_unknown_here():
    for name in ("github_copilot", "oobabooga", "custom", "petals", "vertex_ai", "sagemaker", "chatgpt"):
        assert providers.split(f"{name}/model") is None


def test_a_hugging_face_id_points_to_hf_download():
    said = hint_of("unsloth/Qwen3-4B-Instruct-2507-bnb-4bit")
    assert "hf_download" in said
    assert "huggingface/unsloth/Qwen3-4B-Instruct-2507-bnb-4bit" in said


def test_a_slip_of_the_finger_gets_the_near_name():
    assert "openai" in hint_of("opnai/gpt-5-mini").split("Providers:")[0]
    assert "anthropic" in hint_of("antropic/claude").split("Providers:")[0]


@pytest.mark.parametrize("provider", KEYED, ids=lambda p: p.id)
def test_a_missing_key_names_the_variable_and_the_page(provider):
    env = full_environment()
    del env[provider.key_variables[0]]
    with pytest.raises(MissingKey) as caught:
        providers.preflight(provider, env)
    assert provider.key_variables[0] in caught.value.message
    assert provider.key_url in caught.value.hint
    # The file is read at every run; only the environment is the process's own.
    assert ".env, and run again" in caught.value.hint
    assert "OPENAI_API_KEY" not in str(caught.value) or provider.id == "openai"
    assert not providers.key_status(provider, env).configured


@pytest.mark.parametrize("provider", providers.every(), ids=lambda p: p.id)
def test_each_provider_gets_its_own_key_and_address(provider):
    access = providers.preflight(provider, full_environment())
    assert access.api_key == Secret(f"key-of-{provider.id}")
    assert access.base_url.startswith("http")
    assert "{" not in access.base_url
    assert access.params["custom_llm_provider"] == provider.litellm_prefix
    assert access.is_local is provider.is_local
    assert f"key-of-{provider.id}" not in repr(access)
    assert providers.key_status(provider, full_environment()).source == "environment"


def test_what_runs_here_needs_no_key():
    for name in ("ollama", "lm_studio", "hosted_vllm"):
        assert providers.preflight(providers.get(name), {}).api_key is None


def test_the_session_wins_over_the_environment_and_gemini_over_google():
    gemini = providers.get("gemini")
    env = {"GOOGLE_API_KEY": "from-google"}
    assert providers.preflight(gemini, env).api_key == Secret("from-google")
    assert providers.preflight(gemini, env).key_variable == "GOOGLE_API_KEY"
    env["GEMINI_API_KEY"] = "from-gemini"
    assert providers.preflight(gemini, env).api_key == Secret("from-gemini")
    assert providers.preflight(gemini, env, Secret("typed")).api_key == Secret("typed")


def test_a_planted_openai_variable_is_nobody_elses():
    env = {
        "OPENAI_API_KEY": "sk-openai",
        "OPENAI_BASE_URL": "http://evil.example",
        "OPENAI_API_BASE": "http://e",
    }
    assert providers.preflight(providers.get("openai"), env).base_url == "https://api.openai.com/v1"
    for name in ("lm_studio", "hosted_vllm", "ollama"):
        access = providers.preflight(providers.get(name), env)
        assert access.api_key is None
        assert "evil" not in access.base_url


def test_bases_are_read_where_there_is_a_variable():
    ollama = providers.get("ollama")
    assert (
        providers.preflight(ollama, {"OLLAMA_API_BASE": "0.0.0.0:11434"}).base_url == "http://127.0.0.1:11434"
    )
    remote = providers.preflight(ollama, {"OLLAMA_API_BASE": "https://box.example/"})
    assert (remote.base_url, remote.is_local) == ("https://box.example", False)
    with pytest.raises(NotConfigured, match="OLLAMA_API_BASE"):
        providers.preflight(ollama, {"OLLAMA_API_BASE": "ftp://x"})


def test_azure_and_bedrock_name_what_else_they_need():
    azure, bedrock = providers.get("azure"), providers.get("bedrock")
    place = {"AZURE_API_KEY": "k", "AZURE_API_BASE": "https://a"}
    assert providers.preflight(azure, place).params["api_version"] == "2024-10-21"
    other = providers.preflight(azure, {**place, "AZURE_API_VERSION": "2025-01-01-preview"})
    assert other.params["api_version"] == "2025-01-01-preview"
    with pytest.raises(NotConfigured, match="AZURE_API_BASE"):
        providers.preflight(azure, {"AZURE_API_KEY": "k", "AZURE_API_VERSION": "v"})
    with pytest.raises(MissingKey, match="AWS_SECRET_ACCESS_KEY is not set"):
        providers.preflight(bedrock, {"AWS_ACCESS_KEY_ID": "a", "AWS_REGION": "r"})
    with pytest.raises(NotConfigured, match="AWS_REGION"):
        providers.preflight(bedrock, {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"})
    env = {
        "AWS_ACCESS_KEY_ID": "AKIA-planted",
        "AWS_SECRET_ACCESS_KEY": "very-secret",
        "AWS_SESSION_TOKEN": "session",
        "AWS_DEFAULT_REGION": "eu-north-1",
    }
    access = providers.preflight(bedrock, env)
    assert access.base_url == "https://bedrock-runtime.eu-north-1.amazonaws.com"
    assert access.params["aws_secret_access_key"] == Secret("very-secret")
    assert access.params["aws_session_token"] == Secret("session")
    assert "secret" not in str(access.params.values())
