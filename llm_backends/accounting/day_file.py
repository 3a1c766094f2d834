"""Today's usage totals, in a small file that outlives the program and that several programs add to."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ..system.file_lock import lock
from ..system.files import Stamp, stamp_of, write_whole
from .call_log import CallLog, left_behind, logs_of
from .usage_totals import CallRecord, Sums

# Calls of one run end close together: they are written at once, so long after the first.
WRITE_AFTER_S = 0.5
_PATIENCE_S = 2.0
_LARGEST = 1 << 20
_log = logging.getLogger("quillwork")


class DayFile:
    """The totals of `file`, together with those that this process has not written yet. Any thread.

    `add` never waits for another program, and what was added survives the end of this one at any moment: it
    stands in a log of calls until it is in the totals. Where the file cannot be read or written, the sums of
    this process stand alone.
    """

    def __init__(self, file: Path, today: Callable[[], str]) -> None:
        self._file, self._today = file, today
        self._lock = threading.Lock()  # over what is in memory, for an instant
        self._writing = threading.Lock()
        self._day = today()
        self._new, self._on_its_way = Sums(), Sums()
        self._written = Sums()
        self._stamp: Stamp | None = None
        self._timer: threading.Timer | None = None
        self._log: CallLog | None = None
        self._has_looked_around = False
        self._has_complained = False

    def add(self, record: CallRecord) -> None:
        with self._lock:
            self._turn_page()
            self._new.add(record)
            try:
                self._log = self._log or CallLog(self._file, self._day)
                self._log.append(record)
            except OSError as error:
                self._complain(error)
            if self._timer is None:
                self._timer = threading.Timer(WRITE_AFTER_S, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def cost(self) -> float:
        """US dollars so far, as far as they are known."""
        with self._lock:
            self._look()
            return sum(sums.total.cost_usd for sums in (self._written, self._on_its_way, self._new))

    def sums(self) -> Sums:
        """Add up the sums of today."""
        together = Sums()
        with self._lock:
            self._look()
            for sums in (self._written, self._on_its_way, self._new):
                together.merge(sums)
        return together

    def flush(self) -> None:
        """Write new totals to the file now."""
        with self._writing:
            with self._lock:
                self._turn_page()
                self._timer = None
                self._on_its_way.merge(self._new)
                self._new = Sums()
                fresh, log = self._on_its_way, self._log
                logged = {log.path.name: log.size} if log else {}
            if not (fresh.total.calls or fresh.total.cached):
                return
            try:
                merged = self._add_to_file(fresh, logged, _PATIENCE_S)
            except OSError as error:
                self._complain(error)
                return  # on its way still, with what comes next
            with self._lock:
                if self._on_its_way is fresh:
                    self._written, self._on_its_way = merged, Sums()
                if log and log is self._log and logged[log.path.name] == log.size:
                    log.remove()
                    self._log = None

    def _turn_page(self) -> None:
        day = self._today()
        if day != self._day:
            self._day, self._stamp = day, None
            self._new, self._on_its_way, self._written = Sums(), Sums(), Sums()
            if self._log is not None:
                self._log.remove()
                self._log = None

    def _look(self) -> None:
        """Read the totals that other programs have written.
        Not during a write of this process: they would count twice."""
        self._turn_page()
        if self._on_its_way.total.calls or self._on_its_way.total.cached:
            return
        if not self._has_looked_around:
            # Once: what other programs leave behind later comes with the next write.
            self._has_looked_around = True
            with contextlib.suppress(OSError):
                if logs_of(self._file):
                    self._add_to_file(Sums(), {}, 0.0)
        stamp = self._stamp_now()
        if stamp != self._stamp:
            self._written, self._stamp = self._read(), stamp

    def _stamp_now(self) -> Stamp | None:
        try:
            return stamp_of(self._file)
        except OSError:
            return None

    def _read(self) -> Sums:
        return self._content()[0]

    def _content(self) -> tuple[Sums, dict[str, int]]:
        """The file's sums of today and how far logs of calls are counted in them; both empty for a file of
        another day and for a broken one."""
        try:
            with self._file.open("rb") as stream:
                content = json.loads(stream.read(_LARGEST))
            if content["date"] == self._day:
                logs = {str(name): int(size) for name, size in content.get("logs", {}).items()}
                return Sums.from_json(content), logs
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        return Sums(), {}

    def _add_to_file(self, fresh: Sums, logged: Mapping[str, int], patience_s: float) -> Sums:
        """Add `fresh` to the file, which the logs have up to the sizes in `logged`, and what programs that
        were killed have left behind."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._alone(patience_s):
            merged, counted = self._content()
            merged.merge(fresh)
            left, counted, over = left_behind(self._file, self._day, counted)
            merged.merge(left)
            if not (fresh.total.calls or fresh.total.cached or over):
                return merged
            content = {"date": self._day, **merged.to_json(), "logs": {**counted, **logged}}
            write_whole(self._file, json.dumps(content, ensure_ascii=False), private=True)
            for path in over:
                with contextlib.suppress(OSError):
                    path.unlink()
        return merged

    @contextlib.contextmanager
    def _alone(self, patience_s: float) -> Iterator[None]:
        """Lock the file against other programs. Raises OSError when one holds its lock for too long."""
        handle = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b", buffering=0) as stream:
            end = time.monotonic() + patience_s
            while True:
                try:
                    lock(stream)
                    break
                except OSError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.01)
            yield

    def _complain(self, error: OSError) -> None:
        if not self._has_complained:
            self._has_complained = True
            _log.warning("Today's usage cannot be written to %s (%s).", self._file, error.strerror or error)
