"""The resident model: weights in memory that the host can evict at any time and have loaded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...host import ManagedModel
from .chat import ChatFormat
from .constraint import Masks, Pieces
from .cuda_graph import RecordedDecoder
from .device_memory import best_device, give_back
from .loading.architecture import Architecture
from .loading.load import LoadedModel, load
from .loading.planning import LoadPlan, plan
from .prompt_cache import PromptCache
from .vision_encoder import ImageProcessor
from .vocabulary import Vocabulary


class ResidentModel(ManagedModel):
    """The model of one folder, in memory or not; see `host.ManagedModel`.

    Making it reads the folder's JSON only and raises `errors.LLMError` where it cannot be loaded.
    The tokenizer's data stays when the weights go; all that lies on the device goes with them.
    """

    def __init__(self, folder: Path, dtype: str = "auto", *, record: bool = False) -> None:
        self.folder, self.dtype, self.record = folder, dtype, record
        self.name = folder.name
        self._planned_for = best_device().type, ""
        self._plan: LoadPlan = plan(folder, dtype, *self._planned_for)
        self.size = self._plan.bytes
        self.architecture = Architecture.of(self._plan.checkpoint.config)
        self.loaded: LoadedModel | None = None
        self.loaded_on: Any = None
        self.prompts = PromptCache()
        self.recorded: RecordedDecoder | None = None
        self._slower: tuple[str, ...] = ()
        self._tokenizer: Any = None
        self._chat: ChatFormat | None = None
        vision = self.architecture.vision
        self.image_processor = ImageProcessor(folder, vision) if vision is not None else None
        self._vocabulary: Vocabulary | None = None
        self._masks: Masks | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for the user about the loading and the running of the model."""
        return self._plan.warnings + self._slower

    @property
    def records(self) -> bool:
        """Tell whether to record the decode step: requested, and the same work at every position."""
        return (
            self.record
            and self.architecture.recordable
            and self.loaded is not None
            and self.loaded.device.type == "cuda"
            # bitsandbytes' int8 looks for outliers and computes with as many as there are.
            and self.loaded.dtype != "int8"
        )

    def give_up_recording(self, reason: str) -> None:
        """Run without a recorded step from now on, for `reason`."""
        self.record = False
        self._slower = (
            (f"{self.name} runs without a CUDA graph, because it cannot be recorded here: {reason}"),
        )

    @property
    def chat(self) -> ChatFormat:
        """The chat format of the model, which has to be loaded."""
        assert self.loaded is not None
        if self._chat is None:
            self._chat = ChatFormat(self.loaded, self.image_processor)
        return self._chat

    @property
    def bytes_per_token(self) -> int:
        """The bytes of the KV cache for one token of one row."""
        width = 4 if self._plan.compute == "fp32" else 2
        return self.architecture.cache_values * width

    def load(self, device: Any, dtype: str = "") -> None:
        """Load as in `host.ManagedModel`. A model on another device is loaded anew, never moved: bitsandbytes
        repacks the weights in place for the CPU that computes with them."""
        import torch

        device = torch.device(device)
        if self.loaded is not None and _same(self.loaded_on, device):
            return
        self.detach()
        if self._planned_for != (device.type, dtype):
            self._plan = plan(self.folder, self.dtype, device.type, dtype, found=self._plan.checkpoint)
            self._planned_for = device.type, dtype
        self.loaded = load(self.folder, device, planned=self._plan, tokenizer=self._tokenizer)
        self.loaded_on, self.size, self._tokenizer = device, self.loaded.bytes, self.loaded.tokenizer

    def detach(self) -> None:
        """Free the memory as in `host.ManagedModel`."""
        if self.recorded is not None:
            self.recorded.close()
        self.recorded = None
        self.prompts.clear()
        self._masks = None
        self.loaded_on = None
        if self.loaded is None:
            return
        self.loaded = None
        give_back()

    def masks(self, width: int) -> tuple[Masks, Pieces] | None:
        """The masks and pieces of a list constraint for logits of `width`; None for an unknown tokenizer."""
        assert self.loaded is not None
        if self._vocabulary is None:
            self._vocabulary = Vocabulary(self.loaded.tokenizer, width)
        if not self._vocabulary.usable:
            return None
        if self._masks is None:
            self._masks = Masks(self._vocabulary, width, self.loaded_on)
        return self._masks, Pieces(self.loaded.tokenizer)


def _same(first: Any, second: Any) -> bool:
    """Tell whether two torch devices are the same; ``cuda`` is the first card."""
    return first is not None and (first.type, first.index or 0) == (second.type, second.index or 0)
