"""This module owns the smallest change by which a standing table fits a register that has changed: what is not touched
stays, what has gone is dropped, and what is new finds a place with the fewest moves of the rest.

It climbs the ladder of the repairs: first only what is new or changed may stand elsewhere, then the other lessons of
its classes, of their teachers, and at last all.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from timetable.checker import check
from timetable.commitments import commitments_of
from timetable.errors import BuildFailed, NotFound
from timetable.model import SHARED_KINDS, Finding, Lesson, PlacedParty, Register, Requirement, Slot, Table, clock
from timetable.placement import Demand, Placement
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.ladder import LADDER, Rung, free_on
from timetable.repairing.moving import moved
from timetable.repairing.part import Part, part_of, slot_of
from timetable.repairing.repair import Move
from timetable.repairing.slots import placement_by_clock
from timetable.solving.placing import NoRoom
from timetable.solving.search import Effort, run
from timetable.titles import requirement_title

SECONDS = 60.0

CODES: Mapping[str, str] = {
    "refit_no_table": "no table was found that fits the changed register",
    "refit_no_slot": "a lesson has fewer slots than it needs",
}
"""Every code that this module can report."""


class RefitStep(Struct, frozen=True, kw_only=True):
    """What is tried just now: which other lessons may move, and whether a table is found that only gets better."""

    rung: Rung
    found: bool = False


class Refit(Struct, frozen=True, kw_only=True):
    """A table that fits; lesson ids by what happened to them. `units` are all whose day changes."""

    table: Table
    moves: tuple[Move, ...]
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    changed: tuple[str, ...]
    """Lessons that stay where they are, with other parties."""
    kept: int
    rung: Rung
    seconds: float


def refit(
    register: Register,
    table: Table,
    around: Sequence[Table] = (),
    *,
    seconds: float = SECONDS,
    seed: int = 1,
    workers: int = 2,
    should_stop: Callable[[], bool] = lambda: False,
    on_step: Callable[[RefitStep], None] = lambda step: None,
) -> Refit:
    """Fit the table of a community to the register; `on_step` hears of each try. Raises NotFound for an unknown
    community, BuildFailed with the reasons where no table was found in time."""
    community = next((known for known in register.communities if known.id == table.community), None)
    if community is None:
        raise NotFound("community", table.community)
    problem = Problem(register, community, commitments_of(register, around))
    return _Attempt(problem, table, around, seconds, seed, workers, should_stop, on_step).refit()


class _Attempt:
    def __init__(
        self,
        problem: Problem,
        table: Table,
        around: Sequence[Table],
        seconds: float,
        seed: int,
        workers: int,
        should_stop: Callable[[], bool],
        on_step: Callable[[RefitStep], None],
    ) -> None:
        self._problem = problem
        self._old = {lesson.id: lesson for lesson in table.lessons}
        self._around = around
        self._began = time.monotonic()
        self._effort = seconds, seed, workers
        self._should_stop = should_stop
        self._on_step = on_step
        self._stays: dict[str, Placement] = {}
        """Where lessons stand that are new or changed: every one of these is placed anew."""
        self._added: list[str] = []
        self._changed: list[str] = []
        lessons = list(self._lessons())
        self._arrangement = Arrangement(
            problem, Table(community=table.community, term=table.term, lessons=tuple(lessons))
        )

    def refit(self) -> Refit:
        touched = set(self._stays)
        if not touched:
            return self._done({}, moved(self._arrangement, {}), "alone")
        tried: set[frozenset[str]] = set()
        for habits in (True, False):
            for rung in LADDER:
                free = free_on(rung, self._arrangement, touched)
                if free in tried and habits:
                    continue
                tried.add(free)
                if self._left() <= 0 or self._should_stop():
                    break
                self._on_step(RefitStep(rung=rung))
                found = self._search(part_of(self._arrangement, free, habits=habits), touched, rung)
                if found is not None:
                    return self._done(*found, rung)
        raise BuildFailed("infeasible", [Finding(code="refit_no_table")])

    # What is there --------------------------------------------------------------------------------------------------

    def _lessons(self) -> Iterator[Lesson]:
        """Every lesson that the register asks for: as it stood, or somewhere where it could stand."""
        standing: dict[str, list[Lesson]] = {}
        for lesson in self._old.values():
            standing.setdefault(lesson.requirement, []).append(lesson)
        for demand in self._problem.demands:
            requirement = demand.requirement
            known = standing.get(requirement.id, [])[: requirement.weekly]
            taken = {slot_of(lesson) for lesson in known}
            for lesson in known:
                yield self._as_required(lesson, requirement, demand)
            free = [p for p in demand.placements if (p.weekday, p.period) not in taken]
            missing = requirement.weekly - len(known)
            if len(free) < missing:
                values: dict[str, str | int] = {"title": requirement_title(self._problem.register, requirement)}
                raise BuildFailed("infeasible", [Finding(code="refit_no_slot", values=values)])
            for placement in free[:missing]:
                number = 1 + max((_number(id) for id in self._ids(requirement.id)), default=0)
                lesson = self._at(requirement, f"{requirement.id}.{number}", placement, None)
                self._added.append(lesson.id)
                self._stays[lesson.id] = placement
                yield lesson

    def _ids(self, requirement: str) -> Iterator[str]:
        prefix = f"{requirement}."
        return (
            id for id in (*self._old, *self._added) if id.startswith(prefix) and id.removeprefix(prefix).isdecimal()
        )

    def _as_required(self, lesson: Lesson, requirement: Requirement, demand: Demand) -> Lesson:
        """The lesson as it stands; with other parties where the requirement has others now, and elsewhere where a
        school rings its period no more."""
        same = [(p.unit, p.classes, p.teachers) for p in lesson.parties] == [
            (p.unit, p.classes, p.teachers) for p in requirement.parties
        ]
        run = self._problem.bells.run
        rings = all(run(p.unit, lesson.weekday, p.period, requirement.block) is not None for p in lesson.parties)
        if same and rings and _asks(lesson) == _asks(requirement):
            return lesson
        placement = placement_by_clock(self._problem, requirement, *slot_of(lesson))
        self._changed.append(lesson.id)
        if placement is None:
            placement = demand.placements[0]
        self._stays[lesson.id] = placement
        return self._at(requirement, lesson.id, placement, lesson)

    def _at(self, requirement: Requirement, id: str, placement: Placement, before: Lesson | None) -> Lesson:
        """A lesson of the requirement at that place; its rooms and who supervises are found when it is placed."""
        shared = requirement.kind in SHARED_KINDS
        rooms = {party.unit: party.room for party in before.parties} if before is not None and shared else {}
        if not shared:
            homes = self._problem.classes
            rooms = {party.unit: homes[party.classes[0]].room for party in requirement.parties if party.classes}
        parties = tuple(
            PlacedParty(
                unit=party.unit,
                period=side.periods[0],
                start=clock(side.window.start),
                end=clock(side.window.end),
                room=rooms.get(party.unit),
                classes=party.classes,
                teachers=party.teachers,
            )
            for party, side in zip(requirement.parties, placement.sides, strict=True)
        )
        return Lesson(
            id=id,
            requirement=requirement.id,
            kind=requirement.kind,
            subject=requirement.subject,
            weekday=placement.weekday,
            start=clock(placement.shared.start),
            end=clock(placement.shared.end),
            parties=parties,
            weeks=requirement.weeks,
            topic=requirement.topic,
            only_weeks=requirement.only_weeks,
            rotation=requirement.rotation,
        )

    # Where it goes --------------------------------------------------------------------------------------------------

    def _search(self, part: Part, touched: Collection[str], rung: Rung) -> tuple[dict[str, Placement], Table] | None:
        """The fewest moves of what stood before, then the cheapest of them."""
        part.minimise_moves(self._added)
        _, seed, workers = self._effort
        effort = Effort(seconds=self._left(), seed=seed, workers=workers)

        def better(solution: object, cost: int, bound: int) -> None:
            self._on_step(RefitStep(rung=rung, found=True))

        result = run(part.formulation.cp, effort, self._should_stop, better)
        if result.solution is None:
            return None
        placements = part.moves(result.solution, {})
        for id in touched:
            placements.setdefault(id, self._stays[id])
        try:
            return placements, moved(self._arrangement, placements)
        except NoRoom:
            return None

    def _left(self) -> float:
        return self._effort[0] - (time.monotonic() - self._began)

    def _done(self, placements: Mapping[str, Placement], table: Table, rung: Rung) -> Refit:
        wrong = [f for f in check(self._problem.register, *self._around, table) if f.severity == "error"]
        if wrong:
            raise BuildFailed("infeasible", wrong)
        after = {lesson.id: lesson for lesson in table.lessons}
        moves = tuple(
            Move(lesson=id, source=_slot(self._old[id]), target=_slot(after[id]))
            for id in sorted(placements)
            if id in self._old and slot_of(self._old[id]) != slot_of(after[id])
        )
        ids = {move.lesson for move in moves}
        changed = tuple(id for id in after if id in self._old and id not in ids and after[id] != self._old[id])
        return Refit(
            table=table,
            moves=moves,
            added=tuple(self._added),
            dropped=tuple(id for id in self._old if id not in after),
            changed=changed,
            kept=len(after) - len(moves) - len(changed) - len(self._added),
            rung=rung,
            seconds=round(time.monotonic() - self._began, 3),
        )


def _slot(lesson: Lesson) -> Slot:
    return Slot(weekday=lesson.weekday, period=lesson.host.period)


def _asks(one: Lesson | Requirement) -> tuple[object, ...]:
    """What a lesson has from its requirement, beside the parties."""
    return one.kind, one.subject, one.topic, one.weeks, one.only_weeks, one.rotation


def _number(id: str) -> int:
    return int(id.rpartition(".")[2])
