"""Usage of each call in the ledger: under the name of the model that answered, or that failed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import ClassVar, Literal

import pytest
from endpoints import HANG_S, answer, ask, ask_all, endpoint, question

from quillwork.llm_backends import errors, registry
from quillwork.llm_backends.accounting.ledger import ledger
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import run_in_place, runner
from quillwork.llm_backends.streaming.live import LiveText
from quillwork.llm_backends.types import Deployment, Result, Usage

PRICE = (1_000_000.0, 2_000_000.0)  # a dollar a token in, two a token out
WHOLE = {"calls": 1, "failed": 0, "cached": 0, "attempts": 1}


@pytest.fixture(autouse=True)
def _empty_ledger():
    ledger.clear()
    yield
    ledger.clear()


def rows(table: str = "models") -> dict[str, dict]:
    return {row.pop("name"): row for row in ledger.summary()["session"][table]}


def counts(row: dict) -> dict:
    return {name: row[name] for name in WHOLE}


def test_tokens_as_the_other_side_counted_them(wire):
    result = answer(endpoint(wire.url, price=PRICE))
    row = rows()["endpoint/fox"]
    assert counts(row) == WHOLE
    assert (row["prompt_tokens"], row["completion_tokens"], row["estimated"]) == (11, 7, 0)
    assert row["cost_usd"] == result.usage.cost_usd == 25.0
    assert row["seconds"] > 0


def test_an_unknown_price_stays_unknown(wire):
    result = answer(endpoint(wire.url))
    assert result.usage.cost_usd is None
    assert (rows()["endpoint/fox"]["cost_usd"], rows()["endpoint/fox"]["unpriced"]) == (None, 1)


def test_what_the_other_side_says_it_costs_wins(wire):
    wire.script("fox", lambda body: _priced(0.5))
    assert answer(endpoint(wire.url, price=PRICE)).usage.cost_usd == 0.5
    assert rows()["endpoint/fox"]["cost_usd"] == 0.5


def _priced(cost: float):
    from wire.answers import Answer

    return Answer(pieces=["a fox"], cost=cost)


def test_free_costs_nothing_even_when_nobody_counts(wire):
    result = answer(endpoint(wire.url, "fox-nousage", price=(0.0, 0.0)))
    assert result.usage.cost_usd == 0
    assert rows()["endpoint/fox-nousage"]["cost_usd"] == 0


def test_without_counts_tokens_are_estimated_and_marked(wire):
    result = answer(endpoint(wire.url, "fox-nousage", price=PRICE), question("a fox in the snow"))
    row = rows()["endpoint/fox-nousage"]
    assert (result.usage.prompt_tokens, result.usage.cost_usd) == (None, None)
    assert row["estimated"] == 1
    assert row["prompt_tokens"] == 5 + 4
    assert row["completion_tokens"] == -(-len(result.text) // 4)
    assert row["cost_usd"] == row["prompt_tokens"] + 2 * row["completion_tokens"]


def test_retries_are_one_call_of_several_attempts(wire):
    answer(endpoint(wire.url, "fox-fail503x2-retryafter0", retries=2, price=PRICE))
    row = rows()["endpoint/fox-fail503x2-retryafter0"]
    assert counts(row) == {**WHOLE, "attempts": 3}
    assert row["cost_usd"] == 25.0


def test_a_fallback_answers_under_its_own_name(wire):
    other = endpoint(wire.url, "owl", price=(0.0, 0.0))
    answer(endpoint(wire.url, "fox-status503", fallbacks=(other,), price=PRICE))
    used = rows()
    assert counts(used["endpoint/fox-status503"]) == {**WHOLE, "failed": 1}
    assert used["endpoint/fox-status503"]["cost_usd"] == 0  # it said no before it wrote a word
    assert counts(used["endpoint/owl"]) == WHOLE


@pytest.mark.parametrize("word", ["status401", "status500", "ctx"])
def test_what_was_refused_costs_nothing(wire, word):
    ask(endpoint(wire.url, f"fox-{word}", price=PRICE))
    row = rows()[f"endpoint/fox-{word}"]
    assert (row["failed"], row["prompt_tokens"], row["cost_usd"]) == (1, 0, 0)


@pytest.mark.parametrize("word", ["cut", "garbage", "empty", "filtered"])
def test_what_broke_off_is_paid_for_all_the_same(wire, word):
    ask(endpoint(wire.url, f"fox-{word}", price=PRICE))
    row = rows()[f"endpoint/fox-{word}"]
    assert row["failed"] == 1
    assert row["cost_usd"] > 0


def test_a_broken_attempt_adds_to_the_good_one(wire):
    from wire.answers import Answer

    wire.script("fox", [Answer(), "a whole answer"])
    deployment = endpoint(wire.url, price=PRICE)
    assert isinstance(ask(deployment), errors.EmptyAnswer)
    assert rows()["endpoint/fox"]["cost_usd"] >= 11


def test_a_cancelled_call_is_a_failed_one(wire):
    with pytest.raises(errors.Cancelled):
        runner.run(
            Model(endpoint(wire.url, "fox-hang", price=PRICE)).ask([question()]),
            cancelled=lambda: bool(wire.calls()),
        )
    row = rows()["endpoint/fox-hang"]
    assert (row["calls"], row["failed"], row["estimated"]) == (1, 1, 1)
    assert row["cost_usd"] > 0


def test_calls_that_were_never_sent_are_none(wire):
    deployment = endpoint(wire.url, "fox-hang", max_concurrency=1)
    with pytest.raises(errors.Cancelled):
        runner.run(Model(deployment).ask([question()] * 3), cancelled=lambda: bool(wire.calls()))
    assert rows()["endpoint/fox-hang"]["calls"] == 1


def test_kept_answers_are_counted_apart_and_cost_nothing(wire, tmp_path):
    deployment = endpoint(wire.url, price=PRICE, cache_file=tmp_path / "answers.sqlite")
    answer(deployment)
    assert answer(deployment).cached
    row = rows()["endpoint/fox"]
    assert (row["calls"], row["cached"], row["cost_usd"]) == (1, 1, 25.0)


def test_each_of_a_fan_out_counts_under_the_callers_name(wire):
    model = Model(endpoint(wire.url, price=PRICE), caller="QuillworkEnhancePrompt #12")
    runner.run(model.ask([question(str(number)) for number in range(5)]))
    assert rows("callers")["QuillworkEnhancePrompt #12"]["calls"] == 5
    ask_all(endpoint(wire.url))
    assert rows("callers")["python"]["calls"] == 1


def test_nothing_of_the_content_is_in_it(wire, tmp_path):
    file = tmp_path / "usage.json"
    answer(endpoint(wire.url, usage_file=file), question("a very secret fox"))
    ledger.flush()
    assert "secret" not in file.read_text() + str(ledger.summary(file))
    assert "snow" not in file.read_text()


class InPlace:
    runs_in_place: Literal[True] = True
    outcomes: ClassVar[list] = []

    def answer_all(self, requests, deployment, sinks, host):
        if self.outcomes and self.outcomes[0] is errors.Cancelled:
            raise errors.Cancelled
        return self.outcomes[: len(requests)]

    def unload(self):
        return []


@pytest.fixture
def in_place(monkeypatch):
    monkeypatch.setitem(registry._makers, "here", InPlace)
    registry._backends.pop("here", None)
    yield Deployment(backend="here", model="owl", mode="gguf", provider="gguf", price=(0.0, 0.0))
    registry._backends.pop("here", None)


def test_a_model_in_this_process_counts_as_well(in_place, monkeypatch):
    good = Result("text", usage=Usage(3, 4, None), seconds=1.5)
    monkeypatch.setattr(InPlace, "outcomes", [good, errors.EmptyAnswer("nothing")])
    asked = Model(in_place, live=LiveText(), caller="x").ask([question(), question()])
    outcomes = run_in_place(asked)
    row = rows()["gguf/owl"]
    assert (row["calls"], row["failed"], row["seconds"], row["cost_usd"]) == (2, 1, 1.5, 0)
    assert row["prompt_tokens"] >= 3
    assert outcomes[0].usage.cost_usd == 0


def test_a_file_is_told_without_its_path(in_place, monkeypatch):
    monkeypatch.setattr(InPlace, "outcomes", [Result("text")])
    run_in_place(Model(replace(in_place, model="/home/fox/models/owl.gguf")).ask([question()]))
    run_in_place(Model(replace(in_place, provider="here", mode="here", model="")).ask([question()]))
    assert set(rows()) == {"gguf/owl.gguf", "here"}


def test_one_in_this_process_that_is_stopped(in_place, monkeypatch):
    monkeypatch.setattr(InPlace, "outcomes", [errors.Cancelled])
    with pytest.raises(errors.Cancelled):
        run_in_place(Model(in_place).ask([question()]))
    assert rows()["gguf/owl"]["failed"] == 1


def test_many_loops_and_threads(wire):
    async def both():
        model = Model(endpoint(wire.url))
        await asyncio.gather(*(model.ask([question(str(number))]) for number in range(8)))

    runner.submit(both()).future.result(HANG_S)
    assert rows()["endpoint/fox"]["calls"] == 8
