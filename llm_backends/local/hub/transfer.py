"""The transfer of one file from the hub to the disk: resumed where it was cut off, and checked at the end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ... import errors
from ...remote.http_client import aiohttp_library
from ...system.file_lock import lock
from .client import HubClient
from .progress import Progress, size
from .repository import RemoteFile

if TYPE_CHECKING:
    import aiohttp

PART = ".part"
_TRIES = 6
_LONGEST_PAUSE_S = 10.0
# A line that gives this much before it breaks is worth another full round of tries.
_WORTHWHILE = 2**20
_BLOCK = 2**20


def part_of(target: Path, file: RemoteFile) -> Path:
    """The file that keeps the beginning of `file`.
    Its name holds the content's digest, so that the beginning of another version is never resumed."""
    return target.with_name(f"{target.name}.{file.digest[:16] or file.size}{PART}")


async def is_whole(target: Path, file: RemoteFile) -> bool:
    """Tell whether `target` is `file`, byte for byte."""
    with _disk(target):
        try:
            there = os.stat(target)
        except FileNotFoundError:
            return False
        if there.st_size != file.size:
            return False
        return await _digest(target, file) == file.digest if file.digest else True


async def fetch(client: HubClient, url: str, file: RemoteFile, target: Path, progress: Progress) -> None:
    """Fetch `file` to `target`, whole and checked. Raises `errors.LLMError`; the part is kept then."""
    with _disk(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        part = part_of(target, file)
        for old in target.parent.iterdir():
            if old != part and re.fullmatch(rf"{re.escape(target.name)}\.\w+{re.escape(PART)}", old.name):
                old.unlink()
        stream = part.open("ab")
    with stream, _alone(stream, target):
        transfer = _Transfer(client, file, part, stream, progress)
        await transfer.take_up()
        await transfer.complete(url)
    with _disk(target):
        os.replace(part, target)


class _Transfer:
    def __init__(
        self, client: HubClient, file: RemoteFile, part: Path, stream: BinaryIO, progress: Progress
    ) -> None:
        self._client, self._file, self._part = client, file, part
        self._stream, self._progress = stream, progress
        self._hash = _hasher(file)
        self._have = 0

    async def take_up(self) -> None:
        """Count and hash the part that an earlier transfer has left."""
        with _disk(self._part):
            there = self._part.stat().st_size
            if there > self._file.size:
                self._start_over()
            elif there:
                with self._part.open("rb") as begun:
                    while block := begun.read(_BLOCK):
                        self._hash.update(block)
                        self._have += len(block)
                        await asyncio.sleep(0)  # a stop is heard here
                self._progress.skip(self._have)

    async def complete(self, url: str) -> None:
        aiohttp = aiohttp_library()

        tries, before = 0, self._have
        while self._have < self._file.size:
            tries += 1
            try:
                await self._attempt(url)
                continue
            except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
                failure = self._client.broken(error)
            except errors.ProviderFailed as error:
                if (error.status or 0) < 500:
                    raise
                failure = error
            if self._have - before >= _WORTHWHILE:
                tries, before = 1, self._have
            if tries >= _TRIES:
                raise failure
            await asyncio.sleep(min(_LONGEST_PAUSE_S, self._client.pause_s * 2 ** (tries - 1)))
        self._check()

    async def _attempt(self, url: str) -> None:
        headers = {"Range": f"bytes={self._have}-"} if self._have else {}
        async with self._client.get(url, headers) as response:
            if response.status == 416:
                # What is here is longer than what is there, or the far side cannot go on.
                self._start_over()
                return
            if response.status not in (200, 206):
                raise await self._client.refusal(response)
            self._line_up(response)
            while chunk := await asyncio.wait_for(response.content.readany(), self._client.idle_s):
                if self._have + len(chunk) > self._file.size:
                    raise self._wrong(f"is larger than the listed {size(self._file.size)}")
                with _disk(self._part):
                    self._stream.write(chunk)
                    # A process that is killed has kept what it counted.
                    self._stream.flush()
                self._hash.update(chunk)
                self._have += len(chunk)
                self._progress.add(len(chunk))
        if self._have < self._file.size:
            raise ConnectionError("it was cut off")

    def _line_up(self, response: aiohttp.ClientResponse) -> None:
        """Check that the response begins where the part on the disk ends."""
        begins = 0
        total = None if "Content-Encoding" in response.headers else response.content_length
        if response.status == 206:
            sent = re.match(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
            begins = int(sent[1]) if sent else -1
            total = int(sent[2]) if sent and sent[2].isdecimal() else None
        if total is not None and total != self._file.size:
            raise self._wrong(f"has {total:,} bytes instead of the listed {self._file.size:,}")
        if begins == 0 and self._have:
            self._start_over()
        elif begins != self._have:
            raise ConnectionError("the server resumed at the wrong position")

    def _start_over(self) -> None:
        with _disk(self._part):
            self._stream.truncate(0)
        self._progress.skip(-self._have)
        self._hash, self._have = _hasher(self._file), 0

    def _check(self) -> None:
        if self._file.digest and self._hash.hexdigest() != self._file.digest:
            raise self._wrong("does not match its checksum on the hub")

    def _wrong(self, what: str) -> errors.LLMError:
        self._start_over()
        return errors.BackendUnavailable(
            f"{self._file.name} of {self._client.name} {what}, so the download was discarded.",
            hint="Run again. If it keeps happening, something between this machine and the hub is "
            "changing the file: try another network, or check HF_ENDPOINT.",
        )


def _hasher(file: RemoteFile) -> Any:
    if len(file.digest) == 64:
        return hashlib.sha256()
    # Git's name of a small file. https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    return hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)


async def _digest(path: Path, file: RemoteFile) -> str:
    found = _hasher(file)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found.update(block)
            await asyncio.sleep(0)
    return str(found.hexdigest())


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Turn the disk's refusals into `LLMError` in plain words."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
        raise errors.BackendUnavailable(
            f"{path.name} could not be written to {path.parent} ({error.strerror or type(error).__name__}).",
            hint="Free some space and run again: the download continues where it stopped."
            if full
            else "Check the permissions of that folder.",
        ) from None


@contextlib.contextmanager
def _alone(stream: BinaryIO, target: Path) -> Iterator[None]:
    """Lock the part against a second program; the lock ends with the process."""
    try:
        lock(stream)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS):
            yield  # a file system without locks: the checksum still tells
            return
        raise errors.BackendUnavailable(
            f"{target.name} is being downloaded to {target.parent} by another program.",
            hint="Wait until that download has finished, then run again.",
        ) from None
    yield
