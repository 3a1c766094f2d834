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
            description="Which language model writes, and how. Wire it into any number of Quillwork nodes.",
            search_aliases=["quillwork", "llm", "model", "ollama", "openai", "temperature"],
            inputs=[
                mode,
                model,
                io.Float.Input(
                    "temperature",
                    display_name="temperature (-1: model's own)",
                    default=-1.0,
                    min=-1.0,
                    max=2.0,
                    step=0.05,
                    tooltip="-1: the model's own. Higher is freer.",
                ),
                io.Float.Input(
                    "top_p",
                    display_name="top_p (-1: model's own)",
                    default=-1.0,
                    min=-1.0,
                    max=1.0,
                    step=0.05,
                    tooltip="-1: the model's own.",
                ),
                io.Int.Input(
                    "max_tokens",
                    display_name="max_tokens (0: by task)",
                    default=0,
                    min=0,
                    max=131_072,
                    tooltip="0: enough for the task.",
                ),
                io.Float.Input(
                    "timeout_s",
                    display_name="timeout_s (0: as configured)",
                    default=0.0,
                    min=0.0,
                    max=3600.0,
                    step=1.0,
                    tooltip="Seconds of silence after which a call is given up. 0: as configured.",
                ),
                io.Int.Input(
                    "retries",
                    display_name="retries (-1: by service)",
                    default=-1,
                    min=-1,
                    max=10,
                    tooltip="Further attempts after a failure that may pass. -1: 2 for services on the "
                    "internet, 0 for this machine.",
                ),
                io.String.Input(
                    "fallback_models",
                    default="",
                    tooltip="Models to try next, with commas between them. Never from this machine to the "
                    "internet.",
                ),
                io.Combo.Input(
                    "reasoning",
                    options=list(REASONING),
                    default="default",
                    tooltip="How long a thinking model may think. What it thinks never gets into the prompt.",
                ),
                io.String.Input(
                    "extra",
                    default="",
                    multiline=True,
                    placeholder='{"top_k": 20}',
                    tooltip="Further parameters for the model, as JSON. No keys: a workflow is public.",
                ),
                io.Combo.Input(
                    "keep_loaded",
                    options=list(KEEP_LOADED),
                    default=WHILE_ROOM,
                    tooltip="What becomes of a local model after a run.",
                ),
                io.Clip.Input(
                    "clip", optional=True, tooltip="The text encoder that writes in the mode host_encoder."
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
                f"`extra` holds {name!r}: whoever gets this workflow or its pictures would get that too.",
                hint="Set keys and addresses as environment variables, such as LLM_API_KEY and LLM_BASE_URL.",
            )
