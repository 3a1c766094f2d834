"""The mode gguf in ComfyUI: the shipped workflow runs, is interrupted, gives its memory back."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from host.graphs import graph, node
from host.process import REPOSITORY, Host, real_host
from host.runs import Run
from nodes.graphs import enhance, preview, settings
from tiny_model.as_gguf import write_gguf
from tiny_model.fixtures import TRAINING_S, tiny_model  # noqa: F401

SHIPPED = REPOSITORY / "workflows" / "gguf.json"
NAME = "Qwen3-4B-Instruct-2507-Q4_K_M.gguf"


@cache
def has_llama() -> bool:
    """Tell whether the host's own Python has llama.cpp."""
    python = (os.environ.get("COMFYUI_PYTHON") if real_host() else None) or sys.executable
    return (
        subprocess.run([python, "-c", "import llama_cpp"], capture_output=True, check=False).returncode == 0
    )


needs_llama = pytest.mark.skipif(not has_llama(), reason="the host's Python has no llama-cpp-python")
patient = pytest.mark.timeout(TRAINING_S + 300)


@pytest.fixture
def writer(host: Host, tiny_model: Path) -> Host:  # noqa: F811
    """Start a host whose models folder holds the tiny model under the name in the workflow."""
    file = host.base_directory / "models" / "LLM" / NAME
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_gguf(tiny_model, file)
    return host


def shipped_run(host: Host) -> Run:
    """Run the shipped workflow, with the first seed at which the tiny model's noise is no loop: which one
    that is depends on the processor that trained it."""
    for seed in range(1, 9):
        prompt = graph(SHIPPED)
        prompt["1"]["inputs"]["seed"] = seed
        run = host.run(prompt, timeout=300)
        if "repeated itself" not in run.message:
            break
    return run


@needs_llama
@patient
def test_the_shipped_workflow_runs(writer: Host) -> None:
    run = shipped_run(writer)
    assert run.status == "success", run.message
    assert run.shown("2") != [""]
    (record,) = run.shown("1", "quillwork")
    assert (record["mode"], record["model"]) == ("gguf", NAME)
    assert str(writer.base_directory) not in str(record)


@needs_llama
@patient
def test_an_interrupt_ends_it_and_the_next_prompt_runs(writer: Host) -> None:
    before = len(writer.log())
    llm = settings(llm_mode="gguf", llm_model=NAME, temperature=2.0, top_p=1.0, extra='{"top_k": 0}')
    many = {"5": llm, "1": enhance(llm=["5", 0], variations=64, seed=5)}
    run = writer.run(many, timeout=300, interrupt_after=lambda run: bool(run.texts.get("1")))
    assert run.status == "interrupted"
    assert "Traceback" not in writer.log()[before:]
    again = shipped_run(writer)
    assert again.status == "success", again.message


@needs_llama
@patient
def test_after_unload_llm_it_is_loaded_anew(writer: Host) -> None:
    llm = settings(llm_mode="gguf", llm_model=NAME)
    prompt = {
        "5": llm,
        "1": enhance(llm=["5", 0], seed=9),
        "2": node("QuillworkUnloadLLM", any=["1", 0]),
        "3": preview("2"),
    }
    assert writer.run(prompt, timeout=300).status == "success"
    assert writer.run({**prompt, "1": enhance(llm=["5", 0], seed=10)}, timeout=300).status == "success"


def test_a_file_that_is_none_is_one_sentence(host: Host, tmp_path: Path) -> None:
    file = tmp_path / "page.gguf"
    file.write_text("<!DOCTYPE html>", "utf-8")
    run = host.run({"1": enhance(llm_model=str(file))})
    assert run.status == "error"
    assert "page.gguf is not a GGUF file" in run.message
