"""Words of a prompt that say what is in the picture: without code, lettering, and turns of phrase."""

from __future__ import annotations

import re

# Code, references and quoted text are the user's own business; nothing is read into them.
_OPAQUE = re.compile(r'"[^"\n]*"|“[^”\n]*”|<[^<>\n]*>|__[\w\-/*]+__|\bembedding:\S+|https?://\S+')
# "dark blue" is a colour and "light wood" a material, not light.
_COLOURED = re.compile(
    r"\b(dark|bright|light|pale|deep|warm|soft|cold|hard|fall|old)[\s-]+(red|blue|green|yellow|orange|purple|pink|"
    r"brown|grey|gray|black|white|gold|golden|teal|beige|blonde?|hair\w*|eye\w*|skin\w*|wood\w*|oak|fur|coat|suit|"
    r"dress|jacket|shirt|chocolate|el(?:f|ves)|lord|knight|wizard|mage|roast|rum|beer|drinks?|brew|coffee|tea|"
    r"drive|town|smile|bulb|weight|year)\b"
)
# Neither is a sky blue wall a sky.
_NAMED_COLOUR = re.compile(
    r"\b(?:sky|ocean|sea|midnight|forest|grass|moss|olive|rose|sand|cherry|blood|fire|sunset|lime|peach|apple|lemon|"
    r"pumpkin|coffee|chocolate|wine|ice|moon|electric|royal|baby)[\s-](blue|green|red|pink|gold|white|yellow|orange|"
    r"brown|grey|gray|black|purple)\b"
)
# Lavender hair is no plant.
_HUED = re.compile(
    r"\b(?:lavender|rose|lilac|violet|peach|cherry|strawberry|honey|lemon|orange|chocolate|mint|olive|lime|cream|coffee|"
    r"caramel|coral|salmon|sand|plum|apricot|pumpkin|sunflower|raven|fox|ice|fire|ocean|sky|moss|forest|wheat|butter)[\s-]"
    r"(hair|haired|eyes?|eyed|skin|dress|coat|jacket|suit|gown|lips|lipstick|cloak|robes?|sweater|skirt|ribbon|blouse|"
    r"shirt|colou?red|tones?|tinted)\b",
    re.IGNORECASE,
)
# Running makeup and a running tap run nowhere.
_RUNNING = re.compile(
    r"\brunning\s+(makeup|make-up|mascara|water|paint|ink|nose|late|shoes?|tap|order|tears|colou?rs)\b",
    re.IGNORECASE,
)
# A seamless backdrop has no pattern, and pop art is one word.
_SEAMLESS = re.compile(
    r"\b((?:white|gr[ae]y|black|beige|pink|blue|red|green|yellow|orange|cream|brown|paper)\s+)seamless\b(?!\s+(?:pattern|tile|texture))|"
    r"\bseamless\s+(?:paper|backdrop|background)\b",
    re.IGNORECASE,
)
_POP_ART = re.compile(r"\bpop[\s-]art\b", re.IGNORECASE)
# Somebody draws; it is no drawing.
_AT_WORK = re.compile(r"\b(?:drawing|painting)(?=\s+(?:with|an?|his|her|their|on\s+the)\b)", re.IGNORECASE)
# Ice that something is made of lies on no ground.
_OF_ICE = re.compile(
    r"\b((?:made|carved|built|sculpted)\s+(?:entirely\s+)?(?:of|from|out\s+of))\s+(?:ice|snow)\b",
    re.IGNORECASE,
)
# The camera of "camera from above" is where the picture is seen from.
_CAMERA = re.compile(
    r"(?i)(\A|[,.;\n]\s*)(?:the\s+)?camera\s+(?:is\s+)?"
    r"(?=(?:from|looking|facing|pointing)\s+(?:the\s+)?(?:above|below|behind|front|side|up|down)\b)"
)
# Ink in a glass of water draws nothing.
_INK = re.compile(
    r"\bink(?=\s+(?:in\s+(?:\w+\s+)?water|swirl\w*|clouds?|drops?|droplets?|dissolving|spreading|diffusing|bottles?"
    r"|pots?|cartridges?)\b)",
    re.IGNORECASE,
)
# A high key opens no door.
_KEYED = re.compile(r"\b(high|low)\s+key\b", re.IGNORECASE)
# What has patterns is no pattern.
_PATTERNS = re.compile(
    r"(?:(?<=with a )|(?<=with an ))\w+(?:\s+\w+)?\s+pattern\b"
    r"|(?<!seamless )(?<!repeating )(?<!tileable )\bpatterns\b(?!\s+of\b)"
    r"|(?<=, )(?:[\w-]+\s+){1,2}pattern\b(?=\s*(?:,|\Z))",
    re.IGNORECASE,
)
# A field of view is no meadow.
_OF_FOCUS = re.compile(r"\bdepth of field\b", re.IGNORECASE)
# A priestess of the moon and the knights of the Round Table: the words behind are no part of the scene.
_TITLED = re.compile(
    r"\b((?:god|goddess|king|queen|prince|princess|lord|lady|priest|priestess|knight|spirit|master|emperor|empress|"
    r"guardian|child|children|daughter|son|saint|ruler|deity|champion|herald|angel|demon|patron|protector)(?:e?s)?)"
    r"\s+of\s+(?:the\s+)?(?!(?:an?|\d+|two|three|four)\b)[\w'-]+(?:\s+and\s+(?:the\s+)?[\w'-]+(?=\s*(?:[,.;]|\Z)))?",
    re.IGNORECASE,
)
# Whoever hears a storm outside is in a room.
_HEARD = re.compile(
    r"\b(?:thunder|storm|thunderstorm|rain|snow|blizzard|wind|snowstorm)\s+(?:\w+ing\s+)?outside\b"
    r"(?!\s+(?:an?|the|his|her|their)\b)",
    re.IGNORECASE,
)
# "Only his legs visible": nothing else of him is there.
_ONLY_PART = re.compile(
    r"\b(?:only|just)\s+(?:(?:the|his|her|their|its|a|two)\s+)?(?:\w+\s+)?(legs|feet|hands?|eyes?|arms?|fingers|lips|boots|shoes)\b",
    re.IGNORECASE,
)
# Hands on her temples are on no building.
_OF_THE_BODY = re.compile(r"\b(his|her|their)\s+(?:temples?|calves|calf|palms?|trunk)\b", re.IGNORECASE)
# After the battle nobody fights.
_THEN = re.compile(
    r"\b(?:after|before)\s+(?:(?:an?|the|his|her|their)\s+)?(?:\w+\s+)?(?:battle|fight|duel|race|match|game|war|concert|party|"
    r"dance|show|performance|class|lesson|jump|dive|swim|run)\b",
    re.IGNORECASE,
)
# Feathers that rain down wet nothing.
_RAIN_OF = re.compile(
    r"\b(?:rain|storm|blizzard|hail|flood|shower)\s+of\s+(?!(?:the|an?)\b)(?=[a-z])", re.IGNORECASE
)
# A carpenter's plane does not fly, and crowd surfing needs no sea.
_TOOL = re.compile(r"\b(?:(?:wood|block|hand|astral)\s+planes?|planes?\s+of\s+existence)\b", re.IGNORECASE)
_AT_THE_BENCH = re.compile(r"\b(?:carpenter|joiner|luthier|sawdust|shavings|woodwork\w*)\b", re.IGNORECASE)
_PLANE = re.compile(r"\bplanes?\b", re.IGNORECASE)
_CROWD_SURFING = re.compile(r"\b(?:crowd|couch|channel|web|net)[\s-]surf\w*", re.IGNORECASE)
# Who stands guard need be no guard, and a weightlifter's bar serves no drinks.
_STANDS_GUARD = re.compile(
    r"\b(?:stand(?:s|ing)?|keep(?:s|ing)?)\s+(?:guard|watch)\b|\bon\s+guard\b", re.IGNORECASE
)
_BARBELL = re.compile(
    r"\b((?:under|over|lift\w*|grip\w*|grab\w*|clear\w*|hold\w*|pull\w*|press\w*)\s+(?:an?|the))\s+bar\b|"
    r"\b(?:chocolate|candy|gold|pull-up|high|parallel|horizontal|roll|soap|handle|monkey)\s+bars?\b",
    re.IGNORECASE,
)


def without_camera(text: str) -> str:
    """Return `text` with "camera from above" said without the camera, which is no thing in the picture."""
    return _CAMERA.sub(r"\1", text)


def visible(text: str) -> str:
    """Return the words of `text` that describe its scene, some of them said in a plainer way."""
    text = without_camera(text)
    text = _OPAQUE.sub(lambda match: " lettered " if match[0][0] in '"“' else " ", text)
    text = re.sub(r":\d+(?:\.\d+)?(?=[)\]])", " ", text).replace("_", " ")
    text = _AT_WORK.sub("working", text)
    text = _OF_ICE.sub(r"\1 icework", text)
    text = _KEYED.sub(r"\1-key", text)
    text = _PATTERNS.sub("marks", _INK.sub("dye", text))
    text = _OF_FOCUS.sub("bokeh", text)
    text = _HEARD.sub("indoors", _TITLED.sub(r"\1", text))
    text = _THEN.sub("", text)
    text = _OF_THE_BODY.sub(r"\1 head", _RAIN_OF.sub("", text))
    text = _CROWD_SURFING.sub("crowd", _TOOL.sub("tool", text))
    if _AT_THE_BENCH.search(text):
        text = _PLANE.sub("tool", text)
    text = _ONLY_PART.sub("hands only", text)
    text = _BARBELL.sub(r"\1 barbell", _STANDS_GUARD.sub("standing", text))
    text = _RUNNING.sub(r"\1", _HUED.sub(r"\1", text))
    text = _POP_ART.sub("popart", _SEAMLESS.sub("plain background", text))
    text = _NAMED_COLOUR.sub(r"\1", text)
    return _COLOURED.sub(lambda match: " " * len(match[1]) + " " + match[2], text)
