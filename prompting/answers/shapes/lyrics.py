"""Lyrics for a music model: sections under tags, and lines of a length that can be sung."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

# What ACE-Step's authors advise is 6 to 10, with up to two more or fewer; a shout such as “Hey!” is shorter.
FEWEST, MOST = 4, 12
TAG = re.compile(r"^\s*\[([^\[\]\n]{1,60})\]\s*$")
INSTRUMENTAL = "[Instrumental]"
_NO_VOICE = re.compile(
    r"(?i)\binstrumentals?\b|\b(?:no|without(?: any)?) (?:vocals?|voices?|singing|singers?|lyrics|words)\b"
)
_VOICE = re.compile(
    r"(?i)\b(?:vocals?|voices?|vocalists?|sings?|singing|sung|singers?|lyrics|songs?|choirs?|duets?|raps?|rapper)\b"
)
_WORDLESS = re.compile(
    r"(?i)\bwordless(?: \w+){0,2}? (?:vocals?|voices?|vocalists?|choirs?|singing|singers?)\b"
)
# What nobody sings, in a paragraph of one line behind the lyrics.
_STYLE = re.compile(
    r"(?i)^\W*(?:style|genre|caption|tags|mood|tempo|music)s?\s*[:：]|\b\d{2,3}\s*bpm\b|\bbpm\s*[:=]?\s*\d{2,3}\b"
    r"|\b(?:fe)?male (?:vocals?|voice)\b"
)
_GENRE = re.compile(
    r"(?i)\b(?:\w*pop|\w*rock|folk|jazz|blues|\w*core|techno|(?:deep |acid )?house|trance|ambient|\w+wave"
    r"|metal|punk|country|hip[- ]?hop|trap|reggae|soul|funk|disco|r&b|lo-?fi|edm|orchestral|acoustic|ballad"
    r"|indie|drum (?:and|&) bass|dubstep|guitars?|piano|strings|synths?|drums)\b"
)
# What stands beside a genre in a line of style that has no commas.
_STYLE_WORD = re.compile(
    r"(?i)\b(?:\d{2,4}s|epic|dark|sad|happy|slow|fast|modern|classic|old[- ]school|melodic|progressive"
    r"|symphonic|cinematic|dreamy|upbeat|mellow|chill|heavy|hard|soft|deep|electro\w*"
    r"|music|songs?|track|beat|style|and)\b"
)
_TAG_IN_LINE = re.compile(r"^\s*\[([^\[\]\n]{1,60})\]\s*(\S.*)$")
# Names of sections in other languages, where they can be no other.
_NAMES = {
    "Verse": "strophe|vers|couplet|estrofa|verso|strofa",
    "Chorus": "refrain|kehrreim|estribillo|coro|ritornello",
    "Pre-Chorus": "prechorus|pr[eé][- ]?refrain|pre[- ]?estribillo|pre[- ]?coro",
    "Post-Chorus": "postchorus",
    "Bridge": "brücke|pont|puente|ponte",
}
_SUNG_NAME = rf"(?:pre[- ]|post[- ])?chorus|verse|bridge|hook|{'|'.join(_NAMES.values())}"
_MODIFIER = r"(?:\s*\((?P<voice>[^()\n]{1,20})\)|\s*(?P<times>x\s?\d|\d\s?x)\b)?"
_NAME = rf"({_SUNG_NAME}|intro|outro|interlude|instrumental)(?:\s*#?(\d{{1,2}}))?{_MODIFIER}"
_BARE_TAG = re.compile(rf"(?i)^\s*[\s*_#>(\[（【=~–—-]{{0,6}}{_NAME}[\s*_:：)\]）】.=~–—-]{{0,6}}\s*$")
_PLAIN = re.compile(rf"(?i)^\s*(?:{_SUNG_NAME}|intro|outro|interlude|instrumental)\s*$")
_SUNG = re.compile(rf"(?i)^(?:{_SUNG_NAME})$")
_TAG_BEFORE_WORDS = re.compile(rf"(?i)^[\s*_#(\[-]{{0,6}}{_NAME}[\s*_)\]]{{0,3}}[:：][\s*_]*(?P<words>\S.*)$")
_NAMED = re.compile(rf"(?i)^({_SUNG_NAME})(?=\s*\d|\s*$)")
_BACKING = re.compile(r"\([^()]*\)")
_NUMBERED = re.compile(r"^\s*(?:[-*•]\s+|\d{1,2}[.)]\s+)")
_CJK = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3041-\u30ff]")
_SMALL_KANA = re.compile(r"[ゃゅょぁぃぅぇぉャュョァィゥェォ]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_VOWELS = re.compile(r"[aeiouyäöüàáâãåæèéêëìíîïòóôõøùúûýœаеёиоуыэюяіїє]+", re.IGNORECASE)
_SILENT = re.compile(r"(?i)(?<=[^\Waeiouy_])(?:e|es|ed)$")
_SOUNDED = re.compile(r"(?i)(?:[^aeiouy]le|[td]ed|[szx]es|ches|shes|ges|ces)$")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_CLAUSE = re.compile(
    r"(?<=[,;:—–])\s+|\s+(?=(?:and|but|when|while|where|till|until|because|so|or|that|like)\b)"
)


def is_sung(wish: str) -> bool | None:
    """Tell whether `wish` is for a piece with a voice; None where it does not say."""
    if _NO_VOICE.search(wish):
        return False
    other = _WORDLESS.sub("", wish)
    if _VOICE.search(other):
        return True
    return None if other == wish else False


def own_lyrics(text: str) -> tuple[str, str]:
    """Return (what is said of the piece, the lyrics) of an idea that has lyrics under section tags already.

    What is said stands before them, or in a line of its own behind them. A section's name alone on a line is
    a tag, too: “Verse 1:”, “(Chorus)”.
    """
    lines = text.splitlines()
    place = first_section(lines)
    if place is None:
        return text, ""
    said, sung = "\n".join(lines[:place]).strip(), "\n".join(_tagged(lines[place:]))
    body, _, last = sung.rstrip().rpartition("\n\n")
    if body and "\n" not in last.strip() and _is_style(last):
        said, sung = "\n".join(filter(None, (said, last.strip()))), body
    return said, sung


def first_section(lines: Sequence[str]) -> int | None:
    """Return the place of the line that the lyrics begin with, a section tag; None where there are none."""
    if not any(TAG.match(line) for line in lines) and not _has_bare_tags(lines):
        return None
    for place, line in enumerate(lines):
        if TAG.match(line) or ((bare := _BARE_TAG.match(line)) and _SUNG.match(bare[1])):
            return place
        # “Intro: slow piano” may well be said of the piece, “Verse 1: …” beside other tags is sung.
        if (inline := _TAG_BEFORE_WORDS.match(line)) and _SUNG.match(inline[1]):
            return place
        if (bare := _BARE_TAG.match(line)) and not _PLAIN.match(line):
            return place
    return None


def _has_bare_tags(lines: Sequence[str]) -> bool:
    """Tell whether names of sections alone on their lines are tags: words follow on one that is sung.

    A name without number, colon or brackets could also be said of the piece, such as an effect; two are tags.
    """
    written = [line for line in lines if line.strip()]
    bare = [place for place, line in enumerate(written) if _BARE_TAG.match(line)]
    sung = [
        place
        for place in bare
        if (tag := _BARE_TAG.match(written[place])) and _SUNG.match(tag[1])
        if place + 1 < len(written) and place + 1 not in bare
    ]
    return bool(sung) and (len(bare) > 1 or not _PLAIN.match(written[bare[0]]))


def _tagged(lines: Sequence[str]) -> list[str]:
    """Return lines of lyrics with each section's name in square brackets, on a line of its own."""
    tagged: list[str] = []
    for line in lines:
        if TAG.match(line):
            tagged.append(line)
        elif bare := _BARE_TAG.match(line):
            tagged.append(_bracketed(bare))
        elif inline := _TAG_BEFORE_WORDS.match(line):
            tagged += [_bracketed(inline), inline["words"]]
        else:
            tagged.append(line)
    return tagged


def _bracketed(found: re.Match[str]) -> str:
    name = found[1].title().replace(" Chorus", "-Chorus")
    name = f"{name} {found[2]}" if found[2] else name
    modifier = found["voice"] or found["times"]
    return f"[{name} - {modifier}]" if modifier else f"[{name}]"


def _is_style(line: str) -> bool:
    """Tell whether a line names a style and no words of a song: “synthwave, 120 bpm”, “Style: indie folk”."""
    items = line.split(",")
    is_list = len(items) > 1 and all(len(item.split()) <= 3 for item in items)
    is_name = _GENRE.search(line) and not re.search(r"\w", _STYLE_WORD.sub("", _GENRE.sub("", line)))
    is_name = is_name and (line.islower() or len(line.split()) > 1)
    return bool(_STYLE.search(line) or (is_list and _GENRE.search(line)) or is_name)


def with_own(text: str, own: str) -> str:
    """Return the lyrics `text` where they hold each line of the user's, else the user's."""
    theirs = [" ".join(line.split()) for line in own.splitlines() if line.strip() and not TAG.match(line)]
    held = {" ".join(line.split()) for line in text.splitlines()}
    return text if held.issuperset(theirs) else own


def syllables(line: str) -> int:
    """Return how many syllables are sung in `line`, backing vocals in brackets left out."""
    sung = _BACKING.sub(" ", line)
    count = len(_CJK.findall(sung)) + len(_HANGUL.findall(sung))
    count += len(_KANA.findall(sung)) - len(_SMALL_KANA.findall(sung))
    return count + sum(map(_in_word, _WORD.findall(sung)))


def _in_word(word: str) -> int:
    if _CJK.search(word) or _KANA.search(word) or _HANGUL.search(word):
        return 0
    groups = len(_VOWELS.findall(word))
    if groups > 1 and word.isascii() and _SILENT.search(word) and not _SOUNDED.search(word):
        groups -= 1
    return max(1, groups)


def tidy(text: str, own: str = "") -> str:
    """Return lyrics with a tag above each section, a blank line between two, and lines that can be sung.

    Lines that `own`, the user's text, has as well stay as they are.
    """
    sections: list[tuple[str, list[str]]] = []
    has_chorus = re.search(r"(?im)^\W*chorus\b", text) is not None
    for line in _lines(text):
        if tag := TAG.match(line):
            sections.append((_tag(tag[1], has_chorus=has_chorus), []))
        else:
            if not sections:
                sections.append(("[Verse]", []))
            sections[-1][1].append(line)
    theirs = {" ".join(line.split()) for line in own.splitlines()}
    return "\n\n".join("\n".join([tag, *_singable(lines, theirs)]) for tag, lines in sections)


def wrong(text: str) -> str:
    """Return what is wrong with lyrics in a few words; "" where nothing is."""
    lines = text.split("\n")
    if not any(TAG.match(line) for line in lines):
        return "lyrics without section tags such as [Verse]"
    if not TAG.match(lines[0]):
        return "lyrics that begin without a section tag"
    if any(TAG.match(line) and before.strip() for before, line in pairwise(lines)):
        return "sections without a blank line between them"
    if any((tag := TAG.match(line)) and tag[1].count(" - ") > 1 for line in lines):
        return "a section tag with more than one modifier"
    sung = [line for line in lines if line.strip() and not TAG.match(line)]
    odd = [line for line in sung if syllables(line) > MOST]
    if odd:
        return f"a line of {syllables(odd[0])} syllables (“{odd[0][:40]}”)"
    return ""


def _lines(text: str) -> list[str]:
    lines: list[str] = []
    for line in text.splitlines():
        line = _NUMBERED.sub("", line).strip().strip("*_").strip()
        if bare := _BARE_TAG.match(line):
            lines.append(_bracketed(bare))
        elif (inline := _TAG_IN_LINE.match(line)) and not TAG.match(line):
            lines += [f"[{inline[1]}]", inline[2]]
        elif line:
            lines.append(line)
    return lines


def _tag(text: str, *, has_chorus: bool = False) -> str:
    name, *more = [part.strip() for part in re.split(r"\s+[-–—]\s+|\s*[:|,]\s*", text) if part.strip()]
    if named := _NAMED.match(name):
        name = _in_english(named[1], has_chorus=has_chorus) + name[named.end() :]
    return f"[{name} - {more[0]}]" if more else f"[{name}]"


def _in_english(name: str, *, has_chorus: bool) -> str:
    """Return the name of a section as models know it; beside a chorus a refrain is something else."""
    if has_chorus and name.casefold() == "refrain":
        return name
    return next((known for known, others in _NAMES.items() if re.fullmatch(others, name, re.I)), name)


def _singable(lines: list[str], own: set[str]) -> list[str]:
    done: list[str] = []
    for line in lines:
        if " ".join(line.split()) in own:
            done.append(line)
            continue
        count = syllables(line)
        if done and count and count < FEWEST and done[-1] not in own:
            joined = f"{done[-1]} {line}"
            if syllables(done[-1]) and syllables(joined) <= MOST - 2 and not line.isupper():
                done[-1] = joined
                continue
        done += _split(line)
    return done


def _split(line: str) -> list[str]:
    """Cut a line that is too long to sing: between clauses, else between words, near its middle."""
    if syllables(line) <= MOST:
        return [line]
    half = len(line) / 2
    cuts = [found for found in _CLAUSE.finditer(line) if syllables(line[: found.start()]) >= FEWEST]
    cuts = [found for found in cuts if syllables(line[found.end() :]) >= FEWEST]
    cuts = cuts or list(re.finditer(r"(?<=\S)\s+(?=[^\s(])", line))
    if not cuts:
        middle = round(half)
        return (
            [line]
            if len(line) < 2 or not _CJK.search(line)
            else [*_split(line[:middle]), *_split(line[middle:])]
        )
    cut = min(cuts, key=lambda found: abs(found.start() - half))
    return [*_split(line[: cut.start()].rstrip()), *_split(line[cut.end() :].lstrip())]
