"""Pictures read in processes: as here, and no less when a process is killed."""

from __future__ import annotations

import sys
from io import BytesIO

import pytest

pytest.importorskip("PIL")
from PIL import Image

from quillwork.llm_backends.errors import BadRequest
from quillwork.llm_backends.images import read_picture
from quillwork.prompting.jobs.picture_readers import PictureReaders


@pytest.mark.parametrize(("pictures", "cpus", "expected"), [(99, 8, False), (100, 1, False), (100, 2, True)])
def test_processes_only_where_they_are_worth_it(pictures, cpus, expected):
    with PictureReaders(pictures, cpus) as readers:
        assert readers.in_processes is expected


@pytest.mark.parametrize(
    ("program", "is_frozen", "expected"),
    [
        (r"C:/ComfyUI/python_embeded/python.exe", False, True),
        ("/usr/bin/python3.12", False, True),
        ("/opt/ComfyUI/ComfyUI", False, False),
        ("/usr/bin/python3", True, False),
        ("", False, False),
    ],
)
def test_a_program_with_python_inside_is_not_started_again(monkeypatch, program, is_frozen, expected):
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(sys, "frozen", is_frozen, raising=False)
    with PictureReaders(1000, 8) as readers:
        assert readers.in_processes is expected


def test_a_process_reads_as_this_one_does_and_its_end_costs_nothing():
    file = BytesIO()
    Image.effect_noise((1500, 900), 80).convert("RGB").save(file, "JPEG")
    data = file.getvalue()
    with PictureReaders(1000, 3) as readers:
        assert readers.read(data) == read_picture(data)
        with pytest.raises(BadRequest, match="damaged") as raised:
            readers.read(data[:-5000])
        assert raised.value.hint == "Save or upload it again."
        (process,) = readers.processes
        assert process.poll() is None, "it was taken twice"
        # As a system does that is short of memory.
        process.kill()
        process.wait()
        assert readers.read(data) == read_picture(data)
        assert readers.read(data) == read_picture(data)
        assert len(readers.processes) == 2, "the next one has a new process"
    assert all(process.returncode is not None for process in readers.processes)
