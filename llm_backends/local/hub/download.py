"""Downloads of a repository into the host's models folder: with consent, with progress, and stoppable."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from ... import errors
from ...host import Host, program
from ...runner import Runner
from ...streaming.live import Sink
from ...system.command_line import command
from ...types import Deployment
from .access import HubAccess, own_folder
from .client import HubClient
from .progress import Progress, size
from .repository import RemoteFile, Repository
from .transfer import fetch, is_whole, part_of

# What a disk needs to stay usable beside the download.
_SPARE_BYTES = 200 * 2**20
# The sizes of what is offered by default: nothing is asked of the network before the user's yes.
_KNOWN_BYTES = {"unsloth/Qwen3-4B-Instruct-2507-bnb-4bit": 2.7e9}

Read = Callable[[RemoteFile], Awaitable[bytes]]
Pick = Callable[[Repository, Read], Awaitable[Sequence[RemoteFile]]]


def download(
    deployment: Deployment,
    name: str,
    revision: str,
    pick: Pick,
    sink: Sink,
    host: Host,
    what: str = "",
) -> tuple[Path, list[str]]:
    """Download the files of the repository `name` that `pick` chooses; return (folder, file names).

    `what` names the download in errors where that is not the whole repository. Waits in this thread and asks
    every 20 ms whether ``host`` is cancelled. Small files come first: where the last one of `pick` is, all
    are. Raises `errors.ConsentNeeded` where the deployment's parameter ``may_download`` is not true, other
    `errors.LLMError`, and `errors.Cancelled`; what has arrived stays.
    """
    access = HubAccess.of(deployment)
    folder = own_folder(deployment, name, revision)
    what = what or name
    if access.offline:
        raise errors.BackendUnavailable(
            f"{what} is not on this machine, and HF_HUB_OFFLINE prevents the download.",
            hint="Unset HF_HUB_OFFLINE, or choose a model that is already here.",
        )
    if folder is None:
        raise errors.NotConfigured(
            f"{what} is not downloaded yet, and there is no folder to download it to.",
            hint="Set LLM_PATH to a folder that contains it.",
        )
    if deployment.params.get("may_download") is not True:
        estimate = f" ({size(_KNOWN_BYTES[name])})" if name in _KNOWN_BYTES and not revision else ""
        raise errors.ConsentNeeded(
            f"{what}{estimate} is not downloaded yet, and you have not allowed downloads on this machine.",
            hint=f"Allow them once with `{command('setup', '--allow', 'downloads')}` or LLM_ALLOW=downloads, "
            "then run again.",
            provider="downloads",
        )
    if host.cancelled():
        raise errors.Cancelled
    # A loop of its own: this may run in the thread of the one that remote calls share.
    runner = Runner()
    try:
        names = runner.run(
            _download(access, name, revision, pick, folder, deployment.idle_timeout_s, sink),
            cancelled=host.cancelled,
            on_tick=host.tick,
        )
    finally:
        runner.close()
    return folder, names


async def _download(
    access: HubAccess, name: str, revision: str, pick: Pick, folder: Path, idle_s: float, sink: Sink
) -> list[str]:
    progress = Progress(name, sink)
    progress.announce(f"Looking up {name} on {access.endpoint.partition('://')[2]}")
    try:
        client = HubClient(access, name, idle_s)
    except ImportError:
        raise errors.DependencyMissing(
            "A download needs the Python package aiohttp.",
            hint=f"Install it in {program()}'s Python environment.",
        ) from None
    try:
        repository = await client.repository(revision)
        files = await pick(repository, lambda file: client.content(repository, file))
        progress.total = sum(file.size for file in files)
        missing = []
        for file in sorted(files, key=lambda file: file.size):
            target = folder / file.name
            if target.exists():
                progress.announce(f"Checking the downloaded files of {name}")
            if await is_whole(target, file):
                progress.skip(file.size)
            else:
                missing.append(file)
        _check_room(name, folder, missing)
        for file in missing:
            await fetch(client, client.address(repository, file), file, folder / file.name, progress)
        return [file.name for file in files]
    finally:
        progress.announce("")
        await client.close()


def _check_room(name: str, folder: Path, files: Sequence[RemoteFile]) -> None:
    """Raise `LLMError` before anything is fetched that would not fit on the disk."""
    wanted = sum(file.size - _there(part_of(folder / file.name, file)) for file in files)
    if not wanted:
        return
    existing = next((parent for parent in (folder, *folder.parents) if parent.is_dir()), None)
    try:
        free = shutil.disk_usage(existing or folder).free
    except OSError:
        return
    if wanted + _SPARE_BYTES > free:
        raise errors.BackendUnavailable(
            f"{name} needs {size(wanted)} more on the disk of {folder.parent}, but only {size(free)} is "
            "free.",
            hint="Free some space, or choose a smaller model.",
        )


def _there(part: Path) -> int:
    try:
        return part.stat().st_size
    except OSError:
        return 0
