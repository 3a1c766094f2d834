"""The table of settings: every name, its meaning, its default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...llm_backends import registry

Kind = Literal["text", "number", "flag", "list", "path", "secret", "json"]


@dataclass(frozen=True, slots=True)
class EnvironmentVariable:
    """One setting. `aliases` are older or foreign names that count when the name itself is not set.

    `writable` says whether the panel may change it: addresses, keys, paths and policies are not open to
    everyone who can reach the host's port.
    """

    name: str
    meaning: str
    kind: Kind = "text"
    default: str = ""
    aliases: tuple[str, ...] = ()
    writable: bool = False


VARIABLES: dict[str, EnvironmentVariable] = {
    variable.name: variable
    for variable in (
        EnvironmentVariable(
            "LLM_MODE",
            f"how to reach the model: {', '.join(registry.choices(installed=False))}",
            default="auto",
            writable=True,
        ),
        EnvironmentVariable("LLM_MODEL", "the model id, such as ollama/llama3.2", writable=True),
        EnvironmentVariable(
            "LLM_MODEL_PROMPT_GEN", "a different model for prompts and variables", writable=True
        ),
        EnvironmentVariable("LLM_MODEL_CHAT", "a different model for chat", writable=True),
        EnvironmentVariable("LLM_REPO", "older name of LLM_MODEL for the hf modes"),
        EnvironmentVariable(
            "LLM_PATH", "folder of a local model, or the repository of a GGUF file", kind="path"
        ),
        EnvironmentVariable("LLM_GGUF_FILE", "the GGUF file in LLM_PATH"),
        EnvironmentVariable(
            "LLM_MMPROJ",
            "the mmproj file through which the GGUF model sees, if it does not lie beside it under its name",
        ),
        EnvironmentVariable(
            "LLM_DTYPE",
            "how the hf modes store weights: auto (nf4 if bitsandbytes works), nf4, int8, bf16, fp16, fp32",
            default="auto",
        ),
        EnvironmentVariable(
            "LLM_CUDA_GRAPH",
            "the hf modes record a decoding step on the GPU and replay it, if the model supports it",
            kind="flag",
            default="0",
        ),
        EnvironmentVariable(
            "LLM_BASE_URL",
            "an OpenAI-compatible endpoint: a LiteLLM proxy, vLLM, LM Studio",
            aliases=("LITELLM_BASE_URL",),
        ),
        EnvironmentVariable(
            "LLM_API_KEY", "the key of LLM_BASE_URL", kind="secret", aliases=("LITELLM_API_KEY",)
        ),
        EnvironmentVariable(
            "LLM_TRANSPORT",
            "who calls providers that speak OpenAI's format: auto (litellm, where it can be imported), sdk "
            "(litellm only), direct (never litellm)",
            default="auto",
        ),
        EnvironmentVariable(
            "LLM_TIMEOUT_MS",
            "milliseconds without a response before a remote call times out; ten times that in total",
            kind="number",
            default="60000",
            aliases=("LLM_REQUEST_TIMEOUT_MS",),
            writable=True,
        ),
        EnvironmentVariable(
            "LLM_MAX_CONCURRENCY", "concurrent calls to one endpoint; 16, for local servers 4", kind="number"
        ),
        EnvironmentVariable("LLM_CACHE", "off, or disk: answers are kept after a restart", default="off"),
        EnvironmentVariable(
            "LLM_ALLOW",
            "providers, `downloads` and `variables.add` (a tool) that shared workflows may use; "
            "remote_keys: keys may be entered on a server that others can reach",
            kind="list",
        ),
        EnvironmentVariable("LLM_PLAN", "the plan in force"),
        EnvironmentVariable(
            "LLM_PLAN_MODELS_JSON", "the plans and the models that each one allows, as JSON", kind="json"
        ),
        EnvironmentVariable(
            "LLM_PLAN_SHOW_LOCKED", "list models outside the plan as locked", kind="flag", default="0"
        ),
        EnvironmentVariable("LLM_ENABLE_OPENAI_PROXY", "enable the /v1 endpoint", kind="flag", default="0"),
        EnvironmentVariable("LLM_PROXY_TOKEN", "the bearer token for the /v1 endpoint", kind="secret"),
        EnvironmentVariable(
            "LLM_SERVICE_TOKEN", "the token for servers that listen beyond loopback", kind="secret"
        ),
        EnvironmentVariable("LLM_ALLOWED_HOSTS", "additional host names of this server", kind="list"),
        EnvironmentVariable(
            "LLM_BUDGET_SESSION", "budget in US dollars until the program exits, such as 2.50"
        ),
        EnvironmentVariable("LLM_BUDGET_DAY", "budget in US dollars per day"),
        EnvironmentVariable(
            "LLM_BUDGET_UNPRICED",
            "with a budget: refuse, or allow, remote models of unknown price",
            default="refuse",
        ),
        EnvironmentVariable(
            "LLM_CALLBACKS",
            "observers of all calls: langfuse, helicone, Python paths such as my_package.module:on_call",
            kind="list",
        ),
        EnvironmentVariable(
            "LLM_CALLBACKS_CONTENT",
            "send prompts and answers to the observers as well",
            kind="flag",
            default="0",
        ),
        EnvironmentVariable("LOCAL_LIBRARY_DIR", "the folder of your variable files", kind="path"),
        EnvironmentVariable("LIBRARY_DIRS", "additional wildcard folders, read-only", kind="list"),
    )
}

# One switch of another program: it means "the mode is litellm, at the proxy's usual address".
PROXY_SWITCH = "LITELLM_ENABLED"
PROXY_USUAL_URL = "http://localhost:4000"
# Switched off, it takes these with it: an address and its key stay in their file for another day.
PROXY_VARIABLES = frozenset({"LITELLM_BASE_URL", "LITELLM_API_KEY"})

# Other programs' names of variables that a provider's row in the table reads.
PROVIDER_ALIASES = {"OLLAMA_BASE_URL": "OLLAMA_API_BASE"}
