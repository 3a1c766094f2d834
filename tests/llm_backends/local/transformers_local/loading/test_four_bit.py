"""4-bit layers that call bitsandbytes' kernel themselves: the same to the bit, and only where it is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
bnb = pytest.importorskip("bitsandbytes")

from quillwork.llm_backends.local.transformers_local import libraries  # noqa: E402
from quillwork.llm_backends.local.transformers_local.loading import four_bit  # noqa: E402
from quillwork.llm_backends.local.transformers_local.loading import load as loading  # noqa: E402
from quillwork.llm_backends.local.transformers_local.loading.load import load  # noqa: E402

pytestmark = [
    pytest.mark.skipif(
        bool(libraries.missing_for_quantisation("cpu")), reason="nothing is quantised on this CPU"
    ),
    pytest.mark.skipif(
        libraries.version("bitsandbytes")[:2] not in four_bit._KNOWN_RELEASES
        or not bnb.functional.has_avx512bf16(),
        reason="no kernel here that may be called directly",
    ),
]


def _layer(inputs: int = 128, outputs: int = 64, *, bias: bool = True, kind: str = "nf4") -> Any:
    generator = torch.Generator().manual_seed(inputs + outputs)
    layer = bnb.nn.Linear4bit(
        inputs, outputs, bias=bias, compute_dtype=torch.bfloat16, quant_type=kind, compress_statistics=True
    )
    values = torch.randn(outputs, inputs, generator=generator, dtype=torch.bfloat16)
    layer.weight = bnb.nn.Params4bit(values, requires_grad=False, quant_type=kind, compress_statistics=True)
    if bias:
        layer.bias.data = torch.randn(outputs, generator=generator, dtype=torch.bfloat16)
    return layer.to("cpu").eval()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [1, 2, 17])
def test_the_products_are_the_same_to_the_bit(bias: bool, rows: int) -> None:
    plain, direct = _layer(bias=bias), torch.nn.ModuleList([_layer(bias=bias)])
    assert four_bit.call_directly(direct) == 1
    for shape in ((rows, 128), (1, rows, 128)):
        sample = torch.randn(shape, generator=torch.Generator().manual_seed(rows)).bfloat16()
        with torch.inference_mode():
            expected, first, found = plain(sample), direct[0](sample), direct[0](sample)
        assert torch.equal(expected, first) and torch.equal(expected, found)


def test_the_kernel_is_really_called(monkeypatch: pytest.MonkeyPatch) -> None:
    model = torch.nn.ModuleList([_layer()])
    four_bit.call_directly(model)
    sample = torch.zeros(1, 128, dtype=torch.bfloat16)
    with torch.inference_mode():
        model[0](sample)  # the first one goes through bitsandbytes, which repacks the weights
        monkeypatch.setattr(bnb, "matmul_4bit", None)
        assert model[0](sample).shape == (1, 64)


def test_other_activations_go_the_usual_way() -> None:
    plain, model = _layer(), torch.nn.ModuleList([_layer()])
    four_bit.call_directly(model)
    spread = torch.randn(4, 256, generator=torch.Generator().manual_seed(1)).bfloat16()[:, ::2]
    with torch.inference_mode():
        model[0](spread)
        assert torch.equal(plain(spread), model[0](spread))
        in_fp32 = torch.ones(1, 128)
        assert torch.equal(plain(in_fp32), model[0](in_fp32)) and model[0](in_fp32).dtype == torch.float32


def test_a_layer_of_another_kind_among_them_computes_as_before() -> None:
    plain, model = _layer(kind="fp4"), torch.nn.ModuleList([_layer(), _layer(kind="fp4")])
    four_bit.call_directly(model)
    sample = torch.linspace(-2, 2, 128).bfloat16()[None]
    with torch.inference_mode():
        for _ in range(2):
            assert torch.equal(plain(sample), model[1](sample))


def test_other_layers_and_releases_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert four_bit.call_directly(torch.nn.ModuleList([torch.nn.Linear(4, 4)])) == 0
    monkeypatch.setattr(four_bit, "version", lambda package: (0, 99, 0))
    model = torch.nn.ModuleList([_layer()])
    assert four_bit.call_directly(model) == 0 and type(model[0]) is bnb.nn.Linear4bit


@pytest.mark.parametrize("wrong", ["another result", "an error", "no such function"])
def test_a_kernel_that_computes_something_else_is_not_used(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    def broken() -> Any:
        if wrong == "no such function":
            raise AttributeError
        return (lambda *arguments: None) if wrong == "another result" else (lambda: None)

    monkeypatch.setattr(four_bit, "_kernel", broken)
    assert four_bit.call_directly(torch.nn.ModuleList([_layer()])) == 0


def test_a_model_on_a_cpu_is_loaded_with_them(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    direct = load(tiny_model, "cpu", "nf4").model
    monkeypatch.setattr(loading, "call_directly", lambda model: 0)
    plain = load(tiny_model, "cpu", "nf4").model
    kinds = {type(module).__name__ for module in direct.modules() if isinstance(module, bnb.nn.Linear4bit)}
    assert kinds == {"DirectLinear4bit"}
    ids = torch.arange(5, 25)[None]
    with torch.inference_mode():
        assert torch.equal(plain(ids).logits, direct(ids).logits)
    texts = [
        model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=30, do_sample=False).tolist()
        for model in (plain, direct)
    ]
    assert texts[0] == texts[1]
