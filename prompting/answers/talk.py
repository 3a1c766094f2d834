"""Talk around a prompt: announcements before it, remarks behind it, planning aloud."""

from __future__ import annotations

import re

from . import vocabulary as words
from .labels import label_of

_LONGEST_ANNOUNCEMENT = 160
_HERE = re.compile(
    r"""(?ix) \A [\W_]* (?: (?:\w+[,!.]?\s+){0,4}? (?:here(?:\s+(?:is|are|you|it)|['’]s)|below) \b | this
      \s+ is \b
    | voici\b | hier\s+(?:ist|sind|die|der|das|kommt|mein|dein|ihr)\w*\b | aquí\b | aqui\b | ecco\b | вот\b
      | ось\b | oto\b |
      işte\b | zde\b | íme\b
    | 以下 | 下面 | 这是 | 這是 | こちら | 다음 )"""
)
_YOU = re.compile(
    r"""(?ix) \b(?: you | your | i['’](?:ve|d|ll|m) | i\s+(?:have|suggest|would|can|added|kept|made) | my |
      let\s+me | let['’]s
    | as\s+requested | based\s+on | following\s+your )\b"""
)
_PLANNING = re.compile(
    r"""(?ix) \A [\W_]* (?:(?:ok(?:ay)?|alright|all\s+right|right|hm+|well|so|now|first|got\s+it
      |let['’]s\s+see)[,.!…\s]+)*
    (?: the\s+user (?:['’]s)?\s+(?:wants?|is\s+asking|asks?|asked|needs?|would\s+like|gave|has|provided
      |requested|idea|prompt|request|input|wrote)
      | (?:i|we)\s+(?:need|have|should|must|want|am\s+going|are\s+going)\s+to\s+(?:write|create|produce
        |craft|generate|make|come|turn|rewrite
          |expand|enhance|describe|keep|think|add|output|follow|answer)
      | (?:i|we)(?:['’]ll|\s+will|\s+should|\s+must|\s+can)\s+(?:write|create|start|begin|keep|add|identify
        |describe|craft|first|need|produce|make
          |expand|enhance|think|use)\b
      | let\s+me\s+(?:think|write|start|craft|describe|enhance|create|see|break|make|rewrite|expand|try|work
        |consider|analy[sz]e|refine|put|turn)\b
      | let['’]s\s+(?:think|write|craft|create|start|enhance|break|expand|analy[sz]e|make\s+it|see\b|produce
        |refine|begin)
      | (?:my|the)\s+task\s+is | need\s+to\s+(?:write|produce|create)
      | [*_(\[]+\s*(?:think|ponder|reflect) | (?:pienso|je\s+pense|ich\s+denke|penso|думаю|я\s+думаю)\s*:
      | 考えて(?:み|い) | 嗯 | 首先，?我 | (?:好的|好)?[，,]?\s*(?:用户|使用者)(?:想|需要|要求|希望|要|的
        |提供|给) | 我(?:需要
        |应该|会|将|要|来)(?:写|加|把|先|创|生成|根据|扩|描)
      | (?:der|die)\s+(?:be)?nutzer(?:in)?\s+(?:möchte|will|wünscht|bittet) | ich\s+(?:muss|soll|sollte
        |werde|schreibe)\b
      | l['’]utilisateur\s+(?:veut|souhaite|demande) | el\s+usuario\s+(?:quiere|pide|desea) |
        l['’]utente\s+(?:vuole|chiede)
      | o\s+usuário\s+(?:quer|pede) | пользователь\s+(?:хочет|просит) | користувач\s+(?:хоче|просить) |
        ユーザーは | 사용자(?:는|가) )"""
)
# A chat program's line on how long the model thought.
_THOUGHT_FOR = re.compile(
    r"""(?ix) \A \W* (?: (?:thought|thinking|reasoned|reasoning|pondered|worked) \W{1,4} (?:for\s+)?
      (?:about\s+|~)? (?:\d+(?:\.\d+)?\s*(?:s|secs?|seconds?|m|mins?|minutes?)\b
        |a\s+(?:few\s+seconds|couple\s+of\s+seconds|moment|second|minute)\b) [^\n]{0,20}
    | 已?(?:完成)?(?:深度)?思考[^\n]{0,8}?\d+(?:\.\d+)?\s*(?:秒|分|s)[^\n]{0,6} ) \Z"""
)
_MUSING = re.compile(r"(?i)\A\W*(?:h+m+|u+h*m+|o?kay|alright)\b[,.…\s]+(?:so\b)?[^?\n]{0,300}[?][^\n]*\Z")
_MAY_PLAN_WITHIN = 60
_MAY_PLAN = re.compile(
    r"(?i)[\W_]*(?:ok(?:ay)?|alright|all right|hm+|so|well|now|first|i|we|let|let['’]s|the user|my"
    r"|need|step|thinking"
    r"|der nutzer|der benutzer|ich|l['’]utilisateur|el usuario|l['’]utente|o usuário|пользователь"
    r"|користувач|ユーザー|用户)\b"
    r"|[\W_]*(?:用户|好的|嗯|我|首先|以下|这|ユーザー|はい|承知|사용자|네)"
)
_STEP = re.compile(
    r"(?i)\A[\W_]*(?:step|schritt|étape|paso|passo|шаг|步骤|第[一二三四五]步|ステップ)\s*\d*[\s*_]*[:：.]"
)
_ITEM = re.compile(r"\A\s*(?:[-*•]|\d{1,2}[.)])\s+")

# Remarks behind a prompt. Phrases, since a single word of them may well stand in a picture.
_REMARK = re.compile(
    r"""(?ix) \A [\s\W_]* (?:
      (?:the\s+)?end\W*\Z | (?:simply\s+)?(?:copy|paste)\s | to\s+make\s+it\s+more\b | \(?no\s+weights\b |
        style\s+notes
    | this\s+(?:keeps|maintains|preserves|retains)\s+(?:the|your)\s+(?:original|idea|core|essence) |
      以上[、就是，] | 祝您
    | (?:please\s+)? let\s+me\s+know\b | (?:please\s+)?feel\s+free\s+to\b | (?:i\s+)?hope\s+(?:this|that|it
        |you)\b | would\s+you\s+like
    | do\s+you\s+want\s+me | if\s+you(?:['’]d|\s+would|\s+want|\s+need|\s+like|\s+prefer)\b |
      is\s+there\s+anything | want\s+me\s+to | happy\s+(?:creating|prompting|generating)
    | good\s+luck\b | enjoy\b\W*\Z | enjoy\s+(?:your|the|creating) | have\s+fun\b\W*\Z | adjust\s+(?:as|the
      |it|any)\b | you\s+(?:can|could|may|might)\s+(?:also\s+)?(?:use|adjust|tweak|change|add|modify|replace
      |try|experiment)
    | (?:this|the|that)\s+(?:\w+\s+)?(?:prompt|version|description|rewrite|revision
      |enhancement)\s+(?:above\s+)?(?!of\b|book\b)(?:\w+ly\s+)?(?:\w{3,}s|is|has|should|will|can|was|aims|now
      |above)\b
    | that\s+should\b | this\s+should\s+(?:give|help|produce|create|work) | in\s+this\s+(?:version|prompt
      |revision)\b
    | i(?:['’]ve|\s+have)?\s+(?:also\s+)?(?:added|kept|included|tried|made|used|removed|changed
      |emphasi[sz]ed|enhanced|expanded|incorporated|focused|preserved|chose|ensured|avoided)\b
    | (?:these|the\s+added)\s+(?:tags|keywords|details|additions|changes|terms)\s+(?:focus|emphasi[sz]e|create
      |capture|add|help|keep|should|describe|give|evoke|set|will|are\s+(?:chosen|meant))\b
    | note\s+that\b | please\s+note\b | explanation\b\W*\Z | n\.?b\.?\s*[:：] | p\.\s?s\.? | by\s+(?:adding
      |including|specifying)\b | remember\s+to\b | the\s+prompt\s+(?:above|is|has|now)
    | here['’]s\s+(?:why|what|how)\b | the\s+(?:added|extra|additional|enhanced)\s+(?:details?|elements?)\b
    | posso\s+(?:modific|adatt|cambi) | changes\s+made\b | why\s+this\b
    | the\s+picture\s+that\s+the\s+idea\s+is\s+about
    | (?:ich\s+)?hoffe,?\s+(?:das|dass|es|dies|ich)\b | lass(?:en\s+sie)?\s+(?:mich|es\s+mich)\s+wissen |
      möchtest\s+du\b | möchten\s+sie\b | sag\s+(?:mir\s+)?bescheid | wenn\s+(?:du|sie)\s | falls\s+(?:du
      |sie)\s
    | die(?:ser|se|ses)\s+(?:prompt|version|fassung|beschreibung)\b | viel\s+(?:spaß|erfolg)\b | ich\s+habe\s
    | n['’]hésite[zs]?\s+pas\b | j['’]espère\b | (?:souhaitez|voulez)-vous\b | ce\s+prompt\b |
      cette\s+version\b | j['’]ai\s+(?:ajouté|gardé|conservé) | dites?-moi\b | faites-moi\s+savoir
    | (?:¡\s*)?espero\s+que\b | avísame\b | (?:házmelo|hazme)\s+saber | si\s+(?:quieres|desea|necesitas)\b |
      ¿?\s*(?:quieres|te\s+gustaría)\b | este\s+prompt\b | esta\s+versi[óo]n\b
    | (?:me\s+)?avise\b | (?:me\s+)?diga\s+se\b | se\s+(?:quiser|precisar)\b | gostaria\b | esta\s+versão\b
    | spero\s+(?:che|ti)\b | fammi\s+sapere\b | vuoi\s+che\b | se\s+(?:vuoi|desideri)\b | questo\s+prompt\b
      | questa\s+versione\b
    | надеюсь\b | дайте\s+(?:мне\s+)?знать | если\s+(?:вы|ты|хотите|нужно|нужны)\b | этот\s+промпт\b |
      хотите\b | сообщите\b | я\s+(?:добавил|сохранил)
    | сподіваюс[яь]\b | дайте\s+знати | якщо\s+(?:ви|потрібн|хочете)
    | mam\s+nadzieję\b | daj(?:cie)?\s+(?:mi\s+)?znać | jeśli\s+(?:chcesz|potrzebujesz)\b | czy\s+chcesz\b |
      ten\s+prompt\b
    | umarım\b | isterseniz\b | bu\s+prompt\b | lütfen\b | (?:ik\s+)?hoop\s+dat\b | laat\s+(?:het\s+)?(?:me
      |mij)\s | wil\s+je\b | deze\s+prompt\b | als\s+je\b
    | (?:jag\s+)?hoppas\s+(?:det|att)\b | (?:jeg\s+)?håber\b | (?:jeg\s+)?håper\b | låt\s+mig\s+veta |
      toivottavasti\b | kerro\s+jos
    | doufám\b | dejte?\s+(?:mi\s+)?vědět | remélem\b | szóljon?\b | sper\s+că\b | semoga\b | beri\s+tahu\b
      | jika\s+anda\b | hy\s+vọng\b | hãy\s+cho\s+tôi | nếu\s+bạn\b
    | ελπίζω\b | आशा\s+है | क्या\s+आप | أتمنى | آمل | هل\s+ت | إذا\s+كنت | מקווה | אם\s+תרצ | หวังว่า |
      หาก(?:คุณ|ต้องการ)
    | 希望(?:这|對|对|能|您|你|這) | 如(?:果)?(?:有|需|您|你|想)[^，。]{0,12}(?:请|請|，|,|告诉|修改|调整
      |需要) | 请(?:告诉|告知|随时|让我) | 這?这?个?(?:个|個)?(?:提示词|提示詞|版本|描述)(?:强调|突出|保留
      |包含|描述|增加|加入|中|通过) | 您可以(?:根据|直接|使用)
    | 需要(?:我|调整)[^，。]{0,20}[吗嗎]
    | (?:修正|変更|調整|ご希望|ご要望|他に|必要)[^。]{0,30}(?:お知らせ|ください|できます|可能です
      |でしょうか) | このプロンプト[はが] | お役に立て | ご自由に
    | 도움이\s*되 | 필요하(?:시|면) | 수정(?:이|을)?\s*(?:원하|필요) | 이\s*프롬프트는 | 원하시면
    )"""
)
# Somebody who speaks to somebody: a picture has no such words outside of its lettering.
ADDRESSES = re.compile(
    r"""(?x) \b(?: I(?:['’](?:ve|d|ll|m)|\ (?:don['’]t|need|have|can|could|will|would|did|was|am|aimed
      |added|kept|tried
      |made|used|chose|focused|included
      |think|hope|wanted|left|removed|changed|also|just|only)) | [Yy]ou(?:r|['’]re)? | [Tt]hanks?\ (?:you
        |for)\b | ich | mir |
      [Dd]u | [Dd]ir | [Dd]ein\w* | Ihnen
    | [Jj]e | [Vv]ous | [Vv]otre | usted | [Tt]e\ (?:gust|parec)\w+ | você | [Яя] | [Вв]ам | [Вв]ы | [Тт]ебе
      )\b
    | [您你我] | ください | 드리 | 하세요"""
)
_LETTERED = re.compile(r"[\"“„«「『‘]|(?<!\w)'")
_COUNT = re.compile(
    r"""(?ix) \A [\s*_(\[（【~≈]* (?:this\s+is\s+)?(?:(?:word|character|token)s?\s*(?:count)?\s*[:：]\s*)?
      (?:about|approx\.?
      |total)?\s* [~≈]?\d{1,4} \s*
    (?:words?|characters?|tokens?|wörter|mots|palabras|parole|palavras|слов\w*|słów|个?[字词]|文字|語
      |단어)[\s*_)\]）】.!]* \Z
    | \A [\s*_(\[（【~]* (?:共|约|total)\s*\d{1,4}\s*(?:个?[字词]|words)[\s*_)\]）】.]* \Z"""
)
# Farewells are short and called out; sources are addresses.
_CALLED_OUT = re.compile(r"\A[^\n,:;]{2,70}[!！]+[\s\W]*\Z")
_FEWEST_OF_A_PICTURE = 10
_SOURCES = re.compile(
    r"(?i)\A(?:\s*(?:[-*•]\s*)?\[?\^?\d{1,2}[\].):]+\s*[^\n]*https?://\S+\s*)+\Z|\A\s*\W?https?://\S+\s*\Z"
)
_FLOURISH = re.compile(r"\A[^\w\n*_]*[*_][^*_\n]{3,80}[*_][^\w\n*_]*\Z")
_LAST_REMARK = re.compile(
    r"""(?ix) (?<=[.!?。"”])\s+ (?: (?:please\s+)?let\s+me\s+know | (?:please\s+)?feel\s+free\s+to
      | (?:i\s+)?hope\s+(?:this|that|it|you) | would\s+you\s+like | do\s+you\s+want | want\s+me\s+to
      | shall\s+i | should\s+i | if\s+you(?:['’]d|\s+would|\s+want|\s+need|\s+like|\s+prefer) | i\s+can\s+also
      | i(?:['’]ve|\s+have)\s+(?:added|kept|included) ) \b [^\n]*? \b (?:you|me|i|your|this) \b [^\n]* \Z"""
)
_TAGGED = re.compile(r"\A\s*(?:#[\w-]+\s*){2,}\Z")


def is_leading_talk(block: str) -> bool:
    """Tell whether a paragraph, or a line, before a prompt only announces or plans it."""
    text = block.strip()
    if not any(c.isalnum() for c in text):
        return True
    lines = text.splitlines()
    if any(said.match(text) for said in (_PLANNING, _THOUGHT_FOR, _MUSING)):
        return True
    if all(_STEP.match(line) for line in lines):
        return True
    if text.strip("*_#: ").lower() in ("thought", "thinking", "analysis", "reasoning", "assistant", "model"):
        return True
    return len(lines) == 1 and announces(text)


def may_begin_talk(line: str) -> bool:
    """Tell whether the line written so far may yet become an announcement, a label or planning."""
    text = line.strip().strip("*_#>-• ")
    if any(word.startswith(text) for word in ("assistant", "thought", "thinking", "model")):
        return True
    said = words.words_of(text)
    if len(text) > _LONGEST_ANNOUNCEMENT:
        return False
    if _HERE.match(text) or _YOU.match(text) or (len(text) < _MAY_PLAN_WITHIN and _MAY_PLAN.match(text)):
        return True
    if re.search(r"[:：]\s*\S", text):
        return False
    greeting = words.words_of(re.split(r"[.!。！]", text, maxsplit=1)[0])
    if len(greeting) < len(said) and words.polite_words.cover(greeting):
        return True
    names = (
        words.prompt_words.in_(said)
        or _is_begun(said)
        or (bool(said) and words.talk_words.has(said[0]) and words.result_words.in_(said))
    )
    if names and not re.search(r"[,.，。]", text):
        return True
    # The last word is not all there.
    known = [word for word in said[:-1] if not word.isdigit()]
    return not known or words.talk_words.cover(known)


def _is_begun(said: list[str]) -> bool:
    """Tell whether the last word may become one of those for the prompt."""
    last = said[-1] if said else ""
    return len(last) > 2 and any(word.startswith(last) for word in ("prompting", "промпт"))


def announces(line: str) -> bool:
    """Tell whether a line announces what follows it: “Here is your prompt:”, “Sure!”, “好的！”."""
    text = line.strip().strip("*_#> ").strip()
    if len(text) > _LONGEST_ANNOUNCEMENT:
        return False
    said = words.words_of(text)
    if words.talk_words.cover(said):
        return text[-1:] in ":：!！.。,，" or not words.result_words.cover(said)
    ends = text[-1:] in ":："
    names = words.prompt_words.in_(said)
    if ends:
        return (
            names
            or _HERE.match(text) is not None
            or _YOU.search(text) is not None
            or (bool(said) and words.polite_words.has(said[0]) and words.result_words.in_(said))
            or (words.is_unspaced(text) and words.result_words.in_(said))
            or _is_mostly_talk(said)
        )
    sentence = text[-1:] in ".。!！"
    if sentence and names and (_HERE.search(text) or _YOU.search(text) or "こちら" in text or "如下" in text):
        return True
    return bool(said) and sentence and _is_assent(text)


def _is_mostly_talk(said: list[str]) -> bool:
    known = sum(words.talk_words.has(word) for word in said)
    return len(said) <= 14 and known >= 0.7 * len(said) and words.result_words.in_(said)


def _is_assent(text: str) -> bool:
    first = re.split(r"[,.!，。！]", text, maxsplit=1)[0]
    said = words.words_of(first)
    return (
        words.polite_words.cover(said)
        and len(text) <= 90
        and (bool(_YOU.search(text)) or words.talk_words.cover(words.words_of(text)))
    )


def inline_announcement(line: str) -> int:
    """Return where the prompt begins on a line such as “Here is your prompt: a fox”, 0 for other lines."""
    for colon in re.finditer(r"[:：](?=\s*\S)", line[: _LONGEST_ANNOUNCEMENT + 1]):
        head = line[: colon.start()]
        said = words.words_of(head)
        known = words.talk_words.cover(said)
        names = words.prompt_words.in_(said) or words.result_words.in_(said)
        if (known and len(said) > 1 and not words.is_numbered_scene(said)) or (
            words.prompt_words.in_(said) and (_HERE.match(head) or _YOU.match(head))
        ):
            return colon.end()
        if names and said and words.polite_words.has(said[0]) and _HERE.search(head):
            return colon.end()
    return 0


def is_remark(block: str, single: bool = False) -> bool:
    """Tell whether a paragraph behind a prompt is talk about it.

    With `single` the prompt was asked for as one paragraph: another that speaks to somebody is none of it.
    """
    text = block.strip()
    if not any(c.isalnum() for c in text):
        return True
    if text[-1:] in "?？؟" and not _LETTERED.search(text):
        # A picture asks nobody.
        return True
    if (
        single
        and (ADDRESSES.search(text) or words.prompt_words.in_(words.words_of(text)))
        and not _LETTERED.search(text)
    ):
        return True
    if single and _is_called_out(text):
        return True
    if _REMARK.match(text) or _COUNT.match(text) or _TAGGED.match(text) or _SOURCES.match(text):
        return True
    label = label_of(text.splitlines()[0])
    return label is not None and label.kind in ("notes", "echo", "plan")


def _is_called_out(text: str) -> bool:
    few = len(text.split()) < _FEWEST_OF_A_PICTURE
    return few and not _LETTERED.search(text) and bool(_CALLED_OUT.match(text) or _FLOURISH.match(text))


def without_last_remark(text: str, idea: str) -> str:
    """Return a prompt's only paragraph without the sentence behind it that speaks to the user."""
    found = _LAST_REMARK.search(text)
    if found is None or _LETTERED.search(found.group()) or found.group().strip().lower() in idea.lower():
        return text
    return text[: found.start()]
