"""Rules that every error of the family keeps."""

from __future__ import annotations

import pytest

from quillwork.config import providers
from quillwork.llm_backends.errors import LLMError, NotConfigured, shorten

LONG = "y" * 5000


def test_an_endless_word_is_shown_by_its_beginning():
    error = LLMError(f"Fox ({LONG}) failed.", hint=f"Run `ollama pull {LONG}`.")
    error.hint = f"Check {LONG}."
    for text in (str(error), repr(error), error.message, error.hint):
        assert len(text) < 500
    assert "5,00" in error.message and "failed" in error.message


def test_what_is_of_a_usual_length_is_left_alone():
    sentence = f"https://fox.example/{'a' * 200} is no address. " * 3
    assert shorten(sentence) == sentence


@pytest.mark.parametrize("id", [LONG, f"{LONG}/x", f"x/{LONG}", f"openai/{LONG} {LONG}"])
def test_no_sentence_about_a_provider_holds_a_whole_long_name(id):
    with pytest.raises(NotConfigured) as caught:
        providers.check_model_id(id)
    assert len(str(caught.value)) < 1500
