"""Values for a variable as small models write them best: a numbered list, begun for them, one value a line.

JSON is what they repeat themselves in, and what a server often does not hold them to. The worked example is
in the language of the variable's name, since a small model answers in the language that it was shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..llm_backends.types import Message
from .phrasebook.language import language_of
from .tasks import VariablesTask
from .wording import LANGUAGES

# Without the blank behind it, which belongs to the next word in most tokenizers.
OPENING = "1."
_SYSTEM = (
    "You write lists of values for pictures. One value a line, numbered. Each is a word or a few words, all "
    "are different, and all are in the language of the name. No explanations."
)
# By language: names with values, of two kinds, so that the kind is seen to come from the name.
_EXAMPLES = {
    "en": (("fabric", "linen velvet silk denim"), ("fruit", "pear fig cherry plum quince")),
    "de": (("Stoff", "Leinen Samt Seide Cord"), ("Obst", "Birne Feige Kirsche Pflaume Quitte")),
    "fr": (("tissu", "lin velours soie flanelle"), ("fruit", "poire figue cerise prune coing")),
    "es": (("tela", "lino terciopelo seda pana"), ("fruta", "pera higo cereza ciruela membrillo")),
    "ru": (("ткань", "лён бархат шёлк вельвет"), ("фрукт", "груша инжир вишня слива айва")),
    "zh": (("布料", "亚麻 天鹅绒 丝绸 牛仔布"), ("水果", "梨 无花果 樱桃 李子 榅桲")),
    "ja": (("布地", "リネン ベルベット 絹 デニム"), ("果物", "梨 いちじく さくらんぼ すもも 柿")),
    "ko": (("옷감", "리넨 벨벳 비단 데님"), ("과일", "배 무화과 체리 자두 감")),
}
# Names that people give their variables, and that no letter tells from English.
_NAMES = {
    "de": "farbe farben tier tiere beruf berufe jahreszeit haarfarbe frisur haare kleidung kleid "
    "ort orte wetter stimmung licht beleuchtung stil kunststil blume blumen baum bäume stadt "
    "land landschaft gefühl ausdruck gegenstand essen getränk vogel vögel fahrzeug gebäude",
    "fr": "couleur couleurs animaux métier métiers saison coiffure cheveux vêtement vêtements lieu "
    "lieux météo ambiance lumière éclairage style_artistique fleur fleurs arbre ville pays "
    "paysage émotion oiseau véhicule",
    "es": "colores animales oficio oficios profesión estación peinado pelo ropa lugar lugares clima "
    "ambiente luz iluminación estilo flor flores árbol ciudad país paisaje emoción pájaro "
    "vehículo",
}
_MOST_KNOWN = 40


def language_of_name(name: str, context: str = "") -> str:
    """Return the language of a variable's name, as far as it shows; of the `context` where it does not."""
    words = set(re.findall(r"[^\W\d_]+", name.casefold()))
    for language, known in _NAMES.items():
        if words & set(known.split()):
            return language
    language = language_of(name)
    if language in ("en", "other") and context.strip():
        language = language_of(context)
    return language if language in _EXAMPLES else "en"


def list_messages(task: VariablesTask, spoken: str, creativity: str) -> tuple[Message, ...]:
    """Build the messages that ask a small model for the values of the variable that is `spoken` so."""
    language = language_of_name(spoken, task.context)
    lines = [_asked(spoken, task.count, language)]
    if task.context.strip():
        lines.append(f"They stand in: {task.context.strip()}")
    if task.guidance.strip():
        lines.append(f"Guidance: {task.guidance.strip()}")
    if creativity:
        lines.append(creativity)
    if task.existing:
        lines.append(f"Not these: {', '.join(task.existing[-_MOST_KNOWN:])}")
    shown = [
        message
        for name, values in _EXAMPLES[language]
        for message in (
            Message("user", _asked(name, len(values.split()), language)),
            Message("assistant", _numbered(values.split())),
        )
    ]
    return (Message("system", _SYSTEM), *shown, Message("user", "\n".join(lines)))


def end_of(count: int) -> str:
    """Return the text at which a list of `count` values is over."""
    return f"\n{count + 1}."


def _asked(name: str, count: int, language: str) -> str:
    return f"{count} different values for “{name}”, in {LANGUAGES[language]}:"


def _numbered(values: Sequence[str]) -> str:
    return "\n".join(f"{number}. {value}" for number, value in enumerate(values, 1))
