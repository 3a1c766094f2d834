"""Words for numbers and colours in the languages of ideas, with what an answer may say for them instead."""

from __future__ import annotations

NUMBERS: dict[int, str] = {
    2: "two zwei deux dos dois due два две двое both pair pairs couple twin twins duo",
    3: "three drei trois tres três tre три трое trio triplets triple",
    4: "four vier quatre cuatro quatro quattro четыре четверо quartet",
    5: "five fünf cinq cinco cinque пять quintet",
    6: "six sechs seis sei шесть",
    7: "seven sieben sept siete sete sette семь",
    8: "eight acht huit ocho oito otto восемь",
    9: "nine neun neuf nueve nove девять",
    10: "ten zehn dix diez dez dieci десять",
    11: "eleven elf onze once undici одиннадцать",
    12: "twelve zwölf douze doce doze dodici двенадцать dozen",
}
# Words that mean something else as often: they answer for a number but ask for none.
ONLY_ANSWERS = frozenset([
    "both", "pair", "pairs", "couple", "twin", "twins", "duo", "trio", "triplets", "triple",
    "quartet", "quintet", "dozen", "once", "sei", "onze",
])  # fmt: skip
CHARACTERS = {
    "二": 2,
    "两": 2,
    "兩": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
}
# What is counted follows these in Chinese and Japanese.
MEASURES = "个個只隻位名条條匹头頭朵棵辆輛艘座张張把人羽本枚台つ冊輪根颗顆盏盞"

# By colour: words that ask for it, and with which an answer may say it.
COLOURS: dict[str, tuple[str, str]] = {
    "red": (
        "red rot rote roter roten rotes rotem rouge rouges rojo roja rojos rojas красный "
        "красная красное красные красной красном 红色 紅色 红 赤い 赤 빨간",
        "crimson scarlet ruby vermilion cherry reddish maroon burgundy",
    ),
    "blue": (
        "blue blau blaue blauer blauen blaues blauem bleu bleue bleus bleues azul azules "
        "синий синяя синее синие синем голубой 蓝色 藍色 蓝 青い 파란",
        "azure navy cobalt sapphire bluish cerulean indigo ultramarine turquoise teal",
    ),
    "green": (
        "green grün grüne grüner grünen grünes grünem vert verte verts vertes verde verdes "
        "зелёный зеленый зелёная зеленая зелёные 绿色 綠色 绿 緑 초록",
        "emerald olive jade lime mint greenish moss mossy",
    ),
    "yellow": (
        "yellow gelb gelbe gelber gelben gelbes gelbem jaune jaunes amarillo amarilla "
        "amarillos amarillas жёлтый желтый жёлтая жёлтые желтых 黄色 黄 黄色い 노란",
        "lemon golden gold amber saffron mustard yellowish ochre",
    ),
    "black": (
        "black schwarz schwarze schwarzer schwarzen schwarzes schwarzem noir noire noirs noires "
        "negro negra negros negras чёрный черный чёрная черная чёрные 黑色 黑 黒い 黒 검은",
        "ebony jet charcoal onyx inky blackened dark",
    ),
    "white": (
        "white weiß weiße weißer weißen weißes weißem blanc blanche blancs blanches blanco "
        "blanca blancos blancas белый белая белое белые 白色 白 白い 하얀 흰",
        "ivory snowy snow-white pearl cream whitewashed whitish snow",
    ),
    "brown": (
        "brown braun braune brauner braunen braunes braunem marron brun brune marrón "
        "коричневый коричневая 棕色 茶色 갈색",
        "chestnut hazel tan tawny russet chocolate umber brownish auburn copper coffee",
    ),
    "grey": (
        "grey gray grau graue grauer grauen graues grauem gris grise серый серая серое серые 灰色 회색",
        "silver silvery slate ash ashen charcoal greyish smoky leaden",
    ),
    "pink": (
        "pink rosa rose rosado розовый розовая розовые 粉色 粉红 粉紅 ピンク 분홍",
        "rosy magenta fuchsia blush salmon coral pinkish",
    ),
    "purple": (
        "purple violet lila violett violette violetter violetten violettes violettem violets "
        "morado morada фиолетовый фиолетовая 紫色 紫 보라",
        "lavender mauve plum lilac amethyst violet purplish magenta",
    ),
    "orange": (
        "orange orangefarben orangene anaranjado naranja оранжевый оранжевая 橙色 オレンジ 주황",
        "amber tangerine apricot rust rusty copper ginger oranges",
    ),
    "golden": (
        "golden gold goldene goldener goldenen goldenes goldenem doré dorée dorado dorada "
        "золотой золотая 金色 금색",
        "gilded gilt blond blonde yellow brass honey",
    ),
    "turquoise": (
        "turquoise türkis türkise turquesa бирюзовый 青绿色",
        "teal aqua cyan aquamarine",
    ),
}
