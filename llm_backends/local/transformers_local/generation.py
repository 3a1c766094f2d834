"""Generation of many rows with one model: as one batch where it fits, in halves where it does not.

A row holds all that is needed to continue it (`row.Row`), so a batch that ran out of memory or whose model
was evicted resumes where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import errors
from ...host import Host, MemoryManager
from ..resident import Evicted
from . import libraries
from .cuda_graph import CannotRecord, RecordedDecoder
from .decoder import Decoder, prefill_tokens
from .device_memory import give_back
from .interrupts import InterruptWatch, checked_inside
from .loading.load import free_memory, gigabytes
from .prompt_cache import SHORTEST, common
from .resident_model import ResidentModel
from .row import Row
from .sampling import choose, penalise
from .vision_decoder import VisionDecoder

_MOST_ROWS = {"cpu": 16, "other": 64}
_MOST_RELOADS = 3
# What activations and the libraries' own buffers take beside weights and KV cache.
WORKING_BYTES = 512 * 1024**2
_SPARE = 1.25


def write(rows: Sequence[Row], model: ResidentModel, memory: MemoryManager, host: Host) -> None:
    """Write every row to its end. Raises `Cancelled`, what the host's hooks raise, or `errors.LLMError`."""
    at_once, reloads = len(rows), 0
    while unfinished := [row for row in rows if row.finish is None]:
        if model.loaded is None:
            reloads += 1
            if reloads > _MOST_RELOADS:
                raise errors.BackendUnavailable(
                    f"{model.name} was unloaded {_MOST_RELOADS} times while it was generating.",
                    hint="Other models need the memory. Unload them, or choose a smaller language model.",
                )
            # What wrote with it has let go of it only now.
            give_back()
            memory.admit(model, bytes_needed(unfinished, model))
        batch = unfinished[: min(at_once, _rows_that_fit(unfinished, model))]
        if _write_batch(batch, model, host):
            continue
        model.prompts.clear()
        give_back()
        if len(batch) == 1 and at_once == 1:
            longest = len(batch[0].prompt.ids) + len(batch[0].ids)
            raise errors.BackendUnavailable(
                f"There is not enough memory to generate with {model.name}: one answer of {longest:,} "
                f"tokens so far takes {gigabytes(longest * model.bytes_per_token + WORKING_BYTES)} in "
                f"addition to the model {free_memory(model.loaded_on)}.",
                hint="Unload other models, shorten the prompt, or choose a smaller model.",
            )
        # A single row gets a second try: the kept prompts have made room for it.
        at_once = max(1, len(batch) // 2)


def bytes_needed(rows: Sequence[Row], model: ResidentModel) -> int:
    """Estimate the bytes that writing `rows` takes beside the weights."""
    tokens = sum(len(row.prompt.ids) + row.budget for row in rows[:8])
    return tokens * model.bytes_per_token + WORKING_BYTES


def _rows_that_fit(rows: Sequence[Row], model: ResidentModel) -> int:
    import torch

    device = model.loaded_on
    most = _MOST_ROWS.get(device.type, _MOST_ROWS["other"])
    if any(row.prompt.seen for row in rows):
        # Pictures go through in one piece.
        most = min(most, max(1, prefill_tokens(device) // max(len(row.prompt.ids) for row in rows)))
    if device.type != "cuda":
        return most
    free = torch.cuda.mem_get_info(device)[0]
    free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    longest = max(len(row.prompt.ids) + row.budget for row in rows)
    each = longest * model.bytes_per_token * _SPARE
    return max(1, min(most, int((free - WORKING_BYTES) / each)))


def _write_batch(rows: Sequence[Row], model: ResidentModel, host: Host) -> bool:
    """Write one batch; False when memory ran out. No reference to the batch is kept in either case."""
    import torch

    try:
        with torch.inference_mode():
            _Batch(rows, model, host).run()
    except Evicted:
        return True
    except CannotRecord as reason:
        model.give_up_recording(str(reason))
        return True
    except errors.LLMError:
        raise
    except Exception as error:
        if libraries.is_out_of_memory(error):
            return False
        raise
    finally:
        if model.recorded is not None:
            model.recorded.close()
            model.recorded = None
    return True


def _decoder(rows: Sequence[Row], model: ResidentModel) -> Decoder:
    assert model.loaded is not None
    architecture, vision = model.architecture, model.architecture.vision
    seen = [row.prompt.seen for row in rows]
    if vision is None or not any(seen):
        return Decoder(model.loaded.model, architecture, model.loaded.device)
    return VisionDecoder(model.loaded.model, architecture, model.loaded.device, vision, seen)


class _Batch:
    """A batch of rows in a loaded model."""

    def __init__(self, rows: Sequence[Row], model: ResidentModel, host: Host) -> None:
        loaded = model.loaded
        assert loaded is not None
        self._rows = list(rows)
        self._owner = model
        self._model = loaded.model
        self._watch = InterruptWatch(host, lambda: model.loaded is loaded)
        self._decoder: Decoder | RecordedDecoder = _decoder(rows, model)

    def run(self) -> None:
        logits = self._prefill()
        if bool(logits.isnan().any()):
            raise errors.BackendUnavailable(
                f"{self._owner.name} produces invalid numbers (NaN) in this number format.",
                hint="Load it with the dtype bf16 or fp32.",
            )
        while True:
            taken = self._take(logits)
            self._watch.token()
            if not self._drop_finished(taken):
                return
            logits = self._decoder.step(taken)

    def _prefill(self) -> Any:
        self._watch.check()
        for row in self._rows:
            # What is sure to come goes in with the prompt.
            row.accept_forced()
        decoder = self._decoder
        assert isinstance(decoder, Decoder)
        on_card = self._owner.loaded_on.type == "cuda"
        depths = self._owner.architecture.depths
        with checked_inside(self._model, depths, self._watch.check, on_card=on_card):
            logits = decoder.prefill(
                [[*row.prompt.ids, *row.ids] for row in self._rows], self._common_start(), self._owner.prompts
            )
        if self._owner.records:
            self._owner.recorded = self._decoder = RecordedDecoder(self._model, decoder)
        return logits

    def _common_start(self) -> int:
        """The number of tokens that all rows begin with and that will come again in other calls."""
        first = self._rows[0].prompt.ids
        fixed = min(min(row.prompt.fixed, common(row.prompt.ids, first)) for row in self._rows)
        return fixed if fixed >= SHORTEST else 0

    def _take(self, logits: Any) -> list[list[int]]:
        """Choose a token for every row and add it; return the tokens that each row has taken."""
        forced = [row.forced for row in self._rows]
        chosen = [0] * len(forced) if None not in forced else self._choose(logits, forced)
        taken = []
        for row, given, free in zip(self._rows, forced, chosen, strict=True):
            taken.append([free if row.finish else row.accept(free if given is None else given)])
        if len(self._rows) == 1 and isinstance(self._decoder, Decoder):
            # One row alone takes all that is sure to come in one step of the model.
            taken[0] += self._rows[0].accept_forced()
        return taken

    def _choose(self, logits: Any, forced: Sequence[int | None]) -> list[int]:
        rows = self._rows
        draws = [0.0] * len(rows)
        for place, (row, given) in enumerate(zip(rows, forced, strict=True)):
            if given is not None or row.finish:
                continue
            if row.settings.repetition_penalty != 1:
                penalise(logits[place], [*row.prompt.ids, *row.ids], row.settings.repetition_penalty)
            if row.constraint is not None:
                row.constraint.shape(logits[place])
            if row.settings.temperature > 0:
                draws[place] = row.draws.next()
        if all(row.settings == rows[0].settings for row in rows):
            return [int(id) for id in choose(logits, rows[0].settings, draws).tolist()]
        return [
            int(choose(logits[place : place + 1], row.settings, draws[place : place + 1])[0])
            for place, row in enumerate(rows)
        ]

    def _drop_finished(self, taken: list[list[int]]) -> bool:
        """Drop finished rows; False when none is left."""
        going = [place for place, row in enumerate(self._rows) if row.finish is None]
        if going and len(going) < len(self._rows) and self._decoder.can_drop_rows:
            self._decoder.keep(going)  # type: ignore[union-attr]
            self._rows = [self._rows[place] for place in going]
            taken[:] = [taken[place] for place in going]
        return bool(going)
