"""The plan for loading a checkpoint, made from its kind and the device before any weight is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .... import errors
from .. import libraries
from ..vision_encoder import VisionConfig
from . import checkpoint
from .checkpoint import Checkpoint

DTYPES = ("auto", "nf4", "int8", "bf16", "fp16", "fp32")
# Those of them that bitsandbytes brings the weights to.
QUANTISED = ("nf4", "int8")
# Before 4.53 these wanted a cache that is as long as the whole text from the beginning.
_SLIDING_SINCE_453 = frozenset({"gemma2", "gemma3", "gemma3_text", "cohere2"})


@dataclass(frozen=True)
class LoadPlan:
    """A plan for loading a checkpoint. `dtype` is that of its weights: one of `DTYPES`, or the name of
    another method that the folder was quantised with. It computes in `compute`: bf16, fp16 or fp32."""

    checkpoint: Checkpoint
    dtype: str
    compute: str
    warnings: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Estimate the bytes that the weights will take."""
        return self.checkpoint.bytes_as(self.dtype)

    @property
    def sees(self) -> bool:
        """Tell whether the model is loaded with its vision part."""
        return VisionConfig.of(self.checkpoint.config) is not None


def plan(
    folder: Path, dtype: str, device_type: str, host_dtype: str = "", *, found: Checkpoint | None = None
) -> LoadPlan:
    """Plan how to load `folder` onto such a device. The host computes in `host_dtype` (bf16, fp16, fp32;
    empty: the device's best). `found` comes from an earlier look at the folder. Raises `errors.LLMError`
    where it cannot be done."""
    if dtype not in DTYPES:
        raise errors.NotConfigured(
            f"{dtype!r} is not a supported dtype for local models.",
            hint=f"Choose one of {', '.join(DTYPES)}.",
        )
    if found is None:
        found = checkpoint.read(folder)
        _check_architecture(found)
    compute = host_dtype or _good_dtype(device_type)
    if found.quantised:
        return _plan_quantised(found, dtype, device_type, compute)
    reason = libraries.missing_for_quantisation(device_type)
    if dtype == "auto":
        if not reason:
            return LoadPlan(found, "nf4", compute)
        warning = f"{folder.name} is loaded unquantized ({compute}) because {reason}. It needs more memory."
        return LoadPlan(found, compute, compute, (warning,))
    if dtype in QUANTISED and reason:
        raise errors.DependencyMissing(
            f"{folder.name} cannot be loaded as {dtype}: {reason}.",
            hint="Install bitsandbytes and accelerate, update transformers, or choose the dtype bf16.",
        )
    return LoadPlan(found, dtype, compute if dtype in QUANTISED else dtype)


def _plan_quantised(found: Checkpoint, dtype: str, device_type: str, compute: str) -> LoadPlan:
    method = found.config["quantization_config"]
    kind = found.quantised
    if kind == "bitsandbytes":
        kind = "int8" if method.get("load_in_8bit") else str(method.get("bnb_4bit_quant_type", "nf4"))
        reason = libraries.missing_for_quantisation(device_type)
        if reason:
            raise errors.DependencyMissing(
                f"{found.folder.name} is quantized with bitsandbytes and cannot be loaded: {reason}.",
                hint="Install or update that package, or choose an unquantized version of the model.",
            )
    if dtype in ("auto", kind):
        return LoadPlan(found, kind, compute)
    warning = f"{found.folder.name} is stored as {kind} and is loaded that way, not as {dtype}."
    return LoadPlan(found, kind, compute, (warning,))


def _good_dtype(device_type: str) -> str:
    import torch

    if device_type == "cuda":
        return "bf16" if torch.cuda.get_device_capability()[0] >= 8 or torch.version.hip else "fp16"
    if device_type == "cpu":
        # Without the instructions, bfloat16 on a CPU is several times slower than float32.
        fast = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        return "bf16" if fast() else "fp32"
    return "bf16" if device_type == "xpu" else "fp16"


def _check_architecture(found: Checkpoint) -> None:
    transformers = libraries.transformers()
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    kind = str(found.config.get("model_type", ""))
    name = found.folder.name
    if kind not in CONFIG_MAPPING_NAMES:
        if "auto_map" in found.config:
            raise errors.BackendUnavailable(
                f"{name} contains its own program code, which is never run.",
                hint="Choose a model that transformers supports without it, or run this one on a server.",
            )
        wanted = found.config.get("transformers_version")
        raise errors.DependencyMissing(
            f"transformers {transformers.__version__} does not support models of the type "
            f"{kind or 'none given'}.",
            hint=f"This model was made with transformers {wanted}. Update to that version or newer."
            if wanted
            else "Update transformers, or choose another model.",
        )
    if kind in _SLIDING_SINCE_453 and libraries.version("transformers") < (4, 53):
        raise errors.DependencyMissing(
            f"transformers {transformers.__version__} cannot run {name} because of its sliding windows.",
            hint="Update transformers to 4.53 or newer, or choose another model.",
        )
    if VisionConfig.of(found.config) is not None:
        return
    causal: set[str] = set()
    for names in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values():
        causal.update([names] if isinstance(names, str) else names)
    architectures = found.config.get("architectures") or []
    if kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or (architectures and causal.isdisjoint(architectures)):
        what = architectures[0] if architectures else kind
        raise errors.BackendUnavailable(
            f"{name} is a {what}, which does not generate text.",
            hint="Choose a causal language model, such as an Instruct or Chat model.",
        )
