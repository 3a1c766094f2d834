"""Chat model for LangChain. All of its calls go through `llm_backends.client`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

from ...llm_backends.client import ask, ask_async, stream
from ...llm_backends.errors import NotConfigured, StreamBroken
from ...llm_backends.model import Model, Sampling
from ...llm_backends.remote.openai_format import TOOL_CHOICES
from ...llm_backends.streaming.chunk_stream import ChunkStream
from ...llm_backends.types import Chunk, Result
from .chat_messages import ai_chunk, ai_message, our_messages, our_tools

# The options of a call or of `bind`. Everything else goes to the model as it is.
_OURS = {*(field.name for field in fields(Sampling)), "seed", "schema", "schema_name"}


class QuillworkChat(BaseChatModel):
    """A `Model` for chains and agents. Made by `as_langchain`."""

    # Not named as what it is: pydantic would take the dataclass apart.
    model: Any

    @property
    def _llm_type(self) -> str:
        return "quillwork"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        """Parameters by which LangChain's own cache tells models apart."""
        model: Model = self.model
        deployment = model.deployment
        return {
            "mode": deployment.mode,
            "provider": deployment.provider,
            "base_url": deployment.base_url,
            "model": deployment.model_id,
            "sampling": asdict(model.sampling),
        }

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | Any],
        *,
        tool_choice: str | bool | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Runnable[Any, AIMessage]:
        """Return this model with `tools`: functions, LangChain's tools, pydantic models or JSON schemas.

        `tool_choice`: ``auto``, ``none``, ``any`` (as ``required`` and True), or the name of the one to call.
        """
        offered = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=offered, tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        how = _how(stop, kwargs)
        return _answered(ask(our_messages(messages), self.model, **how), self.model, stop)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        how = _how(stop, kwargs)
        return _answered(await ask_async(our_messages(messages), self.model, **how), self.model, stop)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with stream(our_messages(messages), self.model, **_how(stop, kwargs)) as chunks:
            reader = _Reader(chunks, self.model, stop)
            for chunk in chunks:
                yield reader.piece(chunk)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async with stream(our_messages(messages), self.model, **_how(stop, kwargs)) as chunks:
            reader = _Reader(chunks, self.model, stop)
            async for chunk in chunks:
                yield reader.piece(chunk)


def _how(stop: list[str] | None, given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments for `ask` from those of a call."""
    # LangChain's own tracing parameters begin with ls_.
    given = {name: value for name, value in given.items() if not name.startswith("ls_")}
    tools, choice = given.pop("tools", None) or (), given.pop("tool_choice", None)
    how = {name: value for name, value in given.items() if name in _OURS}
    extra = {name: value for name, value in given.items() if name not in _OURS}
    if stop:
        extra["stop"] = list(stop)
    if extra:
        how["extra"] = {**how.get("extra", {}), **extra}
    return {**how, **_tools(tools, choice)}


def _tools(tools: Sequence[dict[str, Any]], choice: Any) -> dict[str, Any]:
    if not tools:
        return {}
    if isinstance(choice, dict):
        choice = choice.get("function", choice).get("name")
    if choice in (None, False, "auto"):
        return {"tools": our_tools(tools)}
    if choice in (True, "any"):
        choice = "required"
    if choice not in TOOL_CHOICES and choice not in [tool["function"]["name"] for tool in tools]:
        raise NotConfigured(f"tool_choice is {choice!r}, but there is no tool of that name.")
    return {"tools": our_tools(tools), "tool_choice": choice}


def _answered(result: Result, model: Model, stop: list[str] | None) -> ChatResult:
    message = ai_message(replace(result, text=_cut(result.text, model, stop)))
    return ChatResult(generations=[ChatGeneration(message=message)])


class _Reader:
    """Converter of our chunks to LangChain's, where words that were shown cannot be taken back."""

    def __init__(self, chunks: ChunkStream[Result], model: Model, stop: list[str] | None) -> None:
        self._chunks, self._model, self._stop = chunks, model, stop
        self._shown: list[str] = []
        self._began_anew = False

    def piece(self, chunk: Chunk) -> ChatGenerationChunk:
        """Convert one chunk.

        Raises `StreamBroken` at the end of an answer that differs from what was shown.
        """
        self._began_anew = self._began_anew or (chunk.restart and bool(self._shown))
        if self._began_anew:
            chunk = replace(chunk, text="", reasoning="", tool_calls=())
            # Thinking that turns out as such only at the end was shown as text, and did no harm.
            if chunk.finish_reason and self._chunks.result.text.strip() not in "".join(self._shown):
                raise StreamBroken(
                    f"{self._model.deployment.name} stopped in the middle of its answer, and another "
                    "attempt succeeded.",
                    hint="Try again, or use invoke.",
                )
        text = _cut(chunk.text, self._model, self._stop)
        self._shown.append(text)
        return ChatGenerationChunk(message=ai_chunk(replace(chunk, text=text)))


def _cut(text: str, model: Model, stop: list[str] | None) -> str:
    """Return `text` up to the first of `stop`.

    A service does it by itself; a model in this process writes on.
    """
    if model.runs_in_place:
        for end in stop or ():
            text = text.partition(end)[0]
    return text
