"""The table of lanes: what each one installs and runs."""

from __future__ import annotations

import re

import pytest
from lane_table import ALL, LANES, NEWEST, REQUIREMENT, ROOT, SHAPES, Lane
from lanes import run_apart

PINNED = Lane(
    ".venv-none",
    (),
    ("litellm[proxy]==1.0", "comfyui_frontend_package==1.2.3", "httpx<1"),
    newest=("litellm", "comfyui-frontend-package"),
)


def package(requirement: str) -> str:
    match = REQUIREMENT.match(requirement)
    assert match, requirement
    return match[1].lower().replace("_", "-")


def test_a_lanes_own_requirement_stands_in_for_the_files():
    wanted = PINNED.requirements()
    assert {"litellm[proxy]==1.0", "comfyui_frontend_package==1.2.3", "httpx<1", "pillow>=10.2"} <= set(
        wanted
    )
    assert len({package(one) for one in wanted}) == len(wanted)


def test_only_what_the_lane_is_about_is_lifted():
    lifted = set(PINNED.requirements(lifted=True)) ^ set(PINNED.requirements())
    assert lifted == {
        "litellm[proxy]==1.0",
        "litellm[proxy]",
        "comfyui_frontend_package==1.2.3",
        "comfyui_frontend_package",
    }


@pytest.mark.parametrize("name", LANES)
def test_lane_is_whole(name):
    lane = LANES[name]
    assert [path for path in lane.paths if not (ROOT / path).exists()] == []
    # Pinned in `make test`: one commit means one result.
    pins = {package(one): one for one in lane.requirements()}
    assert [name for name in lane.newest if "==" not in pins[name]] == []
    # One Python has no use for the packages of another, nor is there a third environment below.
    assert not lane.over or (LANES[lane.over].python, LANES[lane.over].over) == (lane.python, "")


def test_what_the_core_leaves_out_runs_in_other_lanes():
    assert (ROOT / SHAPES).is_file() and f"--ignore={SHAPES}" in LANES["core"].select
    for name in ("litellm-oldest", "litellm-newest"):
        assert name in ALL and LANES[name].paths == ("tests",) and LANES[name].select[-1] in SHAPES


def test_what_the_frontend_in_the_middle_leaves_out_runs_on_the_newest_and_the_oldest():
    middle, oldest = (set(LANES[name].paths) for name in ("browser", "frontend-oldest"))
    assert middle < oldest and LANES["frontend-newest"].paths == ("tests/browser",)
    assert {"frontend-newest", "frontend-oldest"} <= set(ALL)


def test_real_models_are_part_of_every_run():
    assert "models" in ALL and LANES["models"].paths == ("tests/models",)
    # One environment, of which the compiling takes minutes.
    assert LANES["models"].venv == LANES["gguf"].venv


def test_lists_name_lanes():
    assert set(ALL) - {"lint"} <= set(LANES) and len(set(ALL)) == len(ALL)
    assert {name for name in LANES if LANES[name].newest} <= set(NEWEST) <= set(LANES)


@pytest.mark.parametrize(("mark", "lane"), [("browser", "frontend-newest"), ("proxy", "proxy")])
def test_no_test_lies_beside_the_lane_of_its_mark(mark, lane):
    """Such a lane collects the folders that it names and no others: a test elsewhere would run nowhere."""
    own = re.compile(rf"^pytestmark = .*mark\.{mark}\b", re.MULTILINE)
    marked = [file for file in (ROOT / "tests").rglob("test_*.py") if own.search(file.read_text("utf-8"))]
    folders = [ROOT / path for path in LANES[lane].paths]
    assert marked
    assert [str(file) for file in marked if not any(map(file.is_relative_to, folders))] == []


def test_a_lane_whose_runner_breaks_has_failed(tmp_path):
    outcome, counts, said = run_apart("nosuch", False, str(tmp_path))
    assert outcome == "FAILED: the runner ended with 2"
    assert counts == {"errors": 1}
    assert "No such lane: nosuch" in said


@pytest.mark.parametrize("file", [".github/workflows/test.yml", ".pre-commit-config.yaml", "CONTRIBUTING.md"])
def test_who_names_lanes_names_lanes_that_are_there(file):
    lines = re.findall(r"tests/lanes\.py ([a-z][\w. -]*)", (ROOT / file).read_text("utf-8"))
    named = {name for line in lines for name in line.split("  ")[0].split()}
    assert named
    assert named <= {*LANES, "lint", "environment", "newest"}


def test_the_page_for_contributors_names_every_lane():
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert {*LANES, "lint"} - named <= {"python3.11", "python3.12"}


def test_a_commit_is_checked_with_the_ruff_of_the_lanes():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    requirements = (ROOT / "tests" / "requirements.txt").read_text("utf-8")
    assert re.findall(r"rev: v(.+)", hooks) == re.findall(r"^ruff==(.+)$", requirements, re.MULTILINE)
