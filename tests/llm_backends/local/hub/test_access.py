"""Access to the hub: its own variables, its cache, names."""

from __future__ import annotations

from pathlib import Path

import pytest

from quillwork.llm_backends import errors
from quillwork.llm_backends.local.hub.access import HubAccess, own_folder, split_repository
from quillwork.llm_backends.local.hub.client import next_address
from quillwork.llm_backends.types import Deployment, Secret


def access(tmp_path: Path, token: Secret | None = None, **variables: str) -> HubAccess:
    return HubAccess.from_environment({"HF_HOME": str(tmp_path), **variables}, token)


def test_nothing_set(tmp_path):
    found = access(tmp_path)
    assert (found.endpoint, found.token, found.offline) == ("https://huggingface.co", None, False)
    assert found.cache == tmp_path / "hub"


def test_a_mirror_and_its_token(tmp_path):
    found = access(tmp_path, HF_ENDPOINT="https://mirror.example/", HF_TOKEN=" hf_x ")
    assert (found.endpoint, found.token) == ("https://mirror.example", Secret("hf_x"))
    assert "hf_x" not in repr(found)


@pytest.mark.parametrize("text", ["1", "true", "YES", "on"])
@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline(tmp_path, name, text):
    assert access(tmp_path, **{name: text}).offline
    assert not access(tmp_path, **{name: "0"}).offline


def test_a_login_of_the_hubs_own_program_counts(tmp_path):
    (tmp_path / "token").write_text("hf_file\n")
    assert access(tmp_path).token == Secret("hf_file")
    assert access(tmp_path, HF_TOKEN="hf_env").token == Secret("hf_env")
    assert access(tmp_path, HF_HUB_DISABLE_IMPLICIT_TOKEN="1").token is None
    assert access(tmp_path, Secret("hf_panel"), HF_TOKEN="hf_env").token == Secret("hf_panel")


def test_where_its_cache_is(tmp_path):
    assert (
        HubAccess.from_environment({"XDG_CACHE_HOME": str(tmp_path)}).cache
        == tmp_path / "huggingface" / "hub"
    )
    assert access(tmp_path, HF_HUB_CACHE=str(tmp_path / "x")).cache == tmp_path / "x"
    assert HubAccess.from_environment({}).cache == Path.home() / ".cache" / "huggingface" / "hub"


def test_what_is_in_the_cache(tmp_path):
    there = tmp_path / "hub" / "models--org--fox"
    (there / "snapshots" / "abc").mkdir(parents=True)
    (there / "refs").mkdir()
    (there / "refs" / "main").write_text("abc")
    found = access(tmp_path)
    assert found.cached("org/fox", "") == found.cached("org/fox", "abc") == there / "snapshots" / "abc"
    assert found.cached("org/fox", "v1") is None
    assert found.cached("org/fox", "../snapshots") is None
    assert found.cached("org/owl", "") is None


def test_names():
    assert split_repository("org/fox-1.5_b") == ("org/fox-1.5_b", "")
    assert split_repository("org/fox@v1") == ("org/fox", "v1")
    for name in ("fox", "../fox/x", "a/../b", "https://x/y", "/org/fox", "org/", "org/fox/file"):
        with pytest.raises(errors.NotConfigured, match="not a valid repository name"):
            split_repository(name)


def test_a_revision_cannot_lead_out_of_the_folder(tmp_path):
    deployment = Deployment("hf_download", "org/fox", params={"models_folder": str(tmp_path)})
    folder = own_folder(deployment, "org/fox", "../../refs/pr/1")
    assert folder is not None
    assert folder.parent == tmp_path / "LLM"
    assert "/" not in folder.name


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("https://hub.example/a/b", "/c?d=%2F", "https://hub.example/c?d=%2F"),
        ("https://hub.example/a", "https://cdn.example/b", "https://cdn.example/b"),
        ("http://127.0.0.1:1/a", "http://127.0.0.1:2/b", "http://127.0.0.1:2/b"),
    ],
)
def test_redirects_that_are_followed(url, location, target):
    assert next_address(url, location) == target


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://hub.example/a", "http://hub.example/a"),
        ("https://hub.example/a", "https://127.0.0.1:8188/free"),
        ("http://hub.example/a", "http://localhost/free"),
        ("https://hub.example/a", "file:///etc/passwd"),
        ("https://hub.example/a", "https://me:pw@hub.example/a"),
        ("https://hub.example/a", ""),
    ],
)
def test_redirects_that_are_not(url, location):
    with pytest.raises(errors.RedirectRefused, match="which is not allowed") as failure:
        next_address(url, location)
    assert "pw" not in str(failure.value)
