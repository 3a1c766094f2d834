"""Linear layers with the weights on the left: the same numbers to the bit, and only where they are."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from quillwork.llm_backends.local.transformers_local.loading import linears  # noqa: E402
from quillwork.llm_backends.local.transformers_local.loading.load import load  # noqa: E402


@pytest.mark.parametrize("rows", [1, 2, 7, 16, 17])
def test_the_logits_are_the_same_to_the_bit(loaded: Any, rows: int) -> None:
    plain = copy.deepcopy(loaded.model).to(torch.bfloat16)
    turned = copy.deepcopy(plain)
    # Two layers with seven each, and the output head.
    assert linears.turn_linears(turned) == 15
    ids = torch.arange(5, 5 + rows)[:, None]
    with torch.inference_mode():
        expected, found = plain(ids).logits, turned(ids).logits
    assert torch.equal(expected, found)
    assert found.is_contiguous()


@pytest.fixture
def tried_anew() -> Any:
    linears.is_turned_quicker.cache_clear()
    yield
    linears.is_turned_quicker.cache_clear()


@pytest.mark.usefixtures("tried_anew")
@pytest.mark.parametrize(("slow", "is_turned"), [("linear", True), ("mv", False)])
def test_a_model_on_a_cpu_is_loaded_with_them_where_they_are_quicker(
    tiny_model: Any, monkeypatch: pytest.MonkeyPatch, slow: str, is_turned: bool
) -> None:
    """As on a processor on which one of both products takes longer."""
    owner = torch.nn.functional if slow == "linear" else torch
    usual = getattr(owner, slow)

    def slowed(*given: Any) -> Any:
        time.sleep(0.02)
        return usual(*given)

    monkeypatch.setattr(owner, slow, slowed)
    assert linears.is_turned_quicker() is is_turned
    monkeypatch.undo()
    model = load(tiny_model, "cpu", "bf16").model
    assert (type(model.lm_head) is not torch.nn.Linear) is is_turned
    assert isinstance(model.lm_head, torch.nn.Linear)


def test_greedy_text_is_that_of_transformers(loaded: Any) -> None:
    plain = copy.deepcopy(loaded.model).to(torch.bfloat16)
    turned = copy.deepcopy(plain)
    linears.turn_linears(turned)
    ids = torch.arange(5, 25)[None]
    expected, found = (
        model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False)
        for model in (plain, turned)
    )
    assert expected.tolist() == found.tolist()


def test_layers_of_another_kind_stay_as_they_are() -> None:
    class Other(torch.nn.Linear):
        pass

    with_bias = torch.nn.Linear(8, 8).bfloat16()
    in_fp32 = torch.nn.Linear(8, 8, bias=False)
    other = Other(8, 8, bias=False).bfloat16()
    model = torch.nn.ModuleList([with_bias, in_fp32, other, torch.nn.Linear(8, 8, bias=False).bfloat16()])
    assert linears.turn_linears(model) == 1
    assert [type(module) for module in model][:3] == [torch.nn.Linear, torch.nn.Linear, Other]
    assert isinstance(model[3], torch.nn.Linear)


def test_no_rows_and_another_dtype_are_computed_as_before() -> None:
    plain = torch.nn.Linear(8, 4, bias=False).bfloat16()
    holder = torch.nn.ModuleList([copy.deepcopy(plain)])
    linears.turn_linears(holder)
    assert holder[0](torch.zeros(0, 8, dtype=torch.bfloat16)).shape == (0, 4)
    with pytest.raises(RuntimeError, match="dtype"):
        holder[0](torch.zeros(1, 8))
