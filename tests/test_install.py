"""install.py in throw-away environments, against an index of hand-made wheels: no network, no mocks."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
INSTALL = ROOT / "install.py"
NEEDS = ("PyYAML", "aiohttp", "json-repair")
ALL_FOUR = "pyyaml 6.0, aiohttp 6.0, json-repair 6.0, litellm 1.102.4"
STILL_WORKS = (
    "Everything except direct cloud providers works: set LLM_BASE_URL to an OpenAI-compatible server "
    "(Ollama, vLLM, a LiteLLM proxy), or use a local model or the phrasebook."
)


def make_wheel(
    folder: Path, name: str, version: str, requires: tuple[str, ...] = (), tag: str = "py3-none-any"
) -> Path:
    """A wheel with one empty module, valid for pip and uv."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    headers = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    headers += "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    contents = {
        f"{module}/__init__.py": "",
        f"{info}/METADATA": headers,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = ""
    for path, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    contents[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
    return wheel


def make_index(folder: Path) -> Path:
    """Make an index: the candidates with falling floors, better versions, and traps."""
    for name in NEEDS:
        make_wheel(folder, name, "6.0")
    make_wheel(folder, "hub", "0.26.2")
    make_wheel(folder, "hub", "1.0.0")
    make_wheel(folder, "pydantic", "2.8.2")
    make_wheel(folder, "pydantic", "2.12.0")
    for version in ("2.24.0", "2.54.0", "3.52.0"):
        make_wheel(folder, "openai", version)
    make_wheel(folder, "litellm", "1.102.4", ("openai>=2.20,<3", "hub>=1.0", "pydantic>=2.10"))
    make_wheel(folder, "litellm", "1.91.0", ("openai>=2.20,<3", "pydantic>=2.10"))
    make_wheel(folder, "litellm", "1.83.0", ("openai>=2.8", "pydantic>=2.5"))
    # Newer, older and poisoned ones that every resolver left to itself would take.
    for version in ("1.999.0", "1.82.8", "1.82.7", "0.6.6"):
        make_wheel(folder, "litellm", version)
    return folder


def make_trap(index: Path, folder: Path, name: str = "litellm", version: str = "1.91.0") -> Path:
    """Leave only a source distribution of one candidate; the path that its build would write."""
    remove(index, f"{name}-*")
    source = folder / f"{name}-{version}"
    source.mkdir()
    build = '[build-system]\nrequires = []\nbuild-backend = "trap"\nbackend-path = ["."]\n'
    (source / "pyproject.toml").write_text(build, "utf-8")
    (source / "PKG-INFO").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
    (source / "trap.py").write_text(f"open({str(folder / 'built')!r}, 'w')\n", "utf-8")
    shutil.make_archive(str(index / source.name), "gztar", folder, source.name)
    return folder / "built"


@dataclass
class Environment:
    """One virtual environment, its index and its own cache folder."""

    python: Path
    index: Path
    home: Path
    path: str = "/usr/bin:/bin"

    def variables(self) -> dict[str, str]:
        return {
            "PATH": self.path,
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "LOCALAPPDATA": str(self.home / "cache"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.index),
            "PIP_NO_CACHE_DIR": "1",
            "UV_NO_CONFIG": "1",
            "UV_OFFLINE": "1",
            "UV_FIND_LINKS": str(self.index),
            "UV_CACHE_DIR": str(self.home / "uv"),
        }

    def run(
        self, *arguments: str, cwd: Path | None = None, script: Path = INSTALL, **more: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.python), str(script), *arguments],
            env={**self.variables(), **more},
            cwd=cwd or ROOT,
            capture_output=True,
            text=True,
            timeout=100,
        )

    @property
    def site(self) -> Path:
        return next(self.python.parent.parent.glob("[Ll]ib*/**/site-packages"))

    def put(self, *wheels: str) -> None:
        """Unpack wheels of the index, as the host's own installer once did."""
        for wheel in wheels:
            name, _, version = wheel.partition("==")
            [file] = self.index.glob(f"{name.replace('-', '_')}-{version or '6.0'}-*.whl")
            for old in self.site.glob(f"{name.replace('-', '_')}-*.dist-info"):
                shutil.rmtree(old)
            zipfile.ZipFile(file).extractall(self.site)

    def versions(self) -> dict[str, str]:
        code = (
            "import json; from importlib import metadata as m;"
            "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
        )
        done = subprocess.run(
            [str(self.python), "-c", code], capture_output=True, text=True, env=self.variables()
        )
        return json.loads(done.stdout)

    def state_files(self) -> list[Path]:
        return sorted((self.home / "cache" / "quillwork").glob("install-*.json"))


def _venv(folder: Path, *options: str) -> Path:
    subprocess.run([sys.executable, "-m", "venv", *options, str(folder)], check=True, capture_output=True)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@pytest.fixture(scope="module")
def pip_folder(tmp_path_factory) -> Path:
    """A folder with one copy of pip, for all environments here to find through a .pth file."""
    python = _venv(tmp_path_factory.mktemp("base") / "venv")
    return next(python.parent.parent.glob("[Ll]ib*/**/site-packages"))


@pytest.fixture
def index(tmp_path) -> Path:
    return make_index(tmp_path / "index")


@pytest.fixture
def bare(tmp_path, pip_folder, index) -> Environment:
    """A host with pip and nothing else."""
    environment = Environment(_venv(tmp_path / "venv", "--without-pip"), index, tmp_path / "home")
    (environment.site / "pip.pth").write_text(str(pip_folder), "utf-8")
    return environment


@pytest.fixture
def environment(bare) -> Environment:
    """A host that lacks litellm only."""
    bare.put(*NEEDS)
    return bare


@pytest.fixture
def with_uv(tmp_path, index) -> Environment:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if not uv:
        pytest.skip("uv is not installed: pip install uv")
    python = _venv(tmp_path / "venv", "--without-pip")
    return Environment(python, index, tmp_path / "home", path=f"{Path(uv).parent}:/usr/bin:/bin")


def remove(index: Path, *patterns: str) -> None:
    for pattern in patterns:
        for wheel in index.glob(pattern):
            wheel.unlink()


class TestNothingMoves:
    def test_an_empty_host_gets_the_first_candidate_and_the_small_needs(self, bare):
        done = bare.run()

        assert done.returncode == 0
        assert done.stdout == f"Quillwork: {ALL_FOUR} installed; nothing else was changed.\n"
        assert bare.versions()["openai"] == "2.54.0"  # not the 3.52.0 of free resolution
        assert not bare.state_files()

    def test_what_the_host_has_keeps_its_version(self, environment):
        environment.put("hub==1.0.0", "pydantic==2.12.0", "openai==2.24.0")
        before = environment.versions()

        environment.run()

        after = environment.versions()
        assert after["litellm"] == "1.102.4"
        assert before.items() <= after.items()

    def test_a_conflict_takes_the_second_candidate(self, environment):
        environment.put("hub==0.26.2", "pydantic==2.12.0")

        done = environment.run()

        assert "litellm 1.91.0 installed; nothing else was changed." in done.stdout
        assert environment.versions()["hub"] == "0.26.2"

    def test_an_old_host_takes_the_last_candidate(self, environment):
        environment.put("hub==0.26.2", "pydantic==2.8.2")

        assert "litellm 1.83.0 installed; nothing else was changed." in environment.run().stdout
        assert environment.versions()["pydantic"] == "2.8.2"

    def test_an_older_pip_that_cannot_plan_is_held_by_the_constraints(self, environment):
        (environment.site / "pip-21.3.dist-info").mkdir()
        (environment.site / "pip-21.3.dist-info" / "METADATA").write_text(
            "Name: pip\nVersion: 21.3\n", "utf-8"
        )
        environment.put("hub==0.26.2", "pydantic==2.12.0")

        assert "litellm 1.91.0 installed; nothing else was changed." in environment.run().stdout
        assert environment.versions()["hub"] == "0.26.2"

    def test_torch_is_never_brought_in(self, environment, index):
        make_wheel(index, "torch", "2.9.0")
        remove(index, "litellm-1.102.4*", "litellm-1.91.0*")
        make_wheel(index, "litellm", "1.91.0", ("torch",))

        assert "litellm 1.83.0 installed" in environment.run().stdout
        assert "torch" not in environment.versions()

    def test_odd_distributions_do_not_spoil_the_constraints(self, environment, index):
        odd = "Metadata-Version: 2.1\nName: {}\nVersion: {}\n"
        for folder, text in {
            "~orch-2.1.0.dist-info": odd.format("~orch", "2.1.0"),
            "half-1.0.dist-info": None,
            "strange-1.0.unknown.x.dist-info": odd.format("strange", "1.0-unknown-x"),
            "lost.egg-info": None,
        }.items():
            (environment.site / folder).mkdir()
            if text:
                (environment.site / folder / "METADATA").write_text(text, "utf-8")
        make_wheel(index, "cuda-thing", "1.0+cu130")
        environment.put("cuda-thing==1.0+cu130")

        done = environment.run()

        assert "litellm 1.102.4 installed; nothing else was changed." in done.stdout
        assert environment.versions()["cuda-thing"] == "1.0+cu130"


class TestWhatIsChosen:
    def test_no_other_version_is_ever_tried(self, environment, index):
        remove(index, "litellm-1.102.4*", "litellm-1.91.0*", "litellm-1.83.0*")

        done = environment.run()

        assert done.returncode == 0
        assert "litellm" not in environment.versions()
        assert "litellm could not be installed here" in done.stdout

    def test_a_source_distribution_is_never_built(self, environment, index, tmp_path):
        trap = make_trap(index, tmp_path)

        done = environment.run()

        assert done.returncode == 0
        assert not trap.exists()
        assert "litellm" not in environment.versions()

    @pytest.mark.parametrize("version", ["1.82.7", "1.82.8"])
    def test_a_poisoned_version_is_named(self, environment, version):
        environment.put(f"litellm=={version}")

        done = environment.run()

        assert f"litellm {version} is a compromised release: uninstall it" in done.stdout

    def test_an_older_litellm_of_the_host_is_left_alone(self, environment, index):
        environment.put("litellm==0.6.6")

        done = environment.run()

        assert "litellm 0.6.6 is older than 1.83 and was not updated" in done.stdout
        assert environment.versions()["litellm"] == "0.6.6"


class TestWhereItCannotBe:
    @pytest.fixture
    def tight(self, environment, index):
        """A host on which no candidate fits."""
        make_wheel(index, "pydantic", "1.10.0")
        environment.put("pydantic==1.10.0")
        return environment

    def test_it_says_what_still_works_and_exits_with_0(self, tight):
        before = tight.versions()

        done = tight.run()

        assert done.returncode == 0
        assert (
            done.stdout
            == f"Quillwork: litellm could not be installed without changing pydantic. {STILL_WORKS}\n"
        )
        assert done.stderr == ""
        assert tight.versions() == before

    def test_the_refusal_is_remembered_for_this_environment_only(self, tight, index):
        tight.run()
        remove(index, "pydantic-1.10.0*")  # would show up if the installer were asked

        again = tight.run()

        assert "without changing pydantic" in again.stdout
        assert "Tried before. Set QUILLWORK_INSTALL_FORCE=1" in again.stdout
        tight.put("pydantic==2.12.0")
        assert "litellm 1.102.4 installed" in tight.run().stdout

    def test_force_tries_again(self, tight, index):
        tight.run()
        make_wheel(index, "litellm", "1.91.0")

        assert "litellm 1.91.0 installed" in tight.run(QUILLWORK_INSTALL_FORCE="1").stdout

    @pytest.mark.parametrize(("days", "tried"), [(6, False), (8, True), (-2, True)])
    def test_a_refusal_is_forgotten_after_a_week(self, tight, index, days, tried):
        tight.run()
        make_wheel(index, "litellm", "1.91.0")
        [file] = tight.state_files()
        state = json.loads(file.read_text())
        file.write_text(json.dumps({**state, "time": time.time() - days * 86400}))

        assert ("litellm 1.91.0 installed" in tight.run().stdout) is tried

    @pytest.mark.parametrize("text", ["[]", '{"time": "x"}', "\x00"])
    def test_a_damaged_state_file_counts_as_none(self, tight, index, text):
        tight.run()
        make_wheel(index, "litellm", "1.91.0")
        tight.state_files()[0].write_text(text)

        assert "litellm 1.91.0 installed" in tight.run().stdout

    def test_an_unwritable_cache_folder_is_fine(self, tight):
        (tight.home).mkdir(exist_ok=True)
        (tight.home / "cache").write_text("a file where the folder should be")

        for _ in range(2):
            done = tight.run()
            assert done.returncode == 0
            assert "without changing pydantic" in done.stdout
            assert "Tried before" not in done.stdout

    def test_without_an_index_it_stops_at_once_and_remembers_a_day(self, bare, tmp_path):
        environment = bare
        environment.index = tmp_path / "nowhere"

        done = environment.run()

        assert done.returncode == 0
        assert "PyYAML, aiohttp, json-repair, litellm could not be downloaded" in done.stdout
        assert "Tried before" in environment.run().stdout
        [file] = environment.state_files()
        state = json.loads(file.read_text())
        file.write_text(json.dumps({**state, "time": time.time() - 2 * 86400}))
        assert "Tried before" not in environment.run().stdout

    def test_neither_pip_nor_uv(self, tmp_path, index):
        environment = Environment(
            _venv(tmp_path / "venv", "--without-pip"), index, tmp_path / "home", path=""
        )

        done = environment.run()

        assert done.returncode == 0
        assert "litellm could not be installed here (this Python has neither pip nor uv)." in done.stdout
        assert "PyYAML could not be installed here" in done.stdout


UNQUANTISED = (
    "Local models will be loaded unquantized, which takes about three times the memory. "
    "Everything else works."
)


class TestLocalModels:
    """The packages of 4-bit models, where the host has torch and transformers."""

    @pytest.fixture
    def local(self, environment, index):
        """A host with litellm, torch and transformers, and an index with the floors of the real ones."""
        for version in ("2.1.0", "2.3.0", "2.9.0", "2.12.0"):
            make_wheel(index, "torch", version)
        for version in ("4.50.3", "4.51.3", "5.23.0"):
            make_wheel(index, "transformers", version)
        make_wheel(index, "psutil", "7.0")
        for version, torch in (("0.50.2", "2.4"), ("0.49.2", "2.3"), ("0.46.1", "2.2"), ("0.99", "2.0")):
            make_wheel(index, "bitsandbytes", version, (f"torch>={torch},<3",))
        for version in ("1.15.0", "9.0"):
            make_wheel(index, "accelerate", version, ("torch>=2.0.0", "psutil"))
        environment.put("litellm==1.91.0", "torch==2.9.0", "transformers==5.23.0")
        return environment

    def test_both_come_and_torch_stays(self, local):
        before = local.versions()

        done = local.run()

        assert done.stdout == (
            "Quillwork: bitsandbytes 0.50.2, accelerate 1.15.0 installed; nothing else was changed.\n"
        )
        assert before.items() <= local.versions().items()
        assert local.run().stdout == ""

    def test_an_older_torch_takes_an_older_one(self, local):
        local.put("torch==2.3.0", "transformers==4.51.3")

        assert "bitsandbytes 0.49.2, accelerate 1.15.0 installed" in local.run().stdout
        assert local.versions()["torch"] == "2.3.0"

    @pytest.mark.parametrize("host", [["torch==2.1.0"], ["transformers==4.50.3"]])
    def test_where_the_host_is_too_old_nothing_is_done(self, local, host):
        local.put(*host)
        local.index = local.home / "nowhere"

        assert local.run().stdout == ""
        assert not local.state_files()

    def test_an_older_transformers_is_told_of_when_something_is_added(self, local):
        """As on Forge: litellm comes, transformers stays, and a later start is silent."""
        local.put("transformers==4.50.3")
        for found in local.site.glob("litellm*"):
            shutil.rmtree(found)

        done = local.run()

        assert done.stdout == (
            "Quillwork: litellm 1.102.4 installed; nothing else was changed.\n"
            "Quillwork: local models need transformers 4.51 or newer; the installed version 4.50.3 was not "
            "updated. GGUF files and the other modes do not need it.\n"
        )
        assert local.versions()["transformers"] == "4.50.3"
        assert local.run().stdout == ""

    @pytest.fixture
    def script(self, tmp_path):
        """install.py where a web UI has it."""
        folder = tmp_path / "webui" / "extensions" / "my quillwork"
        folder.mkdir(parents=True)
        return Path(shutil.copy(INSTALL, folder))

    @pytest.mark.parametrize("mode", [None, "litellm", "gguf"])
    def test_a_web_ui_does_not_get_them_unasked(self, local, script, mode):
        """SD.Next imports bitsandbytes at every start, wherever it is."""
        if mode is not None:
            (script.parents[2] / "config.json").write_text(json.dumps({"quillwork_mode": mode}), "utf-8")
        for folder in (local.home / ".config" / "quillwork", script.parent):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / ".env").write_text("# LLM_MODE=hf_local\nLLM_MODEL=fox\n", "utf-8")

        assert local.run(script=script).stdout == ""
        assert "bitsandbytes" not in local.versions()

    @pytest.mark.parametrize("place", ["environment", "page", "fields", "moved page", ".env", "named home"])
    def test_a_web_ui_gets_them_once_a_local_mode_is_chosen(self, local, script, tmp_path, place):
        root, more = script.parents[2], {}
        assert local.run(script=script).stdout == ""
        if place == "environment":
            more = {"LLM_MODE": "hf_local"}
        elif place == "page":
            (root / "config.json").write_text('{"quillwork_mode": "hf_download"}', "utf-8")
        elif place == "fields":
            (root / "ui-config.json").write_text('{"quillwork.py/txt2img/Mode/value": "hf_local"}', "utf-8")
        elif place == "moved page":
            page = tmp_path / "data" / "config.json"
            page.parent.mkdir()
            page.write_text('{"quillwork_mode": "hf_download"}', "utf-8")
            note = {"host": "the web UI", "pack": str(script.parent), "home": "nowhere", "page": str(page)}
            (script.parent / ".hosts.json").write_text(json.dumps({"hosts": [note]}), "utf-8")
        else:
            home = local.home / ".config" / "quillwork" if place == ".env" else tmp_path / "named"
            home.mkdir(parents=True)
            (home / ".env").write_text("LLM_MODE = hf_local\n", "utf-8")
            more = {"QUILLWORK_HOME": str(home)} if place == "named home" else {}

        assert "bitsandbytes 0.50.2, accelerate 1.15.0 installed" in local.run(script=script, **more).stdout

    @pytest.mark.parametrize("lacks", ["torch", "transformers"])
    def test_torch_and_transformers_are_never_brought(self, local, lacks):
        for folder in local.site.glob(f"{lacks}*"):
            shutil.rmtree(folder)

        assert local.run().stdout == ""
        assert not {lacks, "bitsandbytes", "accelerate"} & local.versions().keys()

    def test_what_is_there_keeps_its_version(self, local, index):
        make_wheel(index, "bitsandbytes", "0.45.3", ("torch",))
        local.put("bitsandbytes==0.45.3")

        assert local.run().stdout == "Quillwork: accelerate 1.15.0 installed; nothing else was changed.\n"
        assert local.versions()["bitsandbytes"] == "0.45.3"

    def test_one_that_would_move_torch_is_refused_and_remembered(self, local, index):
        remove(index, "bitsandbytes-*")
        for version in ("0.50.2", "0.49.2", "0.46.1"):
            make_wheel(index, "bitsandbytes", version, ("torch>=2.12",))

        done = local.run()

        assert done.returncode == 0
        assert done.stdout == (
            f"Quillwork: bitsandbytes could not be installed without changing torch. {UNQUANTISED}\n"
        )
        assert local.versions()["torch"] == "2.9.0"
        assert "accelerate" not in local.versions()
        assert "Tried before" in local.run().stdout

    def test_a_source_distribution_is_never_built(self, local, index, tmp_path):
        remove(index, "bitsandbytes-*")
        trap = make_trap(index, tmp_path, "bitsandbytes", "0.50.2")

        assert local.run().returncode == 0
        assert not trap.exists()
        assert "bitsandbytes" not in local.versions()

    def test_without_an_index_it_says_what_still_works(self, local, tmp_path):
        local.index = tmp_path / "nowhere"

        out = local.run().stdout

        assert out.startswith("Quillwork: bitsandbytes, accelerate could not be downloaded (")
        assert UNQUANTISED in out
        assert "Tried before" in local.run().stdout

    def test_litellm_alone_does_not_bring_it(self, environment, index):
        for name in ("bitsandbytes", "accelerate"):
            make_wheel(index, name, "1.0")
        remove(index, "litellm-*")
        for version in ("1.102.4", "1.91.0", "1.83.0"):
            make_wheel(index, "litellm", version, ("bitsandbytes",))

        assert "litellm could not be installed" in environment.run().stdout
        assert "bitsandbytes" not in environment.versions()


def children_s() -> float:
    """The processor's time that ended children have taken, which other programs do not lengthen."""
    return os.times().children_user + os.times().children_system


class TestHosts:
    def test_a_satisfied_environment_is_silent_and_quick(self, environment):
        environment.put("litellm==1.91.0")
        environment.index = environment.home / "nowhere"

        begin = children_s()
        done = environment.run()

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert children_s() - begin < 2  # the figure itself is in benchmarks/imports.py

    def test_a_remembered_refusal_is_quick(self, environment):
        environment.index = environment.home / "nowhere"
        environment.run()

        begin = children_s()
        environment.run()

        assert children_s() - begin < 2

    def test_as_a_web_ui_runs_it(self, environment, tmp_path):
        """PYTHONPATH and the working directory are the web UI's root; what lies there is not imported."""
        root = tmp_path / "webui"
        root.mkdir()
        for name in ("launch.py", "modules.py", "extern.py"):
            (root / name).write_text("raise SystemExit('the host was imported')\n")

        done = environment.run(cwd=root, PYTHONPATH=str(root))

        assert "litellm 1.102.4 installed; nothing else was changed." in done.stdout

    def test_bad_usage_is_told_apart(self, environment):
        assert environment.run("upgrade").returncode == 2
        assert environment.run("--help").returncode == 0
        assert "litellm" not in environment.versions()

    def test_importing_it_does_nothing(self, environment):
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import install"
        done = subprocess.run(
            [str(environment.python), "-B", "-c", code],
            env=environment.variables(),
            capture_output=True,
            text=True,
        )

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert "litellm" not in environment.versions()


class TestUv:
    def test_uv_stands_in_for_a_missing_pip(self, with_uv):
        done = with_uv.run()

        assert done.returncode == 0
        assert done.stdout == f"Quillwork: {ALL_FOUR} installed; nothing else was changed.\n"
        assert with_uv.versions()["openai"] == "2.54.0"

    def test_a_conflict_takes_the_second_candidate(self, with_uv):
        with_uv.put("hub==0.26.2", "pydantic==2.12.0")

        assert "litellm 1.91.0 installed; nothing else was changed." in with_uv.run().stdout
        assert with_uv.versions()["hub"] == "0.26.2"

    def test_what_stands_in_the_way_is_named(self, with_uv, index):
        make_wheel(index, "pydantic", "1.10.0")
        with_uv.put("pydantic==1.10.0", *NEEDS)

        assert "litellm could not be installed without changing pydantic." in with_uv.run().stdout
        assert "Tried before" in with_uv.run().stdout

    def test_without_an_index(self, with_uv, tmp_path):
        (tmp_path / "nowhere").mkdir()
        with_uv.index = tmp_path / "nowhere"

        assert "litellm could not be downloaded" in with_uv.run().stdout

    def test_a_source_distribution_is_never_built(self, with_uv, index, tmp_path):
        trap = make_trap(index, tmp_path)

        with_uv.run()

        assert not trap.exists()
        assert "litellm" not in with_uv.versions()


def test_it_sees_the_distributions_that_importlib_sees():
    spec = importlib.util.spec_from_file_location("install_door", INSTALL)
    assert spec is not None
    assert spec.loader is not None
    door = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(door)
    expected: dict[str, str] = {}
    for distribution in metadata.distributions():
        expected.setdefault(door._normal(distribution.metadata["Name"]), distribution.version)

    assert door.installed() == expected
    assert len(door.constraints(expected)) == len(expected)


def test_requirements_name_no_versions():
    lines = [
        line
        for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert lines == list(NEEDS)
