"""Folders of pictures with captions, as people train with them."""

from __future__ import annotations

from pathlib import Path

# As training sets are: every kind that people have, each in its own colour.
KINDS = ("png", "jpg", "webp", "gif", "bmp", "tif", "jpeg")


def training_set(folder: Path, count: int = 20) -> Path:
    from PIL import Image as Picture

    folder.mkdir(parents=True)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        mode = ("RGB", "L", "CMYK")[number % 3] if kind in ("jpg", "tif") else "RGB"
        picture = Picture.new("RGB", (64, 48), (12 * number, 90, 20)).convert(mode)
        exif = Picture.Exif()
        exif[274] = 6
        turned = {"exif": exif.tobytes()} if kind == "jpeg" else {}
        picture.save(folder / f"img{number}.{kind}", **turned)
    return folder


def texts(folder: Path) -> dict[str, str]:
    return {file.stem: file.read_text("utf-8").strip() for file in sorted(folder.glob("*.txt"))}
