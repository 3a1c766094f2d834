"""Record the English texts that the translations are made from, in english.json beside this file.

    python tests/locales/write_english.py

Run it once the translations match the present English texts: the test then reports the next change.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.append(str(TESTS))

from host.process import REPOSITORY, Host  # noqa: E402
from locales.translations import RECORD, english_texts  # noqa: E402


def main() -> None:
    with tempfile.TemporaryDirectory() as base:
        host = Host(Path(base), {}, {"quillwork": REPOSITORY})
        try:
            texts = english_texts(host)
        finally:
            host.close()
    RECORD.write_text(json.dumps(texts, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"{len(texts)} texts in {RECORD.name}")


if __name__ == "__main__":
    main()
