"""Set-up by questions and answers: what is written, and what never is."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from wire.lists import list_server

from quillwork.config import own_server, providers
from quillwork.config.access import consent
from quillwork.config.models import sizes
from quillwork.config.models.catalog import catalog
from quillwork.config.settings import values as settings_module
from quillwork.config.settings.home import use_llm_folders
from quillwork.config.settings.values import load
from quillwork.interfaces.cli.wizard import Wizard

NOTHING_THERE = "http://127.0.0.1:9"
Run = Callable[..., str]


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.startswith(("LLM_", "LITELLM_", "OLLAMA_")) or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("QUILLWORK_HOME", str(tmp_path))
    monkeypatch.setattr(own_server, "USUAL", ())
    for name in ("OLLAMA_API_BASE", "LM_STUDIO_API_BASE", "HOSTED_VLLM_API_BASE"):
        monkeypatch.setenv(name, NOTHING_THERE)
    monkeypatch.setattr(settings_module, "_overrides", {})
    use_llm_folders(lambda: ())
    catalog.forget()
    return tmp_path


@pytest.fixture
def wizard(home) -> Run:
    """Return a function that runs the wizard with given answers and returns its output.

    More questions than answers are a failure.
    """

    def run(*answers: str) -> str:
        said: list[str] = []
        waiting = list(answers)

        def ask(question: str) -> str:
            said.append(question)
            assert waiting, "\n".join(said)
            return waiting.pop(0)

        Wizard(home, ask, said.append).run()
        assert not waiting, "not all was asked:\n" + "\n".join(said)
        return "\n".join(said)

    return run


def written(home) -> list[str]:
    file = home / ".env"
    return file.read_text().splitlines() if file.exists() else []


def test_a_provider_is_chosen_and_its_key_is_only_told_of(wizard, home):
    remote = [row.id for row in providers.every() if not row.is_local]
    said = wizard("3", str(remote.index("anthropic") + 1), "", "n", "y")
    assert written(home) == [f"LLM_MODEL=anthropic/{providers.get('anthropic').models[0]}"]
    assert ("set " if os.name == "nt" else "export ") + "ANTHROPIC_API_KEY=..." in said
    assert providers.get("anthropic").key_url in said
    assert "KEY" not in "\n".join(written(home))
    assert not consent.is_allowed("anthropic", load())


def test_a_provider_that_is_not_shown_is_chosen_by_its_name(wizard, home):
    said = wizard("3", "atlantis", "scaleway", "some-model", "n", "y")
    assert "No provider matches 'atlantis'." in said
    assert written(home) == ["LLM_MODEL=scaleway/some-model"]
    assert "SCW_SECRET_KEY=" in said
    wizard("3", "Grok", "grok-4", "n", "y")
    assert written(home) == ["LLM_MODEL=xai/grok-4"]


def test_a_part_of_a_name_lists_what_matches_and_a_wrong_one_suggests_the_nearest(wizard, home):
    said = wizard("3", "Qwen", "2", "some-model", "n", "y")
    assert "   1  Alibaba DashScope (Qwen) (dashscope)" in said
    assert written(home) == ["LLM_MODEL=qwen_ai_platform/some-model"]
    said = wizard("3", "cerebrs", "cereb", "some-model", "n", "y")
    assert "No provider matches 'cerebrs'. Did you mean Cerebras (cerebras)?" in said
    assert written(home) == ["LLM_MODEL=cerebras/some-model"]
    for typed, id in {"kimi": "moonshot", "HF_TOKEN": "huggingface", "doubao": "volcengine"}.items():
        wizard("3", typed, "some-model", "n", "y")
        assert written(home) == [f"LLM_MODEL={id}/some-model"]


def test_a_yes_to_other_peoples_workflows_is_kept(wizard, home):
    wizard("3", "1", "", "y", "y")
    assert consent.is_allowed(next(row.id for row in providers.every() if not row.is_local), load())


def test_a_provider_says_all_that_it_needs(wizard):
    remote = [row.id for row in providers.every() if not row.is_local]
    said = wizard("3", str(remote.index("azure") + 1), "my-deployment", "n", "n")
    assert "AZURE_API_KEY=" in said
    assert "AZURE_API_VERSION=" in said
    assert "AZURE_API_BASE=" in said


def test_an_endpoint(wizard, home):
    (home / ".env").write_text("LLM_MODE=phrasebook\nOPENAI_API_KEY=mine\n")
    said = wizard("2", "http://127.0.0.1:9000/v1", "fox", "")
    assert sorted(written(home)) == [
        "LLM_BASE_URL=http://127.0.0.1:9000/v1",
        "LLM_MODEL=fox",
        "OPENAI_API_KEY=mine",
    ]
    assert "LLM_API_KEY=..." in said


BASE = "http://127.0.0.1:9000/v1"


@pytest.mark.parametrize(
    ("typed", "read_as"),
    [
        ("http://127.0.0.1:9000/v1", BASE),
        ("http://127.0.0.1:9000/v1/chat/completions", BASE),
        ("http://127.0.0.1:9000/v1/models", BASE),
        ("http://127.0.0.1:9000/v1/completions/", BASE),
        ("http://127.0.0.1:9000/v1/responses", BASE),
        ("http://127.0.0.1:9000/v1#", BASE),
        ("http://127.0.0.1:9000/api/chat", BASE),
        ("http://127.0.0.1:9000/api/tags", BASE),
        ('"http://127.0.0.1:9000/v1/chat/completions"', BASE),
        ("“http://127.0.0.1:9000/v1/models”", BASE),
        ('"http://127.0.0.1:9000/v1"', BASE),
        ("<http://127.0.0.1:9000/v1/models>", BASE),
        ("LLM_BASE_URL=http://127.0.0.1:9000/v1", BASE),
        ("export OPENAI_BASE_URL=http://127.0.0.1:9000/v1", BASE),
        ("set LLM_BASE_URL=http://127.0.0.1:9000/v1", BASE),
        ("$env:LLM_BASE_URL = 'http://127.0.0.1:9000/v1'", BASE),
        ("curl http://127.0.0.1:9000/v1/chat/completions -H 'x: y'", BASE),
        ("http:/127.0.0.1:9000/v1/models", BASE),
        ("http://http://127.0.0.1:9000/v1", BASE),
        ("http://0.0.0.0:9000/v1", BASE),
        ("Uvicorn running on http://0.0.0.0:9000 (Press CTRL+C to quit)", BASE),
        (
            "https://name.openai.azure.com/openai/deployments/fox/chat/completions?api-version=2024-10-21",
            "https://name.openai.azure.com/openai/deployments/fox?api-version=2024-10-21",
        ),
    ],
)
def test_a_pasted_address_is_mended_told_and_written(wizard, home, typed, read_as):
    said = wizard("2", typed, "fox", "y")
    assert sorted(written(home)) == [f"LLM_BASE_URL={read_as}", "LLM_MODEL=fox"]
    assert (f"It is read as {read_as}." in said) == (typed.strip('"') != read_as)


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-0123456789abcdefghij",
        "Bearer sk-0123456789abcdefghij",
        "OPENAI_API_KEY=sk-0123456789abcdefghij",
        "export GROQ_API_KEY='gsk_0123456789abcdefghij'",
        "hf_0123456789abcdefghij",
        "AIzaSyA0123456789abcdefghij",
        "0123456789abcdef0123456789abcdef0123456789abcdef",
    ],
)
def test_a_pasted_key_is_neither_written_nor_repeated(wizard, home, key):
    said = wizard("2", key, "http://127.0.0.1:9000/v1", key, "fox", "y")
    assert said.count("That looks like a key.") == 2
    assert key not in said
    assert sorted(written(home)) == ["LLM_BASE_URL=http://127.0.0.1:9000/v1", "LLM_MODEL=fox"]


@pytest.mark.parametrize("typed", ["LLM_MODEL=fox", "export LLM_MODEL='fox'", '"fox"', "model: fox", "`fox`"])
def test_a_pasted_model_is_mended(wizard, home, typed):
    assert "It is read as fox." in wizard("2", "http://127.0.0.1:9000/v1", typed, "y")
    assert "LLM_MODEL=fox" in written(home)


def test_ollama_that_runs_shows_its_own_models(wizard, home, monkeypatch):
    with list_server() as lists:
        lists.answers = {"/api/tags": {"models": [{"name": "qwen3:4b"}, {"name": "tiny:latest"}]}}
        monkeypatch.setenv("OLLAMA_API_BASE", lists.url)
        said = wizard("1", "2", "y")
    assert "(2 models)" in said
    assert written(home) == ["LLM_MODEL=ollama/tiny"]


def test_ollama_that_does_not_run_is_told(wizard, home):
    said = wizard("", "", "")
    assert "not running" in said
    assert "https://ollama.com/download" in said
    assert written(home) == [f"LLM_MODEL=ollama/{providers.get('ollama').models[0]}"]


def test_a_download_needs_a_yes_of_its_own(wizard, home):
    wizard("4", "5", "org/name", "n", "y")
    assert written(home) == ["LLM_MODE=hf_download", "LLM_MODEL=org/name"]
    assert not consent.is_allowed(consent.DOWNLOADS, load())
    wizard("4", "", "y", "y")
    assert consent.is_allowed(consent.DOWNLOADS, load())


def test_sizes_are_offered_the_one_that_fits_first(wizard, home, monkeypatch):
    monkeypatch.setattr(sizes, "free_memory", lambda: (3.1, True))
    said = wizard("4", "", "y", "y")
    assert "3.1 GB of GPU memory are free now." in said
    assert " 1  Small: prompts in English, short lists (1.4 GB to download, needs 2.5 GB)" in said
    assert (
        "Tiny: short prompts in plain sentences (0.5 GB to download, needs 1.5 GB, 21 tokens/s on a CPU)"
        in said
    )
    assert written(home) == ["LLM_MODE=hf_download", "LLM_MODEL=unsloth/Qwen3-1.7B-bnb-4bit"]


def test_a_server_that_answers_is_offered_first(wizard, home, monkeypatch):
    with list_server() as lists:
        lists.answers = {"/v1/models": {"data": [{"id": "fox-8b"}, {"id": "owl-4b"}]}}
        monkeypatch.setattr(own_server, "USUAL", (("LM Studio", f"{lists.url}/v1"),))
        said = wizard("1", "2", "y")
    assert f" 1  LM Studio at {lists.url}/v1 (found)" in said
    assert " 2  Ollama (not running)" in said
    assert sorted(written(home)) == [f"LLM_BASE_URL={lists.url}/v1", "LLM_MODEL=owl-4b"]


def test_nothing_is_written_without_a_yes(wizard, home):
    assert "Nothing was written." in wizard("5", "n")
    assert written(home) == []


def test_odd_answers_are_asked_again(wizard, home):
    said = wizard("0", "six", "99", "5", "y")
    assert said.count("Enter one of the numbers.") == 3
    assert written(home) == ["LLM_MODE=phrasebook"]
