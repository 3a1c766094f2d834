"""A web UI as a process: the stand-in on the Gradio of this interpreter, or a real Forge.

FORGE_PATH names a Forge, Forge Classic or Forge Neo, FORGE_PYTHON its interpreter, FORGE_MODELS a models
folder whose Stable-diffusion has a checkpoint.
Without them WEBUI_PYTHON may name another interpreter that has a Gradio for the stand-in.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from host.client import HostError
from host.process import COLOURS, REPOSITORY, bare_environment, end_process, free_port

from webui.client import Client

HERE = Path(__file__).resolve().parent
# As a user may have named it: nothing may depend on the folder's name.
FOLDER = "my-own quillwork (1)"
# Forge on a CPU: the smallest image, in the page too.
SMALL = {"steps": 1, "width": 64, "height": 64}
PAGE_STEPS = {f"customscript/sampler.py/{tab}/Sampling steps/value": 1 for tab in ("txt2img", "img2img")}
PAGE_SIZE = {f"sd_{task}_{side}": 64 for task in ("t2i", "i2i") for side in ("width", "height")}
# Forge Neo's preset has steps of its own, which its page takes when it is loaded.
PRESET_STEPS = {f"sd_{task}_step": 1 for task in ("t2i", "i2i")}
# Of these a host is given those that it knows: Forge Neo says --cpu.
FORGE_FLAGS = (
    "--always-cpu",
    "--cpu",
    "--skip-prepare-environment",
    "--skip-torch-cuda-test",
    "--skip-version-check",
    "--no-download-sd-model",
    "--no-hashing",
    "--disable-nan-check",
)


def real_forge() -> Path | None:
    """The Forge to test with, from FORGE_PATH; None means the stand-in."""
    named = os.environ.get("FORGE_PATH")
    if not named:
        return None
    path = Path(named).expanduser().resolve()
    if not (path / "launch.py").is_file():
        raise HostError(f"FORGE_PATH is {named}, but there is no launch.py in it.")
    return path


def _version_mark(forge: Path | None) -> dict[str, str]:
    """The mark that Forge Neo wants in a ``config.json``: without it, it asks at the terminal and waits."""
    file = forge / "modules" / "launch_utils.py" if forge else None
    found = re.search(r'^VERSION_UID\b.*= "(.+)"', file.read_text("utf-8"), re.MULTILINE) if file else None
    return {"VERSION_UID": found[1]} if found else {}


def _known_flags(forge: Path) -> list[str]:
    places = ("modules/cmd_args.py", "modules_forge/*.py", "backend/args.py", "ldm_patched/modules/*args*.py")
    text = "".join(file.read_text("utf-8") for place in places for file in forge.glob(place))
    return [flag for flag in FORGE_FLAGS if f'"{flag}"' in text]


def interpreter() -> str:
    return os.environ.get("FORGE_PYTHON" if real_forge() else "WEBUI_PYTHON") or sys.executable


@functools.cache
def gradio_version() -> str:
    """The Gradio that the host will run on; empty when its interpreter has none."""
    code = "from importlib.metadata import version; print(version('gradio'))"
    done = subprocess.run([interpreter(), "-c", code], capture_output=True, text=True)
    return done.stdout.strip()


class WebUI(Client):
    """A running web UI with our pack as an extension. `log()` is its whole stdout and stderr."""

    def __init__(
        self,
        folder: Path,
        env: dict[str, str],
        *,
        style: str | None = None,
        flags: tuple[str, ...] = (),
        extensions: dict[str, Path] | None = None,
    ) -> None:
        self.data_directory, self.env, self.flags = folder, dict(env), flags
        self.is_real = real_forge() is not None
        self.is_gradio_4 = gradio_version().startswith("4.")
        self.style = style or ("forge" if self.is_gradio_4 else "a1111")
        (folder / "extensions").mkdir(parents=True, exist_ok=True)
        for name, source in ({FOLDER: REPOSITORY} if extensions is None else extensions).items():
            (folder / "extensions" / name).symlink_to(source, target_is_directory=True)
        if self.is_real:
            (folder / "ui-config.json").write_text(json.dumps(PAGE_STEPS), "utf-8")
            config = {**_version_mark(real_forge()), **PAGE_SIZE, **PRESET_STEPS}
            (folder / "config.json").write_text(json.dumps(config), "utf-8")
        self._log_file = folder / "webui.log"
        began = time.perf_counter()
        self.port = free_port()
        self.process = self._start()
        super().__init__(f"http://127.0.0.1:{self.port}", SMALL if self.is_real else {})
        self._await_start()
        self.start_s = time.perf_counter() - began

    def _start(self) -> subprocess.Popen[bytes]:
        forge = real_forge()
        command = [interpreter(), "-u", str((forge or HERE / "standin") / "launch.py")]
        command += ["--port", str(self.port), "--data-dir", str(self.data_directory), "--api"]
        if forge:
            command += [*_known_flags(forge), "--gradio-allowed-path", str(forge)]
            if models := os.environ.get("FORGE_MODELS"):
                command += ["--ckpt-dir", str(Path(models, "Stable-diffusion"))]
        else:
            command += ["--style", self.style]
        if not forge and "--install" not in self.flags:
            command.append("--skip-install")
        command += [flag for flag in self.flags if flag != "--install"]
        with self._log_file.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=forge or HERE / "standin",
                env=bare_environment(self.data_directory) | self.env,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def _await_start(self, patience: float = 900.0) -> None:
        """Wait until the host reports its start: the routes of extensions come after those of Gradio."""
        deadline = time.monotonic() + patience
        while "Startup time:" not in self.log() or not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise HostError(f"The web UI did not start. The end of its log:\n{self.log()[-4000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.base_url, timeout=5):
                return True
        except urllib.error.HTTPError:
            return True
        except (urllib.error.URLError, OSError):
            return False

    def log(self) -> str:
        """All that the host has printed so far, colours taken out."""
        return COLOURS.sub("", self._log_file.read_text("utf-8", "replace"))

    def close(self) -> None:
        end_process(self.process)
