"""This module owns the interactive repair: one lesson is put into a slot, and what it pushes away finds another place
with the fewest moves.

It climbs a ladder of parts: the lessons in the way; all lessons of their classes; those of their teachers too; all.
The first part in which a table exists is nearly always enough, and it is searched in a fraction of a second.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from timetable.checker import check
from timetable.errors import NotFound, TimetableError
from timetable.model import Finding, Lesson, Slot, Table
from timetable.placement import Placement
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.ladder import LADDER, Rung, free_on
from timetable.repairing.moving import moved
from timetable.repairing.obstacles import Obstacle, obstacles
from timetable.repairing.part import Part, part_of, slot_of
from timetable.repairing.slots import impossible, placement_by_clock
from timetable.solving import placing
from timetable.solving.search import Effort, run

SECONDS = 8.0
"""How long a repair may take in all; nearly all take a small part of it."""

PATIENCE = 0.7
"""Seconds after which the fewest moves that are known by then are good enough."""

CODES: Mapping[str, str] = {
    "repair_impossible": "no table was found in which the lesson stands there",
}
"""The code that this module reports beside those of the slots."""


class CannotRepair(TimetableError):
    """The lesson cannot stand there whatever else moves, as far as was found out; `findings` say why."""

    code = "cannot_repair"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(", ".join(finding.code for finding in findings))
        self.findings = tuple(findings)


class Move(Struct, frozen=True, kw_only=True):
    """One lesson's way from one slot to another, both of its host."""

    lesson: str
    source: Slot
    target: Slot


class Repair(Struct, frozen=True, kw_only=True):
    """A table in which the lesson stands where it was put; the dragged lesson's own move comes first."""

    table: Table
    moves: tuple[Move, ...]
    cost_before: int
    cost_after: int
    units: tuple[str, ...]
    """The units whose day changes."""
    rung: Rung
    seconds: float
    verified: bool
    """The independent checker found nothing that it had not found before."""


def repair(
    arrangement: Arrangement,
    lesson_id: str,
    target: Slot,
    *,
    seconds: float = SECONDS,
    seed: int = 1,
    patience: float = PATIENCE,
    ladder: Sequence[Rung] = LADDER,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> Repair:
    """Put the lesson into the slot and repair the rest with the fewest moves, the cheapest of them.

    A lesson that simply fits is moved alone. Raises NotFound for an unknown lesson, CannotRepair.
    """
    lesson = arrangement.lessons.get(lesson_id)
    if lesson is None:
        raise NotFound("lesson", lesson_id)
    if reasons := impossible(arrangement, lesson, target.weekday, target.period):
        raise CannotRepair(reasons)
    attempt = _Attempt(arrangement, lesson, target, seconds, seed, patience, should_stop, clock)
    return attempt.repair(ladder)


class _Attempt:
    def __init__(
        self,
        arrangement: Arrangement,
        lesson: Lesson,
        target: Slot,
        seconds: float,
        seed: int,
        patience: float,
        should_stop: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._arrangement = arrangement
        self._lesson = lesson
        requirement = arrangement.requirements[lesson.requirement]
        placement = placement_by_clock(arrangement.problem, requirement, target.weekday, target.period)
        assert placement is not None
        self._placement: Placement = placement
        self._limit = seconds
        self._seed = seed
        self._patience = patience
        self._should_stop = should_stop
        self._clock = clock
        self._began = clock()

    def repair(self, ladder: Sequence[Rung]) -> Repair:
        arrangement, lesson = self._arrangement, self._lesson
        if (self._placement.weekday, self._placement.period) == slot_of(lesson):
            return self._repaired({}, arrangement.table, "alone")
        in_its_way = obstacles(arrangement, lesson, self._placement)
        siblings = [
            other.id
            for other in arrangement.of_requirement[lesson.requirement]
            if slot_of(other) == (self._placement.weekday, self._placement.period)
        ]
        alone = {lesson.id: self._placement}
        if not in_its_way and not siblings:
            return self._repaired(alone, moved(arrangement, alone), "alone")
        touched = {lesson.id, *siblings, *(id for obstacle in in_its_way for id in obstacle.lessons)}
        # Those of which each has to leave; more moves than these need not be looked for.
        fewest = 1 + len({*siblings, *_surely(in_its_way)})
        best: tuple[dict[str, Placement], Table, Rung] | None = None
        tried: set[frozenset[str]] = set()
        for habits in (True, False):
            for rung in ladder:
                free = free_on(rung, arrangement, touched)
                if (free in tried and habits) or self._left() <= 0 or self._should_stop():
                    continue
                tried.add(free)
                found = self._search(part_of(arrangement, free, habits=habits))
                if found is not None and (best is None or len(found[0]) < len(best[0])):
                    best = (*found, rung)
                if best is not None and self._good_enough(len(best[0]) - fewest, rung):
                    break
            if best is not None:
                return self._repaired(*best)
        raise CannotRepair([*(obstacle.finding for obstacle in in_its_way), Finding(code="repair_impossible")])

    def _good_enough(self, more: int, rung: Rung) -> bool:
        """Whether a larger part need not be searched for a table with fewer moves; `more` are those above the fewest
        that could be."""
        in_time = self._limit - self._left() < self._patience
        return more <= 0 or (rung != "lessons" and (more == 1 or not in_time)) or rung == "teachers"

    def _search(self, part: Part) -> tuple[dict[str, Placement], Table] | None:
        """The fewest moves in a part, then the cheapest of them; None when there is no table in it."""
        formulation = part.formulation
        own = part.variables[self._lesson.requirement]
        target = own.get((self._placement.weekday, self._placement.period))
        if target is None:
            return None
        formulation.cp.add(target == 1)
        if (source := own.get(slot_of(self._lesson))) is not None:
            formulation.cp.add(source == 0)
        part.minimise_moves()
        # A part of the table is as near to its linear relaxation as an excerpt of it: one worker ends it in a blink.
        effort = Effort(seconds=self._left(), seed=self._seed, workers=1, way="part")
        seen: list[int] = []

        def enough() -> bool:
            return self._should_stop() or (bool(seen) and self._limit - self._left() > self._patience)

        result = run(formulation.cp, effort, enough, lambda solution, cost, bound: seen.append(cost))
        if result.solution is None:
            return None
        placements = part.moves(result.solution, {self._lesson.id: self._placement})
        try:
            return placements, moved(self._arrangement, placements)
        except placing.NoRoom:
            # Counting rooms was not enough to keep everybody else's: a larger part may do.
            return None

    def _left(self) -> float:
        return self._limit - (self._clock() - self._began)

    def _repaired(self, placements: Mapping[str, Placement], table: Table, rung: Rung) -> Repair:
        arrangement = self._arrangement
        after = {lesson.id: lesson for lesson in table.lessons}
        changed = [after[id] for id, lesson in arrangement.lessons.items() if after[id] != lesson]
        wrong = {_text(f) for f in check(arrangement.problem.register, table)} if placements else set()
        verified = not wrong or wrong <= {_text(finding) for finding in arrangement.findings}
        first = [self._lesson.id] if self._lesson.id in placements else []
        ids = first + sorted(placements.keys() - set(first))
        return Repair(
            table=table,
            moves=tuple(
                Move(
                    lesson=id,
                    source=Slot(weekday=arrangement.lessons[id].weekday, period=arrangement.lessons[id].host.period),
                    target=Slot(weekday=placements[id].weekday, period=placements[id].period),
                )
                for id in ids
            ),
            cost_before=arrangement.table.cost,
            cost_after=table.cost,
            units=tuple(sorted({party.unit for lesson in changed for party in lesson.parties})),
            rung=rung,
            seconds=round(self._clock() - self._began, 3),
            verified=verified,
        )


def _surely(in_its_way: Sequence[Obstacle]) -> Iterator[str]:
    """The lessons that all have to leave."""
    return (id for obstacle in in_its_way if obstacle.must_leave == len(obstacle.lessons) for id in obstacle.lessons)


def _text(finding: Finding) -> str:
    return f"{finding.code} {sorted(finding.values.items())}"
