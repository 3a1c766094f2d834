"""Advice to people by the program that they work in."""

from __future__ import annotations

import pytest

from quillwork.llm_backends import host
from quillwork.llm_backends.errors import TimedOut
from quillwork.llm_backends.host import feasible


@pytest.fixture
def _without_nodes():
    host.use_nodes(False)


@pytest.mark.usefixtures("_without_nodes")
@pytest.mark.parametrize(
    ("advice", "left"),
    [
        (
            "Raise LLM_TIMEOUT_MS, or timeout_s on LLM Settings, or choose a faster model.",
            "Raise LLM_TIMEOUT_MS, or choose a faster model.",
        ),
        ("Set reasoning to off or low on LLM Settings, or choose another model.", "Choose another model."),
        ("Raise max_tokens on LLM Settings (0 is automatic), or ask for less.", "Ask for less."),
        ("Check the name, and the additional parameters on LLM Settings.", "Check the name."),
        ("It was cut off. Raise it on LLM Settings to get all.", "It was cut off."),
        ("Raise max_tokens on LLM Settings.", ""),
        ("In ComfyUI, connect a CLIP loader on LLM Settings. Elsewhere, choose another.", None),
        ("Wait a moment, lower LLM_MAX_CONCURRENCY, or try 1.5.", None),
    ],
)
def test_nobody_is_sent_to_a_node_that_is_not_there(advice, left):
    assert feasible(advice) == (advice if left is None else left)


@pytest.mark.usefixtures("_without_nodes")
def test_an_error_says_what_can_be_done_here():
    assert "LLM Settings" not in str(TimedOut("No answer came."))


def test_on_the_canvas_all_of_it_is_said():
    assert "timeout_s on LLM Settings" in str(TimedOut("No answer came."))
