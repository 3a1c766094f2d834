"""Several answers at once: sequences of one context of llama.cpp, of which a step computes a token each.

llama-cpp-python's own class has one sequence in its context. So another context is made beside it, of the
same weights, by the functions of llama.h:
https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..transformers_local.sampling import SamplingSettings
from .prompt import Piece, Prompt

MOST_SEQUENCES = 8
# Of a llama-cpp-python without one of them, or without a parameter, answers come one after another.
_FUNCTIONS = (
    "llama_init_from_model",
    "llama_free",
    "llama_get_memory",
    "llama_memory_seq_cp",
    "llama_memory_seq_rm",
    "llama_batch_init",
    "llama_batch_free",
    "llama_decode",
    "llama_sampler_sample",
    "llama_state_seq_get_size",
    "llama_state_seq_get_data",
    "llama_state_seq_set_data",
    "llama_model_n_layer",
    "llama_model_n_head",
    "llama_model_n_head_kv",
    "llama_model_n_embd",
)
_PARAMETERS = ("n_ctx", "n_seq_max", "kv_unified")
# llama.cpp rounds a context up to as many tokens.
_CELLS = 256
# What a context takes beside its KV cache.
_BUFFERS = 256 * 1024**2


class Row(Protocol):
    """An answer to be written: of `budget` tokens at most, and `over` once it needs no more."""

    prompt: Prompt
    settings: SamplingSettings
    seed: int
    grammar: Any
    budget: int

    @property
    def over(self) -> bool: ...


def is_possible(library: Any, llama: Any) -> bool:
    """Tell whether this llama-cpp-python and model can write several sequences at once."""
    recurrent = ("llama_model_is_recurrent", "llama_model_is_hybrid")
    parameters = {name for name, *_ in getattr(library.llama_context_params, "_fields_", ())}
    return (
        all(hasattr(library, name) for name in _FUNCTIONS)
        and all(hasattr(llama, name) for name in ("_init_sampler", "context_params"))
        and parameters.issuperset(_PARAMETERS)
        and not any(getattr(library, name, lambda _: False)(llama.model) for name in recurrent)
    )


def common_pieces(prompts: Sequence[Prompt], length: int) -> list[Piece]:
    """The pieces that all `prompts` begin with, save the last one of each."""
    first, *others = [prompt.pieces(length)[:-1] for prompt in prompts]
    common: list[Piece] = []
    for place, (start, end, _) in enumerate(first):
        ids = prompts[0].ids[start:end]
        for prompt, pieces in zip(prompts[1:], others, strict=True):
            if place >= len(pieces) or pieces[place] != first[place] or prompt.ids[start:end] != ids:
                return common
        common.append(first[place])
    return common


def cells_of(rows: Sequence[Row], shared: int) -> int:
    """The most cells of a KV cache that one of `rows` takes beside the first `shared` ids."""
    return max(len(row.prompt.ids) + row.budget for row in rows) - shared


def bytes_of_cell(library: Any, llama: Any) -> int:
    """The bytes of the KV cache for one token."""
    heads, heads_kv = library.llama_model_n_head(llama.model), library.llama_model_n_head_kv(llama.model)
    width = library.llama_model_n_embd(llama.model) // max(1, heads)
    architecture = llama.metadata.get("general.architecture", "")
    widths = 0
    for name in ("key_length", "value_length"):
        value = llama.metadata.get(f"{architecture}.attention.{name}", "")
        widths += int(value) if value.isdigit() else width
    return int(library.llama_model_n_layer(llama.model) * heads_kv * widths * 2)


def count_that_fits(rows: int, shared: int, each: int, cell: int, room: int) -> int:
    """The number of sequences of `each` cells that fit into `room` bytes beside `shared` cells."""
    cells = (room - _BUFFERS) // max(1, cell) - shared
    return max(0, min(rows, MOST_SEQUENCES, cells // max(1, each)))


@dataclass
class _Going:
    """An answer on its way: the last token, and the position that this will have in its sequence."""

    row: int
    token: int
    position: int
    sampler: Any


class Sequences:
    """A context with `count` sequences of up to `each` tokens, which share the `shared` first ones.

    Raises RuntimeError where llama.cpp has no memory for it.
    """

    def __init__(self, library: Any, llama: Any, count: int, shared: int, each: int) -> None:
        self._library, self._llama, self._shared = library, llama, shared
        parameters = type(llama.context_params).from_buffer_copy(llama.context_params)
        parameters.n_ctx = -(-(shared + count * each) // _CELLS) * _CELLS
        parameters.n_seq_max, parameters.kv_unified = count, True
        self.context = library.llama_init_from_model(llama.model, parameters)
        if not self.context:
            raise RuntimeError("no memory for a context")
        self._batch = library.llama_batch_init(max(llama.n_batch, count), 0, 1)
        self._memory = library.llama_get_memory(self.context)
        self._free = list(range(count))
        self._going: dict[int, _Going] = {}

    def close(self) -> None:
        """Free everything; before the model itself is freed. Safe to call twice."""
        for sequence in list(self._going):
            self._end(sequence)
        context, self.context = self.context, None
        if context:
            self._library.llama_batch_free(self._batch)
            self._library.llama_free(context)

    def copy_shared(self) -> None:
        """Copy the shared beginning from the cache of the model's own context into every sequence."""
        library, own = self._library, self._llama.ctx
        if not self._shared:
            return
        library.llama_memory_seq_rm(library.llama_get_memory(own), 0, self._shared, -1)
        size = library.llama_state_seq_get_size(own, 0)
        state = (ctypes.c_uint8 * size)()
        library.llama_state_seq_get_data(own, state, size, 0)
        if not library.llama_state_seq_set_data(self.context, state, size, 0):
            raise RuntimeError("llama.cpp did not take a copy of the KV cache")
        for sequence in self._free[1:]:
            library.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)

    def write(
        self, rows: Sequence[Row], length: int, before_piece: Callable[[], None]
    ) -> Generator[list[tuple[int, int]], None, None]:
        """Write `rows`; yield after every step the rows that got a token, with it. The rest of a prompt is
        read in pieces of `length` at most; what `before_piece` raises comes out."""
        waiting = deque(range(len(rows)))
        while waiting or self._going:
            while waiting and self._free:
                # Variations of one idea have one prompt.
                ids = rows[waiting[0]].prompt.ids
                alike = [waiting.popleft()]
                while waiting and len(alike) < len(self._free) and rows[waiting[0]].prompt.ids == ids:
                    alike.append(waiting.popleft())
                yield from self._told(rows, self._begin(rows, alike, length, before_piece))
            if self._going:
                yield from self._told(rows, self._step())

    def _told(
        self, rows: Sequence[Row], taken: list[tuple[int, int]]
    ) -> Generator[list[tuple[int, int]], None, None]:
        yield taken
        for sequence, going in list(self._going.items()):
            if rows[going.row].over:
                self._end(sequence)

    def _begin(
        self,
        rows: Sequence[Row],
        alike: Sequence[int],
        length: int,
        before_piece: Callable[[], None],
    ) -> list[tuple[int, int]]:
        """Read the prompt that the rows `alike` have, and choose the first token of each."""
        sequences = [self._free.pop() for _ in alike]
        prompt, first = rows[alike[0]].prompt, sequences[0]
        place = 0
        for start, end, _ in prompt.pieces(length):
            if end <= self._shared:
                continue
            before_piece()
            self._decode([(prompt.ids[at], at, first) for at in range(start, end)], all_logits=False)
            place = end - start - 1
        for row, sequence in zip(alike, sequences, strict=True):
            if sequence != first:
                self._library.llama_memory_seq_cp(self._memory, first, sequence, self._shared, -1)
            going = _Going(row, 0, len(prompt.ids), self._sampler(rows[row]))
            self._going[sequence] = going
            going.token = self._choose(going, place)
        return [(self._going[sequence].row, self._going[sequence].token) for sequence in sequences]

    def _step(self) -> list[tuple[int, int]]:
        """Compute and choose the next token of every answer on its way."""
        going = list(self._going.items())
        self._decode([(one.token, one.position, sequence) for sequence, one in going], all_logits=True)
        for place, (_, one) in enumerate(going):
            one.token, one.position = self._choose(one, place), one.position + 1
        return [(one.row, one.token) for _, one in going]

    def _sampler(self, row: Row) -> Any:
        """The chain that the model's own context would sample with."""
        self._llama.set_seed(row.seed)
        return self._llama._init_sampler(**sampling_arguments(row.settings), grammar=row.grammar)

    def _choose(self, going: _Going, place: int) -> int:
        return int(self._library.llama_sampler_sample(going.sampler.sampler, self.context, place))

    def _decode(self, tokens: Sequence[tuple[int, int, int]], *, all_logits: bool) -> None:
        """Compute `tokens` (id, position, sequence), with the logits of all of them or of the last alone."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for place, (token, position, sequence) in enumerate(tokens):
            batch.token[place], batch.pos[place] = token, position
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, sequence
            batch.logits[place] = all_logits
        batch.logits[len(tokens) - 1] = True
        if failed := self._library.llama_decode(self.context, batch):
            raise RuntimeError(f"llama_decode returned {failed}")

    def _end(self, sequence: int) -> None:
        self._going.pop(sequence).sampler.close()
        self._library.llama_memory_seq_rm(self._memory, sequence, self._shared, -1)
        self._free.append(sequence)


def sampling_arguments(settings: SamplingSettings) -> dict[str, Any]:
    """`settings` by llama-cpp-python's names."""
    return {
        "temp": settings.temperature,
        "top_k": settings.top_k,
        "top_p": settings.top_p,
        "min_p": settings.min_p,
        "repeat_penalty": settings.repetition_penalty,
    }
