"""This module owns the ledger of a community: who gave way, how often, and who was given way to.

A school gives way when a shared lesson stands at a time that it wished to keep free, when a lesson of its is moved
because another school objected, and when it agrees to a change that another school asked for.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from timetable import objective
from timetable.agreement import amendments as changes
from timetable.agreement.amendments import Amendment
from timetable.agreement.negotiation import Raised
from timetable.days.versions import Version, Yielded
from timetable.model import SHARED_KINDS, Community, Lesson, Register, Slot, Table, Term, minutes
from timetable.problem import Problem
from timetable.term import weeks
from timetable.weeks import held_in


class LedgerRow(Struct, frozen=True, kw_only=True, rename="camel"):
    """One unit's side of the ledger. Lessons are counted by the week, all else since the term began."""

    unit: str
    shared: int
    """Shared lessons that it takes part in."""
    unwelcome: int
    """Those of them at a time that it wished to keep free."""
    fair_share: int
    """How many of these are its share of the community's, by its shared lessons."""
    leftover_minutes: int
    """Minutes of its own periods in which its pupils wait for the others, or the others go on without them: in a week
    of the term, on the average."""
    yielded: int
    """Lessons of its that were moved because another school objected."""
    met: int
    """Its own objections that were met."""
    agreed: int
    """Changes after publication that it agreed to for another school."""
    granted: int
    """Changes after publication that others agreed to for it."""

    @property
    def gave_way(self) -> int:
        return self.unwelcome + self.yielded + self.agreed


def met(raised: Iterable[Raised], table: Table) -> tuple[Yielded, ...]:
    """The objections that a table meets: the lesson stands where it was asked for, or, where nothing was asked for,
    not any more where it was objected to. Each counts once, however often it was raised."""
    lessons = {lesson.id: lesson for lesson in table.lessons}
    found: dict[tuple[str, str], Yielded] = {}
    for one in raised:
        lesson = lessons.get(one.lesson)
        if lesson is None:
            continue
        stands = Slot(weekday=lesson.weekday, period=lesson.host.period)
        if stands == one.counter or (one.counter is None and stands != one.stood):
            by = tuple(party.unit for party in lesson.parties if party.unit != one.unit)
            found[one.unit, one.lesson] = Yielded(lesson=one.lesson, to=one.unit, by=by)
    return tuple(found.values())


def ledger(
    register: Register,
    community: Community,
    lessons: Sequence[Lesson],
    versions: Iterable[Version],
    amendments: Iterable[Amendment],
    on: str,
) -> tuple[LedgerRow, ...]:
    """The ledger as it stands with these lessons, by the bells of the ISO date `on`, every unit of the community in its
    order. `versions` and `amendments` are those of the community."""
    problem = Problem(register, community)
    unwelcome = objective.concessions(problem, lessons)
    everything, all_sides = sum(unwelcome.values()), sum(problem.shared_sides.values())
    yielded = [one for version in versions for one in version.yielded]
    agreed = [one for one in amendments if one.applied_at is not None and one.undone_at is None and not one.internal]
    shared = [lesson.by_date(on) for lesson in lessons if lesson.kind in SHARED_KINDS]

    def row(unit: str) -> LedgerRow:
        return LedgerRow(
            unit=unit,
            shared=sum(any(party.unit == unit for party in lesson.parties) for lesson in shared),
            unwelcome=unwelcome.get(unit, 0),
            fair_share=objective.fair_share(everything, problem.shared_sides.get(unit, 0), all_sides),
            leftover_minutes=_leftover(register.term, shared, unit),
            yielded=sum(unit in one.by for one in yielded),
            met=sum(one.to == unit for one in yielded),
            agreed=sum(one.unit != unit and unit in changes.asked_units(one) for one in agreed),
            granted=sum(one.unit == unit for one in agreed),
        )

    return tuple(row(unit) for unit in community.units)


def _leftover(term: Term, shared: Sequence[Lesson], unit: str) -> int:
    """Minutes in a week of the term on the average, rounded up: a lesson of a few weeks counts by these."""
    every = weeks(term)
    over_the_term = 0
    for lesson in shared:
        held = sum(held_in(lesson.weeks, lesson.only_weeks, week) for week in range(1, every + 1))
        for party in lesson.parties:
            if party.unit == unit and party.classes:
                own = minutes(party.end) - minutes(party.start)
                over_the_term += held * (own - (minutes(lesson.end) - minutes(lesson.start)))
    return -(-over_the_term // every)
