"""Loading of a causal language model from a folder: pre-quantised, quantised on the way, or plain."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .... import errors
from ....host import program
from .. import libraries
from ..device_memory import give_back
from .attention import attend_by_products
from .four_bit import call_directly
from .linears import is_turned_quicker, turn_linears
from .norms import fuse_norms
from .planning import QUANTISED, LoadPlan, plan

_CASTS = "bitsandbytes.autograd._functions"
# Of a model with vision: fine print and faces suffer before anything else does.
_NOT_QUANTISED = ("visual", "model.visual", "lm_head")


@dataclass
class LoadedModel:
    """A model in memory with its tokenizer.

    `dtype` is as in `planning.Plan`, `compute_dtype` the torch dtype of its activations, `logits_width` the
    number of tokens it chooses among (more than the tokenizer has), `bytes` the size of the weights on
    `device`. `revision` tells two downloads of one repository apart where the folder's name does.
    """

    model: Any
    tokenizer: Any
    device: Any
    dtype: str
    compute_dtype: Any
    logits_width: int
    bytes: int
    revision: str
    folder: Path
    warnings: tuple[str, ...] = ()


def load(
    folder: Path | str,
    device: Any,
    dtype: str = "auto",
    *,
    planned: LoadPlan | None = None,
    tokenizer: Any = None,
) -> LoadedModel:
    """Load the model in `folder` onto `device`.

    `dtype` is one of `planning.DTYPES`; ``auto`` is nf4 wherever bitsandbytes works, else the device's own.
    `planned` and `tokenizer` come from an earlier look at the same folder. torch's global state (default
    dtype, random state, gradient mode, threads) is unchanged afterwards. Raises `errors.LLMError`.
    """
    import torch

    transformers = libraries.transformers()
    folder, device = Path(folder), torch.device(device)
    planned = planned or plan(folder, dtype, device.type)
    tokenizer = tokenizer or _tokenizer(folder)
    try:
        with _torch_left_alone(), libraries.quiet():
            model = _model(transformers, planned, device)
    except errors.LLMError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever transformers and what it calls may raise
        failure = _in_words(error, planned, device)
        # What the traceback holds of a half loaded model would stay in memory with it.
        error.__traceback__ = None
        del error
        give_back()
        raise failure from None
    return LoadedModel(
        model=model,
        tokenizer=tokenizer,
        device=device,
        dtype=planned.dtype,
        compute_dtype=_dtype_of_activations(model),
        logits_width=_width_of_logits(model),
        bytes=int(model.get_memory_footprint()),
        revision=folder.name if folder.parent.name == "snapshots" else "",
        folder=folder,
        warnings=planned.warnings,
    )


def _model(transformers: Any, planned: LoadPlan, device: Any) -> Any:
    import torch

    compute = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[planned.compute]
    options: dict[str, Any] = libraries.dtype_argument(compute)
    takes_bitsandbytes = planned.dtype in QUANTISED or planned.checkpoint.quantised == "bitsandbytes"
    if takes_bitsandbytes:
        libraries.prepare_bitsandbytes()
    if planned.dtype in QUANTISED and not planned.checkpoint.quantised:
        options["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=planned.dtype == "nf4",
            load_in_8bit=planned.dtype == "int8",
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=compute,
            **({"llm_int8_skip_modules": list(_NOT_QUANTISED)} if planned.sees else {}),
        )
    places = libraries.version("accelerate") != ()
    if places:
        options["device_map"] = {"": device}
    kind = transformers.AutoModelForImageTextToText if planned.sees else transformers.AutoModelForCausalLM
    model, report = kind.from_pretrained(
        planned.checkpoint.folder,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        output_loading_info=True,
        **options,
    )
    if report["missing_keys"]:
        # transformers goes on with random weights in their place.
        raise errors.BackendUnavailable(
            f"{planned.checkpoint.folder.name} is incomplete: {len(report['missing_keys'])} of its "
            f"weights are missing, such as {min(report['missing_keys'])}.",
            hint="Download the model again.",
        )
    if not places:
        model.to(device)
    if getattr(model, "_hf_hook", None) is not None:
        from accelerate.hooks import remove_hook_from_module

        # They would carry the inputs to the one device that everything is on, at every step.
        remove_hook_from_module(model, recurse=True)
    if planned.checkpoint.quantised == "bitsandbytes":
        _compute_in(model, compute)
    if planned.dtype == "int8":
        logging.getLogger(_CASTS).addFilter(_is_no_cast)
    if device.type == "cuda":
        fuse_norms(model)
    elif device.type == "cpu":
        if is_turned_quicker():
            turn_linears(model)
        if takes_bitsandbytes:
            call_directly(model.eval())
        if not planned.sees:
            attend_by_products(model)
    return model.eval()


def _is_no_cast(record: logging.LogRecord) -> bool:
    """Filter out bitsandbytes' warning, for every int8 layer at every token, that it computes in float16."""
    return "inputs will be cast" not in str(record.msg)


def _compute_in(model: Any, dtype: Any) -> None:
    """Have 4-bit layers compute in the dtype that this device is fast in, whatever the maker's card was."""
    for module in model.modules():
        if hasattr(module, "compute_dtype") and hasattr(module, "compute_type_is_set"):
            module.compute_dtype = dtype
            module.compute_type_is_set = True


def _dtype_of_activations(model: Any) -> Any:
    return model.get_input_embeddings().weight.dtype


def _tokenizer(folder: Path) -> Any:
    transformers = libraries.transformers()
    try:
        with libraries.quiet():
            return transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
    except Exception as error:  # noqa: BLE001 - as above
        raise errors.BackendUnavailable(
            f"The tokenizer of {folder.name} cannot be loaded: {_first_line(error)}",
            hint="Download the model again, or update transformers.",
        ) from None


def _width_of_logits(model: Any) -> int:
    head = model.get_output_embeddings()
    size = getattr(head, "out_features", None)
    return int(size if size is not None else model.config.get_text_config().vocab_size)


def _in_words(error: Exception, planned: LoadPlan, device: Any) -> errors.LLMError:
    name = planned.checkpoint.folder.name
    if libraries.is_out_of_memory(error):
        return errors.BackendUnavailable(
            f"{name} needs about {gigabytes(planned.bytes)} as {planned.dtype}, but there is not enough "
            f"memory {free_memory(device)}.",
            hint="Unload other models, close other programs, or choose a smaller or a 4-bit model.",
        )
    if isinstance(error, ImportError):
        return errors.DependencyMissing(
            f"{name} needs a package that is not installed: {_first_line(error)}",
            hint=f"Install it in {program()}'s Python environment, or choose another model.",
        )
    return errors.BackendUnavailable(
        f"{name} could not be loaded: {_first_line(error)}",
        hint="Download the model again, update transformers, or choose another model.",
    )


def _first_line(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0].strip()
    text = text if len(text) <= 300 else f"{text[:300]} …"
    return f"{text or type(error).__name__}{'' if text.endswith(('.', '…')) else '.'}"


def gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB"


def free_memory(device: Any) -> str:
    """The free memory of `device`, in brackets; where it is unknown, the device alone."""
    import torch

    if device.type == "cuda":
        with contextlib.suppress(Exception):
            free, total = torch.cuda.mem_get_info(device)
            return f"({gigabytes(free)} of {gigabytes(total)} are free on {device})"
    return f"on {'this machine' if device.type == 'cpu' else device}"


@contextlib.contextmanager
def _torch_left_alone() -> Iterator[None]:
    """Restore torch's global state: loading draws random numbers and sets the default dtype for a while."""
    import torch

    dtype, state = torch.get_default_dtype(), torch.get_rng_state()
    with_cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
    cuda = torch.cuda.get_rng_state_all() if with_cuda else []
    try:
        # Weights made in a host's inference mode would be inference tensors, which cannot be updated.
        with torch.inference_mode(False), torch.no_grad():
            yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_rng_state(state)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
