"""This module owns how one community's table is found: count first, then any table, then a better and better one.

When there is none it says what is to blame: what the counting proved, or which rule, given up alone, would let a
table exist (each such claim is verified by finding that table).
"""

import math
import time
from collections.abc import Callable, Sequence

from timetable.commitments import Commitments
from timetable.errors import NotFound
from timetable.model import Finding, Register, Table
from timetable.problem import Problem
from timetable.solving import lints, placing
from timetable.solving.formulation import HABITS, Family, Formulation
from timetable.solving.improvement import SMALL, Improvement
from timetable.solving.pricing import Pricing
from timetable.solving.progress import Outcome, Phase, Progress, Status
from timetable.solving.search import Effort, Run, Way, run

FIRST_SECONDS = 300.0
"""How long a first table is looked for at least: on a busy machine the time given would make a good register fail."""

SHARE_FOR_HABITS, HABITS_SECONDS = 0.6, 60.0
"""The part of the time given that may go into a table that keeps every habit before one with gaps is looked for, and
the seconds that it gets at least."""

JUMP_PATIENCE, USUAL_SIZE = 3.0, 40_000
"""Deterministic seconds in which a jump finds a table for a community of so many variables, if it finds one at all; a
larger one gets as much more."""

KEEP_SECONDS, KEEP_CHEAPER, KEEP_LATEST = 5.0, 0.9, 20.0
"""A better table is handed out no sooner than this after the one before, as making it takes a moment; and only once it
costs so much less, or after so long: no more is lost of a search that is killed."""

SECONDS_PER_CONCESSION, TRY_PATIENCE = 6.0, 1.5
"""Limits of a search that counts only if it succeeds: the wall's seconds and deterministic ones."""

EXTRA_SLACK = 10
"""Minutes of overlap given up when explaining an impossible table."""

FAMILIES: tuple[Family, ...] = ("locked", "remote_rooms", "link_capacity", "teacher_day", "travel")
CONCESSIONS = (*FAMILIES, "teacher_unavailable", "overlap")

CODES = {
    **{f"without_{name}": f"a table exists as soon as the rule {name} is given up" for name in CONCESSIONS},
    **{f"gave_up_{name}": f"the table was only possible without {name}" for name in HABITS},
    "no_single_concession": "giving up any one rule was not enough, or was not shown to be enough in time",
    "best_so_far_kept": "the search was broken off; the best table that it had found by then is the draft",
    "out_of_time": "no table was found in the time given, and none was proven impossible",
}


def never() -> bool:
    return False


def ignore(told: object) -> None:
    return None


def solve(
    register: Register,
    community_id: str,
    *,
    seconds: float,
    seed: int = 1,
    workers: int = 2,
    busy: Commitments | None = None,
    start: Table | None = None,
    improve_until: float = math.inf,
    explain: bool = True,
    on_progress: Callable[[Progress], None] = ignore,
    on_table: Callable[[Table], None] = ignore,
    should_stop: Callable[[], bool] = never,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Build the table of one community within `seconds`; where none is found by then, the first one ends the search.

    `busy` is what other communities hold of shared teachers and rooms. `start` is a table to improve on; one that does
    not keep the hard rules any more is ignored. A first table is made better while there is time, but no longer than
    until `improve_until` seconds have passed; with 0 it is the last. `explain` looks for concessions when there is
    none. `on_table` gets the first table and now and then a better one, for whoever must not lose them. `should_stop`
    is asked ten times a second; what has been found by then is returned. Raises NotFound for an unknown community.
    """
    community = next((c for c in register.communities if c.id == community_id), None)
    if community is None:
        raise NotFound("community", community_id)
    attempt = _Attempt(register, community_id, seconds, seed, workers, on_progress, on_table, should_stop, clock)
    return attempt.outcome(Problem(register, community, busy), start, improve_until, explain)


class _Attempt:
    """One solve with its clock and its listeners."""

    def __init__(
        self,
        register: Register,
        community: str,
        seconds: float,
        seed: int,
        workers: int,
        on_progress: Callable[[Progress], None],
        on_table: Callable[[Table], None],
        should_stop: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._register = register
        self._community = community
        self._limit = seconds
        self._seed = seed
        self._workers = workers
        self._tell = on_progress
        self._keep = on_table
        self._kept_at, self._kept_cost = 0.0, 0
        self._should_stop = should_stop
        self._clock = clock
        self._began = clock()
        self._first: float | None = None

    def outcome(self, problem: Problem, start: Table | None, improve_until: float, explain: bool) -> Outcome:
        if self._should_stop():
            return self._end("unknown", None, None, [Finding(code="out_of_time")])
        self._report("lints")
        found = lints.lint(problem)
        if any(finding.severity == "error" for finding in found):
            return self._end("infeasible", None, None, found)
        self._report("first")
        formulation, first = self._resumed(problem, start) or self._first_table(problem)
        if first.solution is None:
            if first.status == "unknown":
                found.append(Finding(code="out_of_time"))
            elif explain:
                found += self._explain(problem)
            return self._end(first.status, None, None, found)
        self._first = self._elapsed()
        found += [_gave_up(habit) for habit in HABITS if habit in formulation.without]
        table = placing.table_of(problem, formulation.choices(first.solution))
        bound: int | None = 0
        self._keep(table)
        self._kept_at, self._kept_cost = self._elapsed(), table.cost
        self._report("improving", table, bound)
        if improve_until > 0:
            pricing = Pricing(formulation, first.solution)
            best = Improvement(
                formulation,
                pricing,
                seed=self._seed,
                workers=self._workers,
                left=lambda: min(self._limit, improve_until) - self._elapsed(),
                should_stop=self._should_stop,
                on_better=lambda found: self._improved(problem, formulation, pricing, found),
            ).best()
            assert best.solution is not None
            bound = best.bound
            table = placing.table_of(problem, formulation.choices(best.solution))
        status: Status = "optimal" if bound is not None and table.cost <= bound else "feasible"
        return self._end(status, table, bound, found)

    # Finding --------------------------------------------------------------------------------------------------------

    def _first_table(self, problem: Problem) -> tuple[Formulation, Run]:
        """Any table: with every habit kept if that is possible, else with one given up, else with all of them."""
        strict = Formulation(problem)
        kept = self._search(strict, max(HABITS_SECONDS, self._left() * SHARE_FOR_HABITS))
        if kept.solution is not None or self._should_stop():
            return strict, kept
        loose = Formulation(problem, frozenset(HABITS))
        found = self._search(loose, self._left_for_first())
        if found.solution is None:
            return loose, found
        for habit in HABITS:
            nearly = Formulation(problem, frozenset({habit}))
            result = self._try(nearly, self._left_for_first())
            if result.solution is not None:
                return nearly, result
        return loose, found

    def _resumed(self, problem: Problem, start: Table | None) -> tuple[Formulation, Run] | None:
        """The given table as a solution, when it still keeps the rules."""
        if start is None:
            return None
        for without in (frozenset[Family](), frozenset(HABITS)):
            formulation = Formulation(problem, without)
            if formulation.fix(start):
                effort = Effort(self._left_for_first(), self._seed, workers=1, way="complete")
                result = run(formulation.cp, effort, self._should_stop)
                if result.solution is not None:
                    return formulation, result
        return None

    def _search(self, formulation: Formulation, seconds: float) -> Run:
        """Any table of the formulation, or what is known about why there is none."""
        began = self._elapsed()
        if formulation.variables > SMALL:
            # A jump that works for its table is not ended by the clock of a busy machine.
            patience = JUMP_PATIENCE * max(1.0, formulation.variables / USUAL_SIZE)
            effort = Effort(self._left_for_first(), self._seed, self._workers, way="jump", patience=patience)
            result = run(formulation.cp, effort, self._should_stop)
            if result.solution is not None:
                return result
            began = self._elapsed()
        # A single worker has no share in the jumps that run beside the proof, and may search for hours without them.
        left = seconds - (self._elapsed() - began)
        return run(formulation.cp, Effort(left, self._seed, max(2, self._workers)), self._should_stop)

    def _try(self, formulation: Formulation, left: float) -> Run:
        """A short search that counts only if it finds a table."""
        seconds = min(SECONDS_PER_CONCESSION, left)
        way: Way = "jump" if formulation.variables > SMALL else "full"
        effort = Effort(seconds, self._seed, self._workers, way=way, patience=TRY_PATIENCE)
        return run(formulation.cp, effort, self._should_stop)

    # Explaining -----------------------------------------------------------------------------------------------------

    def _explain(self, problem: Problem) -> list[Finding]:
        """Which rules, each given up alone, let a table exist; habits are no reason, so they are given up anyway."""
        found = []
        for name in CONCESSIONS:
            if self._left() <= 0 or self._should_stop():
                break
            relaxed = self._relaxed(problem, name)
            result = self._try(relaxed, self._left())
            if result.solution is not None:
                found.append(Finding(code=f"without_{name}"))
        return found or [Finding(code="no_single_concession")]

    def _relaxed(self, problem: Problem, name: str) -> Formulation:
        habits = frozenset(HABITS)
        if name == "teacher_unavailable":
            return Formulation(problem.relaxed(ignore_unavailable=True), habits)
        if name == "overlap":
            return Formulation(problem.relaxed(extra_slack=EXTRA_SLACK), habits)
        return Formulation(problem, habits | {family for family in FAMILIES if family == name})

    # Telling --------------------------------------------------------------------------------------------------------

    def _elapsed(self) -> float:
        return round(self._clock() - self._began, 3)

    def _left(self) -> float:
        return self._limit - self._elapsed()

    def _left_for_first(self) -> float:
        return max(self._limit, FIRST_SECONDS) - self._elapsed()

    def _report(self, phase: Phase, table: Table | None = None, bound: int | None = None) -> None:
        cost, by_rule = (None, ()) if table is None else (table.cost, table.cost_by_rule)
        self._tell(
            Progress(
                phase=phase,
                community=self._community,
                seconds=self._elapsed(),
                cost=cost,
                bound=bound,
                cost_by_rule=by_rule,
            )
        )

    def _improved(self, problem: Problem, formulation: Formulation, pricing: Pricing, best: Run) -> None:
        assert best.solution is not None
        assert best.cost is not None
        wait = KEEP_SECONDS if best.cost <= self._kept_cost * KEEP_CHEAPER else KEEP_LATEST
        if self._elapsed() - self._kept_at >= wait:
            self._kept_at, self._kept_cost = self._elapsed(), best.cost
            self._keep(placing.table_of(problem, formulation.choices(best.solution)))
        self._tell(
            Progress(
                phase="improving",
                community=self._community,
                seconds=self._elapsed(),
                cost=best.cost,
                bound=best.bound,
                cost_by_rule=pricing.cost_by_rule(best.solution),
            )
        )

    def _end(self, status: Status, table: Table | None, bound: int | None, findings: Sequence[Finding]) -> Outcome:
        outcome = Outcome(
            community=self._community,
            status=status,
            table=table,
            seconds_to_first=self._first,
            seconds=self._elapsed(),
            cost=None if table is None else table.cost,
            bound=bound,
            cost_by_rule=() if table is None else table.cost_by_rule,
            findings=tuple(findings),
        )
        self._report("done", table, bound)
        return outcome


def _gave_up(habit: str) -> Finding:
    return Finding(code=f"gave_up_{habit}", severity="warning")
