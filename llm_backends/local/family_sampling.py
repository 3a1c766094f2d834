"""Sampling that the authors of a family of models recommend, for models of which only the name is known."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Each was looked up in what others quote of the authors' cards and generation_config.json; the repositories
# on huggingface.co were not read themselves. A setting that no source names is off.
_FAMILIES: tuple[tuple[str, Mapping[str, float]], ...] = (
    # google/gemma-3-*-it: "according to the Gemma team" (lmstudio.ai); gemma-4: the same in guides to it
    (r"gemma-?[34]", {"temperature": 1.0, "top_p": 0.95, "top_k": 64}),
    # Qwen/Qwen2.5-Coder-*-Instruct: generation_config.json in EleutherAI/lm-evaluation-harness#3154; the
    # same penalty for Qwen2's 0.5B and 1.5B in zlai-llm/zlai, taken over for those of 2.5
    (
        r"qwen2\.5-coder|qwen2\.5.*(?<![\d.])(?:0\.5|1\.5)b",
        {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.1},
    ),
    # Qwen/Qwen2.5-*-Instruct: PrimeIntellect-ai/prime-rl#886 for the penalty, zlai-llm/zlai for the rest
    (r"qwen2\.5", {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05}),
    # Qwen/Qwen3-*: its card, on the mode without thinking
    (r"qwen3", {"temperature": 0.7, "top_p": 0.8, "top_k": 20}),
    # meta-llama/Llama-3.1-8B-Instruct: generation_config.json as fastmindapi 0.0.9 (PyPI) quotes it
    (r"llama-?3", {"temperature": 0.6, "top_p": 0.9, "top_k": 0}),
    # HuggingFaceTB/SmolLM2-135M-Instruct and SmolLM3-3B: the example, and the sentence, on their cards
    (r"smollm2", {"temperature": 0.2, "top_p": 0.9, "top_k": 0}),
    (r"smollm3", {"temperature": 0.6, "top_p": 0.95, "top_k": 0}),
    # mistralai/Mistral-Small-*: "a relatively low temperature, such as 0.15" on the cards
    (r"mistral-small", {"temperature": 0.15, "top_p": 1.0, "top_k": 0}),
)


def sampling_of_family(name: str) -> Mapping[str, float]:
    """The settings for the model `name`, such as that of its file; empty for an unknown family."""
    plain = re.sub(r"[\s_]+", "-", name.casefold())
    return next((settings for family, settings in _FAMILIES if re.search(family, plain)), {})
