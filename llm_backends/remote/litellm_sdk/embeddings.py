"""Embeddings with litellm: their providers, arguments and answers. litellm itself is not imported here."""

from __future__ import annotations

from typing import Any

from ... import errors
from ...types import Deployment, Request, Vector
from ..http_client import bearer
from ..openai_embeddings import check_vectors, malformed, refuse_embedding
from .chunks import Counts
from .parameters import provider_parameters, refuse_steering

# These speak OpenAI's format for embeddings, so litellm's own client for it is used, which is handed ours;
# its other ones (Ollama's) go out by themselves.
_LIKE_OPENAI = frozenset(
    {
        "openai",
        "ollama",
        "gemini",
        "hosted_vllm",
        "lm_studio",
        "mistral",
        "together_ai",
        "openrouter",
        "cohere",
    }
)
# Below the provider's own address, where the format is another one there.
_PATHS = {"ollama": "/v1", "gemini": "/openai"}


def embedding_place(deployment: Deployment) -> tuple[str, str]:
    """The prefix of litellm and the address for the deployment's embeddings.

    Raises `BadRequest` where its provider makes none, `NotConfigured` for a name that is no model.
    """
    base_url = deployment.base_url or ""
    if "://" in deployment.model or not base_url:
        raise errors.NotConfigured(f"{deployment.name} is not a model that can be used.")
    bearer(deployment.api_key, deployment.key_variable or "the environment")
    if deployment.provider in _LIKE_OPENAI:
        return "openai", base_url.rstrip("/") + _PATHS.get(deployment.provider, "")
    if deployment.provider == "azure":
        return "azure", base_url
    raise refuse_embedding(deployment.name)


def embedding_arguments(request: Request, deployment: Deployment, prefix: str) -> dict[str, Any]:
    """The arguments of litellm's `aembedding`, address and key named."""
    refuse_steering(request.extra)
    return {
        **request.extra,
        **provider_parameters(deployment.params),
        "model": f"{prefix}/{deployment.model}",
        "input": list(request.embed),
        "encoding_format": "float",
        "api_base": deployment.base_url,
        "api_key": deployment.api_key.reveal() if deployment.api_key else "none",
        "timeout": deployment.total_timeout_s,
        "num_retries": 0,
        "max_retries": 0,
        "drop_params": True,
        "cache": {"no-cache": True, "no-store": True},
    }


def read_vectors(answer: Any, request: Request, deployment: Deployment) -> tuple[tuple[Vector, ...], Counts]:
    """The vectors in the order of the texts, and the provider's counts. Raises `MalformedAnswer`."""
    try:
        rows = sorted(answer.data, key=lambda row: row["index"])
        vectors = tuple(tuple(float(number) for number in row["embedding"]) for row in rows)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise malformed(deployment) from None
    check_vectors(vectors, request, deployment)
    counts = Counts()
    counts.append(answer)
    counts.completion_tokens = 0
    return vectors, counts
