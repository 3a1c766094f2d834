"""The pages in docs/: their code runs, and prints what the page says that it prints.

All Python of a page is one program, run in a process of its own against the imitation server. A comment
behind a `print` is what comes out of it. Blocks marked `bash` are run, too, with a host at the address that
the pages call it by, and a comment at their end is in what they print; those marked `sh` are for the reader.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from host.fixtures import Hosts
from host.process import FOREIGN
from wire.answers import TEXT, Answer
from wire.server import WireServer

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))
# What a page's code needs besides the pack's own requirements.
NEEDS = {"langchain": ("langchain_core",), "http": ("openai", "PIL")}
ADDRESS = "http://127.0.0.1:8188"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRINTED = re.compile(r"^ *print\(.*\)  # (.+)$", re.MULTILINE)

# What the imitated model says to what the pages ask; to everything else it says TEXT.
SAYS = {
    "Colours of a fox?": '{"colours": ["red", "white"]}',
    "What do blue and yellow make?": "Blue and yellow make green.",
}
# A picture of one pixel.
FOX = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////"
    "////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAI"
    "AQEAAD8AN//Z"
)
CALLS = {"What do blue and yellow make?": ("mix", '{"one": "blue", "other": "yellow"}')}


def blocks(page: Path, kind: str) -> list[str]:
    return [code for found, code in BLOCK.findall(page.read_text("utf-8")) if found == kind]


def say(body: dict[str, Any]) -> str | Answer:
    messages = body["messages"]
    asked = next(message["content"] for message in reversed(messages) if message["role"] == "user")
    asked = asked if isinstance(asked, str) else ""
    if asked in CALLS and body.get("tools") and messages[-1]["role"] != "tool":
        ending, arguments = CALLS[asked]
        (name,) = (tool["function"]["name"] for tool in body["tools"])
        assert name.endswith(ending)
        return Answer(calls=[("call_1", name, arguments)], finish="tool_calls")
    return SAYS.get(asked, TEXT)


@pytest.fixture
def model(wire: WireServer) -> WireServer:
    wire.script("*", say)
    wire.models = ["llama3.2"]
    return wire


def settings(model: WireServer, home: Path) -> dict[str, str]:
    return {
        "QUILLWORK_HOME": str(home),
        "LLM_BASE_URL": f"{model.url}/v1",
        "LLM_MODEL": "llama3.2",
        "LLM_ENABLE_OPENAI_PROXY": "1",
        "LLM_PROXY_TOKEN": "a-token-of-yours",
    }


def layout(folder: Path) -> Path:
    """A folder to import ``quillwork`` from, as pip would have made it."""
    package = folder / "site" / "quillwork"
    package.mkdir(parents=True)
    (package / "__init__.py").symlink_to(ROOT / "package.py")
    for name in ("config", "interfaces", "llm_backends", "prompting", "safe_yaml.py"):
        (package / name).symlink_to(ROOT / name)
    return package.parent


def run(command: list[str], folder: Path, more: dict[str, str]) -> str:
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.search(name)}
    (folder / "fox.jpg").write_bytes(FOX)
    done = subprocess.run(command, cwd=folder, env=kept | more, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def host_address(request: pytest.FixtureRequest, model: WireServer, tmp_path: Path) -> str:
    """The address of the pages' host."""
    hosts: Hosts = request.getfixturevalue("host_factory")
    given = settings(model, tmp_path / "home")
    del given["QUILLWORK_HOME"]
    return hosts(given).base_url


def skip_without(libraries: tuple[str, ...]) -> None:
    for library in libraries:
        if find_spec(library) is None:
            pytest.skip(f"{library} is not installed here")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_of_a_page(
    page: Path, model: WireServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    skip_without(NEEDS.get(page.stem, ()))
    program = "\n".join(blocks(page, "python"))
    if not program:
        pytest.skip("there is no Python on this page")
    expected = PRINTED.findall(program)
    assert expected, "nothing on this page says what it prints"
    # The addresses of programs that a reader has: the host, and an Ollama.
    if ADDRESS in program:
        program = program.replace(ADDRESS, request.getfixturevalue("host_address"))
    program = program.replace("http://127.0.0.1:11434", model.url)
    more = {**settings(model, tmp_path / "home"), "PYTHONPATH": str(layout(tmp_path))}
    printed = run([sys.executable, "-c", program], tmp_path, more).splitlines()
    assert [line for line in printed if line in expected] == expected, "\n".join(printed)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "bash")], ids=lambda page: page.stem)
def test_the_commands_of_a_page(page: Path, model: WireServer, tmp_path: Path, host_address: str) -> None:
    skip_without(NEEDS.get(page.stem, ()))
    for code in blocks(page, "bash"):
        command, _, expected = code.partition("\n# ")
        command = command.replace(ADDRESS, host_address)
        printed = run(["bash", "-euo", "pipefail", "-c", command], tmp_path, {})
        for part in expected.splitlines():
            assert part.removeprefix("# ") in printed, code


def test_the_page_on_tools_names_them_all() -> None:
    from quillwork.llm_backends.tools import registry
    from quillwork.prompting import tools

    tools.register(tools.Surroundings(lambda: None, lambda: None, lambda: None))  # type: ignore[arg-type]
    ours = [name for name in registry.names() if not name.startswith("test")]
    named = re.findall(r"^\| `([a-z_.]+)` \|", (ROOT / "docs" / "tools.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(named) == ours


def test_the_page_on_migration_has_every_name_that_is_read_as_another() -> None:
    from quillwork.config.settings.variables import PROVIDER_ALIASES, PROXY_SWITCH, VARIABLES
    from quillwork.llm_backends import modes

    page = (ROOT / "docs" / "migration.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([A-Z_]+(?:=\w+)?)` \| (.+) \|$", page, re.MULTILINE))
    read_as = {alias: name for name, variable in VARIABLES.items() for alias in variable.aliases}
    read_as["LLM_REPO"] = "LLM_MODEL"
    read_as |= {f"LLM_MODE={alias}": f"LLM_MODE={row.name}" for row in modes.rows() for alias in row.aliases}
    assert set(rows) == {*read_as, *PROVIDER_ALIASES, f"{PROXY_SWITCH}=true", f"{PROXY_SWITCH}=false"}
    for alias, name in {**read_as, **PROVIDER_ALIASES}.items():
        assert f"`{name}`" in rows[alias], alias


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [page.name for page in PAGES if f"docs/{page.name}" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        if not link.startswith("http"):
            assert (page.parent / link).exists(), link


PLACE = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|yaml|md|toml|ini))`")
FOR_DEVELOPERS = ("docs/architecture.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


@pytest.mark.parametrize("page", FOR_DEVELOPERS)
def test_every_path_that_a_page_for_developers_names_is_there(page: str) -> None:
    named = PLACE.findall((ROOT / page).read_text("utf-8"))
    assert [place for place in named if not (ROOT / place).exists()] == []
    if page == "docs/architecture.md":
        assert len(named) > 50


def test_the_drawing_has_the_arrows_that_are_kept() -> None:
    from test_layering import ALSO, ARROWS

    drawing = ElementTree.parse(ROOT / "docs" / "images" / "architecture.svg")
    drawn = {element.get("id") for element in drawing.iter() if "arrow" in (element.get("class") or "")}
    kept = {f"{home}-{other}" for home, others in ARROWS.items() for other in others - {home}}
    kept |= {f"{file.partition('/')[0]}-{other}" for file, others in ALSO.items() for other in others}
    assert drawn - {None} == kept
