"""The vision encoder (of Qwen2-VL and its successors): pictures cut into patches, and their positions.

A picture replaces one token of the chat template by one for each patch (squares of `merge` × `merge` of them
count as one), and its tokens are numbered by row and column, not one after another.
https://huggingface.co/docs/transformers/model_doc/qwen2_5_vl
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import errors
from ...host import program
from ...images import pixels_of
from ...types import Image
from . import libraries

_KINDS = frozenset({"qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe"})
# What a picture of the size that is sent comes to, for an estimate.
TOKENS_OF_A_PICTURE = 1400

Grid = tuple[int, int, int]


@dataclass(frozen=True)
class VisionConfig:
    """A model's vision part. `token` stands for a piece of a picture, `merge` is the side of the squares of
    patches that become one, `layers` the number of the vision part's layers."""

    token: int
    merge: int
    layers: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> VisionConfig | None:
        """Read the vision part from the contents of a config.json; None for a model that reads text only."""
        vision, token = config.get("vision_config"), config.get("image_token_id")
        if config.get("model_type") not in _KINDS or not isinstance(vision, dict):
            return None
        if not isinstance(token, int):
            return None
        return cls(token, int(vision.get("spatial_merge_size") or 2), int(vision.get("depth") or 0))


@dataclass(frozen=True)
class EncodedImages:
    """The pictures of one prompt: patches (a tensor on the CPU) and the grid of each, in patches
    (frames, rows, columns)."""

    patches: Any
    grids: tuple[Grid, ...]


class ImageProcessor:
    """A processor that cuts pictures into patches for the model in `folder`."""

    def __init__(self, folder: Path, vision: VisionConfig) -> None:
        self._folder, self._vision = folder, vision
        self._processor: Any = None

    def encode(self, images: Sequence[Image]) -> EncodedImages:
        """Cut `images` into patches. Raises `errors.LLMError` for one that is no picture, and where the
        model's own settings are missing."""
        pictures = [pixels_of(image) for image in images]
        if self._processor is None:
            self._processor = self._load()
        try:
            made = self._processor(images=pictures, return_tensors="pt")
        except ValueError as error:
            raise errors.BadRequest(
                f"{self._folder.name} cannot process this image: {error}",
                hint="Use an image that is less narrow.",
            ) from None
        grids = tuple((frames, rows, columns) for frames, rows, columns in made["image_grid_thw"].tolist())
        return EncodedImages(made["pixel_values"], grids)

    def in_place(self, ids: Iterable[int], seen: EncodedImages) -> list[int]:
        """Widen each picture's place in `ids` to its tokens.
        Raises `BackendUnavailable` where the template has left no place for one."""
        grids = iter(seen.grids)
        spread: list[int] = []
        places = 0
        for index in ids:
            if index != self._vision.token:
                spread.append(index)
                continue
            places += 1
            spread += [index] * self._tokens(next(grids, (0, 0, 0)))
        if places != len(seen.grids):
            raise errors.BackendUnavailable(
                f"The chat template of {self._folder.name} does not support images.",
                hint="Download the model again, or choose another version of it.",
            )
        return spread

    def _tokens(self, grid: Grid) -> int:
        frames, rows, columns = grid
        return frames * rows * columns // self._vision.merge**2

    def _load(self) -> Any:
        transformers = libraries.transformers()
        # Pillow's way of scaling needs no further library, and is the same in every version.
        way = {"backend": "pil"} if libraries.version("transformers") >= (5,) else {"use_fast": False}
        try:
            with libraries.quiet():
                return transformers.AutoImageProcessor.from_pretrained(
                    self._folder, local_files_only=True, trust_remote_code=False, **way
                )
        except ImportError as error:
            raise errors.DependencyMissing(
                f"{self._folder.name} needs a package for images that is not installed: {error}",
                hint=f"Install it in {program()}'s Python environment, or choose another model.",
            ) from None
        except Exception:  # noqa: BLE001 - whatever transformers may raise
            raise errors.BackendUnavailable(
                f"{self._folder.name} has no readable preprocessor_config.json, which it needs for images.",
                hint="Download the model again, or copy that file from the same model into the folder.",
            ) from None


def positions_of(ids: Sequence[int], vision: VisionConfig, grids: Sequence[Grid]) -> list[list[int]]:
    """The positions of `ids` in time, height and width, as three lists.
    Text advances in all three, a picture's tokens begin together and spread."""
    axes: list[list[int]] = [[], [], []]
    at, waiting = 0, iter(grids)
    place = 0
    while place < len(ids):
        grid = next(waiting, None) if ids[place] == vision.token else None
        if grid is None:
            for axis in axes:
                axis.append(at)
            at, place = at + 1, place + 1
            continue
        frames, rows, columns = grid[0], grid[1] // vision.merge, grid[2] // vision.merge
        for axis, numbers in zip(axes, zip(*_cells(frames, rows, columns), strict=True), strict=True):
            axis.extend(at + number for number in numbers)
        at, place = at + max(frames, rows, columns), place + frames * rows * columns
    return axes


def _cells(frames: int, rows: int, columns: int) -> Iterator[Grid]:
    for frame in range(frames):
        for row in range(rows):
            for column in range(columns):
                yield frame, row, column
