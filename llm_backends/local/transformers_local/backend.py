"""The backend of the modes ``hf_local`` and ``hf_download``: answers with a model in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from ... import errors
from ...host import Host, MemoryManager
from ...modes import HF_DOWNLOAD
from ...remote.openai_embeddings import refuse_embedding
from ...streaming.live import Sink
from ...types import Deployment, Request, Result
from ...vision import cannot_see, has_pictures
from ..answer_writer import DEFAULT_TOKENS, budget_of, thinks
from ..list_schema import list_count
from ..resident import Resident
from ..tool_call_text import offered
from . import libraries
from .chat import Prompt
from .constraint import ListConstraint
from .device_memory import memory_of
from .generation import WORKING_BYTES, write
from .loading.downloads import resolve_repository
from .resident_model import ResidentModel
from .row import Row, text_stream
from .sampling import unknown_parameters
from .vision_encoder import TOKENS_OF_A_PICTURE

# For a list whose request names no limit: what it is begun with and what one value may take.
_LIST_TOKENS, _VALUE_TOKENS = 64, 56
_CHARACTERS_PER_TOKEN = 3


class TransformersLocal(Resident[ResidentModel]):
    """A backend with one model in memory at a time; see `types.LocalBackend`.

    The deployment's `model` is a folder, or a repository in the mode ``hf_download``. Its `params` may have
    ``dtype`` (`planning.DTYPES`), ``cuda_graph`` (bool, off) and ``models_folder`` (see `loading.downloads`).
    A host with a memory manager has it as ``memory`` (`host.MemoryManager`).
    """

    def answer_all(
        self, requests: Sequence[Request], deployment: Deployment, sinks: Sequence[Sink], host: Host
    ) -> list[Result | errors.LLMError]:
        """Answer all requests as one batch, split where memory is short; as in `types.LocalBackend`."""
        if host.cancelled():
            raise errors.Cancelled
        try:
            # Before the lock: a download takes long, and unloading need not wait for it.
            libraries.transformers()
            folder = _folder_of(deployment, sinks[0], host, for_pictures=any(map(has_pictures, requests)))
        except errors.LLMError as error:
            if guess := deployment.params.get("guess"):
                error.message = errors.shorten(f"{guess} {error.message}")
            return [error] * len(requests)
        with self._lock:
            memory = memory_of(host)
            try:
                model = self._in_memory(requests, deployment, folder, memory)
            except errors.LLMError as error:
                return [error] * len(requests)
            rows = [
                _row(request, model, deployment, sink) for request, sink in zip(requests, sinks, strict=True)
            ]
            warnings = [_warnings(request, model) for request in requests]
            failure: errors.LLMError | None = None
            try:
                with self._in_use(model):
                    write([row for row in rows if isinstance(row, Row)], model, memory, host)
            except errors.LLMError as error:
                failure = error
            return [
                row
                if isinstance(row, errors.LLMError)
                else failure
                if failure is not None and row.finish is None
                else row.result(deployment, [*model.warnings, *more])
                for row, more in zip(rows, warnings, strict=True)
            ]

    def _in_memory(
        self, requests: Sequence[Request], deployment: Deployment, folder: Path, memory: MemoryManager
    ) -> ResidentModel:
        dtype = str(deployment.params.get("dtype") or "auto")
        record = bool(deployment.params.get("cuda_graph"))
        key = (str(folder), _changed(folder), dtype, record)
        model = self._take_in(key, lambda: ResidentModel(folder, dtype, record=record), memory)
        if model.image_processor is None and all(map(has_pictures, requests)):
            raise cannot_see(deployment)
        tokens = sum(
            sum(
                len(message.content) // _CHARACTERS_PER_TOKEN + len(message.images) * TOKENS_OF_A_PICTURE
                for message in request.messages
            )
            + (request.max_tokens or DEFAULT_TOKENS)
            for request in requests[:8]
        )
        memory.admit(model, tokens * model.bytes_per_token + WORKING_BYTES)
        return model


@cache
def shared() -> TransformersLocal:
    """The backend that this process shares, whatever mode asks for it."""
    return TransformersLocal()


def _folder_of(deployment: Deployment, sink: Sink, host: Host, *, for_pictures: bool) -> Path:
    if HF_DOWNLOAD in (deployment.mode, deployment.backend):
        return resolve_repository(deployment, sink, host, for_pictures=for_pictures)
    return Path(deployment.model).expanduser()


def _changed(folder: Path) -> int:
    """The time at which the folder's config was written: a model replaced on disk is loaded anew."""
    try:
        return (folder / "config.json").stat().st_mtime_ns
    except OSError:
        return 0


def _row(request: Request, model: ResidentModel, deployment: Deployment, sink: Sink) -> Row | errors.LLMError:
    try:
        return _make_row(request, model, deployment, sink)
    except errors.LLMError as error:
        return error


def _make_row(request: Request, model: ResidentModel, deployment: Deployment, sink: Sink) -> Row:
    assert model.loaded is not None
    if request.embed:
        raise refuse_embedding("A local model")
    chat, tokenizer = model.chat, model.loaded.tokenizer
    tools = offered(request)
    prompt = chat.encode(request.messages, request.reasoning, tools)
    # Held to the form of a list it could not call any.
    count = 0 if tools else list_count(request)
    wanted = request.max_tokens or (_LIST_TOKENS + _VALUE_TOKENS * count if count else None)
    budget = budget_of(wanted, len(prompt.ids), model.architecture.context, deployment.name)
    constrain, after_thinking, thinking_ends_at = None, None, 0
    begun = "" if thinks(request, prompt.opens_thinking) else request.opening
    if begun:
        prompt = replace(prompt, ids=(*prompt.ids, *tokenizer(begun, add_special_tokens=False)["input_ids"]))
    if count:
        constrain = _constraint(request, model, count)
    if constrain is not None and thinks(request, prompt.opens_thinking):
        closing = tokenizer.convert_tokens_to_ids("</think>")
        if isinstance(closing, int) and closing in tokenizer.added_tokens_decoder:
            after_thinking = closing
            prompt = _thinking(prompt, tokenizer)
            constrain(budget - 1)  # raises where the budget would not do even without a thought
            thinking_ends_at = max(0, budget - 1 - _LIST_TOKENS - _VALUE_TOKENS * count, budget // 2)
            thinking_ends_at = min(thinking_ends_at, budget - 1 - _least(model, count))
    return Row(
        request,
        prompt,
        chat,
        text_stream(tokenizer, chat),
        sink,
        budget,
        constrain,
        after_thinking,
        thinking_ends_at,
        model.name,
        begun,
    )


def _thinking(prompt: Prompt, tokenizer: Any) -> Prompt:
    """Open a thought in `prompt`, so that no text before the closing tag counts as the answer."""
    if prompt.opens_thinking:
        return prompt
    opening = tokenizer("<think>\n", add_special_tokens=False)["input_ids"]
    return replace(prompt, ids=(*prompt.ids, *opening), opens_thinking=True)


def _constraint(request: Request, model: ResidentModel, count: int) -> Callable[[int], ListConstraint] | None:
    assert model.loaded is not None
    found = model.masks(model.loaded.logits_width)
    if found is None:
        return None
    masks, pieces = found
    existing = tuple(getattr(request.task, "existing", ()))
    return partial(ListConstraint, masks, pieces, count, existing)


def _least(model: ResidentModel, count: int) -> int:
    assert model.loaded is not None
    found = model.masks(model.loaded.logits_width)
    return found[1].least(count) if found else 0


def _warnings(request: Request, model: ResidentModel) -> list[str]:
    warnings = []
    if unknown := unknown_parameters(request.extra):
        warnings.append(f"Local models do not support {', '.join(unknown)} in `extra`.")
    if not model.chat.has_template:
        warnings.append(f"{model.name} has no chat template, so a plain text prompt was used.")
    return warnings
