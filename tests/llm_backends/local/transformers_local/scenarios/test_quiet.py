"""The terminal is the host's: no bar and no advice to programmers while a model is loaded and writes."""

from __future__ import annotations

import logging
import warnings

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_model.asking import echo, outcomes

from quillwork.llm_backends.local.transformers_local.libraries import missing_for_quantisation


@pytest.mark.parametrize("dtype", ["fp32", "nf4"])
def test_loading_and_writing_are_silent(tiny_model, backend, dtype, capfd, caplog, monkeypatch):
    from transformers.utils import logging as bars

    if dtype == "nf4" and (missing := missing_for_quantisation("cpu")):
        pytest.skip(missing)
    bars.enable_progress_bar()
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    capfd.readouterr()
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("default")
        (outcome,) = outcomes(backend, tiny_model, echo("a fox"), dtype=dtype)
    assert outcome.text
    kinds = (FutureWarning, DeprecationWarning)
    assert [str(one.message) for one in recorded if issubclass(one.category, kinds)] == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert capfd.readouterr().err == ""
    assert bars.is_progress_bar_enabled()
