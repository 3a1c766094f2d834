"""Prompts of a target's own shape: clips of several shots, parts for references, JSON by a schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ....llm_backends.json_schema import problem
from ...answers.facts.kept import lettering
from ...answers.shapes import by_schema, sections
from ...answers.shapes.shots import divided, label_of
from ...briefs.references import name_of
from ..chooser import Chooser
from ..composing import PromptPlan, facet_entries, join_prose, write_facets
from ..scene import Scene

if TYPE_CHECKING:
    from ...tasks import EnhanceTask

_FIRST: tuple[str, ...] = ("medium", "motion", "light", "camera_move", "setting", "palette", "motion")
_FROM_PICTURE: tuple[str, ...] = ("motion", "camera_move", "motion", "pace", "pace")
_LATER: tuple[str, ...] = ("composition", "motion", "camera_move")
_SECONDS_A_SHOT = 4
# What the fields of a schema are made of, by their names.
_FACETS = {
    "background_setting": "setting",
    "background": "setting",
    "conditions": "light",
    "lighting": "light",
    "shadows": "shadow",
    "composition": "composition",
    "color_scheme": "palette",
    "mood_atmosphere": "mood",
    "lens_focal_length": "lens",
    "camera_angle": "composition",
    "appearance_details": "detail",
    "artistic_style": "medium",
    "style_medium": "medium",
}
# What fields say of a view, and of the side that is seen.
_VIEWS: dict[str, dict[str, str]] = {
    "overhead": {"camera_angle": "seen from directly above", "orientation": "seen from above"},
    "aerial": {"camera_angle": "seen from high in the air", "orientation": "seen from above"},
    "high": {"camera_angle": "high angle", "orientation": "seen from above"},
    "low": {"camera_angle": "low angle", "orientation": "seen from below"},
    "isometric": {"camera_angle": "isometric", "orientation": "turned to one side at an angle"},
    "back": {"orientation": "facing away from the viewer"},
    "side": {"orientation": "in profile"},
}


def clip(task: EnhanceTask, prompt: str, scene: Scene, chooser: Chooser) -> str:
    """Write a clip: one shot, or where its length is given as many as it has room for, with their labels."""
    target, duration = task.target, task.brief.duration
    most = max(target.shots[0], min(target.shots[1], round(duration / _SECONDS_A_SHOT)))
    times = divided(duration, most) if duration else [0.0, 0.0]
    count = len(times) - 1
    written = []
    for place in range(count):
        text = _shot(prompt if place == 0 else "", scene, chooser, target.kind == "image_to_video")
        is_labelled = target.shot_label and (duration or "{to}" not in target.shot_label)
        ends = times[place + 1]
        label = label_of(target.shot_label, place + 1, times[place], ends) if is_labelled else ""
        written.append(f"{label} {text}".strip())
    return " ".join(written)


def with_parts(task: EnhanceTask, prompt: str, scene: Scene, chooser: Chooser) -> str:
    """Write the parts of a clip that the target names."""
    target = task.target
    sound = chooser.entry("sound", facet_entries("sound", scene))
    texts = {sections.main_of(target.parts): clip(task, prompt, scene, chooser)}
    names = {part.name for part in target.parts}
    if "overall_soundscape" in names:
        texts["overall_soundscape"] = sound.prose if sound else "Quiet natural ambience."
    if "subject_definitions" in names:
        texts |= _references(task, prompt)
    return sections.joined(sections.mended(texts, target.parts), target.parts)


def as_json(task: EnhanceTask, prompt: str, scene: Scene, chooser: Chooser) -> str:
    """Write JSON by the target's schema: the idea as its description, and phrases for the rest."""
    schema = by_schema.schema_of(task.target.schema)
    value = _filled(schema, prompt, scene, chooser)
    if "text_render" in schema.get("properties", {}):
        value["text_render"] = [{"text": words} for words in lettering(prompt)]
    text = json.dumps(value, ensure_ascii=False)
    return by_schema.fitted(text, schema) or by_schema.made_of(prompt, schema)


def _shot(prompt: str, scene: Scene, chooser: Chooser, from_picture: bool) -> str:
    wanted = _LATER if not prompt else _FROM_PICTURE if from_picture else _FIRST
    facets = tuple(facet for facet in wanted if facet != "camera_move" or facet not in scene.covers)
    written = write_facets(PromptPlan(facets=facets, words=999), chooser)
    text = join_prose(prompt, written, scene, attach=True)
    return text or "The view holds still for a moment."


def _references(task: EnhanceTask, prompt: str) -> dict[str, str]:
    names = [name_of(task.target, place) for place in range(max(1, len(task.brief.references)))]
    jobs = [one.job or "subject" for one in task.brief.references] or ["subject"]
    labels = [one.label for one in task.brief.references] or [""]
    lines = [
        f"<Subject {number}> is {label or f'the {job}'} in {name}."
        for number, (name, job, label) in enumerate(zip(names, jobs, labels, strict=True), 1)
    ]
    kept = " and ".join(f"<Subject {number}>" for number in range(1, len(names) + 1))
    return {
        "subject_definitions": "\n".join(lines),
        "summary": f"[reference generation] {prompt.rstrip('.')}, made with {kept}.",
        "retention_analysis": f"The looks of {kept} are kept; action, camera and sound are new.",
    }


def _seen(name: str, scene: Scene) -> str:
    """Return what the field `name` says of a view that the idea names."""
    return next((said[name] for tag, said in _VIEWS.items() if tag in scene.tags and name in said), "")


def _filled(schema: dict[str, Any], prompt: str, scene: Scene, chooser: Chooser) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, one in schema.get("properties", {}).items():
        if one.get("type") == "object":
            found[name] = _filled(one, prompt, scene, chooser)
        elif one.get("type") == "array" and one.get("minItems") and one["items"].get("type") == "object":
            found[name] = [_filled(one["items"], prompt, scene, chooser)]
        elif name in ("short_description", "high_level_description", "description", "desc"):
            found[name] = prompt
        elif seen := _seen(name, scene):
            found[name] = seen
        elif facet := _FACETS.get(name):
            entry = chooser.entry(facet, facet_entries(facet, scene))
            if entry is not None and not problem(entry.phrase, one, name):
                found[name] = entry.phrase
    if "depth_of_field" in schema.get("properties", {}) and "shallow" in scene.tags:
        found["depth_of_field"] = "shallow"
    return found
