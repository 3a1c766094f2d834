"""Music, songs and noises: a caption from curated styles, and lyrics that can be sung."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...answers.shapes import lyrics as shape_of_lyrics
from ...answers.shapes import sections
from .. import data
from ..chooser import Chooser
from ..composing import continues
from ..language import language_of
from ..reading.subjects import read_scene
from ..scene import Scene

if TYPE_CHECKING:
    from ...targets.shape import Part
    from ...tasks import EnhanceTask

_SELDOM_SUNG = re.compile(r"(?i)\b(?:soundtrack|score|ambient|drone)\b")
_MUSIC = re.compile(
    r"(?i)\b(?:music|songs?|tracks?|tunes?|melod\w+|beats?|ballads?|anthems?|theme|score|soundtrack|symphon\w+"
    r"|lullab\w+|march|waltz|shanty)\b"
)
_NO_MUSIC = re.compile(r"(?i)\b(?:no|without|not)(?: any| background)? music\b")
_ALONE = re.compile(r"(?i)\b(?:solo|only|just|alone|unaccompanied|a cappella|acappella)\b")
_MOOD = re.compile(
    r"(?i)\b(?:sad|happy|joyful|cheerful|upbeat|uplifting|melanchol\w+|nostalgic|wistful|dark|grim|angry|aggressive"
    r"|calm|calming|peaceful|relax\w+|chill|mellow|dreamy|romantic|tender|epic|heroic|tense|creepy|scary|spooky|funny"
    r"|playful|energetic|hopeful|mysterious|lonely|bittersweet|euphoric)\b"
)
_FEMALE = re.compile(r"(?i)\b(?:female|wom[ae]n|girls?|she|her|soprano|alto|mother|diva|sängerin|frau\w*)\b")
_MALE = re.compile(r"(?i)\b(?:male|m[ae]n|boys?|he|his|tenor|baritone|father|crooner|sänger|mann)\b")
_OTHER_VOICE = re.compile(r"(?i)\b(?:choir|duet|children|kids|rapp\w+|vocaloid|robot\w*|crowd)\b")
_PACE = re.compile(r"(?i)\b(?:(fast|uptempo|up-tempo|frantic|driving)|(slow|downtempo|down-tempo|sleepy))\b")
_INSTRUMENT = re.compile(
    r"(?i)\b(?:solo|one-shot|single (?:note|hit)|stem)\b"
    r".*\b(?:guitar|piano|violin|cello|drums?|bass|flute|sax\w*"
    r"|trumpet|synth|harp|organ|kick|snare|hi-?hats?)\b"
    r"|\b(?:guitar|piano|violin|cello|drum|bass|flute|sax\w*|trumpet"
    r"|synth|harp|organ)\s+(?:solo|loop|stem|riff|one-shot)\b"
)
_TRACK_TYPES = {
    "music": "TrackType: Music, VocalType: Instrumental,",
    "instrument": "TrackType: Instrument,",
    "noise": "TrackType: SFX,",
}
_TEMPO = re.compile(r"(?i)\b(?:(\d{2,3})\s*bpm|bpm\s*[:=]?\s*(\d{2,3}))\b")
_TEMPI = re.compile(r"(?i)\b\d{2,3}\s*(?:-|–|to)\s*\d{2,3}\s*bpm\b")
_TEMPO_SAID = re.compile(
    rf"(?i)(?:\b(?:at|around|about|with)\s+)*(?:\ba\s+)?(?:\btempo(?:\s+of|\s*[:=])?\s*)?{_TEMPO.pattern[4:]}"
)
_METRE = re.compile(r"(?i)(?<![\d/])([2346])/[248](?![\d/])|\b(?:waltz\w*|walzer|valse)\b")
_LABEL = re.compile(r"(?im)^\W*(?:(?:music )?styles?|genres?|caption|tags)\s*[:：][ \t]*")
_KEY = re.compile(r"\b([A-G][b#♭♯]?)\s+(major|minor)\b")
_ABOUT = re.compile(
    r"(?i)\b(?:about|of|for)\s+(?!(?:the )?(?:piano|guitar|orchestra|voice)\b)([^,.;:!?\n]{2,40})"
)
_LEAST_SECONDS_OF_A_SONG = 40
_SECTIONS = ("verse", "pre", "chorus", "verse", "chorus", "bridge", "chorus")
_NAMES = {"pre": "Pre-Chorus"}
_LANGUAGE = "The phrasebook writes lyrics in English only."
_IN_A_LANGUAGE = re.compile(
    r"(?i)\b(?:german|french|spanish|italian|portuguese|russian|japanese|chinese|mandarin|cantonese|korean|hindi|arabic"
    r"|turkish|polish|dutch|swedish)\b(?=\s+(?:lyrics|vocals?|voice|words|singing|singer|song|text))"
    r"|\b(?:lyrics|vocals?|sung|sings?|singing|song|words) in (?!english)[A-Z][a-z]+"
)


def write(task: EnhanceTask, point: int) -> str:
    """Write the parts that the target of `task` has, or one paragraph."""
    parts = task.target.parts
    idea, own = shape_of_lyrics.own_lyrics(task.prompt.strip())
    given = sections.own_parts(task.prompt.strip(), parts)
    if given:
        idea, own = given.pop(sections.main_of(parts), ""), given.pop(sections.lyrics_of(parts))
    idea = _LABEL.sub("", idea).strip()
    said = " ".join(filter(None, [idea, task.instruction.strip()]))
    chooser = Chooser(Scene(), point)
    if said and not task.target.parts and _kind(said) == "noise":
        return _noise(task, idea or said, chooser)
    style = _style(said, chooser)
    if not idea:
        idea = (
            task.instruction.strip()
            or f"{chooser.one(_items(style['caption']) or ['bright modern pop'])} song"
        )
    if not parts:
        return _paragraph(task, idea, said, style, chooser)
    is_sung = _is_sung(said) and not _is_for_no_voice(own)
    tempo, key = _tempo(said, style, chooser), _key(said, style, chooser)
    texts: dict[str, str] = {}
    for part in parts:
        if part.holds == "lyrics":
            written = _lyrics(task, said, style, chooser) if is_sung else shape_of_lyrics.INSTRUMENTAL
            texts[part.name] = own or written
        elif part.name == "bpm":
            texts[part.name] = str(tempo)
        elif part.name == "keyscale":
            texts[part.name] = key
        elif part.name == "timesignature" and (metre := _METRE.search(said)):
            texts[part.name] = metre[1] or "3"
        elif part.holds == "prose" and "caption" not in texts:
            own_fields = {other.name for other in parts}
            texts[part.name] = _caption(part, idea, said, style, chooser, is_sung, tempo, key, own_fields)
    return sections.joined(sections.mended({**texts, **given}, parts, task.prompt), parts)


def remark(task: EnhanceTask) -> str:
    """Return the warning about lyrics in a language that none are written in here."""
    has_lyrics = bool(sections.lyrics_of(task.target.parts))
    if not has_lyrics and shape_of_lyrics.own_lyrics(task.prompt)[1]:
        return f"{task.target.label} sings no lyrics; those of the idea are left out."
    foreign = (
        task.brief.language not in ("", "en")
        or language_of(task.prompt) not in ("en", "other")
        or _IN_A_LANGUAGE.search(task.prompt) is not None
    )
    is_written = has_lyrics and not shape_of_lyrics.own_lyrics(task.prompt)[1] and _is_sung(task.prompt)
    return _LANGUAGE if is_written and foreign else ""


def _is_for_no_voice(own: str) -> bool:
    """Tell whether lyrics are tags alone, among them one such as ``[Instrumental]``."""
    lines = [line for line in own.splitlines() if line.strip()]
    return shape_of_lyrics.is_sung(own) is False and all(map(shape_of_lyrics.TAG.match, lines))


def _style(said: str, chooser: Chooser) -> dict[str, str]:
    """Return the style that `said` names, else the one whose themes it has, else any.

    A style that is named has no ``caption``: the idea says itself which kind of it is wanted.
    """
    styles: dict[str, dict[str, str]] = data.words_of("music")["styles"]
    text = f" {' '.join(re.findall(r'[a-z0-9&-]+', said.lower()))} "
    for named in ("words", "themes"):
        for style in styles.values():
            if any(f" {word.strip()} " in text for word in style.get(named, "").split(",") if word.strip()):
                is_narrower = named == "words" or _ALONE.search(said)
                return {**style, "caption": ""} if is_narrower else style
    if _ALONE.search(said):
        return {**styles["orchestral"], "caption": ""}
    return styles[chooser.one(["pop", "folk", "rock", "electronic"])]


def _is_sung(said: str) -> bool:
    told = shape_of_lyrics.is_sung(said)
    is_played = _SELDOM_SUNG.search(said) or (_ALONE.search(said) and _INSTRUMENT.search(said))
    return not is_played if told is None else told


def _caption(
    part: Part,
    idea: str,
    said: str,
    style: dict[str, str],
    chooser: Chooser,
    is_sung: bool,
    tempo: int,
    key: str,
    own_fields: set[str],
) -> str:
    voice = _voice(said, style, chooser) if is_sung else _no_voice(said)
    mood = chooser.one(_items(style["mood"]))
    sound = chooser.one(_without("" if is_sung else "vocal", style["production"]))
    course = chooser.one(_without("band" if _ALONE.search(said) else "", data.words_of("music")["progress"]))
    if "bpm" in own_fields and not _TEMPI.search(idea) and len(set(_TEMPO.findall(idea))) == 1:
        idea = _without_tempo(idea) or idea
    opening = continues(idea, sentence=True).strip()
    played = _played(said, style)
    kind = chooser.one(_items(style["caption"])) if style["caption"] else ""
    if part.labels:
        pace = f"{kind} at {tempo} BPM in {key}" if kind else f"{tempo} BPM in {key}"
        felt = "" if _MOOD.search(said) else f", {mood}"
        arrangement = f"{_sentence(played)}. " if played else ""
        return (
            f"Global Metadata: {opening} {_sentence(pace)}{felt}; {sound}.\n"
            f"Vocal Details: {_sentence(voice) if voice else 'As the idea says'}.\n"
            f"Arrangement: {arrangement}The piece {course}."
        )
    heard = ", ".join(filter(None, [played, voice]))
    what = (
        f"{_sentence(kind)} with {heard}."
        if kind and heard
        else f"{_sentence(kind or heard)}."
        if kind or heard
        else ""
    )
    felt = "" if _MOOD.search(said) else f"The mood is {mood}."
    return " ".join(filter(None, [opening, what, felt, f"{_sentence(sound)}.", f"It {course}."]))


def _played(said: str, style: dict[str, str]) -> str:
    """Return the style's instruments beside those that `said` names; none where one is to stand alone."""
    if _ALONE.search(said):
        return ""
    named = said.casefold()
    played = style["instruments"].split(", ")
    return ", ".join(one for one in played if one.rsplit(" ", 1)[-1].removesuffix("s") not in named)


def _without_tempo(idea: str) -> str:
    idea = re.sub(r"[ \t]{2,}", " ", _TEMPO_SAID.sub("", idea))
    idea = re.sub(r"(?m)[ \t]*,[ \t]*(?=[,.]|$)", "", idea)
    return re.sub(r"\n[ \t]*(?=\n)", "", idea).strip(" ,\n")


def _no_voice(said: str) -> str:
    """Return that nobody sings, as far as `said` does not say it."""
    if re.search(r"(?i)\b(?:instrumentals?|wordless)\b", said):
        return ""
    return "instrumental" if shape_of_lyrics.is_sung(said) is False else "no vocals, instrumental"


def _voice(said: str, style: dict[str, str], chooser: Chooser) -> str:
    """Return who sings, as far as `said` leaves it open and does not say it."""
    female, male = _FEMALE.search(said), _MALE.search(said)
    if _OTHER_VOICE.search(said) or (female and male):
        return ""
    voices = _items(style["voice"])
    wanted = [voice for voice in voices if re.search(r"\bfemale|soprano" if female else r"\bmale", voice)]
    return chooser.one(wanted if (female or male) and wanted else voices)


def _kind(said: str) -> str:
    said = _NO_MUSIC.sub("", said)
    if _INSTRUMENT.search(said):
        return "instrument"
    return "music" if _MUSIC.search(said) or not _style(said, Chooser(Scene(), 0))["caption"] else "noise"


def _opened(task: EnhanceTask, idea: str, kind: str) -> str:
    has_types = any("TrackType:" in rule for rule in task.target.rules)
    opening = f"{_TRACK_TYPES[kind]} " if has_types and "tracktype" not in idea.lower() else ""
    return f"{opening}{continues(idea, sentence=True).strip()}"


def _noise(task: EnhanceTask, idea: str, chooser: Chooser) -> str:
    sounds = data.words_of("music")["sounds"]
    lasts = any(word in idea.casefold() for word in sounds["lasting"].split(", "))
    names = ("how_long", "room", "near_long") if lasts else ("how", "room", "near")
    how, room, near = (chooser.one(_items(sounds[name])) for name in names)
    return _with_length(task, f"{_opened(task, idea, 'noise')} {how}, {room}. {near}.")


def _paragraph(task: EnhanceTask, idea: str, said: str, style: dict[str, str], chooser: Chooser) -> str:
    kind = _kind(said)
    mood, sound = chooser.one(_items(style["mood"])), chooser.one(_without("vocal", style["production"]))
    tempo = "" if _TEMPO.search(idea) else f"{_tempo(said, style, chooser)} BPM"
    played = _played(said, style)
    kind_of = chooser.one(_items(style["caption"])) if style["caption"] else ""
    about = f"{kind_of} with {played}" if kind_of and played else kind_of or played
    about = ", ".join(filter(None, [about, tempo]))
    felt = "" if _MOOD.search(said) else f"The mood is {mood}."
    text = _opened(task, idea, "music" if kind == "noise" else kind)
    course = chooser.one(_without("band" if _ALONE.search(said) else "", data.words_of("music")["progress"]))
    whole = [text, f"{_sentence(about)}." if about else "", felt, f"{_sentence(sound)}.", f"It {course}."]
    return _with_length(task, " ".join(filter(None, whole)))


def _with_length(task: EnhanceTask, written: str) -> str:
    if task.brief.duration and "duration" in task.target.states:
        written += f" Length: {task.brief.duration:g} seconds."
    return written


def _lyrics(task: EnhanceTask, said: str, style: dict[str, str], chooser: Chooser) -> str:
    lines: dict[str, Any] = data.words_of("music")["lyrics"]
    about = _about(said)
    wanted: tuple[str, ...] = _SECTIONS
    if 0 < task.brief.duration < _LEAST_SECONDS_OF_A_SONG:
        wanted = ("verse", "chorus")
    pools = {name: _items(lines[name]) for name in ("verse", "pre", "chorus", "bridge")}
    modifier = chooser.one(_items(lines["modifiers"]))
    hook = chooser.one(_items(lines["about"])).replace("{x}", about) if about else ""
    chorus: list[str] = []
    written, verses = [], 0
    for place, name in enumerate(wanted):
        if name == "chorus" and chorus:
            own = chorus
        else:
            count = 2 if name == "pre" else 4
            own = [pools[name].pop(chooser.index([1] * len(pools[name]))) for _ in range(count)]
            if name == "chorus":
                own = [hook, *own[:3]] if hook else own
                chorus = own
        verses += name == "verse"
        title = f"Verse {verses}" if name == "verse" else _NAMES.get(name, name.title())
        if name == "chorus" and place == len(wanted) - 1:
            title = f"{title} - {modifier}"
        written.append("\n".join([f"[{title}]", *own]))
        if name == "bridge":
            written.append(f"[{style['solo']}]")
    return "\n\n".join(written)


def _about(said: str) -> str:
    """Return what the song is about in a few words that can be sung, "" where nothing is named."""
    found = _ABOUT.search(said)
    named = found[1].strip() if found else ""
    if not named:
        noun = read_scene(said).noun
        is_theme = noun not in ("the main subject", "the subject") and not _is_kind(noun)
        named = noun if is_theme else ""
    return named if 0 < shape_of_lyrics.syllables(named) <= 6 else ""


def _is_kind(noun: str) -> bool:
    """Tell whether a noun is a kind of music, which no song is about."""
    styles = data.words_of("music")["styles"].values()
    kinds = {word.strip() for style in styles for word in style["words"].split(",")}
    last = noun.casefold().split()[-1:]
    return bool(_MUSIC.search(noun) or kinds.intersection([*last, noun.casefold().removeprefix("the ")]))


def _tempo(said: str, style: dict[str, str], chooser: Chooser) -> int:
    if found := _TEMPO.search(said):
        return int(found[1] or found[2])
    least, most = map(int, style["bpm"].split("-"))
    if pace := _PACE.search(said):
        middle = (least + most) // 2
        least, most = (middle, most) if pace[1] else (least, middle)
    return least + 2 * chooser.index([1] * ((most - least) // 2 + 1))


def _key(said: str, style: dict[str, str], chooser: Chooser) -> str:
    if found := _KEY.search(said):
        return f"{found[1]} {found[2]}"
    return chooser.one([key.strip() for key in style["keys"].split(",")])


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _without(word: str, text: str) -> list[str]:
    """Return the items of `text` that do not speak of `word`; all where none is left, or it is empty."""
    items = _items(text)
    return [item for item in items if not word or word not in item] or items


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(";") if item.strip()]
