"""A published table whose schools ring other bells: what is to come follows them, what was keeps its clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from server.sentences import LANGUAGES, finding_sentence
from tests.dated_days import PUBLISHED, TERM, community, days, version
from tests.instances import small_registers
from timetable.bell_changes import parted_lessons
from timetable.checker import check
from timetable.days.dated import DatedTables
from timetable.days.new_bells import following, rung, told
from timetable.export.feed_entries import entries
from timetable.model import BellSchedule, Register, clock, minutes
from timetable.solving.solver import solve
from timetable.term import moment

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
    table = solve(register, "A", seconds=10, workers=1, first_only=True).table
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
    by_the_clock = {"table_bell", "table_window", "table_leftover"}
    for finding in (one for one in check(after, again) if one.code in by_the_clock):
        lesson = next(one for one in again.lessons if one.id == finding.values["lesson"])
        taught = "、".join(classes[id] for party in lesson.parties for id in party.classes)
        assert lesson.id in apart
        assert f"{lesson.subject} {taught}".strip() in named


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
    units = tuple(
        structs.replace(
            one,
            bells=tuple(
                structs.replace(b, periods=tuple(p for p in b.periods if p.number != period)) for b in one.bells
            ),
        )
        if one.id == unit
        else one
        for one in register.units
    )
    after = structs.replace(register, units=units)
    assert lesson in rung(after, {unit}, table).lessons
    unrung = [finding for finding in parted_lessons(after, table) if finding.code == "lesson_unrung"]
    assert {(finding.values["unit"], finding.values["period"]) for finding in unrung} == {(f"学校{unit}", period)}


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
