"""Trains a tiny vision model from nothing, in seconds on one CPU thread: it names colours.

    python tests/tiny_model/see.py qwen2_5_vl FOLDER        or: qwen3_vl

Shown a picture of one colour it answers with a sentence that names it, shown several it names them in their
order. Its answers to anything else, and without a picture, are nonsense.
"""

from __future__ import annotations

import argparse
import inspect
import json
import random
import string
import sys
from itertools import product
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent))

from tiny_model.train import _SURE, fit, make_tokenizer, save, sureness

COLOURS = {
    "red": (230, 20, 20),
    "green": (20, 200, 40),
    "blue": (20, 40, 230),
    "white": (250, 250, 250),
    "black": (5, 5, 5),
    "yellow": (240, 230, 20),
}
VISION_TOKENS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
# Which messages may have pictures, and in what form, is as in the templates of the models themselves.
TEMPLATE = """\
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' }}
{%- if message.content is string %}
{{- message.content }}
{%- else %}
{%- for part in message.content %}
{%- if part.type == 'image' %}
{{- '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- elif part.type == 'text' %}
{{- part.text }}
{%- endif %}
{%- endfor %}
{%- endif %}
{{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}"""
PATCH, MERGE = 14, 2
# How many pictures, and how large, in turn: of what it has not seen the processor's rounding decides.
LESSONS = tuple(product((1, 2, 2), ((56, 56), (84, 56), (56, 112), (112, 112), (112, 56))))
_STEPS, _BATCH, _RATE, _WARM_UP, _EXAMINED = 900, 12, 4e-3, 30, len(LESSONS)
# A real question has a page of text beside the picture, from which the model must learn to look away.
_LONG_EVERY, _LONG_BATCH, _LONGEST = 7, 4, 1600


def sentence(*names: str) -> str:
    """The sentence that the model learns for pictures of these colours."""
    return f"a {' then '.join(names)} field"


def make_tokenizer_with_vision() -> Any:
    corpus = [
        f"assistant user system\n{sentence(one, two)} What is it? {one}" for one in COLOURS for two in COLOURS
    ]
    tokenizer = make_tokenizer(corpus * 4)
    tokenizer.add_special_tokens({"additional_special_tokens": list(VISION_TOKENS)})
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def make_model(kind: str, tokenizer: Any) -> Any:
    """The untrained model."""
    import transformers

    names = ("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id")
    ids = dict(zip(names, tokenizer.convert_tokens_to_ids(list(VISION_TOKENS)), strict=True))
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": True,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
    }
    shared = {"depth": 2, "hidden_size": 32, "num_heads": 2, "intermediate_size": 64, "patch_size": PATCH,
              "spatial_merge_size": MERGE, "out_hidden_size": 64}  # fmt: skip
    if kind == "qwen3_vl":
        vision = shared | {"num_position_embeddings": 64, "deepstack_visual_indexes": [0]}
        text |= {
            "head_dim": 16,
            "rope_scaling": {"rope_type": "default", "mrope_section": [4, 2, 2], "mrope_interleaved": True},
        }
        config = transformers.Qwen3VLConfig(
            text_config=text, vision_config=vision, tie_word_embeddings=True, **ids
        )
        return transformers.Qwen3VLForConditionalGeneration(config)
    vision = shared | {"fullatt_block_indexes": [1], "window_size": PATCH * 8}
    text |= {"rope_scaling": {"type": "mrope", "rope_type": "default", "mrope_section": [4, 2, 2]}}
    if "text_config" in inspect.signature(transformers.Qwen2_5_VLConfig.__init__).parameters:
        text = {"text_config": text, "tie_word_embeddings": True}
    config = transformers.Qwen2_5_VLConfig(vision_config=vision, **text, **ids)
    return transformers.Qwen2_5_VLForConditionalGeneration(config)


def preprocessor() -> dict[str, Any]:
    """The contents of preprocessor_config.json."""
    return {
        "image_processor_type": "Qwen2VLImageProcessor",
        "patch_size": PATCH,
        "temporal_patch_size": 2,
        "merge_size": MERGE,
        "min_pixels": (PATCH * MERGE) ** 2 * 4,
        "max_pixels": (PATCH * MERGE) ** 2 * 400,
        "size": {"shortest_edge": (PATCH * MERGE) ** 2 * 4, "longest_edge": (PATCH * MERGE) ** 2 * 400},
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "do_convert_rgb": True,
    }


def picture(colour: tuple[int, int, int], width: int = 56, height: int = 56) -> Any:
    from PIL import Image

    return Image.new("RGB", (width, height), colour)


class School:
    """Examples of one picture or two, as the model's inputs."""

    def __init__(self, tokenizer: Any, processor: Any, seed: int) -> None:
        self._tokenizer, self._processor = tokenizer, processor
        self._random = random.Random(seed)
        self._count = 0

    def _page(self) -> str:
        """Text that says nothing."""
        length = self._random.randint(100, _LONGEST)
        letters = "".join(self._random.choices(string.ascii_letters + "     .,:-\n", k=length))
        return letters.strip()

    def batch(self, torch: Any, takes_types: bool) -> dict[str, Any]:
        many, size = LESSONS[self._count % len(LESSONS)]
        self._count += 1
        is_long = self._count % _LONG_EVERY == 0
        count = _LONG_BATCH if is_long else _BATCH
        rows, pictures = [], []
        for _ in range(count):
            names = self._random.choices(tuple(COLOURS), k=many)
            for name in names:
                shade = tuple(
                    min(255, max(0, part + self._random.randint(-12, 12))) for part in COLOURS[name]
                )
                pictures.append(picture(shade, *size))
            rows.append(names)
        made = self._processor(images=pictures, return_tensors="pt")
        each = int(made["image_grid_thw"][0].prod()) // MERGE**2
        question = self._random.choice(("What is it?", "Describe", ""))
        parts = [{"type": "image"}] * many + [{"type": "text", "text": question}]
        page = [{"role": "system", "content": self._page()}] if is_long else []
        text = self._tokenizer.apply_chat_template(
            [*page, {"role": "user", "content": parts}], tokenize=False, add_generation_prompt=True
        ).replace(VISION_TOKENS[2], VISION_TOKENS[2] * each)
        prompt = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        answers = [
            self._tokenizer(f"{sentence(*names)}<|im_end|>", add_special_tokens=False)["input_ids"]
            for names in rows
        ]
        width = len(prompt) + max(map(len, answers))
        ids = torch.full((count, width), self._tokenizer.pad_token_id)
        labels = torch.full((count, width), -100)
        mask = torch.zeros((count, width), dtype=torch.long)
        for place, answer in enumerate(answers):
            end = len(prompt) + len(answer)
            ids[place, :end] = torch.tensor(prompt + answer)
            labels[place, len(prompt) : end] = torch.tensor(answer)
            mask[place, :end] = 1
        inputs = {"input_ids": ids, "labels": labels, "attention_mask": mask, **made}
        if takes_types:
            inputs["mm_token_type_ids"] = (
                ids == self._tokenizer.convert_tokens_to_ids(VISION_TOKENS[2])
            ).int()
        return inputs


def train(kind: str, folder: Path, other: Path | None = None) -> None:
    """Train and save: safetensors, tokenizer, the settings of the vision part.

    `other` is the same model as another transformers saved it: where its weights will do, none are trained.
    """
    import torch
    from transformers import AutoImageProcessor

    torch.manual_seed(0)
    torch.set_num_threads(1)
    tokenizer = make_tokenizer_with_vision()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor(), indent=1), "utf-8")
    model = make_model(kind, tokenizer)
    model.config.save_pretrained(folder)
    processor = AutoImageProcessor.from_pretrained(folder)
    takes_types = "mm_token_type_ids" in inspect.signature(model.forward).parameters
    school, examiner = School(tokenizer, processor, 0), School(tokenizer, processor, 1)
    exam = [examiner.batch(torch, takes_types) for _ in range(_EXAMINED)]
    if other is not None:
        trained = type(model).from_pretrained(other, config=model.config).float().eval()
        if sureness(trained, exam) >= _SURE:
            save(trained, tokenizer, folder)
            return
    fit(
        model,
        lambda: school.batch(torch, takes_types),
        exam,
        steps=_STEPS,
        rate=_RATE,
        warm_up=_WARM_UP,
    )
    save(model, tokenizer, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("qwen2_5_vl", "qwen3_vl"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights-of", type=Path, help="the model in this folder, of another transformers")
    options = parser.parse_args()
    train(options.kind, options.folder, options.weights_of)


if __name__ == "__main__":
    main()
