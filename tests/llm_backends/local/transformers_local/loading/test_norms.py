"""RMSNorm as one operation: the same numbers, and only for the same norm."""

from __future__ import annotations

import copy
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from quillwork.llm_backends.local.transformers_local.loading.norms import fuse_norms  # noqa: E402


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_logits_are_the_same(loaded: Any, dtype: Any) -> None:
    plain = copy.deepcopy(loaded.model).to(dtype)
    fused = copy.deepcopy(plain)
    # Two layers: two norms and two of queries and keys in each, and the last.
    assert fuse_norms(fused) == 9
    ids = torch.arange(5, 25)[None]
    with torch.inference_mode():
        expected, found = plain(ids).logits.float(), fused(ids).logits.float()
    assert torch.allclose(expected, found, atol=1e-4 if dtype == torch.float32 else 0.15)
    assert bool((expected.argmax(-1) == found.argmax(-1)).all())


def test_a_norm_of_another_kind_stays_as_it_is() -> None:
    from transformers.models.gemma.modeling_gemma import GemmaRMSNorm
    from transformers.models.llama.modeling_llama import LlamaRMSNorm

    class TwiceRMSNorm(LlamaRMSNorm):
        def forward(self, hidden_states: Any) -> Any:
            return 2 * super().forward(hidden_states)

    class ForgetfulRMSNorm(LlamaRMSNorm):
        def forward(self, hidden_states: Any) -> Any:
            return self.weight * hidden_states * hidden_states.pow(2).mean(-1, keepdim=True).rsqrt()

    model = torch.nn.ModuleList([GemmaRMSNorm(16), TwiceRMSNorm(16), ForgetfulRMSNorm(16), LlamaRMSNorm(16)])
    kinds = [type(module) for module in model]
    assert fuse_norms(model) == 1
    assert [type(module) for module in model][:3] == kinds[:3]
    assert isinstance(model[3], LlamaRMSNorm) and type(model[3]) is not LlamaRMSNorm


def test_what_comes_in_another_dtype_is_computed_as_before(loaded: Any) -> None:
    norm = copy.deepcopy(loaded.model.model.norm).to(torch.bfloat16)
    holder, given = torch.nn.ModuleList([copy.deepcopy(norm)]), torch.randn(1, 3, norm.weight.shape[0])
    fuse_norms(holder)
    assert torch.equal(holder[0](given), norm(given))
