"""A published table whose schools ring other bells: what is to come follows them, what was keeps its clock."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from server.sentences import LANGUAGES, finding_sentence
from tests.dated_days import PUBLISHED, TERM, community, days, version
from tests.drawn_registers import small_registers
from tests.unit.test_amendments import carried_out, held_on, some_change
from timetable.bell_changes import parted_lessons
from timetable.checker import check
from timetable.days import rung_days
from timetable.days.changes import Move
from timetable.days.dated import DatedTables
from timetable.days.effects import Applied, Earlier, Placed
from timetable.days.grounds import Grounds
from timetable.days.new_bells import following, rung, told
from timetable.days.outcomes import work_out
from timetable.export.feed_entries import entries
from timetable.model import BellSchedule, Register, SchoolUnit, Slot, clock, minutes
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.refit import refit
from timetable.repairing.repair import repair
from timetable.repairing.slots import slots
from timetable.solving.solver import solve
from timetable.term import moment
from timetable.titles import short_title

NOW = moment(date(2026, 9, 9), "12:00")
TOMORROW = date(2026, 9, 10)


def shifted(schedule: BellSchedule, by: int) -> BellSchedule:
    periods = tuple(
        structs.replace(one, start=clock(minutes(one.start) + by), end=clock(minutes(one.end) + by))
        for one in schedule.periods
    )
    return structs.replace(schedule, periods=periods)


def ringing(register: Register, shifts: Mapping[str, int]) -> Register:
    """The register whose units ring so many minutes later."""
    return structs.replace(
        register,
        units=tuple(
            structs.replace(unit, bells=tuple(shifted(bells, shifts.get(unit.id, 0)) for bells in unit.bells))
            for unit in register.units
        ),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(small_registers(), st.data())
def test_every_lesson_has_the_clock_of_its_bells_or_is_named(register: Register, data: st.DataObject) -> None:
    table = solve(register, "A", seconds=10, workers=1, improve_until=0).table
    if table is None:
        return
    shifts = {unit.id: data.draw(st.sampled_from([-20, -5, 0, 0, 3, 45])) for unit in register.units}
    after = ringing(register, shifts)
    units = {id for id, by in shifts.items() if by}
    again = rung(after, units, table)
    assert rung(after, units, again) == again
    places = [(one.id, one.weekday, [(p.unit, p.period, p.room) for p in one.parties]) for one in table.lessons]
    assert [(x.id, x.weekday, [(p.unit, p.period, p.room) for p in x.parties]) for x in again.lessons] == places
    apart = {lesson.id for lesson in again.lessons if lesson in table.lessons}
    named = {finding.values["title"] for finding in parted_lessons(after, again)}
    classes = {school_class.id: school_class.name for school_class in register.classes}
    schools = {unit.id: unit.name for unit in register.units}
    by_the_clock = {"table_bell", "table_window", "table_leftover"}
    for finding in (one for one in check(after, again) if one.code in by_the_clock):
        lesson = next(one for one in again.lessons if one.id == finding.values["lesson"])
        taught = (classes[id] for party in lesson.parties for id in party.classes)
        assert lesson.id in apart
        assert short_title(lesson, taught, schools[lesson.host.unit]) in named


def test_the_same_bells_change_nothing() -> None:
    register, table = community()
    assert rung(register, {"A0", "A1", "A2"}, table) is table
    assert following(register, {"A0"}, [version(table)], by="局", at=NOW) == []


def test_what_is_to_come_follows_from_tomorrow_on_and_what_was_keeps_its_clock() -> None:
    register, table = community()
    before = version(table)
    (after,) = following(ringing(register, {"A0": 5}), {"A0"}, [before], by="局", at=NOW)
    assert (after.number, after.author, after.at, after.valid_from) == (2, "局", NOW, TOMORROW.isoformat())
    old, new = DatedTables(TERM, [[before]]), DatedTables(TERM, [[before, after]])
    touched = 0
    for day in days(register):
        if day < TOMORROW:
            assert new.on(day) == old.on(day)
            continue
        planned = {one.uid: one for one in old.on(day)}
        assert planned.keys() == {one.uid for one in new.on(day)}
        for now in new.on(day):
            was = planned[now.uid]
            for a, b in zip(was.occurrence.parties, now.occurrence.parties, strict=True):
                assert minutes(b.start) - minutes(a.start) == (5 if a.unit == "A0" else 0)
                touched += a.unit == "A0"
    assert touched > 0


def test_a_version_that_waits_is_followed_by_one_that_waits() -> None:
    register, table = community()
    waiting = structs.replace(version(table), number=2, at=NOW - 60, valid_from="2026-09-21")
    made = following(ringing(register, {"A1": 5}), {"A1"}, [waiting, version(table)], by="局", at=NOW)
    assert [(one.number, one.valid_from) for one in made] == [(3, TOMORROW.isoformat()), (4, "2026-09-21")]
    assert made[0].table.lessons == made[1].table.lessons


def test_feeds_count_the_change_of_what_is_to_come() -> None:
    register, table = community()
    before = version(table)
    (after,) = following(ringing(register, {"A0": 5}), {"A0"}, [before], by="局", at=NOW)
    lessons = {one.id for one in after.table.lessons if one not in table.lessons}
    found = entries(TERM, [before, after], lambda lesson: True)
    for entry in found:
        later = entry.occurrence.lesson.id in lessons and entry.occurrence.day.date >= TOMORROW
        assert entry.sequence == (1 if later else 0)
        assert entry.modified == (NOW if later else PUBLISHED)


def test_a_lesson_without_a_common_minute_stays_and_is_named_with_the_smallest_shift() -> None:
    register, table = community()
    after = ringing(register, {"A2": 45})
    again = rung(after, {"A2"}, table)
    kept = [one for one in again.lessons if one in table.lessons and any(p.unit == "A2" for p in one.parties)]
    assert kept
    assert all(len(one.parties) > 1 for one in kept)
    codes = {finding.code for finding in parted_lessons(after, again)}
    assert codes <= {"lesson_parted", "lesson_parted_earlier", "lesson_parted_later"}
    assert codes


def test_a_period_that_rings_no_more_is_named() -> None:
    register, table = community()
    lesson = next(one for one in table.lessons if one.kind == "sync")
    unit, period = lesson.host.unit, lesson.host.period
    units = tuple(_without(one, period) if one.id == unit else one for one in register.units)
    after = structs.replace(register, units=units)
    assert lesson in rung(after, {unit}, table).lessons
    unrung = [finding for finding in parted_lessons(after, table) if finding.code == "lesson_unrung"]
    assert {(finding.values["unit"], finding.values["period"]) for finding in unrung} == {(f"学校{unit}", period)}


@pytest.mark.parametrize("unit", ["A0", "A1"])
def test_who_stands_in_a_period_that_rings_no_more_can_be_moved(unit: str) -> None:
    """It stays until somebody moves it: so its slots are judged and priced, and others move beside it."""
    register, table = community()
    last = max(party.period for lesson in table.lessons for party in lesson.parties if party.unit == unit)
    shorter = structs.replace(
        register, units=tuple(_without(one, last) if one.id == unit else one for one in register.units)
    )
    stuck = [one for one in table.lessons if any((p.unit, p.period) == (unit, last) for p in one.parties)]
    beside = next(one for one in table.lessons if one not in stuck and one.host.unit == unit)
    arrangement = Arrangement(Problem(shorter, shorter.communities[0]), table)
    assert any(finding.code == "table_unknown" for finding in check(shorter, table))
    for lessons in (stuck, [beside]):
        lesson, target = next(
            (lesson, slot)
            for lesson in lessons
            for slot in slots(arrangement, lesson.id)
            if slot.verdict in ("fits", "costs")
        )
        done = repair(arrangement, lesson.id, Slot(weekday=target.weekday, period=target.period), seconds=30)
        place = next(one for one in done.table.lessons if one.id == lesson.id)
        assert (place.weekday, place.host.period) == (target.weekday, target.period)
    fitted = refit(shorter, table, seconds=60, workers=1)
    assert check(shorter, fitted.table) == []


def _without(unit: SchoolUnit, period: int) -> SchoolUnit:
    return structs.replace(
        unit,
        bells=tuple(
            structs.replace(one, periods=tuple(p for p in one.periods if p.number != period)) for one in unit.bells
        ),
    )


@pytest.mark.parametrize("day", [date(2026, 10, 30), date(2026, 12, 1)])
def test_nothing_follows_when_the_term_is_over(day: date) -> None:
    register, table = community()
    late = moment(day, "12:00")
    assert following(ringing(register, {"A0": 5}), {"A0"}, [version(table)], by="局", at=late) == []


def test_a_change_before_the_term_counts_from_its_first_day() -> None:
    register, table = community()
    early = moment(date.fromisoformat(TERM.first_day) - timedelta(days=5), "12:00")
    made = following(ringing(register, {"A0": 5}), {"A0"}, [version(table)], by="局", at=early)
    assert [one.valid_from for one in made] == [TERM.first_day]
    for language in LANGUAGES:
        assert "{" not in finding_sentence(told(register, made)[0], language)


# Changes of single days


def days_rung(
    register: Register, tables: DatedTables, units: Collection[str], now: float = NOW
) -> tuple[DatedTables, list[str]]:
    """The tables after the register's bells have come to ring, with what is said of changes of days."""
    codes = []
    followed = tables
    for version_made in (
        made for id in tables.communities for made in following(register, units, tables.versions(id), by="局", at=now)
    ):
        followed = followed.with_version(version_made)
    grounds = Grounds(register)
    for applied in tables.applied:
        found = rung_days.rung(grounds, followed, units, applied, at=now)
        followed = followed.with_applied(structs.replace(applied, effects=found.effects))
        codes += [finding.code for finding in (*found.findings, *rung_days.told(grounds, applied, found))]
        for finding in (*found.findings, *rung_days.told(grounds, applied, found)):
            assert finding.severity == "warning"
            for language in LANGUAGES:
                assert "{" not in finding_sentence(finding, language)
    return followed, codes


def moved_to_come(count: int = 1) -> tuple[Register, DatedTables]:
    """Shared lessons of the next weeks, moved."""
    register, table = community()
    tables = DatedTables(TERM, [[version(table)]])
    grounds = Grounds(register)
    for day in days(register):
        for standing in tables.on(day) if day > TOMORROW else ():
            if len(standing.occurrence.parties) < 2 or standing.moved:
                continue
            for period in range(1, 8):
                change = Move(occurrence=standing.occurrence.id, date=(day).isoformat(), period=period)
                number = len(tables.applied) + 1
                outcome = work_out(change, community="A", number=number, grounds=grounds, tables=tables, now=NOW)
                if outcome.possible:
                    effects = outcome.effects
                    tables = tables.with_applied(Applied(community="A", number=number, at=NOW, effects=effects))
                    break
            if len(tables.applied) == count:
                return register, tables
    raise AssertionError("nothing could be moved")


def test_a_moved_lesson_follows_the_bells_of_its_date_and_calendars_hear_of_it() -> None:
    register, tables = moved_to_come()
    [applied] = tables.applied
    [before] = applied.effects
    assert isinstance(before, Placed)
    everywhere = {unit.id for unit in register.units}
    after, codes = days_rung(ringing(register, dict.fromkeys(everywhere, 5)), tables, everywhere)
    [now] = after.applied[0].effects
    assert isinstance(now, Placed)
    assert minutes(now.start) - minutes(before.start) == 5
    assert [(p.unit, p.period, p.room, p.teachers) for p in now.parties] == [
        (p.unit, p.period, p.room, p.teachers) for p in before.parties
    ]
    assert codes == ["day_followed", "amendment_followed"]
    changed = structs.replace(after.applied[0], earlier=(Earlier(until=NOW + 60, effects=(before,)),))
    versions = after.versions("A")
    first, then = (
        {one.uid: one for one in entries(TERM, versions[:1], lambda lesson: True, [applied])},
        {one.uid: one for one in entries(TERM, versions[:1], lambda lesson: True, [changed])},
    )
    assert first.keys() == then.keys()
    assert {uid for uid in then if then[uid].sequence != first[uid].sequence} == {before.uid}
    assert (then[before.uid].sequence, then[before.uid].modified) == (first[before.uid].sequence + 1, NOW + 60)
    assert then[before.uid].occurrence.lesson.start == now.start
    assert first[before.uid].occurrence.lesson.start == before.start


def test_a_moved_lesson_that_new_bells_part_or_unring_is_named() -> None:
    register, tables = moved_to_come()
    [before] = tables.applied[0].effects
    assert isinstance(before, Placed)
    member = before.parties[-1].unit
    after, codes = days_rung(ringing(register, {member: 20}), tables, {member})
    assert codes[:2] in (["day_followed", "day_parted"], ["day_parted"])
    assert after.applied[0].effects != tables.applied[0].effects
    apart, codes = days_rung(ringing(register, {member: 45}), tables, {member})
    assert set(codes) == {"day_parted"}
    assert apart.applied[0].effects == tables.applied[0].effects
    unrung = structs.replace(
        register,
        units=tuple(
            structs.replace(
                unit,
                bells=tuple(
                    structs.replace(b, periods=tuple(p for p in b.periods if p.number != before.parties[-1].period))
                    for b in unit.bells
                ),
            )
            if unit.id == member
            else unit
            for unit in register.units
        ),
    )
    kept, codes = days_rung(unrung, tables, {member})
    assert set(codes) == {"day_unrung"}
    assert kept.applied[0].effects == tables.applied[0].effects


@given(st.integers(0, 2**31), st.integers(1, 10), st.sampled_from([-5, 5, 10]))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_sequence_of_changes_follows_the_bells_and_goes_on(seed: int, steps: int, by: int) -> None:
    """All bells ring so many minutes later in the middle of a sequence of changes: everything from tomorrow on is that
    much later and in its periods, what was stays, and further changes leave the rest where it is."""
    register, table = community()
    chance, now, number = random.Random(seed), NOW, 0
    tables = DatedTables(TERM, [[version(table)]])

    def change_some(register: Register, tables: DatedTables, number: int) -> tuple[DatedTables, int]:
        grounds = Grounds(register)
        for _ in range(steps):
            number += 1
            change = some_change(chance, tables, now, number)
            outcome = work_out(change, community="A", number=number, grounds=grounds, tables=tables, now=now)
            if outcome.possible:
                changed = carried_out(tables, outcome, number, now)
                touched = {one.uid for pair in outcome.touched for one in (pair.before, pair.after) if one is not None}
                assert all(held_on(changed, day, touched) == held_on(tables, day, touched) for day in days(register))
                tables = changed
        return tables, number

    tables, number = change_some(register, tables, number)
    everywhere = {unit.id for unit in register.units}
    later = ringing(register, dict.fromkeys(everywhere, by))
    rung_now, _ = days_rung(later, tables, everywhere, now)
    for day in days(register):
        if day < TOMORROW:
            assert rung_now.on(day) == tables.on(day)
            continue
        before, after = ({one.uid: one for one in there.on(day)} for there in (tables, rung_now))
        assert before.keys() == after.keys()
        for uid, was in before.items():
            is_now = after[uid]
            assert (was.change, was.cancelled, was.taught) == (is_now.change, is_now.cancelled, is_now.taught)
            for a, b in zip(was.occurrence.parties, is_now.occurrence.parties, strict=True):
                assert (a.unit, a.period, a.room, a.teachers) == (b.unit, b.period, b.room, b.teachers)
                assert minutes(b.start) - minutes(a.start) == by
    change_some(later, rung_now, number)
