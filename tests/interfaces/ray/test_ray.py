"""A dataset of images through the real Ray, with two workers, one of which is killed in the middle."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections import Counter
from pathlib import Path

import pytest
from interfaces.cli.processes import endpoint
from wire.server import WireServer

from quillwork.interfaces.ray import caption_dataset
from quillwork.prompting.jobs.captions import Wishes

ray = pytest.importorskip("ray")
pytest.importorskip("ray.data")
parquet = pytest.importorskip("pyarrow.parquet")
Image = pytest.importorskip("PIL.Image")

PICTURES, BATCH = 96, 8


@pytest.fixture
def started(wire: WireServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # Its workers have the variables of the process that starts it.
    for name, value in {
        **endpoint(wire, "fox-delay100"),
        "QUILLWORK_HOME": str(tmp_path / "home"),
        "RAY_USAGE_STATS_ENABLED": "0",
    }.items():
        monkeypatch.setenv(name, value)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20)
    yield
    ray.shutdown()


def workers(home: Path) -> list[int]:
    """The processes of Ray's that hold a model, among those of this test."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name, variables = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
            if b"ray::" in name and b"Captioner" in name and str(home).encode() in variables:
                found.append(int(folder.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds Ray's processes in /proc")
@pytest.mark.timeout(300)
def test_a_killed_worker_loses_nothing(started, wire: WireServer, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(PICTURES):
        Image.new("RGB", (64, 48), (number * 2, 20, 255 - number)).save(folder / f"img{number}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG nothing")

    def captions() -> list[dict]:
        dataset = ray.data.from_items([{"path": str(path)} for path in sorted(folder.iterdir())])
        made = caption_dataset(dataset, tmp_path / "kept", Wishes(trigger="ohwx"), workers=2, at_once=BATCH)
        return made.take_all()

    outcome: list[list[dict]] = []
    run = threading.Thread(target=lambda: outcome.append(captions()))
    run.start()
    wire.wait_calls(3 * BATCH, within_s=200)
    held = workers(tmp_path / "home")
    assert held
    os.kill(held[0], signal.SIGKILL)
    run.join(200)
    (rows,) = outcome
    assert len(rows) == PICTURES + 1
    said = {Path(row["path"]).name: (row["caption"], row["error"]) for row in rows}
    assert said["broken.png"][1].startswith("The file is not an image that can be read.")
    del said["broken.png"]
    assert set(said.values()) == {("ohwx, a red fox in fresh snow", "")}
    asked = Counter(call.body for call in wire.calls())
    assert len(asked) == PICTURES
    assert sum(asked.values()) - PICTURES <= BATCH, "only the killed worker's batch is asked again"
    # Once more: all of it is in the journal.
    wire.reset()
    assert {Path(row["path"]).name: row["caption"] for row in captions()} == {
        **{name: text for name, (text, _) in said.items()},
        "broken.png": "",
    }
    assert wire.calls() == []
    (job,) = (tmp_path / "kept").iterdir()
    kept = parquet.read_table(job)
    assert kept.column_names == ["name", "stamp", "key", "written"]
    assert len(set(kept.column("key").to_pylist())) == PICTURES
