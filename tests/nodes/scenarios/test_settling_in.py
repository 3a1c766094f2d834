"""The pack in its host: what it registers, what it imports, and a second copy of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from host.fixtures import PACKS, Hosts
from host.graphs import node
from host.process import REPOSITORY, Host
from nodes.graphs import enhance, needs_litellm, preview
from wire.server import WireServer

INPUTS = {
    "QuillworkEnhancePrompt": (
        "prompt instruction target variations seed llm_mode llm_model on_error freeze frozen clip image llm "
        "duration aspect language reference_roles references",
        "prompt negative info",
    ),
    "QuillworkGenerateVariables": (
        "name context count guidance creativity save seed llm_mode llm_model freeze frozen existing clip llm",
        "values text json info",
    ),
    "QuillworkResolveVariables": (
        "template selection count seed generate_missing llm_mode llm_model no_repeats llm values",
        "prompt picks",
    ),
    "QuillworkLLMSettings": (
        "llm_mode llm_model temperature top_p max_tokens timeout_s retries fallback_models reasoning extra "
        "keep_loaded clip",
        "llm",
    ),
    "QuillworkDescribeImage": (
        "image instruction target seed llm_mode llm_model freeze frozen llm frames clip reference_roles",
        "text info",
    ),
    "QuillworkCaptionFolder": (
        "folder instruction target trigger existing_captions limit seed llm_mode llm_model always never omit "
        "form words hint save_as subfolders videos llm clip",
        "written kept failed report",
    ),
    "QuillworkChat": ("prompt system seed llm_mode llm_model tools history image llm", "text history info"),
    "QuillworkUnloadLLM": ("any", "any"),
    "QuillworkSplitPrompt": ("prompt parts", "part_1 part_2 part_3 part_4 part_5 part_6 json"),
}
ADVANCED = {"llm_mode", "llm_model", "on_error", "freeze", "frozen", "frames", "no_repeats"}
ADVANCED |= {"always", "omit", "never", "form", "words", "hint", "save_as", "subfolders", "videos"}
ADVANCED |= {"duration", "aspect", "language", "reference_roles"}


def test_inputs_and_outputs_have_the_promised_names_in_the_promised_order(host: Host) -> None:
    nodes = host.object_info()
    for node_id, (inputs, outputs) in INPUTS.items():
        described = nodes[node_id]
        order = described["input_order"]
        names = [*order["required"], *order.get("optional", [])]
        assert names == inputs.split(), node_id
        assert described["output_name"] == outputs.split(), node_id
        assert described["category"] == "Quillwork"
        for group in described["input"].values():
            for name, (_, options, *_rest) in ((n, (*spec, {})) for n, spec in group.items()):
                if node_id != "QuillworkLLMSettings":
                    assert bool(options.get("advanced")) == (name in ADVANCED), (node_id, name)
    assert {name for name in nodes if name.startswith("Quillwork")} == set(INPUTS)


def test_a_seed_stays_as_it_is_unless_the_user_wants_otherwise(host: Host) -> None:
    seed = host.object_info("QuillworkEnhancePrompt")["input"]["required"]["seed"][1]
    assert seed["control_after_generate"] == "fixed"


def test_a_second_copy_says_so_and_steps_back(host_factory: Hosts, tmp_path: Path) -> None:
    copy = tmp_path / "Quillwork-main"
    shutil.copytree(
        REPOSITORY,
        copy,
        ignore=shutil.ignore_patterns(".git", ".venv*", ".*_cache", "tests", "benchmarks", "__pycache__"),
    )
    host = host_factory(packs={**PACKS, "zz-second": copy})
    assert "Quillwork is installed twice" in host.log()
    run = host.run({"1": enhance(), "2": preview("1")})
    assert run.status == "success", run.message


@needs_litellm
def test_ollama_is_asked_to_unload_what_was_used(host_factory: Hosts, wire: WireServer) -> None:
    host = host_factory({"OLLAMA_API_BASE": wire.url})
    graph = {
        "1": enhance(llm_model="ollama/fox"),
        "2": node("QuillworkUnloadLLM", any=["1", 0]),
        "3": preview("2"),
    }
    run = host.run(graph, timeout=120)
    assert run.status == "success", run.message
    assert run.shown("3") == ["a red fox in fresh snow"]
    (unload,) = [request for request in wire.log if request.path == "/api/generate"]
    assert unload.json == {"model": "fox", "keep_alive": 0}
