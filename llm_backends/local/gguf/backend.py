"""The backend of the mode ``gguf``: answers with a GGUF file through llama.cpp."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ... import errors
from ...host import Host
from ...streaming.live import Sink
from ...types import Deployment, Request, Result
from ..answer_writer import Writing, budget_of, refuse_what_it_cannot, seed_of, thinks
from ..hub.gguf_files import fetch_gguf
from ..list_schema import list_count
from ..resident import Evicted, Resident
from ..token_text import TextStream
from ..tool_call_text import offered
from ..transformers_local.sampling import SamplingSettings, unknown_parameters
from . import file as gguf_file
from .model import GgufModel, llama_cpp, uses_gpu

# llama.cpp takes the last one for "choose a seed yourself".
_SEEDS = 2**32 - 1
# KV cache and buffers of a model of a size that people run beside an image model.
_BYTES_BESIDE_WEIGHTS = 3 * 1024**3 // 2
_MOST_RELOADS = 3
_NO_EYES = (
    "Put the model's projector (its mmproj file, from the same repository) into the same folder, set "
    "LLM_MMPROJ to it, choose a vision model, or remove the image."
)


class Gguf(Resident[GgufModel]):
    """A backend with one file in memory at a time; see `types.LocalBackend`.

    The deployment's `model` and its parameters ``file`` and ``models_folder`` name it (`file.find`).
    On a GPU, the host manages its memory, where it has a manager (`host.MemoryManager`).
    """

    def answer_all(
        self, requests: Sequence[Request], deployment: Deployment, sinks: Sequence[Sink], host: Host
    ) -> list[Result | errors.LLMError]:
        """Answer the requests in turn, as in `types.LocalBackend`: llama.cpp writes one row at a time
        here."""
        _go_on(host)
        try:
            # Before the lock: a download takes long, and unloading need not wait for it.
            file, projector = _files_of(deployment, sinks[0], host)
        except errors.LLMError as error:
            return [error] * len(requests)
        with self._lock:
            try:
                model = self._in_memory(file, projector, host)
            except errors.LLMError as error:
                return [error] * len(requests)
            answers: list[Result | errors.LLMError] = []
            with self._in_use(model):
                for request, sink in zip(requests, sinks, strict=True):
                    try:
                        answers.append(self._answer(request, model, deployment, sink, host))
                    except errors.LLMError as error:
                        answers.append(error)
            return answers

    def _answer(
        self, request: Request, model: GgufModel, deployment: Deployment, sink: Sink, host: Host
    ) -> Result | errors.LLMError:
        """Write one answer; restart it if the model is evicted: the same seed gives the same text."""
        for _ in range(_MOST_RELOADS):
            self._admit(model)  # the host may have wanted the room in between
            try:
                return _answer(request, model, deployment, sink, host)
            except Evicted:
                sink.restart()
        raise errors.BackendUnavailable(
            f"{model.name} was unloaded {_MOST_RELOADS} times while it was generating.",
            hint="Other models need the memory. Unload them, or choose a smaller language model.",
        )

    def _in_memory(self, file: Path, projector: Path | None, host: Host) -> GgufModel:
        gguf_file.check(file)
        if projector is not None:
            gguf_file.check(projector)
        memory = getattr(host, "memory", None) if uses_gpu() else None
        key = tuple((str(each), _changed(each)) for each in (file, projector) if each is not None)
        return self._take_in(key, lambda: GgufModel(file, projector), memory)

    def _admit(self, model: GgufModel) -> None:
        if self._memory is None:
            model.load(None)
        else:
            self._memory.admit(model, _BYTES_BESIDE_WEIGHTS)


@cache
def shared() -> Gguf:
    """The backend that this process shares."""
    return Gguf()


def _files_of(deployment: Deployment, sink: Sink, host: Host) -> tuple[Path, Path | None]:
    def fetch(repository: str, file: str) -> Path:
        llama_cpp()  # nothing is downloaded that could not be used then
        return fetch_gguf(deployment, repository, file, sink, host)

    file = gguf_file.find(deployment, fetch)
    return file, gguf_file.find_projector(file, deployment, fetch)


def _changed(file: Path) -> tuple[int, int]:
    """A stamp that differs when the file was replaced."""
    status = file.stat()
    return status.st_mtime_ns, status.st_size


def _answer(
    request: Request, model: GgufModel, deployment: Deployment, sink: Sink, host: Host
) -> Result | errors.LLMError:
    refuse_what_it_cannot(request, model.name, sees=model.projector_file is not None, those_that_see=_NO_EYES)
    try:
        return _written(request, model, deployment, sink, host)
    finally:
        model.forget_pictures()


def _written(
    request: Request, model: GgufModel, deployment: Deployment, sink: Sink, host: Host
) -> Result | errors.LLMError:
    settings = SamplingSettings.of(request, model.name)
    tools = offered(request)
    prompt = model.encode(request.messages, request.reasoning, tools)
    opens_thinking = prompt.opens_thinking
    begun = "" if thinks(request, opens_thinking) else request.opening
    prompt = prompt.followed_by(model.begun(begun))
    budget = budget_of(request.max_tokens, prompt.cells, model.longest, model.name)
    if prompt.cells + budget > model.context:
        model.widen(prompt.cells + budget)
        if prompt.pictures:  # they belong to what was unloaded
            prompt = model.encode(request.messages, request.reasoning, tools)
            prompt = prompt.followed_by(model.begun(begun))
    writing = Writing(
        request,
        TextStream(model.decode, model.silent_ids),
        sink,
        model.stop_ids,
        opens_thinking=opens_thinking,
        calls_tools=bool(tools),
        stop_texts=(*model.stop_texts, *request.stop),
        begun=begun,
    )
    # A grammar would let it neither think nor call.
    is_free = bool(tools) or thinks(request, opens_thinking)
    grammar = model.grammar(_counted(request)) if request.schema and not is_free else None
    tokens = model.generate(
        prompt, settings, seed_of(request, _SEEDS), lambda: _tick(host), host.cancelled, grammar
    )
    try:
        for place, token in enumerate(tokens, 1):
            writing.add(token)
            _tick(host)
            if writing.over or place >= budget:
                break
    except (RuntimeError, MemoryError) as error:
        raise errors.BackendUnavailable(
            f"llama.cpp failed while {model.name} was generating ({error}).",
            hint="Unload other models, shorten the prompt, or choose a smaller file.",
        ) from None
    finally:
        tokens.close()
    return writing.result(
        deployment, model.name, model.name, prompt.cells, budget, _warnings(request, model, grammar, is_free)
    )


def _counted(request: Request) -> Mapping[str, Any]:
    """The request's schema, with the number of values added where it asks for a list of so many."""
    schema = copy.deepcopy(dict(request.schema or {}))
    count = list_count(request)
    if count:
        schema["properties"]["values"] |= {"minItems": count, "maxItems": count}
    return schema


def _tick(host: Host) -> None:
    host.tick()
    _go_on(host)


def _go_on(host: Host) -> None:
    if host.cancelled():
        raise errors.Cancelled


def _warnings(request: Request, model: GgufModel, grammar: Any, is_free: bool) -> list[str]:
    warnings = []
    if unknown := unknown_parameters(request.extra):
        warnings.append(f"Local models do not support {', '.join(unknown)} in `extra`.")
    if not model.has_template:
        warnings.append(f"{model.name} has no chat template, so a plain text prompt was used.")
    if request.schema and grammar is None and not is_free:
        warnings.append(
            "llama.cpp does not support this schema, so the model was only instructed to follow it."
        )
    return warnings
