"""Prompts of a fixed structure: JSON captions, XML of tags, labelled sections."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import data
from ..chooser import Chooser
from ..composing import (
    Composition,
    PromptPlan,
    continues,
    join_phrases,
    write_facets,
)
from ..scene import Scene
from . import shaped

if TYPE_CHECKING:
    from ...tasks import EnhanceTask

_QUOTED = re.compile(r'"([^"\n]+)"|“([^”\n]+)”')
# Boxes in Ideogram's coordinates: top, left, bottom, right of 1000.
_WHOLE, _BAND = [80, 80, 940, 920], [60, 120, 200, 880]
_NOT_A_PHOTO = (
    "oil",
    "watercolour",
    "drawing",
    "print",
    "anime",
    "comic",
    "pixel",
    "render",
    "vector",
    "craft",
)
_MEDIA = {
    "oil": "oil painting", "watercolour": "watercolour painting", "drawing": "drawing", "print": "print",
    "anime": "anime illustration", "comic": "illustration", "pixel": "pixel art", "render": "3D render",
    "vector": "vector graphic", "craft": "handmade craft",
}  # fmt: skip


def write(task: EnhanceTask, scene: Scene, chooser: Chooser, wordings: Sequence[str]) -> str:
    """Write the prompt in the structure that the target's rules name; a plain one where they name none."""
    rules = " ".join(task.target.rules)
    prompt = join_phrases(task.prompt.strip(), wordings)
    if "high_level_description" in rules:
        return _ideogram(prompt, scene, chooser)
    if task.target.schema:
        return shaped.as_json(task, prompt, scene, chooser)
    if task.target.parts:
        return shaped.with_parts(task, prompt, scene, chooser)
    if task.target.kind in ("video", "image_to_video"):
        return shaped.clip(task, prompt, scene, chooser)
    if "general_tags" in rules:
        return _xml(task, scene, chooser, wordings)
    return _plain(prompt, scene, chooser, as_json=task.target.form == "json")


def _choose(chooser: Chooser, *facets: str) -> Composition:
    return write_facets(PromptPlan(facets=facets, words=999), chooser)


def _phrases(written: Composition, *facets: str) -> str:
    return ", ".join(entry.phrase for facet in facets for entry in written.of(facet))


def _ideogram(prompt: str, scene: Scene, chooser: Chooser) -> str:
    medium = next((tag for tag in _NOT_A_PHOTO if tag in scene.tags), "")
    # With a logo or a fantasy nothing says that it is a photograph.
    is_photo = (
        not medium and "drawn" not in scene.tags and scene.kind not in ("graphic", "abstract", "creature")
    )
    facets = (
        "medium",
        "light",
        "setting",
        "palette",
        "lens" if is_photo else "composition",
        "opening",
        "mood",
        "detail",
    )
    written = _choose(chooser, *facets)
    style: dict[str, Any] = {
        "aesthetics": _phrases(written, "palette", "medium", "mood", "detail") or "clear and natural",
        "lighting": _phrases(written, "light") or "light as the scene gives it",
        "medium": _MEDIA.get(medium, "photograph" if is_photo else "graphic illustration"),
    }
    if is_photo:
        style["photo"] = _phrases(written, "lens") or "natural perspective"
    else:
        style["art_style"] = _phrases(written, "medium", "composition") or _MEDIA.get(
            medium, "clean illustration"
        )
    hexes = data.words_of("colours")["colours"]
    words = re.findall(r"[a-z]+", _phrases(written, "palette").lower())
    if colours := list(dict.fromkeys(hexes[word] for word in words if word in hexes)):
        style["color_palette"] = colours
    elements: list[dict[str, Any]] = [{"type": "obj", "bbox": _WHOLE, "desc": _with(prompt, written)}]
    elements += [
        {"type": "text", "bbox": _BAND, "text": match[1] or match[2], "desc": "legible lettering"}
        for match in _QUOTED.finditer(prompt)
    ]
    caption = {
        "high_level_description": prompt,
        "style_description": style,
        "compositional_deconstruction": {
            "background": _phrases(written, "setting") or "simple, uncluttered background",
            "elements": elements,
        },
    }
    return json.dumps(caption, ensure_ascii=False, separators=(",", ":"))


def _with(prompt: str, written: Composition) -> str:
    opening = _phrases(written, "opening")
    return join_phrases(_QUOTED.sub(r'"\1\2"', prompt), [opening])


def _xml(task: EnhanceTask, scene: Scene, chooser: Chooser, wordings: Sequence[str]) -> str:
    from ..tagging import tags_of

    prompt = task.prompt.strip()
    added = [tag.replace(" ", "_") for tag in (*wordings, *tags_of(prompt, chooser, 14))]
    lines = []
    if scene.kind in ("person", "group"):
        gender = re.search(r"\b\d?(girls?|boys?|woman|man|women|men)\b", prompt, re.IGNORECASE)
        lines.append("<character_1>")
        if gender:
            one = "1girl" if re.search("girl|wom", gender[1], re.IGNORECASE) else "1boy"
            lines.append(f"<gender>{one if scene.kind == 'person' else gender[0]}</gender>")
        lines += [f"<appearance>{_escaped(prompt)}</appearance>", "</character_1>", "<general_tags>"]
    else:
        lines += ["<general_tags>", f"<objects>{_escaped(prompt)}</objects>"]
    lines += [f"<other>{_escaped(', '.join(added))}</other>", "</general_tags>"]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(prompt: str, scene: Scene, chooser: Chooser, *, as_json: bool) -> str:
    written = _choose(chooser, "medium", "light", "setting", "composition", "palette", "mood")
    names = {"setting": "background", "light": "lighting", "medium": "style", "palette": "color_palette"}
    parts = {names.get(facet, facet): entry.phrase for facet, entry in written.in_prose_order()}
    if as_json:
        return json.dumps({"scene": prompt, **parts}, ensure_ascii=False)
    return "\n".join(
        [
            f"scene: {continues(prompt, sentence=False).strip()}",
            *(f"{name}: {text}" for name, text in parts.items()),
        ]
    )
