"""The lanes: which tests, in an environment with what installed. tests/lanes.py runs them.

A lane with `newest` is pinned like every other, so that one commit means one result; `make newest` lifts
the pins of the packages that it names there and takes the registry's newest release of that day.
Standard library only, because it is read before anything is installed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lane_needs import Python, find_chromium, find_compiler, find_models, starts

ROOT = Path(__file__).resolve().parent.parent
CORE = "not proxy and not browser and not webui"
BARE = ("pytest>=8.2,<10", "pytest-timeout>=2.3", "hypothesis>=6.100")
FRONTEND = "comfyui-frontend-package"
# Hundreds of answers through litellm: a minute, for the oldest and the newest litellm alone.
SHAPES = "tests/llm_backends/remote/litellm_sdk/scenarios/test_shapes.py"
# What a frontend can break: what we put on nodes, and the workflows that we ship.
DECORATIONS = (
    "tests/browser/test_answer_panel.py",
    "tests/browser/test_blueprints.py",
    "tests/browser/test_freeze.py",
    "tests/browser/test_shipped_workflows.py",
    "tests/browser/test_targets.py",
    "tests/browser/test_workflows.py",
)
# Nodes and the prompts that they send: for a frontend between the newest and the oldest, which run the rest.
BETWEEN = (
    "tests/browser/test_answer_panel.py",
    "tests/browser/test_freeze.py",
    "tests/browser/test_workflows.py",
)
REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.-]*)((?:\[[^\]]*\])?)")


def interpreter() -> str:
    """The Python that runs this, outside of any environment: none can be made out of itself."""
    return getattr(sys, "_base_executable", sys.executable)


@dataclass(frozen=True)
class Lane:
    """A lane: one run of pytest, its interpreter, its packages (`files` and `more`), and its tests.

    A requirement in `more` stands in for the one of the same package in `files`. `over` names a lane whose
    packages serve wherever this one has none of its own. `needs` finds what is no Python package, and returns
    the variables with which the tests find it.
    """

    venv: str
    select: tuple[str, ...]
    more: tuple[str, ...] = ()
    files: tuple[str, ...] = ("tests/requirements.txt",)
    python: str = field(default_factory=interpreter)
    paths: tuple[str, ...] = ("tests",)
    over: str = ""
    needs: Callable[[Python], dict[str, str]] = lambda python: {}
    newest: tuple[str, ...] = ()

    def requirements(self, lifted: bool = False) -> list[str]:
        """The requirements that pip installs; `lifted`: the packages of `newest` without their pins."""
        lines = [line for file in self.files for line in (ROOT / file).read_text("utf-8").splitlines()]
        found: dict[str, str] = {}
        for line in (*lines, *self.more):
            if match := REQUIREMENT.match(line):
                package, extras = match.groups()
                name = package.lower().replace("_", "-")
                found[name] = package + extras if lifted and name in self.newest else line.strip()
        return list(found.values())


def local(name: str, transformers: str, over: str = "") -> Lane:
    """The tests of local models, with the real torch, transformers and bitsandbytes on the CPU."""
    libraries = (
        "torch==2.13.0",
        f"transformers=={transformers}",
        "bitsandbytes==0.50.2",
        "accelerate==1.15.0",
        "pillow>=10.2",
    )
    paths = (
        "tests/llm_backends/local/transformers_local",
        "tests/llm_backends/scenarios/test_downloads.py",
        "tests/nodes/scenarios/test_local_model.py",
        "tests/interfaces/sdwebui/host/test_memory.py",
    )
    more = (*BARE, *libraries)
    return Lane(f".venv-{name}", ("-m", CORE), more, ("requirements.txt",), paths=paths, over=over)


def hosts_python() -> str:
    """The web UIs' own: their numpy and Pillow have no wheels for a newer one."""
    if sys.version_info < (3, 12):
        return interpreter()
    return next(filter(starts, ("python3.11", "python3.10")), "python3.11")


def gradio(version: str, *beside: str) -> Lane:
    """The web UIs' stand-in on that Gradio, with what the hosts pin beside it."""
    pins = ("httpx==0.24.1", "httpcore==0.15", "Pillow==9.5.0", "numpy==1.26.2", "playwright>=1.45")
    paths = (
        "tests/webui",
        "tests/interfaces/sdwebui",
        "tests/interfaces/http/test_adapters.py",
        "tests/test_install.py",
    )
    return Lane(
        f".venv-gradio{version[0]}",
        ("-m", "webui"),
        (*BARE, f"gradio=={version}", *beside, *pins),
        ("requirements.txt",),
        hosts_python(),
        paths=paths,
        needs=find_chromium,
    )


def bare(version: str, python: str = "") -> Lane:
    """The core suite on another Python with the pack's own requirements and nothing optional."""
    return Lane(f".venv-{version}", ("-m", CORE), BARE, ("requirements.txt",), python or f"python{version}")


def frontend(name: str, version: str) -> Lane:
    """The real frontend's package of that version: the whole browser suite on the newest, else its core."""
    pin = f"{FRONTEND}=={version}"
    paths, newest = (("tests/browser",), (FRONTEND,)) if name == "newest" else (DECORATIONS, ())
    return Lane(
        f".venv-frontend-{name}",
        ("-m", "browser"),
        (pin,),
        paths=paths,
        over="core",
        needs=find_chromium,
        newest=newest,
    )


def gguf(*paths: str, needs: Callable[[Python], dict[str, str]] = find_compiler) -> Lane:
    """The real llama.cpp. Not with the other local models: building it takes minutes."""
    libraries = ("torch==2.13.0", "transformers==5.23.0", "llama-cpp-python==0.3.36", "gguf==0.19.0")
    more = (*BARE, *libraries)
    return Lane(
        ".venv-gguf", ("-m", CORE), more, ("requirements.txt",), paths=paths, over="local", needs=needs
    )


def langchain(name: str, version: str) -> Lane:
    """Our models as LangChain's. Apart from the core: langchain-core brings a dozen packages along."""
    paths = ("tests/interfaces/langchain", "tests/test_docs.py")
    select = ("-m", CORE, "-k", "langchain")
    return Lane(
        f".venv-{name}", select, (*BARE, f"langchain-core=={version}"), ("requirements.txt",), paths=paths
    )


LANES = {
    "core": Lane(".venv", ("-m", CORE, f"--ignore={SHAPES}")),
    # The floor is what Forge can have (install.py's last candidate), with the openai it gets beside it.
    "litellm-oldest": Lane(
        ".venv-litellm-oldest",
        ("-m", CORE, "-k", "litellm"),
        (*BARE, "litellm==1.83.0", "openai==2.24.0"),
        ("requirements.txt",),
    ),
    # What `pip install litellm` brings today, with its openai; some calls are signed with cryptography.
    "litellm-newest": Lane(
        ".venv-litellm-newest",
        ("-m", CORE, "-k", "litellm"),
        (*BARE, "litellm==1.110.2", "openai==3.57.0", "cryptography==50.0.2"),
        ("requirements.txt",),
        newest=("litellm", "openai"),
    ),
    "proxy": Lane(
        ".venv-proxy",
        ("-m", "proxy"),
        (*BARE, "litellm[proxy]==1.106.2"),
        ("requirements.txt",),
        paths=("tests/proxy", "tests/deploy"),
    ),
    # Its releases and litellm's have to fit; it brings OpenTelemetry along.
    "langfuse": Lane(
        ".venv-langfuse",
        ("-m", CORE),
        (*BARE, "litellm==1.106.2", "langfuse==4.18.0"),
        ("requirements.txt",),
        paths=("tests/llm_backends/observers/test_litellm_callbacks.py",),
    ),
    # What users have today, and the one that ComfyUI 0.20.0 pins: the oldest that `requires-comfyui` implies.
    # Between them stands the frontend of tests/requirements.txt.
    "frontend-newest": frontend("newest", "1.58.1"),
    "browser": Lane(".venv", ("-m", "browser"), paths=BETWEEN, needs=find_chromium),
    "frontend-oldest": frontend("oldest", "1.42.15"),
    # The newest and the oldest that a host with a local model may have.
    "local": local("local", "5.23.0"),
    "local-oldest": local("local-oldest", "4.51.3", over="local"),
    "gguf": gguf(
        "tests/llm_backends/local/gguf",
        "tests/llm_backends/scenarios/test_downloads.py",
        "tests/nodes/scenarios/test_gguf.py",
    ),
    # In the same environment: real models of 100 and 250 MB, through llama.cpp and transformers. With a third
    # of 1.5 B parameters, which takes minutes a prompt, CI runs it day by day and `make bench` as well.
    "models": gguf("tests/models", needs=find_models),
    "langchain": langchain("langchain", "1.7.2"),
    "langchain-oldest": langchain("langchain-oldest", "0.3.0"),
    # The real Ray with two workers. Its wheels are larger than all else of the suite: CI runs it day by day.
    "ray": Lane(
        ".venv-ray",
        ("-m", CORE),
        (*BARE, "ray[data]==2.60.0", "pillow>=10.2"),
        ("requirements.txt",),
        paths=("tests/interfaces/ray",),
    ),
    # A1111 and Forge Classic; Forge and Forge Neo. Python 3.10 or 3.11, as there: numpy 1 and Pillow 9.
    "gradio3": gradio("3.41.2", "fastapi==0.94.0", "pydantic==1.10.20", "huggingface-hub==0.26.5"),
    "gradio4": gradio("4.40.0", "fastapi==0.104.1", "pydantic==2.8.2", "huggingface-hub==0.26.2"),
    **{f"python{version}": bare(version) for version in ("3.10", "3.11", "3.12", "3.13")},
}

# What `make test` runs: the longest first, so that all ends together, and a lane that trains a tiny model
# well before those that find it trained.
ALL = [
    "frontend-newest",
    "local",
    "core",
    "models",
    "gradio4",
    "gradio3",
    "browser",
    "frontend-oldest",
    "local-oldest",
    "gguf",
    "proxy",
    "litellm-oldest",
    "litellm-newest",
]
ALL += ["lint", "langfuse", "langchain", "langchain-oldest"]

# What `make newest` runs, day by day on a schedule: with the registry's newest instead of the pins.
NEWEST = ["frontend-newest", "frontend-oldest", "litellm-newest"]
