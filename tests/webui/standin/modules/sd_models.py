"""A checkpoint that does not exist: the log shows when a host would load and unload it."""

from __future__ import annotations

from types import SimpleNamespace

from modules import shared


def load_model() -> None:
    if shared.sd_model is None:
        print("Loading weights: stand-in", flush=True)
        shared.sd_model = SimpleNamespace(sd_checkpoint_info=SimpleNamespace(name="stand-in.safetensors"))


def unload_model_weights() -> None:
    print("Unloading weights: stand-in", flush=True)
    shared.sd_model = None


def reload_model_weights() -> None:
    load_model()
