"""The ledger of calls by caller and by model, since the program started and today. It holds no content."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .day_file import DayFile
from .usage_totals import CallRecord, Sums


class Ledger:
    """The calls of this process, and of the day in files that several processes share. Any thread."""

    def __init__(self, today: Callable[[], str] = lambda: time.strftime("%Y-%m-%d")) -> None:
        self._today = today
        self._lock = threading.Lock()
        self._since = time.strftime("%Y-%m-%dT%H:%M:%S")
        self._session = Sums()
        self._days: dict[Path, DayFile] = {}

    def add(self, record: CallRecord, file: Path | None = None) -> None:
        """Record a call; with `file`, in the day's totals as well, which are written a moment later."""
        with self._lock:
            self._session.add(record)
        if file is not None:
            self._day(file).add(record)

    def summary(self, file: Path | None = None) -> dict[str, Any]:
        """Session and day (null without a file) as JSON: total, by model, by caller. Reads the file."""
        with self._lock:
            session = {"since": self._since, **self._session.summary()}
        if file is None:
            return {"session": session, "today": None}
        day = self._day(file)
        return {"session": session, "today": {"date": self._today(), **day.sums().summary()}}

    def session_cost(self) -> float:
        """US dollars spent since the program started, as far as they are known."""
        with self._lock:
            return self._session.total.cost_usd

    def day_cost(self, file: Path) -> float:
        """US dollars spent since midnight by all programs that share `file`, as far as they are known."""
        return self._day(file).cost()

    def flush(self) -> None:
        """Write the day's files now."""
        with self._lock:
            days = list(self._days.values())
        for day in days:
            day.flush()

    def clear(self) -> None:
        """Forget the session, and the files without touching them: for tests."""
        with self._lock:
            self._session = Sums()
            self._days.clear()

    def _day(self, file: Path) -> DayFile:
        with self._lock:
            if file not in self._days:
                self._days[file] = DayFile(file, self._today)
            return self._days[file]


ledger = Ledger()
atexit.register(ledger.flush)
