"""The step that a CUDA graph records: the same work at every position, and the logits of a plain step.

There is no graph on a CPU. In its place the step's operations are recorded as they run, with the tensors
they ran on, and run again later: what depends on more than those tensors would not come out the same.
"""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_model.train import make_model  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves, tree_map  # noqa: E402

from quillwork.llm_backends.local.transformers_local.cuda_graph import FixedStep, RecordedDecoder  # noqa: E402
from quillwork.llm_backends.local.transformers_local.decoder import Decoder, layers_of  # noqa: E402
from quillwork.llm_backends.local.transformers_local.loading.architecture import Architecture  # noqa: E402
from quillwork.llm_backends.local.transformers_local.prompt_cache import PromptCache  # noqa: E402

ROWS = {1: [[5, 6, 7, 8]], 2: [[5, 6, 7, 8, 9, 10], [11, 12, 13]]}


def prefilled(loaded: Any, rows: list[list[int]]) -> tuple[Decoder, Any]:
    decoder = Decoder(loaded.model, Architecture.of(loaded.model.config.to_dict()), loaded.device)
    return decoder, decoder.prefill(rows, 0, PromptCache())


def fixed_step(loaded: Any, decoder: Decoder, room: int = 64) -> FixedStep:
    return FixedStep(
        loaded.model, layers_of(decoder.cache), decoder.mask, decoder.positions, decoder.length, room
    )


class Recording:
    """A recording that runs its operations again on the tensors that they were recorded with."""

    def __init__(self, step: FixedStep) -> None:
        calls: list[tuple[Any, Any, Any, Any]] = []

        class Recorder(TorchDispatchMode):
            def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                output = func(*args, **(kwargs or {}))
                calls.append((func, args, kwargs or {}, output))
                return output

        with Recorder():
            self._result = step.run()
        self._calls = calls

    def replay(self) -> Any:
        made: dict[int, Any] = {}

        def now(value: Any) -> Any:
            return made.get(id(value), value) if isinstance(value, torch.Tensor) else value

        for func, args, kwargs, output in self._calls:
            again = func(*tree_map(now, args), **tree_map(now, kwargs))
            for old, new in zip(tree_leaves(output), tree_leaves(again), strict=True):
                made[id(old)] = new
        return made[id(self._result)]


@pytest.mark.parametrize("count", [1, 2])
def test_a_step_recorded_at_one_position_replays_at_later_ones(loaded: Any, count: int) -> None:
    rows = ROWS[count]
    with torch.no_grad():  # a recorder cannot hold tensors of inference mode
        decoder, _ = prefilled(loaded, rows)
        recorded, eager = fixed_step(loaded, decoder), fixed_step(loaded, decoder)
        plain, _ = prefilled(loaded, rows)
        recording = Recording(recorded)
        for place in range(12):
            tokens = torch.full((count, 1), 20 + 7 * place)
            recorded.tokens.copy_(tokens)
            eager.tokens.copy_(tokens)
            replayed = recording.replay()
            assert torch.equal(replayed, eager.run()), place
            assert torch.allclose(replayed, plain.step(tokens.tolist()), atol=1e-4), place
            recorded.advance()
            eager.advance()


def test_running_a_step_again_changes_nothing(loaded: Any) -> None:
    """A capture runs the step some times before it counts."""
    with torch.inference_mode():
        decoder, _ = prefilled(loaded, ROWS[2])
        step = fixed_step(loaded, decoder)
        step.tokens.fill_(3)
        first = step.run().clone()
        for _ in range(3):
            assert torch.equal(step.run(), first)
        step.advance()
        assert not torch.equal(step.run(), first)


class OnTheCPU(RecordedDecoder):
    """A graph's stand-in that runs the step where a graph would be replayed."""

    def _record(self, step: FixedStep) -> None:
        owner = self

        class Graph:
            def replay(self) -> None:
                owner._logits = step.run()

            def reset(self) -> None:
                pass

        self._graph = Graph()


def test_buffers_grow_and_the_logits_stay_right(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from quillwork.llm_backends.local.transformers_local import cuda_graph as recorded

    monkeypatch.setattr(recorded, "_ROOM", 8)
    with torch.inference_mode():
        decoder, logits = prefilled(loaded, ROWS[2])
        fixed = OnTheCPU(loaded.model, decoder)
        plain, _ = prefilled(loaded, ROWS[2])
        for place in range(30):
            tokens = logits.argmax(-1, keepdim=True).tolist()
            logits = plain.step(tokens)
            assert torch.allclose(fixed.step(tokens), logits, atol=1e-4), place
        assert fixed._step is not None and fixed._step.room == 40
        fixed.close()
        fixed.close()
        assert fixed._step is None and fixed._logits is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_untrained_models_of_other_shapes_agree_too(loaded: Any, dtype: Any) -> None:
    state = torch.get_rng_state()
    torch.manual_seed(2)
    model = (
        make_model(300, num_hidden_layers=3, num_attention_heads=2, num_key_value_heads=2).to(dtype).eval()
    )
    torch.set_rng_state(state)
    other = type(loaded)(**{**loaded.__dict__, "model": model})
    with torch.inference_mode():
        decoder, logits = prefilled(other, ROWS[2])
        step = fixed_step(other, decoder)
        for _ in range(3):
            tokens = logits.argmax(-1, keepdim=True)
            step.tokens.copy_(tokens)
            fixed, logits = step.run(), decoder.step(tokens.tolist())
            assert torch.allclose(fixed.float(), logits.float(), atol=1e-4 if dtype == torch.float32 else 0.1)
            step.advance()


@pytest.mark.parametrize(
    ("changes", "recordable"),
    [
        ({}, True),
        ({"model_type": "llama"}, True),
        ({"sliding_window": 4096}, False),
        ({"sliding_window": 4096, "use_sliding_window": False}, True),
        ({"layer_types": ["full_attention", "sliding_attention"]}, False),
        ({"layer_types": ["full_attention"] * 2}, True),
        ({"model_type": "qwen3_moe"}, False),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, True),
        ({"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}, False),
        ({"rope_parameters": {"rope_type": "longrope", "rope_theta": 1e4}}, False),
        ({"model_type": "gemma2"}, False),
    ],
)
def test_only_dense_models_with_full_attention_are_recorded(changes: Any, recordable: bool) -> None:
    config = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 8, "model_type": "qwen3"}
    assert Architecture.of({**config, **changes}).recordable is recordable
