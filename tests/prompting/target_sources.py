"""List the targets whose source has changed since it was read.

    python tests/prompting/target_sources.py [--mirror FOLDER]

Each `source_file` (owner/repository/path) is looked up on GitHub, and its blob hash compared with the
`source_hash` of the target. With --mirror the Git directory FOLDER/owner+repository is asked instead.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
import conftest  # noqa: F401

from quillwork.prompting.targets import Target, index, load

_API = "https://api.github.com/repos/{owner}/{name}/contents/{path}"


def changed(targets: Iterable[Target], hash_of: Callable[[str, str, str], str]) -> list[str]:
    """Return a line for each of `targets` whose source has another hash than when it was read, or none."""
    lines = []
    for target in targets:
        if not target.source_file:
            continue
        owner, name, path = target.source_file.split("/", 2)
        now = hash_of(owner, name, path)
        if not now:
            lines.append(f"{target.id}: {target.source_file} is not there any more")
        elif not target.source_hash:
            lines.append(f"{target.id}: {target.source_file} was read without a hash; it is {now}")
        elif now != target.source_hash:
            lines.append(f"{target.id}: {target.source_file} has changed; it is {now}")
    return lines


def on_github(owner: str, name: str, path: str) -> str:
    try:
        with urllib.request.urlopen(_API.format(owner=owner, name=name, path=path), timeout=30) as answer:
            return str(json.load(answer)["sha"])
    except OSError:
        return ""


def in_mirror(folder: Path) -> Callable[[str, str, str], str]:
    """Return the look-up in bare repositories below `folder`."""

    def hash_of(owner: str, name: str, path: str) -> str:
        asked = ["git", "--git-dir", str(folder / f"{owner}+{name}"), "rev-parse", f"HEAD:{path}"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    return hash_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mirror", type=Path)
    mirror = parser.parse_args().mirror
    lines = changed(map(load, [entry.id for entry in index()]), in_mirror(mirror) if mirror else on_github)
    print("\n".join(lines) or "No source has changed.")


if __name__ == "__main__":
    main()
