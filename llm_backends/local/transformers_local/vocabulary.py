"""The vocabulary of a tokenizer by text, for choosing tokens by what they write.

Byte-level BPE (GPT-2, Llama 3, Qwen) spells bytes as printable characters, SentencePiece (Llama 2, Gemma)
spells a space as U+2581. Other kinds are not known here.
"""

from __future__ import annotations

from typing import Any

_SPACE = "\u2581"


def byte_characters() -> dict[str, int]:
    """GPT-2's printable character for each byte, the other way round."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {chr(byte): byte for byte in printable}
    seen = set(printable)
    others = (byte for byte in range(256) if byte not in seen)
    table.update({chr(256 + place): byte for place, byte in enumerate(others)})
    return table


class Vocabulary:
    """The vocabulary of tokens that may stand inside a JSON string as they are.

    `safe` are the ids whose text is whole characters without quote, backslash or control character; `start`
    those of them that do not begin with a space, `words` those of letters and digits alone. `closers` begin
    with a quote and go on as after a string in a list: they end the string here. Read once for a tokenizer:
    half a second for 150,000 tokens. `usable` is False for an unknown kind.
    """

    def __init__(self, tokenizer: Any, width: int) -> None:
        added = set(tokenizer.added_tokens_decoder) | set(tokenizer.all_special_ids)
        tokens = {index: token for token, index in tokenizer.get_vocab().items() if index < width}
        self._texts = _texts({index: token for index, token in tokens.items() if index not in added})
        self.safe = [index for index, text in self._texts.items() if _is_safe(text)]
        self.start = [index for index in self.safe if not self._texts[index][0].isspace()]
        self.words = [index for index in self.start if self._texts[index].isalnum()]
        self.closers = [
            index for index, text in self._texts.items() if text[:1] == '"' and not text.strip('",]} \n')
        ]
        self.usable = bool(self.closers) and len(self.words) > 1

    def text(self, index: int) -> str:
        """The text of the token `index`, one of `safe`."""
        return self._texts[index]


def _is_safe(text: str) -> bool:
    return bool(text) and text.isprintable() and not set(text) & {'"', "\\", "\ufffd"}


def _texts(tokens: dict[int, str]) -> dict[int, str]:
    """The text of every token that is whole characters by itself."""
    if any(_SPACE in token for token in tokens.values()):
        return {
            index: token.replace(_SPACE, " ")
            for index, token in tokens.items()
            if not (token.startswith("<0x") and token.endswith(">"))
        }
    table = byte_characters()
    texts = {}
    for index, token in tokens.items():
        try:
            texts[index] = bytes([table[character] for character in token]).decode("utf-8")
        except (KeyError, UnicodeDecodeError):
            continue
    return texts
