"""The decode step as a CUDA graph: its tensors never move, so it is recorded once and replayed.

A small model's step on a GPU is bound by the launching of its many kernels; a CUDA graph launches them as
one. The graph is captured by hand, since the compiler's own needs an allocator that hosts may not have
chosen. It holds addresses: of the weights, so it goes before they do, and of the buffers here. Off unless
asked for (the deployment's parameter ``cuda_graph``), and for dense decoders with full attention only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .decoder import Decoder, layers_of
from .libraries import is_out_of_memory
from .loading.architecture import cache_name, last_logits_only
from .prompt_cache import Layers

# Columns that the buffers grow by; every step attends over all that there are.
_ROOM = 512


class CannotRecord(Exception):
    """The step does something that a graph may not hold, or this driver cannot record it."""


class FixedStep:
    """One step of a batch, at whatever column `column` says. Call in inference mode.

    `run` reads `tokens` and `positions` (rows × 1) and `column` (1), and writes the new keys and values at
    that column of its buffers: the same work, on the same addresses, at every position.
    """

    def __init__(
        self, model: Any, layers: Layers, visible: Any, positions: Any, length: int, room: int
    ) -> None:
        import torch

        self._model, self._last_only = model, last_logits_only(model)
        self._cache_name = cache_name(model)
        device, dtype = layers[0][0].device, layers[0][0].dtype
        rows = layers[0][0].shape[0]
        self.room = room
        self.tokens = torch.zeros(rows, 1, dtype=torch.long, device=device)
        self.positions = positions + 1
        self.column = torch.tensor([length], device=device)
        self.cache = _fixed_cache(layers, length, room, self.column)
        hidden = torch.finfo(dtype).min
        self.mask = torch.full((rows, 1, 1, room), hidden, dtype=dtype, device=device)
        self.mask[:, 0, 0, :length] = 0 if visible is None else (1 - visible.to(dtype)) * hidden

    def run(self) -> Any:
        """Run the step: logits (rows × vocabulary) for the position after `tokens`."""
        self.mask.index_fill_(3, self.column, 0)
        output = self._model(
            input_ids=self.tokens,
            position_ids=self.positions,
            attention_mask=self.mask,
            use_cache=True,
            **{self._cache_name: self.cache},
            **self._last_only,
        )
        return output.logits[:, -1]

    def advance(self) -> None:
        """Move on to the next column."""
        self.positions += 1
        self.column += 1


class RecordedDecoder:
    """A decoder that continues a prefilled `Decoder` by replaying a recorded step. Rows are not dropped: a
    graph is for one batch size. `close` destroys the graph and must be called before the weights go."""

    can_drop_rows = False

    def __init__(self, model: Any, decoder: Decoder) -> None:
        self._model = model
        self._visible, self._length = decoder.mask, decoder.length
        self._graph: Any = None
        self._logits: Any = None
        self._step: FixedStep | None = None
        self._begin(layers_of(decoder.cache), decoder.positions)

    def step(self, tokens: Sequence[Sequence[int]]) -> Any:
        """Run a step as `Decoder.step` does, with one token for each row."""
        import torch

        step = self._step
        assert step is not None, "the graph was closed"
        if self._length >= step.room:
            step = self._grown(step)
        step.tokens.copy_(torch.tensor(tokens))
        if self._graph is None:
            self._record(step)
        self._graph.replay()
        step.advance()
        self._length += 1
        return self._logits

    def close(self) -> None:
        """Destroy the graph and free the buffers. Safe to call twice."""
        if self._graph is not None:
            self._graph.reset()
        self._graph = self._logits = self._step = None

    def _begin(self, layers: Layers, positions: Any) -> FixedStep:
        room = (self._length // _ROOM + 1) * _ROOM
        self._step = FixedStep(self._model, layers, self._visible, positions, self._length, room)
        return self._step

    def _grown(self, full: FixedStep) -> FixedStep:
        layers, positions = full.cache.held(), full.positions - 1
        self._visible = (full.mask[:, 0, 0] == 0).long()
        self.close()
        return self._begin(layers, positions)

    def _record(self, step: FixedStep) -> None:
        try:
            self._capture(step)
        except Exception as error:
            self.close()
            if is_out_of_memory(error):
                raise
            raise CannotRecord(str(error).partition("\n")[0]) from None

    def _capture(self, step: FixedStep) -> None:
        import torch

        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            # Libraries set themselves up in their first calls, which may not be captured. Running a step
            # again changes nothing: it writes the same at the same column.
            for _ in range(2):
                step.run()
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._logits = step.run()


def _fixed_cache(layers: Layers, length: int, room: int, column: Any) -> Any:
    from transformers.cache_utils import Cache

    class FixedCache(Cache):
        """A KV cache in buffers of `room` columns, all of which are attended to under a mask."""

        def __init__(self) -> None:
            # The base class wants layers of its own kinds, which keep their length for themselves.
            self.layers: list[Any] = []
            self._buffers = [tuple(map(_padded, pair)) for pair in layers]

        def update(
            self, key_states: Any, value_states: Any, layer_idx: int, *args: Any, **kwargs: Any
        ) -> tuple[Any, Any]:
            keys, values = self._buffers[layer_idx]
            keys.index_copy_(2, column, key_states)
            values.index_copy_(2, column, value_states)
            return keys, values

        def get_seq_length(self, layer_idx: int | None = 0) -> int:
            return length

        def get_max_cache_shape(self, layer_idx: int = 0) -> int:
            return room

        def held(self) -> Layers:
            return self._buffers

    def _padded(tensor: Any) -> Any:
        rows, heads, _, width = tensor.shape
        buffer = tensor.new_zeros(rows, heads, room, width)
        buffer[:, :, :length] = tensor[:, :, :length]
        return buffer

    return FixedCache()
