"""A host as a process: its own base directory, its own environment, our pack and the test pack linked in."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from host.client import Client, HostError

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
# Nothing of the machine that runs the tests may choose a model, a key or a proxy for the server, or have
# what it does told to somebody.
FOREIGN = re.compile(
    r"^(LLM|QUILLWORK|LITELLM|OLLAMA|OPENAI|ANTHROPIC|GEMINI|GOOGLE|AWS|AZURE|HF|HUGGING_FACE|TRANSFORMERS|GRADIO"
    r"|LANGFUSE|HELICONE|LANGCHAIN|LANGSMITH|OTEL|LOCAL_LIBRARY|LIBRARY|XDG)_"
    r"|_(API_KEY|API_BASE|TOKEN)$|^(HTTPS?|ALL|NO)_PROXY$|^PYTHONPATH$|^COMFYUI_",
    re.IGNORECASE,
)
# What the tests themselves are told by it.
OF_THE_TESTS = re.compile(
    r"^(COMFYUI_(PATH|PYTHON|FRONTEND)|LITELLM_PROXY_BIN|QUILLWORK_TEST_(CACHE|MODELS))$"
)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
FOLDERS = ("custom_nodes", "models", "input", "output", "user", "temp")


def real_host() -> Path | None:
    """The ComfyUI to test with, from COMFYUI_PATH; None means the stand-in."""
    named = os.environ.get("COMFYUI_PATH")
    if not named:
        return None
    path = Path(named).expanduser().resolve()
    if not (path / "main.py").is_file():
        raise HostError(f"COMFYUI_PATH is {named}, but there is no main.py in it.")
    return path


class Host(Client):
    """A running host. `log()` is its whole stdout and stderr; see `Client` for prompts and routes."""

    def __init__(
        self, base_directory: Path, env: dict[str, str], packs: dict[str, Path], flags: tuple[str, ...] = ()
    ) -> None:
        self.base_directory = base_directory
        self.env, self.flags = dict(env), flags
        self.is_real = real_host() is not None
        self.user_directory = base_directory / "user" / "default"
        self.quillwork_home = base_directory / "user" / "__quillwork"
        self.output_directory = base_directory / "output"
        self.custom_nodes = base_directory / "custom_nodes"
        for folder in FOLDERS:
            (base_directory / folder).mkdir(parents=True, exist_ok=True)
        for name, pack in packs.items():
            # A pack that is there already was put there as a user's is, without a link.
            if not (self.custom_nodes / name).exists():
                (self.custom_nodes / name).symlink_to(pack, target_is_directory=True)
        self._log_file = base_directory / "host.log"
        self._begin()
        super().__init__(f"http://127.0.0.1:{self.port}", self._state)

    def restart(self, env: dict[str, str] | None = None, *, port: int | None = None) -> None:
        """End the process and start it anew in the same folders; only for a `fresh` host."""
        self._end_process()
        self.env = self.env if env is None else dict(env)
        self._begin(port)
        self.base_url = f"http://127.0.0.1:{self.port}"

    def _begin(self, port: int | None = None) -> None:
        began = time.perf_counter()
        self.port = port or free_port()
        self.process = self._start()
        self._await_answer()
        self.start_s = time.perf_counter() - began

    def _start(self) -> subprocess.Popen[bytes]:
        real = real_host()
        python = os.environ.get("COMFYUI_PYTHON") or sys.executable if real else sys.executable
        main = (real or HERE / "standin") / "main.py"
        self.python = python
        command = [python, "-u", str(main), "--cpu", "--listen", "127.0.0.1", "--port", str(self.port)]
        command += ["--base-directory", str(self.base_directory), "--disable-api-nodes"]
        command += self.flags
        if frontend := os.environ.get("COMFYUI_FRONTEND"):
            command += ["--front-end-root", frontend]
        if real:
            command += ["--database-url", "sqlite:///:memory:"]
        with self._log_file.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=main.parent,
                env=bare_environment(self.base_directory) | self.env,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def _await_answer(self, patience: float = 180.0) -> None:
        deadline = time.monotonic() + patience
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            try:
                with opener.open(f"http://127.0.0.1:{self.port}/system_stats", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
            self._end_process()
            raise HostError(f"The host did not start. {self._state()}")

    def log(self) -> str:
        """All that the server has printed so far, colours taken out."""
        return COLOURS.sub("", self._log_file.read_text("utf-8", "replace"))

    def _state(self) -> str:
        ended = self.process.poll()
        state = "It runs" if ended is None else f"It ended with code {ended}"
        return f"{state}. The end of its log:\n{self.log()[-4000:]}"

    def clean(self) -> None:
        """Clear queue, history, cache and folders. The process's own memory stays."""
        self.post("/queue", json={"clear": True})
        deadline = time.monotonic() + 100
        while not self.idle():
            self.interrupt()
            time.sleep(0.05)
            if time.monotonic() > deadline:
                raise HostError(f"The host does not come to rest. {self._state()}")
        self.post("/free", json={"free_memory": True})
        # The worker reads the flag between two prompts: after this one at the latest, before any other.
        self.run({"1": {"class_type": "PreviewAny", "inputs": {"source": "clean"}}}, timeout=100)
        self.post("/history", json={"clear": True})
        for folder in (
            self.user_directory,
            self.quillwork_home,
            self.output_directory,
            self.base_directory / "input",
        ):
            shutil.rmtree(folder, ignore_errors=True)
        self.output_directory.mkdir()
        (self.base_directory / "input").mkdir()

    def _end_process(self) -> None:
        end_process(self.process)

    def close(self) -> None:
        super().close()
        self._end_process()


def bare_environment(home: Path) -> dict[str, str]:
    """This machine's environment without variables that would affect the server, and with another home."""
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.search(name)}
    return {**kept, "HOME": str(home), "USERPROFILE": str(home)}


def end_process(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
