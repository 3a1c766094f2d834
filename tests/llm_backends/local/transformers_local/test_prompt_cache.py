"""The kept beginning of prompts: the same answers with it, and gone with the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_model.asking import echo, enhance, texts, values  # noqa: E402

from quillwork.llm_backends.local.transformers_local.decoder import Decoder, layers_of  # noqa: E402
from quillwork.llm_backends.local.transformers_local.loading.architecture import Architecture  # noqa: E402
from quillwork.llm_backends.local.transformers_local.prompt_cache import LONGEST, SHORTEST, PromptCache  # noqa: E402
from quillwork.llm_backends.types import Message  # noqa: E402


def layers(length: int) -> Any:
    return [(torch.arange(length * 2.0).reshape(1, 1, length, 2), torch.ones(1, 1, length, 2))]


def test_the_longest_common_beginning_is_found() -> None:
    cache = PromptCache()
    cache.keep(range(40), layers(40))
    cache.keep([*range(30), *range(100, 120)], layers(50))
    length, found = cache.find([*range(35), 7, 7])
    assert length == 35 and found[0][0].shape[2] == 35
    assert cache.find([*range(SHORTEST - 1), 99])[0] == 0
    assert cache.find([5, 6])[0] == 0


def test_only_the_last_few_are_kept() -> None:
    cache = PromptCache()
    for start in range(10):
        cache.keep(range(start * 100, start * 100 + 20), layers(20))
    assert len(cache) == 4
    assert cache.find(range(900, 920))[0] == 20 and cache.find(range(0, 20))[0] == 0
    assert cache.bytes == 4 * 20 * 2 * 2 * 4
    cache.clear()
    assert len(cache) == 0 == cache.bytes


def test_one_that_goes_on_takes_the_place_of_what_it_began_with() -> None:
    cache = PromptCache()
    for length in (20, 40, 60):
        cache.keep(range(length), layers(length))
    assert len(cache) == 1 and cache.find(range(50))[0] == 50


def test_long_beginnings_are_few() -> None:
    cache = PromptCache()
    for start in range(4):
        cache.keep(range(start * LONGEST, (start + 1) * LONGEST), [])
    assert len(cache) == 2 and cache.find(range(3 * LONGEST, 4 * LONGEST))[0] == LONGEST


@pytest.fixture
def run(loaded: Any) -> Any:
    architecture = Architecture.of(loaded.model.config.to_dict())

    def logits(rows: list[list[int]], fixed: int, kept: PromptCache) -> Any:
        decoder = Decoder(loaded.model, architecture, loaded.device)
        with torch.inference_mode():
            first = decoder.prefill(rows, fixed, kept)
            return torch.stack([first, decoder.step([[5]] * len(rows))]), decoder

    return logits


@pytest.mark.parametrize("lengths", [(1, 60, 7, 25), (1, 12, 7, 25), (9, 9)])
def test_logits_are_the_same_with_a_kept_beginning(run: Any, lengths: tuple[int, ...]) -> None:
    """Padding longer than the beginning, shorter, and none, against each row alone without the cache."""
    draws = torch.Generator().manual_seed(1)
    beginning = torch.randint(0, 500, (30,), generator=draws).tolist()
    rows = [beginning + torch.randint(0, 500, (length,), generator=draws).tolist() for length in lengths]
    kept = PromptCache()
    for attempt in range(2):  # the second finds it
        together, decoder = run(rows, len(beginning), kept)
        assert len(kept) == 1 and decoder.length == max(map(len, rows)) + 1
        for place, row in enumerate(rows):
            alone, _ = run([row], 0, PromptCache())
            assert torch.allclose(together[:, place], alone[:, 0], atol=1e-4), (attempt, place)


def test_the_kept_tensors_are_never_written_to(run: Any) -> None:
    kept = PromptCache()
    row = list(range(50))
    run([row], 40, kept)
    before = [tensor.clone() for pair in kept.find(row)[1] for tensor in pair]
    run([row, row[:45]], 40, kept)
    run([row], 40, kept)
    after = [tensor for pair in kept.find(row)[1] for tensor in pair]
    assert all(torch.equal(first, second) for first, second in zip(before, after, strict=True))


def test_rows_that_are_dropped_leave_the_others_alone(run: Any) -> None:
    rows = [[1, 2, 3, 4, 5, 6], [7, 8, 9], [10, 11, 12, 13]]
    _, decoder = run(rows, 0, PromptCache())
    _, alone = run([rows[2]], 0, PromptCache())
    with torch.inference_mode():
        decoder.keep([0, 2])
        assert torch.allclose(decoder.step([[6], [6]])[1], alone.step([[6]])[0], atol=1e-4)
    assert layers_of(decoder.cache)[0][0].shape[0] == 2


def test_a_long_prompt_goes_in_by_parts(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from quillwork.llm_backends.local.transformers_local import decoder

    rows = [list(range(100)), list(range(60))]
    whole, _ = run(rows, 0, PromptCache())
    monkeypatch.setitem(decoder._PREFILL_TOKENS, "cpu", 26)
    parts, _ = run(rows, 0, PromptCache())
    assert torch.allclose(whole, parts, atol=1e-4)


def test_calls_find_what_the_last_one_kept(backend: Any, tiny_model: Path) -> None:
    first = texts(backend, tiny_model, enhance("red fox"), enhance("old castle"))
    kept = backend._model.prompts
    assert len(kept) == 1
    assert texts(backend, tiny_model, enhance("red fox"), enhance("old castle")) == first
    assert len(kept) == 1
    texts(backend, tiny_model, values("2 colors", 2), echo("fox"))
    assert len(kept) == 1  # two system prompts in one batch have nothing in common that is worth keeping
    texts(backend, tiny_model, values("2 colors", 2))
    assert len(kept) == 2
    backend.unload()
    assert len(kept) == 0


def test_ideas_with_other_examples_share_the_system_prompt(backend: Any, tiny_model: Path) -> None:
    """A batch whose rows were shown different examples, and each idea by itself."""
    shown = [(Message("user", name), Message("assistant", f"a {name}")) for name in ("owl", "fox")]
    asked = [
        replace(request, messages=(request.messages[0], *turns, *request.messages[1:]))
        for request, turns in zip((enhance("red fox"), enhance("old castle")), shown, strict=True)
    ]
    apart = [text for one in asked for text in texts(backend, tiny_model, one)]
    kept = backend._model.prompts
    assert len(kept) == 2
    kept.clear()
    assert texts(backend, tiny_model, *asked) == apart
    assert len(kept) == 1
    assert texts(backend, tiny_model, *asked, asked[0]) == [*apart, apart[0]]
    assert len(kept) == 1


def test_where_keys_depend_on_the_length_nothing_is_kept() -> None:
    config = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 8, "model_type": "qwen3"}
    assert Architecture.of(config).fixed_rope
    for scaling in ({"rope_type": "longrope"}, {"type": "dynamic"}):
        assert not Architecture.of({**config, "rope_scaling": scaling}).fixed_rope
