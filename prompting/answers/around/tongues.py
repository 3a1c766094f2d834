"""Recognition of a paragraph that is in another language than the prompt: talk to the user in their own."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+")
_IN_ENGLISH = """
the of with and at from by are over under near into through his its their that which while where is behind
beside between against across
"""
_IN_OTHERS_TOO = "in on a an as for"
# Words that a sentence of these languages can hardly do without. Those that are English words as well, or
# stand in names, are left out.
_IN_OTHERS = """
ich das ist und mit wenn dich dir sie ihr ihnen habe eine einen einem nicht auch noch dass damit kann kannst
viel gern gerne sag falls für bei zum zur
je vous votre nous pas une est avec que qui pour dans ce cette ces bonne bon si sur mais aussi peux ai
te tu usted puedo puedes los las una con por más esta espero algo quieres está fue
ti se il lo gli che puoi posso questo questa della nel serve altro chiedi pure buon buona
você seu sua não uma com que é só qualquer pode quiser isso para
ik het een dat niet ook voor wil kan mij deze veel hier naar
czy się nie jest dla że możesz daj mogę jeśli coś jak będzie
bir bu için ve ile daha olursa var isteğin istersen başka
jag det och är att du har inte för om med ett vill jeg og er ikke til hvis vil et
ja että voin jos voit tämä olen ei
že pro jsem ne chcete pokud můžete nebo
hogy egy ez nem vagy szívesen kérem ha van
și este că nu vă pentru dacă poți sper
tidak ini yang untuk anda dengan jika bisa saya kamu
tôi bạn này cho và là một không có nếu được với các của
"""
_ENGLISH = frozenset(_IN_ENGLISH.split())
_OTHERS = frozenset(_IN_OTHERS.split())
_FEW_WORDS = 8


def is_other_tongue(text: str, prompt: str) -> bool:
    """Tell whether `text`, a paragraph beside an English `prompt`, is in another language of Latin script."""
    said = [word.lower() for word in _WORD.findall(prompt)]
    if sum(word in _ENGLISH or word in _IN_OTHERS_TOO.split() for word in said) < 2:
        return False
    said = [word.lower() for word in _WORD.findall(text)]
    if any(word in _ENGLISH for word in said):
        return False
    foreign = {word for word in said if word in _OTHERS}
    return len(foreign) >= 2 or (len(foreign) == 1 and len(said) <= _FEW_WORDS and not text.isascii())
