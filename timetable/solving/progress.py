"""This module owns what a build of tables tells while it runs, and how it reports in the end."""

from typing import Literal

from msgspec import Struct

from timetable.model import Finding, RuleCost, Table

Phase = Literal["lints", "first", "improving", "done"]
Status = Literal["optimal", "feasible", "infeasible", "unknown"]


class Progress(Struct, frozen=True, kw_only=True):
    """Where a build stands. One of these is one line of `tongke table build --progress`."""

    phase: Phase
    community: str
    seconds: float
    cost: int | None = None
    bound: int | None = None
    cost_by_rule: tuple[RuleCost, ...] = ()


class Outcome(Struct, frozen=True, kw_only=True):
    """How the search for one community's table ended. `bound`: no table costs less, as far as is proven."""

    community: str
    status: Status
    table: Table | None
    seconds_to_first: float | None
    seconds: float
    cost: int | None
    bound: int | None
    cost_by_rule: tuple[RuleCost, ...] = ()
    findings: tuple[Finding, ...] = ()


class Build(Struct, frozen=True, kw_only=True):
    """How a whole build ended: one outcome per community, in the register's order."""

    outcomes: tuple[Outcome, ...]
    seconds_to_first: float | None
    """Until every community had its first table; None when one has none."""
    seconds: float

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(outcome.table for outcome in self.outcomes if outcome.table is not None)

    @property
    def status(self) -> Status:
        """The weakest of the communities' ends."""
        ends = {outcome.status for outcome in self.outcomes}
        weakest: tuple[Status, ...] = ("infeasible", "unknown", "feasible")
        return next((status for status in weakest if status in ends), "optimal")
