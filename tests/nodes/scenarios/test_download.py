"""A missing model that a node asks for: reported, downloaded where that was allowed, and stopped."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from host.fixtures import Hosts
from host.process import Host
from hub.fixtures import _hub_thread, hub  # noqa: F401
from hub.server import HubServer
from nodes.graphs import enhance, preview, variables, wrote
from tiny_model.fixtures import TRAINING_S, tiny_model  # noqa: F401

NAME = "org/tiny"


@pytest.fixture(autouse=True)
def _libraries() -> None:
    """Skip without the libraries: the node then reports them missing, and downloads nothing."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")


def hub_host(host_factory: Hosts, hub: HubServer, **env: str) -> Host:  # noqa: F811
    return host_factory({"HF_ENDPOINT": hub.url, "OMP_NUM_THREADS": "1", **env})


def folder(host: Host) -> Path:
    return host.base_directory / "models" / "LLM" / "org--tiny"


def test_without_a_yes_the_node_says_how_to_give_it(host_factory: Hosts, hub: HubServer) -> None:  # noqa: F811
    host = hub_host(host_factory, hub, LLM_MODE="hf_download")
    run = host.run({"1": enhance(llm_mode="hf_download", llm_model=NAME), "2": preview("1")}, timeout=120)
    assert run.status == "error"
    said, command, then = run.message.split("`")
    assert said.endswith(
        f"{NAME} is not downloaded yet, and you have not allowed downloads on this machine. "
        "Allow them once with "
    )
    assert command.endswith(f"{host.custom_nodes / 'quillwork'} setup --allow downloads")
    assert then == " or LLM_ALLOW=downloads, then run again."
    run = host.run({"1": enhance(llm_mode="hf_download"), "2": preview("1")}, timeout=120)
    assert "unsloth/Qwen3-4B-Instruct-2507-bnb-4bit (2.7 GB) is not downloaded yet" in run.message
    assert hub.log == []


@pytest.mark.timeout(TRAINING_S + 300)
def test_a_stop_keeps_what_came_and_the_next_run_goes_on_and_writes(
    host_factory: Hosts,
    hub: HubServer,  # noqa: F811
    tiny_model: Path,  # noqa: F811
) -> None:
    files = {file.name: file.read_bytes() for file in tiny_model.iterdir()}
    repository = hub.add(NAME, files, pause_s=0.05)
    host = hub_host(host_factory, hub, LLM_ALLOW="downloads")
    graph = {
        "1": variables("colors", count=3, llm_mode="hf_download", llm_model=NAME),
        "2": preview("1"),
    }
    run = host.run(
        graph,
        interrupt_after=lambda run: any("MB/s" in t.text or "kB/s" in t.text for t in run.texts.get("1", ())),
    )
    assert run.status == "interrupted", run.message
    assert run.interrupt_s is not None and run.interrupt_s < 20
    shown = [text.text for text in run.texts["1"]]
    assert any(text.startswith(f"Downloading {NAME}: ") and text.endswith(" left") for text in shown), shown
    assert list(folder(host).glob("model.safetensors.*.part"))
    assert not (folder(host) / "model.safetensors").exists()

    repository.pause_s = 0
    run = host.run(graph, timeout=300)
    assert run.status == "success", run.message
    assert len(run.shown("2")) == 3
    assert wrote(run)["mode"] == "hf_download"
    assert (folder(host) / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert hub.ranges_of("model.safetensors")[-1].startswith("bytes=")


def test_a_gated_repository_is_one_sentence_on_the_node(host_factory: Hosts, hub: HubServer) -> None:  # noqa: F811
    files = {"config.json": b"{}", "model.safetensors": random.Random(3).randbytes(1000)}
    hub.add("org/gated", files, gated=True)
    host = hub_host(host_factory, hub, LLM_ALLOW="downloads")
    run = host.run(
        {"1": enhance(llm_mode="hf_download", llm_model="org/gated"), "2": preview("1")}, timeout=120
    )
    assert run.status == "error"
    assert "org/gated is gated: you must agree to its terms first." in run.message
    assert "\n" not in run.message and "Traceback" not in run.message
