"""One variation of an idea on its way: what is asked, and what an answer comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..llm_backends.errors import LLMError
from ..llm_backends.types import Deployment, Image, Request, Result
from .answers.parts import split_parts
from .answers.prompt import MAX_TOKENS, in_manner_of, read_prompt
from .answers.protect import Protected
from .messages import enhance_messages
from .targets import Target, fit_negative
from .tasks import EnhanceTask


@dataclass(frozen=True, slots=True)
class Draft:
    """What was written: the texts of the parts, and the negative prompt."""

    texts: tuple[str, ...]
    negative: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One variation of one idea; `warnings` collects what the user should know about it."""

    task: EnhanceTask
    protected: Protected
    prompt: str
    picture: Image | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def target(self) -> Target:
        return self.task.target

    @property
    def own_words(self) -> str:
        """All that the user wrote: what an answer has of it is no talk of the model's."""
        return f"{self.prompt}\n{self.task.instruction}"

    def request(self) -> Request:
        """Return the request for all parts at once."""
        return self._request(self.task)

    def requests_by_part(self) -> list[Request]:
        """Return a request for each part on its own."""
        parts = self.protected.parts
        return [self._request(replace(self.task, prompt=part, parts=())) for part in parts]

    def _request(self, task: EnhanceTask) -> Request:
        return Request(
            messages=enhance_messages(task, self.protected.kept, self.picture),
            max_tokens=MAX_TOKENS,
            seed=task.seed,
            task=task,
        )

    def read(self, answer: Result | LLMError, deployment: Deployment) -> Draft | LLMError | None:
        """Return what was written, the error that the answer amounts to, or None: its parts are not apart."""
        texts = (
            None if isinstance(answer, LLMError) else split_parts(answer.text, len(self.protected.written))
        )
        if isinstance(answer, LLMError) or texts is None:
            whole = read_prompt(answer, deployment, self.warnings, self.target, self.own_words)
            return whole if isinstance(whole, LLMError) else None
        return self.read_all([replace(answer, text=text) for text in texts], deployment)

    def read_all(self, answers: Sequence[Result | LLMError], deployment: Deployment) -> Draft | LLMError:
        """Return what was written in one answer for each part, or the first error."""
        texts, negatives = [], []
        for answer in answers:
            written = read_prompt(answer, deployment, self.warnings, self.target, self.own_words)
            if isinstance(written, LLMError):
                return written
            texts.append(written[0])
            negatives.append(written[1])
        return Draft(tuple(texts), ", ".join(filter(None, dict.fromkeys(negatives))))

    def finished(self, draft: Draft) -> tuple[str, str]:
        """Return (prompt, negative) in the target's manner, with all that is the user's own in place."""
        prompt = in_manner_of(self.target, draft.texts, self.protected, self.warnings)
        return prompt, fit_negative(self.target, self.prompt, draft.negative)
