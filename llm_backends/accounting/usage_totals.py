"""Usage added up over many calls, by model and by caller, in tables of a bounded length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

# Past so many callers or models the rest is added up under one name.
MOST_ROWS = 200
OTHERS = "others"
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call of one model, retries included; no word of what was asked or answered.

    `attempts` were really sent: none for a `cached` answer. Tokens and cost are of all of them; with
    `is_estimated` the tokens were not counted by the model's own side. `cost_usd` is None where it is
    unknown. `error` is the error's type, ``cancelled``, or empty.
    """

    caller: str
    mode: str
    provider: str
    model: str
    attempts: int = 1
    prompt_tokens: int = 0
    completion_tokens: int = 0
    is_estimated: bool = False
    cost_usd: float | None = None
    seconds: float = 0.0
    cached: bool = False
    error: str = ""

    @property
    def model_name(self) -> str:
        """The model with its provider or backend."""
        return (
            self.model if self.model == self.provider else "/".join(filter(None, (self.provider, self.model)))
        )


@dataclass(slots=True)
class Totals:
    """Totals of many calls. `cost_usd` adds up the known costs; `unpriced` counts calls without one. `calls`
    includes the failed and excludes the `cached` ones; `estimated` counts calls with estimated tokens."""

    calls: int = 0
    failed: int = 0
    cached: int = 0
    attempts: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    seconds: float = 0.0

    def add(self, other: Totals) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def to_json(self) -> dict[str, Any]:
        """The totals as JSON; a wholly unknown cost is null."""
        is_unknown = self.unpriced > 0 and not self.cost_usd
        cost = None if is_unknown else round(self.cost_usd, 8)
        return {**asdict(self), "cost_usd": cost, "seconds": round(self.seconds, 3)}

    @classmethod
    def of(cls, record: CallRecord) -> Totals:
        if record.cached:
            return cls(cached=1)
        return cls(
            calls=1,
            failed=bool(record.error),
            attempts=record.attempts,
            prompt_tokens=record.prompt_tokens,
            completion_tokens=record.completion_tokens,
            estimated=record.is_estimated,
            cost_usd=record.cost_usd or 0.0,
            unpriced=record.cost_usd is None,
            seconds=record.seconds,
        )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Totals:
        """Read what `asdict` wrote. Raises (TypeError, ValueError) for anything else."""
        return cls(**{field.name: _number(content.get(field.name, 0)) for field in fields(cls)})


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e15:
        raise ValueError("not a number of calls, tokens, dollars or seconds")
    return value


class Sums:
    """Totals of all calls, by model and by caller."""

    def __init__(self) -> None:
        self.total = Totals()
        self.models: dict[str, Totals] = {}
        self.callers: dict[str, Totals] = {}

    def add(self, record: CallRecord) -> None:
        totals = Totals.of(record)
        self.total.add(totals)
        _row(self.models, record.model_name).add(totals)
        _row(self.callers, record.caller).add(totals)

    def merge(self, other: Sums) -> None:
        self.total.add(other.total)
        for own, others in ((self.models, other.models), (self.callers, other.callers)):
            for name, totals in others.items():
                _row(own, name).add(totals)

    def summary(self) -> dict[str, Any]:
        """The totals as JSON for people: the rows with the most calls first."""
        return {"total": self.total.to_json(), "models": _rows(self.models), "callers": _rows(self.callers)}

    def to_json(self) -> dict[str, Any]:
        """The totals as JSON that `from_json` reads."""
        tables = {"models": self.models, "callers": self.callers}
        return {
            "total": asdict(self.total),
            **{
                name: {row: asdict(totals) for row, totals in table.items()} for name, table in tables.items()
            },
        }

    @classmethod
    def from_json(cls, content: Any) -> Sums:
        """Read what `to_json` wrote.
        Raises (AttributeError, KeyError, TypeError, ValueError) for anything else."""
        sums = cls()
        sums.total = Totals.from_json(content["total"])
        for name, table in (("models", sums.models), ("callers", sums.callers)):
            for row, totals in content[name].items():
                _row(table, row).add(Totals.from_json(totals))
        return sums


def _row(table: dict[str, Totals], name: str) -> Totals:
    name = name[:_LONGEST_NAME]
    if name not in table and len(table) >= MOST_ROWS:
        name = OTHERS
    return table.setdefault(name, Totals())


def _rows(table: Mapping[str, Totals]) -> list[dict[str, Any]]:
    ordered = sorted(table.items(), key=lambda row: (-row[1].calls, row[0]))
    return [{"name": name, **totals.to_json()} for name, totals in ordered]
