"""ComfyUI's own memory manager with a local language model and a sampler's on one card (`card`).

With ``--cpu`` it never has a model make room for another: a card is simulated by `card.comfy_memory` in a
process of its own, where ComfyUI finds one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from host.process import real_host
from tiny_model.fixtures import TRAINING_S, tiny_model  # noqa: F401

pytestmark = pytest.mark.timeout(TRAINING_S + 300)
SCRIPT = Path(__file__).parents[2] / "card" / "comfy_memory.py"
FOX = "oil painting of a red fox, soft morning light"
# Memory that bitsandbytes and the card's rounding may keep.
LITTLE = 64 * 1024


@pytest.fixture(scope="module", params=["fp32", "nf4", "nf4 recorded"])
def played(request: pytest.FixtureRequest, tiny_model: Path, tmp_path_factory: Any) -> dict[str, Any]:  # noqa: F811
    """Return the contents of the card after each step of `card.comfy_memory`."""
    comfyui = real_host()
    if comfyui is None:
        pytest.skip("it is about ComfyUI's own memory manager: COMFYUI_PATH")
    python = os.environ.get("COMFYUI_PYTHON") or sys.executable
    command = [python, str(SCRIPT), str(comfyui), str(tiny_model), str(tmp_path_factory.mktemp("guard"))]
    done = subprocess.run(
        [*command, *request.param.split()], capture_output=True, text=True, timeout=600, cwd=tiny_model
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_it_writes_the_same_wherever_it_was_in_between(played: dict[str, Any]) -> None:
    written = [step["text"] for step in played["steps"] if step["did"] == "write"]
    assert len(written) >= 14 and set(written) == {FOX}


def test_a_sampler_and_it_make_room_for_each_other_ten_times_without_growth(played: dict[str, Any]) -> None:
    rounds = played["steps"][:20]
    for wrote, sampled in zip(rounds[::2], rounds[1::2], strict=True):
        assert wrote["language"] and not wrote["sampler"], wrote
        assert sampled["sampler"] and not sampled["language"], sampled
    for of_one_kind in (rounds[::2], rounds[1::2]):
        taken = [step["taken"] for step in of_one_kind]
        assert len(set(taken[1:])) == 1, "no growth from the second on"
    assert abs(rounds[1]["taken"] - played["crowd"] - 256 * 2**20) <= LITTLE, "all that was its own is free"


def test_where_there_is_room_both_stay(played: dict[str, Any]) -> None:
    beside = played["beside"]
    assert beside["language"] and beside["sampler"]
    assert beside["managed"] == ["ManagedModelPatcher", "ModelPatcher"]


@pytest.mark.parametrize("way", ["unloaded", "ours unloaded", "end"])
def test_unloading_leaves_nothing(played: dict[str, Any], way: str) -> None:
    assert not played[way]["language"] and "ManagedModelPatcher" not in played[way]["managed"]
    assert played[way]["taken"] <= LITTLE


def test_kept_it_gives_way_only_to_what_needs_more_than_it_has(played: dict[str, Any]) -> None:
    assert played["kept"]["language"]
    assert not played["kept, but in the way"]["language"]


def test_it_computes_in_what_the_host_computes_in(played: dict[str, Any]) -> None:
    if "fp32" not in played["dtype"]:
        assert played["computes in"] == "torch.bfloat16"
        assert played["computes in, on a GTX 1660"] == "torch.float32"


def test_a_full_card_is_told_with_sizes(played: dict[str, Any]) -> None:
    assert "there is not enough memory (0.0 GB of 8.6 GB are free on cuda:0)" in played["no room"]
