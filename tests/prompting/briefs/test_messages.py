"""Sentences of a brief: to the model, and to the user about what the target has no use for."""

from __future__ import annotations

import pytest

from quillwork.prompting import targets
from quillwork.prompting.briefs.messages import brief_lines, brief_warnings
from quillwork.prompting.tasks import Brief, EnhanceTask


@pytest.mark.parametrize(
    ("id", "brief", "unused"),
    [
        ("sdxl", Brief(duration=5), "SDXL makes still images, so the duration was not used."),
        ("ace_step_1_5", Brief(aspect="16:9"), "makes no images, so the aspect ratio was not used."),
        ("sdxl", Brief(aspect="16:9"), ""),
        ("wan_2_1_t2v", Brief(duration=5), ""),
        ("plain", Brief(duration=5), ""),
    ],
)
def test_what_a_target_has_no_use_for_is_told_to_the_user_and_not_to_the_model(id, brief, unused):
    target = targets.load(id)
    said = brief_lines(EnhanceTask("a fox", target, brief=brief))
    told = brief_warnings(target, brief)
    assert bool(said) is not bool(unused)
    assert len(told) == bool(unused)
    assert unused in "".join(told)
