"""A local model on a host: it writes in the host's own thread, streams, stops, and frees its memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from host.fixtures import Hosts
from host.graphs import node
from host.process import Host
from host.runs import Run
from nodes.graphs import describe, enhance, info, preview, settings, variables
from tiny_model.fixtures import TRAINING_S, tiny_model, tiny_vision_model  # noqa: F401

pytestmark = pytest.mark.timeout(TRAINING_S + 300)
# Long enough to be interrupted in: the list constraint does not let the model stop before.
LONG = 120


@pytest.fixture
def local_host(host_factory: Hosts, tiny_model: Path) -> Host:  # noqa: F811
    return host_factory({"LLM_MODE": "hf_local", "LLM_PATH": str(tiny_model), "OMP_NUM_THREADS": "1"})


def loads(host: Host) -> int:
    """Return how often the host's memory manager has been asked to load our model."""
    return host.log().count("Requested to load LanguageModel")


def test_a_local_model_writes_exactly_as_many_values_as_were_asked_for(
    local_host: Host,
    tiny_model: Path,  # noqa: F811
) -> None:
    graph = {"1": variables("colors", count=5), "2": preview("1"), "3": preview("1", 3)}
    run = local_host.run(graph, timeout=300)
    assert run.status == "success", run.message
    values = run.shown("2")
    assert len({value.casefold() for value in values}) == 5
    report = info(run, "3")
    assert report["mode"] == "hf_local"
    assert report["model"] == tiny_model.name, "where the folder lies is nobody else's business"
    assert report["completion_tokens"] > 5
    assert report["attempts"] == 1, "the constraint leaves nothing to ask again"
    assert len(run.texts["1"]) >= 2, "it streams"
    if local_host.is_real:
        assert loads(local_host) >= 1


def test_the_same_seed_is_the_same_list(local_host: Host) -> None:
    def values(seed: int) -> list[str]:
        graph = {"1": variables("colors", count=3, seed=seed), "2": preview("1")}
        return local_host.run(graph, timeout=300).shown("2")

    first, *others, again = map(values, (5, 6, 7, 8, 9, 5))
    assert first == again
    # So small a model is very confident: two seeds may well choose alike.
    assert any(other != first for other in others)


def test_an_interrupt_ends_it_within_a_token_and_the_next_prompt_runs(local_host: Host) -> None:
    run = local_host.run(
        {"1": variables("colors", count=LONG)},
        interrupt_after=lambda run: bool(run.texts.get("1")),
        timeout=300,
    )
    assert run.status == "interrupted"
    assert run.interrupt_s is not None
    assert run.interrupt_s < 20
    after = local_host.run({"1": variables("animals", count=2), "2": preview("1")}, timeout=300)
    assert after.status == "success", after.message


def test_the_host_can_send_it_away_and_have_it_back(local_host: Host) -> None:
    graph = {"1": variables("colors", count=3, seed=9), "2": preview("1")}
    first = local_host.run(graph, timeout=300)
    assert first.status == "success", first.message
    before = loads(local_host)
    local_host.post("/free", json={"unload_models": True, "free_memory": True})
    again = local_host.run(graph, timeout=300)
    assert again.shown("2") == first.shown("2")
    if local_host.is_real:
        assert loads(local_host) == before + 1, "it was gone, and came back"


def test_a_model_that_is_kept_is_not_asked_for_again(local_host: Host) -> None:
    for seed in (1, 2):
        local_host.run({"1": variables("colors", count=2, seed=seed)}, timeout=300)
    before = loads(local_host)
    local_host.run({"1": variables("colors", count=2, seed=3)}, timeout=300)
    assert loads(local_host) == before


def test_unloading_after_each_run_is_a_choice(local_host: Host) -> None:
    for seed in (21, 22):
        graph = {
            "5": settings(keep_loaded="unload after each run"),
            "1": variables("colors", count=2, seed=seed, llm=["5", 0]),
        }
        before = loads(local_host)
        assert local_host.run(graph, timeout=300).status == "success"
        if local_host.is_real:
            assert loads(local_host) == before + 1


def test_asked_by_another_pack_it_is_under_the_hosts_memory_manager_too(local_host: Host) -> None:
    local_host.post("/free", json={"unload_models": True, "free_memory": True})
    local_host.run({"1": variables("colors", count=2, seed=31)}, timeout=300)
    before = loads(local_host)
    asked = node("TestpackAsk", question="red fox", model="")
    run = local_host.run({"1": asked, "2": preview("1")}, timeout=300)
    assert run.status == "success", run.message
    assert run.shown("2")[0]
    assert loads(local_host) == before, "it is the one that is there"
    local_host.post("/free", json={"unload_models": True, "free_memory": True})
    again = local_host.run(
        {"1": {**asked, "inputs": {**asked["inputs"], "question": "tiny robot"}}}, timeout=300
    )
    assert again.status == "success", again.message
    if local_host.is_real:
        assert loads(local_host) == before + 1, "it was gone, and came back"


def test_how_it_is_loaded_is_the_workflows_choice(local_host: Host) -> None:
    def run(extra: str, seed: int) -> Run:
        graph = {
            "5": settings(extra=extra),
            "1": variables("colors", count=2, seed=seed, llm=["5", 0]),
            "2": preview("1", 3),
        }
        return local_host.run(graph, timeout=300)

    before = loads(local_host)
    for seed in (41, 42):
        done = run('{"dtype": "fp32", "cuda_graph": true}', seed)
        assert done.status == "success", done.message
        assert info(done, "2")["warnings"] == []
    if local_host.is_real:
        assert loads(local_host) == before + 1, "once in another way, then it is there"
    refused = run('{"dtype": "fp64"}', 43)
    assert refused.status == "error"
    assert "'fp64' is not a supported dtype for local models. Choose one of auto, nf4" in refused.message


def test_a_folder_without_a_model_is_one_sentence(host_factory: Hosts, tmp_path: Path) -> None:
    host = host_factory({"LLM_MODE": "hf_local"})
    run = host.run({"1": enhance(llm_mode="hf_local", llm_model=str(tmp_path))}, timeout=120)
    assert run.status == "error"
    assert "\n" not in run.message
    assert "Traceback" not in run.message


def test_a_local_model_that_sees_describes_a_batch_picture_by_picture(
    host_factory: Hosts,
    tiny_vision_model: Path,  # noqa: F811
) -> None:
    host = host_factory({"LLM_MODE": "hf_local", "LLM_PATH": str(tiny_vision_model), "OMP_NUM_THREADS": "1"})
    canvas = {"width": 56, "height": 56}
    graph = {
        "1": describe("2", llm=["6", 0]),
        "2": node("EmptyImage", batch_size=2, color=0x1428E6, **canvas),
        "3": preview("1"),
        "4": describe("5", llm=["6", 0]),
        "5": node("EmptyImage", batch_size=1, color=0xE61414, **canvas),
        "6": settings(temperature=0.0),
        "7": preview("4"),
        "8": preview("1", 1),
    }
    run = host.run(graph, timeout=300)
    assert run.status == "success", run.message
    # It was taught with few words beside a picture; that it names the colour shows that it looked.
    assert all("blue" in text for text in run.shown("3"))
    assert "red" in run.shown("7")[0]
    assert info(run, "8")["mode"] == "hf_local"
    assert len(run.texts["1"]) >= 1, "it streams"


def test_a_local_model_that_reads_text_only_says_so(local_host: Host) -> None:
    before = loads(local_host)
    run = local_host.run(
        {"1": describe("2"), "2": node("EmptyImage", width=64, height=64, batch_size=1, color=0)}, timeout=300
    )
    assert run.status == "error"
    assert "does not support images" in run.message
    assert loads(local_host) == before
