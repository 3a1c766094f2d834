"""A row: one answer being written, with its tokens, its text as far as it is certain, and its end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ... import errors
from ...streaming.live import Sink
from ...types import Deployment, FinishReason, Request, Result, Usage
from ..token_text import LOUD_TAGS, AnswerText, TextStream, emptiness
from ..tool_call_text import offered
from .chat import ChatFormat, Prompt
from .constraint import ListConstraint
from .sampling import Draws, SamplingSettings


def text_stream(tokenizer: Any, chat: ChatFormat) -> TextStream:
    """A text stream for this tokenizer's tokens."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return TextStream(
            partial(tokenizer.decode, clean_up_tokenization_spaces=False), silent_tokens(tokenizer, chat)
        )
    return TextStream(partial(backend.decode, skip_special_tokens=False), silent_tokens(tokenizer, chat))


def silent_tokens(tokenizer: Any, chat: ChatFormat) -> frozenset[int]:
    """The special tokens, which write nothing, save the tags around a thought and a tool call."""
    tags = {tokenizer.convert_tokens_to_ids(tag) for tag in LOUD_TAGS}
    return frozenset(index for index in chat.special_ids if index not in tags)


class Row:
    """The answer to one request. It holds all that is needed to continue after its KV cache is lost.

    `budget` is the most tokens that it may have. With a constraint, `after_thinking` is the token at which
    it begins (None: at once), and `constrain` makes it from the tokens that are left then. `model` is the
    model's name, `begun` the first words of the answer, which it goes on from.
    """

    def __init__(
        self,
        request: Request,
        prompt: Prompt,
        chat: ChatFormat,
        text: TextStream,
        sink: Sink,
        budget: int,
        constrain: Callable[[int], ListConstraint] | None = None,
        after_thinking: int | None = None,
        thinking_ends_at: int = 0,
        model: str = "",
        begun: str = "",
    ) -> None:
        self.prompt = prompt
        self.settings = SamplingSettings.of(request, model)
        self.draws = Draws(request.seed)
        self.budget = budget
        self.ids: list[int] = []
        self.finish: FinishReason | None = None
        self.constraint: ListConstraint | None = None
        self._constrain = constrain
        self._after_thinking = after_thinking
        self._thinking_ends_at = thinking_ends_at
        self._chat, self._stream = chat, text
        self._stop_texts = (*chat.stop_texts, *request.stop)
        self._answer_tokens, self._answered = request.answer_tokens, 0
        self._answer = AnswerText(
            sink,
            prompt.opens_thinking,
            bool(offered(request)),
            strict=request.answer_tokens is not None,
        )
        self._begun = begun
        self._answer.add(begun)
        self._began = time.monotonic()
        if constrain is not None and after_thinking is None:
            self.constraint = constrain(budget)

    @property
    def forced(self) -> int | None:
        """The token that has to come next; None where the model may choose."""
        if self.finish:
            return None
        if self.constraint is not None:
            return self.constraint.forced
        if self._constrain is not None and len(self.ids) >= self._thinking_ends_at:
            return self._after_thinking
        return None

    def accept(self, token: int) -> int:
        """Take the chosen `token`: show its text, check for the end, and return the token really taken."""
        thinks = self.constraint is None and self._constrain is not None
        if thinks and self._after_thinking is not None and token in self._chat.stop_ids:
            token = self._after_thinking  # it would end without having answered
        self.ids.append(token)
        if self.constraint is not None:
            self.constraint.accept(token)
        elif thinks:
            if token == self._after_thinking and self._constrain is not None:
                self.constraint = self._constrain(self.budget - len(self.ids))
        elif token in self._chat.stop_ids:
            self.finish = "stop"
            return token
        self._answered += self._answer.has_begun
        self._show(self._stream.add(token))
        if self._loops or (self.constraint is not None and self.constraint.over):
            self.finish = "stop"
        elif self.finish is None and self._is_full():
            self.finish = "length"
        return token

    @property
    def _loops(self) -> bool:
        """Tell whether the answer goes round in a loop; a held list has short values, none of them twice."""
        return self.constraint is None and self._answer.loops

    def _is_full(self) -> bool:
        most = self._answer_tokens if self.constraint is None else None
        return len(self.ids) >= self.budget or (most is not None and self._answered >= most)

    def accept_forced(self) -> list[int]:
        """Take all forced tokens before the model chooses again."""
        taken = []
        while (token := self.forced) is not None:
            taken.append(self.accept(token))
        return taken

    def _show(self, piece: str) -> None:
        self._answer.add(piece)
        if self._stop_texts and any(stop in self._answer.tail for stop in self._stop_texts):
            self.finish = "stop"

    def result(self, deployment: Deployment, warnings: Sequence[str]) -> Result | errors.LLMError:
        """The finished answer; an error where it has no text."""
        self._answer.add(self._stream.finish())
        text, thinking = self._answer.close()
        for stop in self._stop_texts:
            text = text.partition(stop)[0].strip()
        if self.constraint is not None and self.constraint.over:
            text = json.dumps({"values": self.constraint.items}, ensure_ascii=False)
        if self._loops:
            return errors.AnswerLoops.of(deployment.name, text)
        calls = self._answer.tool_calls
        if text.strip() in ("", self._begun.strip()) and not calls:
            ran_out = self.finish == "length" or bool(thinking)
            return emptiness(deployment.name, self.budget, ran_out=ran_out)
        return Result(
            text=text,
            reasoning=thinking,
            usage=Usage(len(self.prompt.ids), len(self.ids), None),
            tool_calls=calls,
            finish_reason="tool_calls" if calls else self.finish or "unknown",
            mode=deployment.mode,
            provider=deployment.provider,
            model=deployment.model_id,
            seconds=time.monotonic() - self._began,
            warnings=tuple(warnings),
        )
