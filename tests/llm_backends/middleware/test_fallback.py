"""Fallbacks: the next model when one is unavailable, reported, and never instead of the user's decision."""

from __future__ import annotations

import pytest
from endpoints import answer, endpoint, failure
from wire.answers import TEXT

from quillwork.llm_backends import errors


def chain(wire, *models: str, **changes):
    first, *others = (endpoint(wire.url, model, **changes) for model in models)
    return endpoint(wire.url, first.model, fallbacks=tuple(others), **changes)


def test_no_fallback_where_none_is_needed(wire):
    result = answer(chain(wire, "fox", "owl"))
    assert (result.model, result.warnings, result.by_fallback) == ("fox", (), False)
    assert len(wire.calls()) == 1


@pytest.mark.parametrize(
    "word", ["status401", "status404", "status429", "status503", "empty", "filtered", "garbage"]
)
def test_the_next_model_answers_and_says_so(wire, word):
    result = answer(chain(wire, f"fox-{word}", "owl"))
    assert (result.text, result.model, result.by_fallback) == (TEXT, "owl", True)
    (warning,) = result.warnings
    assert warning.startswith(f"Fox (fox-{word}) ")
    assert warning.endswith("Fox (owl) was used instead.")
    assert result.attempts == 2


def test_each_has_its_own_retries(wire):
    result = answer(chain(wire, "fox-status503-retryafter0", "owl-fail503x1-retryafter0", retries=1))
    assert (result.model, result.attempts) == ("owl-fail503x1-retryafter0", 4)


def test_in_their_order(wire):
    result = answer(chain(wire, "fox-status503", "owl-status500", "elk"))
    assert [call.model for call in wire.calls()] == ["fox-status503", "owl-status500", "elk"]
    (warning,) = result.warnings
    assert "failed (503)" in warning
    assert "failed (500)" in warning
    assert warning.endswith("Fox (elk) was used instead.")
    assert warning.count("instead") == 1


def test_the_first_error_is_told_when_all_fail(wire):
    error = failure(chain(wire, "fox-status503", "owl-status401"))
    assert type(error) is errors.ProviderFailed
    assert (error.model, error.attempts) == ("fox-status503", 2)


def test_a_text_that_is_too_long_goes_nowhere_else(wire):
    assert type(failure(chain(wire, "fox-ctx", "owl"))) is errors.ContextOverflow
    assert len(wire.calls()) == 1
