"""Chat formats of text encoders, whose files bring a tokenizer but no chat template.

Users' text never becomes a control token: it is tokenised apart from the template, cut wherever it spells
such a token's name, and stripped of any that come out all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...thinking import MARKS
from ...types import Image, Message
from ..chat_template import cut

# A token's id, or a picture in the host's own form, which stands for as many tokens as it needs.
Token = Any


@dataclass(frozen=True)
class ChatStyle:
    """The chat format of a family of models, control tokens by name.

    `user` and `assistant` are the texts before and after such a message, `system` likewise; None where the
    family has no such role and the text goes to the head of the first user message. `asks_thought` stands
    before the system text where the model is to think; `thought` at the end then, `no_thought` where it is
    not. `picture` is the text before a picture, the token that a picture replaces, and the text after it;
    None for a family that reads text only. `stops` end an answer. `control` matches the names of control
    tokens; `spoken` replaces the family's own tags around a thought with ``<think>`` tags.
    """

    start: str
    system: tuple[str, str] | None
    user: tuple[str, str]
    assistant: tuple[str, str]
    stops: tuple[str, ...]
    control: re.Pattern[str]
    asks_thought: str = ""
    thought: str = ""
    no_thought: str = ""
    picture: tuple[str, str, str] | None = None
    spoken: Mapping[str, str] = field(default_factory=dict)

    def pieces(self, messages: Sequence[Message], thinks: bool) -> list[tuple[bool, str | Image]]:
        """The pieces that the model reads up to its turn: (whether a message's own, text or picture)."""
        system = "\n\n".join(message.content for message in messages if message.role == "system")
        pieces: list[tuple[bool, str | Image]] = [(False, self.start)]
        if self.system is not None and (system or (thinks and self.asks_thought)):
            asks = self.asks_thought if thinks else ""
            pieces += [(False, self.system[0] + asks), (True, system), (False, self.system[1])]
        held = system if self.system is None else ""
        for message in messages:
            if message.role == "system":
                continue
            before, after = self.assistant if message.role == "assistant" else self.user
            content = message.content
            if held and message.role != "assistant":
                content, held = f"{held}\n\n{content}", ""
            pieces.append((False, before))
            if self.picture is not None:
                head, _, tail = self.picture
                for image in message.images:
                    pieces += [(False, head), (True, image), (False, tail)]
            pieces += [(True, content), (False, after)]
        if held:
            pieces += [(False, self.user[0]), (True, held), (False, self.user[1])]
        return [*pieces, (False, self.assistant[0] + (self.thought if thinks else self.no_thought))]


_PIPED = r"<\|\w+\|>|</?(?:think|tool_call|tool_response)>"
_TURNS = r"</?s>|<(?:bos|eos|pad|unk|mask|unused\d+|\w+_of_\w+|image_soft_token)>"

CHATML = ChatStyle(
    start="",
    system=("<|im_start|>system\n", "<|im_end|>\n"),
    user=("<|im_start|>user\n", "<|im_end|>\n"),
    assistant=("<|im_start|>assistant\n", "<|im_end|>\n"),
    stops=("<|im_end|>", "<|endoftext|>"),
    control=re.compile(_PIPED),
)
CHATML_VISION = replace(CHATML, picture=("<|vision_start|>", "<|image_pad|>", "<|vision_end|>"))
CHATML_THINKING = replace(CHATML, thought="<think>\n", no_thought="<think>\n\n</think>\n\n")
CHATML_THINKING_VISION = replace(CHATML_THINKING, picture=CHATML_VISION.picture)
GEMMA = ChatStyle(
    start="<bos>",
    system=None,
    user=("<start_of_turn>user\n", "<end_of_turn>\n"),
    assistant=("<start_of_turn>model\n", "<end_of_turn>\n"),
    stops=("<end_of_turn>", "<eos>"),
    control=re.compile(_TURNS),
)
GEMMA_VISION = replace(GEMMA, picture=("\n\n<start_of_image>", "<image_soft_token>", "<end_of_image>\n\n"))
GEMMA_4 = ChatStyle(
    start="<bos>",
    system=("<|turn>system\n", "<turn|>\n"),
    user=("<|turn>user\n", "<turn|>\n"),
    assistant=("<|turn>model\n", "<turn|>\n"),
    stops=("<turn|>", "<eos>"),
    control=re.compile(rf"<\|\w+\|?>|<\w+\|>|{_TURNS}"),
    asks_thought="<|think|>\n",
    picture=("\n\n<|image>", "<|image|>", "<image|>\n\n"),
    spoken={"<|channel>": "<think>", "<channel|>": "</think>"},
)
# The larger ones begin to think unless they are shown a thought that is over.
GEMMA_4_LARGE = replace(GEMMA_4, no_thought="<|channel>thought\n<channel|>")
MISTRAL = ChatStyle(
    start="<s>",
    system=("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
    user=("[INST]", "[/INST]"),
    assistant=("", "</s>"),
    stops=("</s>",),
    control=re.compile(r"\[/?[A-Z_]+\]|</?s>|<(?:unk|pad|SPECIAL_\d+)>"),
    spoken={"[THINK]": "<think>", "[/THINK]": "</think>"},
)


class ChatTokens:
    """A style on one tokenizer. `tokenise` gives the ids of a text and nothing before or after them,
    `raw_decode` their text with control tokens by name; `vocabulary` has the id of every name."""

    def __init__(
        self,
        style: ChatStyle,
        tokenise: Callable[[str], list[int]],
        raw_decode: Callable[[list[int]], str],
        vocabulary: Mapping[str, int],
    ) -> None:
        self._tokenise, self._raw_decode = tokenise, raw_decode
        self._controls = {name: index for name, index in vocabulary.items() if style.control.fullmatch(name)}
        self._style = replace(style, picture=self._marked(style)) if style.picture else style
        self._known = frozenset(vocabulary.values())
        self._control_ids = frozenset(self._controls.values())
        self._places = re.compile(f"(?={style.control.pattern})")
        self.stop_ids = frozenset(self._controls[name] for name in style.stops if name in self._controls)
        loud = {self._controls.get(name) for name in (*MARKS, *style.spoken)}
        self.silent_ids = self._control_ids - loud

    def encode(
        self, messages: Sequence[Message], thinks: bool, look: Callable[[Image], Token] = lambda image: image
    ) -> tuple[list[Token], bool]:
        """Encode messages as `GeneratingEncoder.encode` does; `look` makes the host's form of a picture."""
        ids: list[Token] = []
        for is_own, piece in self._style.pieces(messages, thinks):
            if isinstance(piece, Image):
                ids.append(look(piece))
            else:
                ids += self._harmless(piece) if is_own else self._template(piece)
        return ids, thinks and bool(self._style.thought)

    def decode(self, ids: Sequence[int]) -> str:
        """Decode tokens as `GeneratingEncoder.decode` does."""
        text = self._raw_decode([index for index in ids if index in self._known])
        for name, tag in self._style.spoken.items():
            text = text.replace(name, tag)
        return text

    def _marked(self, style: ChatStyle) -> tuple[str, str, str]:
        """The texts around a picture without the marks that this tokenizer does not have."""
        assert style.picture is not None
        before, token, after = style.picture
        known = lambda match: match.group() if match.group() in self._controls else ""  # noqa: E731
        return style.control.sub(known, before), token, style.control.sub(known, after)

    def _template(self, text: str) -> list[int]:
        ids: list[int] = []
        start = 0
        for match in self._style.control.finditer(text):
            if match.group() in self._controls:
                ids += self._plain(text[start : match.start()])
                ids.append(self._controls[match.group()])
                start = match.end()
        return ids + self._plain(text[start:])

    def _harmless(self, text: str) -> list[int]:
        ids = [index for piece in cut(text, self._places) for index in self._plain(piece)]
        return [index for index in ids if index not in self._control_ids]

    def _plain(self, text: str) -> list[int]:
        return self._tokenise(text) if text else []
