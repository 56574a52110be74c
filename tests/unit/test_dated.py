"""The table in force on a date: versions, amendments of days, identities that survive both."""

from __future__ import annotations

from datetime import date

from msgspec import structs

from tests.dated_days import TERM, broken_on, community, days, version
from timetable.days.changes import Cancel, MakeUp, Move, MoveWeekly, Substitute, Swap, Undo
from timetable.days.dated import DatedTables
from timetable.days.effects import Applied
from timetable.days.grounds import Grounds
from timetable.days.outcomes import work_out
from timetable.days.scene import Outcome
from timetable.days.standing import Standing
from timetable.identity import days_of, named_occurrence, uid_of
from timetable.model import Closure, Lesson, Table
from timetable.term import moment

NOW = moment(date(2026, 9, 2), "07:00")
SYNC, DEDICATED = "A-r14", "A-r15"


def published() -> DatedTables:
    register, table = community()
    return DatedTables(register.term, [[version(table)]])


def lesson(requirement: str) -> Lesson:
    return next(one for one in community()[1].lessons if one.requirement == requirement)


def first_of(tables: DatedTables, requirement: str, after: str = "2026-09-06") -> Standing:
    """The first occurrence of a requirement's lessons after a date."""
    found = (
        standing
        for day in days(community()[0])
        if day.isoformat() > after
        for standing in tables.on(day)
        if standing.occurrence.lesson.requirement == requirement
    )
    return next(found)


def out(tables: DatedTables, change: object, number: int = 1, now: float = NOW) -> Outcome:
    grounds = Grounds(community()[0])
    return work_out(change, community="A", number=number, grounds=grounds, tables=tables, now=now)  # type: ignore[arg-type]


def after(tables: DatedTables, change: object, number: int = 1) -> DatedTables:
    outcome = out(tables, change, number)
    assert outcome.findings == ()
    return tables.with_applied(Applied(community="A", number=number, at=NOW, effects=outcome.effects))


def a_move(tables: DatedTables, standing: Standing) -> Move:
    """Some move of the occurrence that is possible, to another day."""
    for day in days(community()[0]):
        if day > standing.occurrence.day.date:
            for period in range(1, 8):
                change = Move(occurrence=standing.occurrence.id, date=day.isoformat(), period=period)
                if out(tables, change).possible:
                    return change
    raise AssertionError("nowhere to go")


def test_without_amendments_a_day_is_its_table() -> None:
    register, _ = community()
    tables = published()
    for day in days(register):
        assert [s.change for s in tables.on(day) if s.change != "none"] == []
        assert broken_on(register, day, tables.on(day)) == []


def test_moved_occurrence_keeps_identity_and_id_and_leaves_its_day() -> None:
    tables = published()
    before = first_of(tables, SYNC)
    change = a_move(tables, before)
    moved = after(tables, change)
    found = moved.find(before.occurrence.id)
    assert found is not None
    assert (found.uid, found.occurrence.id, found.change) == (before.uid, before.occurrence.id, "moved")
    assert (found.occurrence.day.date.isoformat(), found.planned) == (change.date, before.occurrence)
    assert before.uid not in {standing.uid for standing in moved.on(before.occurrence.day.date)}
    assert before.uid in {standing.uid for standing in moved.on(found.occurrence.day.date)}


def test_moved_and_then_substituted_keeps_both() -> None:
    tables = published()
    before = first_of(tables, SYNC)
    science = [t.id for t in community()[0].teachers if "科学" in t.subjects]
    moved = after(tables, a_move(tables, before))
    there = moved.find(before.occurrence.id)
    assert there is not None
    absent = before.occurrence.parties[0].teachers[0]
    (other,) = (id for id in science if id != absent)
    day = there.occurrence.day.date.isoformat()
    change = Substitute(lesson=before.occurrence.lesson.id, absent=absent, substitute=other, first=day, last=day)
    outcome = out(moved, change, 2)
    assert outcome.affected == (before.occurrence.parties[0].unit,)
    both = moved.with_applied(Applied(community="A", number=2, at=NOW, effects=outcome.effects))
    found = both.find(before.occurrence.id)
    assert found is not None
    assert (found.occurrence.lesson.host.teachers, found.moved) == ((other,), True)


def test_cancelled_and_made_up_are_two_occurrences() -> None:
    tables = published()
    before = first_of(tables, DEDICATED)
    cancelled = after(tables, Cancel(occurrence=before.occurrence.id))
    called_off = cancelled.find(before.occurrence.id)
    assert called_off is not None
    assert (called_off.cancelled, called_off.change) == (True, "cancelled")
    assert before.occurrence.id not in {o.id for o in cancelled.occurrences_on(before.occurrence.day.date)}
    move = a_move(tables, before)
    made_up = after(cancelled, MakeUp(occurrence=before.occurrence.id, date=move.date, period=move.period), 2)
    extra = made_up.find(f"{before.occurrence.id}.x2")
    assert extra is not None
    assert (extra.uid, extra.change) == (f"{before.uid}.x2", "made_up")
    again = out(made_up, MakeUp(occurrence=before.occurrence.id, date=move.date, period=move.period), 3)
    assert [finding.code for finding in again.findings] == ["amend_made_up"]


def test_swap_puts_each_into_the_others_slot() -> None:
    tables = published()
    register, _ = community()
    here = [s for day in days(register)[6:11] for s in tables.on(day) if s.occurrence.lesson.requirement == "A-r1"]
    other = [s for day in days(register)[6:11] for s in tables.on(day) if s.occurrence.lesson.requirement == "A-r2"]
    pairs = ((a, b) for a in here for b in other if out(tables, swap_of(a, b)).possible)
    first, second = next(pairs)
    swapped = after(tables, swap_of(first, second))
    a, b = swapped.find(first.occurrence.id), swapped.find(second.occurrence.id)
    assert a is not None
    assert b is not None
    assert (slot(a), slot(b)) == (slot(second), slot(first))


def swap_of(a: Standing, b: Standing) -> Swap:
    return Swap(occurrence=a.occurrence.id, other=b.occurrence.id)


def slot(standing: Standing) -> tuple[date, str]:
    return standing.occurrence.day.date, standing.occurrence.lesson.start


def test_undone_move_stands_where_it_was() -> None:
    tables = published()
    before = first_of(tables, SYNC)
    moved = after(tables, a_move(tables, before))
    outcome = out(moved, Undo(amendment=1), 2)
    assert (outcome.findings, outcome.undone) == ((), 1)
    assert moved.without("A", 1).find(before.occurrence.id) == before


def test_later_amendment_of_the_same_lesson_must_be_undone_first() -> None:
    tables = published()
    before = first_of(tables, SYNC)
    moved = after(tables, a_move(tables, before))
    cancelled = after(moved, Cancel(occurrence=before.occurrence.id), 2)
    assert [f.values["later"] for f in out(cancelled, Undo(amendment=1), 3).findings] == [2]


def test_amendment_of_a_day_survives_a_version_that_moves_the_lesson() -> None:
    tables = published()
    _, table = community()
    before = first_of(tables, SYNC, after="2026-09-20")
    cancelled = after(tables, Cancel(occurrence=before.occurrence.id))
    weekday = before.occurrence.lesson.weekday % 5 + 1
    lessons = tuple(
        structs.replace(one, weekday=weekday) if one.id == before.occurrence.lesson.id else one for one in table.lessons
    )
    new = structs.replace(
        version(structs.replace(table, lessons=lessons), 2, moment(date(2026, 9, 3), "12:00"), table),
        valid_from="2026-09-14",
    )
    later = cancelled.with_version(new)
    found = later.standing(before.uid)
    assert found is not None
    assert (found.cancelled, found.occurrence.day.weekday) == (True, weekday)
    earlier = next(s for s in later.on(date(2026, 9, 7)) if s.occurrence.lesson.weekday == 1)
    assert earlier.occurrence.day.date == date(2026, 9, 7)


def test_version_counts_from_its_first_date_only() -> None:
    tables = published()
    _, table = community()
    empty = Table(community="A", term=TERM.id, lessons=())
    new = structs.replace(version(empty, 2, NOW, table), valid_from="2026-09-21")
    later = tables.with_version(new)
    assert (bool(later.on(date(2026, 9, 18))), later.on(date(2026, 9, 21))) == (True, ())


def test_lesson_that_a_version_moves_to_later_in_the_week_is_held_once() -> None:
    tables = published()
    _, table = community()
    moved = next(one for one in table.lessons if one.weekday == 1 and one.host.unit == "A0" and one.weeks == "all")
    lessons = tuple(structs.replace(one, weekday=4) if one.id == moved.id else one for one in table.lessons)
    wednesday = moment(date(2026, 9, 9), "12:00")
    later = tables.with_version(version(structs.replace(table, lessons=lessons), 2, wednesday, table))
    held = [day for day in days(community()[0])[6:20] for s in later.on(day) if s.occurrence.lesson.id == moved.id]
    assert held == [date(2026, 9, 7), date(2026, 9, 17)]


def test_closed_day_takes_a_moved_lesson_with_it() -> None:
    tables = published()
    before = first_of(tables, "A-r1")
    change = a_move(tables, before)
    effects = out(tables, change).effects
    snow = structs.replace(TERM, closures=(*TERM.closures, Closure(first=change.date, last=change.date, name="雪")))
    closed = DatedTables(snow, [[version(community()[1])]]).with_applied(
        Applied(community="A", number=1, at=NOW, effects=effects)
    )
    assert closed.on(date.fromisoformat(change.date)) == ()
    assert closed.find(before.occurrence.id) is None


def test_lost_occurrence_can_be_made_up() -> None:
    """A closed day called nothing off by name; its lessons are made up like cancelled ones."""
    tables = published()
    _, table = community()
    friday = next(one for one in table.lessons if one.weekday == 5 and one.kind == "local" and one.weeks == "all")
    lost = f"{friday.id}.2026-09-25"
    assert tables.find(lost) is None
    made = [
        out(tables, MakeUp(occurrence=lost, date=day.isoformat(), period=period)).possible
        for day in days(community()[0])[27:32]
        for period in range(1, 8)
    ]
    assert any(made)


def test_lasting_move_makes_the_next_version_from_a_monday() -> None:
    tables = published()
    _, table = community()
    candidates = (
        (one, weekday, out(tables, MoveWeekly(lesson=one.id, first="2026-09-10", weekday=weekday, period=7)))
        for one in table.lessons
        for weekday in range(1, 6)
        if weekday != one.weekday
    )
    one, weekday, outcome = next(candidate for candidate in candidates if candidate[2].possible)
    new = outcome.version
    assert new is not None
    assert (new.number, new.valid_from, new.diff.moved) == (2, "2026-09-14", (one.id,))
    assert outcome.affected == tuple(sorted({party.unit for party in one.parties}))
    later = tables.with_version(new)
    weekdays = {
        s.occurrence.day.weekday
        for day in days(community()[0])
        if day.isoformat() >= "2026-09-14"
        for s in later.on(day)
        if s.occurrence.lesson.id == one.id
    }
    assert weekdays == {weekday}


def test_ids_and_identities_name_each_other() -> None:
    planned = date(2026, 9, 16)
    uid = uid_of(TERM, "A-r1.2", planned)
    assert uid == "A-r1.2.2026a.w3"
    assert planned in days_of(TERM, uid)
    named = named_occurrence(TERM, "A-r1.2.2026-09-16.x7")
    assert named is not None
    assert (named.uid, named.lesson, named.planned) == (f"{uid}.x7", "A-r1.2", planned)
    assert uid_of(TERM, "a", date(2026, 9, 20)) == "a.2026a.w3m7"
    assert [named_occurrence(TERM, text) for text in ("a", "a.2026-13-01", "")] == [None] * 3
