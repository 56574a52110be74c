"""This module owns why a register has no table, and what would have to be conceded for one: never a bare "infeasible".

The largest table that exists shows which lessons find no place. What could be conceded for them is tried the cheapest
first, and each concession that is told was verified: the table with it was found and passes the independent checker.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from msgspec import Struct, structs
from ortools.sat.python import cp_model

from timetable.checker import check
from timetable.errors import NotFound
from timetable.explaining import concessions
from timetable.explaining.concessions import Candidate, Concession, ConcessionKind
from timetable.model import SHARED_KINDS, Finding, Register, Requirement, Slot, Table
from timetable.problem import Commitments, Problem
from timetable.register.change import difference
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.part import part_of, slot_of
from timetable.solving import lints, placing
from timetable.solving.formulation import HABITS, Choice, Formulation
from timetable.solving.search import Effort, run

SECONDS = 60.0
LARGEST_PATIENCE = 3.0
"""Seconds after which the largest table known so far is large enough."""

MOST_LACKING = {6: 0.08, 30: 0.15, 150: 0.25}
"""How many lessons and locks a table may lack that is looked for first, then where there is none such; each with its
part of the time."""

PART_SECONDS = 2.0
WHOLE_SECONDS = 6.0
LESSON_WEIGHT, LOCK_WEIGHT = 5, 1


CURES: Mapping[str, Sequence[ConcessionKind]] = {
    "class_overloaded": ("weekly",),
    "teacher_over_days": ("teacher_day", "weekly"),
    "teacher_over_week": ("weekly",),
    "teacher_over_periods": ("unavailable", "weekly"),
    "no_remote_room": ("remote_room",),
    "no_link": ("link",),
    "remote_rooms_overbooked": ("link", "remote_room", "busy_room"),
    "windows_never_meet": ("overlap",),
    "windows_never_meet_earlier": ("bells", "overlap"),
    "windows_never_meet_later": ("bells", "overlap"),
    "windows_meet_rarely": ("overlap", "bells", "weekly"),
    "no_slot_left": ("unavailable", "busy_room", "weekly"),
    "locked_slot_impossible": ("locked",),
    "too_many_locked": ("locked",),
    "locked_twice": ("locked",),
}
"""What may cure each mistake that counting proves."""

MOST_CURES, MOST_SEARCHED_CURES = 12, 3
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
    sweep = _Sweep(Problem(register, community, busy), seconds, seed, workers, on_found, on_step, should_stop, clock)
    return sweep.explanation()


class _Sweep:
    def __init__(
        self,
        problem: Problem,
        seconds: float,
        seed: int,
        workers: int,
        on_found: Callable[[Concession], None],
        on_step: Callable[[Step], None],
        should_stop: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._problem = problem
        self._limit = seconds
        self._seed = seed
        self._workers = workers
        self._tell = on_found
        self._step = on_step
        self._should_stop = should_stop
        self._clock = clock
        self._began = clock()
        self._first: float | None = None
        self._found: list[Concession] = []
        self._verified_ones: set[str] = set()
        self._tried = 0
        self._arrangement: Arrangement | None = None

    def explanation(self) -> Explanation:
        findings = lints.lint(self._problem)
        self._step(Step(phase="largest", seconds=self._elapsed(), findings=tuple(findings)))
        self._try_cures([finding for finding in findings if finding.severity == "error"])
        largest = self._largest()
        if largest is None:
            return self._end(False, findings, {}, False)
        self._arrangement = largest
        missing, broken = self._missing(largest), self._broken_locks(largest)
        if not missing and not broken:
            return self._end(True, findings, {}, True)
        complete = self._sweep(largest, missing, broken)
        return self._end(False, findings, missing, complete)

    # What counting proves -------------------------------------------------------------------------------------------

    def _try_cures(self, proven: Sequence[Finding]) -> None:
        """Try what cures the proven mistakes, so that the first concession comes early."""
        kinds = {kind for finding in proven for kind in CURES.get(finding.code, ())}
        if not kinds:
            return
        culprits = [r for r in self._problem.requirements if any(self._names(finding, r) for finding in proven)]
        fewer = max((_excess(finding) for finding in proven), default=1)
        cures = concessions.candidates(self._problem, culprits, max(1, fewer))
        searched = 0
        for candidate in [c for c in cures if c.concession.kind in kinds][:MOST_CURES]:
            if self._over() or searched == MOST_SEARCHED_CURES:
                return
            if any(finding.severity == "error" for finding in lints.lint(self._conceded(candidate))):
                continue
            searched += 1
            if self._try_whole(candidate, self._left() * CURE_SHARE):
                self._verified(candidate)

    def _names(self, finding: Finding, requirement: Requirement) -> bool:
        """Whether a finding is about the requirement, one of its classes, teachers or shared units."""
        problem, said = self._problem, set(finding.values.values())
        names = {requirement.id}
        for party in requirement.parties:
            names |= {problem.classes[c].name for c in party.classes}
            names |= {problem.teachers[t].name for t in party.teachers}
            if requirement.kind in SHARED_KINDS:
                names.add(problem.units[party.unit].name)
        return not said.isdisjoint(names)

    # The largest table ----------------------------------------------------------------------------------------------

    def _largest(self) -> Arrangement | None:
        """A table with as many of the lessons, and of the locks, as can be found in a few seconds."""
        formulation = Formulation(self._problem, frozenset({*HABITS, "counts", "locked"}))
        cp = formulation.cp
        lacks: list[cp_model.IntVar] = []
        weights: list[int] = []
        for demand, placed in formulation.placed:
            requirement = demand.requirement
            lack = cp.new_int_var(0, requirement.weekly, "")
            cp.add(cp_model.LinearExpr.sum(placed) + lack >= requirement.weekly)
            lacks.append(lack)
            weights.append(LESSON_WEIGHT)
            at = {(p.weekday, p.period): v for p, v in zip(demand.placements, placed, strict=True)}
            for slot in requirement.locked:
                kept, given_up = at.get((slot.weekday, slot.period)), cp.new_bool_var("")
                cp.add_bool_or([given_up] if kept is None else [kept, given_up])
                lacks.append(given_up)
                weights.append(LOCK_WEIGHT)
        total = cp_model.LinearExpr.sum(lacks)
        enough = cp.new_int_var(0, max(1, sum(r.weekly for r in self._problem.requirements)) * 2, "")
        cp.add(total <= enough)
        # Any table that lacks little is found soon; to ask for the largest one at once is not.
        limit = cp.proto.variables[enough.index].domain
        result = None
        for most, share in MOST_LACKING.items():
            limit[len(limit) - 1] = most
            effort = Effort(self._left() * share, self._seed, self._workers)
            result = run(cp, effort, self._should_stop)
            if result.solution is not None or self._over():
                break
        if result is None or result.solution is None:
            return None
        solution = self._larger(cp, cp_model.LinearExpr.weighted_sum(lacks, weights), result.solution)
        return Arrangement(self._problem, placing.table_of(self._problem, formulation.choices(solution)))

    def _larger(self, cp: cp_model.CpModel, lacking: cp_model.LinearExprT, solution: Sequence[int]) -> Sequence[int]:
        """The largest table that is found in a few seconds from a known one on."""
        hint = cp.proto.solution_hint
        hint.vars.extend(range(len(solution)))
        hint.values.extend(solution)
        cp.minimize(lacking)
        effort = Effort(min(LARGEST_PATIENCE, self._left() / 2), self._seed, self._workers)
        better = run(cp, effort, self._should_stop).solution
        return solution if better is None else better

    def _missing(self, largest: Arrangement) -> dict[str, int]:
        standing = largest.of_requirement
        lacking = {r.id: r.weekly - len(standing.get(r.id, ())) for r in self._problem.requirements}
        return {id: count for id, count in lacking.items() if count > 0}

    def _broken_locks(self, largest: Arrangement) -> list[tuple[Requirement, Slot]]:
        """The locks that the largest table does not keep, of requirements that have all their lessons."""
        whole = {r.id for r in self._problem.requirements if len(largest.of_requirement.get(r.id, ())) == r.weekly}
        return [(requirement, slot) for requirement, slot in self._unkept(largest) if requirement.id in whole]

    def _unkept(self, largest: Arrangement) -> list[tuple[Requirement, Slot]]:
        """The locks that the largest table does not keep."""
        found = []
        for requirement in self._problem.requirements:
            slots = {slot_of(lesson) for lesson in largest.of_requirement.get(requirement.id, ())}
            found += [(requirement, s) for s in requirement.locked if (s.weekday, s.period) not in slots]
        return found

    # Trying ---------------------------------------------------------------------------------------------------------

    def _sweep(
        self, largest: Arrangement, missing: Mapping[str, int], broken: Sequence[tuple[Requirement, Slot]]
    ) -> bool:
        """Try every candidate, first around the lessons that find no place, then with everything free; whether all of
        them were tried."""
        problem = self._problem
        requirements = {requirement.id: requirement for requirement in problem.requirements}
        lost = frozenset({*missing, *(requirement.id for requirement, _ in broken)})
        culprits = [requirements[id] for id in requirements if id in lost]
        # The largest table itself verifies giving up all that it lacks.
        self._verified(self._known(largest, missing, broken))
        left: list[Candidate] = []
        wanted = concessions.candidates(problem, culprits, sum(missing.values()))
        untried = [candidate for candidate in wanted if not self._known_already(candidate)]
        for candidate in untried:
            self._step(Step(phase="trying", seconds=self._elapsed(), tried=self._tried, of=len(untried)))
            if self._over():
                return False
            self._tried += 1
            outcome = self._try_near(candidate, largest, lost)
            if outcome:
                self._verified(candidate)
            elif outcome is None:
                left.append(candidate)
        for candidate in left:
            if self._over():
                return False
            if self._try_whole(candidate):
                self._verified(candidate)
        return True

    def _known(
        self, largest: Arrangement, missing: Mapping[str, int], broken: Sequence[tuple[Requirement, Slot]]
    ) -> Candidate:
        problem = self._problem
        requirements = {requirement.id: requirement for requirement in problem.requirements}
        if len(missing) == 1 and not broken:
            [(id, fewer)] = missing.items()
            known = concessions.reduced(problem, requirements[id], fewer)
        elif len(broken) == 1 and not missing:
            known = concessions.unlocked(problem, *broken[0])
        else:
            known = concessions.together(problem, missing, broken)
        # a requirement that lacks lessons gives up the locks of those
        return replace(known, changed=partial(concessions.given_up, problem, missing, self._unkept(largest)))

    def _try_near(self, candidate: Candidate, largest: Arrangement, lost: frozenset[str]) -> bool | None:
        """Whether the concession lets a table exist; None where that is not known yet."""
        problem = self._conceded(candidate)
        if any(finding.severity == "error" for finding in lints.lint(problem)):
            return False
        if candidate.moves_bells:
            return None
        requirements = {requirement.id for requirement in problem.requirements}
        kept = tuple(x for x in largest.table.lessons if x.requirement in requirements)
        arrangement = Arrangement(problem, structs.replace(largest.table, lessons=kept))
        also = (lost | candidate.requirements) & requirements
        tried: set[frozenset[str]] = set()
        for free in self._rungs(arrangement, also):
            if free in tried or self._over():
                continue
            tried.add(free)
            part = part_of(arrangement, free, also=also, problem=problem, habits=False)
            effort = Effort(seconds=min(PART_SECONDS, self._left()), seed=self._seed, workers=self._workers)
            result = run(part.formulation.cp, effort, self._should_stop)
            if result.solution is not None:
                moved = [c for c in part.formulation.choices(result.solution) if c.requirement.id in part.moving]
                held = [
                    Choice(
                        arrangement.requirements[lesson.requirement],
                        arrangement.standing(lesson),
                        {index: party.room for index, party in enumerate(lesson.parties) if party.room is not None}
                        if lesson.kind in SHARED_KINDS
                        else {},
                    )
                    for lesson in kept
                    if lesson.requirement not in part.moving
                ]
                if self._passes(problem, [*moved, *held]):
                    return True
        return None

    def _try_whole(self, candidate: Candidate, patience: float = 0.0) -> bool:
        """Whether the concession lets a table exist, with all lessons free; looked for that long, where it is longer
        than for any candidate."""
        problem = self._conceded(candidate)
        formulation = Formulation(problem, frozenset(HABITS))
        standing = {} if self._arrangement is None else self._arrangement.of_requirement
        for demand, variables in formulation.placed if standing else ():
            slots = {slot_of(lesson) for lesson in standing.get(demand.requirement.id, ())}
            for variable, placement in zip(variables, demand.placements, strict=True):
                formulation.cp.add_hint(variable, (placement.weekday, placement.period) in slots)
        effort = Effort(seconds=min(max(WHOLE_SECONDS, patience), self._left()), seed=self._seed, workers=self._workers)
        result = run(formulation.cp, effort, self._should_stop)
        return result.solution is not None and self._passes(problem, formulation.choices(result.solution))

    def _conceded(self, candidate: Candidate) -> Problem:
        """The problem with the concession made."""
        register = candidate.changed()
        community = next(c for c in register.communities if c.id == self._problem.community.id)
        return Problem(register, community, self._problem.commitments)

    @staticmethod
    def _rungs(arrangement: Arrangement, also: frozenset[str]) -> Iterator[frozenset[str]]:
        """The lessons that move: those of the classes concerned, then those of their teachers and units as well."""
        requirements = [arrangement.requirements[id] for id in also]
        classes = {c for r in requirements for party in r.parties for c in party.classes}
        teachers = {t for r in requirements for party in r.parties for t in party.teachers}
        units = {party.unit for r in requirements if r.kind in SHARED_KINDS for party in r.parties}
        ids = {id for one in classes for id in arrangement.of_class.get(one, ())}
        ids |= {id for one in teachers for id in arrangement.of_teacher.get(one, ())}
        yield frozenset(ids)
        ids |= {
            lesson.id
            for lesson in arrangement.table.lessons
            if lesson.kind in SHARED_KINDS and any(party.unit in units for party in lesson.parties)
        }
        more = {t for id in ids for party in arrangement.lessons[id].parties for t in party.teachers}
        ids |= {id for one in more for id in arrangement.of_teacher.get(one, ())}
        yield frozenset(ids)

    @staticmethod
    def _passes(problem: Problem, choices: Sequence[Choice]) -> bool:
        try:
            table: Table = placing.table_of(problem, choices)
        except placing.NoRoom:
            return False
        return not check(problem.register, table)

    # Telling --------------------------------------------------------------------------------------------------------

    def _known_already(self, candidate: Candidate) -> bool:
        return repr(candidate.concession) in self._verified_ones

    def _verified(self, candidate: Candidate) -> None:
        if self._known_already(candidate):
            return
        self._verified_ones.add(repr(candidate.concession))
        if self._first is None:
            self._first = self._elapsed()
        change = difference(self._problem.register, candidate.changed())
        concession = structs.replace(candidate.concession, change=change)
        self._found.append(concession)
        self._tell(concession)

    def _elapsed(self) -> float:
        return round(self._clock() - self._began, 3)

    def _left(self) -> float:
        return self._limit - self._elapsed()

    def _over(self) -> bool:
        return self._left() <= 0 or self._should_stop()

    def _end(
        self, feasible: bool, findings: Sequence[Finding], missing: Mapping[str, int], complete: bool
    ) -> Explanation:
        return Explanation(
            feasible=feasible,
            findings=tuple(findings),
            missing=dict(missing),
            concessions=tuple(sorted(self._found, key=lambda concession: concession.price)),
            tried=self._tried,
            complete=complete,
            seconds_to_first=self._first,
            seconds=self._elapsed(),
        )


def _excess(finding: Finding) -> int:
    """By how many lessons a count is exceeded."""
    lessons = finding.values.get("lessons", 0)
    most = next((v for k, v in finding.values.items() if k in ("periods", "most", "places")), lessons)
    return int(lessons) - int(most)
