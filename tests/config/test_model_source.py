"""The source of mode and model: the whole matrix of older and newer names."""

from __future__ import annotations

import uuid

import pytest

from quillwork.config.choice import Choice
from quillwork.config.model_source import DEFAULT_REPOSITORY, ModelSource, find
from quillwork.config.settings.values import load
from quillwork.llm_backends import registry
from quillwork.llm_backends.errors import NotConfigured

MODEL = {"LLM_MODEL": "org/new"}
REPO = {"LLM_REPO": "org/old"}
CLOUD = {"LLM_MODEL": "openai/gpt-x"}
ENDPOINT = {"LLM_BASE_URL": "http://127.0.0.1:4000"}
FOLDER = {"LLM_PATH": "<folder>"}
REPO_PATH = {"LLM_PATH": "org/path"}
GGUF_PATH = {"LLM_PATH": "<folder>/fox.gguf"}
GGUF_FILE = {"LLM_GGUF_FILE": "fox-q4.gguf"}
PROXY = {"LITELLM_ENABLED": "1"}


def mode(name: str) -> dict[str, str]:
    return {"LLM_MODE": name}


# (what is set, mode, model, file), or a piece of the error's text instead of the last three.
MATRIX = [
    # no mode
    ({}, "phrasebook", "", ""),
    (REPO, "hf_download", "org/old", ""),
    (MODEL, "hf_download", "org/new", ""),
    (MODEL | REPO, "hf_download", "org/new", ""),
    (CLOUD, "litellm", "openai/gpt-x", ""),
    (CLOUD | REPO, "litellm", "openai/gpt-x", ""),
    (CLOUD | FOLDER, "litellm", "openai/gpt-x", ""),
    ({"LLM_MODEL": "openrouter/org/model"}, "litellm", "openrouter/org/model", ""),
    ({"LLM_MODEL": "sap/gpt-4o"}, "sap is not called"),
    ({"LLM_MODEL": "github_copilot/gpt-4o"}, "logs in by itself"),
    ({"LLM_MODEL": "sap/gpt-4o"} | mode("hf_download"), "hf_download", "sap/gpt-4o", ""),
    ({"LLM_MODEL": "sap/gpt-4o"} | ENDPOINT, "litellm", "sap/gpt-4o", ""),
    # Organisations on the hub that are called like a provider.
    ({"LLM_MODEL": "openai/gpt-oss-20b"}, "hf_download", "openai/gpt-oss-20b", ""),
    ({"LLM_MODEL": "openai/whisper-large-v3"}, "hf_download", "openai/whisper-large-v3", ""),
    ({"LLM_MODEL": "openai/gpt-5-mini"}, "litellm", "openai/gpt-5-mini", ""),
    ({"LLM_MODEL": "google/gemma-3-4b-it"}, "hf_download", "google/gemma-3-4b-it", ""),
    ({"LLM_MODEL": "google/gemini-3.5-flash"}, "litellm", "google/gemini-3.5-flash", ""),
    ({"LLM_MODEL": "gemini/gemma-3-27b-it"}, "litellm", "gemini/gemma-3-27b-it", ""),
    ({"LLM_MODEL": "groq/openai/gpt-oss-20b"}, "litellm", "groq/openai/gpt-oss-20b", ""),
    ({"LLM_MODEL": "mistralai/Ministral-8B"}, "hf_download", "mistralai/Ministral-8B", ""),
    (mode("litellm") | {"LLM_MODEL": "google/gemma-3-4b-it"}, "litellm", "google/gemma-3-4b-it", ""),
    (ENDPOINT | {"LLM_MODEL": "openai/gpt-oss-20b"}, "litellm", "openai/gpt-oss-20b", ""),
    ({"LLM_MODEL": "<folder>"}, "hf_local", "<folder>", ""),
    ({"LLM_MODEL": "<folder>/fox.gguf"}, "gguf", "<folder>/fox.gguf", ""),
    ({"LLM_MODEL": "<folder>/FOX.GGUF"}, "gguf", "<folder>/FOX.GGUF", ""),
    ({"LLM_MODEL": "no-such"}, "was not found"),
    ({"LLM_MODEL": "a/b/c"}, "was not found"),
    ({"LLM_MODEL": "http://h/x"}, "was not found"),
    (FOLDER, "hf_local", "<folder>", ""),
    (REPO_PATH, "hf_download", "org/path", ""),
    (GGUF_PATH, "gguf", "<folder>/fox.gguf", ""),
    (FOLDER | GGUF_FILE, "gguf", "<folder>", "fox-q4.gguf"),
    (REPO_PATH | GGUF_FILE, "gguf", "org/path", "fox-q4.gguf"),
    (FOLDER | REPO, "hf_local", "<folder>", ""),
    (REPO_PATH | REPO, "hf_download", "org/path", ""),
    (GGUF_FILE, "phrasebook", "", ""),
    (ENDPOINT, "No model is chosen for the endpoint in LLM_BASE_URL"),
    (ENDPOINT | MODEL, "litellm", "org/new", ""),
    (ENDPOINT | {"LLM_MODEL": "my alias:1"}, "litellm", "my alias:1", ""),
    (ENDPOINT | CLOUD, "litellm", "openai/gpt-x", ""),
    (ENDPOINT | REPO, "No model is chosen for the endpoint"),
    (ENDPOINT | FOLDER, "hf_local", "<folder>", ""),
    (PROXY | {"LLM_MODEL": "alias"}, "litellm", "alias", ""),
    (PROXY, "No model is chosen for the endpoint in LITELLM_ENABLED"),
    # hf_download
    (mode("hf_download"), "hf_download", DEFAULT_REPOSITORY, ""),
    (mode("hf_download") | REPO, "hf_download", "org/old", ""),
    (mode("hf_download") | MODEL, "hf_download", "org/new", ""),
    (mode("hf_download") | MODEL | REPO, "hf_download", "org/new", ""),
    (mode("hf_download") | FOLDER, "hf_download", DEFAULT_REPOSITORY, ""),
    (mode("hf_download") | REPO | ENDPOINT, "hf_download", "org/old", ""),
    (mode("hf_download") | REPO | PROXY, "hf_download", "org/old", ""),
    # hf_local
    (mode("hf_local"), "hf_local needs a folder"),
    (mode("hf_local") | FOLDER, "hf_local", "<folder>", ""),
    (mode("hf_local") | FOLDER | MODEL, "hf_local", "<folder>", ""),
    (mode("hf_local") | FOLDER | REPO, "hf_local", "<folder>", ""),
    (mode("hf_local") | {"LLM_MODEL": "<folder>"}, "hf_local", "<folder>", ""),
    (mode("hf_local") | {"LLM_REPO": "<folder>"}, "hf_local", "<folder>", ""),
    # gguf
    (mode("gguf"), "gguf needs a file"),
    (mode("gguf") | GGUF_PATH, "gguf", "<folder>/fox.gguf", ""),
    (mode("gguf") | FOLDER | GGUF_FILE, "gguf", "<folder>", "fox-q4.gguf"),
    (mode("gguf") | REPO_PATH | GGUF_FILE, "gguf", "org/path", "fox-q4.gguf"),
    (mode("gguf") | REPO_PATH | GGUF_FILE | MODEL, "gguf", "org/path", "fox-q4.gguf"),
    (mode("gguf") | {"LLM_MODEL": "org/repo"} | GGUF_FILE, "gguf", "org/repo", "fox-q4.gguf"),
    (mode("gguf") | {"LLM_MODEL": "<folder>/fox.gguf"}, "gguf", "<folder>/fox.gguf", ""),
    # host_encoder, by both names
    (mode("host_encoder"), "host_encoder", "", ""),
    (mode("z_image"), "host_encoder", "", ""),
    (mode("z_image") | REPO | MODEL | FOLDER, "host_encoder", "", ""),
    # phrasebook
    (mode("phrasebook") | CLOUD | ENDPOINT, "phrasebook", "", ""),
    # litellm
    (mode("litellm"), "No model is chosen for the mode litellm"),
    (mode("litellm") | REPO, "LLM_REPO names a model to download"),
    (mode("litellm") | CLOUD, "litellm", "openai/gpt-x", ""),
    (mode("litellm") | CLOUD | REPO | FOLDER, "litellm", "openai/gpt-x", ""),
    (mode("litellm") | ENDPOINT | {"LLM_MODEL": "alias"}, "litellm", "alias", ""),
    (mode("litellm") | ENDPOINT, "No model is chosen for the endpoint"),
    # written differently
    (mode("auto") | MODEL, "hf_download", "org/new", ""),
    (mode("LiteLLM") | CLOUD, "litellm", "openai/gpt-x", ""),
    (mode("GGUF") | {"LLM_MODEL": "org/repo"}, "gguf", "org/repo", ""),
    (mode("HF_LOCAL") | FOLDER, "hf_local", "<folder>", ""),
    (mode("nonsense"), "phrasebook", "", ""),
    (mode("nonsense") | FOLDER, "hf_local", "<folder>", ""),
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "fox.gguf").write_bytes(b"")
    return str(tmp_path / "model")


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: "+".join(row[0]) + "=" + "/".join(row[0].values()))
def test_settings_alone(home, env, folder, row):
    variables, *expected = row
    env(**{name: text.replace("<folder>", folder) for name, text in variables.items()})
    if len(expected) == 1:
        with pytest.raises(NotConfigured) as caught:
            find(Choice(), load())
        assert expected[0] in caught.value.message
        assert caught.value.hint
        return
    wanted_mode, model, file = (text.replace("<folder>", folder) for text in expected)
    assert find(Choice(), load()) == ModelSource(wanted_mode, model, file)


# (widgets, what is set, mode, model, file)
WIDGETS = [
    ({"llm_model": "openai/gpt-x"}, {}, "litellm", "openai/gpt-x", ""),
    ({"llm_model": "openai/gpt-x"}, MODEL | REPO | FOLDER, "litellm", "openai/gpt-x", ""),
    ({"llm_model": " ollama/fox "}, mode("phrasebook"), "litellm", "ollama/fox", ""),
    ({"llm_model": "ollama/fox"}, mode("z_image"), "litellm", "ollama/fox", ""),
    ({"llm_model": "org/widget"}, mode("hf_download") | MODEL, "hf_download", "org/widget", ""),
    ({"llm_mode": "phrasebook"}, mode("litellm") | CLOUD, "phrasebook", "", ""),
    ({"llm_mode": "litellm"}, mode("hf_download") | CLOUD, "litellm", "openai/gpt-x", ""),
    ({"llm_mode": "z_image"}, CLOUD, "host_encoder", "", ""),
    ({"llm_mode": "auto"}, mode("hf_local") | FOLDER, "hf_local", "<folder>", ""),
    ({"llm_mode": "hf_local", "llm_model": "<folder>"}, {"LLM_PATH": "/other"}, "hf_local", "<folder>", ""),
    ({"llm_mode": "hf_local", "llm_model": "org/widget"}, FOLDER, "hf_local", "org/widget", ""),
    ({"llm_mode": "gguf", "llm_model": "org/widget"}, GGUF_PATH, "gguf", "org/widget", ""),
    ({"llm_mode": "gguf", "llm_model": "a.gguf"}, FOLDER | GGUF_FILE, "gguf", "a.gguf", ""),
    ({"role": "chat"}, CLOUD | {"LLM_MODEL_CHAT": "groq/chat"}, "litellm", "groq/chat", ""),
    ({"role": "chat"}, CLOUD | {"LLM_MODEL_PROMPT_GEN": "groq/gen"}, "litellm", "openai/gpt-x", ""),
    ({}, CLOUD | {"LLM_MODEL_PROMPT_GEN": "groq/gen"}, "litellm", "groq/gen", ""),
    ({"llm_model": "groq/own"}, CLOUD | {"LLM_MODEL_PROMPT_GEN": "groq/gen"}, "litellm", "groq/own", ""),
]


@pytest.mark.parametrize("row", WIDGETS, ids=lambda row: str(row[0]) + "+".join(row[1]))
def test_widgets_stand_above_the_settings(home, env, folder, row):
    widgets, variables, *expected = row
    env(**{name: text.replace("<folder>", folder) for name, text in variables.items()})
    widgets = {name: text.replace("<folder>", folder) for name, text in widgets.items()}
    wanted_mode, model, file = (text.replace("<folder>", folder) for text in expected)
    source = find(Choice(**widgets), load())
    assert (source.mode, source.model, source.file) == (wanted_mode, model, file)


def test_a_mode_that_a_node_asks_for_and_that_is_none_is_an_error(home):
    with pytest.raises(NotConfigured, match="no mode 'nonsense'") as caught:
        find(Choice(llm_mode="nonsense"), load())
    assert "phrasebook" in caught.value.hint


def test_a_mode_that_is_set_and_that_is_none_is_warned_of_once(home, env, caplog):
    env(LLM_MODE="nonsense")
    for _ in range(2):
        find(Choice(), load())
    assert caplog.text.count("'nonsense' (from environment), which is not a mode") == 1


def test_the_older_name_is_warned_of_once(home, env, caplog):
    env(LLM_REPO="org/old")
    for _ in range(2):
        find(Choice(), load())
    assert caplog.text.count("LLM_REPO still works, but is now called LLM_MODEL") == 1


def test_the_older_name_is_silent_where_the_newer_one_wins(home, env, caplog):
    env(LLM_REPO="org/old", LLM_MODEL="org/new")
    find(Choice(), load())
    assert "LLM_REPO" not in caplog.text


def test_another_packs_mode_is_a_mode(home, env):
    name = f"pack-{uuid.uuid4().hex[:8]}"
    registry.register(name, object)
    assert find(Choice(llm_mode=name), load()).mode == name
    env(LLM_MODE=name)
    assert find(Choice(), load()).mode == name


@pytest.mark.parametrize(
    ("choice", "from_workflow"),
    [
        (Choice(), False),
        (Choice(llm_model="ollama/fox"), True),
        (Choice(llm_mode="litellm"), True),
        (Choice(llm_mode="auto", llm_model="  "), False),
        (Choice(llm_model="ollama/fox", by_workflow=False), False),
    ],
)
def test_what_came_out_of_a_graph_is_marked(home, env, choice, from_workflow):
    env(LLM_MODEL="ollama/fox")
    assert find(choice, load()).from_workflow is from_workflow


def test_a_key_in_the_environment_chooses_no_provider(home, env):
    env(OPENAI_API_KEY="sk-1", ANTHROPIC_API_KEY="sk-2", GEMINI_API_KEY="x")
    assert find(Choice(), load()).mode == "phrasebook"


def test_no_model_for_litellm_gives_examples(home, env):
    env(LLM_MODE="litellm")
    with pytest.raises(NotConfigured) as caught:
        find(Choice(), load())
    assert "ollama/" in caught.value.hint
    assert "LLM_MODEL" in caught.value.hint


@pytest.mark.parametrize("chosen", ["auto", "litellm", "hf_download", "hf_local", "gguf"])
@pytest.mark.parametrize("long", ["x" * 5000, "openai/" + "x" * 5000, "org/" + "a b " * 1250])
def test_a_text_in_a_models_place_is_not_echoed(chosen, long):
    with pytest.raises(NotConfigured) as caught:
        find(Choice(llm_mode=chosen, llm_model=long), load())
    assert len(str(caught.value)) < 500
    assert "characters" in caught.value.message


@pytest.mark.parametrize("chosen", ["auto", "litellm", "hf_download", "gguf"])
@pytest.mark.parametrize("before", ["", "openai/", "endpoint:"])
def test_a_key_in_a_models_place_is_refused_and_not_echoed(env, chosen, before):
    env(LLM_BASE_URL="http://127.0.0.1:9/v1")
    key = "sk-abcdef1234567890abcdef1234567890"
    with pytest.raises(NotConfigured) as caught:
        find(Choice(llm_mode=chosen, llm_model=before + key), load())
    assert "abcdef" not in str(caught.value)
    assert "looks like a key" in caught.value.message
