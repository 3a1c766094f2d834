"""The parameters of a call to litellm, the user's own among them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...errors import NotConfigured
from ...types import Deployment, Request, Secret
from ..openai_format import chat_parameters

# Names that steer litellm rather than the model: where a call goes, with which key, who hears of it.
# They come from settings only; `extra` travels in shared workflows.
_STEERING = re.compile(
    r"model|messages|stream|client|organization|base_url|proxy|timeout|id|user_id|call_id|deployment_id"
    r"|(?:api|aws|azure|vertex|watsonx|hf|oci|litellm|mock|custom|fallback|context_window|guardrail|prompt"
    r"|callback|logger|cache|cach|ssl|secret|credential|metadata|router|shared|dynamic|gcs|langfuse|langsmith"
    r"|arize|posthog|lunary|helicone|humanloop|drop|allowed|additional|no[-_]log|use_|merge|num_retries"
    r"|max_retries|retry|retries|preset|tpm|rpm|acompletion|atext|text_completion|disable|turn_off|roles"
    r"|bos_token|eos_token|initial_prompt|final_prompt|ensure|region|vector|hooks|tags|model_|user_continue"
    r"|assistant_continue|extra_headers|headers|default_headers|request_timeout|force_timeout|web_search_|mcp)"
    r".*"
    r"|.*(?:_key|_token|_secret|_url|_base|_cost.*|cost_per.*|credentials|password)"
)

# What the table says of a provider, and no argument of a call.
_OURS = frozenset(
    (
        "custom_llm_provider",
        "price_prefix",
        "wire",
        "compatible",
        "compatible_variable",
        "dialect",
        "package",
        "key_argument",
        "region_from",
        "token_exchange",
        "key_remark",
    )
)
# litellm leaves these out, and says nothing, for models that it does not know; these providers serve more.
_ALLOWED = {
    "together_ai": ("tools", "tool_choice", "response_format"),
    "bedrock": ("tools",),
    "bedrock/converse": ("tools",),
}


def call_parameters(
    request: Request, deployment: Deployment, prefix: str, has_schema: bool
) -> dict[str, Any]:
    """The arguments that shape the answer, in litellm's (OpenAI's) words.

    `has_schema` says that the model keeps to a JSON schema. Raises `NotConfigured` for an `extra` that
    would steer litellm.
    """
    wanted = chat_parameters(request)
    if not has_schema:
        wanted.pop("response_format", None)
    named = [name for name in _ALLOWED.get(prefix, ()) if name in wanted]
    wanted |= {"allowed_openai_params": named} if named else {}
    if not (_signs_thoughts(prefix, deployment.model) and any(m.tool_calls for m in request.messages)):
        wanted |= reasoning_parameters(prefix, deployment.model, request.reasoning)
    refuse_steering(request.extra)
    return {**wanted, **request.extra}


def refuse_steering(extra: Mapping[str, Any]) -> None:
    """Raise `NotConfigured` for a parameter that would steer litellm rather than the model."""
    for name in extra:
        if _STEERING.fullmatch(name.lower()):
            raise NotConfigured(
                f"The parameter {name!r} cannot be set in `extra`.",
                hint="`extra` on LLM Settings is for model parameters, such as top_k. Addresses and "
                "keys belong in the settings.",
            )


def provider_parameters(params: Mapping[str, Any]) -> dict[str, Any]:
    """The provider's own arguments, secrets in the clear: for the call itself and nothing else."""
    return {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in params.items()
        if name not in _OURS
    }


def reasoning_parameters(prefix: str, model: str, wanted: str) -> dict[str, Any]:
    """The parameters that ask this provider for more, less or no thinking; empty for ``default``."""
    if wanted == "default":
        return {}
    if wanted != "off":
        return {"reasoning_effort": wanted}
    if prefix == "ollama_chat":
        return {"think": False}
    if prefix == "gemini":
        return {"reasoning_effort": "disable"}
    if prefix == "deepseek":
        return {"extra_body": {"thinking": {"type": "disabled"}}}
    if prefix == "hosted_vllm":
        return {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}}
    if prefix == "openrouter":
        return {"extra_body": {"reasoning": {"enabled": False}}}
    if prefix in ("openai", "azure") and re.match(r"gpt-[5-9]|o\d", model):
        return {"reasoning_effort": "minimal" if re.match(r"gpt-5(-|$)", model) else _least(model)}
    # Anthropic, Bedrock and the rest think only when asked to.
    return {}


def _signs_thoughts(prefix: str, model: str) -> bool:
    """Tell whether the model signs its thoughts. Claude goes on thinking after a tool's answer only when it
    is handed back the signed thought before the call, which is not kept here; asked to all the same, it
    refuses."""
    return prefix == "anthropic" or (prefix.startswith("bedrock") and "anthropic" in model)


def _least(model: str) -> str:
    return "low" if model.startswith("o") else "none"
