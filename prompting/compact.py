"""Messages for small models: a sentence of task, few rules, two worked examples, and a closing line.

A small model follows what it is shown before what it is told, and what stands last before what stands first.
The examples are turns of a talk. All before the last question is the same for all ideas of a target, so that
a cached prefix serves them, save where an idea speaks of the same things as an example, which then gives way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ..llm_backends.types import Message
from .answers.facts.idea_tags import is_english
from .answers.limits import Fault, size_of
from .answers.shapes.sections import as_json, read
from .answers.terms import NOBODY, shows_people
from .briefs.messages import brief_lines, shot_rules
from .phrasebook.language import language_of
from .phrasebook.reading.negations import take_negations
from .phrasebook.scene import Scene
from .small_models.mending import most_words
from .targets import Target
from .targets.examples import Example
from .tasks import EnhanceTask
from .wording import LANGUAGES, VARIATION_LEANINGS, kind_of_model, subject_of

OPENING, CLOSING = "<prompt>", "</prompt>"
_SHOWN = 2
# One example of more words is enough of them.
_LONG_WORDS = 80
_RULES = 2
_TASK = "You turn somebody's idea into one prompt for {label}, {kind}. The idea is material: never answer it."
_TASK_ANY = (
    "You write down somebody's idea for a picture in clear, correct words. The idea is material: never "
    "answer it."
)
_FORMS = {
    "prose": "one paragraph of plain sentences",
    "tags": "tags in lower case, separated by commas",
    "tags_and_prose": "tags separated by commas, then one or two sentences",
    "phrases": "one line of short phrases separated by commas",
    "instruction": "one instruction",
    "json": "one JSON object with the fields that the example has",
    "sections": "the elements that the example has",
}
_PARTS = "one JSON object with the fields {names}"
# Of the target's range, what is asked for: small models write more sentences than that, and fewer tags.
_ASKED_SHARE = {"tags": (1 / 6, 1 / 2), "phrases": (1 / 6, 2 / 3)}
_KEEP = "Keep everything the idea names, and add what a picture needs"
_ADDING = {
    "edit": "Name what changes and what it becomes, and say what stays. Change nothing else.",
    "video": "Keep everything the idea names, and add what moves, in which order, and what the camera does.",
    "image_to_video": "Say only what moves from here on, and what the camera does. Bring in nothing new.",
    "audio": "Keep everything the idea names, and add what is heard: instruments, voice, mood, course.",
}
_ADDING_BY_FORM = {
    "tags": "First all that the idea names, then looks, clothing, pose, place, light, colours and framing.",
    # Told more, it writes "setting: ..., light: ..." here.
    "phrases": f"{_KEEP}.",
}
_ADDING_PROSE = f"{_KEEP}: setting, light, materials, view."
_FOR = {
    "edit": "a change to a picture",
    "video": "a video",
    "image_to_video": "a picture to come alive",
    "audio": "music or a sound",
}
_ADDING_LITTLE = "Keep everything the idea names, say clearly what is vague, and add little else."
_ADDING_ANY = "Correct it only: the same language, the same form, all of it, nothing added."
# Taken out of an English idea by code; words such as these are left to the model in other languages.
_NEGATION = re.compile(
    r"(?i)\b(?:no|not|without|never|avoid|exclud\w*|ohne|kein\w*|nicht|sans|pas de|aucun\w*|sin|без|нет)\b"
    r"|没有|無|无|不要|なし|ない|없"
)
_EXCLUDED = {
    True: "What must not be there goes into a last line that begins with Negative:",
    False: "Say what is there instead of what is missing.",
}
_NEGATED = "Say what must not be there, such as “no watermark”."
_WORD = re.compile(r"[^\W\d_]{4,}")
_MOST_NAMED = 8
_ONCE_MORE = {
    "lost": "Leave nothing out: {0}.",
    "excluded": "It must not name {0}.",
    "short": "Write {1}.",
    "thin": "Write {1}.",
    "loop": "Say everything once.",
    "shape": "Mind this: {0}.",
}
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|<[^<>]*>|__\w+__|\{[^{}]*\}")
# Not behind the beginning of a sentence, where a capital means nothing.
_NAME = re.compile(
    r"(?<=[a-z0-9,;] )[A-Z][a-zà-ÿ'’-]+(?: [A-Z][a-zà-ÿ'’-]+)*"
    r"|\A[A-Z][a-z]+(?= [A-Z]| and [A-Z])(?: [A-Z][a-z]+)*"
)
_COUNTED = re.compile(
    r"(?i)\b(?:two|three|four|five|six|seven|eight|nine|ten|[2-9])(?: [a-z]+)?"
    r" (?:[a-z]+s|people|children|men|women)\b"
)


def compact_messages(task: EnhanceTask, kept: Sequence[str] = ()) -> tuple[Message, ...]:
    """Build the messages that ask a small model for one prompt, between `OPENING` and `CLOSING`.

    One that has fields or elements stands alone, its parts as the fields of a JSON object. `kept` is what an
    answer should hold as it is.
    """
    target = task.target
    shown = [
        message
        for example in chosen(target.examples, f"{without_negations(task)[0]} {task.instruction}")
        for message in (
            Message("user", f"{_asks(target)} {example.idea}"),
            Message("assistant", _written(target, example)),
        )
    ]
    return (Message("system", _system(target)), *shown, Message("user", _question(task, kept)))


def once_more(asked: Sequence[Message], faults: Sequence[Fault]) -> tuple[Message, ...]:
    """Build the messages that ask again, with what was wrong; its own text a small model would copy."""
    said = [
        _ONCE_MORE[fault.kind].format(fault.found, fault.wanted)
        for fault in faults
        if fault.kind in _ONCE_MORE
    ]
    last = asked[-1]
    return (*asked[:-1], replace(last, content="\n".join([str(last.content), *said])))


def without_negations(task: EnhanceTask) -> tuple[str, list[str]]:
    """Return the idea without what it says is not there, and that: a small model draws what it reads of."""
    target = task.target
    is_drawn = target.form != "any" and target.kind in ("image", "video") and not target.negations
    if not is_drawn or not is_english(task.prompt):
        return task.prompt, []
    scene = Scene()
    text = take_negations(task.prompt, scene)
    if not scene.without or not any(character.isalnum() for character in text):
        return task.prompt, []
    return re.sub(r"\s*,(?:\s*[,.])*\s*", ", ", text).strip(" ,"), scene.without


def negates(idea: str) -> bool:
    """Tell whether `idea` may say what is not to be there."""
    # In Portuguese "no" is "in the".
    return bool(_NEGATION.search(re.sub(r"(?i)\bno\b", "", idea) if language_of(idea) == "pt" else idea))


def _asks(target: Target) -> str:
    """Return the label of the idea: a name alone, such as "Marie Curie", would be answered with a life."""
    return f"Idea for {_FOR.get(target.kind, 'a picture')}:"


def chosen(examples: Sequence[Example], idea: str) -> list[Example]:
    """Return two of `examples`, one where they are long: those that share the fewest words with `idea`.

    Of tags, which begin with who is there, one of either kind: that of the idea's kind stands last.
    """
    words = _words(idea)
    apart = sorted(examples, key=lambda one: len(words & _words(f"{one.idea} {one.prompt}")))
    has_people = shows_people(idea)
    alike = [one for one in apart if one.prompt.startswith(NOBODY) is not has_people]
    others = [one for one in apart if one.prompt.startswith(NOBODY) is has_people]
    if alike and others:
        return [others[0], alike[0]]
    return apart[: 1 if any(len(one.prompt.split()) > _LONG_WORDS for one in apart) else _SHOWN]


def _words(text: str) -> set[str]:
    return {word.casefold()[:6] for word in _WORD.findall(text)} - _COMMON


# Words of many an idea that mean nothing in common.
_COMMON = {"with", "from", "into", "their", "that", "this", "behind", "front", "beside", "little", "small"}


def _written(target: Target, example: Example) -> str:
    if target.parts:
        return as_json(read(example.prompt, target.parts))
    text = (
        f"{example.prompt}\nNegative: {example.negative}"
        if example.negative and target.negative != "none"
        else example.prompt
    )
    return text if target.is_structured else f"{OPENING}{text}{CLOSING}"


def _system(target: Target) -> str:
    if target.form == "any":
        return _TASK_ANY
    rules = [
        *(f"{part.name}: {part.about}" for part in target.parts if part.about),
        *(shot_rules(target) if target.shot_label else ()),
        *target.rules[:_RULES],
        *(rule for rule in target.added_rules if rule not in target.rules[:_RULES]),
    ]
    return " ".join([_TASK.format(label=target.label, kind=kind_of_model(target)), *rules])


def _question(task: EnhanceTask, kept: Sequence[str]) -> str:
    target = task.target
    wanted, excluded = without_negations(task)
    lines = [f"{_asks(target)} {subject_of(replace(task, prompt=wanted))}"]
    if "people" in excluded and target.negative == "none":
        lines[0] += ", deserted"
    kept = [piece for piece in kept if piece in task.prompt]
    if kept:
        lines.append("Keep exactly: " + "   ".join(kept))
    if names := named(wanted):
        lines.append("Name " + ", ".join(names) + ".")
    if task.instruction.strip():
        lines.append(f"Instruction: {task.instruction.strip()}")
    lines += brief_lines(task)
    if task.variations > 1 and task.variation > 0:
        lines.append(f"Lean towards {VARIATION_LEANINGS[(task.variation - 1) % len(VARIATION_LEANINGS)]}.")
    lines.append(_closing_line(replace(task, prompt=wanted)))
    return "\n".join(lines)


def named(idea: str) -> list[str]:
    """Return what a small model drops first, as the idea says it: names, and things with their number."""
    unquoted = _QUOTED.sub(" ", idea)
    if not is_english(unquoted):  # what is to be translated cannot be kept, and German nouns have capitals
        return []
    found = [*_NAME.finditer(unquoted), *_COUNTED.finditer(unquoted)]
    return list(dict.fromkeys(piece[0] for piece in found))[:_MOST_NAMED]


def _closing_line(task: EnhanceTask) -> str:
    target = task.target
    if target.form == "any":
        return _ADDING_ANY
    unit = "tags" if target.form == "tags" else "words"
    names = ", ".join(part.name for part in target.parts)
    manner = [_PARTS.format(names=names) if names else _FORMS[target.form]]
    adding = _ADDING.get(target.kind) or _ADDING_BY_FORM.get(target.form, _ADDING_PROSE)
    if target.words:
        least, most = target.words
        from_share, to_share = _ASKED_SHARE.get(target.form, (0, 2 / 3))
        few, many = (round(least + (most - least) * share) for share in (from_share, to_share))
        manner.append(f"{few} to {many} {unit}")
    elif bound := most_words(target, task.prompt):
        manner.append(f"{size_of(target, task.prompt)} to {bound} {unit}")
        adding = _ADDING_LITTLE
    languages = [LANGUAGES.get(code, code) for code in target.languages if code != "any"]
    manner.append(f"in {languages[0]}" if len(languages) == 1 else "in the language of the idea")
    excluded = (
        (_NEGATED if target.negations else _EXCLUDED[target.negative != "none"])
        if negates(task.prompt) and target.kind != "edit"
        else ""
    )
    sentence = ", ".join(manner)
    return " ".join(filter(None, [f"{sentence[0].upper()}{sentence[1:]}.", adding, excluded]))
