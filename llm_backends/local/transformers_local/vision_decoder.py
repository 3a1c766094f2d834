"""The decoder of a batch in which rows have pictures: read once, in the prefill; then rows like any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .decoder import Decoder, make_cache
from .loading.architecture import Architecture
from .prompt_cache import PromptCache
from .vision_encoder import EncodedImages, VisionConfig, positions_of


class VisionDecoder(Decoder):
    """A `Decoder` with pictures; `seen` holds those of each row, None for a row of text."""

    def __init__(
        self,
        model: Any,
        architecture: Architecture,
        device: Any,
        vision: VisionConfig,
        seen: Sequence[EncodedImages | None],
    ) -> None:
        super().__init__(model, architecture, device)
        self._vision, self._seen = vision, seen

    def prefill(self, rows: Sequence[Sequence[int]], fixed: int, kept: PromptCache) -> Any:
        """Prefill as in `Decoder`, but in one pass: a picture cannot be split. Nothing is kept for later."""
        import torch

        width = max(map(len, rows))
        pads = [width - len(row) for row in rows]
        ids = torch.tensor([[0] * pad + list(row) for pad, row in zip(pads, rows, strict=True)])
        positions = torch.zeros(3, len(rows), width, dtype=torch.long)
        for place, (pad, row, seen) in enumerate(zip(pads, rows, self._seen, strict=True)):
            grids = seen.grids if seen is not None else ()
            positions[:, place, pad:] = torch.tensor(positions_of(row, self._vision, grids))
        if any(pads):
            columns = torch.arange(width)[None]
            self.mask = (columns >= torch.tensor(pads)[:, None]).long().to(self._device)
        self.cache = make_cache([])
        logits = self._forward(ids.to(self._device), positions.to(self._device), **self._pictures())
        self.positions = positions[..., -1:].to(self._device)
        return logits

    def _pictures(self) -> dict[str, Any]:
        import torch

        seen = [one for one in self._seen if one is not None]
        if not seen:
            return {}
        grids = [list(grid) for one in seen for grid in one.grids]
        return {
            "pixel_values": torch.cat([one.patches for one in seen]).to(self._device),
            "image_grid_thw": torch.tensor(grids, device=self._device),
        }

    def _forward(self, ids: Any, positions: Any, **pictures: Any) -> Any:
        logits = super()._forward(ids, positions, **pictures)
        # A model does not draw: the token that stands for a piece of a picture is no word.
        logits[:, self._vision.token] = float("-inf")
        return logits
