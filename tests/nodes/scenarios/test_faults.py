"""Errors on a host: one clear sentence, never a prompt, never kept, and no key anywhere."""

from __future__ import annotations

import pytest
from host.fixtures import Hosts
from host.graphs import node
from host.process import Host
from nodes.graphs import KEY, enhance, info, preview, settings, variables, wrote
from wire.server import WireServer


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("fox-status401", "LLM_API_KEY"),
        ("fox-status403", "403"),
        ("fox-status404", "LLM_BASE_URL"),
        ("fox-status429", "too many requests"),
        ("fox-status500", "failed (500)"),
        ("fox-status503", "failed (503)"),
        ("fox-ctx", "too long"),
        ("fox-cut", "stopped in the middle"),
        ("fox-garbage", "web page"),
        ("fox-badsse", "an invalid answer"),
        ("fox-empty", "an empty answer"),
        ("fox-refusal", "declined"),
        ("fox-filtered", "declined"),
        ("fox-redirect", "redirects"),
        ("fox-huge10", "more than 400,000"),
    ],
)
def test_a_fault_is_one_clear_error_and_no_prompt(endpoint_host: Host, model: str, says: str) -> None:
    run = endpoint_host.run({"1": enhance(llm_model=model), "2": preview("1")})
    assert run.status == "error"
    assert says in run.message, run.message
    assert "\n" not in run.message
    assert "Traceback" not in run.message
    assert run.shown("2") == []
    assert KEY not in str(run.error)


def test_silence_is_given_up_after_the_time_that_was_set(endpoint_host: Host) -> None:
    for model in ("fox-hang-silent", "fox-hang"):
        graph = {"5": settings(llm_model=model, timeout_s=0.5), "1": enhance(llm=["5", 0])}
        run = endpoint_host.run(graph, timeout=100)
        assert run.status == "error"
        assert "sent nothing for 0.5 s" in run.message


def test_passing_the_prompt_on_never_hides_the_error_and_is_not_kept(
    endpoint_host: Host, wire: WireServer
) -> None:
    graph = {
        "1": enhance(llm_model="fox-fail503x1", on_error="passthrough"),
        "2": preview("1"),
        "3": preview("1", 2),
    }
    first = endpoint_host.run(graph)
    assert first.status == "success", first.message
    assert first.shown("2") == ["a fox in the snow"]
    (warning,) = info(first, "3")["warnings"]
    assert "503" in warning
    assert wrote(first)["info"]["warnings"] == [warning]

    second = endpoint_host.run(graph)
    assert second.shown("2") == ["a red fox in fresh snow"], (
        "the host must not have kept the substitute answer"
    )
    third = endpoint_host.run(graph)
    assert third.shown("2") == ["a red fox in fresh snow"]
    assert len(wire.log) == 2, "the real answer is kept"


def test_the_phrasebook_can_stand_in(endpoint_host: Host) -> None:
    graph = {
        "1": enhance(llm_model="fox-status500", on_error="phrasebook", variations=2),
        "2": preview("1"),
        "3": preview("1", 2),
    }
    run = endpoint_host.run(graph)
    assert run.status == "success", run.message
    assert all("fox in the snow" in prompt for prompt in run.shown("2"))
    assert "500" in info(run, "3")["warnings"][0]


def test_a_missing_model_is_told_with_what_to_do(host_factory: Hosts) -> None:
    host = host_factory({"LLM_MODE": "litellm"})
    run = host.run({"1": enhance()})
    assert run.status == "error"
    assert "LLM_MODEL" in run.message
    passed = host.run({"1": enhance(on_error="passthrough"), "2": preview("1")})
    assert passed.shown("2") == ["a fox in the snow"]


def test_a_shared_workflow_spends_nobodys_money_unasked(host_factory: Hosts) -> None:
    host = host_factory({"OPENAI_API_KEY": KEY})
    run = host.run({"1": enhance(llm_model="openai/gpt-4o-mini")})
    assert run.status == "error"
    assert "not allowed on this machine" in run.message
    assert "LLM_ALLOW=openai" in run.message


@pytest.mark.parametrize(
    ("model", "mode", "says"),
    [
        ("nosuchprovider/some/model", "auto", "Hugging Face"),
        ("nosuch/thing", "auto", "There is no provider nosuch, so nosuch/thing is read as a Hugging Face"),
        ("opnai/thing", "auto", "did you mean openai"),
        ("http://127.0.0.1:1/x", "auto", "was not found"),
        ("oobabooga/http://127.0.0.1:1", "litellm", "cannot contain an address"),
        ("github_copilot/gpt-4", "litellm", "github_copilot"),
    ],
)
def test_an_id_that_is_none_of_ours_reaches_no_library(host: Host, model: str, mode: str, says: str) -> None:
    run = host.run({"1": enhance(llm_model=model, llm_mode=mode)})
    assert run.status == "error"
    assert says in run.message


def test_keys_in_extra_are_refused(endpoint_host: Host, wire: WireServer) -> None:
    for extra in (
        f'{{"api_key": "{KEY}"}}',
        '{"extra_headers": {"x": "y"}}',
        '{"api_base": "http://127.0.0.1:1"}',
    ):
        run = endpoint_host.run({"5": settings(extra=extra), "1": enhance(llm=["5", 0])})
        assert run.status == "error"
        assert "workflow" in run.message
    broken = endpoint_host.run({"5": settings(extra="{not json"), "1": enhance(llm=["5", 0])})
    assert broken.status == "error"
    assert "JSON" in broken.message
    assert wire.log == []


def test_an_empty_prompt_is_told(endpoint_host: Host, wire: WireServer) -> None:
    run = endpoint_host.run({"1": enhance("   ")})
    assert run.status == "error"
    assert "empty" in run.message
    assert wire.log == []


def test_no_key_is_found_anywhere(endpoint_host: Host, wire: WireServer) -> None:
    """The key is in the environment and in `.env`; runs that work and runs that fail are searched."""
    planted = "sk-second-Hq8wLm2RvT5xNc7BzK4"
    endpoint_host.quillwork_home.mkdir(parents=True, exist_ok=True)
    (endpoint_host.quillwork_home / ".env").write_text(f"OPENAI_API_KEY={planted}\nLLM_API_KEY={planted}\n")
    wire.script("leaky", f"the key is {KEY}")
    workflow = {"nodes": [{"id": 1, "type": "QuillworkEnhancePrompt", "properties": {}}], "links": []}
    seen = []
    for model in ("fox", "fox-status401", "fox-status500", "fox-garbage", "fox-hang-silent"):
        graph = {
            "5": settings(llm_model=model, timeout_s=0.3),
            "1": enhance(llm=["5", 0]),
            "2": preview("1"),
            "4": variables(llm=["5", 0]),
            "7": node("EmptyImage", width=8, height=8, batch_size=1, color=0),
            "8": node("SaveImage", images=["7", 0], filename_prefix="planted"),
        }
        run = endpoint_host.run(graph, workflow=workflow)
        seen += [str(run.history), str(run.events), str(run.error), str(run.outputs)]
    seen.append(endpoint_host.log())
    seen.append(endpoint_host.get("/object_info").text)
    seen.append(endpoint_host.get("/history").text)
    seen.append(endpoint_host.get("/queue").text)
    seen += [file.read_bytes().decode("latin-1") for file in endpoint_host.output_directory.rglob("*.png")]
    assert len(list(endpoint_host.output_directory.rglob("*.png"))) >= 1
    for text in seen:
        assert KEY not in text
        assert planted not in text
    assert any(KEY in request.headers.get("authorization", "") for request in wire.log)
    assert not any(planted in str(request.headers) for request in wire.log)


def test_nothing_of_ours_can_be_read_through_the_browsers_files(endpoint_host: Host) -> None:
    home = endpoint_host.quillwork_home
    home.mkdir(parents=True, exist_ok=True)
    (home / ".env").write_text(f"OPENAI_API_KEY={KEY}\n")
    endpoint_host.run({"4": variables(save="add", llm_model="fox-json")})
    assert (home / "library" / "season.txt").exists()
    for path in (
        "/userdata/quillwork%2F.env",
        "/userdata/..%2F__quillwork%2F.env",
        "/userdata/__quillwork%2F.env",
        "/userdata/.env",
        "/userdata?dir=quillwork&recurse=true",
        "/userdata?dir=.&recurse=true",
        "/userdata?dir=..%2F__quillwork",
        "/view?filename=.env&subfolder=..%2Fuser%2F__quillwork&type=output",
    ):
        answer = endpoint_host.get(path)
        assert KEY not in answer.text, path
        assert "season.txt" not in answer.text, path
