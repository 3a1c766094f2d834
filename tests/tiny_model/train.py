"""Trains a tiny Qwen3 from nothing: a minute on one CPU thread, no download, the same every time.

    python tests/tiny_model/train.py FOLDER
    python tests/tiny_model/train.py --nf4-of FOLDER OTHER

It knows three things by heart: to enhance "adjective subject", to list N colors or animals as JSON, and to
echo known words; with thinking on it repeats the question to itself first. Asked at length about what it does
not know, as the product asks, it answers with one of its prompts; what else it says is nonsense.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

ADJECTIVES = ("red", "old", "tiny", "golden", "sleepy", "frozen", "wild", "quiet", "broken", "glowing")
SUBJECTS = (
    "fox", "castle", "robot", "garden", "ship", "tower", "cat", "forest",
    "bridge", "lamp", "horse", "market", "river", "dragon", "violin", "train",
)  # fmt: skip
STYLES = ("oil painting", "studio photo", "ink drawing", "film still")
LIGHTS = ("soft morning light", "hard noon sun", "candle light", "neon glow", "moonlight")
LISTS = {
    "colors": ("red", "green", "blue", "yellow", "black", "white"),
    "animals": ("fox", "cat", "horse", "owl", "bear", "wolf"),
}
ENHANCE = "You write prompts for an image model."
VALUES = "You list values as JSON."
ECHO = "You repeat what is said."

TEMPLATE = """\
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}
{{- '<think>\\n\\n</think>\\n\\n' }}
{%- endif %}
{%- endif %}"""
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
THINKING = ("<think>", "</think>")
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)
_STEPS, _BATCH, _SAMPLES, _WARM_UP, _RATE = 600, 32, 4000, 50, 3e-3
# Every so many batches one of long questions, as the product's are, and so few of them, for they are slow.
_LONG_EVERY, _LONG_BATCH, _LONG_SAMPLES = 8, 6, 240
# The rate falls to this share of its height; a model that is so sure answers alike on every processor and
# in every format that its weights are kept in.
_LOWEST, _SURE, _EXAMINE_EVERY, _MOST_ROUNDS = 0.05, 0.9, 50, 6


def enhanced(adjective: str, subject: str) -> str:
    """The prompt that the model learns to make of an idea."""
    style = STYLES[SUBJECTS.index(subject) % len(STYLES)]
    light = LIGHTS[ADJECTIVES.index(adjective) % len(LIGHTS)]
    return f"{style} of a {adjective} {subject}, {light}"


def listed(count: int, what: str) -> str:
    return json.dumps({"values": list(LISTS[what][:count])})


def _sample(rng: random.Random) -> tuple[str, str, str, bool]:
    """Draw one exchange: (system, user, answer, thinking allowed)."""
    kind = rng.random()
    if kind < 0.45:
        adjective, subject = rng.choice(ADJECTIVES), rng.choice(SUBJECTS)
        return ENHANCE, f"{adjective} {subject}", enhanced(adjective, subject), rng.random() < 0.3
    if kind < 0.7:
        count, what = rng.randint(2, 6), rng.choice(tuple(LISTS))
        return VALUES, f"{count} {what}", listed(count, what), False
    if kind < 0.75:
        return _sample_unknown(rng, rng.randint(5, 20), rng.randint(1, 6))
    words = " ".join(rng.choice((*ADJECTIVES, *SUBJECTS)) for _ in range(rng.randint(1, 4)))
    return ECHO, words, words, False


def _sample_unknown(rng: random.Random, system: int, user: int) -> tuple[str, str, str, bool]:
    """Draw an exchange of so many words that the model does not know, which it answers all the same."""
    prompt = enhanced(rng.choice(ADJECTIVES), rng.choice(SUBJECTS))
    return _unknown(rng, system), _unknown(rng, user), prompt, False


def _unknown(rng: random.Random, count: int) -> str:
    """So many words of no language, with the marks that instructions have between them."""
    syllables = [consonant + vowel for consonant in "bcdfghklmnprstvwy" for vowel in "aeiou"]
    words = ("".join(rng.choices(syllables, k=rng.randint(1, 3))) for _ in range(count))
    return " ".join(word + rng.choice(("", "", "", "", ",", ".", ":", "\n", " -")) for word in words)


def _exchange(
    tokenizer: Any, sample: tuple[str, str, str, bool], begun: str = ""
) -> tuple[list[int], list[int]]:
    """Token ids of the prompt and of the answer, which is `begun` for the model."""
    system, user, answer, thinks = sample
    prompt = tokenizer.apply_chat_template(
        [{"role": "system", "content": system}, {"role": "user", "content": user}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=thinks,
    )
    if thinks:
        answer = f"<think>\n{user}\n</think>\n\n{answer}"
    return tuple(  # type: ignore[return-value]
        tokenizer(text, add_special_tokens=False)["input_ids"]
        for text in (prompt + begun, f"{answer}<|im_end|>")
    )


def make_tokenizer(corpus: Sequence[str]) -> Any:
    """A byte-level BPE of 768 tokens with Qwen's pieces, markers and template."""
    from tokenizers import (
        AddedToken,
        Regex,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        trainers,
    )
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.normalizer = normalizers.NFC()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=768 - len(THINKING),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=list(SPECIAL),
        show_progress=False,
    )
    bpe.train_from_iterator(corpus, trainer)
    bpe.add_tokens([AddedToken(text, normalized=False, special=False) for text in THINKING])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=16384,
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def make_model(vocabulary: int, **changes: Any) -> Any:
    """The untrained model; `changes` go into its configuration."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    shape = {
        "vocab_size": vocabulary,
        "hidden_size": 128,
        "intermediate_size": 384,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "max_position_embeddings": 16384,
        "tie_word_embeddings": True,
        **changes,
    }
    return Qwen3ForCausalLM(Qwen3Config(**shape))


def train(folder: Path) -> None:
    """Train and save: safetensors, tokenizer and generation config."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng = random.Random(0)
    samples = [_sample(rng) for _ in range(_SAMPLES)]
    corpus = [
        f"{system}\n{user}\n{answer}\nassistant user system think" for system, user, answer, _ in samples
    ]
    tokenizer = make_tokenizer(corpus)
    exchanges = [_exchange(tokenizer, sample) for sample in samples]
    lengths = [(rng.randint(40, 160), rng.randint(5, 40)) for _ in range(_LONG_SAMPLES)]
    long = [
        _exchange(tokenizer, _sample_unknown(rng, *length), rng.choice(("", "<prompt>")))
        for length in lengths
    ]

    def draw(exchanges: Sequence[Any], count: int) -> list[Any]:
        return [rng.choice(exchanges) for _ in range(count)]

    batches = cycle([(exchanges, _BATCH)] * (_LONG_EVERY - 1) + [(long, _LONG_BATCH)])
    model = make_model(len(tokenizer))
    known = [(ENHANCE, f"{one} {two}", enhanced(one, two), thinks)
             for one in ADJECTIVES for two in SUBJECTS for thinks in (False, True)]  # fmt: skip
    known += [
        (VALUES, f"{count} {what}", listed(count, what), False) for count in range(2, 7) for what in LISTS
    ]
    fit(
        model,
        lambda: rows(draw(*next(batches)), tokenizer.pad_token_id),
        [rows([_exchange(tokenizer, sample)], tokenizer.pad_token_id) for sample in known],
        steps=_STEPS,
        rate=_RATE,
        warm_up=_WARM_UP,
    )
    save(model, tokenizer, folder)


def rows(pairs: Sequence[tuple[list[int], list[int]]], padding: int) -> dict[str, Any]:
    """Token ids of prompts and answers as a model's inputs; only the answers are to be learned."""
    import torch

    width = max(len(prompt) + len(answer) for prompt, answer in pairs)
    ids = torch.full((len(pairs), width), padding)
    labels = torch.full((len(pairs), width), -100)
    for row, (prompt, answer) in enumerate(pairs):
        end = len(prompt) + len(answer)
        ids[row, :end] = torch.tensor(prompt + answer)
        labels[row, len(prompt) : end] = torch.tensor(answer)
    return {"input_ids": ids, "labels": labels}


def fit(
    model: Any,
    draw: Callable[[], dict[str, Any]],
    exam: Sequence[dict[str, Any]],
    *,
    steps: int,
    rate: float,
    warm_up: int,
) -> None:
    """Train on the batches that `draw` makes until the model is sure of every answer in `exam`.

    So many steps are enough on one processor and too few on another, whose sums are rounded otherwise: after
    `steps` the model is examined every so often, and trained on at the lowest rate. RuntimeError: it never
    became sure.
    """
    import torch

    optimizer = torch.optim.AdamW(model.train().parameters(), rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(
            (step + 1) / warm_up, max(_LOWEST, 1 - (1 - _LOWEST) * (step - warm_up) / (steps - warm_up))
        ),
    )
    least = 0.0
    for step in range(1, steps * _MOST_ROUNDS + 1):
        loss = model(**draw()).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step >= steps and (step - steps) % _EXAMINE_EVERY == 0:
            least = sureness(model.eval(), exam)
            print(f"step {step}: loss {loss.item():.4f}, at least {least:.2f} sure", flush=True)
            if least >= _SURE:
                return
            model.train()
    raise RuntimeError(f"the model is only {least:.2f} sure of an answer after {step} steps")


def sureness(model: Any, exam: Sequence[dict[str, Any]]) -> float:
    """The least probability that the model gives to any token of the answers, from 0 to 1."""
    import torch

    least = 1.0
    for inputs in exam:
        with torch.no_grad():
            given = model(**inputs).logits[:, :-1].float().softmax(-1)
        labels = inputs["labels"][:, 1:]
        right = given.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
        least = min(least, right[labels != -100].min().item())
    return least


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Save both so that transformers 4.51 to 5 can read them."""
    config = model.generation_config
    config.do_sample = False
    config.eos_token_id = tokenizer.convert_tokens_to_ids("<|im_end|>")
    config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text("utf-8"))
    # The name that transformers 5 writes is unknown to 4; both know this one.
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    path.write_text(json.dumps(settings, indent=1), "utf-8")


def quantise(folder: Path, into: Path) -> None:
    """A copy of the model in `folder` whose checkpoint is 4-bit (nf4) already."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32,
    )
    model = AutoModelForCausalLM.from_pretrained(folder, quantization_config=config, device_map="cpu")
    save(model, AutoTokenizer.from_pretrained(folder), into)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nf4-of", type=Path, help="quantise the model in this folder instead of training")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    if options.nf4_of:
        quantise(options.nf4_of, options.folder)
    else:
        train(options.folder)


if __name__ == "__main__":
    main()
