"""ComfyUI's own memory manager, a sampler's model and a local language model on one card.

    python tests/card/comfy_memory.py COMFYUI MODEL FOLDER DTYPE [recorded]

Plays a workflow (the language model writes, the sampler is loaded, and again) with the manager of the ComfyUI
in that folder and prints, as JSON, the models on the card after each step.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
from pathlib import Path
from typing import Any
from unittest import mock

TESTS = Path(__file__).resolve().parent.parent
MIB = 1024**2
SAMPLER_MIB = 256
# Less than the smallest of the language models takes.
LITTLE = 128 * 1024


def play(comfyui: str, model: str, folder: str, dtype: str, *more: str) -> dict[str, Any]:
    sys.path[:0] = [comfyui, str(TESTS)]
    import conftest  # noqa: F401 - it makes the pack importable
    import torch

    from card import machine

    machine.build_guard(Path(folder))
    with machine.machine_with_a_card() as card:
        return _play(card, torch, Path(model), {"dtype": dtype, "cuda_graph": "recorded" in more})


def _play(card: Any, torch: Any, model: Path, how: dict[str, Any]) -> dict[str, Any]:
    device = torch.device("cuda:0")
    with mock.patch.object(torch.cuda, "current_device", return_value=device):
        # It asks for the device by its number, which a torch without CUDA refuses.
        import comfy.model_management as manager
    manager.get_torch_device = lambda: device  # type: ignore[assignment]
    from comfy.model_patcher import CoreModelPatcher
    from tiny_model.asking import WatchingHost, enhance, outcomes, texts, values

    from quillwork.llm_backends.local.transformers_local.backend import TransformersLocal
    from quillwork.nodes.host.memory import memory

    class Sampler(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(SAMPLER_MIB * MIB // 2, dtype=torch.float16), False)

    backend = TransformersLocal()
    sampler = CoreModelPatcher(Sampler(), device, torch.device("cpu"))
    log: list[dict[str, Any]] = []
    report: dict[str, Any] = {"device": str(device), "dtype": how["dtype"], "steps": log}

    def there() -> dict[str, Any]:
        gc.collect()
        model = backend._model
        loaded = model is not None and model.loaded is not None
        in_charge = {type(one.model).__name__ for one in manager.current_loaded_models}
        return {
            "taken": card.memory.taken,
            "language": loaded,
            "sampler": sampler.loaded_size() > 0,
            "managed": sorted(in_charge),
        }

    def write(host: Any = None) -> None:
        (answer,) = texts(backend, model, enhance("red fox"), host=host or WatchingHost(memory=memory), **how)
        log.append({"did": "write", "text": answer, **there()})

    def sample(needs: int) -> None:
        manager.load_models_gpu([sampler], memory_required=needs)
        log.append({"did": "sample", **there()})

    def short_of(missing: int) -> int:
        """The bytes that a sampler has to ask for, so that `missing` of them are missing."""
        free = card.memory.capacity - card.memory.taken
        return int(free + missing - manager.extra_reserved_memory())

    # Other programs have so much of the card that there is room for one of the two only.
    room = int(SAMPLER_MIB * MIB + manager.minimum_inference_memory() + LITTLE)
    crowd = torch.empty(card.memory.capacity - room, dtype=torch.uint8, device="cuda:0")
    report["crowd"] = crowd.numel()
    for _ in range(10):
        write()
        sample(0)
    del crowd
    write()
    sample(0)
    report["beside"] = there()
    texts(backend, model, values("3 colors", 5), host=WatchingHost(memory=memory), **how)
    manager.unload_all_models()
    report["unloaded"] = there()
    write()
    backend.unload()
    report["ours unloaded"] = there()

    memory.keeps = True
    write()
    sample(0)
    sample(short_of(backend._model.size // 2))
    report["kept"] = there()
    sample(short_of(2 * backend._model.size))
    report["kept, but in the way"] = there()
    memory.keeps = False

    def evict(tick: int) -> None:
        if tick == 3:
            manager.free_memory(1e30, device)

    write(WatchingHost(evict, memory))
    backend.unload()
    blocked = torch.empty(
        card.memory.capacity - card.memory.taken - LITTLE, dtype=torch.uint8, device="cuda:0"
    )
    refused = outcomes(backend, model, enhance("red fox"), host=WatchingHost(memory=memory), **how)
    report["no room"] = str(refused[0])
    del blocked, refused
    write()
    report["computes in"] = str(backend._model.loaded.compute_dtype)
    backend.unload()
    # A card on which float16 gives nonsense, as the host knows.
    card.properties.name, card.properties.major = "NVIDIA GeForce GTX 1660", 7
    with mock.patch.object(torch.cuda, "is_bf16_supported", return_value=False):
        write()
    report["computes in, on a GTX 1660"] = str(backend._model.loaded.compute_dtype)
    backend.unload()
    manager.unload_all_models()
    report["end"] = there()
    return report


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        result = play(*sys.argv[1:])
    print(json.dumps(result))
