"""Room for a local language model beside the checkpoint, or in its place.

Forge and its kin have a memory manager, which is asked to unload. A1111 and SD.Next keep the checkpoint on
the device: it is sent to main memory and comes back before sampling. In either case the language model goes
before the host samples, unless both have room.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ....llm_backends.host import ManagedModel

# Memory that sampling takes beside the weights, generously: hires passes and the VAE have their peaks.
_SAMPLING_BYTES = 4 * 2**30
_WEIGHTS_SPREAD = 1.25


class HostMemory:
    """Implementation of `llm_backends.host.MemoryManager` for the web UIs.

    Belongs to the thread in which the host generates.
    """

    def __init__(self) -> None:
        self._models: dict[int, ManagedModel] = {}
        self._send_back: Callable[[], None] | None = None

    def admit(self, model: ManagedModel, bytes_needed: int) -> None:
        """Make room and load the model, as in `llm_backends.host.MemoryManager`."""
        device = _device()
        wanted = bytes_needed + (0 if model.loaded_on is not None else int(model.size * 1.1))
        if device.type != "cpu":
            self._make_room(wanted, device)
        self._models[id(model)] = model
        model.load(device, _dtype_on(device))

    def release(self, model: ManagedModel) -> None:
        """Give up the model's memory, as in `llm_backends.host.MemoryManager`."""
        self._models.pop(id(model), None)
        model.detach()

    def make_way(self) -> None:
        """Unload language models unless all has room, and put the checkpoint back, just before sampling."""
        there = [model for model in self._models.values() if model.loaded_on is not None]
        if there and (self._send_back is not None or not _fits_beside()):
            for model in there:
                model.detach()
        if self._send_back is not None:
            send_back, self._send_back = self._send_back, None
            send_back()

    def _make_room(self, wanted: int, device: Any) -> None:
        manager = _manager()
        if manager is not None:
            manager.free_memory(wanted + manager.minimum_inference_memory(), device)
        elif self._send_back is None and _free(device) < wanted:
            self._send_back = _send_away()


memory = HostMemory()


def _manager() -> Any:
    """Return the memory manager of Forge and its kin; None elsewhere."""
    try:
        from backend import memory_management
    except ImportError:
        return None
    names = ("free_memory", "minimum_inference_memory", "get_torch_device")
    return memory_management if all(hasattr(memory_management, name) for name in names) else None


def _device() -> Any:
    """Return the torch device that the host generates on."""
    import torch

    manager = _manager()
    if manager is not None:
        return torch.device(manager.get_torch_device())
    try:
        from modules import devices
    except ImportError:
        devices = None
    return torch.device(getattr(devices, "device", None) or ("cuda" if torch.cuda.is_available() else "cpu"))


def _dtype_on(device: Any) -> str:
    """Return the dtype that the host computes in on `device`, as far as it has a rule."""
    if device.type == "cpu":
        return ""
    manager = _manager()
    if manager is not None and hasattr(manager, "should_use_bf16") and hasattr(manager, "should_use_fp16"):
        if manager.should_use_bf16(device):
            return "bf16"
        return "fp16" if manager.should_use_fp16(device) else "fp32"
    try:
        from modules import devices
    except ImportError:
        return ""
    # --no-half, for cards that only seem to support float16.
    return "fp32" if str(getattr(devices, "dtype", "")) == "torch.float32" else ""


def _free(device: Any) -> int:
    """Return the number of bytes free on `device`; what torch keeps in reserve counts as free."""
    import torch

    if device.type != "cuda":
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))


def _fits_beside() -> bool:
    """Tell whether the chosen checkpoint could be loaded and sampled with, as things stand.

    Always true on the CPU, where memory is less scarce.
    """
    device = _device()
    if device.type == "cpu":
        return True
    size = _checkpoint_bytes()
    return size > 0 and _free(device) >= size * _WEIGHTS_SPREAD + _SAMPLING_BYTES


def _checkpoint_bytes() -> int:
    """Return the size of the chosen checkpoint's file, 0 where that is not known."""
    from .checkpoint import chosen_file

    try:
        return os.path.getsize(chosen_file())
    except OSError:
        return 0


def _send_away() -> Callable[[], None] | None:
    """Send the loaded checkpoint to main memory, as the host itself does; return what brings it back."""
    from .checkpoint import loaded_model

    try:
        from modules import sd_models
    except ImportError:
        return None
    model = loaded_model()
    if model is None:
        return None
    if hasattr(sd_models, "send_model_to_cpu") and hasattr(sd_models, "send_model_to_device"):  # A1111
        sd_models.send_model_to_cpu(model)
        return lambda: sd_models.send_model_to_device(model)
    if hasattr(sd_models, "move_model"):  # SD.Next
        from modules import devices

        sd_models.move_model(model, devices.cpu)
        return lambda: sd_models.move_model(model, devices.device)
    return None
