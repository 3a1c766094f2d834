"""Downloads from an imitation of the hub that misbehaves on request."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hub.server import HubServer

from quillwork.llm_backends import errors
from quillwork.llm_backends.host import NullHost
from quillwork.llm_backends.local.hub.access import HubAccess
from quillwork.llm_backends.local.hub.download import Read, download
from quillwork.llm_backends.local.hub.repository import RemoteFile, Repository
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.system.command_line import command
from quillwork.llm_backends.types import Deployment, Secret

NAME = "org/fox-4bit"
BIG = random.Random(1).randbytes(400_000)
FILES = {"config.json": b'{"model_type": "fox"}', "model.safetensors": BIG, "sub/notes.txt": b"not wanted"}
KEPT = "the download continues where it stopped"


class Watcher(NullHost):
    """A host and sink that keeps the shown texts, and says stop when `until` is found in one."""

    def __init__(self, live: LiveText, until: str = "") -> None:
        self.live, self.until = live, until
        self.texts: list[str] = []

    def tick(self) -> None:
        if (text := self.live.text()) and text not in self.texts[-1:]:
            self.texts.append(text)

    def cancelled(self) -> bool:
        return bool(self.until) and any(self.until in text for text in self.texts)


async def top_level(repository: Repository, read: Read) -> Sequence[RemoteFile]:
    return [file for file in repository.files.values() if "/" not in file.name]


@pytest.fixture
def ask(hub: HubServer, tmp_path: Path) -> Any:
    """Download into ``tmp_path/models``; by default all is allowed and in order."""

    def call(
        name: str = NAME,
        revision: str = "",
        *,
        host: Watcher | None = None,
        live: LiveText | None = None,
        idle_s: float = 20.0,
        allowed: bool = True,
        endpoint: str = "",
        **access: Any,
    ) -> Path:
        live = live or LiveText()
        reach = HubAccess(endpoint=endpoint or hub.url, **{"pause_s": 0.01, **access})
        params = {"models_folder": str(tmp_path / "models"), "may_download": allowed, "hub": reach}
        deployment = Deployment("hf_download", name, params=params, idle_timeout_s=idle_s)
        (sink,) = live.start(1)
        folder, _ = download(deployment, name, revision, top_level, sink, host or Watcher(live))
        return folder

    return call


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


WANTED = {name: FILES[name] for name in ("config.json", "model.safetensors")}


def test_the_files_arrive_below_the_models_folder(hub, ask, tmp_path):
    hub.add(NAME, FILES)
    folder = ask()
    assert folder == tmp_path / "models" / "LLM" / "org--fox-4bit"
    assert content(folder) == WANTED
    again = len(hub.log)
    assert content(ask()) == WANTED
    assert not any("/cdn/" in request.path for request in hub.log[again:]), (
        "what is there is not fetched twice"
    )


def test_a_revision_has_a_folder_of_its_own(hub, ask):
    repository = hub.add(NAME, FILES)
    folder = ask(revision=repository.commit)
    assert folder.name == f"org--fox-4bit@{repository.commit}"
    assert content(folder) == WANTED


def test_the_token_goes_to_the_hub_and_not_to_where_it_redirects(hub, ask):
    hub.add(NAME, FILES)
    ask(token=Secret("hf_planted"))
    by_origin = {request.origin: request.authorization for request in hub.log}
    assert by_origin == {hub.url: "Bearer hf_planted", hub.cdn: ""}


def test_a_cut_download_goes_on_where_it_was(hub, ask):
    hub.add(NAME, FILES, cuts={"model.safetensors": [150_000, 100_000]})
    assert content(ask()) == WANTED
    assert hub.ranges_of("model.safetensors") == ["", "bytes=150000-", "bytes=250000-"]
    assert hub.sent["model.safetensors"] == len(BIG)


def test_what_a_broken_download_left_is_the_beginning_of_the_next(hub, ask):
    hub.add(NAME, FILES, cuts={"model.safetensors": [100_000, 0, 0, 0, 0, 0]})
    with pytest.raises(errors.ConnectionFailed) as failure:
        ask()
    assert "it was cut off" in failure.value.message
    assert KEPT in failure.value.hint
    assert content(ask()) == WANTED
    assert hub.sent["model.safetensors"] == len(BIG)


def test_a_stop_ends_it_at_once_and_the_next_run_goes_on(hub, ask):
    repository = hub.add(NAME, FILES, pause_s=0.1)
    live = LiveText()
    host = Watcher(live, until="kB/s")
    before = threading.active_count()
    with pytest.raises(errors.Cancelled):
        ask(host=host, live=live)
    assert 0 < hub.sent["model.safetensors"] < len(BIG), "it is not heard at the end alone"
    assert threading.active_count() == before
    assert live.text() == ""
    repository.pause_s = 0
    assert content(ask()) == WANTED
    (*_, last) = hub.ranges_of("model.safetensors")
    assert last.startswith("bytes=") and last != "bytes=0-"


def test_the_beginning_of_another_version_is_thrown_away(hub, ask):
    repository = hub.add(NAME, FILES, cuts={"model.safetensors": [100_000, 0, 0, 0, 0, 0]})
    with pytest.raises(errors.ConnectionFailed):
        ask()
    other = BIG[::-1]
    repository.files = {**FILES, "model.safetensors": other}
    assert content(ask()) == {**WANTED, "model.safetensors": other}
    assert hub.ranges_of("model.safetensors")[-1] == ""


def test_a_server_that_cannot_go_on_begins_again(hub, ask):
    hub.add(NAME, FILES, cuts={"model.safetensors": [100_000]}, ranges=False)
    assert content(ask()) == WANTED
    assert hub.sent["model.safetensors"] == len(BIG) + 100_000


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_other_bytes_than_those_listed_are_thrown_away(hub, ask, tmp_path, name):
    repository = hub.add(NAME, FILES, sent={name: bytes(len(FILES[name]))})
    with pytest.raises(
        errors.BackendUnavailable, match=f"^{name} of {NAME} does not match its checksum"
    ) as failure:
        ask()
    assert "discarded" in failure.value.message
    there = content(tmp_path / "models")
    assert not any(path.endswith(name) for path in there)
    assert all(not data for path, data in there.items() if path.endswith(".part"))
    repository.sent.clear()
    assert content(ask()) == WANTED


@pytest.mark.parametrize("data", [BIG + b"more", BIG[:-9]], ids=["longer", "shorter"])
def test_a_file_of_another_size_is_refused_before_it_comes(hub, ask, data):
    hub.add(NAME, FILES, sent={"model.safetensors": data})
    with pytest.raises(
        errors.BackendUnavailable, match=f"has {len(data):,} bytes instead of the listed 400,000"
    ):
        ask()
    assert len(hub.ranges_of("model.safetensors")) == 1


def test_a_damaged_file_on_the_disk_is_fetched_again(hub, ask):
    hub.add(NAME, FILES)
    file = ask() / "model.safetensors"
    file.write_bytes(bytes(len(BIG)))
    assert content(ask()) == WANTED


def test_a_fault_of_the_hub_is_tried_again(hub, ask):
    hub.add(NAME, FILES, status={"model.safetensors": [503, 500]})
    assert content(ask()) == WANTED
    hub.add("org/other", FILES, status={"model.safetensors": [503] * 9})
    with pytest.raises(errors.ProviderFailed, match="returned 503 instead of a file of org/other") as failure:
        ask("org/other")
    assert KEPT in failure.value.hint


def test_too_many_requests_are_told_and_not_repeated(hub, ask):
    hub.add(NAME, FILES, status={"model.safetensors": [429, 429]})
    with pytest.raises(errors.RateLimited, match="too many requests"):
        ask()


# -- who may


def test_without_a_yes_nothing_is_sent(hub, ask, tmp_path):
    hub.add(NAME, FILES)
    with pytest.raises(errors.ConsentNeeded) as refusal:
        ask(allowed=False)
    assert refusal.value.message == (
        f"{NAME} is not downloaded yet, and you have not allowed downloads on this machine."
    )
    assert f"`{command('setup', '--allow', 'downloads')}` or LLM_ALLOW=downloads" in refusal.value.hint
    assert hub.log == [] and not (tmp_path / "models").exists()


def test_the_usual_model_is_named_with_its_size(hub, ask):
    with pytest.raises(errors.ConsentNeeded, match=r"Qwen3-4B-Instruct-2507-bnb-4bit \(2.7 GB\) is not"):
        ask("unsloth/Qwen3-4B-Instruct-2507-bnb-4bit", allowed=False)


def test_only_true_is_a_yes(ask):
    with pytest.raises(errors.ConsentNeeded):
        ask(allowed="yes")


def test_offline_is_one_sentence(hub, ask):
    hub.add(NAME, FILES)
    with pytest.raises(errors.BackendUnavailable, match="HF_HUB_OFFLINE prevents the download"):
        ask(offline=True)
    assert hub.log == []


def test_a_gated_repository_says_where_to_agree(hub, ask):
    hub.add(NAME, FILES, gated=True, allowed=("hf_good",))
    with pytest.raises(errors.AuthenticationFailed, match=f"^{NAME} is gated: ") as failure:
        ask()
    assert f"Agree at {hub.url}/{NAME}" in failure.value.hint
    assert "HF_TOKEN" in failure.value.hint
    with pytest.raises(
        errors.PermissionDenied, match="your token's account does not have access yet"
    ) as failure:
        ask(token=Secret("hf_other"))
    assert f"{hub.url}/{NAME}" in failure.value.hint
    assert "hf_other" not in str(failure.value)
    assert content(ask(token=Secret("hf_good"))) == WANTED


@pytest.mark.parametrize("token", [None, Secret("hf_good")])
def test_a_missing_repository_is_not_called_gated(hub, ask, token):
    with pytest.raises(errors.ModelNotFound) as failure:
        ask("org/nothing", token=token)
    assert failure.value.message == ("There is no repository org/nothing on Hugging Face, or it is private.")
    assert f"{hub.url}/org/nothing" in failure.value.hint


def test_a_missing_revision(hub, ask):
    hub.add(NAME, FILES)
    with pytest.raises(errors.ModelNotFound, match=f"{NAME} has no revision v9"):
        ask(revision="v9")


def test_a_token_that_is_not_good_any_more(hub, ask):
    hub.token = "hf_good"
    hub.add(NAME, FILES)
    with pytest.raises(errors.AuthenticationFailed, match="does not accept your token"):
        ask(token=Secret("hf_old"))


# -- what else may be wrong


def test_a_disk_that_is_too_small_is_told_before(hub, ask, tmp_path):
    hub.add(NAME, FILES, sizes={"model.safetensors": 10**15})
    with pytest.raises(
        errors.BackendUnavailable, match=f"{NAME} needs 1000000 GB more on the disk of .* is free"
    ):
        ask()
    assert not (tmp_path / "models").exists()


def test_a_folder_that_cannot_be_made(hub, ask, tmp_path):
    (tmp_path / "models").write_text("a file where the folder should be")
    hub.add(NAME, FILES)
    with pytest.raises(errors.BackendUnavailable, match="could not be written to"):
        ask()


def test_two_at_once_do_not_write_into_one_file(hub, ask, tmp_path):
    repository = hub.add(NAME, FILES, pause_s=0.02)
    live, failures = LiveText(), []

    def second() -> None:
        try:
            ask()
        except errors.LLMError as error:
            failures.append(error.message)

    class Starter(Watcher):
        def tick(self) -> None:
            super().tick()
            if not thread.ident and any("of 400 kB" in text for text in self.texts):
                thread.start()
                thread.join(30)
                repository.pause_s = 0

    thread = threading.Thread(target=second)
    assert content(ask(host=Starter(live), live=live)) == WANTED
    (failure,) = failures
    assert failure.startswith("model.safetensors is being downloaded to ")


def test_a_hub_that_says_nothing(hub, ask):
    hub.silent = True
    live = LiveText()
    host = Watcher(live)
    with pytest.raises(errors.TimedOut, match="has sent nothing for"):
        ask(idle_s=1.0, live=live, host=host)
    assert host.texts == [f"Looking up {NAME} on {hub.url.removeprefix('http://')}"]


def test_a_login_page_in_its_place(hub, ask):
    hub.answer_html = True
    with pytest.raises(errors.MalformedAnswer, match="does not look like the Hugging Face Hub"):
        ask()


def test_nobody_there(ask):
    with pytest.raises(errors.ConnectionFailed, match=r"The connection to http://127.0.0.1:9 failed \("):
        ask(endpoint="http://127.0.0.1:9")


@pytest.mark.parametrize("endpoint", ["huggingface.co", "ftp://hub", "https://me:pw@hub", "http://"])
def test_an_endpoint_that_is_no_address(ask, endpoint):
    with pytest.raises(errors.NotConfigured, match="HF_ENDPOINT is not a valid address") as failure:
        ask(endpoint=endpoint)
    assert "pw" not in str(failure.value)


def test_a_redirect_in_a_circle(hub, ask):
    hub.redirect = f"{hub.url}/api/models/{NAME}/revision/main?blobs=true"
    with pytest.raises(errors.RedirectRefused, match="redirects in a loop"):
        ask()


def test_names_that_lead_out_of_the_folder_are_not_followed(hub, ask, tmp_path):
    hub.add(NAME, {**FILES, "../evil.json": b"x", "/evil.json": b"x", "a/../../evil": b"x", ".hidden": b"x"})
    assert content(ask()) == WANTED
    assert not list(tmp_path.rglob("evil*"))


# -- what is shown


def test_bytes_speed_and_time_are_shown(hub, ask):
    hub.add(NAME, FILES, pause_s=0.05)
    live = LiveText()
    host = Watcher(live)
    ask(host=host, live=live)
    assert any(
        text.startswith(f"Downloading {NAME}: ")
        and "of 400 kB, " in text
        and "kB/s, " in text
        and text.endswith(" s left")
        for text in host.texts
    )
    assert live.text() == "", "nothing is left of it when the model writes"


def test_what_was_there_counts_for_the_share_and_not_for_the_speed(hub, ask):
    repository = hub.add(NAME, FILES, cuts={"model.safetensors": [200_000, 0, 0, 0, 0, 0]})
    with pytest.raises(errors.ConnectionFailed):
        ask()
    repository.pause_s = 0.05
    live = LiveText()
    shares = []

    class Sharer(Watcher):
        def tick(self) -> None:
            super().tick()
            if live.text().startswith("Downloading"):
                shares.append(live.progress())

    ask(host=Sharer(live), live=live)
    assert shares[0] >= 0.5
    assert shares == sorted(shares)
