"""Budgets: a call that could cost too much is not sent, however many callers ask at once."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from endpoints import answer, ask, ask_all, endpoint, failure, question

from quillwork.llm_backends import errors
from quillwork.llm_backends.accounting import budget, estimate
from quillwork.llm_backends.accounting.ledger import ledger
from quillwork.llm_backends.accounting.usage_totals import CallRecord
from quillwork.llm_backends.model import Model
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.types import Budget

# A dollar a token, and so many may be written: "a fox" is 2 + 4 tokens, and a call costs 16 at most.
PRICE = (1_000_000.0, 1_000_000.0)
FOX = question("a fox", max_tokens=10)
WORST = 16.0
REAL = 18.0  # 11 and 7 tokens, whatever was asked


@pytest.fixture(autouse=True)
def _no_calls_yet(monkeypatch):
    monkeypatch.setattr(budget, "_warned", set())
    ledger.clear()
    assert budget._held == 0
    yield
    assert budget._held == 0, "something stays set aside"
    ledger.clear()


def limited(wire, session: float | None = None, model: str = "fox", **changes):
    more = {"price": PRICE, "budget": Budget(session), **changes}
    return endpoint(wire.url, model, **more)


def test_the_worst_case_is_what_it_is(wire):
    assert estimate.worst_cost(FOX, limited(wire)) == WORST


def test_a_call_that_fits_is_made(wire):
    assert answer(limited(wire, WORST), FOX).usage.cost_usd == REAL
    assert ledger.session_cost() == REAL


def test_a_call_that_does_not_fit_is_not_sent(wire):
    error = failure(limited(wire, WORST - 0.01), FOX)
    assert (type(error), error.http_status, error.type) == (errors.BudgetExceeded, 403, "budget_exceeded")
    assert wire.log == []
    for part in ("Fox (fox)", "up to $16.00", "$15.99", "LLM_BUDGET_SESSION", "$0.00 of $15.99"):
        assert part in error.message, part
    assert "local model" in error.hint


def test_what_was_spent_counts(wire):
    deployment = limited(wire, REAL + WORST - 0.01)
    answer(deployment, FOX)
    assert "$18.00 of $33.99" in failure(deployment, FOX).message
    assert len(wire.calls()) == 1


def test_the_day_is_counted_over_programs(wire, tmp_path):
    file = tmp_path / "usage.json"
    other = ledger.__class__()
    other.add(CallRecord("x", "litellm", "openai", "fox", cost_usd=5.0), file)
    other.flush()
    tight = limited(wire, usage_file=file, budget=Budget(day_usd=WORST + 4.99))
    error = failure(tight, FOX)
    assert "LLM_BUDGET_DAY" in error.message
    assert "midnight" in error.hint
    assert wire.log == []
    answer(replace(tight, budget=Budget(day_usd=WORST + 5)), FOX)
    assert ledger.day_cost(file) == 5 + REAL


def test_a_fan_out_is_set_aside_whole_before_anything_is_sent(wire):
    outcomes = ask_all(limited(wire, 16 * WORST - 0.01), *[FOX] * 16)
    assert {type(outcome) for outcome in outcomes} == {errors.BudgetExceeded}
    assert "16 calls of Fox (fox) could cost up to $256.00" in outcomes[0].message
    assert wire.log == []
    assert all(not isinstance(one, Exception) for one in ask_all(limited(wire, 16 * WORST), *[FOX] * 16))
    assert len(wire.calls()) == 16


def test_many_at_once_do_not_overshoot_together(wire):
    """The budget has room for three calls: the others are refused while those are under way."""
    deployment = limited(wire, 3 * WORST, "fox-delay300")
    barrier, outcomes = threading.Barrier(12), []

    def one() -> None:
        barrier.wait()
        outcomes.append(ask(deployment, FOX))

    threads = [threading.Thread(target=one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [one for one in outcomes if isinstance(one, errors.BudgetExceeded)]
    assert len(outcomes) - len(refused) == len(wire.calls()) == 3
    assert any("reserved for calls in progress" in one.message for one in refused)


def test_what_is_not_spent_comes_back(wire):
    deployment = limited(wire, 4 * WORST)
    cheap = replace(deployment, price=(1.0, 0.0))
    for _ in range(10):
        answer(cheap, FOX)
    assert ledger.session_cost() < 0.001
    assert ask_all(deployment, FOX, FOX)[1].text


def test_a_failed_call_gives_its_share_back(wire):
    deployment = limited(wire, WORST, "fox-status401")
    for _ in range(3):
        assert type(failure(deployment, FOX)) is errors.AuthenticationFailed


def test_a_cancelled_fan_out_gives_its_share_back(wire):
    deployment = limited(wire, 100 * WORST, "fox-hang", max_concurrency=1)
    with pytest.raises(errors.Cancelled):
        runner.run(Model(deployment).ask([FOX] * 4), cancelled=lambda: bool(wire.calls()))
    assert 0 < ledger.session_cost() < 2 * WORST  # the one that was sent


def test_a_retry_is_not_sent_either_when_the_first_attempt_used_it_up(wire):
    deployment = limited(wire, WORST + 5, "fox-cut", retries=3)
    error = failure(deployment, FOX)
    assert type(error) is errors.BudgetExceeded
    assert len(wire.calls()) == 1


def test_a_dearer_fallback_needs_its_own_room(wire):
    dear = limited(wire, WORST, "owl", price=(9_000_000.0, 9_000_000.0))
    error = failure(limited(wire, WORST, "fox-status503", fallbacks=(dear,)), FOX)
    assert type(error) is errors.ProviderFailed  # the first error is the one that is told
    assert [call.model for call in wire.calls()] == ["fox-status503"]
    cheap = replace(dear, price=(0.0, 0.0))
    assert answer(limited(wire, WORST, "fox-status503", fallbacks=(cheap,)), FOX).model == "owl"


@pytest.mark.parametrize("session", [0.0, 1.0])
def test_free_models_always_may(wire, session):
    ledger.add(CallRecord("x", "litellm", "openai", "fox", cost_usd=5.0))
    assert answer(limited(wire, session, price=(0.0, 0.0)), FOX).text


def test_a_price_that_nobody_knows_is_refused(wire):
    error = failure(limited(wire, 5.0, price=None), FOX)
    assert type(error) is errors.BudgetExceeded
    assert "the price of Fox (fox) is not known" in error.message
    assert "LLM_BUDGET_UNPRICED=allow" in error.hint
    assert wire.log == []


@pytest.mark.parametrize("change", [{"is_local": True}, {"budget": Budget(5.0, refuses_unpriced=False)}])
def test_or_let_pass_with_one_warning(wire, change):
    deployment = limited(wire, 5.0, **{"price": None, **change})
    first, second = answer(deployment, FOX), answer(deployment, FOX)
    assert "price of Fox (fox) is not known" in " ".join(first.warnings)
    assert second.warnings == ()
    assert ledger.summary()["session"]["total"]["unpriced"] == 2


def test_what_a_server_without_a_price_tells_counts(wire):
    from wire.answers import Answer

    wire.script("fox", lambda body: Answer(pieces=["a fox"], cost=4.0))
    unpriced = limited(wire, 5.0, price=None, is_local=True)
    answer(unpriced, FOX)
    assert ledger.session_cost() == 4.0
    assert type(failure(limited(wire, WORST), FOX)) is errors.BudgetExceeded


def test_without_max_tokens_a_usual_answer_is_expected(wire):
    endless = question("a fox")
    error = failure(limited(wire, 1000.0), endless)
    assert f"${6 + estimate.USUAL_ANSWER:.2f}" in error.message


def test_without_a_budget_nothing_is_asked(wire):
    assert answer(endpoint(wire.url, price=PRICE), FOX).text
    assert answer(endpoint(wire.url, price=None), FOX).text


def test_kept_answers_cost_nothing_and_are_given(wire, tmp_path):
    kept = limited(wire, 2 * REAL, cache_file=tmp_path / "answers.sqlite")
    owl = question("an owl", max_tokens=10)
    answer(kept, FOX)
    answer(kept, owl)
    again = ask_all(kept, FOX, owl)
    assert [one.cached for one in again] == [True, True]
    # With one that is not kept among them, none of them is asked.
    new = ask_all(kept, FOX, question("a wolf", max_tokens=10))
    assert {type(one) for one in new} == {errors.BudgetExceeded}
    assert len(wire.calls()) == 2


def test_limits_and_what_is_used(wire, tmp_path):
    answer(limited(wire, 50.0), FOX)
    assert budget.summary(Budget(50.0, 80.0), 20.0) == {
        "session_usd": 50.0,
        "session_used_usd": REAL,
        "day_usd": 80.0,
        "day_used_usd": 20.0,
        "set_aside_usd": 0.0,
    }
    assert budget.summary(None, None)["session_usd"] is None


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0.0, "$0.00"), (2.5, "$2.50"), (0.123, "$0.12"), (0.01234, "$0.012"), (0.00001, "$0.00001")],
)
def test_amounts_for_people(amount, shown):
    assert budget.dollars(amount) == shown
