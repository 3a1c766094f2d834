"""The fixtures ``host`` and ``host_factory``; every test that takes one is marked `host`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.process import HERE, REPOSITORY, Host, real_host

PACKS = {"quillwork": REPOSITORY, "testpack": HERE / "testpack"}
# A real host takes half a gigabyte.
KEPT = 3 if real_host() else 6


class Hosts:
    """A starter of hosts that keeps the latest few, one for each environment that a test asked for."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._kept: dict[tuple[tuple[str, str], ...], Host] = {}
        self._used: list[Host] = []
        self._own: list[Host] = []

    def __call__(
        self,
        env: dict[str, str] | None = None,
        *,
        fresh: bool = False,
        packs: dict[str, Path] | None = None,
        flags: tuple[str, ...] = (),
        base: Path | None = None,
    ) -> Host:
        """Start or reuse a clean host whose process has these variables besides a bare environment.

        The same `env` gives the same process in later tests. `fresh` starts one for this test alone: for
        a test that leaves it unusable, or needs a first start. `packs` (name in custom_nodes -> folder)
        replaces the usual two and implies `fresh`, and so do further `flags` of the command line and
        a base directory of the test's own.
        """
        env = env or {}
        if fresh or flags or base is not None or packs is not None:
            folder = base or self._folders.mktemp("host")
            host = Host(folder, env, PACKS if packs is None else packs, flags)
            self._own.append(host)
            return host
        key = tuple(sorted(env.items()))
        kept = self._kept.pop(key, None)
        if kept is not None and kept.process.poll() is not None:
            kept.close()
            kept = None
        if kept is None:
            if len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept))).close()
            kept = Host(self._folders.mktemp("host"), env, PACKS)
        self._kept[key] = kept
        self._used.append(kept)
        return kept

    def after_test(self) -> None:
        while self._own:
            self._own.pop().close()
        used, self._used = self._used, []
        for host in used:
            if host in self._kept.values():
                try:
                    host.clean()
                except Exception:
                    # A host that a test has broken must not fail the tests that follow.
                    self._kept = {key: kept for key, kept in self._kept.items() if kept is not host}
                    host.close()
                    raise

    def close(self) -> None:
        for host in self._kept.values():
            host.close()
        self._kept.clear()


@pytest.fixture(scope="session")
def _hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    hosts = Hosts(tmp_path_factory)
    yield hosts
    hosts.close()


@pytest.fixture
def host_factory(_hosts: Hosts) -> Iterator[Hosts]:
    """`host_factory(env={"LLM_MODE": "phrasebook"})` is a host of that environment; see `Hosts`."""
    yield _hosts
    _hosts.after_test()


@pytest.fixture
def host(host_factory: Hosts) -> Host:
    """The host with nothing configured: ComfyUI when COMFYUI_PATH is set, else the stand-in."""
    return host_factory()


def mark_host_tests(items: list[pytest.Item]) -> None:
    for item in items:
        if {"host", "host_factory"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.host)
