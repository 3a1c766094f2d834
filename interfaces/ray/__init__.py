"""Captions by Ray Data: a dataset of images through the same prompts, models and cleaning as a job's.

`caption_dataset` is all that a caller needs. Ray is an extra, and imported by nothing but the workers.
"""

from __future__ import annotations

import importlib
import runpy
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...config.choice import Choice
from ...config.opening import open_model
from ...prompting.jobs.caption_job import caption_job_id
from ...prompting.jobs.captions import Wishes

if TYPE_CHECKING:
    from ray.data import Dataset

_PACK = Path(__file__).resolve().parents[2] / "__main__.py"


def caption_dataset(
    dataset: Dataset,
    journal: str | Path,
    wishes: Wishes | None = None,
    *,
    model: str = "",
    seed: int = 0,
    workers: int = 2,
    at_once: int = 16,
    gpus: float = 0.0,
) -> Dataset:
    """Return `dataset` with the columns ``caption`` and ``error``, one of which is "" in each row.

    A row has a ``path``, and ``bytes`` where the workers cannot read that themselves
    (``ray.data.read_binary_files(folder, include_paths=True)`` makes both). Each of the `workers` asks for
    `at_once` texts at once; `gpus` is a worker's share of GPUs, 1 for a local model. `model` is an id as
    ``--model`` takes it, "" that of the settings, which hold on every machine for itself.

    `journal` is a folder that all machines see. Each batch of `at_once` is kept there when it is done, as a
    Parquet file with the columns of a job's journal: the same call goes on where it ended. Raises what
    `open_model` raises.
    """
    wishes = wishes or Wishes()
    opened = open_model(Choice(llm_model=model, by_workflow=False), caller="caption, Ray")
    folder = Path(journal).resolve()
    kept = folder / caption_job_id(folder, wishes, ".txt", "keep", seed, opened)
    return dataset.map_batches(
        _worker(),
        # No class of ours: a worker could not read it before it has the pack.
        fn_constructor_args=(
            str(_PACK),
            str(kept),
            model,
            {one.name: getattr(wishes, one.name) for one in fields(wishes) if one.name != "target"},
            wishes.target.id if wishes.target else "",
            seed,
            at_once,
        ),
        batch_size=at_once,
        batch_format="pyarrow",
        concurrency=workers,
        num_gpus=gpus,
    )


def _worker() -> type:
    """Return the class that Ray sends to its workers whole, since they cannot import the pack by its name."""

    class Captioner:
        def __init__(self, pack: str, *arguments: Any) -> None:
            try:
                importlib.import_module("quillwork")
            except ImportError:
                runpy.run_path(pack, run_name="quillwork_ray")
            self._captions = importlib.import_module("quillwork.interfaces.ray.worker").Worker(*arguments)

        def __call__(self, batch: Any) -> Mapping[str, Any]:
            captioned: Mapping[str, Any] = self._captions(batch)
            return captioned

    return Captioner
