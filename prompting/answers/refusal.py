"""Recognition of a model's refusal, as opposed to a prompt that begins like one."""

from __future__ import annotations

import re

# A refusal is a sentence or three; a long text is a prompt that happens to begin like one.
_LONGEST = 700

_CANNOT = r"""(?:
    can(?:no|['’])?t | can\ not | won['’]?t | will\ not
  | (?:['’]m|\ am|['’]re|\ are)\ (?:unable|not\ able|not\ comfortable)
  | don['’]t\ feel\ comfortable
)"""
_DO = r"""(?:
    help|assist|creat|generat|provid|comply|fulfil|writ|produc|engag|continu|depict|descri|answer|support
  | accommodat|offer|discuss|respond|process|share|enhanc|complet|mak|draw|render|craft|participat
  | do\s+(?:that|this) | be\s+able
)"""
_REFUSAL = re.compile(
    rf"""(?ix) \A [\s"'“‘*_>\#-]* (?:
        (?:i|we) (?:['’]m|\ am|['’]re|\ are) \s+ (?:(?:really|very|so|truly)\s+)? (?:sorry|afraid)
            [\s,.!—-]* (?: \Z | [^\n]{{0,60}}? \b {_CANNOT} \b )
      | (?:sorry|(?:my\s+)?apologies|unfortunately) \b \W [^\n]{{0,60}}? \b {_CANNOT} \b
      | (?:i|we) \s* {_CANNOT} \s+ (?:\w+\s+){{0,2}} {_DO}
      | (?:i|we) \s+ must \s+ (?:\w+\s+)? decline
      | as\s+an?\s+ (?:ai|assistant|language\s+model) \b [^\n]{{0,60}}? (?:{_CANNOT}|\bnot\b|\bunable\b)
      | (?:很?抱歉|对不起) [，,。！!]
      | 我 (?:无法|不能|不可以) (?:为|帮|协助|提供|生成|满足|回答|创作|创建|完成|编写|写|处理)
      | 申し訳(?:あり|ござい|な) | 죄송(?:합|하|해)
      | (?:es\s+)?tut\s+mir\s+(?:\w+\s+)?leid\b
      | ich\s+kann\b [^.\n]{{0,40}} \bnicht\b [^.\n]{{0,20}} \b(?:helfen|schreiben|erstellen|erzeugen|liefern)
      | (?:je\s+suis\s+)?désolée? \s* (?:[,.!]|mais\b)
      | je\s+ne\s+peux\s+pas\s+ (?:vous|t['’]|créer|générer|écrire|faire|fournir|aider|répondre)
      | lo\s+siento\b | no\s+puedo\s+ (?:ayud|crear|gener|escrib|cumpl|proporcion|asist)
      | mi\s+dispiace\b | non\s+posso\s+ (?:aiut|crea|gener|forni|scriv)
      | (?:desculpe|sinto\s+muito)\b | não\s+posso\s+ (?:ajud|criar|gerar|fornec|escrev)
      | (?:извините|простите|к\s+сожалению)\b [^\n]{{0,40}} \bне\s+(?:могу|можем)
      | я\s+не\s+могу\s+ (?:помоч|созда|выполн|написа|сгенер|предостав)
    )"""
)


def is_refusal(text: str) -> bool:
    """Tell whether `text` is a refusal."""
    return len(text) <= _LONGEST and _REFUSAL.match(text) is not None
