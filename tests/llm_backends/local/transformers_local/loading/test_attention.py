"""The attention of a single token by two products: torch's numbers, and only where it is quicker."""

from __future__ import annotations

import copy
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from quillwork.llm_backends.local.transformers_local.loading import attention, load  # noqa: E402

if not hasattr(transformers, "AttentionMaskInterface"):
    pytest.skip("this transformers has no masks by name", allow_module_level=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a processor where it is quicker, whatever this one is."""
    monkeypatch.setattr(attention, "_is_quicker", lambda: True)


def exact(query: Any, keys: Any, values: Any, mask: Any = None) -> Any:
    if mask is not None and mask.dtype != torch.bool:
        mask = mask.double()
    return torch.nn.functional.scaled_dot_product_attention(
        query.double(), keys.double(), values.double(), attn_mask=mask, scale=0.3, enable_gqa=True
    )


@pytest.mark.parametrize("kind", ["none", "bool", "added", "of each head"])
@pytest.mark.parametrize(("heads", "groups"), [(6, 2), (4, 4)])
def test_the_numbers_are_those_of_torch(kind: str, heads: int, groups: int) -> None:
    draws = torch.Generator().manual_seed(3)

    def drawn(*shape: int) -> Any:
        return torch.randn(*shape, generator=draws).to(torch.bfloat16)

    query, keys, values = 3 * drawn(3, heads, 1, 16), drawn(3, groups, 40, 16), drawn(3, groups, 40, 16)
    counts = torch.arange(40)[None, None, None] >= torch.tensor([0, 7, 39])[:, None, None, None]
    mask = {
        "none": None,
        "bool": counts,
        "added": torch.where(counts, 0, torch.finfo(torch.bfloat16).min).to(torch.bfloat16),
        "of each head": counts.expand(3, heads, 1, 40).contiguous(),
    }[kind]
    found = attention._of_one_token(query, keys, values, mask, 0.3)
    theirs = torch.nn.functional.scaled_dot_product_attention(
        query, keys, values, attn_mask=mask, scale=0.3, enable_gqa=True
    )
    expected = exact(query, keys, values, mask)
    assert found.shape == theirs.shape and found.dtype == theirs.dtype
    assert (found - expected).abs().max() <= 2 * (theirs - expected).abs().max() + 1e-3


@pytest.mark.usefixtures("quick")
def test_a_loaded_model_decodes_with_it(tiny_model: Any) -> None:
    """Two rows of which one is padded, as transformers computes them, with the calls that it took counted."""
    plain = transformers.AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.bfloat16).eval()
    ours = load.load(tiny_model, "cpu", "bf16").model
    assert ours.config._attn_implementation == "quillwork_cpu" != plain.config._attn_implementation
    ids = torch.arange(5, 29).view(2, 12)
    mask = torch.ones(2, 13, dtype=torch.long)
    mask[1, :4] = 0
    taken = []
    usual = attention._of_one_token
    with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
        patch.setattr(attention, "_of_one_token", lambda *given: taken.append(1) or usual(*given))
        logits = []
        for model in (plain, ours):
            begun = model(ids, attention_mask=mask[:, :12], use_cache=True)
            more = model(torch.tensor([[7], [9]]), attention_mask=mask, past_key_values=begun.past_key_values)
            logits.append(torch.cat([begun.logits, more.logits], dim=1))
    assert len(taken) == ours.config.num_hidden_layers
    assert torch.equal(logits[0][:, :12].argmax(-1), logits[1][:, :12].argmax(-1))
    assert torch.allclose(logits[0].float(), logits[1].float(), atol=0.2)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("fault", ["an argument that is not known", "no masks by name", "fp32", "eager"])
def test_what_it_does_not_know_is_left_to_transformers(
    tiny_model: Any, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    if fault == "an argument that is not known":
        monkeypatch.setattr(attention, "_of_one_token", pytest.fail)
        query = torch.ones(1, 2, 1, 8, dtype=torch.bfloat16)
        done, _ = attention._attend(torch.nn.Module(), query, query, query, None, dropout=0.0, softer=2)
        assert done.shape == (1, 1, 2, 8)
        return
    model = transformers.AutoModelForCausalLM.from_pretrained(
        tiny_model, dtype=torch.float32 if fault == "fp32" else torch.bfloat16
    )
    if fault == "no masks by name":
        monkeypatch.setattr(transformers.AttentionMaskInterface, "register", None)
        attention._registered.cache_clear()
    if fault == "eager":
        model.set_attn_implementation("eager")
    before = model.config._attn_implementation
    assert not attention.attend_by_products(copy.deepcopy(model))
    assert model.config._attn_implementation == before
