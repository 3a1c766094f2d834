"""Permission for downloads, and their folder."""

from __future__ import annotations

import pytest

from quillwork.config.access import consent
from quillwork.config.access.session_keys import session_keys
from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.models import local_models
from quillwork.config.settings import home as home_module
from quillwork.config.settings.home import use_llm_folders
from quillwork.llm_backends.types import Secret

OWN = Choice(by_workflow=False)


def params(choice: Choice = OWN) -> dict:
    return dict(deploy(choice).params)


def test_a_model_in_the_settings_is_no_yes(env):
    env(LLM_MODE="hf_download", LLM_MODEL="org/fox")
    assert params()["may_download"] is False


def test_the_default_model_is_no_yes(env):
    env(LLM_MODE="hf_download")
    assert params()["may_download"] is False


@pytest.mark.parametrize(
    "choice", [Choice(llm_mode="hf_download", llm_model="org/fox"), Choice(llm_model="org/fox")]
)
def test_the_wish_of_a_workflow_is_no_yes(env, choice):
    assert params(choice)["may_download"] is False
    env(LLM_ALLOW="openai,downloads")
    assert params(choice)["may_download"] is True


def test_a_yes_of_this_machine_is_one(home, env):
    env(LLM_MODE="hf_download")
    consent.allow("downloads", home)
    assert params()["may_download"] is True


def test_a_yes_on_the_command_line_is_one(env):
    chosen = Choice(llm_mode="hf_download", llm_model="org/fox", by_workflow=False, may_download=True)
    assert params(chosen)["may_download"] is True


def test_other_modes_know_nothing_of_it(env):
    env(LLM_MODE="phrasebook")
    assert params() == {}
    env(LLM_MODE="hf_local", LLM_PATH="/models/fox")
    assert params() == {}


def test_where_downloads_go(home, monkeypatch, env, tmp_path):
    env(LLM_MODE="gguf", LLM_PATH="org/fox", LLM_GGUF_FILE="fox.gguf")
    monkeypatch.setattr(home_module, "_models_folder", None)
    assert params()["models_folder"] == str(home / "models")
    home_module.use_models_folder(tmp_path / "host")
    assert params()["models_folder"] == str(tmp_path / "host")


def test_the_hubs_variables_count_from_the_env_file_too(home, env):
    env(LLM_MODE="hf_download", HF_ENDPOINT="https://mirror.example")
    (home / ".env").write_text("HF_TOKEN=hf_file\nHF_HUB_OFFLINE=1\n")
    hub = params()["hub"]
    assert (hub.endpoint, hub.token, hub.offline) == ("https://mirror.example", Secret("hf_file"), True)
    session_keys.set("huggingface", "hf_panel_123456")
    assert params()["hub"].token == Secret("hf_panel_123456")
    assert "hf_panel" not in str(params())


def test_a_download_that_is_not_over_is_not_listed(tmp_path):
    folder = tmp_path / "org--fox"
    folder.mkdir()
    for name in (
        "config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors.ab.part",
    ):
        (folder / name).write_bytes(b"{}")
    use_llm_folders(lambda: [tmp_path])
    try:
        assert local_models.models() == ()
        (folder / "model-00002-of-00002.safetensors.ab.part").unlink()
        assert [model.name for model in local_models.models(refresh=True)] == ["org--fox"]
    finally:
        use_llm_folders(lambda: ())
