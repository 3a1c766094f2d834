"""The state that everything in the process shares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modules.cmd_args import cmd_opts
from modules.options import OptionInfo, Options

__all__ = ["OptionInfo", "cmd_opts", "demo", "opts", "prompt_styles", "sd_model", "state"]


class State:
    """The state of the running job, and the request to stop it."""

    def __init__(self) -> None:
        self.skipped = self.interrupted = self.stopping_generation = False
        self.job, self.job_count, self.job_no = "", 0, 0
        self.textinfo: str | None = None
        self.server_command: str | None = None

    def begin(self, job: str = "(unknown)") -> None:
        self.skipped = self.interrupted = self.stopping_generation = False
        self.job, self.job_count, self.job_no, self.textinfo = job, -1, 0, None

    def end(self) -> None:
        self.job, self.job_count = "", 0

    def skip(self) -> None:
        self.skipped = True

    def interrupt(self) -> None:
        self.interrupted = True

    def stop_generating(self) -> None:
        self.stopping_generation = True

    def request_restart(self) -> None:
        self.interrupt()
        self.server_command = "restart"


class SDNextState(State):
    """The state of SD.Next's jobs: each has an id, and whether a program has begun it."""

    def __init__(self) -> None:
        super().__init__()
        self.id, self.api = "", False

    def begin(self, job: str = "", task_id: str = "", api: bool | None = None) -> str:
        super().begin(job)
        self.id, self.api = task_id or job, bool(api)
        return self.id

    def end(self, task_id: str | None = None, api: bool | None = None) -> None:
        super().end()
        self.api = self.api if api is None else api


state = SDNextState() if cmd_opts.style == "sdnext" else State()
config_filename = cmd_opts.ui_settings_file
opts = Options(Path(config_filename))
demo: Any = None
prompt_styles: Any = None
if cmd_opts.style == "sdnext":
    from modules.styles import StyleDatabase

    prompt_styles = StyleDatabase()
sd_model: Any = None
