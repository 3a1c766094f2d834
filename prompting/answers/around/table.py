"""A prompt in a Markdown table, beside its negative or the idea that it was made of."""

from __future__ import annotations

import re

from ..labels import label_of


def prompt_in_table(text: str) -> tuple[str, str] | None:
    """Return (prompt, negative) of a Markdown table that is headed so."""
    rows = [
        line.strip().strip("|").split("|")
        for line in text.strip().splitlines()
        if line.strip().startswith("|")
    ]
    if len(rows) < 2:
        return None
    cells = [
        [cell.strip() for cell in row]
        for row in rows
        if not all(re.fullmatch(r"\s*:?-+:?\s*", cell) for cell in row)
    ]
    if len(cells) < 2:
        return None
    for row in cells:
        # A table of one prompt, with its label before it.
        first = label_of(f"{row[0]}:") if len(row) == 2 else None
        if first is not None and first.kind == "prompt" and label_of(f"{row[1]}:") is None:
            return row[1], next((other[1] for other in cells if other[0].lower().startswith("negative")), "")
    kinds = [label.kind if (label := label_of(f"{cell}:")) else None for cell in cells[0]]
    wanted = "prompt" if "prompt" in kinds else "result" if "echo" in kinds else None
    if wanted in kinds and wanted is not None:
        place = kinds.index(wanted)
        negative = (
            cells[1][kinds.index("negative")] if "negative" in kinds and len(cells[1]) == len(kinds) else ""
        )
        return (cells[1][place], negative) if len(cells[1]) > place else None
    return None
