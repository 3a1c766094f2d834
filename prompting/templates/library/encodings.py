"""Encodings of text files: which one a file was most likely written in."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

_SAMPLE = 1 << 16

# The commonest characters tell Chinese, which shares its bytes with Korean, from it.
_CHINESE = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多"
    "定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因"
    "由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解"
    "红绿蓝黄白黑紫粉灰色长短发眼裙衣裤鞋花草树山海河云雨雪风光影春夏秋冬夜晨城街房屋门窗男女孩少古装画风格猫狗鸟鱼马龙"
)
_HANGUL = frozenset(
    "이다는을의가에고하지을로한도사기어나리자시서아대해일수인그정보를은여들주상적스라전부오제구과만장게원안있었트동연"
    "성선조관우마화문진소당유비려모내경생신공용요반머색빨강파란검은흰노초록보라분홍긴짧꽃나무산바다강하늘구름눈봄름가을겨울밤"
    "고양개새물말용옷치마드레셔츠자여남소녀년인물풍경"
)
_LETTER = "[À-ÖØ-öø-ÿŒœŠšŽžŸ]"
_ACCENTED = re.compile(
    rf"(?:(?<=[A-Za-z]){_LETTER}{{1,2}}|(?<![^\W\d]){_LETTER}{{1,2}}(?=[A-Za-z]))(?!{_LETTER})"
)
_WESTERN_SIGNS = "‘’“”…–—«»°·´×½¼£€©®™¿¡ªº"
_CASES = re.compile(r"[а-яё][А-ЯЁ]")


def decode(data: bytes) -> tuple[str, str]:
    """Return text and encoding of a file.

    That is UTF-8 with or without BOM, UTF-16 (without BOM if it is mostly ASCII), else the most likely one
    of GBK, Shift-JIS, Big5, Korean's cp949, cp1251 for Cyrillic and cp1252 for Western Europe.
    """
    utf = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        utf = "utf-16"
    elif b"\0" in data[:_SAMPLE]:
        utf = _utf16_without_bom(data[:_SAMPLE]) or utf
    with suppress(UnicodeDecodeError):
        return data.decode(utf), utf
    likely = {encoding: _likelihood(data, encoding) for encoding in _LIKELIHOOD}
    for encoding in sorted(likely, key=lambda encoding: -likely[encoding]):
        if likely[encoding] > 0.5:
            with suppress(UnicodeDecodeError):
                return data.decode(encoding), encoding
    with suppress(UnicodeDecodeError):
        return data.decode("cp1252"), "cp1252"
    return data.decode("latin-1"), "latin-1"


def is_binary(text: str) -> bool:
    """Tell whether what was decoded is no text after all."""
    sample = text[:_SAMPLE]
    return "\0" in sample or sum(sample.count(sign) for sign in _CONTROLS) * 20 > len(sample)


_CONTROLS = [chr(code) for code in (*range(1, 9), *range(14, 27), *range(28, 32))]


def _utf16_without_bom(sample: bytes) -> str:
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 4 < len(sample) or min(even, odd) * 20 > len(sample):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _likelihood(data: bytes, encoding: str) -> float:
    """Return how much of the beginning of `data` beyond ASCII makes sense in `encoding`, from 0 to 1."""
    cut = data.rfind(b"\n", 0, _SAMPLE)
    sample = data if len(data) <= _SAMPLE or cut < 0 else data[:cut]
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        # The last character may have been cut in two.
        if len(data) <= _SAMPLE or cut >= 0:
            return -1.0
        text = data[:_SAMPLE].decode(encoding, "replace")
    foreign = [character for character in text if character > "\x7f"]
    return _LIKELIHOOD[encoding](text, foreign) / len(foreign) if foreign else 0.0


def _chinese(text: str, foreign: list[str]) -> float:
    score = 0.0
    for character in foreign:
        with suppress(UnicodeEncodeError):
            first, *rest = character.encode("gbk")
            if rest and rest[0] >= 0xA1 and (0xB0 <= first <= 0xD7 or 0xA1 <= first <= 0xA3):
                # The hanzi that are taught first, and full-width signs.
                score += 1.0 if character in _CHINESE else 0.8
    return score


def _japanese(text: str, foreign: list[str]) -> float:
    score = 0.0
    for character in foreign:
        if "\u3040" <= character <= "\u30ff":
            score += 1.0
        elif "\uff61" <= character <= "\uff9f":
            score -= 0.5  # half-width katakana: single bytes, which other encodings are full of
        else:
            with suppress(UnicodeEncodeError):
                first, *rest = character.encode("cp932")
                score += 0.85 if rest and (0x88 <= first <= 0x97 or first == 0x81) else 0.4
    return score


def _traditional(text: str, foreign: list[str]) -> float:
    score = 0.0
    for character in foreign:
        with suppress(UnicodeEncodeError):
            first, *rest = character.encode("big5")
            score += 0.82 if rest and (0xA4 <= first <= 0xC6 or 0xA1 <= first <= 0xA2) else 0.0
    return score


def _korean(text: str, foreign: list[str]) -> float:
    return sum(
        1.0 if character in _HANGUL else 0.7 if "\uac00" <= character <= "\ud7a3" else 0.0
        for character in foreign
    )


def _cyrillic(text: str, foreign: list[str]) -> float:
    """Count the letters in words that are Cyrillic throughout."""
    good = sum(len(word) for word in re.findall(r"(?<!\w)[А-Яа-яЁёІіЇїЄєҐґЎў]+(?!\w)", text))
    signs = sum(text.count(sign) for sign in "«»—–№“”…’")
    return good + signs - 2.0 * len(_CASES.findall(text))


def _western(text: str, foreign: list[str]) -> float:
    """Count the letters that stand one or two together beside ASCII letters, and the usual signs."""
    alone = sum(text.count(f" {letter} ") for letter in "àÀéÉèÈóÓ")
    return sum(map(len, _ACCENTED.findall(text))) + alone + sum(text.count(sign) for sign in _WESTERN_SIGNS)


_LIKELIHOOD: dict[str, Callable[[str, list[str]], float]] = {
    "cp1252": _western,
    "cp1251": _cyrillic,
    "gb18030": _chinese,
    "cp932": _japanese,
    "cp949": _korean,
    "big5": _traditional,
}
