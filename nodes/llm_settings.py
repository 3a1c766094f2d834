"""LLM Settings: one place in a graph that says which model writes and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io

from ..config.choice import KEEP_LOADED, WHILE_ROOM, Choice, parse_extra, split_models
from ..llm_backends.errors import NotConfigured
from . import inputs

REASONING = ("default", "off", "low", "medium", "high")
# Whoever puts one of these into a workflow gives it to everybody who opens the image.
_NOT_FOR_WORKFLOWS = (
    "key",
    "token",
    "secret",
    "password",
    "authorization",
    "api_base",
    "base_url",
    "headers",
)
_HARMLESS = ("max_tokens", "max_completion_tokens", "min_tokens", "logit_bias", "stop_token_ids")


class LLMSettings(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        mode, model = inputs.llm_inputs()
        mode.optional = model.optional = False
        mode.advanced = model.advanced = None
        return io.Schema(
            node_id="QuillworkLLMSettings",
            display_name="LLM Settings",
            category=inputs.CATEGORY,
            description=(
                "Sets which language model is used, and how. Connect it to any number of Quillwork nodes."
            ),
            search_aliases=["quillwork", "llm", "model", "ollama", "openai", "temperature"],
            inputs=[
                mode,
                model,
                io.Float.Input(
                    "temperature",
                    display_name="temperature (-1: model default)",
                    default=-1.0,
                    min=-1.0,
                    max=2.0,
                    step=0.05,
                    tooltip="Higher values give more varied answers. -1: the model's default.",
                ),
                io.Float.Input(
                    "top_p",
                    display_name="top_p (-1: model default)",
                    default=-1.0,
                    min=-1.0,
                    max=1.0,
                    step=0.05,
                    tooltip=(
                        "Nucleus sampling: lower values keep to the more likely tokens. -1: the "
                        "model's default."
                    ),
                ),
                io.Int.Input(
                    "max_tokens",
                    display_name="max_tokens (0: automatic)",
                    default=0,
                    min=0,
                    max=131_072,
                    tooltip="The most tokens an answer may have. 0: as many as the task needs.",
                ),
                io.Float.Input(
                    "timeout_s",
                    display_name="timeout_s (0: from settings)",
                    default=0.0,
                    min=0.0,
                    max=3600.0,
                    step=1.0,
                    tooltip=(
                        "Seconds without a response before a call times out. 0: the value from your settings."
                    ),
                ),
                io.Int.Input(
                    "retries",
                    display_name="retries (-1: automatic)",
                    default=-1,
                    min=-1,
                    max=10,
                    tooltip="How many times to retry after a temporary failure. -1: 2 for services on "
                    "the internet, 0 for this machine.",
                ),
                io.String.Input(
                    "fallback_models",
                    default="",
                    tooltip="Models to try if the first one fails, separated by commas. Never from this "
                    "machine to the internet.",
                ),
                io.Combo.Input(
                    "reasoning",
                    options=list(REASONING),
                    default="default",
                    tooltip=(
                        "How long a reasoning model may think. Its reasoning never ends up in the prompt."
                    ),
                ),
                io.String.Input(
                    "extra",
                    default="",
                    multiline=True,
                    placeholder='{"top_k": 20}',
                    tooltip=(
                        "Additional parameters for the model, as JSON. Never enter keys here: "
                        "workflows are shared."
                    ),
                ),
                io.Combo.Input(
                    "keep_loaded",
                    options=list(KEEP_LOADED),
                    default=WHILE_ROOM,
                    tooltip="What happens to a local model after a run.",
                ),
                io.Clip.Input(
                    "clip",
                    optional=True,
                    tooltip=("The text encoder to use as the language model in host_encoder mode."),
                ),
            ],
            outputs=[inputs.LLM.Output("llm")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, llm_mode: Any = None) -> bool | str:
        return inputs.unknown_mode(llm_mode) or True

    @classmethod
    def fingerprint_inputs(cls, **widgets: Any) -> str:
        from ..config.opening import effective

        try:
            return effective(_choice(**widgets))
        except (NotConfigured, TypeError, AttributeError):
            return ""

    @classmethod
    def execute(cls, **widgets: Any) -> io.NodeOutput:
        try:
            return io.NodeOutput(_choice(**widgets))
        except NotConfigured as error:
            raise error.with_traceback(None) from None


def _choice(
    llm_mode: str = inputs.AUTO,
    llm_model: str = "",
    temperature: float = -1.0,
    top_p: float = -1.0,
    max_tokens: int = 0,
    timeout_s: float = 0.0,
    retries: int = -1,
    fallback_models: str = "",
    reasoning: Any = "default",
    extra: str = "",
    keep_loaded: str = WHILE_ROOM,
    clip: Any = None,
) -> Choice:
    parameters = parse_extra(extra or "")
    _refuse_secrets(parameters)
    return Choice(
        llm_mode=llm_mode or inputs.AUTO,
        llm_model=llm_model or "",
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        timeout_s=timeout_s,
        retries=retries,
        fallback_models=split_models(fallback_models or ""),
        reasoning=reasoning,
        extra=parameters,
        keep_loaded=keep_loaded,
        encoder=clip,
    )


def _refuse_secrets(parameters: Mapping[str, Any]) -> None:
    for name in parameters:
        word = name.lower()
        if word not in _HARMLESS and any(part in word for part in _NOT_FOR_WORKFLOWS):
            raise NotConfigured(
                f"`extra` contains {name!r}: anyone who gets this workflow or its images would get that too.",
                hint=(
                    "Set keys and addresses as environment variables instead, such as LLM_API_KEY and "
                    "LLM_BASE_URL."
                ),
            )
