"""Models from folders through the real transformers and bitsandbytes, and those that cannot be loaded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import torch  # noqa: E402
from tiny_model.asking import enhance, outcomes, texts  # noqa: E402

from quillwork.llm_backends import errors  # noqa: E402
from quillwork.llm_backends.local.transformers_local import libraries  # noqa: E402
from quillwork.llm_backends.local.transformers_local.loading.load import load  # noqa: E402
from quillwork.llm_backends.types import Result  # noqa: E402

ROOT = Path(__file__).parents[5]
FOX = "oil painting of a red fox, soft morning light"
NO_4BIT = libraries.missing_for_quantisation("cpu")
needs_4bit = pytest.mark.skipif(bool(NO_4BIT), reason=NO_4BIT)


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))


def failure(backend: Any, folder: Path, dtype: str = "fp32") -> errors.LLMError:
    (outcome,) = outcomes(backend, folder, enhance("red fox"), dtype=dtype)
    assert isinstance(outcome, errors.LLMError), repr(outcome)
    assert outcome.hint and "\n" not in str(outcome)
    return outcome


@pytest.mark.parametrize("dtype", ["fp32", "bf16", *([] if NO_4BIT else ["nf4", "int8", "auto"])])
def test_each_dtype_writes(backend: Any, tiny_model: Path, dtype: str) -> None:
    assert texts(backend, tiny_model, enhance("red fox"), dtype=dtype) == [FOX]


@needs_4bit
def test_nf4_is_what_auto_means_and_is_small(tiny_model: Path) -> None:
    plain, four = load(tiny_model, "cpu", "fp32"), load(tiny_model, "cpu")
    assert four.dtype == "nf4" and four.warnings == ()
    assert four.bytes < plain.bytes / 3
    kinds = {type(module).__name__ for module in four.model.modules()}
    assert kinds & {"Linear4bit", "DirectLinear4bit"}
    assert all(
        module.weight.quant_state.nested  # double quantisation
        for module in four.model.modules()
        if type(module).__name__.endswith("Linear4bit")
    )


_WITH_KERNELS = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
import conftest
from quillwork.llm_backends.local.transformers_local.loading.load import load
from tiny_model.asking import enhance, texts
from quillwork.llm_backends.local.transformers_local.backend import TransformersLocal
print(texts(TransformersLocal(), Path(sys.argv[3]), enhance("red fox"), dtype=sys.argv[4]))
import kernels
print("there again:", kernels.HERE)
"""


@needs_4bit
@pytest.mark.parametrize("dtype", ["nf4", "bf16"])
def test_no_native_code_is_fetched_unasked(tiny_model: Path, tmp_path: Path, dtype: str) -> None:
    """bitsandbytes would have `kernels` do that as it is imported, on processors that know bfloat16."""
    (tmp_path / "kernels.py").write_text(
        "HERE = 1\ndef get_kernel(*args, **more):\n    print('FETCHED', args)\n    raise RuntimeError('no')\n"
    )
    told = str(tmp_path), str(ROOT / "tests"), str(tiny_model), dtype
    done = subprocess.run(
        [sys.executable, "-c", _WITH_KERNELS, *told], capture_output=True, text=True, timeout=110
    )
    assert done.stdout.splitlines() == [str([FOX]), "there again: 1"], done.stderr[-2000:]
    assert "pip install" not in done.stderr


@needs_4bit
def test_int8_does_not_fill_the_log(backend: Any, tiny_model: Path, caplog: pytest.LogCaptureFixture) -> None:
    """bitsandbytes reports a cast once a layer and token."""
    assert texts(backend, tiny_model, enhance("red fox"), dtype="int8") == [FOX]
    assert len(caplog.records) < 5, caplog.text[:2000]


@needs_4bit
def test_a_stored_4bit_model_is_used_as_it_is(backend: Any, tiny_model_nf4: Path) -> None:
    assert texts(backend, tiny_model_nf4, enhance("red fox"), dtype="auto") == [FOX]
    (answer,) = outcomes(backend, tiny_model_nf4, enhance("red fox"), dtype="bf16")
    assert isinstance(answer, Result) and answer.text == FOX
    assert any("stored as nf4" in warning for warning in answer.warnings)


@pytest.mark.skipif(not NO_4BIT, reason="this transformers can quantise on a CPU")
def test_where_nothing_can_be_quantised_auto_is_plain_and_says_so(backend: Any, tiny_model: Path) -> None:
    (answer,) = outcomes(backend, tiny_model, enhance("red fox"), dtype="auto")
    assert isinstance(answer, Result) and answer.text == FOX
    assert any("unquantized" in warning for warning in answer.warnings)
    error = failure(backend, tiny_model, "nf4")
    assert isinstance(error, errors.DependencyMissing) and "4.53" in error.message


def test_without_bitsandbytes(backend: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = libraries.importlib.util.find_spec
    monkeypatch.setattr(
        libraries.importlib.util, "find_spec", lambda name: None if name == "bitsandbytes" else found(name)
    )
    error = failure(backend, tiny_model, "nf4")
    assert isinstance(error, errors.DependencyMissing) and "bitsandbytes is not installed" in error.message
    (answer,) = outcomes(backend, tiny_model, enhance("red fox"), dtype="auto")
    assert isinstance(answer, Result) and answer.text == FOX
    assert any("bitsandbytes" in warning for warning in answer.warnings)


def test_an_old_transformers_is_told_what_is_needed(
    backend: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "version", lambda package: (4, 49, 0))
    error = failure(backend, tiny_model)
    assert isinstance(error, errors.DependencyMissing) and "4.51" in error.message


def test_nothing_global_of_torch_is_changed(tiny_model: Path) -> None:
    torch.manual_seed(7)
    before = (torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled())
    state = torch.get_rng_state()
    load(tiny_model, "cpu", "bf16")
    assert (torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled()) == before
    assert torch.equal(torch.get_rng_state(), state)
    for dtype in ("fp32", "bf16", *([] if NO_4BIT else ["nf4", "int8"])):
        with torch.inference_mode():
            model = load(tiny_model, "cpu", dtype).model
        assert not any(parameter.is_inference() for parameter in model.parameters()), dtype


def test_an_unknown_dtype(backend: Any, tiny_model: Path) -> None:
    error = failure(backend, tiny_model, "int3")
    assert isinstance(error, errors.NotConfigured) and "nf4" in error.hint


def test_a_missing_folder_reaches_the_caller(backend: Any, tmp_path: Path) -> None:
    assert isinstance(failure(backend, tmp_path / "no"), errors.ModelNotFound)


def test_weights_that_are_missing_are_not_made_up(backend: Any, copy: Path) -> None:
    change_config(copy, num_hidden_layers=3, layer_types=None)
    state = torch.get_rng_state()
    error = failure(backend, copy)
    assert torch.equal(torch.get_rng_state(), state)  # transformers does make them up, at random
    assert "incomplete" in error.message and "layers.2" in error.message


def test_a_model_that_does_not_write(backend: Any, copy: Path) -> None:
    change_config(copy, model_type="bert", architectures=["BertForMaskedLM"])
    assert "BertForMaskedLM" in failure(backend, copy).message
    change_config(copy, model_type="t5", architectures=["T5ForConditionalGeneration"])
    assert "T5" in failure(backend, copy).message


def test_a_type_that_this_transformers_does_not_know(backend: Any, copy: Path) -> None:
    change_config(copy, model_type="fox9", transformers_version="9.1.0")
    error = failure(backend, copy)
    assert isinstance(error, errors.DependencyMissing) and "9.1.0" in error.hint


def test_a_model_with_its_own_code_is_not_run(backend: Any, copy: Path) -> None:
    (copy / "modeling_fox.py").write_text("raise SystemExit('ran')")
    change_config(copy, model_type="fox", auto_map={"AutoModelForCausalLM": "modeling_fox.Fox"})
    assert "never run" in failure(backend, copy).message


def test_code_beside_a_known_model_is_not_run(backend: Any, copy: Path) -> None:
    (copy / "modeling_fox.py").write_text("raise SystemExit('ran')")
    change_config(copy, auto_map={"AutoModelForCausalLM": "modeling_fox.Fox"})
    assert texts(backend, copy, enhance("red fox")) == [FOX]


def test_a_tokenizer_that_cannot_be_read(backend: Any, copy: Path) -> None:
    (copy / "tokenizer.json").write_text("{}")
    assert "tokenizer" in failure(backend, copy).message


def test_shapes_that_do_not_fit(backend: Any, copy: Path) -> None:
    change_config(copy, hidden_size=64)
    assert "could not be loaded" in failure(backend, copy).message


def test_a_full_gpu_is_told_with_sizes_and_nothing_stays(
    backend: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)("CUDA out of memory.")

    with monkeypatch.context() as patch:
        patch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", full)
        message = failure(backend, tiny_model).message
    assert "GB as fp32" in message and "not enough memory" in message
    assert texts(backend, tiny_model, enhance("red fox")) == [FOX]


_IN_LITTLE_MEMORY = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import conftest
import torch, transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen3ForCausalLM
from quillwork.llm_backends.local.transformers_local.backend import TransformersLocal
from tiny_model.asking import enhance, outcomes
torch.set_num_threads(1)
backend = TransformersLocal()
print(outcomes(backend, sys.argv[2], enhance("red fox"))[0].text)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000, resource.RLIM_INFINITY))
print(repr(outcomes(backend, sys.argv[3], enhance("red fox"))[0]))
print(outcomes(backend, sys.argv[2], enhance("red fox"))[0].text)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's limits")
def test_a_machine_without_room_stays_usable(tiny_model: Path, tmp_path: Path) -> None:
    from tiny_model.train import make_model, save

    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_model)
    big = make_model(len(tokenizer), intermediate_size=200_000)
    save(big, tokenizer, tmp_path / "big")
    del big
    done = subprocess.run(
        [sys.executable, "-c", _IN_LITTLE_MEMORY, str(Path(__file__).parents[4]), str(tiny_model),
         str(tmp_path / "big")],
        capture_output=True,
        text=True,
        timeout=300,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stderr[-2000:]
    assert lines[0] == lines[2] == FOX
    assert "big needs about 0.6 GB as fp32, but there is not enough memory" in lines[1]
