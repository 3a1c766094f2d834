"""Recognition of a model's refusal, as opposed to a prompt that begins like one.

A refusal is short, and its first sentences say in the first person that something asked for will not be
done, or that it breaks a rule. What stands in quotes is lettering, unless all of the answer does.
"""

from __future__ import annotations

import functools
import re

from ..envelope import peel
from .refusal_words import LANGUAGES, Language

# A refusal is a sentence or three; a long text is a prompt that happens to begin like one.
_LONGEST = 700
_SENTENCES = 3
_SORRY_WITHIN = 60
_QUOTED = re.compile(
    r"""(?x) "[^"\n]*" | “[^”\n]*[”"] | „[^“”\n]*[“”] | «[^»\n]*» | 「[^」\n]*」 | 『[^』\n]*』 |
      《[^》\n]*》 | ‘[^’\n]*’(?!\w)
    | (?<!\w)'[^\n]{3,}?'(?!\w)"""
)
_SENTENCE = re.compile(r"[^.!?。！？\n।]+[.!?。！？\n।]*")

_EN_CANNOT = r"""(?:
    can(?:no|['’])?t | can\ not | won['’]?t | will\ not | would(?:n['’]t|\ not) | (?:do(?:n['’]t|\ not)
      |not)\ (?:want|wish)\ to
  | (?:['’]m|\ am|['’]re|\ are|\ be) \ (?:just\ |really\ |currently\ )? (?:unable|not\ (?:able|allowed
    |permitted|willing|comfortable|going|in\ a\ position|designed))
  | do(?:n['’]t|\ not)\ (?:feel\ comfortable)
)"""
_EN_ACT = r"""(?!(?:help|make|do)\ it\b)(?:
    help(?:ing)? | assist\w* | creat\w+ | generat\w+ | provid\w+ | comply\w* | fulfil\w* | writ\w+ |
      produc\w+ | engag\w+ | continu\w+
  | depict\w* | descri\w+ | answer\w* | support\w* | accommodat\w+ | offer\w* | discuss\w* | respond\w* |
    process\w* | shar\w+ | enhanc\w+
  | visuali[sz]\w+ | illustrat\w+ | portray\w* | work\w* | handl\w+ | turn\w* | touch\w* | go | take
    | rewrit\w+
  | refin\w+ | promot\w+ | encourag\w+ | entertain\w* | develop\w* | translat\w+ | output\w* | show\w*
    | cover\w*
  | complet\w+ | mak(?:e|ing) | draw\w* | render\w* | craft\w* | participat\w+ | do(?:ing)? | proceed\w* |
    be\ able | expand\w* | improv\w+ | facilitat\w+
)"""
# What the act is about, or the end of the clause.
_EN_THING = r"""(?:
    (?:\s+\w+){0,3}? \s+ (?: th(?:is|at|ese|ose)(?:\s+(?:one|request|prompt|content|image|kind|type|sort
      |material|task|topic|idea))? | such | any | anything | content
        | requests? | prompts? | images? | material | explicit\b.* | sexual\w*\b.* | you | your\ \w+ |
          further | real\ people | to )
        (?=\s*(?:[.,!?;:—–-]|\Z|(?:of|for|with|that|which|in|as|because|due|since|on|from|about|depict\w+
          |involv\w+|contain\w+|featur\w+|to|request|if|but)\b))
  | (?:\s+(?:it|you|with\ it))? \s* (?:[.!?;]|\Z)
)"""
_EN_REFUSAL = re.compile(
    rf"""(?ix)
    (?: (?:\A|\b(?:i|we)\b|[,;.!:—–-]) \s* (?:\w+ly,?\s+|also\s+|still\s+|really\s+|simply\s+|just\s+
      |do\s+)? {_EN_CANNOT}
        (?:\s+(?:in\s+good\s+conscience|be\s+able\s+to|to|for\s+you|\w+ly))* \s+ {_EN_ACT} \b {_EN_THING}
      | \b(?:i|we)\s+ (?:do(?:n['’]t|\ not)) \s+ (?:creat|generat|produc|writ|provid|engag)\w* \s+
        [^.!?\n]{{0,40}} (?:content|prompts?|material|images?|requests?)
      | \b(?:i|we)\b [^.!?\n]{{0,40}}? \b(?:must|have\s+to|need\s+to|(?:am|['’]m)\s+going\s+to\s+have\s+to)
        \s+ (?:\w+ly\s+)? (?:decline|refuse)\b
      | \b(?:i|we) \s+ (?:\w+ly\s+)? (?:decline|refuse) \s+ to \s+ {_EN_ACT} \b {_EN_THING}
      | \b(?:i|we)(?:['’]d|\s+would)? \s+ (?:prefer|rather) \s+ not \s+ (?:to\s+)? {_EN_ACT} \b
      | (?:\A|\W)(?:th(?:at|is)|it)(?:['’]s|\s+is|\s+(?:isn|wasn)['’]t)? \s+ (?:not\s+)? something \s+
        (?:(?:that\s+)?(?:i|we)) \b [^.!?\n]{{0,30}} {_EN_ACT}\b
      | \b(?:it|that|this) (?:['’]s|\s+is|\s+would|\s+isn['’]t|\s+wouldn['’]t|\s+would\s+not) \s+ (?:be\s+)?
        (?:not\s+)? (?:in)?appropriate \s+ (?:for\s+me\s+)? to \s+ {_EN_ACT}\b
      | \b(?:request|prompt|content|this|that|idea)\b [^.!?\n]{{0,40}} \b(?:violat\w+|goes\s+against
        |go\s+against|breach\w*|(?:was|is|been)\s+(?:rejected|denied|blocked|flagged|against)
          |(?:is|falls|are)\s+outside|not\s+allowed)\b [^.!?\n]{{0,40}} (?:polic|guideline|rules|terms
            |programming|safety|what\s+i\s+can|filter)
      | \A\W* (?:the\s+|this\s+|your\s+)?(?:content|prompt|output|response|text|message|answer
        |description) \s+
        (?:was\s+|is\s+|has\s+been\s+)?(?:removed|blocked|filtered|withheld|redacted|unavailable|rejected) \s+
        (?:due\s+to|because\s+of|by|for|as) \b [^\n]{{0,40}} (?:polic|safety|guideline|filter|moderation)
      | \A\W* request\s+(?:denied|rejected|blocked|refused)\b [^\n]{{0,40}} (?:polic|safety|content|guideline)
      | \b(?:my|our)\s+(?:\w+\s+)?(?:guidelines?|polic(?:y|ies)|programming|rules)\b [^.!?\n]{{0,20}}
        (?:prevent|prohibit|forbid|do(?:es)?(?:n['’]t|\ not)\s+allow)
      | \b(?:that|this|it|request|prompt|idea)\b [^.!?\n]{{0,30}} \bcross(?:es|ing)?\s+(?:a|the|my)\s+lines?\b
      | (?:\A|[,;.!—–-]\s*|\bso\s+|\band\s+) i(?:['’]ll|\s+will|\s+must
        |['’]m\s+going\s+to)\s+(?:have\s+to\s+)?(?:pass|sit\s+this\s+one\s+out)\s*[.!]
      | \b(?:i|we)(?:['’]m|\s+am|['’]re|\s+are)?\s+(?:cho(?:o)?s(?:e|ing)|prefer(?:ring)?|opting|electing
        |inclined)\s+not\s+to\s+{_EN_ACT}\b
      | \b(?:beyond|outside(?:\s+of)?|not\s+within)\s+(?:of\s+)?(?:what|the\s+scope\s+of\s+what|my)\s+(?:i
        |we|scope|abilit\w+|capabilit\w+|limits)\b
      | \b(?:isn['’]t|is\s+not|not)\s+something\s+(?:that\s+)?(?:i|we)(?:['’]m|['’]ll|['’]d)?\b
      | \b(?:i|we)\s+(?:have|need)\s+to\s+(?:stop|draw\s+(?:a|the)\s+line)\b
      | \b(?:this|the|your)\s+(?:prompt|request|idea|content)\s+(?:contains?|includes?|involves?
        |depicts?)\s+(?:\w+\s+){{0,2}}(?:disallowed|prohibited
        |forbidden|inappropriate|harmful|unsafe)\b
      | \A\W*(?:refus(?:ed|al)|declined|blocked|request\s+refused)\b\W
      | \b(?:i|we)\s+can\s+help\s+with\b [^.!?\n]{{0,60}} \bbut\s+not\s+(?:this|that)
      | \b(?:i|we)(?:['’]m|['’]ll|\s+am|\s+will
        |\s+must)?\s+(?:going\s+to\s+)?(?:have\s+to\s+)?pass\s+on\s+(?:this|that)\b
      | \b(?:request|prompt|content|idea)\s+(?:can(?:no|['’])?t|can\ not|could\ not)\s+be\s+(?:process
        |fulfil|complet|generat|creat|handl)\w*
      | \byour\s+(?:prompt|request|idea)\s+contains?\s+(?:\w+\s+)?(?:prohibited|inappropriate|explicit
        |disallowed|forbidden|harmful)\b
      | \b(?:content|request|prompt|this|that)\s+is\s+not\s+(?:permitted|allowed)\s+(?:by|under)\b
      | \b(?:i|we)\s*(?:won['’]?t|will\ not|can(?:no|['’])?t)\s+be\s+(?:writing|creating|generating|doing
        |helping|making|producing|providing)\b
      | \b(?:i|we)(?:['’]m|\s+am|['’]re|\s+are)\s+not\s+comfortable\s+with\s+(?:this|that)\b
      | \b(?:request|prompt|this|that)\s+(?:is\ not|isn['’]t)\s+something\s+(?:that\s+)?(?:i|we)\s+(?:can
        |could|am|are)\b
      | \bi\s+regret\b [^.!?\n]{{0,30}} {_EN_CANNOT}
      | \A\W*(?:\w+[,!.]\s+)? (?:(?:(?:i|we)(?:['’]m|\ am|['’]re|\ are)\s+)?(?:\w+\s+)?(?:sorry|afraid)
        |(?:my\s+)?apologies|i\s+apologi[sz]e|unfortunately|regrettably)\b
        [^?\n]{{0,60}}? {_EN_CANNOT} (?:\s+(?:be\s+able\s+to|to|\w+ly))* \s+ {_EN_ACT}\b
      | \A\W*i(?:['’]m|\ am)\b [^.!?\n]{{0,60}} \b(?:and|so|but) \s+ (?:i\s+)? {_EN_CANNOT} \s+ {_EN_ACT}\b
      | \b(?:i|we)\s+do(?:n['’]t|\ not)\s+feel\s+comfortable\s+(?:with|{_EN_ACT})\b
      | (?:but|so)\s+(?:i|we)\s*{_EN_CANNOT} \s* [.!]?\Z
      | \b(?:request|content|prompt|this|that)\b[^.!?\n]{{0,30}}\bgoes\s+against\s+my\b
    )"""
)
_ONLY_SORRY = re.compile(
    r"""(?ix) \A\W* (?: (?:i|we)(?:['’]m|\ am|['’]re|\ are)\s+(?:(?:really|very|so|truly)\s+)?(?:sorry
      |afraid\s+not) | sorry | (?:my\s+)?apologies
    | i\s+apologi[sz]e | i\s+(?:must|have\s+to)\s+(?:\w+\s+)?(?:decline|refuse) )
    (?:[,.!\s—–-]+(?:but\s+)?no(?:\s+can\s+do)?)? [\s.!…]* \Z
    | \A\W* no\s+can\s+do [\s.!]* \Z
    | \A\W* (?: unable\s+to\s+comply | content\s+(?:is\s+)?not\s+allowed | no | nope | (?:that['’]s
      |this\s+is)\s+not\s+(?:allowed|possible) ) [\s.!]* \Z
    | \A\W*(?:lo\s+siento|mi\s+dispiace|désolée?|tut\s+mir\s+leid|извините|抱歉|对不起|對不起
      |申し訳ありません|すみません|죄송합니다)[\s.!。！]*\Z"""
)


# An answer is looked at with what is around it and without, which for most is the same text.
@functools.lru_cache(maxsize=16)
def is_refusal(text: str) -> bool:
    """Tell whether `text` is a refusal."""
    if len(text) > _LONGEST:
        return False
    text = peel(text)
    unquoted = _QUOTED.sub(" … ", text)
    if _ONLY_SORRY.match(unquoted):
        return True
    sentences = [
        found.group() for found in _SENTENCE.finditer(unquoted) if any(c.isalnum() for c in found.group())
    ]
    head = "".join(sentences[:_SENTENCES]).strip()
    if not head:
        return False
    return any(_says_so(head, found) for found in _EN_REFUSAL.finditer(head)) or any(
        _refuses_in(language, head) for language in LANGUAGES
    )


def _refuses_in(language: Language, text: str) -> bool:
    if broken := language.breaks.search(text):
        return _says_so(text, broken)
    sorry = language.sorry.search(text[:_SORRY_WITHIN])
    for cannot in language.cannot.finditer(text):
        sentence = next(s for s in _SENTENCE.finditer(text) if s.start() <= cannot.start() < s.end())
        acts = language.act.search(sentence.group())
        alone = sorry is not None and len(text[cannot.end() : sentence.end()].strip(" .!。！")) <= 1
        if (acts or alone) and _says_so(text, cannot):
            return True
    return False


def _says_so(text: str, found: re.Match[str]) -> bool:
    """Tell a sentence from lettering with its picture behind it: “I can't do that, neon sign”."""
    behind = text[found.end() :]
    comma = re.search(r"[,，、]", behind)
    if comma is None or text.rstrip()[-1:] in ".!?。！？…।":
        return True
    more = behind[comma.end() :].strip().lower()
    return not more or more.startswith(
        ("but", "so ", "as ", "because", "due", "and i", "since", "aber", "mais", "pero", "ma ")
    )
