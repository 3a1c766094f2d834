"""The untrained model of a real shape that the benchmarks of local models measure, and its backend."""

from __future__ import annotations

import json
import random
import string
import time
from pathlib import Path
from typing import Any

from setting import load_pack

load_pack()

WIDE = 151_000
LOGITS = 151_936


def wide_tokenizer() -> Any:
    """A tokenizer with as many tokens as Qwen has: all bytes, then made-up words."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    from quillwork.llm_backends.local.transformers_local.vocabulary import byte_characters

    letters = random.Random(0)
    vocabulary = {character: index for index, character in enumerate(byte_characters())}
    while len(vocabulary) < WIDE - 3:
        word = "".join(letters.choices(string.ascii_lowercase + "ĠĠ,", k=letters.randint(3, 9)))
        vocabulary.setdefault(word, len(vocabulary))
    bpe = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>", bos_token="<|im_start|>"
    )
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    return tokenizer


def save_model(folder: Path, shape: dict[str, int], dtype: Any) -> None:
    """Save an untrained Qwen3 of that shape, with its tokenizer."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        model = Qwen3ForCausalLM(
            Qwen3Config(vocab_size=LOGITS, max_position_embeddings=8192, tie_word_embeddings=True, **shape)
        )
    finally:
        torch.set_default_dtype(default)
    model.save_pretrained(folder)
    tokenizer = wide_tokenizer()
    tokenizer.save_pretrained(folder)
    settings = folder / "tokenizer_config.json"
    settings.write_text(
        json.dumps({**json.loads(settings.read_text()), "tokenizer_class": "PreTrainedTokenizerFast"})
    )


class Bench:
    """A backend with one model, asked without any pipeline around it."""

    def __init__(self, folder: Path, dtype: str, **params: Any) -> None:
        from quillwork.llm_backends.local.transformers_local.backend import TransformersLocal
        from quillwork.llm_backends.types import Deployment

        self.backend = TransformersLocal()
        self.deployment = Deployment(
            "hf_local", str(folder), mode="hf_local", params={"dtype": dtype, **params}
        )

    def ask(self, *requests: Any, host: Any = None) -> float:
        """Time the answers to `requests` as one batch: seconds."""
        from quillwork.llm_backends.host import NullHost
        from quillwork.llm_backends.streaming.live import LiveText

        sinks = LiveText().start(len(requests))
        began = time.process_time()
        answers = self.backend.answer_all(requests, self.deployment, sinks, host or NullHost())
        seconds = time.process_time() - began
        for answer in answers:
            assert hasattr(answer, "text"), repr(answer)
        return seconds

    @property
    def model(self) -> Any:
        return self.backend._model


def request(text: str, tokens: int, system: str = "", **changes: Any) -> Any:
    from quillwork.llm_backends.types import Message, Request

    messages = (Message("system", system), Message("user", text)) if system else (Message("user", text),)
    fields = {"max_tokens": tokens, "temperature": 0, **changes}
    return Request(messages, **fields)


def without_stops(bench: Bench) -> None:
    """Have the model write on to the limit: an untrained one may end at any token."""
    bench.model.chat.stop_ids = frozenset()
