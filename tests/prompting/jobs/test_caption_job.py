"""One run of a captioning job, before anything is asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quillwork.prompting.jobs.caption_job import CaptionJob
from quillwork.prompting.jobs.caption_places import TextFiles
from quillwork.prompting.jobs.captions import Wishes, find_pictures
from quillwork.prompting.jobs.journal import JobError, Journal


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_takes_no_captions_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "fox.png").write_bytes(b"x")
    pictures = find_pictures(folder, ".txt", with_subfolders=False)
    with Journal(tmp_path / "job.sqlite") as journal:
        job = CaptionJob(Wishes(), "keep", journal, pictures, TextFiles(".txt"))
        assert len(job.entries(0)) == 1
        folder.chmod(0o555)
        try:
            with pytest.raises(JobError, match="takes no files, and the captions go there"):
                job.entries(0)
        finally:
            folder.chmod(0o755)
