"""The backend of the mode ``gguf``: answers with a GGUF file through llama.cpp."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ... import errors
from ...host import Host
from ...streaming.live import Sink
from ...system.memory import free_memory
from ...types import Deployment, Request, Result
from ...vision import has_pictures
from ..answer_writer import Writing, budget_of, refuse_what_it_cannot, seed_of, thinks
from ..hub.gguf_files import fetch_gguf
from ..list_schema import list_count
from ..resident import Evicted, Resident
from ..token_text import TextStream
from ..tool_call_text import offered
from ..transformers_local.sampling import SamplingSettings, unknown_parameters
from . import file as gguf_file
from .model import GgufModel, llama_cpp, uses_gpu
from .prompt import Prompt

# llama.cpp takes the last one for "choose a seed yourself".
_SEEDS = 2**32 - 1
# KV cache and buffers of a model of a size that people run beside an image model.
_BYTES_BESIDE_WEIGHTS = 3 * 1024**3 // 2
# For several answers at once, where nothing tells what is free.
_ROOM = 1024**3
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
        """Answer the requests as in `types.LocalBackend`: several at once where llama.cpp can and
        memory allows, else one after another."""
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
            with self._in_use(model):
                answers = self._answer_together(requests, model, deployment, sinks, host)
                for place, (request, sink) in enumerate(zip(requests, sinks, strict=True)):
                    if place in answers:
                        continue
                    try:
                        answers[place] = self._answer(request, model, deployment, sink, host)
                    except errors.LLMError as error:
                        answers[place] = error
            return [answers[place] for place in range(len(requests))]

    def _answer_together(
        self,
        requests: Sequence[Request],
        model: GgufModel,
        deployment: Deployment,
        sinks: Sequence[Sink],
        host: Host,
    ) -> dict[int, Result | errors.LLMError]:
        """Write several answers at once and return them by their places, without any that has to be written
        alone: one about a picture, one that cannot begin, and all where library or memory do not do."""
        done: dict[int, Result | errors.LLMError] = {}
        for _ in range(_MOST_RELOADS):
            left = [at for at, one in enumerate(requests) if at not in done and not has_pictures(one)]
            if len(left) < 2:
                break
            room = _room_together()
            try:
                self._admit(model, room)
            except errors.LLMError:
                break
            rows: dict[int, _Answer] = {}
            for place in left:
                with contextlib.suppress(errors.LLMError):
                    rows[place] = _Answer(requests[place], model, sinks[place])
            places, again = list(rows), False
            try:
                if len(rows) > 1 and model.can_write_together(list(rows.values()), room):
                    for row in _written_together(list(rows.values()), model, room, host):
                        done[places[row]] = rows[places[row]].result(deployment, model)
            except (RuntimeError, MemoryError):
                pass  # no memory for it after all
            except Evicted:
                again = True
            for place in left:
                if place not in done:
                    sinks[place].restart()
            if not again:
                break
        return done

    def _answer(
        self, request: Request, model: GgufModel, deployment: Deployment, sink: Sink, host: Host
    ) -> Result | errors.LLMError:
        """Write one answer; restart it if the model is evicted: the same seed gives the same text."""
        for _ in range(_MOST_RELOADS):
            self._admit(model, 0)  # the host may have wanted the room in between
            try:
                return _written_alone(request, model, deployment, sink, host)
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

    def _admit(self, model: GgufModel, more: int) -> None:
        """Have the model loaded, with room for `more` bytes than one answer takes."""
        if self._memory is None:
            model.load(None)
        else:
            self._memory.admit(model, _BYTES_BESIDE_WEIGHTS + more)


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


def _room_together() -> int:
    """The bytes that a context for several answers at once may take beside the model and its own context."""
    if uses_gpu():
        return _ROOM
    free = free_memory()
    return _ROOM if free is None else free // 2


class _Answer:
    """One answer: its prompt and settings, and as much of it as is written. Made, it shows its first words.

    `budget` is the most tokens that it may have. Raises `errors.LLMError` for a request that `model` cannot
    answer.
    """

    def __init__(self, request: Request, model: GgufModel, sink: Sink) -> None:
        refuse_what_it_cannot(
            request, model.name, sees=model.projector_file is not None, those_that_see=_NO_EYES
        )
        self._request = request
        self.settings = SamplingSettings.of(request, model.name)
        self.seed = seed_of(request, _SEEDS)
        self._tools = offered(request)
        self.prompt = self._encoded(model)
        self.budget = budget_of(request.max_tokens, self.prompt.cells, model.longest, model.name)
        # A grammar would let it neither think nor call.
        thinking = thinks(request, self.prompt.opens_thinking)
        self._is_free = bool(self._tools) or thinking
        wants_grammar = request.schema and not self._is_free
        self.grammar = model.grammar(_counted(request)) if wants_grammar else None
        self._tokens = 0
        self._writing = Writing(
            request,
            TextStream(model.decode, model.silent_ids),
            sink,
            model.stop_ids,
            opens_thinking=self.prompt.opens_thinking,
            calls_tools=bool(self._tools),
            stop_texts=(*model.stop_texts, *request.stop),
            begun="" if thinking else request.opening,
        )

    def _encoded(self, model: GgufModel) -> Prompt:
        request = self._request
        prompt = model.encode(request.messages, request.reasoning, self._tools)
        begun = "" if thinks(request, prompt.opens_thinking) else request.opening
        return prompt.followed_by(model.begun(begun))

    def make_room(self, model: GgufModel) -> None:
        """Reload `model` with a longer context where this answer needs one."""
        if self.prompt.cells + self.budget > model.context:
            model.widen(self.prompt.cells + self.budget)
            if self.prompt.pictures:  # they belong to what was unloaded
                self.prompt = self._encoded(model)

    def add(self, token: int) -> None:
        self._tokens += 1
        self._writing.add(token)

    @property
    def over(self) -> bool:
        """Tell whether it needs no more tokens."""
        return self._writing.over or self._tokens >= self.budget

    def result(self, deployment: Deployment, model: GgufModel) -> Result | errors.LLMError:
        """The whole answer; an error where it has no text."""
        warnings = _warnings(self._request, model, self.grammar, self._is_free)
        return self._writing.result(
            deployment, model.name, model.name, self.prompt.cells, self.budget, warnings
        )


def _written_alone(
    request: Request, model: GgufModel, deployment: Deployment, sink: Sink, host: Host
) -> Result | errors.LLMError:
    try:
        answer = _Answer(request, model, sink)
        answer.make_room(model)
        tokens = model.generate(
            answer.prompt, answer.settings, answer.seed, lambda: _tick(host), host.cancelled, answer.grammar
        )
        try:
            for token in tokens:
                answer.add(token)
                _tick(host)
                if answer.over:
                    break
        except (RuntimeError, MemoryError) as error:
            raise errors.BackendUnavailable(
                f"llama.cpp failed while {model.name} was generating ({error}).",
                hint="Unload other models, shorten the prompt, or choose a smaller file.",
            ) from None
        finally:
            tokens.close()
        return answer.result(deployment, model)
    finally:
        model.forget_pictures()


def _written_together(answers: Sequence[_Answer], model: GgufModel, room: int, host: Host) -> Iterator[int]:
    """Write `answers`, several at once in `room` bytes; yield the place of each as soon as it is over."""
    steps = model.generate_together(answers, room, lambda: _tick(host), host.cancelled)
    with contextlib.closing(steps):
        for taken in steps:
            for place, token in taken:
                answers[place].add(token)
            _tick(host)
            yield from (place for place, _ in taken if answers[place].over)


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
