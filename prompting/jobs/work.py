"""The work of a job: entries read ahead, asked for at a pace, and journalled one by one."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from ...llm_backends import errors
from ...llm_backends.runner import run_in_place
from .control import Control
from .pace import Pace

_ENDS_ALL = (
    errors.NotConfigured,
    errors.MissingKey,
    errors.ConsentNeeded,
    errors.NotInPlan,
    errors.BudgetExceeded,
    errors.AuthenticationFailed,
    errors.PermissionDenied,
    errors.ModelNotFound,
    errors.CannotSee,
    errors.DependencyMissing,
    errors.LibraryFault,
    errors.BackendUnavailable,
    errors.RedirectRefused,
)
_TRIES = 4
# So many failures to reach the other side in a row, and nobody is there: before its first answer, and later.
_NOBODY_THERE, _NOBODY_LEFT = 4, 12
_LOOK_EVERY_S = 0.05
# Entries read at least before they are asked for: while the pace is still rising there is time for it.
_READ_AHEAD = 64
# One more than there are processors: each waits for its next entry now and then.
_READERS = min(8, 1 + (os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class Question:
    """A question for an entry: `key` is a hash of all that shapes the answer."""

    key: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or line: `prepare` reads it, in a thread, and may raise an `LLMError` or OSError."""

    name: str
    stamp: str
    prepare: Callable[[], Question]


@dataclass(frozen=True, slots=True)
class Written:
    """The text for one question as the journal keeps it, and its cost in US dollars, None if unknown."""

    content: dict[str, Any]
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """The first entries of a job, for a preview; how many are to be asked for and to be written, and how many
    of `total` are left alone."""

    entries: Sequence[Entry]
    unasked: int
    left: int
    kept: int
    total: int


class Keeper(Protocol):
    """The part of a journal that a run needs: `journal.Journal`, or another that many machines share."""

    def text(self, key: str) -> dict[str, Any] | None: ...
    def failures(self) -> dict[str, str]: ...
    def write(self, name: str, stamp: str, key: str, written: Mapping[str, Any]) -> None: ...
    def fail(self, name: str, error: str) -> None: ...


Ask = Callable[[Sequence[Any]], Awaitable[list["Written | errors.LLMError"]]]


def ends_all(error: errors.LLMError) -> bool:
    """Tell whether every other entry would meet `error` as well."""
    return isinstance(error, _ENDS_ALL) and not error.of_one_text


def spoken_time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


@dataclass(slots=True)
class Progress:
    """Where a run of a job is: its entries, its cost, its calls at once, what it waits for.

    `before` counts the job's other entries, which were there when the run began.
    """

    total: int
    before: int = 0
    done: int = 0
    failed: int = 0
    called: int = 0
    cost_usd: float = 0.0
    at_once: int = 1
    waiting: str = ""
    _worked_s: float = 0.0
    # None while it rests.
    _works_since: float | None = field(default_factory=time.monotonic)

    def rest(self) -> None:
        """Stop the clock: the job is paused, or others have their turn."""
        if self._works_since is not None:
            self._worked_s, self._works_since = self.seconds, None

    def go_on(self) -> None:
        """Have the clock run again."""
        if self._works_since is None:
            self._works_since = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of work, without those in which it rested."""
        since = self._works_since
        return self._worked_s if since is None else self._worked_s + time.monotonic() - since

    @property
    def in_all(self) -> int:
        """Entries of the whole job."""
        return self.before + self.total

    @property
    def ended(self) -> int:
        """Entries of the whole job that are done or have failed."""
        return self.before + self.done + self.failed

    @property
    def rate(self) -> float:
        """Entries that end in a second of work."""
        return (self.done + self.failed) / max(self.seconds, 0.001)

    @property
    def left_s(self) -> float | None:
        """Seconds of work that the rest will take, None while nothing is known."""
        ended = self.done + self.failed
        return self.seconds / ended * (self.total - ended) if ended else None

    def facts(self) -> list[str]:
        """Return what was there before, rate, time left, cost and failures in words, where there are any."""
        facts = [f"{self.before:,} from before"] if self.before else []
        facts.append(self.waiting or f"{self.rate:.1f}/s")
        if not self.waiting and (left := self.left_s) is not None:
            facts.append(f"{spoken_time(left)} left")
        if self.cost_usd:
            facts.append(f"${self.cost_usd:.4f}")
        if self.failed:
            facts.append(f"{self.failed} failed")
        return facts

    def line(self) -> str:
        """Return all of it on one line."""
        return " · ".join([f"{self.ended:,} of {self.in_all:,}", *self.facts()])

    def shown(self) -> dict[str, Any]:
        """Return what a page shows of it."""
        return {
            "total": self.in_all,
            "done": self.before + self.done,
            "before": self.before,
            "failed": self.failed,
            "rate": self.rate,
            "left_s": self.left_s,
            "cost_usd": self.cost_usd,
        }


class Work:
    """The entries of one run. `ask` answers several payloads; `settled` is told of every text at once.

    Raises the `LLMError` that ends all, after what was under way has been journalled, and `errors.Cancelled`
    where `control` stops it.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        journal: Keeper,
        ask: Ask,
        settled: Callable[[str, dict[str, Any] | str], None] = lambda name, outcome: None,
        control: Control | None = None,
    ) -> None:
        failed = journal.failures()
        ordered = sorted(entries, key=lambda entry: entry.name in failed)
        self._entries = deque(ordered)
        self._journal, self._ask, self._settled = journal, ask, settled
        self._again: deque[tuple[Entry, Question, int]] = deque()
        self._asked: dict[str, asyncio.Future[None]] = {}
        self._in_vain = 0
        self._control = control or Control()
        self.progress = Progress(len(ordered))

    # -- in this process

    def run_in_place(
        self,
        at_once: int,
        between: Callable[[], None] = lambda: None,
        gives_way: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Ask a local model, in this thread, for `at_once` texts at a time; return whether some are left.

        `between` is called before each time, and as long as the job is paused; what it raises ends the job.
        Where `gives_way` says so after one, the rest is left for another call.
        """
        while self._entries:
            between()
            while self._control.is_paused:
                self.progress.rest()
                time.sleep(_LOOK_EVERY_S)
                between()
            self.progress.go_on()
            if self._control.is_stopped:
                raise errors.Cancelled
            chunk = [self._entries.popleft() for _ in range(min(at_once, len(self._entries)))]
            ready = [(entry, question) for entry in chunk if (question := self._prepared(entry)) is not None]
            if not ready:
                continue
            answers = run_in_place(_all(self._ask, [question.payload for _, question in ready]))
            for (entry, question), answer in zip(ready, answers, strict=True):
                if isinstance(answer, errors.LLMError) and ends_all(answer):
                    raise answer
                self._settle(entry, question, answer)
            if self._entries and gives_way():
                return True
        return False

    def _prepared(self, entry: Entry) -> Question | None:
        try:
            question = entry.prepare()
        except (errors.LLMError, OSError) as error:
            self._fail(entry, error)
            return None
        return None if self._is_known(entry, question) else question

    # -- over the network

    async def run(self, pace: Pace, readers: int = _READERS) -> None:
        """Ask for the texts at `pace`, while `readers` threads prepare what comes next."""
        self._pace = pace
        loop = asyncio.get_running_loop()
        reading: deque[tuple[Entry, asyncio.Future[Question]]] = deque()
        running: set[asyncio.Task[None]] = set()
        with ThreadPoolExecutor(readers, "quillwork-reader") as pool:
            try:
                while self._entries or reading or self._again or running:
                    await self._gate(running)
                    while self._entries and len(reading) < max(pace.limit, _READ_AHEAD) + readers:
                        entry = self._entries.popleft()
                        reading.append((entry, loop.run_in_executor(pool, entry.prepare)))
                    await pace.open()
                    self.progress.at_once = pace.limit
                    if len(running) < pace.limit and (reading or self._again):
                        if reading:
                            entry, future = reading.popleft()
                            running.add(loop.create_task(self._first_try(entry, future)))
                        else:
                            running.add(loop.create_task(self._try(*self._again.popleft())))
                        continue
                    ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    # All are looked at, or the loop would complain of those that failed beside the first.
                    failed = [error for task in ended if (error := task.exception()) is not None]
                    if failed:
                        raise failed[0]
            except (errors.LLMError, errors.Cancelled):
                # What is under way has been paid for.
                await asyncio.gather(*running, return_exceptions=True)
                raise
            finally:
                for task in running:
                    task.cancel()
                for _, future in reading:
                    future.cancel()
                await asyncio.gather(*running, return_exceptions=True)
                pool.shutdown(wait=False, cancel_futures=True)

    async def _gate(self, running: Collection[asyncio.Task[None]] = ()) -> None:
        """Wait while the job is paused. Raises `errors.Cancelled` once it is stopped."""
        while self._control.is_paused:
            if all(task.done() for task in running):
                self.progress.rest()
            await asyncio.sleep(_LOOK_EVERY_S)
        self.progress.go_on()
        if self._control.is_stopped:
            raise errors.Cancelled

    async def _first_try(self, entry: Entry, future: asyncio.Future[Question]) -> None:
        try:
            question = await future
        except (errors.LLMError, OSError) as error:
            self._fail(entry, error)
            return
        if other := self._asked.get(question.key):
            await asyncio.wait([other])
        if not self._is_known(entry, question):
            await self._try(entry, question, 1)

    async def _try(self, entry: Entry, question: Question, number: int) -> None:
        waiting = self._asked.setdefault(question.key, asyncio.get_running_loop().create_future())
        began = time.monotonic()
        try:
            (answer,) = await _all(self._ask, [question.payload])
        finally:
            self._asked.pop(question.key, None)
            if not waiting.done():
                waiting.set_result(None)
        if isinstance(answer, errors.LLMError) and ends_all(answer):
            self._entries.clear()
            raise answer
        if isinstance(answer, errors.LLMError) and answer.retryable:
            self._in_vain += 1
            if self._in_vain >= (_NOBODY_LEFT if self.progress.called else _NOBODY_THERE):
                raise answer
            if isinstance(answer, errors.RateLimited) or self._in_vain > 1:
                self._pace.refused(answer.retry_after_s)
            if number < _TRIES:
                self._again.append((entry, question, number + 1))
                return
        else:
            self._in_vain = 0
            self._pace.answered(time.monotonic() - began)
        self._settle(entry, question, answer)

    # -- both

    def _is_known(self, entry: Entry, question: Question) -> bool:
        """Tell whether there is a text for the question already; it counts for this entry, too."""
        known = self._journal.text(question.key)
        if known is None:
            return False
        self._journal.write(entry.name, entry.stamp, question.key, known)
        self._done(entry, known)
        return True

    def _settle(self, entry: Entry, question: Question, answer: Written | errors.LLMError) -> None:
        self.progress.called += 1
        if isinstance(answer, errors.LLMError):
            self._fail(entry, answer)
            return
        self._journal.write(entry.name, entry.stamp, question.key, answer.content)
        self.progress.cost_usd += answer.cost_usd or 0.0
        self._done(entry, answer.content)

    def _done(self, entry: Entry, content: dict[str, Any]) -> None:
        self.progress.done += 1
        self._settled(entry.name, content)

    def _fail(self, entry: Entry, error: errors.LLMError | OSError) -> None:
        said = (
            str(error)
            if isinstance(error, errors.LLMError)
            else f"The file cannot be read ({error.strerror})."
        )
        self._journal.fail(entry.name, said)
        self.progress.failed += 1
        self._settled(entry.name, said)


async def _all(ask: Ask, payloads: Sequence[Any]) -> list[Written | errors.LLMError]:
    """Ask for all at once, and where that fails as a whole for each on its own."""
    try:
        return await ask(payloads)
    except errors.LLMError as error:
        if len(payloads) == 1:
            return [error]
    return [(await _all(ask, [payload]))[0] for payload in payloads]
