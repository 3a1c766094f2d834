"""The parts that local backends writing one request after another share: limits, seeds, the result."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from .. import errors
from ..remote.openai_embeddings import refuse_embedding
from ..streaming.live import Sink
from ..types import Deployment, Request, Result, Usage
from ..vision import has_pictures
from .token_text import AnswerText, TextStream, emptiness

DEFAULT_TOKENS = 1024
# With fewer tokens left of the context there is no use in beginning.
_LEAST_ANSWER = 64


_VISION = "Remove the image, or choose a vision model."


def refuse_what_it_cannot(
    request: Request, who: str, *, sees: bool = False, those_that_see: str = _VISION
) -> None:
    """Raise `BadRequest` for embeddings, an empty request, or pictures unless the model `sees`.

    `who` names the model, `those_that_see` what to use instead for pictures.
    """
    if request.embed:
        raise refuse_embedding(who)
    if not sees and has_pictures(request):
        raise errors.CannotSee(f"{who} does not support images.", hint=those_that_see)
    if not request.messages:
        raise errors.BadRequest("There is no message to answer.")


def budget_of(wanted: int | None, prompt_tokens: int, context: int, who: str) -> int:
    """The most tokens that the answer may have, `wanted` or fewer.
    Raises `ContextOverflow` where an answer has no room."""
    wanted = wanted or DEFAULT_TOKENS
    left = context - prompt_tokens
    if left < min(wanted, _LEAST_ANSWER):
        raise errors.ContextOverflow(
            f"The prompt has {prompt_tokens:,} tokens. {who} has a context of {context:,} tokens for "
            f"prompt and answer, which leaves {max(0, left):,} for the answer."
        )
    return min(wanted, left)


def seed_of(request: Request, limit: int) -> int:
    """The request's seed below `limit`; a random one where it has none."""
    if request.seed is None:
        return random.SystemRandom().randrange(min(limit, 2**32))
    return request.seed % limit


def thinks(request: Request, opens_thinking: bool) -> bool:
    """Tell whether the answer begins with a thought, and not with words of the caller's."""
    return opens_thinking or request.reasoning not in ("default", "off")


class Writing:
    """One answer being written: `add` its tokens, then ask for the `result`.

    `stop_ids` end it; `stop_texts` do for a model that was trained with no such token. `begun` are its first
    words, which the model goes on from. It is `over` as well when it has all of the tokens that a good answer
    to `request` needs, or goes round in a loop.
    """

    def __init__(
        self,
        request: Request,
        stream: TextStream,
        sink: Sink,
        stop_ids: frozenset[int],
        *,
        opens_thinking: bool = False,
        calls_tools: bool = False,
        stop_texts: Sequence[str] = (),
        begun: str = "",
    ) -> None:
        self._stream, self._stop_ids, self._stop_texts = stream, stop_ids, tuple(stop_texts)
        self._answer_tokens = request.answer_tokens
        self._answer = AnswerText(sink, opens_thinking, calls_tools, strict=request.answer_tokens is not None)
        self._begun = begun
        self._answer.add(begun)
        self._began = time.monotonic()
        self._tokens = self._answered = 0
        self.stopped = False

    def add(self, token: int) -> None:
        """Add the next token; sets `stopped` when it ends the answer."""
        if self.over:
            return
        self._tokens += 1
        self._answered += self._answer.has_begun
        if token in self._stop_ids:
            self.stopped = True
            return
        self._answer.add(self._stream.add(token))
        self.stopped = bool(self._stop_texts) and any(stop in self._answer.tail for stop in self._stop_texts)

    @property
    def loops(self) -> bool:
        """Tell whether the answer goes round in a loop."""
        return self._answer.loops

    @property
    def over(self) -> bool:
        """Tell whether no more tokens are to be added."""
        is_full = self._answer_tokens is not None and self._answered >= self._answer_tokens
        return self.stopped or is_full or self.loops

    def result(
        self,
        deployment: Deployment,
        who: str,
        model: str,
        prompt_tokens: int,
        budget: int,
        warnings: Sequence[str] = (),
    ) -> Result | errors.LLMError:
        """The whole answer of `model`; an error where it has no text."""
        self._answer.add(self._stream.finish())
        text, thinking = self._answer.close()
        for stop in self._stop_texts:
            text = text.partition(stop)[0].strip()
        if self.loops:
            return errors.AnswerLoops.of(who, text)
        calls = self._answer.tool_calls
        if text.strip() in ("", self._begun.strip()) and not calls:
            return emptiness(who, budget, ran_out=bool(thinking) or not self.stopped)
        return Result(
            text=text,
            reasoning=thinking,
            usage=Usage(prompt_tokens, self._tokens, None),
            tool_calls=calls,
            finish_reason="tool_calls" if calls else "stop" if self.stopped else "length",
            mode=deployment.mode,
            provider=deployment.provider,
            model=model,
            seconds=time.monotonic() - self._began,
            warnings=tuple(warnings),
        )
