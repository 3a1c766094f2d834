"""Enhanced prompts: the user's own words, followed by additions that fit them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..answers.parts import numbered
from ..tasks import VariablesTask
from . import data
from .chooser import Chooser, position
from .composing import (
    PromptPlan,
    can_attach,
    continues,
    join_phrases,
    join_prose,
    looks_like_tags,
    write_facets,
)
from .forms import edits, music, structured
from .glossary import gloss_for
from .lists import shorten, values_for
from .reading.certainty import words_for
from .reading.negations import say_instead
from .reading.subjects import read_scene, requested_tags
from .scene import Scene, be_careful, same_dimension, settle
from .tagging import ENOUGH_SPREAD, as_tags, tags_of

if TYPE_CHECKING:
    from ..targets import Target
    from ..tasks import EnhanceTask

_DETAILED = 36
_ITEM = re.compile(r"\s*(?:[-*•–]|\d{1,2}[.)])\s+(?=\S)")
_EMPTY_PARTS = re.compile(r"[ \t]*,(?:[ \t]*,)+|[ \t]+,(?=\s)")
_EMPTY_END = re.compile(r"(?:\s+,|,\s*,)[\s,]*\Z")
_SYNTAX = re.compile(r"[\[\]{}()<>|\\_\"“]")
# Of a subject that is not surely known, in the order of choosing.
_OF_THE_UNSURE: tuple[str, ...] = (
    "medium", "thing", "light", "things", "setting", "composition", "things", "palette", "setting", "shadow",
    "detail", "things", "composition", "palette", "detail", "shadow", "detail", "medium", "detail", "things",
    "detail",
)  # fmt: skip
# To so few words a target that wants no more than the idea gets a phrase, and no sentence.
_FEW_WORDS = 9
_ADDED = re.compile(
    r"^\s*(?:please\s+)?(?:add|include|with|give\s+(?:it|him|her|them))\s+"
    r"((?:an?|some|one|two|three|four|\d+|his|her|their|its)\s+[^,.;:!?\n]{2,70})",
    re.IGNORECASE,
)
_AS_A = re.compile(
    r"((?:[a-z]+[ -])?(?:sketch|drawing|painting|engraving|etching|woodcut|linocut|lithograph|illustration|"
    r"cartoon|doodle|collage|mosaic|tapestry|poster))\b",
    re.IGNORECASE,
)
_ARTICLES = re.compile(r"^(?:an?|the|to|of|like|into|as)\s+", re.IGNORECASE)
_VAGUE = frozenset(
    [
        "more",
        "detail",
        "details",
        "drama",
        "depth",
        "mood",
        "light",
        "lighting",
        "atmosphere",
        "style",
        "contrast",
        "text",
    ]
)


_GLOSSED = (
    "The phrasebook translated word by word, as “{}”{}. Check that it says what you meant, or choose a model."
)
_WITHOUT = ", without “{}”"
_AS_IT_IS = ", with “{}” left as it is"
_ENGLISH = "The phrasebook writes in English, so the language “{}” was not followed: choose a model for it."
_UNSEEN = (
    "{} gets no pictures, and the phrasebook cannot put into words what they show, so the references are "
    "left out."
)
_UNTRANSLATED = (
    "The phrasebook cannot translate, so the idea stays in its own language, which {} hardly understands. "
    "Write it in English, or choose a model."
)


def write(task: EnhanceTask) -> str:
    """Write the prompt for ``task.target``, and a last line ``Negative: ...`` where there is one to write."""
    if len(task.parts) < 2:
        return _write(task)
    written = [_write(replace(task, prompt=part, parts=())).partition("\nNegative: ") for part in task.parts]
    negatives = ", ".join(filter(None, dict.fromkeys(negative for _, _, negative in written)))
    text = numbered([prompt for prompt, _, _ in written])
    return f"{text}\nNegative: {negatives}" if negatives else text


def _write(task: EnhanceTask) -> str:
    if _is_edit(task):
        return edits.write(task, _point(task))
    if task.target.kind == "audio":
        return music.write(task, _point(task))
    if not task.prompt.strip():
        theme = _theme(task)
        task = replace(task, prompt=theme or _invented(task), instruction="" if theme else task.instruction)
    task = replace(task, prompt=_in_line(task.prompt))
    original = task.prompt
    if english := gloss_for(task.prompt, task.target.languages):
        task = replace(task, prompt=english.english)
    scene = read_scene(task.prompt)
    if english or not scene.certain:  # word by word much is lost of what joins the words
        be_careful(scene)
    if english and _keeps_words(task.prompt, original):  # one of them may say what light there is
        scene.tags.add("sourced")
    if task.target.form != "tags":
        task = replace(task, prompt=say_instead(task.prompt))
    requested, wordings, instruction = _follow(task, scene)
    text = _compose(task, scene, requested, wordings, instruction)
    if task.target.negative != "none" and scene.without:
        text = f"{text}\nNegative: {', '.join(scene.without)}"
    return text


def _keeps_words(english: str, original: str) -> bool:
    """Tell whether a word of the original stands in its English as it was."""
    return any(word in original for word in re.findall(r"[^\W\d_]{3,}|[^\x00-\u024f]", english))


def _in_line(prompt: str) -> str:
    """Return a list of marked lines as one with commas, and any prompt without empty parts."""
    if "," not in prompt and "\n" not in prompt:
        return prompt
    lines = [line for line in prompt.splitlines() if line.strip()]
    items = [_ITEM.sub("", line, count=1).strip(" ,;") for line in lines if _ITEM.match(line)]
    if 1 < len(lines) == len(items) and not _SYNTAX.search("".join(items)):
        prompt = ", ".join(items)
    return prompt if _SYNTAX.search(prompt) else _EMPTY_PARTS.sub(",", _EMPTY_END.sub("", prompt))


def _theme(task: EnhanceTask) -> str:
    """Return an instruction that names what is to be shown, and not only how: it stands for the idea."""
    return "" if _follow(task, read_scene(""))[1] else task.instruction.strip()


def _invented(task: EnhanceTask) -> str:
    """Invent an idea where there is none: somebody or something, and a place."""

    def one(*names: str) -> str:
        name = names[_point(task) % len(names)]
        return values_for(VariablesTask(name, 1, seed=task.seed + task.variation))[0]

    subject = one("animal", "profession", "mythical_creature", "vehicle", "building")
    article = "an" if subject[0] in "aeiou" else "a"
    return f"{article} {subject} near the {one('location')}"


def remark(task: EnhanceTask) -> str:
    """Return the warning about what the phrasebook cannot do: translate, see, follow this instruction."""
    told = []
    if task.brief.references and task.target.references is None:
        told.append(_UNSEEN.format(task.target.label))
    if task.target.kind == "audio":
        return " ".join(filter(None, [*told, music.remark(task)]))
    scene = read_scene(task.prompt)
    if task.brief.language not in ("", "en"):
        told.append(_ENGLISH.format(task.brief.language))
    if english := gloss_for(task.prompt, task.target.languages):
        how = _AS_IT_IS if english.keeps_unknown else _WITHOUT
        left = how.format("”, “".join(english.unknown)) if english.unknown else ""
        told.append(_GLOSSED.format(shorten(english.english), left))
    elif any(map(str.isalpha, task.prompt)) and _is_beyond(scene, task.target):
        told.append(_UNTRANSLATED.format(task.target.label))
    if task.instruction.strip() and task.prompt.strip() and not _is_edit(task):
        _, words, instruction = _follow(task, scene)
        if not (words or instruction.tags or instruction.without or instruction.covers):
            told.append(
                f"The phrasebook has no phrases for “{shorten(task.instruction)}”, so it was left out."
            )
    return " ".join(told)


def _is_beyond(scene: Scene, target: Target) -> bool:
    """Tell whether the prompt is in a language that the target does not read."""
    return scene.language != "en" and scene.language not in target.languages and "any" not in target.languages


def _is_edit(task: EnhanceTask) -> bool:
    return task.target.kind == "edit" or task.target.form == "instruction"


def _point(task: EnhanceTask) -> int:
    return position(task.seed, task.variation, task.prompt, task.target.id, task.instruction)


def _follow(task: EnhanceTask, scene: Scene) -> tuple[list[str], list[str], Scene]:
    """Work the instruction into `scene`: (tags asked for, their wording, the instruction read)."""
    requested, instruction = requested_tags(task.instruction)
    said = data.words_of("context")["requested"]
    for tag in requested:
        # The instruction wins over what the prompt says of the same thing.
        scene.tags -= same_dimension(tag) - {tag}
    scene.tags |= instruction.tags
    settle(scene)
    scene.without += [words for words in instruction.without if words not in scene.without]
    words = [_said(tag, str(said[tag]), task.instruction) for tag in requested]
    if "people" in instruction.without:
        scene.tags.add("nopeople")
        scene.tags.discard("busy")
        if scene.kind in ("city", "landscape", "building", "interior"):
            words.append(str(said["deserted"]))
    added = _ADDED.match(task.instruction)
    if added and not _VAGUE & set(added[1].lower().split()) and not requested:
        words.insert(0, f"with {added[1].strip()}")
    return requested, words, instruction


def _said(tag: str, usual: str, instruction: str) -> str:
    """Return the wording of a requested tag: a medium in the user's own words, where they name one."""
    named = _AS_A.search(instruction)
    if named is None or tag not in ("oil", "drawing", "print", "comic", "craft", "watercolour"):
        return usual
    medium = _ARTICLES.sub("", named[1]).lower()
    return f"as a{'n' if medium[0] in 'aeio' else ''} {medium}"


def _compose(
    task: EnhanceTask, scene: Scene, requested: list[str], wordings: list[str], instruction: Scene
) -> str:
    target, prompt = task.target, task.prompt.strip()
    if target.form in ("tags", "tags_and_prose"):
        scene.tags.add("drawn")
    chooser = Chooser(scene, _point(task), scene.without)
    if target.form in ("json", "sections") or (target.shots[1] > 1 and task.brief.duration):
        return structured.write(task, scene, chooser, wordings)
    if scene.language != "en" and not _is_beyond(scene, target) and target.form != "tags":
        phrases = 1 if target.form == "any" and task.variations == 1 else 3
        return _foreign(prompt, scene.language, chooser, wordings, phrases)
    few = target.words[0] if target.words and target.form == "tags" else 12
    if target.form == "tags":
        listed = as_tags(prompt, scene)
        return join_phrases(listed, [*wordings, *tags_of(listed, chooser, few)])
    is_short = scene.length <= _FEW_WORDS and can_attach(prompt)
    by_list = target.form == "phrases" or (target.form == "any" and (is_short or looks_like_tags(prompt)))
    plan = _plan(task, scene, instruction, by_list)
    if target.form == "tags_and_prose":
        tags = tags_of(prompt, chooser, few, with_light=False)[: 6 if plan.words < 60 else 9]
        listed = join_phrases(prompt, [*wordings, *tags])
        chooser.spread = 1.0  # some of the tags were left out again
        plan.words -= len(prompt.split()) + 2 * len(tags)
        plan.facets = tuple(facet for facet in plan.facets if facet not in ("opening", "lens", "film"))
        plan.most = 1 if plan.words < 40 else 4
        written = write_facets(plan, chooser, requested)
        if not written.lines:
            return listed
        return join_prose(continues(listed, sentence=True), written, scene, attach=False)
    if by_list:
        plan.by_phrase = True
        written = write_facets(plan, chooser, requested)
        return join_phrases(
            prompt, [*wordings, *(entry.phrase for _, entry in written.in_order(plan.facets))]
        )
    written = write_facets(plan, chooser, requested)
    text = prompt
    if wordings and prompt:
        text = _with_wordings(prompt, wordings)
    elif wordings:
        text = wordings[0][0].upper() + wordings[0][1:]
    return join_prose(text, written, scene, attach=True)


def _with_wordings(prompt: str, wordings: Sequence[str]) -> str:
    if prompt[-1] in ".!?…":
        return f"{prompt} {', '.join(wordings)[0].upper()}{', '.join(wordings)[1:]}."
    return join_phrases(prompt, wordings)


def _plan(task: EnhanceTask, scene: Scene, instruction: Scene, by_list: bool) -> PromptPlan:
    """Return the facets that may be written, and the number of words in all."""
    target = task.target
    few, many = target.words or (0, 0)
    if target.kind == "image_to_video":
        facets: tuple[str, ...] = ("motion", "motion", "camera_move", "pace", "pace", "motion")
        goal = max(few, 30) + scene.length // 2
    elif target.kind == "video":
        facets = ("medium", "motion", "light", "thing", "camera_move", "setting", "opening", "things",
                  "composition", "motion", "palette", "things", "air", "detail", "shadow", "setting",
                  "mood", "detail")  # fmt: skip
        goal = round(few + (many - few) * 0.25) if many else scene.length + 60
    else:
        facets = ("medium", "light", "opening", "setting", "composition", "thing", "lens", "palette",
                  "detail", "air", "shadow", "mood", "film", "setting", "detail", "shadow")  # fmt: skip
        goal = round(few + (many - few) * 0.3) if many else scene.length + 36
        if target.form == "any":  # a target that wants no more than the idea gets a touch of it
            facets = ("medium", "opening", *(facet for facet in facets[1:] if facet != "opening"))
            goal = scene.length + max(3, scene.length // 2)
    sound = any(re.search(r"\bsounds?\b|\baudio\b", rule) for rule in target.rules)
    if sound and "sound" not in scene.covers and target.kind in ("video", "image_to_video"):
        facets = (*facets[:2], "sound", *facets[2:])
    if any(re.search(r"\b[Ii]nvent no camera", rule) for rule in target.rules):
        facets = tuple("static_camera" if facet == "camera_move" else facet for facet in facets)
    goal = min(goal, 150) if target.kind != "video" else min(goal, 180)
    if "shorter" in instruction.covers:
        goal = min(round(goal * 0.6), scene.length + 16)
    elif "longer" in instruction.covers:
        goal = round(goal * 1.5) if not many else round((goal + many) / 2)
    if "minimal" in scene.tags:
        goal = min(goal, scene.length + 24)
    most = 99
    if scene.length >= _DETAILED or (target.keep_detailed and scene.length >= 30):
        goal, most = scene.length + 24, 3
        facets = tuple(facet for facet in facets if facet != "opening")
    elif many and goal < scene.length + 12:
        goal = scene.length + 14
    if scene.kind == "unsure" and target.kind not in ("video", "image_to_video"):
        facets = _OF_THE_UNSURE
    if scene.language != "en":  # of which nothing is known: no light, no hour, no weather
        facets = tuple(facet for facet in facets if facet not in ("light", "shadow", "air"))
    if not by_list and not can_attach(task.prompt.strip()):
        facets = tuple("detail" if facet == "opening" else facet for facet in facets)
    if {"rain", "fog", "storm", "wind"} & scene.tags and "air" in facets:
        facets = (*facets[:2], "air", *(facet for facet in facets[2:] if facet != "air"))
    if {"cinematic", "lofi", "vintage", "dreamy"} & scene.tags and "mood" in facets:
        facets = (*facets[:2], "mood", *(facet for facet in facets[2:] if facet != "mood"))
    covered = scene.covers
    # A drawing of few lines has no place and no weather.
    bare = bool({"lineart", "minimal"} & scene.tags) and scene.kind not in ("graphic", "abstract")
    skipped = {
        "light": "light" in covered,
        "shadow": False,
        "lens": "lens" in covered or target.kind == "video" or bool({"dreamy", "lofi"} & scene.tags),
        "film": "lens" in covered or target.kind == "video" or "light" in covered,
        "palette": "palette" in covered,
        "composition": "composition" in covered and scene.length > 12,
        # No place is invented where the idea names none, and a scene is known for what it names.
        "setting": "setting" in covered or bare or (target.kind != "video" and _is_nowhere(scene)),
        "air": bare,
        "camera_move": "camera_move" in covered,
        "static_camera": "camera_move" in covered,
    }
    return PromptPlan(
        facets=tuple(facet for facet in facets if not skipped.get(facet, False)),
        words=goal - scene.length,
        room=_room(target, scene),
        most=most,
        # Alone, a prompt need not be told from others.
        spread=ENOUGH_SPREAD if (many and scene.length < _DETAILED) or task.variations > 1 else 1.0,
    )


def _is_nowhere(scene: Scene) -> bool:
    """Tell whether the idea says nothing of where its subject is."""
    lands = words_for("lands") | {
        "snow",
        "rain",
        "fog",
        "underwater",
        "space",
        "road",
        "table",
        "cave",
        "plainback",
    }
    return scene.kind in ("person", "group", "animal", "vehicle", "plant", "food") and lands.isdisjoint(
        scene.tags
    )


def _room(target: Target, scene: Scene) -> int:
    """Return how many words may be added: a long idea stays at about its own length."""
    if target.form == "any":
        return scene.length + 3
    many = target.words[1] if target.words else 999
    return max(many, round(1.2 * scene.length)) - scene.length


def _foreign(prompt: str, language: str, chooser: Chooser, wordings: Sequence[str], most: int) -> str:
    """Write the prompt with up to `most` additions that suit any picture, in its own language if known."""
    about = data.words_of("languages")
    own = about["languages"].get(language)
    groups = own["say"] if own else about["other"]
    joiner = own.get("joiner", ", ") if own else ", "
    start = chooser.index([1] * len(groups)) if most < len(groups) else 0
    phrases = [
        chooser.one([phrase.strip() for phrase in group.split(";")]) for group in groups[start : start + most]
    ]
    return join_phrases(prompt, [*wordings, *phrases], joiner)
