"""ComfyUI's memory manager for a local language model, which asks it for room and gives way when told to.

To the manager the model is a `ModelPatcher` like any other, except that it is on the device entirely or
not at all: quantised weights cannot be split. Its module is empty; the weights stay with the model (the
language model), which drops them when the manager detaches it and reloads them when it is wanted again.
"""

from __future__ import annotations

from typing import Any

import comfy.model_management as model_management
from comfy.model_patcher import ModelPatcher

from ...llm_backends.host import ManagedModel


class ComfyMemoryManager:
    """ComfyUI's implementation of `host.MemoryManager`. Belongs to the execution thread, as the manager does.

    With `keeps` set, a model does not give way to a request for less memory than it holds; a request
    to unload everything still unloads it.
    """

    def __init__(self) -> None:
        self.keeps = False
        # The manager holds only weak references to its models.
        self._patchers: dict[int, ManagedModelPatcher] = {}

    def admit(self, model: ManagedModel, bytes_needed: int) -> None:
        """Have other models make room and load `model`, as in `host.MemoryManager`."""
        patcher = self._patchers.get(id(model))
        device = model_management.get_torch_device()
        if patcher is None or patcher.load_device != device:
            self.release(model)
            patcher = self._patchers[id(model)] = ManagedModelPatcher(model, device, self)
        model_management.load_models_gpu([patcher], memory_required=bytes_needed, force_full_load=True)

    def release(self, model: ManagedModel) -> None:
        """Give up the memory of `model`, as in `host.MemoryManager`."""
        patcher = self._patchers.pop(id(model), None)
        if patcher is not None:
            loaded = [one for one in model_management.current_loaded_models if one.model is patcher]
            for one in loaded:
                one.model_unload()
                model_management.current_loaded_models.remove(one)
        model.detach()


memory = ComfyMemoryManager()


class ManagedModelPatcher(ModelPatcher):
    """Managed model as the memory manager sees it: a `ModelPatcher` without weights of its own."""

    def __init__(self, model: ManagedModel, load_device: Any, owner: ComfyMemoryManager) -> None:
        import torch

        super().__init__(LanguageModel(), load_device, torch.device("cpu"), size=max(1, model.size))
        self._managed, self._owner = model, owner

    def model_size(self) -> int:
        return max(1, self._managed.size)

    def loaded_size(self) -> int:
        return self.model_size() if self._managed.loaded_on is not None else 0

    def loaded_ram_size(self) -> int:
        return 0

    def current_loaded_device(self) -> Any:
        return self._managed.loaded_on if self._managed.loaded_on is not None else self.offload_device

    def model_dtype(self) -> None:
        return None

    def model_patches_to(self, device: Any) -> None:
        pass

    def model_patches_models(self) -> list[Any]:
        return []

    def load(self, device_to: Any = None, *_: Any, **__: Any) -> None:
        device = self.load_device if device_to is None else device_to
        self._managed.load(device, _dtype_on(device))

    def patch_model(self, device_to: Any = None, *_: Any, **__: Any) -> Any:
        self.load(device_to)
        return self.model

    def partially_load(self, device_to: Any, extra_memory: float = 0, *_: Any, **__: Any) -> int:
        """Load the whole model, however little room the manager offers; return the number of bytes loaded."""
        if self._managed.loaded_on is not None:
            return 0
        self.load(device_to)
        return self.loaded_size()

    def partially_unload(self, device_to: Any, memory_to_free: float = 0, *_: Any, **__: Any) -> float:
        """Free nothing: a return below `memory_to_free` makes the manager detach the whole model.

        With `keeps` set, return `memory_to_free`, so that the model stays.
        """
        return memory_to_free if self._owner.keeps else 0

    def partially_unload_ram(self, ram_to_unload: float, *_: Any, **__: Any) -> int:
        return 0

    def unpatch_model(self, device_to: Any = None, unpatch_weights: bool = True) -> None:
        if unpatch_weights:
            self._managed.detach()

    def detach(self, unpatch_all: bool = True) -> Any:
        """Detach the model.

        With `unpatch_all` False the manager is about to use the model again, so it stays.
        """
        if unpatch_all:
            self._managed.detach()
        return self.model

    def is_clone(self, other: Any) -> bool:
        return other is self

    def clone(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("a language model has one owner and is not cloned")

    def cleanup(self) -> None:
        pass

    def unpin_all_weights(self) -> None:
        pass

    def pinned_memory_size(self) -> int:
        return 0

    def __del__(self) -> None:
        pass


def _dtype_on(device: Any) -> str:
    """Return the dtype that the host computes in on `device`; it has no rule for language models on a CPU."""
    if model_management.is_device_cpu(device):
        return ""
    if model_management.should_use_bf16(device):
        return "bf16"
    return "fp16" if model_management.should_use_fp16(device) else "fp32"


class LanguageModel:
    """Empty module for the manager, which wants one and logs its class; the model's own is kept from it."""

    device: Any = None
