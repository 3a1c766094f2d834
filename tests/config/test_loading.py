"""The loading parameters of local models: the settings', or one workflow's."""

from __future__ import annotations

import pytest

from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.opening import effective
from quillwork.llm_backends.errors import NotConfigured

MINE = {"by_workflow": False}


def loaded(**extra) -> dict:
    """The deployment's loading parameters, with the given `extra` of LLM Settings."""
    params = deploy(Choice(extra=extra, **MINE)).params
    return {name: params[name] for name in ("dtype", "cuda_graph") if name in params}


def test_usually_nothing_is_said(home, env, tmp_path):
    env(LLM_MODE="hf_local", LLM_PATH=str(tmp_path))
    assert loaded() == loaded(top_k=20) == loaded(dtype="auto", cuda_graph=False) == {}


def test_the_settings_choose(home, env, tmp_path):
    env(LLM_MODE="hf_local", LLM_PATH=str(tmp_path), LLM_DTYPE="BF16", LLM_CUDA_GRAPH="1")
    assert loaded() == {"dtype": "bf16", "cuda_graph": True}
    env(LLM_MODE="hf_download", LLM_MODEL="org/name", LLM_DTYPE="int8")
    assert loaded() == {"dtype": "int8", "cuda_graph": True}


def test_a_workflow_chooses_for_itself(home, env, tmp_path):
    env(LLM_MODE="hf_local", LLM_PATH=str(tmp_path), LLM_DTYPE="int8", LLM_CUDA_GRAPH="1")
    assert loaded(dtype="fp16") == {"dtype": "fp16", "cuda_graph": True}
    assert loaded(dtype="auto", cuda_graph=False) == {}


@pytest.mark.parametrize("extra", [{"dtype": 16}, {"cuda_graph": "yes"}, {"dtype": None}])
def test_what_cannot_be_read_is_told(home, env, tmp_path, extra):
    env(LLM_MODE="hf_local", LLM_PATH=str(tmp_path))
    with pytest.raises(NotConfigured, match="loading options") as caught:
        deploy(Choice(extra=extra, **MINE))
    assert '{"dtype": "bf16"}' in caught.value.hint


def test_other_modes_have_their_own_use_for_such_names(home, env):
    env(LLM_BASE_URL="http://127.0.0.1:4000", LLM_MODEL="fox", LLM_DTYPE="int8")
    assert loaded(dtype=16) == {}


def test_a_hosts_cache_sees_the_change(home, env, tmp_path):
    env(LLM_MODE="hf_local", LLM_PATH=str(tmp_path))
    before = effective(Choice(**MINE))
    env(LLM_DTYPE="bf16")
    assert effective(Choice(**MINE)) != before
