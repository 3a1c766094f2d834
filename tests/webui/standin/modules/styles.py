"""SD.Next's prompts: its own `{a|b}` and `__name__`, picked by the image's seed, and a style around them."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

from modules import paths, shared

WILDCARDS = Path(paths.models_path, "wildcards")
_STYLES = {"": ("", ""), "Painted": ("{prompt}, oil on canvas", "photo")}


def _braces(text: str) -> str:
    while found := re.search(r"\{([^{}]*)\}", text):
        text = text[: found.start()] + random.choice(found[1].split("|")).strip() + text[found.end() :]
    return text


def _wildcards(text: str, p: Any) -> str:
    for name in re.findall(r"__(.*?)__", text):
        file = WILDCARDS / f"{name}.txt"
        if not file.is_file():
            continue
        lines = [line for line in file.read_text("utf-8").splitlines() if line.strip()]
        text = text.replace(f"__{name}__", random.choice(lines), 1)
        if p is not None:
            used = p.extra_generation_params.get("Wildcards", [])
            p.extra_generation_params["Wildcards"] = [*used, name]
    return text


def _merged(style: str, text: str) -> str:
    return style.replace("{prompt}", text) if "{prompt}" in style else ", ".join(filter(None, (text, style)))


class StyleDatabase:
    def apply_styles_to_prompts(
        self, prompts: list[str], negatives: list[str], styles: list[str], seeds: list[int], p: Any = None
    ) -> tuple[list[str], list[str]]:
        """The texts of the images with everything in them resolved."""
        if p is not None:
            p.all_templates, p.all_negative_templates = prompts, negatives
        shared.state.begin("Styles")
        before = random.getstate()
        laid_out = []
        for place, texts in enumerate((prompts, negatives)):
            found = []
            for text, seed in zip(texts, seeds, strict=False):
                random.seed(seed)
                text = _braces(text)
                for style in styles:
                    text = _merged(_STYLES[style][place], text)
                found.append(_wildcards(text, p))
            laid_out.append(found)
        random.setstate(before)
        shared.state.end()
        return laid_out[0], laid_out[1]

    def apply_styles_to_prompt(self, prompt: str, styles: list[str]) -> str:
        for style in styles:
            prompt = _merged(_STYLES[style][0], prompt)
        return _wildcards(prompt, None)

    def apply_negative_styles_to_prompt(self, prompt: str, styles: list[str]) -> str:
        for style in styles:
            prompt = _merged(_STYLES[style][1], prompt)
        return _wildcards(prompt, None)
