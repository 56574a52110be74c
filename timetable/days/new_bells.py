"""This module owns published tables whose schools have come to ring other bells: the versions that follow.

Lessons keep their weekdays and periods, and get the clock of the bells that ring now. What has taken place keeps its
own: a following version counts from the next day on, and one that waits for a later date is followed by one that waits
for the same. A lesson whose period rings no more, or whose schools have no minute in common, stays as it is until
somebody moves it; `bell_changes` names it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta

from msgspec import structs

from timetable import bells
from timetable.bells import Bells, Window
from timetable.checker import check
from timetable.commitments import commitments_of, windows_of
from timetable.days.published import first_date
from timetable.days.versions import Version, diff
from timetable.model import Finding, Lesson, Register, Table
from timetable.objective import priced
from timetable.placement import Placement, Side
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.supervision import supervised
from timetable.term import local_date
from timetable.timing import timed

CODES: Mapping[str, str] = {
    "bells_followed": "a published table follows new bells from the next day on, by a version of its own",
}
"""The code that this module reports."""

UNKNOWN = {"table_unknown", "table_lesson_differs", "table_twice"}
"""Findings of the checker with which a table cannot be looked up: the register has changed more than its bells."""


def following(
    register: Register,
    units: Collection[str],
    history: Sequence[Version],
    around: Iterable[Table] = (),
    *,
    by: str,
    at: float,
) -> list[Version]:
    """The versions that make all that is still to come of these units ring by the register; none where it does already.
    `history` are a community's versions of the term, in any order, `around` the other communities' tables; `at` is unix
    seconds."""
    others = list(around)
    made: list[Version] = []
    changed = False
    newest = max(history, key=lambda version: version.number, default=None)
    tomorrow = max(local_date(at) + timedelta(days=1), date.fromisoformat(register.term.first_day))
    if newest is None or tomorrow.isoformat() > register.term.last_day:
        return []
    before = newest.table
    for version, begins in _to_come(register, history, tomorrow):
        table = rung(register, units, version.table, others)
        changed = changed or table != version.table
        if changed:
            number = newest.number + len(made) + 1
            changes = diff(before, table)
            made.append(
                structs.replace(
                    version, number=number, author=by, at=at, table=table, diff=changes, valid_from=begins, yielded=()
                )
            )
            before = table
    return made


def _to_come(register: Register, history: Sequence[Version], tomorrow: date) -> list[tuple[Version, str]]:
    """The versions that are in force on some date from tomorrow on, each with the first of these."""
    begins = {version.number: max(first_date(register.term, version), tomorrow) for version in history}
    found: list[tuple[Version, str]] = []
    for day in sorted(set(begins.values())):
        in_force = max((v for v in history if begins[v.number] <= day), key=lambda version: version.number)
        if not found or found[-1][0] is not in_force:
            found.append((in_force, day.isoformat()))
    return found


def rung(register: Register, units: Collection[str], table: Table, around: Iterable[Table] = ()) -> Table:
    """The table with the lessons of these units by the bells of the register; the same one where all of them have their
    clock already."""
    term = register.term
    blocks = {requirement.id: requirement.block for requirement in register.requirements}
    touched = {lesson.id for lesson in table.lessons if any(party.unit in units for party in lesson.parties)}
    taking = {party.unit for lesson in table.lessons if lesson.id in touched for party in lesson.parties}
    weekdays = sorted({lesson.weekday for lesson in table.lessons if lesson.id in touched})
    known = Bells((unit for unit in register.units if unit.id in taking), weekdays, term.first_day, term.last_day)
    lessons, changed = [], set()
    for lesson in table.lessons:
        placement = _placement(known, lesson, blocks.get(lesson.requirement, 1)) if lesson.id in touched else None
        if placement is None or _has_clock(lesson, placement, known.seasons):
            lessons.append(lesson)
        else:
            lessons.append(_with_clock(lesson, placement, known.seasons))
            changed.add(lesson.id)
    if not changed:
        return table
    after = structs.replace(table, lessons=tuple(lessons))
    community = next((one for one in register.communities if one.id == table.community), None)
    if community is None or any(finding.code in UNKNOWN for finding in check(register, after)):
        return after
    problem = Problem(register, community, commitments_of(register, around))
    return priced(problem, structs.replace(after, lessons=supervised(Arrangement(problem, after), changed)))


def _placement(known: Bells, lesson: Lesson, block: int) -> Placement | None:
    """Where the lesson stands by these bells; None where it cannot be held there."""
    runs = [known.run(party.unit, lesson.weekday, party.period, block) for party in lesson.parties]
    sides = tuple(Side(*run) for run in runs if run is not None)
    if len(sides) < len(runs):
        return None
    shares = tuple(bells.shared_window([side.windows[n] for side in sides]) for n in range(len(known.seasons)))
    if any(share.length <= 0 for share in shares):
        return None
    return Placement(lesson.weekday, lesson.host.period, sides, shares)


def _has_clock(lesson: Lesson, placement: Placement, seasons: Sequence[str]) -> bool:
    dates = sorted({*seasons, *(times.first for times in lesson.later)})
    now = [max(n for n, first in enumerate(seasons) if first <= max(day, seasons[0])) for day in dates]
    return [tuple(side.windows[n] for n in now) for side in placement.sides] == windows_of(lesson, dates)


def _with_clock(lesson: Lesson, placement: Placement, seasons: Sequence[str]) -> Lesson:
    """Whoever supervised a party's leftover minutes is there for what is left over now, until somebody looks."""

    def supervisor(party: int, season: int, part: Window) -> str | None:
        own = lesson.parties[party]
        spare = (*own.leftover, *(left for times in lesson.later for left in times.parties[party].leftover))
        had = (left.teacher for left in spare if left.teacher is not None)
        return own.teachers[0] if own.teachers else next(had, None)

    return timed(lesson, placement, seasons, supervisor)


def told(register: Register, versions: Sequence[Version]) -> list[Finding]:
    """What to say of versions that follow a change of bells."""
    names = {community.id: community.name for community in register.communities}
    return [
        Finding(
            code="bells_followed",
            values={
                "community": names.get(version.community, version.community),
                "version": version.number,
                "lessons": len(version.diff.moved),
                "date": version.valid_from or "",
            },
            severity="warning",
        )
        for version in versions
    ]
