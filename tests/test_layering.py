"""Contracts over the source itself: which way imports run, what is imported late, what is never done."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("config", "interfaces", "llm_backends", "nodes", "prompting")

# Folder -> what it may import of ours; package.py is ``quillwork`` itself.
ARROWS = {
    "safe_yaml": set(),
    "llm_backends": {"llm_backends"},
    "prompting": {"prompting", "llm_backends", "safe_yaml"},
    "config": {"config", "llm_backends", "safe_yaml"},
    "nodes": {"nodes", "config", "prompting", "llm_backends"},
    "interfaces": {"interfaces", "config", "prompting", "llm_backends"},
}
# What package.py itself holds.
TOP = {"__version__", "MODES_OF"}
# The half of ComfyUI's door that opens the routes.
ALSO = {"nodes/host/http.py": {"interfaces"}}
LITELLM = "llm_backends/remote/litellm_sdk/"
TRANSFORMERS = "llm_backends/local/transformers_local/"
# Library -> the files that may import it, anywhere in them.
ONLY_IN = {
    "litellm": (LITELLM, "llm_backends/observers/litellm_callbacks.py"),
    "httpx": (LITELLM,),
    "openai": (LITELLM,),
    "transformers": (TRANSFORMERS,),
    "bitsandbytes": (TRANSFORMERS,),
    "llama_cpp": ("llm_backends/local/gguf/",),
    "requests": (),
    "dotenv": (),
    "pydantic": (),
    "anthropic": (),
    "langchain_core": ("interfaces/langchain/",),
    "ray": ("interfaces/ray/",),
    "pyarrow": ("interfaces/ray/",),
    "pickle": (),
    "comfy": ("nodes/",),
    "comfy_api": ("nodes/",),
    "folder_paths": ("nodes/",),
    "server": ("nodes/",),
    "gradio": ("interfaces/sdwebui/",),
    "modules": ("interfaces/sdwebui/",),
}
LATE = {
    "aiohttp",
    "yaml",
    "json_repair",
    "litellm",
    "openai",
    "httpx",
    "langchain_core",
    "ray",
    "pyarrow",
    "torch",
    "transformers",
    "numpy",
    "PIL",
}
MAY_BE_EARLY = (
    TRANSFORMERS,
    LITELLM,
    "interfaces/langchain/chat_",
    "interfaces/ray/worker",
    "interfaces/ray/parquet_",
)


def sources() -> list[str]:
    files = [ROOT / "safe_yaml.py", *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))]
    return sorted(file.relative_to(ROOT).as_posix() for file in files)


SOURCES = sources()


def parse(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text("utf-8"), file)


def walk(tree: ast.AST, *, early: bool = False, typed: bool = True) -> Iterator[ast.AST]:
    """All nodes, or with `early` only those that run (or would) when the module is imported; not `typed`:
    without what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if early and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if (early or not typed) and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from walk(node, early=early, typed=typed)


def imports(file: str, tree: ast.AST, *, early: bool = False) -> Iterator[str]:
    """Dotted names: ``.config.settings`` for ours, ``yaml`` for others'."""
    package = file.removesuffix(".py").split("/")[:-1]
    for node in walk(tree, early=early):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""
        elif isinstance(node, ast.ImportFrom):
            assert node.level - 1 <= len(package), f"{file} imports from above the package"
            base = package[: len(package) - (node.level - 1)] + (node.module or "").split(".")
            parts = [part for part in base if part]
            # `from .. import config` names a folder, `from .. import __version__` the package itself.
            names = [[*parts, alias.name] for alias in node.names] if not parts else [parts]
            yield from ("." + ".".join(name) for name in names)


def wrong_arrows(file: str, tree: ast.AST) -> list[str]:
    home = file.removesuffix(".py").split("/")[0]
    ours = [name[1:].split(".")[0] for name in imports(file, tree) if name.startswith(".")]
    allowed = ARROWS[home] | ALSO.get(file, set())
    return [top for top in ours if top not in allowed and top not in TOP]


def absolute(file: str, tree: ast.AST) -> list[str]:
    return [
        name for name in imports(file, tree) if name.split(".")[0] in {*FOLDERS, "quillwork", "safe_yaml"}
    ]


def misplaced(file: str, tree: ast.AST) -> list[str]:
    tops = {name.split(".")[0] for name in imports(file, tree) if not name.startswith(".")}
    return [top for top in sorted(tops & set(ONLY_IN)) if not file.startswith(ONLY_IN[top] or "-")]


def too_early(file: str, tree: ast.AST) -> list[str]:
    if file.startswith(MAY_BE_EARLY):
        return []
    return sorted({name.split(".")[0] for name in imports(file, tree, early=True)} & LATE)


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def prints(file: str, tree: ast.AST) -> list[str]:
    return [] if file.startswith("interfaces/cli/") else [name for name, _ in calls(tree) if name == "print"]


def swallowed(file: str, tree: ast.AST) -> list[str]:
    """List handlers that swallow a cancel: bare or of BaseException, without raising again."""
    found = []
    for node in walk(tree):
        if isinstance(node, ast.ExceptHandler):
            kind = ast.unparse(node.type) if node.type else ""
            broad = not kind or "BaseException" in kind
            if broad and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node)):
                found.append(kind or "bare except")
    return found


# A seed is the user's; nothing is drawn from the clock or from the generator that belongs to the host.
CLOCKS = {"time.time", "time.time_ns", "datetime.now", "datetime.datetime.now", "uuid.uuid1"}
CLOCKS_ARE_FINE = (
    "llm_backends/remote/token_exchange.py",
    "llm_backends/middleware/cache.py",
    "llm_backends/remote/status_errors.py",
    "llm_backends/remote/litellm_sdk/silent_log.py",
    "llm_backends/middleware/observe.py",
)


def unseeded(file: str, tree: ast.AST) -> list[str]:
    found = []
    for name, _ in calls(tree):
        if (
            name in CLOCKS
            and file not in CLOCKS_ARE_FINE
            and file.startswith(("prompting/", "llm_backends/"))
        ):
            found.append(name)
        if re.fullmatch(r"random\.(?!Random$|SystemRandom$)\w+", name):
            found.append(name)
    return found


def environment_writes(file: str, tree: ast.AST) -> list[str]:
    if file.startswith(ONLY_IN["litellm"]):  # has its own test: the environment is as it was afterwards
        return []
    found = [
        name
        for name, _ in calls(tree)
        if name.startswith(("os.environ.setdefault", "os.environ.update", "os.putenv"))
    ]
    for node in walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [
                ast.unparse(target) for target in targets if ast.unparse(target).startswith("os.environ")
            ]
    return found


def dangers(file: str, tree: ast.AST) -> list[str]:
    found = [
        name for name, _ in calls(tree) if name in ("eval", "exec", "os.system", "os.popen", "asyncio.run")
    ]
    for _, call in calls(tree):
        for keyword in call.keywords:
            shown = f"{keyword.arg}={ast.unparse(keyword.value)}"
            if shown in ("verify=False", "ssl=False", "shell=True", "trust_env=True", "allow_redirects=True"):
                found.append(shown)
    return found


def undated(file: str, tree: ast.AST) -> list[str]:
    has_code = any(not isinstance(node, ast.Expr) for node in ast.iter_child_nodes(tree))
    return ["__future__"] if has_code and "__future__" not in imports(file, tree) else []


# Nobody but its owner names a mode: all others ask its row in `llm_backends/modes.py` for what they need.
MODES = {
    *("litellm", "hf_download", "hf_local", "gguf", "host_encoder", "openai_compatible", "phrasebook"),
    "z_image",
}
NAMES_A_MODE = {
    "llm_backends/modes.py": MODES,
    "prompting/phrasebook/__init__.py": {"phrasebook"},
    "prompting/phrasebook/backend.py": {"phrasebook"},
    "prompting/phrasebook/lists.py": {"phrasebook"},
    # The library of that name.
    "config/diagnostics/bug_report.py": {"litellm"},
    "config/diagnostics/health.py": {"litellm"},
    "config/providers/litellm_table.py": {"litellm"},
    "config/models/update_model_facts.py": {"litellm"},
    "llm_backends/remote/litellm_sdk/errors.py": {"litellm"},
    "llm_backends/remote/litellm_sdk/faults.py": {"litellm"},
    "llm_backends/remote/litellm_sdk/presence.py": {"litellm"},
    # A word of `on_error`.
    "prompting/enhance.py": {"phrasebook"},
    "prompting/tasks.py": {"phrasebook"},
    # The image models of that name.
    "interfaces/sdwebui/host/checkpoint.py": {"z_image"},
}


def named_modes(file: str, tree: ast.AST) -> list[str]:
    texts = {node.value for node in walk(tree) if isinstance(node, ast.Constant)}
    return sorted((texts & MODES) - NAMES_A_MODE.get(file, set()))


SCRIPTS = sorted(
    file.relative_to(ROOT).as_posix()
    for folder in ("web", "javascript")
    for file in (ROOT / folder).rglob("*.js")
)
# As a text of its own, as a key of an object, or at the end of the key of a text.
A_MODE_IN_A_SCRIPT = re.compile(rf"""(?<=["'`.])({"|".join(MODES)})(?=["'`])|\b({"|".join(MODES)})(?=\s*:)""")


def modes_named_in(script: str) -> list[str]:
    code = re.sub(r"^\s*(//|/?\*).*$", "", script, flags=re.MULTILINE)
    return sorted({first or second for first, second in A_MODE_IN_A_SCRIPT.findall(code)})


def test_no_script_names_a_mode():
    """A page takes the modes from the host's answer to `config`, so that another pack's is one of them."""
    named = {file: modes_named_in((ROOT / file).read_text("utf-8")) for file in SCRIPTS}
    assert {file: found for file, found in named.items() if found} == {}


def test_a_mode_in_a_script_is_seen():
    assert modes_named_in('if (record.mode === "phrasebook") {') == ["phrasebook"]
    assert modes_named_in("const LISTS = { gguf: [`litellm`] };") == ["gguf", "litellm"]
    assert modes_named_in('t("modes.hf_local", "Local model in a folder")') == ["hf_local"]
    assert modes_named_in("// A gguf file.\nconst ggufFiles = `gguf files`;") == []


# What only `config/host_profile.py` calls, so that a host comes in at one place.
SETTERS = {
    *("use_host_home", "use_models_folder", "use_llm_folders", "use_host_settings", "use_library_folders"),
    *("use_program", "use_nodes", "use_arguments", "use_memory"),
}


def side_doors(file: str, tree: ast.AST) -> list[str]:
    if file == "config/host_profile.py":
        return []
    return [name for name, _ in calls(tree) if name.rpartition(".")[2] in SETTERS]


def climbing_words(file: str, tree: ast.AST) -> list[str]:
    """The words of the ground floor about the floors above it."""
    if not file.startswith("llm_backends/"):
        return []
    return re.findall("phrasebook", (ROOT / file).read_text("utf-8"), re.I)


CHECKS = [
    named_modes,
    climbing_words,
    side_doors,
    wrong_arrows,
    absolute,
    misplaced,
    too_early,
    prints,
    swallowed,
    unseeded,
    environment_writes,
    dangers,
    undated,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_source_keeps_its_contracts(check):
    found = {file: wrong for file in SOURCES if (wrong := check(file, parse(file)))}
    assert not found


@pytest.mark.parametrize(
    ("check", "file", "source"),
    [
        (side_doors, "nodes/x.py", "home.use_host_home(folder)"),
        (named_modes, "config/x.py", "def f(mode):\n    return mode in ('gguf', 'fox')"),
        (wrong_arrows, "llm_backends/x.py", "from ..config import settings"),
        (wrong_arrows, "llm_backends/middleware/x.py", "from ...prompting.clean import clean"),
        (wrong_arrows, "prompting/x.py", "def f():\n    from ..config.settings import load"),
        (wrong_arrows, "config/x.py", "from .. import prompting"),
        (wrong_arrows, "prompting/x.py", "from ..nodes import y"),
        (wrong_arrows, "config/x.py", "from ..interfaces.cli import y"),
        (wrong_arrows, "safe_yaml.py", "from .config import x"),
        (absolute, "config/x.py", "from quillwork.config import settings"),
        (absolute, "nodes/x.py", "import prompting.clean"),
        (misplaced, "config/x.py", "def f():\n    import litellm"),
        (misplaced, "llm_backends/x.py", "from httpx import Client"),
        (misplaced, "llm_backends/x.py", "import transformers.utils"),
        (misplaced, "prompting/x.py", "import folder_paths"),
        (too_early, "config/x.py", "import yaml"),
        (
            too_early,
            "llm_backends/x.py",
            "try:\n    from aiohttp import web\nexcept ImportError:\n    web = None",
        ),
        (too_early, "nodes/x.py", "class A:\n    import torch"),
        (prints, "nodes/x.py", "def f():\n    print(1)"),
        (swallowed, "nodes/x.py", "try:\n    f()\nexcept:\n    pass"),
        (swallowed, "nodes/x.py", "try:\n    f()\nexcept (ValueError, BaseException):\n    x = 1"),
        (unseeded, "prompting/x.py", "import time\nseed = int(time.time())"),
        (unseeded, "nodes/x.py", "import random\nx = random.choice([1])"),
        (environment_writes, "config/x.py", "import os\nos.environ['A'] = '1'"),
        (environment_writes, "config/x.py", "import os\nos.environ.setdefault('A', '1')"),
        (dangers, "config/x.py", "f(verify=False)"),
        (dangers, "nodes/x.py", "import asyncio\nasyncio.run(f())"),
        (undated, "nodes/x.py", "x = 1"),
    ],
)
def test_the_contracts_see_a_breach(check, file, source):
    assert check(file, ast.parse(source))


@pytest.mark.parametrize(
    ("check", "file", "source"),
    [
        (wrong_arrows, "nodes/x.py", "from ..config.choice import Choice\nfrom .. import __version__"),
        (wrong_arrows, "prompting/targets/x.py", "from ...safe_yaml import read_yaml\nfrom ..tasks import T"),
        (named_modes, "config/x.py", "def f(mode):\n    '''Not gguf.'''\n    return modes.of(mode).free"),
        (too_early, "config/x.py", "if TYPE_CHECKING:\n    import aiohttp\ndef f():\n    import yaml"),
        (swallowed, "nodes/x.py", "try:\n    f()\nexcept BaseException:\n    g()\n    raise"),
        (unseeded, "prompting/x.py", "import time, random\ntime.monotonic()\nrandom.Random(1).random()"),
        (undated, "nodes/x.py", '"""Nothing here."""'),
    ],
)
def test_the_contracts_see_no_ghosts(check, file, source):
    assert not check(file, ast.parse(source))


def edges(late: bool) -> dict[str, set[str]]:
    """Module -> the modules of ours that it imports: where it is imported itself, or with `late` anywhere."""
    names = {file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for file in SOURCES}
    found: dict[str, set[str]] = {}
    for file in SOURCES:
        name = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        package = file.split("/")[:-1]
        found[name] = set()
        for node in walk(parse(file), early=not late, typed=False):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = package[: len(package) - (node.level - 1)] + (node.module or "").split(".")
                whole = ".".join(part for part in base if part)
                for full in (f"{whole}.{alias.name}" for alias in node.names):
                    found[name] |= {full if full in names else whole} & names
        found[name].discard(name)
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Find circles: groups of modules each of which leads to itself."""
    reach = {name: set(targets) for name, targets in graph.items()}
    for middle in graph:
        for targets in reach.values():
            if middle in targets:
                targets |= reach[middle]
    around = {name for name in graph if name in reach[name]}
    return sorted({tuple(sorted(reach[name] & around)) for name in around})


@pytest.mark.parametrize("late", [False, True], ids=["at the top", "anywhere"])
def test_modules_go_in_no_circle(late):
    assert circles(edges(late)) == []


def test_a_circle_is_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [("a", "b", "c")]


# A host waits for what its start loads; all else is imported by the first call, list or request.
MOST_AT_A_START = 34


def loaded_by(start: str, graph: dict[str, set[str]]) -> set[str]:
    """Return the modules of ours that importing `start` loads, the packages that they lie in among them."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name and name not in found:
            found.add(name)
            waiting += [*graph.get(name, ()), name.rpartition(".")[0]]
    return found


def test_a_hosts_start_loads_little():
    loaded = loaded_by("nodes", edges(late=False))
    assert len(loaded) <= MOST_AT_A_START, sorted(loaded)


def test_what_a_start_loads_is_followed_into_packages():
    assert loaded_by("a.b", {"a.b": {"c.d"}, "c": {"e"}}) == {"a", "a.b", "c", "c.d", "e"}


# A reader finds a module by its folder: of more than so many beside each other some belong together.
MOST_LOOSE = 16


def test_no_folder_is_a_heap():
    loose = Counter(file.rpartition("/")[0] for file in SOURCES if not file.endswith("__init__.py"))
    assert {folder: count for folder, count in loose.items() if count > MOST_LOOSE} == {}


PROGRAM = """
import importlib.util, sys
root = sys.argv[1]
spec = importlib.util.spec_from_file_location(
    "quillwork", root + "/package.py", submodule_search_locations=[root])
sys.modules["quillwork"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
for name in sys.argv[2:]:
    importlib.import_module("quillwork." + name)
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_nothing_heavy_comes_along_with_the_core():
    names = [
        "llm_backends.model",
        "config.opening",
        "config.access.consent",
        "prompting.enhance",
        "prompting.generate_values",
    ]
    names += ["llm_backends.client", "interfaces.langchain", "prompting.chat", "prompting.tools"]
    names += [
        "prompting.templates.missing",
        "prompting.templates.resolve",
        "prompting.phrasebook",
        "interfaces.cli.main",
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT), *names], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert not {*LATE, "bitsandbytes", "pydantic", "requests", "comfy"} & set(done.stdout.split())
