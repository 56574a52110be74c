"""This module owns why a register has no table, and what would have to be conceded for one: never a bare "infeasible".

The largest table that exists shows which lessons find no place. What could be conceded for them is tried the cheapest
first, and each concession that is told was verified: the table with it was found and passes the independent checker.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from msgspec import Struct, structs

from timetable.commitments import Commitments
from timetable.errors import NotFound
from timetable.explaining import concessions
from timetable.explaining.budget import Budget
from timetable.explaining.candidate import Candidate, Concession
from timetable.explaining.cures import cures
from timetable.explaining.largest import Largest, largest
from timetable.explaining.trial import conceded, refuted, try_near, try_whole
from timetable.model import Finding, Register
from timetable.problem import Problem
from timetable.register.change import difference
from timetable.solving import lints

SECONDS = 60.0

MOST_SEARCHED_CURES = 3
CURE_SHARE = 0.2
"""Part of the time left that a cure of what counting proves may take: it is the likeliest of all, also where the
machine is busy."""

Phase = Literal["largest", "trying"]


class Step(Struct, frozen=True, kw_only=True):
    """How far the search for concessions is: of `of` candidates that are known by now, `tried` were tried."""

    phase: Phase
    seconds: float
    tried: int = 0
    of: int = 0
    findings: tuple[Finding, ...] = ()
    """What counting alone found, before any search."""


class Explanation(Struct, frozen=True, kw_only=True):
    """What was found out. `feasible`: there is nothing to explain. `missing`: the requirements of the largest table
    found that lack lessons, with how many. `concessions`: all verified, the cheapest first. `complete`: every
    candidate was tried."""

    feasible: bool
    findings: tuple[Finding, ...]
    missing: dict[str, int]
    concessions: tuple[Concession, ...]
    tried: int
    complete: bool
    seconds_to_first: float | None
    seconds: float


def explain(
    register: Register,
    community_id: str,
    *,
    seconds: float = SECONDS,
    seed: int = 1,
    workers: int = 2,
    busy: Commitments | None = None,
    on_found: Callable[[Concession], None] = lambda concession: None,
    on_step: Callable[[Step], None] = lambda step: None,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> Explanation:
    """Look for concessions for at most about `seconds`; each is told to `on_found` as soon as it is verified.

    Raises NotFound for an unknown community.
    """
    community = next((c for c in register.communities if c.id == community_id), None)
    if community is None:
        raise NotFound("community", community_id)
    budget = Budget(seconds, seed, workers, should_stop, clock)
    return _Sweep(Problem(register, community, busy), budget, on_found, on_step).explanation()


class _Sweep:
    def __init__(
        self,
        problem: Problem,
        budget: Budget,
        on_found: Callable[[Concession], None],
        on_step: Callable[[Step], None],
    ) -> None:
        self._problem = problem
        self._budget = budget
        self._tell = on_found
        self._step = on_step
        self._first: float | None = None
        self._found: list[Concession] = []
        self._verified_ones: set[str] = set()
        self._tried = 0

    def explanation(self) -> Explanation:
        findings = lints.lint(self._problem)
        self._step(Step(phase="largest", seconds=self._budget.elapsed(), findings=tuple(findings)))
        self._try_cures([finding for finding in findings if finding.severity == "error"])
        found = largest(self._problem, self._budget)
        if found is None:
            return self._end(findings, None, feasible=False, complete=False)
        if not found.missing and not found.broken:
            return self._end(findings, found, feasible=True, complete=True)
        complete = self._sweep(found)
        return self._end(findings, found, feasible=False, complete=complete)

    # Trying ---------------------------------------------------------------------------------------------------------

    def _try_cures(self, proven: Sequence[Finding]) -> None:
        """Try what cures the proven mistakes, so that the first concession comes early."""
        budget, searched = self._budget, 0
        for candidate in cures(self._problem, proven):
            if budget.over() or searched == MOST_SEARCHED_CURES:
                return
            if refuted(conceded(self._problem, candidate)):
                continue
            searched += 1
            if try_whole(self._problem, candidate, None, budget, budget.left() * CURE_SHARE):
                self._verified(candidate)

    def _sweep(self, found: Largest) -> bool:
        """Try every candidate, first around the lessons that find no place, then with everything free; whether all of
        them were tried."""
        problem, budget = self._problem, self._budget
        lost = frozenset({*found.missing, *(requirement.id for requirement, _ in found.broken)})
        culprits = [requirement for requirement in problem.requirements if requirement.id in lost]
        # The largest table itself verifies giving up all that it lacks.
        self._verified(self._known(found))
        left: list[Candidate] = []
        wanted = concessions.candidates(problem, culprits, sum(found.missing.values()))
        untried = [candidate for candidate in wanted if not self._known_already(candidate)]
        for candidate in untried:
            self._step(Step(phase="trying", seconds=budget.elapsed(), tried=self._tried, of=len(untried)))
            if budget.over():
                return False
            self._tried += 1
            outcome = try_near(problem, candidate, found, lost, budget)
            if outcome:
                self._verified(candidate)
            elif outcome is None:
                left.append(candidate)
        for candidate in left:
            if budget.over():
                return False
            if try_whole(problem, candidate, found, budget):
                self._verified(candidate)
        return True

    def _known(self, found: Largest) -> Candidate:
        """Giving up what the largest table lacks."""
        problem, missing, broken = self._problem, found.missing, found.broken
        if len(missing) == 1 and not broken:
            [(id, fewer)] = missing.items()
            known = concessions.reduced(problem, found.arrangement.requirements[id], fewer)
        elif len(broken) == 1 and not missing:
            known = concessions.unlocked(problem, *broken[0])
        else:
            known = concessions.together(problem, missing, broken)
        # a requirement that lacks lessons gives up the locks of those
        return replace(known, changed=partial(concessions.given_up, problem, missing, found.unkept))

    # Telling --------------------------------------------------------------------------------------------------------

    def _known_already(self, candidate: Candidate) -> bool:
        return repr(candidate.concession) in self._verified_ones

    def _verified(self, candidate: Candidate) -> None:
        if self._known_already(candidate):
            return
        self._verified_ones.add(repr(candidate.concession))
        if self._first is None:
            self._first = self._budget.elapsed()
        change = difference(self._problem.register, candidate.changed())
        concession = structs.replace(candidate.concession, change=change)
        self._found.append(concession)
        self._tell(concession)

    def _end(
        self, findings: Sequence[Finding], found: Largest | None, *, feasible: bool, complete: bool
    ) -> Explanation:
        return Explanation(
            feasible=feasible,
            findings=tuple(findings),
            missing={} if found is None else found.missing,
            concessions=tuple(sorted(self._found, key=lambda concession: concession.price)),
            tried=self._tried,
            complete=complete,
            seconds_to_first=self._first,
            seconds=self._budget.elapsed(),
        )
