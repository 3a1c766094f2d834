"""Recognition of an answer that goes round in a loop, while it is written.

It works on text, so one guard serves every stream, every tokenizer and every script. Two signs count: the
end of the text is one piece over and over, or the last words bring nothing new (nearly all have stood
together several times before, or there are only a few of them). Refrains, rulers, "very very very" and lists
of similar tags show neither.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from itertools import islice

# How far back a repeated piece may begin, in characters, and how often a guard looks.
_REACH, _LOOKS_EVERY = 2400, 64
# From which ends of the text to look for earlier ones: a short one may occur twice in one round.
_ENDS = (12, 48)
_SHORTEST_END, _MOST_CANDIDATES = 4, 8
# What a repeated piece must fill, in characters: words, words of a script without blanks, numbers or signs.
_FILLS, _FILLS_DENSE, _FILLS_SIGNS = 160, 64, 320
# How often a piece must stand in a row, by its length in characters: a verse is long, a word is short.
_ROUNDS = ((32, 8), (300, 5), (_REACH, 3))
# Words that stand together, how often they have done so before, and how many of the last ones did.
_TOGETHER, _BEFORE, _WINDOW, _SHARE = 4, 5, 96, 0.9
_BEFORE_STRICT, _WINDOW_STRICT = 2, 32
_CHARACTERS_TOGETHER = 8
# Of so many words in a row so few are different only where the same ones come in another order each time.
_MANY_WORDS, _FEW_WORDS = 160, 8

_DENSE = "\u2e80-\u9fff\uac00-\ud7af"
_UNIT = re.compile(rf"[{_DENSE}]|(?:(?![{_DENSE}])\w)+")
_IS_DENSE = re.compile(f"[{_DENSE}]")
_NUMBERING = re.compile(r"(?m)^[ \t]*(?:[-*•–]|\(?\d{1,4}[.):])[ \t]+")
_BLANKS = re.compile(r"\s+")
_LONGEST_BLANK = 400


class LoopGuard:
    """A guard over one answer: `add` its pieces, and stop when that says so.

    With `strict` it is a prompt, which is short: half of everything is enough.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._share = 0.5 if strict else 1.0
        self._before = _BEFORE_STRICT if strict else _BEFORE
        self._tail, self._unread, self._since = "", "", 0
        self._last: deque[str] = deque(maxlen=_CHARACTERS_TOGETHER)
        # By hash: a hundred streams keep thousands of them.
        self._counts: Counter[int] = Counter()
        self._every = round(_LOOKS_EVERY * self._share)
        self._old: deque[bool] = deque(maxlen=_WINDOW_STRICT if strict else _WINDOW)
        self._words: deque[str] = deque(maxlen=round(_MANY_WORDS * self._share))
        self.loops = False

    def add(self, piece: str) -> bool:
        """Add a piece of text; tell whether the answer goes round in a loop by now."""
        self._tail += piece
        self._since += len(piece)
        if self.loops or self._since < self._every:
            return self.loops
        self._unread += self._tail[-self._since :]
        self._tail, self._since = self._tail[-_REACH:], 0
        self._count()
        self.loops = self._is_blank() or self._goes_round() or self._says_nothing_new()
        return self.loops

    def _is_blank(self) -> bool:
        end = self._tail[-round(_LONGEST_BLANK * self._share) :]
        return len(end) >= _LONGEST_BLANK * self._share and end.isspace()

    def _goes_round(self) -> bool:
        # Most texts show at once that they do not, and need not be read any closer.
        if self._tail.rfind(self._tail[-_SHORTEST_END:], 0, -1) < 0:
            return False
        text = _BLANKS.sub(" ", _NUMBERING.sub("", self._tail)).casefold()
        # The last word may be half there.
        text = text[: max(text.rfind(" "), 0) or len(text)]
        for end in _ENDS:
            place, seen = len(text) - end, 0
            while seen < _MOST_CANDIDATES and (place := text.rfind(text[-end:], 0, place + end - 1)) >= 0:
                seen += 1
                if self._repeats(text, len(text) - end - place):
                    return True
        return False

    def _repeats(self, text: str, length: int) -> bool:
        """Tell whether the end of `text` is one piece of this length, over and over."""
        piece = text[-length:]
        fills = _FILLS
        if not any(map(str.isalpha, piece)):
            fills = _FILLS_SIGNS
        elif len(_IS_DENSE.findall(piece)) * 2 > length:
            fills = _FILLS_DENSE
        rounds = next(rounds for most, rounds in _ROUNDS if length <= most)
        rounds = max(round(rounds * self._share), 3, -(-round(fills * self._share) // length))
        return len(text) >= rounds * length and text.endswith(piece * rounds)

    def _count(self) -> None:
        """Count the words that are whole, each with those before it."""
        units = list(_UNIT.finditer(self._unread))
        whole = units[:-1]
        self._unread = self._unread[units[-1].start() :] if units else ""
        for unit in whole:
            word = unit[0].casefold()
            self._last.append(word)
            self._words.append(word)
            together = _CHARACTERS_TOGETHER if _IS_DENSE.match(word) else _TOGETHER
            if len(self._last) < together:
                continue
            key = tuple(islice(self._last, len(self._last) - together, None))
            # Rows of a table may well be equal numbers.
            place = hash(key)
            self._old.append(self._counts[place] >= self._before and not all(map(str.isdigit, key)))
            self._counts[place] += 1

    def _says_nothing_new(self) -> bool:
        old, words = self._old, self._words
        if len(words) == words.maxlen and len(set(words)) <= _FEW_WORDS:
            return True
        return len(old) == old.maxlen and sum(old) >= _SHARE * len(old)
