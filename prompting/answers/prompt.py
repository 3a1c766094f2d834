"""Steps from a model's answer to a prompt, shared by enhancing an idea and describing a picture."""

from __future__ import annotations

from collections.abc import Sequence

from ...llm_backends.errors import EmptyAnswer, LLMError
from ...llm_backends.types import Deployment, Result
from ..targets import Target, fit_prompt
from .clean import clean, one_paragraph, split_negative
from .protect import Protected, restore, without_weights

# A guard against models that never stop, roomy enough for those that think first. In tokens.
MAX_TOKENS = 2048
# Providers take seeds of 31 bits, hosts have some of 64.
SEEDS = 2**31
_CUT = {
    "length": "The answer was cut off at max_tokens: raise it on LLM Settings for a whole prompt.",
    "content_filter": "The answer was cut off by the provider's content filter: reword the prompt.",
}
_SEVERAL_LINES = ("json", "sections", "any")


def read_prompt(
    answer: Result | LLMError, deployment: Deployment, warnings: list[str]
) -> tuple[str, str] | LLMError:
    """Return (prompt, negative) from an answer, or the error that the answer is or amounts to.

    `warnings` collects what the user should know about it.
    """
    if isinstance(answer, LLMError):
        return answer
    try:
        text, negative = split_negative(clean(answer.text, who=deployment.name))
        if not text:
            raise EmptyAnswer(f"{deployment.name} wrote a negative prompt only.")
    except LLMError as error:
        error.provider, error.model, error.attempts = answer.provider, answer.model, answer.attempts
        return error
    if answer.finish_reason in _CUT:
        warnings.append(_CUT[answer.finish_reason])
    warnings.extend(answer.warnings)
    return text, negative


def in_manner_of(target: Target, text: str, protected: Protected) -> str:
    """Return the prompt in the target's manner, with the user's own tags and weights back in place."""
    if target.form not in _SEVERAL_LINES:
        text = one_paragraph(text)
    if not target.weights:
        text = without_weights(text, protected)
    return restore(fit_prompt(target, text), protected)


def first_of(failed: Sequence[LLMError], total: int, what: str) -> LLMError:
    """Return the error to raise for a run of `total` calls (in words: `what`) of which these `failed`."""
    error = failed[0]
    if total > 1:
        error.message = f"{len(failed)} of {total} {what} failed. {error.message}"
    return error
