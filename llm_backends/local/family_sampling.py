"""Sampling that the authors of a family of models recommend, for models of which only the name is known."""

from __future__ import annotations

import re
from collections.abc import Mapping

# From the model cards and the generation_config.json beside the weights on huggingface.co.
_FAMILIES: tuple[tuple[str, Mapping[str, float]], ...] = (
    # google/gemma-3-*-it
    (r"gemma-?[34]", {"temperature": 1.0, "top_p": 0.95, "top_k": 64}),
    # Qwen/Qwen2.5-*-Instruct: the smaller sizes have the higher penalty
    (
        r"qwen2\.5.*(?<![\d.])(?:0\.5|1\.5)b",
        {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.1},
    ),
    (r"qwen2\.5", {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05}),
    # Qwen/Qwen3-*, not thinking
    (r"qwen3", {"temperature": 0.7, "top_p": 0.8, "top_k": 20}),
    # meta-llama/Llama-3.*-Instruct
    (r"llama-?3", {"temperature": 0.6, "top_p": 0.9, "top_k": 0}),
    # HuggingFaceTB/SmolLM2-*-Instruct, SmolLM3
    (r"smollm2", {"temperature": 0.2, "top_p": 0.9, "top_k": 0}),
    (r"smollm3", {"temperature": 0.6, "top_p": 0.95, "top_k": 0}),
    # mistralai/Mistral-Small-*
    (r"mistral-small", {"temperature": 0.15, "top_p": 1.0, "top_k": 0}),
)


def sampling_of_family(name: str) -> Mapping[str, float]:
    """The settings for the model `name`, such as that of its file; empty for an unknown family."""
    plain = re.sub(r"[\s_]+", "-", name.casefold())
    return next((settings for family, settings in _FAMILIES if re.search(family, plain)), {})
