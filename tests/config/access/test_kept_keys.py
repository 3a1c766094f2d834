"""Keys after a restart: in the operating system's key ring where it works, else in a private file."""

from __future__ import annotations

import json
import stat
import sys
import types

import pytest

from quillwork.config.access import kept_keys
from quillwork.llm_backends.types import Secret

KEY = "sk-planted-Zq3vX9tR7mKb2LwYp5"
NAME = "OPENAI_API_KEY"


class Ring:
    """A key ring of an operating system, as the package keyring presents it."""

    name = "SecretService Keyring"
    priority = 5.0

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, user: str, password: str) -> None:
        self.held[service, user] = password

    def get_password(self, service: str, user: str) -> str | None:
        return self.held.get((service, user))

    def delete_password(self, service: str, user: str) -> None:
        del self.held[service, user]


class Failing(Ring):
    def set_password(self, service: str, user: str, password: str) -> None:
        raise RuntimeError(f"locked, {password}")


class Forgetful(Ring):
    def set_password(self, service: str, user: str, password: str) -> None:
        pass


class StandIn(Ring):
    priority = 0


@pytest.fixture
def ring(monkeypatch):
    """Install a ring behind the package keyring."""

    def install(ring):
        module = types.ModuleType("keyring")
        module.get_keyring = lambda: ring
        monkeypatch.setitem(sys.modules, "keyring", module)
        return ring

    monkeypatch.setattr(kept_keys, "_ring_is_silent", False)
    monkeypatch.setattr(kept_keys, "_from_ring", {})
    return install


def test_without_a_ring_the_file_is_its_owners(tmp_path, ring, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    place = kept_keys.keep(tmp_path, NAME, Secret(KEY))
    file = tmp_path / "keys.json"
    assert (place.in_ring, str(file) in place.label, "not encrypted" in place.label) == (False, True, True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert kept_keys.get(tmp_path, NAME) == Secret(KEY)
    kept_keys.forget(tmp_path, NAME)
    assert kept_keys.get(tmp_path, NAME) is None
    assert KEY not in file.read_text()


def test_in_the_ring_it_is_in_no_file(tmp_path, ring):
    held = ring(Ring()).held
    place = kept_keys.keep(tmp_path, NAME, Secret(KEY))
    assert (place.in_ring, "SecretService" in place.label) == (True, True)
    assert KEY not in (tmp_path / "keys.json").read_text()
    assert list(held.values()) == [KEY]
    kept_keys._from_ring.clear()  # as after a restart
    assert kept_keys.get(tmp_path, NAME) == Secret(KEY)
    kept_keys.forget(tmp_path)
    assert held == {}
    assert kept_keys.names(tmp_path) == []


@pytest.mark.parametrize("broken", [Failing, Forgetful, StandIn])
def test_a_ring_that_does_not_keep_gives_way_to_the_file(tmp_path, ring, broken, caplog):
    ring(broken())
    place = kept_keys.keep(tmp_path, NAME, Secret(KEY))
    assert not place.in_ring
    assert "keys.json" in place.label
    assert kept_keys.get(tmp_path, NAME) == Secret(KEY)
    assert KEY not in caplog.text


def test_a_ring_that_hangs_is_left_after_a_while(tmp_path, ring, monkeypatch):
    import threading

    release = threading.Event()

    class Hanging(Ring):
        def set_password(self, service: str, user: str, password: str) -> None:
            release.wait(60)

    monkeypatch.setattr(kept_keys, "_PATIENCE_S", 0.2)
    ring(Hanging())
    assert not kept_keys.keep(tmp_path, NAME, Secret(KEY)).in_ring
    assert not kept_keys.place(tmp_path).in_ring
    assert kept_keys.get(tmp_path, NAME) == Secret(KEY)
    release.set()


def test_a_broken_file_is_no_fault(tmp_path, ring):
    (tmp_path / "keys.json").write_text("{")
    assert kept_keys.names(tmp_path) == []
    (tmp_path / "keys.json").write_text(json.dumps({NAME: "text", "other": {"in": "file"}}))
    assert kept_keys.get(tmp_path, NAME) is None
    assert kept_keys.get(tmp_path, "other") is None
