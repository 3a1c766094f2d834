"""Keys, addresses and lines of .env as people paste them, at every door."""

from __future__ import annotations

import logging

import pytest

from quillwork.config import own_server, providers
from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.pasted import is_key, key_in
from quillwork.config.settings import values
from quillwork.config.settings.values import load
from quillwork.llm_backends.errors import NotConfigured

KEY = "sk-proj-planted_0123456789"
AROUND = [
    "{}", " {} ", "{}\n", '"{}"', "'{}'", "`{}`", "“{}”", "{},", "{};", "\ufeff{}", "\u200b{}",
    "Bearer {}", "bearer {}", "Bearer  {}", '"Bearer {}"', "Authorization: Bearer {}", "x-api-key: {}",
    "api-key: {}", "api_key={}", "api_key: '{}'", "OPENAI_API_KEY={}", 'OPENAI_API_KEY="{}"',
    "OPENAI_API_KEY: {}", "export OPENAI_API_KEY={}", 'export OPENAI_API_KEY="{}"', "set OPENAI_API_KEY={}",
    'set "OPENAI_API_KEY={}"', "$env:OPENAI_API_KEY={}", '$env:OPENAI_API_KEY="{}"',
    "$env:OPENAI_API_KEY = '{}'", 'setx OPENAI_API_KEY "{}"', '"OPENAI_API_KEY": "{}",', "HF_TOKEN={}",
    "<{}>", "{}\r\n# my key", "{} # mine", "ENV OPENAI_API_KEY={}", 'os.environ["OPENAI_API_KEY"] = "{}"',
    'const OPENAI_API_KEY = "{}";', "process.env.OPENAI_API_KEY = '{}'", "-e OPENAI_API_KEY={}",
    "AWS_BEARER_TOKEN_BEDROCK={}", '-H "Authorization: Bearer {}"',
]  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
def test_a_key_without_what_stands_around_it(around):
    assert key_in(around.format(KEY)) == KEY


@pytest.mark.parametrize(
    "key", ["none", "lm-studio", "sk-1", "AIzaSy=", "abc.def:ghi", "key-0123", "token123"]
)
def test_keys_that_look_like_something_else(key):
    assert key_in(key) == key


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        ("Bearer ", "empty"),
        ('""', "empty"),
        ("OPENAI_API_KEY=", "empty"),
        ("https://api.openai.com/v1", "an address"),
        ("LLM_API_KEY=http://127.0.0.1:1234", "an address"),
        ("sk-one two", "spaces"),
        ("sk-one\nsk-two", "line breaks"),
        ("<your key>", "place for one"),
        ("sk-...", "place for one"),
        ("sk-…", "place for one"),
        ("••••••••", "place for one"),
        ("***", "place for one"),
    ],
)
def test_what_is_no_key_is_named_and_never_repeated(text, what):
    with pytest.raises(ValueError, match=what) as caught:
        key_in(text)
    assert "sk-" not in str(caught.value) and "http" not in str(caught.value)


@pytest.fixture(autouse=True)
def fresh_warnings(monkeypatch):
    monkeypatch.setattr(values, "_warned", set())


LINES = [
    "{n}={v}", "export {n}={v}", "set {n}={v}", "SET {n}={v}", 'set "{n}={v}"', "{n}: {v}", '{n}: "{v}"',
    "{n}:{v}", "$env:{n}={v}", '$env:{n}="{v}"', "$env:{n} = '{v}'", "$Env:{n}='{v}'", 'setx {n} "{v}"',
    "  {n} : {v}", '"{n}": "{v}",', "{n}='{v}'", "{n} = {v}",
]  # fmt: skip


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("value", ["fox", "http://127.0.0.1:4000/v1"])
def test_lines_of_other_programs(home, line, value, caplog):
    caplog.set_level(logging.WARNING)
    name = "LLM_BASE_URL" if "//" in value else "LLM_MODEL"
    (home / ".env").write_text(f"X=1\n{line.format(n=name, v=value)}\nY=2\n", encoding="utf-8")
    assert load().text(name) == value
    load()
    plain = "{n}={v}", "export {n}={v}", "{n}='{v}'", "{n} = {v}"
    assert len(caplog.records) == (line not in plain), "told once"


LOCAL = "http://127.0.0.1:1234/v1"
PASTED = f'"{LOCAL}/chat/completions"'


def by_environment(home, monkeypatch, name, text):
    monkeypatch.setenv(name, text)


def by_dot_env(home, monkeypatch, name, text):
    (home / ".env").write_text(f"{name}={text}\n", encoding="utf-8")


def by_host_page(home, monkeypatch, name, text):
    monkeypatch.setattr(values, "_host_settings", ("the host's page", lambda: {name: text}))


DOORS = [by_environment, by_dot_env, by_host_page]


@pytest.mark.parametrize("door", DOORS)
def test_an_address_at_every_door(home, monkeypatch, caplog, door):
    door(home, monkeypatch, "LLM_BASE_URL", PASTED)
    for _ in range(2):
        deployment = deploy(Choice(llm_model="fox"))
    assert deployment.base_url == LOCAL
    told = [record for record in caplog.records if LOCAL in record.getMessage()]
    assert len(told) == 1 and "LLM_BASE_URL" in told[0].getMessage()


def test_the_page_and_the_setup_take_it_too():
    assert own_server.checked(PASTED) == LOCAL
    assert own_server.checked("http://localhost:11434/api/chat") == "http://localhost:11434/v1"
    assert own_server.checked("http://127.0.0.1:1234/v1#x") == LOCAL
    assert own_server.checked("http://0.0.0.0:1234/v1") == LOCAL
    assert own_server.checked("127.0.0.1:1234") == "http://127.0.0.1:1234"
    for bad in ("http://user:pass@h/v1", "http://h/v1?key=abc", "nothing at all", "http://169.254.1.1"):
        with pytest.raises(NotConfigured):
            own_server.checked(bad)


@pytest.mark.parametrize("door", DOORS[:2])
def test_a_key_at_every_door(home, monkeypatch, caplog, door):
    monkeypatch.setenv("LLM_BASE_URL", LOCAL)
    monkeypatch.delenv("LLM_API_KEY", raising=False)
    if door is by_dot_env:
        monkeypatch.delenv("LLM_BASE_URL")
        (home / ".env").write_text(f"LLM_BASE_URL={LOCAL}\nLLM_API_KEY='Bearer {KEY}'\n", encoding="utf-8")
    else:
        door(home, monkeypatch, "LLM_API_KEY", f"Bearer {KEY}")
    key = deploy(Choice(llm_model="fox")).api_key
    assert key is not None and key.reveal() == KEY
    assert KEY not in caplog.text and "LLM_API_KEY" in caplog.text


def test_a_providers_key(home, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f'OPENAI_API_KEY="{KEY}"')
    key = providers.preflight(providers.get("openai"), load().environment()).api_key
    assert key is not None and key.reveal() == KEY
    monkeypatch.setenv("OPENAI_API_KEY", "https://api.openai.com")
    with pytest.raises(NotConfigured, match=r"OPENAI_API_KEY holds no key.*an address"):
        providers.preflight(providers.get("openai"), load().environment())


@pytest.mark.parametrize(
    ("provider", "text", "base"),
    [
        ("ollama", "http://localhost:11434/api/chat", "http://localhost:11434"),
        ("ollama", "http://localhost:11434/v1", "http://localhost:11434"),
        ("ollama", "'0.0.0.0:11434'", "http://127.0.0.1:11434"),
        ("azure", "https://fox.openai.azure.com/openai/v1", "https://fox.openai.azure.com"),
        (
            "azure",
            "https://fox.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2025-01-01",
            "https://fox.openai.azure.com",
        ),
        ("hosted_vllm", "http://h:8000/v1/chat/completions", "http://h:8000/v1"),
        ("hosted_vllm", "http://h:8000", "http://h:8000/v1"),
        ("lm_studio", "http://h:1234/v1/models", "http://h:1234/v1"),
        ("bedrock", '"https://bedrock.example/x"', "https://bedrock.example/x"),
    ],
)
def test_a_providers_address(home, monkeypatch, provider, text, base):
    row = providers.get(provider)
    env = {row.base_variables[0]: text, row.key_variables[0]: KEY, "AWS_REGION": "us-east-1"}
    access = providers.preflight(row, env)
    assert access.base_url == base
    if "api-version" in text:
        assert access.params["api_version"] == "2025-01-01"


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("sk-abcdef1234567890abcdef1234567890", True),
        ("sk-proj-Ab3dEf6hIj9kLm2nOp5qRs8t", True),
        ("hf_aBcDeFgHiJkLmNoPqRsTuVwXyZ012345", True),
        ("AIzaSyA1234567890abcdefghijklmnopqrstu", True),
        ("xai-grok-4-fast-reasoning", False),
        ("pplx-70b-online", False),
        ("fw-llama-v3p1-70b-instruct", False),
        ("hf-internal-testing/tiny-random-gpt2", False),
        ("DeepSeek-R1-Distill-Llama-70B-Instruct-AWQ-int4", False),
        ("openai/gpt-5.1", False),
        ("key-model-2024-11-05-preview", False),
    ],
)
def test_a_key_where_a_model_is_wanted(name: str, is_one: bool) -> None:
    assert is_key(name) is is_one
