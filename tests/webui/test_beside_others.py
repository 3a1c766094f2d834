"""Our extension beside others in a web UI: names, imports, start, prompts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from host.process import REPOSITORY
from wire.server import WireServer

from webui.client import Generated
from webui.fixtures import WebUIs
from webui.process import FOLDER, WebUI

NEIGHBOUR = Path(__file__).resolve().parent / "neighbour"
# By name: in the first case it is loaded before us, in the second after us.
NAMES = ["a neighbour", "z neighbour"]
REWRITER = Path(__file__).resolve().parent / "rewriter"
PHRASEBOOK = [{"enabled": True, "mode": "phrasebook", "seed": 5}]
# Imports that a start must not do, as modules that tell of it and are then as good as missing.
TRAPPED = ("litellm", "openai", "transformers", "torch", "bitsandbytes", "llama_cpp")
TRAP = "print('TRAPPED', __name__, flush=True)\nraise ImportError(f'{__name__} is a trap of the test')\n"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("style", ["a1111", "forge"])
def test_folders_of_the_same_names_do_not_meet(webui_factory: WebUIs, name: str, style: str) -> None:
    webui = webui_factory(style=style, fresh=True, extensions={name: NEIGHBOUR, FOLDER: REPOSITORY})

    report = webui.get("/neighbour").json()
    assert report["llm_backends"] == report["nodes_later"] == "the neighbour"
    assert "quillwork.llm_backends" in report["modules"]
    assert not any(Path(entry).resolve() == REPOSITORY for entry in report["path"] if entry)
    assert "Quillwork" in webui.txt2img("a fox", PHRASEBOOK).infotext


@pytest.fixture(params=["a rewriter", "z rewriter"])
def rewritten(request: pytest.FixtureRequest, webui_factory: WebUIs, wire: WireServer) -> WebUI:
    """A web UI with an extension like Dynamic Prompts, whose turn comes before ours or after it. The model
    writes “Photo of” before the idea."""
    wire.script("fox*", lambda body: f"Photo of {idea_in(body)}")
    env = {"LLM_BASE_URL": f"{wire.url}/v1", "LLM_MODEL": "fox"}
    return webui_factory(env, extensions={request.param: REWRITER, FOLDER: REPOSITORY})


def idea_in(body: dict[str, Any]) -> str:
    return body["messages"][-1]["content"].removeprefix("Idea:\n").split("\n")[0]


def texts(done: Generated) -> list[str]:
    return [text.split("\n", 1)[0] for text in done.infotexts]


def test_every_image_keeps_its_own_text_beside_dynamic_prompts(rewritten: WebUI) -> None:
    """Our variables by us, theirs by them, in every image, whichever of us has its turn first."""
    prompt, negative = "a {red|blue} {small|big} fox, __@daytime__, ${hat}", "{bad|worse} __@looks__"
    done = rewritten.txt2img(prompt, [{"per_image": True}], negative_prompt=negative, batch_size=2, n_iter=3)
    assert done.status == 200, done.error
    found = texts(done)
    assert len(found) == 6
    assert len({text.split(", <")[0] for text in found}) > 1, "all have the first one's"
    for place, text in enumerate(found):
        assert text.endswith(f", <{('day', 'night')[place % 2]}>, ${{hat}}"), text
        assert "{" not in text.replace("${hat}", "")
        assert f"Seed: {5 + place}," in done.infotexts[place]
        assert f"<{('ugly', 'plain')[place % 2]}>" in done.infotexts[place]
    alone = rewritten.txt2img(
        prompt, [{"per_image": True}], negative_prompt=negative, batch_size=2, n_iter=3,
        alwayson_scripts={"Dynamic Prompts v0": {"args": [False, False]}},
    )  # fmt: skip
    assert [text.split(", __@")[0] for text in texts(alone)] == [text.split(", <")[0] for text in found]


def test_variations_are_not_lost_beside_dynamic_prompts(rewritten: WebUI, wire: WireServer) -> None:
    wire.script("fox*", lambda body: f"written with {body['seed']}, __@daytime__")
    done = rewritten.txt2img("a fox by __@daytime__", [{"variations": 2}], batch_size=4)
    pair = ["written with 5, <day>", "written with 6, <night>"]
    assert texts(done) == pair * 2


def test_all_combinations_are_theirs_where_they_are_asked_for(rewritten: WebUI) -> None:
    every = {"Dynamic Prompts v0": {"args": [True, True]}}
    done = rewritten.txt2img(
        "a {red|blue} fox in {snow|rain|fog}", [{"variations": 3}], alwayson_scripts=every
    )
    places = ("snow", "rain", "fog")
    wanted = [f"Photo of a {colour} fox in {place}" for colour in ("red", "blue") for place in places]
    assert sorted(texts(done)) == sorted(wanted)


def test_the_wildcards_of_other_extensions_are_found(rewritten: WebUI) -> None:
    done = rewritten.txt2img("a __beast__", [{"parts": []}], batch_size=8)
    assert set(texts(done)) == {"a heron", "a otter"}
    assert "Quillwork left" not in done.infotext
    names = {one["name"]: one for one in rewritten.get("/quillwork/variables").json()["variables"]}
    assert names["beast"]["read_only"]


def test_no_library_of_a_model_is_loaded_at_the_start(webui_factory: WebUIs, tmp_path: Path) -> None:
    for name in TRAPPED:
        (tmp_path / f"{name}.py").write_text(TRAP, "utf-8")
    env = {"PYTHONPATH": str(tmp_path), "LLM_MODE": "phrasebook"}
    webui = webui_factory(env, style="a1111", fresh=True)

    assert "Quillwork" in webui.txt2img("a fox", [{"enabled": True}]).infotext
    assert "TRAPPED" not in webui.log()


def test_a_second_copy_says_so_and_stays_idle(webui_factory: WebUIs, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in REPOSITORY.iterdir():
        if not file.name.startswith("."):
            (copy / file.name).symlink_to(file, target_is_directory=file.is_dir())
    webui = webui_factory(fresh=True, extensions={"a copy": copy, FOLDER: REPOSITORY})

    assert webui.log().count("Quillwork is installed twice") == 1
    scripts = [script["name"] for script in webui.get("/sdapi/v1/script-info").json()]
    assert scripts.count("quillwork") == 2  # one in each tab
    assert "Quillwork" in webui.txt2img("a fox", PHRASEBOOK).infotext


def test_it_is_gone_when_the_folder_is(webui_factory: WebUIs) -> None:
    """The host's own result, byte for byte: the text is that of a disabled script."""
    with_us, without = webui_factory(), webui_factory(fresh=True, extensions={})
    assert with_us.txt2img("a fox, __x__").infotexts == without.txt2img("a fox, __x__").infotexts


def test_the_host_starts_when_install_py_finds_no_index(webui_factory: WebUIs, tmp_path: Path) -> None:
    """The launcher runs it at every start; here nothing can be fetched, the second time it is remembered."""
    env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    for sentence in ("could not be downloaded", "(Tried before."):
        webui = webui_factory(env, style="a1111", flags=("--install",), fresh=True)
        assert "Quillwork: litellm could not be downloaded" in webui.log()
        assert sentence in webui.log()
        assert "*** Error running install.py" not in webui.log()
        assert "Quillwork" in webui.txt2img("a fox", PHRASEBOOK).infotext
