"""Tags that an English idea names, for targets that want a list of them."""

from __future__ import annotations

import re

from ...phrasebook.language import language_of
from ...targets.fitting import split_terms, term_key
from .kept import lettering

_LONGEST_TAG = 6
# Holds words together, and is no blank.
_GLUE = "\ue000"
_FOREIGN = re.compile(
    r"(?i)[äöüßñãõ]|\b(?:der|die|das|ein|eine|und|mit|auf|le|la|les|un|une|dans|el|los|una|con|por|um|uma)\b"
)
WISH = re.compile(
    r"(?i)\A\W*(?:i|we|you|please|pls|plz|make|create|draw|paint|show|generate|give|write|imagine|let['’]?s|can|could|there"
    r"|need|want|what|how|a (?:picture|prompt))\b"
)
# Between the things that an idea names: where one of these stands, one tag ends and another begins.
_BETWEEN = re.compile(
    r"(?i)[,.;:!?]+\s+|\s+(?:and|with|in front of|on top of|in|on|at|under|behind|above|below|beside|near"
    r"|next to|(?<!\ball )(?:along|over|through|across)|into|by"
    r"|(?<!carved )(?<!made )(?<!built )(?<!woven )(?<!folded )(?<!sculpted )from"
    r"|that says|reading(?=\s*\Z)|saying|titled|for|who|that|which"
    r"|(?=(?:made|carved|built|woven|folded|sculpted)\s(?:of|from|out\sof)\s)"
    # "A sling" is a thing, and who is slow dancing does one thing.
    r"|(?<!\ba\s)(?<!\ban\s)(?<!\bthe\s)(?<!ly\s)(?<!\bslow\s)(?<!skinny\s)(?<!\bstage\s)(?<!\bsky\s)(?<!\barm\s)(?<!\bmud\s)(?<!roller\s)(?<!figure\s)(?<!\btap\s)(?<!\bbelly\s)(?<!\bice\s)(?<!\brock\s)"
    r"(?<!\bscuba\s)(?<!\bhorse\s)(?<!\bbird\s)(?<!\bline\s)(?<!\bpole\s)(?<!\bnot\s)"
    r"(?=(?!(?:swing|king|ring|string|wing|thing|spring|evening|morning|ceiling|building|wedding)\s)"
    r"[a-z]{2,}ing\s+(?:an?|the|his|her|its|their|my|in|on|at|under|into|along|through|across|down|up|over|past|to)\s)"
    # Red riding hood and reading glasses do nothing.
    r"|(?!riding\s(?:hood|boots|crop|school|hat|coat|habit)|reading\s(?:glasses|nook|lamp|room|corner|light)"
    r"|drinking\s(?:fountain|glass|horn|straw)|sitting\sroom|standing\s(?:stones?|desk|lamp|ovation))"
    r"(?=(?:playing|reading|holding|wearing|riding|eating|drinking|laughing|sitting|standing)\b))(?:\s+|\b|\Z)"
)
_MEDIUM_OF = re.compile(
    r"(?i)\b(portrait|painting|sketch|drawing|photo|photograph|snapshot|render|icon|illustration|pixel art"
    r"|line art|watercolou?r|close-up|closeup|macro shot|wide shot|aerial view|picture|image|logo)\s+of\s+"
)
_VIEW = re.compile(
    r"(?i)(?:\A|,?\s+)(?:as\s+)?(?:(?:seen|shot|viewed|taken|photographed|view)\s+)?from\s+(?:the\s+)?(above|below|behind|side)\b"
    r"(?!\s+(?:an?|the|his|her|its|of)\b)"
)
# "Hand in hand" and "side by side" are one tag.
_PAIRED = re.compile(
    r"(?i)\b([a-z]{3,}) (in|by|to|on|against) (\1)\b|\b(\w+) (in) "
    r"(hand|mouth|flames|bloom|flight|love|motion|tow|profile|silhouette|uniform|armou?r|ruins|arms|tears)\b"
)
_TOGETHER = re.compile(r"(?i)\b(black)\s+and\s+(white)\b")
_SMALL = re.compile(
    r"(?i)(?<![\w-])(?:a(?=\s+\w)|an|the|my|our|his|her|its|their|your|is|are|it|should|would|could|and|with(?!out))(?![\w-])\s*"
)
# What is left of a sentence between its things.
_NO_TAG = re.compile(
    r"(?i)(?:behind|before|beyond|around|there|here|shot|taken|seen|then|now|still|also|just|but|or|one|others?|another"
    r"|each|both|all|some|why|when|where|who|which)\Z"
)
_DEED = re.compile(
    r"(?i)(?!(?:king|ring|string|wing|thing|spring|evening|morning|ceiling|wedding|sling)\Z)[a-z]{2,}ing\Z"
)
_DONE = re.compile(r"(?i)(?!red\Z|bed\Z|shed\Z|seed\Z|weed\Z)[a-z]{2,}ed\Z")
_ARTICLE = re.compile(r"(?i)\A(?:an?|the|my|our)\s+")


def is_english(text: str) -> bool:
    """Tell whether `text` is in English, as far as its words and letters show."""
    return language_of(text) == "en" and not _FOREIGN.search(text)


def tags_in(idea: str) -> list[str]:
    """Return the things that an English `idea` names as tags, in its order; none for any other."""
    if not is_english(unquoted(idea)):
        return []
    if is_list(idea):
        return [_ARTICLE.sub("", term) for term in split_terms(idea)]
    tags: list[str] = []
    idea = _TOGETHER.sub(r"\1-and-\2", _VIEW.sub(r", from-\1", idea))
    idea = _PAIRED.sub(lambda match: match[0].replace(" ", _GLUE), idea)
    for place, piece in enumerate(re.split(r"(\"[^\"]*\"|“[^”]*”)", idea)):
        if place % 2:
            tags.append(piece)
            continue
        for part in _BETWEEN.split(_MEDIUM_OF.sub(r"\1, ", piece)):
            words = _SMALL.sub("", part.strip(" ,.;:!?\n")).split()
            for some in _short(words):
                tag = " ".join(some).replace("from-", "from ").replace(_GLUE, " ")
                if any(map(str.isalnum, tag)) and not WISH.match(tag) and not _NO_TAG.match(tag):
                    tags.append(tag)
    return list({term_key(tag): tag for tag in tags}.values())


def _short(words: list[str]) -> list[list[str]]:
    """Cut what is too long for a tag, before what somebody does where it says that."""
    if len(words) <= _LONGEST_TAG:
        return [words]
    deeds = [place for place in range(1, min(len(words), _LONGEST_TAG + 1)) if _DEED.match(words[place])]
    done = [place for place in range(2, _LONGEST_TAG) if _DONE.match(words[place])]
    size = deeds[-1] if deeds else done[-1] if done else _LONGEST_TAG
    # "Hundreds of heads" are one thing.
    size -= words[size].lower() == "of"
    return [words[:size], *_short(words[size:])]


def unquoted(idea: str) -> str:
    """Return `idea` without the lettering that it quotes."""
    for said in lettering(idea):
        idea = idea.replace(said, "")
    return idea


def is_list(idea: str) -> bool:
    """Tell whether `idea` is a list of short pieces rather than running text."""
    parts = [part.split() for part in split_terms(idea)]
    return len(parts) >= 3 and sum(map(len, parts)) <= 3 * len(parts)
