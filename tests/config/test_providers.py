"""The table of providers, the check of a model's id, and the preflight."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from quillwork.config import providers
from quillwork.config.providers import compatible, table
from quillwork.config.providers.table import Provider
from quillwork.llm_backends.errors import MissingKey, NotConfigured
from quillwork.llm_backends.remote.http_client import origin_of
from quillwork.llm_backends.remote.refusals import PARTS
from quillwork.llm_backends.system.loopback import leads_to_loopback
from quillwork.llm_backends.types import Secret

KEYED = [p for p in providers.every() if not p.key_optional]


def hint_of(model_id: str) -> str:
    with pytest.raises(NotConfigured) as caught:
        providers.check_model_id(model_id)
    return str(caught.value)


def key_of(provider: Provider) -> str:
    """The key that a call to `provider` is made with in a `full_environment`."""
    if provider.credentials:
        return f"-----BEGIN PRIVATE KEY-----\nkey-of-{provider.id}\n-----END PRIVATE KEY-----"
    return f"key-of-{provider.id}"


def as_given(provider: Provider) -> str:
    """The same as its variable holds it."""
    if provider.credentials != "service_account":
        return key_of(provider)
    account = {"type": "service_account", "client_email": "me@fox.example", "project_id": "fox"}
    return json.dumps({**account, "private_key": key_of(provider)})


def full_environment() -> dict[str, str]:
    env = {}
    for provider in providers.every():
        env[provider.key_variables[0]] = as_given(provider)
        if provider.default_base_url is None:
            env[provider.base_variables[0]] = f"https://{provider.id}.example.com"
        for name, variables in (*provider.needed_variables.items(), *provider.place_variables.items()):
            env[variables[0]] = provider.defaults.get(name, provider.regions[0])
    return env


def test_the_names_without_yaml_are_the_table():
    assert providers.names() == tuple(p.id for p in providers.every())
    assert len(set(providers.names())) > 100


def test_names_need_no_yaml(quillwork_root):
    code = (
        "import sys, conftest\nfrom quillwork.config import providers\nproviders.names()\n"
        "assert 'yaml' not in sys.modules, 'yaml was imported'"
    )
    subprocess.run([sys.executable, "-c", code], cwd=quillwork_root / "tests", check=True, timeout=60)


@pytest.fixture
def quillwork_root():
    return Path(providers.__file__).resolve().parents[2]


def test_every_row_is_complete():
    names = [name for p in providers.every() for name in (p.id, *p.aliases)]
    assert len(names) == len(set(names)), "an alias is used twice"
    assert not set(names) & table.refused().keys()
    labels = [p.label for p in providers.every()]
    assert len(labels) == len(set(labels)), "two rows look the same in a list"
    for provider in providers.every():
        assert provider.label
        assert provider.key_variables, provider.id
        assert provider.key_url.startswith("https://"), provider.id
        assert provider.wire in ("", "openai"), provider.id
        assert _is_safe(provider.default_base_url), provider.id
        assert (provider.retries, provider.max_concurrency) == (
            (0, 4 if provider.id in ("ollama", "lm_studio") else 16) if provider.is_local else (2, 16)
        )


def _is_safe(base: str | None) -> bool:
    return base is None or base.startswith("https://") or leads_to_loopback(base)


def test_the_fields_of_a_row_are_those_that_the_table_explains():
    text = (Path(providers.__file__).parent / "providers.yaml").read_text(encoding="utf-8")
    head = text.partition("\n\n")[0]
    explained = {word.strip(",") for line in head.splitlines() for word in line[2:19].split()}
    used = set(re.findall(r"^  (\w+):", text.partition("\n---\n")[0], re.MULTILINE))
    assert used <= explained | {"label", "aliases", "local", "concurrency", "retries", "key_optional"}


def test_a_key_is_one_providers():
    users = defaultdict(set)
    for provider in providers.every():
        for variable in (*provider.key_variables, *provider.key_pair.values()):
            users[variable].add(provider.id)
    assert {variable: ids for variable, ids in users.items() if len(ids) > 1} == {
        # The same account of Amazon's, by whichever of its two doors.
        "AWS_BEARER_TOKEN_BEDROCK": {"bedrock", "bedrock_mantle"},
        # The same account again.
        "AWS_SECRET_ACCESS_KEY": {"bedrock", "sagemaker_chat"},
    }


def test_the_names_that_users_know_are_aliases():
    known = {
        **{
            "google": "gemini",
            "grok": "xai",
            "kimi": "moonshot",
            "qwen": "dashscope",
            "doubao": "volcengine",
        },
        **{
            "zhipu": "zai",
            "hf": "huggingface",
            "aws": "bedrock",
            "together": "together_ai",
            "vllm": "hosted_vllm",
        },
    }
    assert {alias: providers.get(alias).id for alias in known} == known


@pytest.mark.parametrize(
    ("model_id", "provider", "rest"),
    [
        ("ollama/llama3.2", "ollama", "llama3.2"),
        ("openrouter/anthropic/claude-haiku-4.5", "openrouter", "anthropic/claude-haiku-4.5"),
        ("vllm/Qwen/Qwen3-4B", "hosted_vllm", "Qwen/Qwen3-4B"),
        ("google/gemini-3.5-flash", "gemini", "gemini-3.5-flash"),
        ("openai/openai/gpt-oss-20b", "openai", "openai/gpt-oss-20b"),
        ("bedrock/us.amazon.nova-lite-v1:0", "bedrock", "us.amazon.nova-lite-v1:0"),
        ("xai/grok-4", "xai", "grok-4"),
        ("cloudflare/@cf/openai/gpt-oss-20b", "cloudflare", "@cf/openai/gpt-oss-20b"),
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
    for name in ("github_copilot", "chatgpt", "custom", "petals", "triton", "langflow"):
        assert providers.split(f"{name}/model") is None


@pytest.mark.parametrize("name", sorted(table.refused()))
def test_what_is_refused_says_why(name):
    said = hint_of(f"{name}/model")
    assert table.refused()[name] in said
    assert "Hugging Face" not in said


@pytest.mark.parametrize(
    "model_id",
    [
        *(
            "Qwen/Qwen3-4B",
            "meta-llama/Llama-3.3-70B-Instruct",
            "deepseek-ai/DeepSeek-V3.2",
            "nvidia/Nano-9B",
        ),
        *("mistralai/Mistral-7B-v0.1", "moonshotai/Kimi-K2", "MiniMaxAI/MiniMax-M2", "Groq/Llama-3-Groq-8B"),
    ],
)
def test_an_organisation_of_the_hub_is_no_slip_of_the_finger(model_id):
    said = hint_of(model_id)
    assert f"huggingface/{model_id}" in said
    assert "did you mean" not in said.lower()
    assert "did you mean" not in providers.taken_for_repository(model_id)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(
            ("XAI/grok-4", "xai/grok-4"),
            ("perplexty/sonar", "perplexity/sonar"),
            ("OpenAI/gpt-5", "openai/gpt-5"),
        ),
        *(("fireworks-ai/x", "fireworks_ai/x"), ("cerebas/a/b", "cerebras/a/b")),
    ],
)
def test_the_nearest_id_is_written_out(written, meant):
    said = hint_of(written)
    assert f"Did you mean {meant}" in said
    assert "Hugging Face" not in said


def test_repositories_of_organisations_that_are_called_like_a_provider():
    for repository in ("tencent/Hunyuan-7B-Instruct", "cerebras/Cerebras-GPT-13B", "databricks/dolly-v2-3b"):
        assert providers.is_on_hub(repository)
    for model in (
        "tencent/hy4",
        "cerebras/gpt-oss-120b",
        "databricks/databricks-gpt-6-1-terra",
        "qwen/qwen3.8-max",
    ):
        assert not providers.is_on_hub(model)


def test_a_hugging_face_id_points_to_hf_download():
    said = hint_of("unsloth/Qwen3-4B-Instruct-2507-bnb-4bit")
    assert "hf_download" in said
    assert "huggingface/unsloth/Qwen3-4B-Instruct-2507-bnb-4bit" in said


def test_a_slip_of_the_finger_gets_the_near_name():
    assert "openai/gpt-5-mini" in hint_of("opnai/gpt-5-mini")
    assert "anthropic/claude" in hint_of("antropic/claude")


@pytest.mark.parametrize("provider", KEYED, ids=lambda p: p.id)
def test_a_missing_key_names_the_variable_and_the_page(provider):
    keys = {*provider.key_variables, *provider.key_pair.values()}
    env = {name: text for name, text in full_environment().items() if name not in keys}
    with pytest.raises(MissingKey) as caught:
        providers.preflight(provider, env)
    assert provider.key_variables[0] in caught.value.message
    assert provider.key_url in caught.value.hint
    # The file is read at every run; only the environment is the process's own.
    assert ".env, and run again" in caught.value.hint
    assert "OPENAI_API_KEY" not in str(caught.value).replace("AZURE_OPENAI", "") or provider.id == "openai"
    assert not providers.key_status(provider, env).configured


@pytest.mark.parametrize("provider", providers.every(), ids=lambda p: p.id)
def test_each_provider_gets_its_own_key_and_address(provider):
    access = providers.preflight(provider, full_environment())
    assert access.api_key == Secret(key_of(provider))
    assert access.base_url.startswith("http")
    assert "{" not in access.base_url
    assert access.params["custom_llm_provider"] == provider.litellm_prefix
    assert access.is_local is provider.is_local
    assert f"key-of-{provider.id}" not in repr(access)
    assert providers.key_status(provider, full_environment()).source == "environment"


def test_a_key_that_is_there_is_not_said_to_be_missing_where_something_else_is():
    base = "https://user:secret@gateway.example/v1"
    status = providers.key_status(providers.get("xai"), {"XAI_API_KEY": "k", "XAI_API_BASE": base})
    assert (status.configured, status.source) == (False, "environment")
    assert "a name or a password" in status.missing
    pair = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "Frankfurt"}
    assert providers.key_status(providers.get("bedrock"), pair).source == "environment"
    assert providers.key_status(providers.get("bedrock"), pair, Secret("typed")).source == "session"
    assert providers.key_status(providers.get("azure"), {"AZURE_API_BASE": "https://a.example"}).source == ""


@pytest.mark.parametrize(
    ("typed", "first"),
    [("claude", "anthropic"), ("gpt-5", "openai"), ("grok", "xai"), ("google", "gemini"), ("xai", "xai")],
)
def test_a_provider_is_found_by_what_people_call_it_or_by_a_model(typed, first):
    found = [row.id for row in providers.matching(typed, providers.every())]
    assert found[0] == first, found


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
    }
    assert providers.preflight(providers.get("openai"), env).base_url == "https://api.openai.com/v1"
    moved = {**env, "OPENAI_API_BASE": "https://evil.example"}
    for provider in providers.every():
        if provider.id != "openai" and provider.default_base_url:
            access = providers.preflight(provider, {**full_environment(), **moved})
            assert access.api_key != Secret("sk-openai")
            assert "evil" not in access.base_url
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
        providers.preflight(bedrock, {"AWS_ACCESS_KEY_ID": "a", "AWS_REGION": "eu-north-1"})
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


@pytest.mark.parametrize("provider", providers.every(), ids=lambda p: p.id)
def test_every_provider_can_be_moved_and_its_key_goes_along_alone(provider):
    variable = provider.id.upper().replace("-", "_") + "_API_BASE"
    env = {**full_environment(), variable: "https://moved.example/some/path/"}
    access = providers.preflight(provider, env)
    assert access.base_url == "https://moved.example/some/path"
    assert access.api_key == Secret(key_of(provider))
    others = [providers.preflight(other, env) for other in providers.every() if other != provider]
    assert not [other for other in others if "moved.example" in other.base_url]


@pytest.mark.parametrize("variable", ["FRIENDLI_API_BASE", "FIREWORKS_API_BASE", "LLAMA_API_BASE"])
def test_litellms_own_word_for_the_address_counts_too(variable):
    rows = [row for row in providers.every() if variable in row.base_variables]
    assert len(rows) == 1
    access = providers.preflight(rows[0], {**full_environment(), variable: "https://moved.example"})
    assert access.base_url == "https://moved.example"
    own = {rows[0].base_variables[0]: "https://first.example", variable: "https://moved.example"}
    assert providers.preflight(rows[0], {**full_environment(), **own}).base_url == "https://first.example"


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("http://xai.example/v1", "without encryption"),
        ("http://192.168.1.5/v1", "without encryption"),
        ("https://user:secret@xai.example", "a name or a password"),
        ("ftp://xai.example", "not a valid address"),
        ("https://xai.example/v1?key=1", "not a valid address"),
        ("https://xai.example:99999", "not a valid address"),
        ("https://[::1", "not a valid address"),
        ("https://", "not a valid address"),
        ("not a url", "not a valid address"),
    ],
)
def test_an_address_to_which_no_key_should_go_is_refused(base, said):
    with pytest.raises(NotConfigured, match=f"XAI_API_BASE.*{said}") as caught:
        providers.preflight(providers.get("xai"), {"XAI_API_KEY": "k", "XAI_API_BASE": base})
    assert "secret" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("base", "called"),
    [
        ("http://127.0.0.1:9/v1/", "http://127.0.0.1:9/v1"),
        ("localhost:9", "http://localhost:9"),
        ("gateway.example/v1", "https://gateway.example/v1"),
        ("https://gateway.example/v1/chat/completions", "https://gateway.example/v1"),
    ],
)
def test_an_address_as_people_write_it(base, called):
    env = {"XAI_API_KEY": "k", "XAI_API_BASE": base}
    assert providers.preflight(providers.get("xai"), env).base_url == called


def test_a_server_of_ones_own_may_stand_elsewhere_in_the_house():
    ollama = providers.get("ollama")
    for base in ("http://192.168.1.5:11434", "http://box:11434", "http://box.local:11434"):
        assert providers.preflight(ollama, {"OLLAMA_API_BASE": base}).base_url == base
    with pytest.raises(NotConfigured, match="without encryption"):
        providers.preflight(ollama, {"OLLAMA_API_BASE": "http://8.8.8.8:11434"})


@pytest.mark.parametrize(
    "region", ["Frankfurt", "us-east", "us-east-1.evil.example/", "x@evil.example", "evil#"]
)
def test_a_region_that_cannot_be_one(region):
    for name in ("bedrock", "bedrock_mantle"):
        with pytest.raises(NotConfigured, match="AWS_REGION is") as caught:
            providers.preflight(providers.get(name), {"AWS_BEARER_TOKEN_BEDROCK": "k", "AWS_REGION": region})
        assert "AWS_REGION" in caught.value.hint


def test_an_account_is_a_piece_of_the_address_and_no_argument():
    env = {"CLOUDFLARE_API_KEY": "k", "CLOUDFLARE_ACCOUNT_ID": "0a1b"}
    access = providers.preflight(providers.get("cloudflare"), env)
    assert access.base_url == "https://api.cloudflare.com/client/v4/accounts/0a1b/ai/v1"
    assert access.params.keys() == {"custom_llm_provider", "price_prefix", "wire"}
    with pytest.raises(NotConfigured, match="CLOUDFLARE_ACCOUNT_ID"):
        providers.preflight(providers.get("cloudflare"), {"CLOUDFLARE_API_KEY": "k"})


COMPATIBLE = [row for row in providers.every() if row.compatible]


@pytest.mark.parametrize("provider", COMPATIBLE, ids=lambda p: p.id)
def test_a_compatible_address_is_at_the_server_of_the_providers_own(provider):
    access = providers.preflight(provider, full_environment())
    assert origin_of(access.params["compatible"]["base"]) == origin_of(access.base_url)
    assert set(provider.compatible.lacks) <= {*PARTS, "tools"}
    assert not provider.wire, "it speaks the format at its own address"


@pytest.mark.parametrize("provider", COMPATIBLE, ids=lambda p: p.id)
def test_a_compatible_address_moves_with_its_provider_or_is_forgotten(provider):
    moved = {**full_environment(), provider.base_variables[0]: "https://moved.example/some/path"}
    there = providers.preflight(provider, moved).params.get("compatible")
    if provider.compatible.follows:
        assert there["base"].startswith("https://moved.example/some/path")
        return
    assert there is None, "nobody knows where it is"
    (variable,) = provider.compatible_variables
    named = {**moved, variable: "https://moved.example/openai/chat/completions"}
    access = providers.preflight(provider, named)
    assert access.params["compatible"]["base"] == "https://moved.example/openai"
    for elsewhere, said in (
        ("https://other.example/v1", "names another server than https://moved.example"),
        ("http://moved.example/v1", "without encryption"),
        ("https://user:secret@moved.example/v1", "a name or a password"),
    ):
        with pytest.raises(NotConfigured, match=f"{variable} .*{said}") as caught:
            providers.preflight(provider, {**moved, variable: elsewhere})
        assert caught.value.hint and "secret" not in str(caught.value)


def test_a_path_that_an_address_ends_with_is_not_added_again():
    env = {"HEROKU_API_KEY": "k", "HEROKU_API_BASE": "https://eu.inference.heroku.com/v1"}
    there = providers.preflight(providers.get("heroku"), env).params["compatible"]
    assert there["base"] == "https://eu.inference.heroku.com/v1"


@pytest.mark.parametrize(
    ("version", "is_known"),
    [("2024-10-21", True), ("2025-03-01-preview", True), ("v1", False), ("latest", False)],
)
def test_azures_compatible_address_is_known_for_a_dated_version(version, is_known):
    env = {"AZURE_API_KEY": "k", "AZURE_API_BASE": "https://a.example", "AZURE_API_VERSION": version}
    assert ("compatible" in providers.preflight(providers.get("azure"), env).params) == is_known
    assert compatible.is_known(providers.get("azure"), env) == is_known


def test_without_a_key_to_send_there_is_no_compatible_address():
    pair = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}
    bedrock = providers.get("bedrock")
    assert "compatible" not in providers.preflight(bedrock, pair).params
    assert not compatible.is_known(bedrock, pair)
    typed = Secret("typed-token")
    assert "compatible" in providers.preflight(bedrock, pair, typed).params
    assert compatible.is_known(bedrock, pair, typed)
