"""Untrained models of other architectures: a padded batch writes what transformers writes row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tiny_model.asking import enhance, outcomes  # noqa: E402
from tiny_model.train import save  # noqa: E402

from quillwork.llm_backends import errors  # noqa: E402
from quillwork.llm_backends.local.transformers_local.decoder import Decoder  # noqa: E402
from quillwork.llm_backends.local.transformers_local.loading.architecture import Architecture  # noqa: E402
from quillwork.llm_backends.local.transformers_local.prompt_cache import PromptCache  # noqa: E402

SMALL = {
    "vocab_size": 768,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": None,
}
BUILDS: dict[str, dict[str, Any]] = {
    "Llama": SMALL,
    "Mistral": SMALL,
    "Phi3": SMALL,
    "Mixtral": {**SMALL, "num_local_experts": 4},
    "GPT2": {"vocab_size": 768, "n_embd": 32, "n_layer": 2, "n_head": 2, "eos_token_id": None},
    # Short convolutions beside attention: more to keep than keys and values.
    "Lfm2": {**SMALL, "num_hidden_layers": 3, "layer_types": ["conv", "full_attention", "conv"]},
}
TOKENS = 10


def untrained(name: str, **changes: Any) -> Any:
    if not hasattr(transformers, f"{name}Config"):
        pytest.skip(f"this transformers has no {name}")
    kind = {"GPT2": "GPT2LMHeadModel"}.get(name, f"{name}ForCausalLM")
    state = torch.get_rng_state()
    torch.manual_seed(0)
    model = getattr(transformers, kind)(getattr(transformers, f"{name}Config")(**{**BUILDS[name], **changes}))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3)  # as they begin, all of them would repeat one token
    torch.set_rng_state(state)
    return model.eval()


@pytest.mark.parametrize("name", BUILDS)
def test_a_padded_batch_with_a_kept_beginning_writes_what_generate_writes(name: str) -> None:
    model = untrained(name)
    draws = torch.Generator().manual_seed(4)
    beginning = torch.randint(3, 500, (20,), generator=draws).tolist()
    rows = [beginning + torch.randint(3, 500, (length,), generator=draws).tolist() for length in (3, 14, 9)]
    config = model.config.to_dict()
    kept = PromptCache()
    for attempt in range(2):
        decoder = Decoder(model, Architecture.of(config), torch.device("cpu"))
        with torch.inference_mode():
            logits = decoder.prefill(rows, len(beginning), kept)
            written = [logits.argmax(-1).tolist()]
            for _ in range(TOKENS - 1):
                logits = decoder.step([[token] for token in written[-1]])
                written.append(logits.argmax(-1).tolist())
        for place, row in enumerate(rows):
            ids = torch.tensor([row])
            expected = model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=TOKENS
            )[0, len(row) :]
            assert [step[place] for step in written] == expected.tolist(), (name, attempt, place)
            assert len(set(expected.tolist())) > 2


def test_a_model_whose_state_is_not_known_is_refused(backend: Any, loaded: Any, tmp_path: Path) -> None:
    config = transformers.MambaConfig(
        vocab_size=len(loaded.tokenizer), hidden_size=32, num_hidden_layers=2, state_size=4
    )
    state = torch.get_rng_state()
    save(transformers.MambaForCausalLM(config), loaded.tokenizer, tmp_path / "mamba")
    torch.set_rng_state(state)
    (error,) = outcomes(backend, tmp_path / "mamba", enhance("red fox"))
    assert (
        isinstance(error, errors.BackendUnavailable) and "mamba" in error.message and "Ollama" in error.hint
    )
