"""The work of a job in batches: submitted, waited for, and finished like all other work."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple, TypeVar

from ...llm_backends import errors, registry
from ...llm_backends.accounting import budget
from ...llm_backends.accounting.estimate import worst_cost
from ...llm_backends.model import Model
from ...llm_backends.pipeline import check_plan
from ...llm_backends.remote.batches.service import Answer, BatchService, State
from ...llm_backends.remote.batches.service import Question as BatchQuestion
from ...llm_backends.types import Request
from ...llm_backends.vision import check_vision
from .batch_table import Asked, Batch
from .control import Control
from .journal import Journal
from .late_model import CollectingModel, Late, LateModel, Wanted, at_share
from .pace import Pace
from .work import Ask, Entry, Question, Work, Written, ends_all

M = TypeVar("M", bound=Model)

Asking = Callable[[Model], Ask]

_TRIES = 4
# How often a provider is asked about a batch: at first, and later.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _SLOWER = 1.0, 60.0, 1.5
# So many failures to look in a row, and nobody is there.
_NOBODY_THERE = 12
_GONE = (404, 410)
_KEPT_AT_ONCE = 500
_KEY_LENGTH = 40


class _Question(NamedTuple):
    asked: Asked
    encoded: bytes
    beta: str
    request: Request


@dataclass(slots=True)
class _Bundle:
    """Entries to be submitted as one batch. `worst_usd` is None where the price is unknown."""

    asked: list[Asked] = field(default_factory=list)
    encoded: list[bytes] = field(default_factory=list)
    size: int = 0
    keys: set[str] = field(default_factory=set)
    betas: set[str] = field(default_factory=set)
    holds: list[budget.Hold] = field(default_factory=list)
    worst_usd: float | None = 0.0


class BatchWork(Work):
    """The entries of one run, whose first questions go to `service` in batches.

    `asking` makes what asks a model; further questions (repairs, more values) are asked at once and at the
    usual price. `now` gives seconds since 1970, `say` is told a sentence about each batch. Other errors are
    those of `Work`. What was submitted is waited for and never submitted again, also by a later run.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        journal: Journal,
        asking: Asking,
        model: Model,
        service: BatchService,
        settled: Callable[[str, dict[str, Any] | str], None],
        now: Callable[[], float],
        say: Callable[[str], None],
        control: Control | None = None,
    ) -> None:
        super().__init__(entries, journal, self._finish, self._tell, control)
        self._waiting = {entry.name: entry for entry in self._entries}
        self._entries.clear()
        self._table, self._job = journal.batches, journal.id
        self._bundle = _Bundle()
        self._asking, self._model, self._service = asking, model, service
        self._told, self._now, self._say = settled, now, say
        self._late: dict[str, Late] = {}
        self._holds: dict[str, list[budget.Hold]] = {}
        self._ending: errors.LLMError | None = None

    async def run(self, pace: Pace, readers: int = 1) -> None:
        """Submit what nobody has been asked for, wait for all answers, and finish the entries at `pace`."""
        try:
            self.progress.waiting = "preparing the batch"
            await self._find_lost()
            for batch in self._table.open():
                # An earlier run has set it aside, which ended with that run.
                self._holds[batch.tag] = [budget.hold_again(batch.worst_usd)]
            await self._submit_all()
            await self._wait(pace)
        finally:
            for tag in [*self._holds]:
                self._release(tag)
            for hold in self._bundle.holds:
                budget.release(hold)
        if self._ending is not None:
            raise self._ending

    # -- submission

    async def _find_lost(self) -> None:
        """Find the batches whose submission was cut off before their ids were known."""
        for batch in self._table.open():
            if batch.id:
                continue
            if (found := await self._found(batch.tag)) is not None:
                self._table.submitted(batch.tag, found)
                continue
            self._table.withdraw(batch.tag)
            self._release(batch.tag)
            self._say(
                f"The submission of {_spoken(batch.total)} was cut off and {self._service.label} has no such "
                "batch, so it is made again."
            )

    async def _submit_all(self) -> None:
        asked = self._table.names()
        for entry in list(self._waiting.values()):
            if (entry.name, entry.stamp) in asked:
                continue
            await self._gate()
            try:
                questions = await self._questions(entry)
            except (errors.LLMError, OSError) as error:
                if isinstance(error, errors.LLMError) and ends_all(error):
                    raise
                del self._waiting[entry.name]
                self._fail(entry, error)
                continue
            if not questions:
                continue
            try:
                await self._add(questions)
            except errors.BudgetExceeded as error:
                # What the budget covers is done first.
                self._ending = error
                break
        if self._bundle.asked:
            await self._submit()
        if self._ending is not None:
            asked = self._table.names()
            self._waiting = {
                name: entry for name, entry in self._waiting.items() if (name, entry.stamp) in asked
            }

    async def _questions(self, entry: Entry) -> list[_Question]:
        """Return the questions with which an entry begins; none where they need not be asked."""
        question = await asyncio.to_thread(entry.prepare)
        if self._is_known(entry, question):
            del self._waiting[entry.name]
            return []
        # The same question under another name.
        if question.key in self._bundle.keys or self._table.has(question.key):
            return []
        requests = await self._requests(question.payload)
        deployment = at_share(self._model.deployment)
        check_plan(deployment)
        check_vision(requests, deployment)
        backend = registry.get(deployment.backend)
        questions = []
        for number, request in enumerate(requests):
            sketch = await backend.sketch(request, deployment)
            asked = Asked(f"{question.key[:_KEY_LENGTH]}-{number}", question.key, entry.name, entry.stamp)
            encoded = self._service.encode(BatchQuestion(asked.id, sketch.body))
            questions.append(_Question(asked, encoded, sketch.beta, request))
        return questions

    async def _requests(self, payload: Any) -> Sequence[Request]:
        try:
            await self._asking(_as(CollectingModel, self._model))([payload])
        except Wanted as wanted:
            return wanted.requests
        raise errors.NotConfigured("There is nothing to ask for this entry.")

    async def _add(self, questions: Sequence[_Question]) -> None:
        """Add the questions of an entry to the bundle, or to a new one where that would be too large."""
        deployment = at_share(self._model.deployment)
        requests = [one.request for one in questions]
        size = sum(len(one.encoded) for one in questions)
        if self._bundle.asked and (
            len(self._bundle.asked) + len(questions) > self._service.most_requests
            or self._bundle.size + size > self._service.most_bytes
        ):
            await self._submit()
        holds = budget.set_aside(requests, deployment)
        bundle = self._bundle
        bundle.holds += holds
        bundle.asked += [one.asked for one in questions]
        bundle.encoded += [one.encoded for one in questions]
        bundle.size += size
        bundle.keys.add(questions[0].asked.key)
        bundle.betas.update(name for one in questions for name in one.beta.split(",") if name)
        for request in requests:
            cost = worst_cost(request, deployment)
            bundle.worst_usd = None if cost is None or bundle.worst_usd is None else bundle.worst_usd + cost

    async def _submit(self) -> None:
        """Submit the bundle, and begin another one."""
        bundle, self._bundle = self._bundle, _Bundle()
        tag = f"{self._job}-{uuid.uuid4().hex[:8]}"
        self._holds[tag] = bundle.holds
        cost = f", for at most {budget.dollars(bundle.worst_usd)}" if bundle.worst_usd else ""
        self._say(
            f"Batch for {self._service.label}: {_spoken(len(bundle.asked))} at half the price{cost}. The "
            "answers come within 24 hours."
        )
        worst_usd = sum(hold.amount for hold in bundle.holds)
        self._table.begin(tag, bundle.asked, self._now(), worst_usd)
        self._table.submitted(tag, await self._sent(tag, bundle))

    async def _sent(self, tag: str, bundle: _Bundle) -> str:
        """Send a bundle as the batch `tag`; return the provider's id of it."""
        for number in range(1, _TRIES + 1):
            try:
                return await self._service.submit(tag, bundle.encoded, ",".join(sorted(bundle.betas)))
            except errors.LLMError as error:
                is_refused = error.status is not None and 300 <= error.status < 500
                if number == _TRIES or not error.retryable:
                    if is_refused:
                        self._table.withdraw(tag)
                    raise
                await asyncio.sleep(2.0**number if error.retry_after_s is None else error.retry_after_s)
                # It may have come through all the same.
                if not is_refused and (found := await self._found(tag)):
                    return found
        raise AssertionError("the last try returns or raises")

    async def _found(self, tag: str) -> str | None:
        """Return the provider's id of the batch `tag`, None where it has none."""
        batches = self._table.open()
        (lost,) = (batch for batch in batches if batch.tag == tag)
        others = {batch.id for batch in batches}
        return await self._service.find(tag, self._table.ids(tag), lost.began, others)

    # -- answers

    async def _wait(self, pace: Pace) -> None:
        pause_s, in_vain = _FIRST_PAUSE_S, 0
        while True:
            wait_s = 0.0
            for batch in self._table.open():
                await self._gate()
                try:
                    state = await self._service.look(batch.id)
                    in_vain = 0
                    if state.has_ended:
                        await self._fetch(batch, state)
                    else:
                        self._table.seen(batch.tag, state.word, state.answered)
                        wait_s = max(wait_s, state.wait_s or 0.0)
                except errors.LLMError as error:
                    if error.status in _GONE:
                        self._table.end(batch.tag, f"{self._service.label} has no such batch any more.")
                        continue
                    in_vain += 1
                    if not error.retryable or in_vain >= _NOBODY_THERE:
                        raise
                    wait_s = max(wait_s, error.retry_after_s or 0.0)
            left = self._table.open()
            self.progress.waiting = ""
            await self._finish_those_here(pace, are_all_here=not left)
            if not left:
                return
            answered, total = sum(one.answered for one in left), sum(one.total for one in left)
            self.progress.waiting = f"waiting for {self._service.label}: {answered} of {total} answered"
            await self._sleep(max(pause_s, wait_s))
            pause_s = min(pause_s * _SLOWER, _LONGEST_PAUSE_S)

    async def _sleep(self, seconds: float) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(left, 0.5))
            await self._gate()

    async def _fetch(self, batch: Batch, state: State) -> None:
        """Keep all answers of a batch that has ended."""
        ids = self._table.ids(batch.tag)
        ours, kept, is_strange, has_ours = set(ids), list[Answer](), False, False
        async for answer in self._service.answers(state, ids):
            if answer.id not in ours:
                is_strange = True
                continue
            has_ours = True
            kept.append(answer)
            if len(kept) >= _KEPT_AT_ONCE:
                self._table.keep(batch.tag, kept)
                kept = []
        self._table.keep(batch.tag, kept)
        if is_strange and not has_ours:
            # Somebody else's, which was taken for this one while it had not ended: ours is still to be found.
            self._table.submitted(batch.tag, "")
            await self._find_lost()
            await self._submit_all()
            return
        self._table.end(batch.tag, state.fault or f"The batch is over ({state.word}).")
        self._release(batch.tag)
        await self._service.clear(state)

    async def _finish_those_here(self, pace: Pace, *, are_all_here: bool) -> None:
        """Finish the entries whose answers are here; those that share another's come with the last."""
        here = self._table.names()
        for entry in list(self._waiting.values()):
            if here.get((entry.name, entry.stamp), are_all_here):
                del self._waiting[entry.name]
                self._entries.append(replace(entry, prepare=_Keyed(entry)))
        if self._entries:
            await super().run(pace)

    async def _finish(self, payloads: Sequence[Any]) -> list[Written | errors.LLMError]:
        ((key, payload),) = payloads
        late = self._late.get(key) or Late(self._table.answers(key))
        if not late.answers:
            return [errors.BadRequest("It was not asked for: see the failure of the same question.", hint="")]
        self._late[key], late.is_told = late, False
        model = _as(LateModel, self._model, late=late)
        written = await self._asking(model)([payload])
        del self._late[key]
        return written

    def _tell(self, name: str, outcome: dict[str, Any] | str) -> None:
        self._told(name, outcome)
        self._table.forget(name)

    def _release(self, tag: str) -> None:
        for hold in self._holds.pop(tag, ()):
            budget.release(hold)


@dataclass(frozen=True, slots=True)
class _Keyed:
    """The preparation of `entry`, with the key of its question beside the payload."""

    entry: Entry

    def __call__(self) -> Question:
        question = self.entry.prepare()
        return replace(question, payload=(question.key, question.payload))


def _as(kind: type[M], model: Model, **more: Any) -> M:
    """Return `model` as one of another kind."""
    return kind(**{one.name: getattr(model, one.name) for one in fields(Model)}, **more)


def _spoken(count: int) -> str:
    return "1 question" if count == 1 else f"{count:,} questions"
