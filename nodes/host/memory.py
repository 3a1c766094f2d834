"""ComfyUI's memory manager, as a local language model meets it: it asks for room, and can be sent away.

To the manager the model is a `ModelPatcher` like any other, only that it is on the device wholly or not at
all: quantised weights are not to be split. Its module is an empty one; the weights stay with the guest,
who drops them when the manager detaches it and loads them anew when it is wanted again.
"""

from __future__ import annotations

from typing import Any

import comfy.model_management as model_management
from comfy.model_patcher import ModelPatcher

from ...llm_backends.host import Guest


class GuestMemory:
    """The `host.GuestMemory` of ComfyUI. Belongs to the execution thread, as the manager itself does.

    With `keeps` set, a guest does not give way to pressure that is smaller than itself; what unloads
    everything still unloads it.
    """

    def __init__(self) -> None:
        self.keeps = False
        # The manager holds its models weakly.
        self._patchers: dict[int, GuestPatcher] = {}

    def admit(self, guest: Guest, bytes_needed: int) -> None:
        """As in `host.GuestMemory`: others make room, then the guest is loaded."""
        patcher = self._patchers.get(id(guest))
        device = model_management.get_torch_device()
        if patcher is None or patcher.load_device != device:
            self.release(guest)
            patcher = self._patchers[id(guest)] = GuestPatcher(guest, device, self)
        model_management.load_models_gpu([patcher], memory_required=bytes_needed, force_full_load=True)

    def release(self, guest: Guest) -> None:
        """As in `host.GuestMemory`."""
        patcher = self._patchers.pop(id(guest), None)
        if patcher is not None:
            loaded = [one for one in model_management.current_loaded_models if one.model is patcher]
            for one in loaded:
                one.model_unload()
                model_management.current_loaded_models.remove(one)
        guest.detach()


memory = GuestMemory()


class GuestPatcher(ModelPatcher):
    """What the manager sees of a guest."""

    def __init__(self, guest: Guest, load_device: Any, owner: GuestMemory) -> None:
        import torch

        super().__init__(LanguageModel(), load_device, torch.device("cpu"), size=max(1, guest.size))
        self._guest, self._owner = guest, owner

    def model_size(self) -> int:
        return max(1, self._guest.size)

    def loaded_size(self) -> int:
        return self.model_size() if self._guest.loaded_on is not None else 0

    def loaded_ram_size(self) -> int:
        return 0

    def current_loaded_device(self) -> Any:
        return self._guest.loaded_on if self._guest.loaded_on is not None else self.offload_device

    def model_dtype(self) -> None:
        return None

    def model_patches_to(self, device: Any) -> None:
        pass

    def model_patches_models(self) -> list[Any]:
        return []

    def load(self, device_to: Any = None, *_: Any, **__: Any) -> None:
        device = self.load_device if device_to is None else device_to
        self._guest.load(device, _dtype_on(device))

    def patch_model(self, device_to: Any = None, *_: Any, **__: Any) -> Any:
        self.load(device_to)
        return self.model

    def partially_load(self, device_to: Any, extra_memory: float = 0, *_: Any, **__: Any) -> int:
        """All or nothing, whatever the manager would spare; the bytes that came in."""
        if self._guest.loaded_on is not None:
            return 0
        self.load(device_to)
        return self.loaded_size()

    def partially_unload(self, device_to: Any, memory_to_free: float = 0, *_: Any, **__: Any) -> float:
        """Nothing is given piece by piece: less than was asked, and the manager detaches the whole."""
        return memory_to_free if self._owner.keeps else 0

    def partially_unload_ram(self, ram_to_unload: float, *_: Any, **__: Any) -> int:
        return 0

    def unpatch_model(self, device_to: Any = None, unpatch_weights: bool = True) -> None:
        if unpatch_weights:
            self._guest.detach()

    def detach(self, unpatch_all: bool = True) -> Any:
        """The manager also detaches, with `unpatch_all` False, what it is about to use again."""
        if unpatch_all:
            self._guest.detach()
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
    """What the host computes in there; it has no rule for language models on a CPU."""
    if model_management.is_device_cpu(device):
        return ""
    if model_management.should_use_bf16(device):
        return "bf16"
    return "fp16" if model_management.should_use_fp16(device) else "fp32"


class LanguageModel:
    """The manager wants a model to look at, and tells its class in the log; the guest's own is not for
    its hands."""

    device: Any = None
