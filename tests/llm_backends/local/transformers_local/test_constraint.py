"""Lists under the constraint: always valid JSON, always the exact number, always distinct."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tiny_model.asking import LIST_SCHEMA, ListTask, outcomes, texts, values  # noqa: E402

from quillwork.llm_backends import errors  # noqa: E402
from quillwork.llm_backends.local.transformers_local.constraint import ListConstraint, Masks, Pieces  # noqa: E402
from quillwork.llm_backends.local.transformers_local.vocabulary import Vocabulary, byte_characters  # noqa: E402
from quillwork.llm_backends.types import Message, Request, Result  # noqa: E402

WIDE = 151_000


@pytest.fixture(scope="module")
def parts(loaded: Any) -> tuple[Masks, Pieces, Any]:
    vocabulary = Vocabulary(loaded.tokenizer, loaded.logits_width)
    return (
        Masks(vocabulary, loaded.logits_width, "cpu"),
        Pieces(loaded.tokenizer),
        loaded.tokenizer,
    )


def write(constraint: ListConstraint, tokenizer: Any, prefer: Any) -> str:
    """Write by always taking the best of ``prefer(step)``, a row of scores; return the text."""
    ids: list[int] = []
    while not constraint.over:
        token = constraint.forced
        if token is None:
            scores = prefer(len(ids))
            constraint.shape(scores)
            token = int(scores.argmax())
            assert scores[token] > -float("inf")
        constraint.accept(token)
        ids.append(token)
    return tokenizer.decode(ids)


def test_byte_characters_are_gpt2s() -> None:
    table = byte_characters()
    assert sorted(table.values()) == list(range(256)) and table["Ġ"] == 0x20 and table["Ċ"] == 0x0A


def test_the_vocabulary_knows_what_a_string_may_hold(parts: Any) -> None:
    masks, _, tokenizer = parts
    vocabulary = masks.vocabulary
    assert {'"', '",', '"]'} <= {tokenizer.decode([index]) for index in vocabulary.closers}
    assert all(tokenizer.decode([index]).startswith('"') for index in vocabulary.closers)
    for index in vocabulary.safe:
        text = tokenizer.decode([index])
        assert vocabulary.text(index) == text
        assert json.loads(f'"{text}"') == text
    assert not set(vocabulary.safe) & set(tokenizer.added_tokens_decoder)
    assert all(not vocabulary.text(index)[0].isspace() for index in vocabulary.start)
    # All single letters are there, so that anything can be written.
    assert set(string.ascii_letters + string.digits) <= {vocabulary.text(index) for index in vocabulary.start}


@pytest.mark.parametrize("seed", range(20))
def test_random_scores_give_a_valid_list(parts: Any, seed: int) -> None:
    masks, pieces, tokenizer = parts
    draws = torch.Generator().manual_seed(seed)
    count = 1 + seed % 7
    constraint = ListConstraint(masks, pieces, count, ["red"], 60 * count)
    width = masks.not_safe.shape[0]
    text = write(constraint, tokenizer, lambda step: torch.randn(width, generator=draws))
    found = json.loads(text)["values"]
    assert found == constraint.items
    assert len({item.casefold() for item in found} | {"red"}) == count + 1


@pytest.mark.parametrize("budget_each", [10, 14, 40])
def test_a_model_that_always_says_the_same_is_made_to_differ(parts: Any, budget_each: int) -> None:
    """The worst case: the model always wants "red" and then the quote, with the least possible budget."""
    masks, pieces, tokenizer = parts
    red = tokenizer("red", add_special_tokens=False)["input_ids"]
    count = 12
    budget = max(pieces.least(count), budget_each * count)
    constraint = ListConstraint(masks, pieces, count, ["Red", "redred"], budget)

    def prefer(step: int) -> Any:
        scores = torch.zeros(masks.not_safe.shape[0])
        scores[red] = 5.0
        scores[masks.closers] = 9.0
        return scores

    found = json.loads(write(constraint, tokenizer, prefer))["values"]
    assert len({item.casefold() for item in found} - {"red", "redred"}) == count


@pytest.mark.parametrize("tight", [False, True])
def test_a_model_that_never_closes_is_closed(parts: Any, tight: bool) -> None:
    masks, pieces, tokenizer = parts
    budget = pieces.least(3) if tight else 300
    for wanted in (" ", "!", "a"):
        token = tokenizer(wanted, add_special_tokens=False)["input_ids"][0]
        constraint = ListConstraint(masks, pieces, 3, [], budget)

        def prefer(step: int, token: int = token) -> Any:
            scores = torch.zeros(masks.not_safe.shape[0])
            scores[token] = 9.0
            return scores

        text = write(constraint, tokenizer, prefer)
        found = json.loads(text)["values"]
        assert len({item.casefold() for item in found}) == 3, wanted
        assert constraint._left >= 0, "more tokens than there were"
        assert all(any(letter.isalnum() for letter in item) for item in found), wanted


@pytest.mark.parametrize("taken", ["red", "RED", " red ", '"red"', "1. red", "- red", "red,", "r e d"])
def test_what_reads_the_same_is_the_same(parts: Any, taken: str) -> None:
    masks, pieces, tokenizer = parts
    constraint = ListConstraint(masks, pieces, 1, [taken], 100)
    for token in [*pieces.head, *tokenizer("red", add_special_tokens=False)["input_ids"]]:
        constraint.accept(token)
    scores = torch.zeros(masks.not_safe.shape[0])
    constraint.shape(scores)
    assert (scores[pieces.tail[0]] == -float("inf")) == (taken != "r e d")


def test_too_small_a_budget_is_told_before_anything_is_written(backend: Any, tiny_model: Path) -> None:
    request = values("4 colors", 50, max_tokens=100)
    (error,) = outcomes(backend, tiny_model, request)
    assert isinstance(error, errors.NotConfigured)
    assert (
        "50 values need at least" in error.message and "100" in error.message and "max_tokens" in error.hint
    )


@pytest.mark.parametrize("count", [1, 4, 6, 30])
def test_the_trained_model_lists_exactly_so_many(backend: Any, tiny_model: Path, count: int) -> None:
    (text,) = texts(backend, tiny_model, values("4 colors", count))
    found = json.loads(text)["values"]
    assert len({value.casefold() for value in found}) == count == len(found)
    if count == 4:
        assert found == ["red", "green", "blue", "yellow"]


def test_existing_values_do_not_come_again(backend: Any, tiny_model: Path) -> None:
    existing = ("GREEN", "blue")
    (text,) = texts(backend, tiny_model, values("4 colors", 4, existing))
    assert not {value.casefold() for value in json.loads(text)["values"]} & {"green", "blue"}


def test_the_count_may_come_from_the_schema(backend: Any, tiny_model: Path) -> None:
    schema = {
        "type": "object",
        "properties": {
            "values": {"type": "array", "items": {"type": "string"}, "minItems": 3, "maxItems": 3}
        },
    }
    (text,) = texts(backend, tiny_model, values("2 animals", 0, schema=schema, task=None))
    assert len(json.loads(text)["values"]) == 3


def test_another_schema_is_left_to_the_model(backend: Any, tiny_model: Path) -> None:
    schema = {"type": "object", "properties": {"prompt": {"type": "string"}}}
    assert texts(backend, tiny_model, values("2 animals", 5, schema=schema)) == ['{"values": ["fox", "cat"]}']


def test_several_lists_in_one_batch_are_each_as_alone(backend: Any, tiny_model: Path) -> None:
    requests = [
        values(f"{count} colors", count, temperature=0.9, seed=seed)
        for seed, count in enumerate([2, 6, 3, 5])
    ]
    alone = [texts(backend, tiny_model, request)[0] for request in requests]
    assert texts(backend, tiny_model, *requests) == alone
    assert [len(json.loads(text)["values"]) for text in alone] == [2, 6, 3, 5]


def test_with_thinking_the_list_comes_after_it(backend: Any, tiny_model: Path) -> None:
    (answer,) = outcomes(backend, tiny_model, values("3 colors", 3, reasoning="low", max_tokens=400))
    assert isinstance(answer, Result), repr(answer)
    assert len(json.loads(answer.text)["values"]) == 3
    assert answer.usage.completion_tokens is not None and answer.usage.completion_tokens <= 400


def wide_tokenizer() -> Any:
    """A tokenizer with as many tokens as Qwen's, bytes first, then made-up words; more logits than tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = random.Random(0)
    spelling = {byte: character for character, byte in byte_characters().items()}
    vocabulary = {character: index for index, character in enumerate(spelling.values())}
    while len(vocabulary) < WIDE - 3:
        word = "".join(letters.choices(string.ascii_lowercase + ' Éß漢",\\\n', k=letters.randint(2, 9)))
        spelled = "".join(spelling[byte] for byte in word.encode())
        vocabulary.setdefault(spelled, len(vocabulary))
    bpe = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.decoder = decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>", bos_token="<|im_start|>"
    )
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    return tokenizer


def test_200_seeds_of_an_untrained_model_with_a_real_vocabulary(backend: Any, tmp_path: Path) -> None:
    from tiny_model.train import make_model, save

    state = torch.get_rng_state()
    torch.manual_seed(0)
    model = make_model(WIDE + 936, hidden_size=32, intermediate_size=32, num_attention_heads=1, head_dim=16,
                       num_key_value_heads=1)  # fmt: skip
    torch.set_rng_state(state)
    save(model, wide_tokenizer(), tmp_path / "wide")
    requests = [
        Request(
            (Message("user", "list"),),
            schema=LIST_SCHEMA,
            task=ListTask(4, ["a"]),
            seed=seed,
            temperature=1.0,
            top_p=1.0,
            extra={"top_k": 100},
            max_tokens=60,
        )
        for seed in range(200)
    ]
    good = 0
    for answer in outcomes(backend, tmp_path / "wide", *requests):
        assert isinstance(answer, Result), repr(answer)
        found = json.loads(answer.text)["values"]
        good += len({value.casefold() for value in found} - {"a"}) == 4 == len(found)
    assert good == 200
