"""Trains a tiny Qwen3 from nothing to call a tool, in a minute or two on one CPU thread.

    python tests/tiny_model/call.py FOLDER

Told to paint in one colour or in two, the model calls the tool of `TOOL` once for each, in Qwen's form; given
the results, it repeats them. Its answers to anything else, and without tools, are nonsense.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent))

from tiny_model.train import SUBJECTS, fit, make_model, make_tokenizer, rows, save

COLOURS = ("red", "green", "blue", "white", "black", "yellow")
NAME, DESCRIPTION = "fox.paint", "Paints."
PARAMETERS = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}
TAGS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
# In the manner of Qwen3's own: tools in the system message, their answers as a user's.
TEMPLATE = """\
{%- if tools %}
{{- '<|im_start|>system\\nTools:' }}
{%- for tool in tools %}{{- '\\n' + (tool | tojson) }}{%- endfor %}
{{- '\\nCall with <tool_call>{"name", "arguments"}</tool_call><|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'tool' %}
{{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}
{%- else %}
{{- '<|im_start|>' + message.role + '\\n' + message.content }}
{%- for call in message.tool_calls or [] %}
{{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
{%- if call.function.arguments is string %}{{- call.function.arguments }}
{%- else %}{{- call.function.arguments | tojson }}{%- endif %}
{{- '}\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""
_STEPS, _BATCH, _RATE, _WARM_UP, _EXAMINED = 450, 16, 3e-3, 40, 100


def tools() -> list[dict[str, Any]]:
    """The tools that the model is offered, in OpenAI's format."""
    function = {"name": NAME.replace(".", "-"), "description": DESCRIPTION, "parameters": PARAMETERS}
    return [{"type": "function", "function": function}]


def call(colour: str) -> dict[str, Any]:
    arguments = json.dumps({"colour": colour})
    return {"type": "function", "function": {"name": NAME.replace(".", "-"), "arguments": arguments}}


def calls(colours: Sequence[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The question for these colours, and the message that calls the tool for each."""
    asked = {"role": "user", "content": f"paint {' '.join(colours)}"}
    return [asked], {"role": "assistant", "content": "", "tool_calls": [call(colour) for colour in colours]}


def exchange(rng: random.Random) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The messages so far, and the one that the model is to write."""
    colours = rng.sample(COLOURS, rng.choice((1, 2)))
    asked, made = calls(colours)
    if rng.random() < 0.5:
        return asked, made
    words = [rng.choice(SUBJECTS) for _ in colours]
    outcomes = [{"role": "tool", "content": word} for word in words]
    return [*asked, made, *outcomes], {"role": "assistant", "content": f"It is {' and '.join(words)}"}


def encode(
    tokenizer: Any, before: list[dict[str, Any]], answer: dict[str, Any]
) -> tuple[list[int], list[int]]:
    """Token ids of the prompt and of the answer."""
    options: dict[str, Any] = {"tools": tools(), "tokenize": False}
    prompt = tokenizer.apply_chat_template(before, add_generation_prompt=True, **options)
    whole = tokenizer.apply_chat_template([*before, answer], add_generation_prompt=False, **options)
    parts = (prompt, whole[len(prompt) :].rstrip("\n"))
    return tuple(tokenizer(part, add_special_tokens=False)["input_ids"] for part in parts)  # type: ignore[return-value]


def train(folder: Path) -> None:
    """Train and save: safetensors, tokenizer and generation config."""
    import torch
    from tokenizers import AddedToken

    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng = random.Random(0)
    words = " ".join((*COLOURS, *SUBJECTS, "paint It is and assistant user system"))
    corpus = [f"{words}\nTools:\n{json.dumps(tools())} {json.dumps(call(colour))}" for colour in COLOURS]
    tokenizer = make_tokenizer(corpus * 4)
    tokenizer.add_tokens([AddedToken(tag, normalized=False, special=False) for tag in TAGS])
    tokenizer.chat_template = TEMPLATE
    model = make_model(len(tokenizer))
    asked = [calls(colours) for count in (1, 2) for colours in permutations(COLOURS, count)]
    examiner = random.Random(1)
    answered = [exchange(examiner) for _ in range(_EXAMINED)]
    fit(
        model,
        lambda: rows([encode(tokenizer, *exchange(rng)) for _ in range(_BATCH)], tokenizer.pad_token_id),
        [rows([encode(tokenizer, *one)], tokenizer.pad_token_id) for one in (*asked, *answered)],
        steps=_STEPS,
        rate=_RATE,
        warm_up=_WARM_UP,
    )
    save(model, tokenizer, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    train(parser.parse_args().folder)
