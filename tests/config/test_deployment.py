"""Deployments out of choices, and the choices that a workflow may not make unasked."""

from __future__ import annotations

import traceback

import pytest

from quillwork.config.access import consent
from quillwork.config.access.session_keys import endpoint_id, session_keys
from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.opening import effective, library_folders, open_model, sampling_of
from quillwork.config.settings.values import override
from quillwork.llm_backends.errors import ConsentNeeded, LLMError, MissingKey, NotConfigured
from quillwork.llm_backends.types import Secret

KEY = "sk-planted-0123456789abcdef"
HERE = "http://127.0.0.1:4000"


def mine(**fields) -> Choice:
    """A choice of this machine's user, as on the command line."""
    return Choice(by_workflow=False, **fields)


# -- where a call goes


def test_nothing_set_is_the_phrasebook(home):
    deployment = deploy(Choice())
    assert (deployment.backend, deployment.mode, deployment.model) == ("phrasebook", "phrasebook", "")
    assert deployment.is_local
    assert deployment.name == "Phrasebook"


def test_an_endpoint(home, env):
    env(LLM_BASE_URL=f"{HERE}/v1", LLM_API_KEY=KEY, LLM_MODEL="my-alias")
    deployment = deploy(Choice())
    assert (deployment.backend, deployment.mode, deployment.provider) == (
        "openai_compatible",
        "litellm",
        "endpoint",
    )
    assert (deployment.base_url, deployment.api_key) == (f"{HERE}/v1", Secret(KEY))
    assert (deployment.name, deployment.key_variable) == ("127.0.0.1:4000 (my-alias)", "LLM_API_KEY")
    assert deployment.is_local


def test_several_endpoints(home, env):
    env(
        LLM_BASE_URL=f"{HERE}/v1, 127.0.0.1:4001/v1/chat/completions ,http://10.0.0.7:8000/v1",
        LLM_API_KEY=KEY,
        LLM_MODEL="a",
    )
    deployment = deploy(Choice())
    assert deployment.base_url == f"{HERE}/v1"
    assert deployment.replicas == ("http://127.0.0.1:4001/v1", "http://10.0.0.7:8000/v1")
    assert deployment.api_key == Secret(KEY)
    assert not deployment.is_local, "one of them is on another machine"
    for wrong in ("ftp://x", "not a url"):
        env(LLM_BASE_URL=f"{HERE}/v1,{wrong}", LLM_API_KEY=KEY, LLM_MODEL="a")
        with pytest.raises(NotConfigured, match="is not a valid address"):
            deploy(Choice())


@pytest.mark.parametrize(
    ("url", "base", "local", "concurrency", "retries"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080", True, 16, 0),
        ("http://localhost:11434", "http://localhost:11434", True, 4, 0),
        ("http://localhost:1234/v1", "http://localhost:1234/v1", True, 4, 0),
        ("http://[::1]:8080", "http://[::1]:8080", True, 16, 0),
        ("https://api.example.com/v1", "https://api.example.com/v1", False, 16, 2),
        ("http://192.168.1.4:8000", "http://192.168.1.4:8000", False, 16, 2),
    ],
)
def test_endpoints_here_and_elsewhere(home, env, url, base, local, concurrency, retries):
    env(LLM_BASE_URL=url, LLM_MODEL="fox")
    deployment = deploy(Choice())
    assert (deployment.base_url, deployment.is_local) == (base, local)
    assert (deployment.max_concurrency, deployment.retries) == (concurrency, retries)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h/v1",
        "http://",
        "http://user:secret99@h/v1",
        "http://h:port/v1",
        "http://[::1",
        "http://h:99999",
        "://",
    ],
)
def test_addresses_that_are_none(home, env, url):
    env(LLM_BASE_URL=url, LLM_MODEL="fox")
    with pytest.raises(NotConfigured) as caught:
        deploy(Choice())
    assert "LLM_BASE_URL (from environment)" in caught.value.message
    assert "secret99" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_key_of_another_layer_does_not_go_along(home, env):
    env(LLM_API_KEY=KEY, LLM_MODEL="fox")
    (home / ".env").write_text("LLM_BASE_URL=https://elsewhere.example/v1\n")
    assert deploy(Choice()).api_key is None


def test_a_sessions_key_for_the_endpoint(home, env):
    env(LLM_BASE_URL=HERE, LLM_MODEL="fox", LLM_API_KEY="from-environment")
    session_keys.set(endpoint_id(HERE), KEY)
    assert deploy(Choice()).api_key == Secret(KEY)


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.example/v1", "http://127.0.0.1:4001/v1"])
def test_a_sessions_key_stays_with_its_server(home, env, elsewhere):
    """Another address may be written while the key is held."""
    session_keys.set(endpoint_id(HERE), KEY)
    env(LLM_BASE_URL=elsewhere, LLM_MODEL="fox")
    assert deploy(Choice()).api_key is None


def test_a_provider(home, env):
    env(OPENAI_API_KEY=KEY)
    deployment = deploy(mine(llm_model="openai/gpt-x"))
    assert (deployment.backend, deployment.mode, deployment.provider) == ("litellm", "litellm", "openai")
    assert (deployment.model, deployment.api_key, deployment.key_variable) == (
        "gpt-x",
        Secret(KEY),
        "OPENAI_API_KEY",
    )
    assert deployment.base_url.startswith("https://api.openai.com")
    assert not deployment.is_local


def test_a_model_id_is_cut_at_the_first_slash(home, env):
    env(OPENROUTER_API_KEY=KEY)
    assert deploy(mine(llm_model="openrouter/org/model")).model == "org/model"


def test_a_sessions_key_stands_above_the_environments(home, env):
    env(OPENAI_API_KEY="from-environment")
    session_keys.set("openai", KEY)
    assert deploy(mine(llm_model="openai/gpt-x")).api_key == Secret(KEY)


def test_the_key_that_was_found_is_the_one_that_is_named(home, env):
    env(GOOGLE_API_KEY=KEY)
    deployment = deploy(mine(llm_model="gemini/x"))
    assert (deployment.api_key, deployment.key_variable) == (Secret(KEY), "GOOGLE_API_KEY")


def test_a_missing_key_is_named(home):
    with pytest.raises(MissingKey) as caught:
        deploy(mine(llm_model="openai/gpt-x"))
    assert "OPENAI_API_KEY" in str(caught.value)


@pytest.mark.parametrize(
    "model", ["nonsense/x", "gpt-4", "oobabooga/http://h", "openai/http://h", "org/name"]
)
def test_ids_that_no_provider_serves(home, model):
    with pytest.raises(NotConfigured) as caught:
        deploy(mine(llm_mode="litellm", llm_model=model))
    assert caught.value.hint


def test_a_server_of_ones_own_that_stands_elsewhere_is_not_local(home, env):
    assert deploy(Choice(llm_model="ollama/fox")).is_local
    env(OLLAMA_BASE_URL="http://192.168.1.4:11434")
    deployment = deploy(Choice(llm_model="ollama/fox"))
    assert deployment.base_url == "http://192.168.1.4:11434"
    assert not deployment.is_local


def test_local_modes(home, env, tmp_path):
    env(LLM_MODE="gguf", LLM_PATH=str(tmp_path), LLM_GGUF_FILE="fox.gguf")
    deployment = deploy(Choice())
    assert (deployment.backend, deployment.model, deployment.is_local) == ("gguf", str(tmp_path), True)
    assert deployment.params["file"] == "fox.gguf"
    assert "projector" not in deployment.params
    assert deployment.retries == 0
    env(LLM_MMPROJ="mmproj-fox.gguf")
    assert deploy(Choice()).params["projector"] == "mmproj-fox.gguf"


# -- consent


def test_a_workflow_may_not_choose_a_paid_provider_unasked(home, env):
    env(OPENAI_API_KEY=KEY)
    with pytest.raises(ConsentNeeded, match="OpenAI"):
        deploy(Choice(llm_model="openai/gpt-x"))
    assert deploy(mine(llm_model="openai/gpt-x"))


def test_a_yes_opens_the_provider_and_no_other(home, env):
    env(OPENAI_API_KEY=KEY, GROQ_API_KEY=KEY)
    consent.allow("openai", home)
    assert deploy(Choice(llm_model="openai/gpt-x"))
    with pytest.raises(ConsentNeeded, match="Groq"):
        deploy(Choice(llm_model="groq/x"))
    env(LLM_ALLOW="groq")
    assert deploy(Choice(llm_model="groq/x"))


def test_consent_is_asked_before_the_key(home):
    with pytest.raises(ConsentNeeded):
        deploy(Choice(llm_model="openai/gpt-x"))


@pytest.mark.parametrize("variable", ["LLM_MODEL", "LLM_MODEL_PROMPT_GEN", "LLM_MODEL_CHAT"])
def test_a_provider_that_the_settings_name_needs_no_further_yes(home, env, variable):
    env(OPENAI_API_KEY=KEY, **{variable: "openai/gpt-y"})
    assert deploy(Choice(llm_model="openai/gpt-x")).model == "gpt-x"


def test_what_the_settings_choose_needs_no_yes(home, env):
    env(OPENAI_API_KEY=KEY, LLM_MODEL="openai/gpt-x")
    assert deploy(Choice()).model == "gpt-x"


@pytest.mark.parametrize("model", ["ollama/fox", "lm_studio/fox"])
def test_what_runs_here_needs_no_yes(home, model):
    assert deploy(Choice(llm_model=model)).is_local


def test_an_endpoint_of_the_users_needs_no_yes(home, env):
    env(LLM_BASE_URL="https://api.example.com/v1")
    assert deploy(Choice(llm_model="openai/gpt-x")).provider == "endpoint"


def test_a_mode_from_the_workflow_with_the_settings_model(home, env):
    env(OPENAI_API_KEY=KEY, LLM_MODEL="openai/gpt-x", LLM_MODE="phrasebook")
    assert deploy(Choice(llm_mode="litellm")).provider == "openai"


def test_a_fallback_from_the_workflow_is_asked_for_too(home, env):
    env(OPENAI_API_KEY=KEY, GROQ_API_KEY=KEY, LLM_MODEL="openai/gpt-x")
    with pytest.raises(ConsentNeeded, match="Groq"):
        deploy(Choice(fallback_models=("groq/x",)))


# -- fallbacks


def test_fallbacks_come_in_their_order(home, env):
    env(OPENAI_API_KEY=KEY, GROQ_API_KEY=KEY)
    deployment = deploy(mine(llm_model="openai/a", fallback_models=("groq/b", "ollama/c")))
    assert [(one.provider, one.model) for one in deployment.fallbacks] == [("groq", "b"), ("ollama", "c")]


@pytest.mark.parametrize("first", ["ollama/fox", "lm_studio/fox"])
def test_never_from_here_to_the_cloud(home, env, first):
    env(OPENAI_API_KEY=KEY)
    with pytest.raises(NotConfigured) as caught:
        deploy(mine(llm_model=first, fallback_models=("openai/gpt-x",)))
    assert "openai/gpt-x" in caught.value.message
    assert "Choose a local fallback" in caught.value.hint


def test_never_from_the_phrasebook_or_a_local_endpoint_to_the_cloud(home, env):
    env(OPENAI_API_KEY=KEY)
    with pytest.raises(NotConfigured, match="this machine"):
        deploy(mine(llm_mode="phrasebook", fallback_models=("openai/gpt-x",)))


def test_from_here_to_here(home, env):
    assert deploy(mine(llm_model="ollama/a", fallback_models=("lm_studio/b",))).fallbacks[0].is_local


def test_with_an_endpoint_fallbacks_are_other_models_of_it(home, env):
    env(LLM_BASE_URL=HERE, LLM_API_KEY=KEY, LLM_MODEL="a")
    (fallback,) = deploy(Choice(fallback_models=("b",))).fallbacks
    assert (fallback.base_url, fallback.model) == (HERE, "b")


# -- limits


def test_limits_as_a_rule(home, env):
    env(LLM_BASE_URL=HERE, LLM_MODEL="fox")
    deployment = deploy(Choice())
    assert (deployment.idle_timeout_s, deployment.total_timeout_s) == (60, 600)
    assert deployment.cache_file is None


def test_limits_of_the_settings_and_of_the_node(home, env):
    env(LLM_BASE_URL=HERE, LLM_MODEL="fox", LLM_TIMEOUT_MS="1500", LLM_MAX_CONCURRENCY="3")
    deployment = deploy(Choice())
    assert (deployment.idle_timeout_s, deployment.total_timeout_s, deployment.max_concurrency) == (1.5, 15, 3)
    deployment = deploy(Choice(timeout_s=7, retries=5))
    assert (deployment.idle_timeout_s, deployment.total_timeout_s, deployment.retries) == (7, 70, 5)
    assert deploy(Choice(retries=0)).retries == 0


def test_the_cache(home, env):
    env(LLM_BASE_URL=HERE, LLM_MODEL="fox", LLM_CACHE="Disk")
    assert deploy(Choice()).cache_file == home / "answers.sqlite"
    assert deploy(Choice(llm_mode="phrasebook")).cache_file is None
    env(LLM_CACHE="maybe")
    with pytest.raises(NotConfigured, match="LLM_CACHE") as caught:
        deploy(Choice())
    assert "off or disk" in caught.value.hint


def test_roles(home, env):
    env(LLM_BASE_URL=HERE, LLM_MODEL="a", LLM_MODEL_CHAT="b")
    assert (deploy(Choice()).model, deploy(Choice(role="chat")).model) == ("a", "b")


# -- nothing shows a key


def test_a_key_shows_in_no_deployment_and_no_error(home, env):
    planted = {f"{name}_API_KEY": KEY for name in ("OPENAI", "LLM", "GROQ", "ANTHROPIC", "GEMINI", "AZURE")}
    planted |= {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_SESSION_TOKEN": KEY,
        "AWS_REGION_NAME": "x",
    }
    env(**planted, LLM_BASE_URL="")
    shown = []
    choices = [
        mine(llm_model=model)
        for model in (
            "openai/x",
            "groq/x",
            "azure/x",
            "bedrock/x",
            "gemini/x",
            "anthropic/x",
            "nonsense/x",
            "a/b/c",
        )
    ]
    choices += [mine(llm_mode="litellm"), mine(llm_mode="nonsense"), Choice(llm_model="mistral/x")]
    env(AZURE_API_BASE="https://fox.example", AZURE_API_VERSION="1")
    for choice in choices:
        try:
            deployment = deploy(choice)
            shown += [repr(deployment), str(deployment), deployment.name, repr(open_model(choice))]
        except LLMError as error:
            shown += [str(error), repr(error), "".join(traceback.format_exception(error))]
    env(LLM_BASE_URL=HERE, LLM_MODEL="fox")
    shown += [repr(deploy(Choice())), effective(Choice())]
    assert len(shown) > 20
    assert not [text for text in shown if KEY in text]


# -- opening


def test_sampling_of_widgets():
    sampling = sampling_of(Choice())
    assert (sampling.temperature, sampling.top_p, sampling.max_tokens) == (None, None, None)
    sampling = sampling_of(Choice(temperature=0, top_p=0.5, max_tokens=9, reasoning="low", extra={"a": 1}))
    assert (sampling.temperature, sampling.top_p, sampling.max_tokens) == (0, 0.5, 9)
    assert (sampling.reasoning, sampling.extra) == ("low", {"a": 1})


def test_library_folders(home, env):
    assert library_folders() == (home / "library", ())
    env(LOCAL_LIBRARY_DIR="/own", LIBRARY_DIRS="/a,/b")
    own, others = library_folders()
    assert (str(own), [str(folder) for folder in others]) == ("/own", ["/a", "/b"])


def test_the_mark_of_what_is_in_force_moves_with_it(home, env, tmp_path):
    marks = [effective(Choice())]

    def note() -> None:
        marks.append(effective(Choice()))

    env(LLM_MODEL="fox")
    note()  # an error is a state too
    env(LLM_BASE_URL=HERE)
    note()
    env(LLM_BASE_URL=f"{HERE}/v1")
    note()
    override("LLM_MODEL", "owl")
    note()
    env(LLM_MODE="gguf", LLM_PATH=str(tmp_path), LLM_GGUF_FILE="a.gguf")
    override("LLM_MODEL", None)
    note()
    env(LLM_GGUF_FILE="b.gguf")
    note()
    assert len(set(marks)) == len(marks), marks
    assert effective(Choice()) == marks[-1]
    assert HERE not in "".join(marks)


def test_the_mark_stays_where_nothing_that_shapes_an_answer_changes(home, env):
    env(LLM_BASE_URL=HERE, LLM_MODEL="fox")
    before = effective(Choice())
    env(LLM_API_KEY=KEY, LLM_TIMEOUT_MS="5", LLM_CACHE="disk", LLM_ALLOW="x", SOMETHING="else")
    assert effective(Choice()) == before


def test_a_model_in_this_process_cannot_stand_in_for_a_remote_one(home, env):
    env(LLM_BASE_URL=f"{HERE}/v1", LLM_MODEL="fox")
    for model in ("some-file.gguf", str(home)):
        home.mkdir(parents=True, exist_ok=True)
        with pytest.raises(NotConfigured, match="inside this process"):
            deploy(mine(fallback_models=(model,)))
