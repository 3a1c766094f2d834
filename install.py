"""The entry point of extension managers: it adds packages that the host lacks, and moves none that are there.

ComfyUI-Manager runs this once after requirements.txt; A1111, Forge and SD.Next run it at every start and
never read requirements.txt. So it asks nothing, answers at once when there is nothing to do or when the
same environment has refused before, and exits with 0: a host must start without us.

    python install.py                          QUILLWORK_INSTALL_FORCE=1 tries again at once
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterable, Iterator

# All of it in one file: the portable ComfyUI's Python (`python_embeded`) finds no module beside a script.
# The other modules are imported where they are used: most runs find everything here and need none of them,
# and importlib.metadata alone would cost more than all of this file.

NEEDS = ("PyYAML", "aiohttp", "json-repair")

# litellm, with the openai to take beside it where the host has none: tried in this order and no others,
# because free backtracking downloads dozens of wheels. The newest that lives with a recent
# huggingface-hub; the newest pure-Python one with low floors; the last one without pins or high floors,
# which is what Forge's fastapi, httpx and pydantic leave room for.
CANDIDATES = (("1.102.4", "2.54.0"), ("1.91.0", "2.24.0"), ("1.83.0", "2.24.0"))
MALICIOUS = ("1.82.7", "1.82.8")
# What transformers asks for before it loads a 4-bit model, the second only with the first. Of no use without
# the two that hosts bring themselves. Newest first: for torch 2.4 and newer, 2.3, 2.2; the last one is the
# oldest that transformers 5 takes.
LOCAL_NEEDS_THE_HOSTS = {"torch": (2, 2), "transformers": (4, 51)}
# A web UI, whose start may import them, gets them once a local mode is chosen there: it asks every time.
LOCAL = {"bitsandbytes": ("0.50.2", "0.49.2", "0.46.1"), "accelerate": ("1.15.0",)}
_LOCAL_MODE = re.compile(r"(?m)^[^#\n]*\bhf_(local|download)\b")
# Where these are missing, the host has its own idea of when and how they come.
LEFT_TO_THE_HOST = {"torch", "torchvision", "torchaudio", "transformers", "numpy", "bitsandbytes", "xformers"}

RESOLVE_SECONDS, INSTALL_SECONDS = 180, 900
RETRY_AFTER = {"refused": 7 * 86400, "unreachable": 86400}
WITHOUT_LITELLM = (
    "Everything except direct cloud providers works: set LLM_BASE_URL to an OpenAI-compatible "
    "server (Ollama, vLLM, a LiteLLM proxy), or use a local model or the phrasebook."
)

WITHOUT_LOCAL = (
    "Local models will be loaded unquantized, which takes about three times the memory. "
    "Everything else works."
)

_METADATA = re.compile(r"(.+?)(?:-([^-]+))?(?:-py[\d.]+)?\.(?:dist-info|egg-info|egg)")
_VERSION = r"(\d+!)?\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9]+([._-][a-z0-9]+)*)?"


class Refused(Exception):
    """Impossible here; `names` are the installed distributions that conflict."""

    def __init__(self, names: Iterable[str] = (), reason: str = "no version is compatible") -> None:
        super().__init__(reason)
        self.names = sorted(names)
        self.why = f"without changing {', '.join(self.names)}" if self.names else f"here ({reason})"


class Unreachable(Exception):
    """No index answered, or not in time, or the download broke: it may work later."""


def main(arguments: list[str]) -> int:
    if arguments:
        print(__doc__)
        return 0 if arguments[0] in ("-h", "--help") else 2
    try:
        lines = ensure(force=os.environ.get("QUILLWORK_INSTALL_FORCE", "") not in ("", "0"))
    except Exception as error:  # noqa: BLE001 - whatever it is, the host's start must not end here
        lines = [f"install.py stopped ({type(error).__name__}: {error}). {WITHOUT_LITELLM}"]
    for line in lines:
        print(f"Quillwork: {line}")
    return 0


def ensure(*, force: bool = False) -> list[str]:
    """Add missing packages; return the plain lines to show."""
    before = installed()
    lines, transformers = _about_litellm(before.get("litellm")), _about_transformers(before)
    missing = [name for name in (*NEEDS, "litellm", *_local(before)) if _normal(name) not in before]
    if not missing:
        if sys.stdout.isatty():
            return [*lines, *transformers] or ["all requirements are installed."]
        return lines
    if not force and (failure := _remembered(before)):
        return [f"{failure} (Tried before. Set QUILLWORK_INSTALL_FORCE=1 to try again now.)"]
    if sys.stdout.isatty():
        print("Quillwork: looking for optional packages. This takes a minute and happens once.", flush=True)

    tool, seen, kind = Installer(), set(_distributions()), "refused"
    added: dict[str, str] = {}
    trouble: list[str] = []
    try:
        for name in missing:
            try:
                if name == "litellm":
                    added |= tool.add_first([(f"litellm=={v}", f"openai=={o}") for v, o in CANDIDATES])
                elif name in LOCAL:
                    added |= tool.add_first([(f"{name}=={version}", "") for version in LOCAL[name]])
                else:
                    added |= tool.add([name])
            except Refused as refusal:
                trouble.append(f"{name} could not be installed {refusal.why}. {_without([name])}")
                if name in LOCAL:
                    break  # the second is for the first
    except Unreachable as failure:
        waiting = [name for name in missing if _normal(name) not in added]
        trouble.append(f"{', '.join(waiting)} could not be downloaded ({failure}). {_without(waiting)}")
        kind = "unreachable"

    if moved := sorted(seen - set(_distributions())):
        old = ", ".join(f"{name}=={version}" for name, version in moved)
        lines.append(f"the installer changed installed packages. Restore them with: pip install {old}")
    elif added:
        lines.append(
            f"{', '.join(f'{n} {v}' for n, v in added.items())} installed; nothing else was changed."
        )
    if trouble:
        # What was added on the way belongs to the environment that the next start will meet.
        _remember(installed(), " ".join(trouble), kind)
    # Only where something was tried: a web UI would print it at every start.
    return lines + trouble + transformers


def _local(before: dict[str, str]) -> tuple[str, ...]:
    """The packages that local models want on a host that has torch and transformers."""
    fits = all(_numbers(before.get(name)) >= oldest for name, oldest in LOCAL_NEEDS_THE_HOSTS.items())
    return tuple(LOCAL) if fits and (not _is_in_web_ui() or _is_local_chosen()) else ()


def _is_in_web_ui() -> bool:
    return os.path.basename(os.path.dirname(_pack())).startswith("extensions")


def _is_local_chosen() -> bool:
    """Tell whether the environment, a file of settings or the host's page names a mode that loads models."""
    if _LOCAL_MODE.search(os.environ.get("LLM_MODE", "")):
        return True
    for file in _settings_files():
        try:
            with open(file, encoding="utf-8", errors="replace") as opened:
                if _LOCAL_MODE.search(opened.read()):
                    return True
        except OSError:
            continue
    return False


def _settings_files() -> Iterator[str]:
    """The files in which a mode may have been chosen; most of them do not exist."""
    import json

    ours = _user_folder("APPDATA", "Roaming", "Application Support", "XDG_CONFIG_HOME", ".config")
    homes, root = [os.environ.get("QUILLWORK_HOME") or ours], os.path.dirname(os.path.dirname(_pack()))
    pages = [os.path.join(root, "config.json")]
    for notes in (os.path.join(_pack(), ".hosts.json"), os.path.join(ours, "hosts.json")):
        try:  # what a host wrote down at its latest start
            with open(notes, encoding="utf-8") as file:
                rows = [row for row in json.load(file)["hosts"] if row["pack"] == _pack()]
            homes += [str(row["home"]) for row in rows]
            pages += [str(row["page"]) for row in rows if row["page"]]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    for page in pages:
        # Beside it lie the values that the page's fields begin with.
        yield from (page, os.path.join(os.path.dirname(page), "ui-config.json"))
    for home in homes:
        yield from (os.path.join(home, name) for name in (".env", "quillwork.yaml"))


def _pack() -> str:
    return os.path.dirname(os.path.abspath(__file__))


def _without(names: list[str]) -> str:
    """Say what the lack of `names` means for the user."""
    meanings = {"litellm": WITHOUT_LITELLM, **dict.fromkeys(LOCAL, WITHOUT_LOCAL)}
    if set(names) <= meanings.keys():
        return " ".join(dict.fromkeys(meanings[name] for name in names))
    return f"Quillwork needs {'it' if len(names) == 1 else 'them'}."


def _numbers(version: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version or "")[:2])


def _about_litellm(version: str | None) -> list[str]:
    if version in MALICIOUS:
        return [
            f"litellm {version} is a compromised release: uninstall it, replace every key on this "
            "machine, and run install.py again."
        ]
    if version and _numbers(version) < (1, 83):
        return [
            f"litellm {version} is older than 1.83 and was not updated: direct cloud providers may not "
            "work. LLM_BASE_URL does not need litellm."
        ]
    return []


def _about_transformers(before: dict[str, str]) -> list[str]:
    """Say what is missing on a host that brings an older transformers than local models need."""
    version, oldest = before.get("transformers"), LOCAL_NEEDS_THE_HOSTS["transformers"]
    if version is None or _numbers(version) >= oldest:
        return []
    return [
        f"local models need transformers {'.'.join(map(str, oldest))} or newer; the installed "
        f"version {version} was not updated. GGUF files and the other modes do not need it."
    ]


def installed() -> dict[str, str]:
    """The distributions that this Python imports, normalised name -> version: the first found counts."""
    return dict(reversed(list(_distributions())))


def _distributions() -> Iterator[tuple[str, str]]:
    """The names and versions of the metadata folders; a development install may hide its version."""
    for folder in sys.path:
        try:
            entries = [os.path.basename(folder), *os.listdir(folder or ".")]
        except OSError:
            continue
        for entry in entries:
            if match := _METADATA.fullmatch(entry):
                yield _normal(match[1]), match[2] or "?"


def constraints(before: dict[str, str]) -> list[str]:
    """One valid ``name==version`` line for each installed distribution, none for an odd one."""
    valid = re.compile(rf"[a-z0-9]([a-z0-9-]*[a-z0-9])?=={_VERSION}", re.I)
    return [line for n, v in sorted(before.items()) if valid.fullmatch(line := f"{n}=={v}")]


class Installer:
    """The installer: pip, or uv where there is none, with wheels only, under constraints, after a dry run."""

    def __init__(self) -> None:
        from importlib.util import find_spec
        from shutil import which

        python = [sys.executable, "-s"] if sys.flags.no_user_site else [sys.executable]
        self.uv = not find_spec("pip")
        self.command = [*python, "-m", "pip", "install", "--retries", "2", "--progress-bar", "off"]
        if self.uv:
            uv = [path] if (path := which("uv")) else [*python, "-m", "uv"] if find_spec("uv") else []
            self.command = [
                *uv,
                "pip",
                "install",
                "--python",
                sys.executable,
                "--no-progress",
                "--color",
                "never",
            ]
            self.command = self.command if uv else []

    def add_first(self, candidates: list[tuple[str, str]]) -> dict[str, str]:
        """Install the first of `candidates` that fits: (packages, the `beside` of `add`)."""
        refusal = Refused()
        for wanted, beside in candidates:
            try:
                return self.add([wanted], beside)
            except Refused as latest:
                # The last candidate asks for the least: what stops that one is what stands in the way.
                refusal = latest if latest.names or not refusal.names else refusal
        raise refusal

    def add(self, wanted: list[str], beside: str = "") -> dict[str, str]:
        """Install `wanted`; return name -> version of it. `beside` pins a dependency that is not there yet.

        Raises `Refused`, having installed nothing, when it would move something, and `Unreachable` when
        the index or the download fails.
        """
        import tempfile
        from pathlib import Path

        if not self.command:
            raise Refused(reason="this Python has neither pip nor uv")
        before = installed()
        pins = constraints(before)
        if beside and beside.partition("==")[0] not in before:
            pins.append(beside)
        # Not in the pack's folder nor the host's: both hold modules that would shadow pip's own.
        with tempfile.TemporaryDirectory() as folder:
            limits = Path(folder, "constraints.txt")
            limits.write_text("\n".join(pins), "utf-8")
            call = [*self.command, *wanted, "--only-binary", ":all:", "-c", str(limits)]
            plan = self._plan(call, folder, wanted, before)
            asked = {_normal(requirement.partition("==")[0]) for requirement in wanted}
            if moved := {_normal(name) for name, _ in plan} & (before.keys() | LEFT_TO_THE_HOST - asked):
                raise Refused(moved)
            # The plan joins the constraints: what was looked at is what comes.
            limits.write_text("\n".join([*pins, *(f"{name}=={version}" for name, version in plan)]), "utf-8")
            _run(call, folder, INSTALL_SECONDS, wanted, before)
        after = installed()
        names = [_normal(requirement.partition("==")[0]) for requirement in wanted]
        if lost := [name for name in names if name not in after]:
            raise Unreachable(f"the installer reported success, but {', '.join(lost)} is missing")
        return {name: after[name] for name in names}

    def _plan(
        self, call: list[str], folder: str, wanted: list[str], before: dict[str, str]
    ) -> list[tuple[str, str]]:
        import json

        if self.uv:
            text = _run([*call, "--dry-run"], folder, RESOLVE_SECONDS, wanted, before)
            return re.findall(r"(?m)^ [+~-] ([\w.-]+)==(\S+)", text)
        if _numbers(before.get("pip", "0")) < (22, 2):
            return []  # This pip has no plan to show; the constraints alone hold it.
        report = os.path.join(folder, "report.json")
        _run([*call, "--dry-run", "--report", report], folder, RESOLVE_SECONDS, wanted, before)
        with open(report, encoding="utf-8") as file:
            steps = [step["metadata"] for step in json.load(file)["install"]]
        return [(step["name"], step["version"]) for step in steps]


def _run(call: list[str], folder: str, seconds: int, wanted: list[str], before: dict[str, str]) -> str:
    import subprocess

    try:
        done = subprocess.run(
            call,
            cwd=folder,
            env={**os.environ, "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise Unreachable(f"no response within {seconds} s") from None
    if done.returncode != 0:
        raise _verdict(done.stdout, wanted, before)
    return done.stdout


def _verdict(output: str, wanted: list[str], before: dict[str, str]) -> Refused | Unreachable:
    """Read a failed pip's or uv's output as one of our two errors."""
    asked = "|".join(re.escape(requirement.partition("==")[0]) for requirement in wanted)
    # pip without an answer knows no version of what it was asked for; uv has not found it at all.
    absent = rf"requirement ({asked})\b.*\(from versions: none\)|Because ({asked}) was not found"
    if re.search(rf"(?i){absent}|Failed to fetch|error sending request", output):
        return Unreachable("the package index does not respond, or does not have it")
    problem = next(
        (line for line in output.splitlines() if re.match(r"(?i)\s*error\b", line)), "no reason given"
    )
    problem = re.sub(r"//[^/@\s]+@", "//", re.sub(r"(?i)^\s*error: *", "", problem)).rstrip(". ")[:200]
    # pip: "The user requested (constraint) x==1"; uv: "and x==1, we can conclude".
    named = re.findall(r"\(constraint\) ([\w.-]+)==", output) or re.findall(
        r"\b([A-Za-z][\w.-]*)==\d", output
    )
    if re.search(r"conflicting dependencies|ResolutionImpossible|No solution found", output):
        return Refused({_normal(name) for name in named} & before.keys(), problem)
    if re.search(r"No matching distribution|externally.managed", output):
        return Refused(reason=problem)
    return Unreachable(problem)


def _state_file() -> str:
    """The state file: a small one for each environment, in the platform's cache folder."""
    import hashlib

    cache = _user_folder("LOCALAPPDATA", "Local", "Caches", "XDG_CACHE_HOME", ".cache")
    environment = hashlib.sha256(sys.prefix.encode()).hexdigest()[:16]
    return os.path.join(cache, f"install-{environment}.json")


def _user_folder(windows: str, in_app_data: str, in_library: str, linux: str, in_home: str) -> str:
    """The pack's folder in one of the platform's own for this user."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        folder = os.environ.get(windows) or os.path.join(home, "AppData", in_app_data)
    elif sys.platform == "darwin":
        folder = os.path.join(home, "Library", in_library)
    else:
        folder = os.environ.get(linux) or os.path.join(home, in_home)
    return os.path.join(folder, "quillwork")


def _fingerprint(present: dict[str, str]) -> str:
    """A fingerprint that changes with anything that could let another try end differently."""
    import hashlib
    from shutil import which

    facts = [sys.version, sys.platform, which("uv"), NEEDS, CANDIDATES, LOCAL, sorted(present.items())]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _remembered(present: dict[str, str]) -> str | None:
    import json

    try:
        with open(_state_file(), encoding="utf-8") as file:
            state = json.load(file)
        fresh = 0 <= time.time() - float(state["time"]) < RETRY_AFTER[state["kind"]]
        return str(state["failure"]) if fresh and state["environment"] == _fingerprint(present) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(present: dict[str, str], failure: str, kind: str) -> None:
    import json

    state = {"environment": _fingerprint(present), "failure": failure, "kind": kind, "time": time.time()}
    path = _state_file()
    draft = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(draft, "w", encoding="utf-8") as file:
            json.dump(state, file)
        os.replace(draft, path)
    except OSError:
        pass  # A folder that cannot be written costs the next start another try, and nothing more.


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
