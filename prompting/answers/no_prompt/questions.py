"""Recognition of an answer that asks for more (“What style would you like?”) instead of giving a prompt.

All of its sentences speak to somebody, and the last is a question or a request to say more. A prompt may hold
a question as well (“Who goes there? A sentry in fog”), but it ends with its picture.
"""

from __future__ import annotations

import re

from ..envelope import peel
from ..talk import ADDRESSES, is_leading_talk

_LONGEST = 700
_LETTERED = re.compile(
    r"\"[^\"\n]*\"|“[^”\n]*[”\"]|„[^“”\n]*[“”]|«[^»\n]*»|「[^」\n]*」|『[^』\n]*』|(?<!\w)'[^'\n]{3,}'(?!\w)"
)
_SENTENCE = re.compile(r"[^.!?。！？؟\n]+[.!?。！？؟]*")
_PICTURE = re.compile(
    r"(?i)\W*(?:an?|the|eine?[nrms]?|une?|una|uno|uma?|il|el|le|la|les|los|las|een|en|ett|egy|một|一)\s"
)
# A question's address: the listener, or the speaker who offers.
_YOU = re.compile(
    r"""(?ix) \b(?: you | your | (?:can|may|shall|should|could)\s+(?:i|we) | du | dir | dich | dein\w* | sie
      | ihnen | ihre?\w* | (?:kann|soll|darf)\s+ich | vous | votre | vos | tu | toi | puis-je | quieres?
      | prefieres? | desea\w* | gustaría | podrías? | podría | puedes? | usted | te | tienes | busca[ns]?
      | puedo | você | prefere | gostaria | deseja | quer | poderia | pode | posso | preferis\w+ | vuoi | puoi
      | potresti | potrebbe | desideri | desidera | vorrest[ei] | hai | вы | вам | вас | ваш\w* | ты | тебе
      | хотите | хочешь | можете | можешь | могли | предпочита\w+ | могу | ви | ваш\w* | тобі | хочете
      | бажа\w+ | зможете | chcesz | chciał\w* | wolisz | możesz | mógł\w* | mogłab\w* | preferujesz
        | pan[iu]?
      | państw\w+ | mogę | chcete | chceš | můžete | můžeš | mohl\w* | byste | přejete | mohu | chceli
      | môžete | je | jij | jouw? | uw? | kunt | ni | dig | din | dere | deg | halua\w* | voit\w* | voin
      | sinä | ist[ei]\w+ | mis[ıi]n\w* | tercih | yardımcı | szeret\w+ | segíthe\w+ | tud\w+ | dori[țt]\w+
      | prefer[iț]\w* | vre[iț]\w* | pute[țt]i | po[țt]i | anda | kamu | bisakah | bạn | θέλ\w+ | προτιμ\w+
      | μπορ\w+ )\b
    | [您你] | ですか | でしょうか | ますか | いただけ | 可以帮 | 可以幫 | 什么风格 | 까요 | 나요 | 가요
      | 습니까
    | تريد | ترغب | تفضل | يمكنك | مساعدت | תרצה | תרצי | אתה | רוצה | לעזור | خواهید | دارید | می‌توانید
    | آپ | आप | চান | আপনি | คุณ | ไหม | หรือไม่ | แบบไหน | อะไร"""
)
_ASKED_IN_ENGLISH = re.compile(
    r"""(?ix) \b(?: styles? | moods? | scenes? | ideas? | prompts? | images? | pictures? | photos? | details?
      | more | specifics? | prefer\w* | like | want | need | help | assist | tell | share | provide | describe
      | clarify | specify | mind | looking | elaborate | send | message | think | go | proceed
        | changes? )\b"""
)
# A request to say more.
_SAY_MORE = re.compile(
    r"""(?ix) (?: \b(?:please|kindly|just|simply)\s+(?:\w+\s+)? (?:provide|share|tell|give|specify|clarify
      |describe|send|enter|paste|type|elaborate|supply|include|rephrase|confirm|upload|state|let\s+me)\b
    | \b(?:share|give|tell|send|provide)\s+(?:me|us)\s+(?:more|what|which|about|some|the|your)\b
      | \blet\s+me\s+know\s+(?:what|which|the|your)\b
    | \bi(?:['’]d|\s+would)?\s+(?:need|like|require)\b [^.!?\n]{0,30} \b(?:details?|information|context
      |info)\b
    | \b(?:i|we)\s+(?:do(?:n['’]?t|\s+not)|did(?:n['’]?t|\s+not)|can(?:['’]?t|not))\s+(?:see|have|receive|find
      |understand)\b [^.!?\n]{0,50} \b(?:idea|prompt|text|message|image|input|description|request|enough)\b
    | \b(?:no|your|the)\s+(?:idea|prompt|text|message|input|description|request)\s+(?:was|is|seems|appears
      |got|looks)\b [^.!?\n]{0,30} \b(?:provided|given|empty|missing|cut\s+off|incomplete|included|unclear)\b
    | \bready\b [^.!?\n]{0,40} \b(?:your|idea|prompt|request|help|assist)\b
    | \bbitte\s+(?:gib|geben|nenn|teil|beschreib|sag|schick|send|stell)\w* | \bgib\s+mir\b
    | \b(?:veuillez|merci\s+de|pourriez-vous)\s+(?:me\s+)?(?:fournir|préciser|donner|indiquer|partager
      |décrire|envoyer) | \bdites-moi\b
    | \bpor\s+favor,?\s+(?:proporcion|dime|dame|compart|describ|indic|especific|forne|descrev|envi|diga
      |inform)\w*
    | \b(?:per\s+favore|ti\s+prego),?\s+\w+ | \bdimmi\b | \bforniscimi\b
    | \bпожалуйста,?\s+(?:уточн|опиш|предостав|укаж|расскаж|пришл|сообщ|введи|напиш)\w* | \b(?:опишите
      |уточните)\b
    | \bбудь\s+ласка,?\s+\w+ | \bproszę\s+(?:poda|o\s|opis|sprecyz)\w* | \bprosím\s+\w+ | \bopište\b
    | \b(?:geef|beschrijf|vertel)\b [^.!?\n]{0,20}\b(?:mij|me|je|uw)\b | \b(?:beskriv|berätta|fortell
      |fortæl)\b
    | \blütfen\b | \b(?:mohon|silakan|tolong)\s+(?:berikan|jelaskan|sebutkan|kirim\w*|beri)
    | \b(?:vui\s+lòng|hãy)\s+(?:cung\s+cấp|cho\s+tôi|mô\s+tả|chia\s+sẻ) | \bvă\s+rog\b | \bkérlek\b
      | \bπαρακαλώ\b
    | (?:\A|[，,。！!]\s*) [请請](?:[您你])?(?:先)?(?:提供|告[诉訴]我|描述|[补補]充|[说說]明|[输輸]入
      |[发發]送|[给給]出|分享)
    | (?:教えて|お聞かせ|ご?入力(?:して)?|ご?提供(?:して)?|お知らせ|ご指定|ご記入)\s*(?:ください|下さい)
    | (?:알려|말씀해|입력해|제공해|설명해)\s*(?:주세요|주시면|주십시오)
    | يرجى | من\s+فضلك | אנא | لطفاً | कृपया | অনুগ্রহ | (?:กรุณา|โปรด)(?:ระบุ|บอก|ให้|แจ้ง|อธิบาย) )"""
)


def asks_back(text: str, idea: str = "") -> bool:
    """Tell whether `text` only asks the user for more; a question that `idea` has as well is the user's."""
    if len(text) > _LONGEST:
        return False
    text = _LETTERED.sub(" … ", peel(text))
    sentences = [
        found.group().strip() for found in _SENTENCE.finditer(text) if any(map(str.isalnum, found.group()))
    ]
    if not sentences or sentences[-1].lower() in idea.lower():
        return False
    return any(map(_asks, sentences)) and all(map(_is_talk, sentences))


def _asks(sentence: str) -> bool:
    if _PICTURE.match(sentence):
        return False
    if _SAY_MORE.search(sentence):
        return True
    if sentence[-1:] not in "?？؟か吗嗎呢" or (you := _YOU.search(sentence)) is None:
        return False
    return not you.group().isascii() or not sentence.isascii() or _is_asked_for(sentence)


def _is_asked_for(sentence: str) -> bool:
    """Tell whether a question in plain letters is about what is to be made, or is in no English."""
    is_english = re.search(r"(?i)\b(?:you|your|i|we)\b", sentence) is not None
    return not is_english or _ASKED_IN_ENGLISH.search(sentence) is not None


def _is_talk(sentence: str) -> bool:
    """Tell whether a sentence beside a question speaks to somebody, too."""
    if _PICTURE.match(sentence) and not ADDRESSES.search(sentence):
        return False
    return (
        sentence[-1:] in "?？؟か吗嗎呢"
        or len(sentence.split()) <= 3
        or bool(ADDRESSES.search(sentence) or _SAY_MORE.search(sentence) or is_leading_talk(sentence))
    )
