"""The lists at the end of ``docs/providers.md``, made from the table; run it to write them into the page."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "providers.md"
MARK = "<!-- Below, written by tests/config/providers/provider_page.py from the table of providers. -->\n"
# What a compatible address may lack, in plain words.
_PARTS = {"response_format": "schemas", "reasoning_effort": "reasoning", "seed": "seeds", "tools": "tools"}


def lists() -> str:
    """The page's lists: providers by kind, other names that litellm has for them, and what is refused."""
    from quillwork.config.providers import table

    rows = table.rows().values()
    local = [row for row in rows if row.key_optional]
    hosted = [row for row in rows if row not in local]
    plain = [row for row in hosted if row.wire and not _wants_more(row)]
    more = [row for row in hosted if row not in plain]
    parts = [
        _titled(f"In OpenAI's format, with a key ({len(plain)})", _table(plain)),
        _titled(f"In a format of their own, or with more than a key ({len(more)})", _table(more, ways=True)),
        _titled(f"Servers of your own ({len(local)})", _table(local, ways=True)),
    ]
    aliases = [f"`{alias}` → `{row.id}`" for row in rows for alias in row.aliases]
    parts.append(_titled("Other names", ", ".join(aliases) + "\n"))
    reasons: dict[str, list[str]] = {}
    for id, why in table.refused().items():
        reasons.setdefault(why, []).append(f"`{id}`")
    refused = "".join(f"| {', '.join(ids)} | {why} |\n" for why, ids in reasons.items())
    parts.append(
        _titled(f"Refused ({len(table.refused())})", f"| litellm's name | why |\n|---|---|\n{refused}")
    )
    return "\n".join(parts)


def _wants_more(row: object) -> bool:
    return len(row.needs) > 1 or bool(row.exchange or row.package)  # type: ignore[attr-defined]


def _titled(title: str, content: str) -> str:
    return f"### {title}\n\n{content}"


def _table(rows: Iterable, *, ways: bool = False) -> str:
    head = ["provider", "name", "needs", *(["without litellm"] if ways else [])]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        needs = " ".join(f"`{variable}`" for variable in row.needs) or "-"
        lines.append([f"`{row.id}`", row.label, needs, *([_without_litellm(row)] if ways else [])])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines).replace(" --- ", "---")


def _without_litellm(row: object) -> str:
    there = row.compatible  # type: ignore[attr-defined]
    if row.wire:  # type: ignore[attr-defined]
        return "yes"
    if there is None:
        return "no"
    served = "" if there.models[0] == "*" else f", models `{' '.join(there.models)}`"
    lacks = f", no {', '.join(map(_PARTS.__getitem__, there.lacks))}" if there.lacks else ""
    return f"yes{served}{lacks}"


def written() -> str:
    """The page with its lists as the table has them now."""
    head = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    return f"{head}{MARK}\n{lists()}"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))
    import conftest  # noqa: F401 - loads the package

    PAGE.write_text(written(), encoding="utf-8")
