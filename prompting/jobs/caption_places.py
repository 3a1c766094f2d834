"""Places of captions: a text file beside each picture, one table for all, or inside the picture files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from ...llm_backends.system.files import write_whole
from ..tasks import SaveAs
from . import picture_metadata
from .captions import Picture, Place, place_in_order, read_text
from .journal import JobError

# As the datasets library of Hugging Face looks for them in a folder of images.
_TABLE, _NAME, _TEXT = "metadata", "file_name", "text"
_LARGEST = 512 * 2**20


class TextFiles:
    """A text file beside each picture."""

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix

    def has(self, picture: Picture) -> bool:
        return picture.has_text

    def read(self, picture: Picture) -> str:
        return read_text(picture.text_file)

    def write(self, picture: Picture, text: str) -> None:
        write_whole(picture.text_file, f"{text}\n")

    def flush(self) -> None:
        pass

    def refusal(self, picture: Picture) -> str:
        return ""

    def content(self, data: bytes) -> bytes:
        return data


class Table:
    """One table for all pictures of a folder, with the columns ``file_name`` and ``text``.

    Other columns and rows that are there stay. The file is written by `flush`; until then the journal has
    the texts. Raises `JobError` for a file that is no such table.
    """

    suffix = ""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rows = {str(row[_NAME]): row for row in self._existing()}
        self._old = len(self._rows)
        self._is_changed = False

    def has(self, picture: Picture) -> bool:
        return bool(self.read(picture))

    def read(self, picture: Picture) -> str:
        return str(self._rows.get(picture.name, {}).get(_TEXT) or "").strip()

    def write(self, picture: Picture, text: str) -> None:
        self._rows.setdefault(picture.name, {_NAME: picture.name})[_TEXT] = text
        self._is_changed = True

    def flush(self) -> None:
        if not self._is_changed:
            return
        rows = list(self._rows.values())
        rows = rows[: self._old] + sorted(rows[self._old :], key=lambda row: place_in_order(str(row[_NAME])))
        write_whole(self._file, self._content(rows))
        self._is_changed = False

    def refusal(self, picture: Picture) -> str:
        return ""

    def content(self, data: bytes) -> bytes:
        return data

    def _existing(self) -> list[dict[str, Any]]:
        try:
            if self._file.stat().st_size > _LARGEST:
                raise JobError(f"{self._file} is too large to be a table of captions. Move it away.")
            data = self._file.read_bytes().decode("utf-8-sig")
            if self._file.suffix == ".csv":
                rows = [dict(row) for row in csv.DictReader(io.StringIO(data, newline=""))]
            else:
                rows = [json.loads(line) for line in data.split("\n") if line.strip()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise JobError(f"{self._file} cannot be read ({error.strerror}).") from None
        except (ValueError, csv.Error):
            rows = [{}]
        if not all(isinstance(row, dict) and row.get(_NAME) and None not in row for row in rows):
            raise JobError(
                f"{self._file} is not a table with the columns {_NAME} and {_TEXT} in each row. "
                "Correct it or move it away."
            )
        return rows

    def _content(self, rows: list[dict[str, Any]]) -> str:
        if self._file.suffix != ".csv":
            return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        columns = dict.fromkeys(name for row in rows for name in row)
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(columns), restval="")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()


class InsidePictures:
    """The description in each picture file. Its pixels are not touched."""

    suffix = ""

    def has(self, picture: Picture) -> bool:
        return bool(self.read(picture))

    def read(self, picture: Picture) -> str:
        try:
            return picture_metadata.description_of(picture.file.read_bytes())
        except (OSError, ValueError):
            return ""

    def write(self, picture: Picture, text: str) -> None:
        data = picture.file.read_bytes()
        fresh = picture_metadata.with_description(data, text)
        if fresh != data:
            write_whole(picture.file, fresh)

    def flush(self) -> None:
        pass

    def refusal(self, picture: Picture) -> str:
        if picture.name.rpartition(".")[2].lower() not in picture_metadata.ENDINGS:
            return "Only PNG, JPEG and WebP files can hold a caption in their metadata."
        if picture.file.is_symlink():
            return "The file is a link to another one, which is not changed."
        return ""

    def content(self, data: bytes) -> bytes:
        return picture_metadata.content_of(data)


def place_for(save_as: SaveAs, folder: Path) -> Place:
    """Return the place of the captions of `folder`. Raises `JobError`."""
    if save_as == "metadata":
        return InsidePictures()
    if save_as in ("jsonl", "csv"):
        return Table(folder / f"{_TABLE}.{save_as}")
    return TextFiles(f".{save_as}")
