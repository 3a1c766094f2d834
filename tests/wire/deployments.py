"""Deployments of every provider in the table, with the imitation server in the provider's place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quillwork.config import providers
from quillwork.llm_backends.types import Capabilities, Deployment, Secret
from wire.server import WireServer

# Where each provider's path begins on the imitation server. Replicate is not here: litellm calls it at
# its own address only.
PATHS = {
    "ollama": "",
    "openai": "/v1",
    "anthropic": "",
    "gemini": "/v1beta",
    "groq": "/openai/v1",
    "openrouter": "/api/v1",
    "huggingface": "/v1",
    "together_ai": "/v1",
    "deepseek": "/v1",
    "azure": "",
    "bedrock": "",
    "hosted_vllm": "/v1",
    "mistral": "/mistral/v1",
    "cohere": "/compatibility/v1",
    "lm_studio": "/v1",
}
EVERYWHERE = tuple(PATHS)


def key_of(provider: str) -> str:
    return f"planted-key-of-{provider}-0123456789"


def environment(provider: str) -> dict[str, str]:
    """The environment of a user who has set up `provider` alone."""
    row = providers.get(provider)
    env = {row.key_variables[0]: key_of(provider)}
    env |= {variables[0]: "us-east-1" for variables in row.needed_variables.values()}
    if provider == "azure":
        env |= {"AZURE_API_BASE": "http://127.0.0.1", "AZURE_API_VERSION": "2024-10-21"}
    return env


def deployment(wire: WireServer, provider: str, model: str = "fox", **changes: Any) -> Deployment:
    """`model` of `provider`, as the settings would deploy it, but at the imitation server."""
    if provider == "bedrock":
        pytest.importorskip("boto3", reason="litellm signs calls to Bedrock with boto3")
    row = providers.get(provider)
    access = providers.preflight(row, environment(provider))
    params = dict(access.params)
    if "compatible" in params:
        params["compatible"] = {**params["compatible"], "base": f"{wire.url}/at/{row.id}/compatible"}
    made = Deployment(
        backend="litellm",
        mode="litellm",
        model=model,
        provider=row.id,
        provider_label=row.label,
        base_url=wire.url + PATHS.get(row.id, f"/at/{row.id}/v1"),
        api_key=access.api_key,
        key_variable=access.key_variable,
        params=params,
        capabilities=Capabilities(schema=row.schema, vision=row.vision, tools=row.tools),
        is_local=row.is_local,
        idle_timeout_s=20,
        total_timeout_s=60,
    )
    return replace(made, **changes)


def signed(wire: WireServer, model: str = "fox") -> Deployment:
    """Bedrock with a pair of AWS keys in place of a token."""
    pytest.importorskip("boto3", reason="litellm signs calls to Bedrock with boto3")
    env = {"AWS_ACCESS_KEY_ID": "AKIAPLANTED12345", "AWS_SECRET_ACCESS_KEY": "planted-secret-0123456789"}
    access = providers.preflight(providers.get("bedrock"), {**env, "AWS_REGION": "us-east-1"})
    return deployment(wire, "bedrock", model, api_key=None, params=access.params)


def without_key(deployment: Deployment) -> Deployment:
    return replace(deployment, api_key=None)


def with_key(deployment: Deployment, key: str) -> Deployment:
    return replace(deployment, api_key=Secret(key))
