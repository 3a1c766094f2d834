"""The files of deploy/ and .env.example hold what they promise and no secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from quillwork.config.settings.variables import VARIABLES

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"

# The design's table: a promise to users, so it stands here and not only in the code.
SETTINGS = """
    LLM_MODE LLM_MODEL LLM_MODEL_PROMPT_GEN LLM_MODEL_CHAT LLM_REPO LLM_PATH LLM_GGUF_FILE LLM_MMPROJ
    LLM_DTYPE
    LLM_CUDA_GRAPH LLM_BASE_URL LLM_TRANSPORT
    LLM_API_KEY LLM_TIMEOUT_MS LLM_MAX_CONCURRENCY LLM_CACHE LLM_ALLOW LLM_PLAN LLM_PLAN_MODELS_JSON
    LLM_PLAN_SHOW_LOCKED LLM_ENABLE_OPENAI_PROXY LLM_PROXY_TOKEN LLM_SERVICE_TOKEN LLM_ALLOWED_HOSTS
    LLM_CALLBACKS LLM_CALLBACKS_CONTENT LLM_BUDGET_SESSION LLM_BUDGET_DAY LLM_BUDGET_UNPRICED
    LOCAL_LIBRARY_DIR LIBRARY_DIRS
"""
ALIASES = """
    LLM_REQUEST_TIMEOUT_MS LITELLM_ENABLED LITELLM_BASE_URL LITELLM_API_KEY OLLAMA_BASE_URL
"""
PROVIDERS = """
    XAI_API_KEY PERPLEXITY_API_KEY MOONSHOT_API_KEY ZAI_API_KEY DASHSCOPE_API_KEY OPENAI_API_BASE
    OPENAI_API_KEY ANTHROPIC_API_KEY GEMINI_API_KEY GOOGLE_API_KEY GROQ_API_KEY OPENROUTER_API_KEY
    HUGGINGFACE_API_KEY TOGETHERAI_API_KEY DEEPSEEK_API_KEY MISTRAL_API_KEY COHERE_API_KEY
    REPLICATE_API_KEY AZURE_API_KEY AZURE_API_BASE AZURE_API_VERSION AWS_ACCESS_KEY_ID
    GOOGLE_APPLICATION_CREDENTIALS WATSONX_APIKEY WATSONX_PROJECT_ID GEMINI_COMPATIBLE_BASE
    AWS_SECRET_ACCESS_KEY AWS_REGION_NAME OLLAMA_API_BASE HOSTED_VLLM_API_BASE LM_STUDIO_API_BASE
"""
OBSERVERS = "LANGFUSE_PUBLIC_KEY LANGFUSE_SECRET_KEY LANGFUSE_HOST HELICONE_API_KEY HELICONE_BASE_URL"
SECRET = re.compile(r"sk-[A-Za-z0-9]{8,}|AIza[\w-]{20,}|hf_\w{10,}|gsk_\w{10,}|AKIA[A-Z0-9]{12,}")


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((DEPLOY / "docker-compose.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def scale() -> dict:
    return yaml.safe_load((DEPLOY / "docker-compose.scale.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def proxy_config() -> dict:
    return yaml.safe_load((DEPLOY / "config.yaml.example").read_text("utf-8"))


class TestCompose:
    def test_every_published_port_is_bound_to_loopback(self, compose):
        published = [port for service in compose["services"].values() for port in service.get("ports", [])]

        assert published == ["127.0.0.1:4000:4000"]

    def test_every_image_is_pinned_to_a_release(self, compose):
        for service in compose["services"].values():
            assert re.search(r":v?\d+\.\d+\.\d+(-\w+)?$", service["image"]), service["image"]

    def test_the_proxy_is_past_the_authentication_bypass(self, compose):
        version = compose["services"]["litellm"]["image"].rpartition(":v")[2]

        assert tuple(map(int, version.split("."))) >= (1, 84, 0)

    def test_the_example_config_is_what_gets_mounted_read_only(self, compose):
        assert compose["services"]["litellm"]["volumes"] == ["./config.yaml:/app/config.yaml:ro"]
        assert "deploy/config.yaml" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
        assert "deploy/.env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()

    def test_it_is_checked_for_health_without_curl(self, compose):
        check = compose["services"]["litellm"]["healthcheck"]["test"]

        assert check[:3] == ["CMD", "python3", "-c"]
        assert "/health/liveliness" in check[3]
        compile(check[3], "healthcheck", "exec")

    def test_redis_is_optional(self, compose):
        assert compose["services"]["redis"]["profiles"] == ["redis"]
        assert "depends_on" not in compose["services"]["litellm"]

    def test_it_refuses_to_start_without_a_master_key(self, compose):
        assert compose["services"]["litellm"]["environment"]["LITELLM_MASTER_KEY"].startswith(
            "${LITELLM_MASTER_KEY:?"
        )


class TestProxyConfig:
    def test_keys_come_from_the_environment_that_compose_passes_on(self, proxy_config, compose):
        passed = compose["services"]["litellm"]["environment"]
        references = [
            value
            for model in proxy_config["model_list"]
            for name, value in model["litellm_params"].items()
            if name in ("api_key", "api_base")
        ]
        references.append(proxy_config["general_settings"]["master_key"])

        assert references
        for reference in references:
            source, _, name = reference.partition("/")
            assert source == "os.environ"
            assert name in passed

    def test_fallbacks_are_a_list_that_names_aliases_of_the_file(self, proxy_config):
        aliases = {model["model_name"] for model in proxy_config["model_list"]}
        fallbacks = proxy_config["litellm_settings"]["fallbacks"]

        assert isinstance(fallbacks, list)
        named = {
            name for entry in fallbacks for source, targets in entry.items() for name in (source, *targets)
        }
        assert named <= aliases

    def test_nothing_falls_back_from_this_machine_to_a_provider(self, proxy_config):
        local = {
            model["model_name"]
            for model in proxy_config["model_list"]
            if model["litellm_params"]["model"].startswith(("ollama", "hosted_vllm", "lm_studio"))
        }

        assert local
        assert not local & {
            source for entry in proxy_config["litellm_settings"]["fallbacks"] for source in entry
        }

    def test_retries_and_a_timeout_are_set(self, proxy_config):
        assert proxy_config["litellm_settings"]["num_retries"] >= 1
        assert proxy_config["litellm_settings"]["request_timeout"] > 0


class TestScale:
    def test_its_images_are_those_of_the_other(self, scale, compose):
        ours = {service["image"] for service in scale["services"].values()}

        assert ours == {service["image"] for service in compose["services"].values()}

    def test_every_published_port_is_bound_to_loopback(self, scale):
        published = [port for service in scale["services"].values() for port in service.get("ports", [])]

        assert published == ["127.0.0.1:4000:4000", "127.0.0.1:4001:4000"]

    def test_both_proxies_are_given_all_that_the_config_names(self, scale):
        named = re.findall(r"os\.environ/(\w+)", (DEPLOY / "config.scale.yaml.example").read_text("utf-8"))

        assert len(set(named)) == 8
        for proxy in ("proxy-1", "proxy-2"):
            assert set(named) <= scale["services"][proxy]["environment"].keys()

    def test_all_servers_are_one_model(self):
        config = yaml.safe_load((DEPLOY / "config.scale.yaml.example").read_text("utf-8"))

        assert {model["model_name"] for model in config["model_list"]} == {"captioner"}
        assert len({model["litellm_params"]["api_base"] for model in config["model_list"]}) == 4


class TestEnvironmentExample:
    def lines(self) -> list[str]:
        return (ROOT / ".env.example").read_text("utf-8").splitlines()

    def names(self) -> list[str]:
        return [match[1] for line in self.lines() if (match := re.match(r"#?([A-Z][A-Z0-9_]+)=", line))]

    def test_it_names_exactly_the_settings_there_are(self):
        known = f"{SETTINGS} {ALIASES} {PROVIDERS} {OBSERVERS} QUILLWORK_HOME"
        assert sorted(self.names()) == sorted(known.split())

    def test_the_settings_of_the_code_are_those_of_the_promise(self):
        assert sorted(VARIABLES) == sorted(SETTINGS.split())
        assert {alias for variable in VARIABLES.values() for alias in variable.aliases} <= set(
            ALIASES.split()
        )

    def test_defaults_are_those_of_the_code(self):
        for line in self.lines():
            match = re.match(r"#([A-Z][A-Z0-9_]+)=(.*)", line)
            if match and match[1] in VARIABLES:
                assert match[2] == VARIABLES[match[1]].default, match[1]

    def test_copied_as_it_is_it_sets_nothing(self):
        assert all(not line or line.startswith("#") for line in self.lines())

    def test_every_setting_has_a_comment_above_it(self):
        lines = self.lines()
        for name in SETTINGS.split():
            place = next(i for i, line in enumerate(lines) if line.startswith(f"#{name}="))
            assert re.match(r"# \S", lines[place - 1]), name

    def test_keys_and_tokens_are_empty(self):
        for line in self.lines():
            if match := re.match(r"#(\w*(?:KEY|TOKEN)\w*)=(.*)", line):
                assert match[2] == "", match[1]


@pytest.mark.parametrize(
    "file",
    [
        "docker-compose.yml",
        "docker-compose.scale.yml",
        "config.yaml.example",
        "config.scale.yaml.example",
        "README.md",
        "../.env.example",
    ],
)
def test_no_secret_is_in_it(file):
    assert not SECRET.search((DEPLOY / file).read_text("utf-8"))
