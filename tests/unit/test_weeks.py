"""Lessons of different weeks share a slot, a teacher, a class, a room and a line; whoever looks says so alike."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.community_builder import CommunityBuilder, bell_times
from tests.drawn_registers import AskedWeeks, some_weeks
from timetable.checker import check
from timetable.commitments import Commitments, commitments_of
from timetable.model import MOST_WEEKS, Party, Register, Slot, Table
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.refit import refit
from timetable.repairing.repair import repair
from timetable.repairing.slots import slots
from timetable.solving.solver import solve
from timetable.term import occurrences
from timetable.weeks import EVERY_WEEK, crowded, fullest, held_in, one_week, parted, week_set

STARTS = bell_times(480, 20, 840)
SETS = st.sets(st.integers(1, MOST_WEEKS), min_size=1, max_size=8)


def a_set(weeks: set[int]) -> int:
    return sum(one_week(week) for week in weeks)


@given(st.lists(SETS, min_size=1, max_size=6))
def test_weeks_are_parted_by_what_they_hold(held: list[set[int]]) -> None:
    sets = frozenset(a_set(weeks) for weeks in held)
    parts = parted(sets)
    assert sum(parts) == a_set(set().union(*held))
    assert all(part & one in (0, part) for part in parts for one in sets)
    together = {frozenset(one for one in sets if one & one_week(week)) for week in set().union(*held)}
    assert len(parts) == len(together)
    fewer = {frozenset(one for one in sets if one & part) for part in crowded(sets)}
    assert fewer == {group for group in together if not any(group < other for other in together)}


@given(st.dictionaries(SETS.map(a_set), st.integers(0, 6), max_size=6))
def test_the_fullest_week_is_that_with_the_most(loads: dict[int, int]) -> None:
    weeks = range(1, MOST_WEEKS + 1)
    most = max(sum(load for one, load in loads.items() if one & one_week(week)) for week in weeks)
    assert fullest(loads) == most


@given(some_weeks(), some_weeks())
def test_two_sets_meet_where_both_are_held_in_one_week(a: AskedWeeks, b: AskedWeeks) -> None:
    week_both = any(held_in(**a, week=week) and held_in(**b, week=week) for week in range(1, MOST_WEEKS + 1))
    assert bool(week_set(**a) & week_set(**b)) == week_both
    assert week_set("all") == EVERY_WEEK


# Solver and checker -------------------------------------------------------------------------------------------------


def a_day(asked: list[AskedWeeks], periods: int, *, rooms: int | None = None) -> Register:
    """One lesson of one class for each of the weeks asked for, or a lesson over distance of a class each with so many
    remote rooms, in a week that has one day of a few periods."""
    builder = CommunityBuilder()
    starts = STARTS[:periods]
    unit = builder.unit(starts, remote_rooms=rooms or 1, link=9)
    far = builder.unit(starts, remote_rooms=9, link=9)
    school_class = builder.school_class(unit)
    for weeks in asked:
        if rooms is None:
            builder.local(school_class, f"音乐{len(builder.requirements)}", 1, builder.teacher(unit), **weeks)
        else:
            host = Party(unit=far, teachers=(builder.teacher(far),))
            member = Party(unit=unit, classes=(builder.school_class(unit),))
            builder.require("dedicated", "音乐", 1, host, member, **weeks)
    return structs.replace(builder.register(), weekdays=(1,))


def fits(asked: list[AskedWeeks], places: int) -> bool:
    """Whether so many places hold them, one a week in each, by trying all ways."""
    held = [{week for week in range(1, MOST_WEEKS + 1) if held_in(**weeks, week=week)} for weeks in asked]
    return any(
        all(held[a].isdisjoint(held[b]) for a, b in itertools.combinations(range(len(asked)), 2) if way[a] == way[b])
        for way in itertools.product(range(places), repeat=len(asked))
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(some_weeks(), min_size=2, max_size=5), st.integers(1, 3), st.booleans())
def test_a_table_is_found_where_the_weeks_have_room_and_passes_the_check(
    asked: list[AskedWeeks], places: int, distant: bool
) -> None:
    register = a_day(asked, 1, rooms=places) if distant else a_day(asked, places)
    outcome = solve(register, "A", seconds=10, workers=1)
    assert (outcome.table is not None) == fits(asked, places)
    if outcome.table is not None:
        assert check(register, outcome.table) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(some_weeks(), min_size=2, max_size=4), st.data())
def test_slots_and_repairs_agree_with_the_check(asked: list[AskedWeeks], data: st.DataObject) -> None:
    register = a_day(asked, 4)
    table = solve(register, "A", seconds=10, workers=1).table
    assert table is not None
    arrangement = Arrangement(Problem(register, register.communities[0]), table)
    lesson = data.draw(st.sampled_from(table.lessons))
    for verdict in slots(arrangement, lesson.id):
        slot = Slot(weekday=verdict.weekday, period=verdict.period)
        others = [one for one in table.lessons if one.id != lesson.id and one.host.period == slot.period]
        clash = any(week_set(one.weeks, one.only_weeks) & week_set(lesson.weeks, lesson.only_weeks) for one in others)
        assert (verdict.verdict == "impossible") == clash
        if verdict.verdict in ("fits", "costs"):
            repaired = repair(arrangement, lesson.id, slot)
            assert (len(repaired.moves), repaired.verified) == (1, True)


def test_no_week_has_three_and_yet_they_need_three_rooms() -> None:
    asked: list[AskedWeeks] = [{"weeks": "all", "only_weeks": weeks} for weeks in ((1, 2), (2, 3), (1, 3))]
    assert solve(a_day(asked, 1, rooms=2), "A", seconds=10, workers=1).table is None
    register = a_day(asked, 1, rooms=3)
    table = solve(register, "A", seconds=10, workers=1).table
    assert table is not None
    assert len({lesson.parties[1].room for lesson in table.lessons}) == 3


# One slot of a school's week ----------------------------------------------------------------------------------------


def a_shared_slot(*weeks: tuple[int, ...]) -> Register:
    """Lessons over distance of one class, one teacher, one line and one remote room, all locked to one slot."""
    builder = CommunityBuilder()
    near, far = builder.unit(STARTS), builder.unit(STARTS)
    teacher, school_class = builder.teacher(near), builder.school_class(far)
    for only in weeks:
        host, member = Party(unit=near, teachers=(teacher,)), Party(unit=far, classes=(school_class,))
        locked = (Slot(weekday=2, period=3),)
        subject = f"科学{len(builder.requirements)}"
        builder.require("dedicated", subject, 1, host, member, only_weeks=only, locked=locked)
    return builder.register()


def tabled(register: Register) -> Table:
    table = solve(register, "A", seconds=10, workers=1).table
    assert table is not None
    return table


def test_lessons_of_a_few_weeks_share_teacher_class_room_and_line() -> None:
    register = a_shared_slot((1, 2, 3), (4, 6), (5,))
    table = tabled(register)
    assert check(register, table) == []
    held = {(one.day.week, one.lesson.requirement) for one in occurrences(register.term, table.lessons)}
    assert held == {(1, "A-r1"), (2, "A-r1"), (3, "A-r1"), (4, "A-r2"), (6, "A-r2"), (5, "A-r3")}
    both = a_shared_slot((1, 2, 3), (3, 4))
    outcome = solve(both, "A", seconds=10, workers=1)
    assert {finding.code for finding in outcome.findings} == {"locked_twice"}


def test_the_check_finds_lessons_that_meet_in_one_week() -> None:
    register = a_shared_slot((1, 2, 3), (4, 6))
    table = tabled(register)
    second = structs.replace(register.requirements[1], only_weeks=(3, 6))
    meeting = structs.replace(register, requirements=(register.requirements[0], second))
    lessons = tuple(
        structs.replace(one, only_weeks=(3, 6)) if one.requirement == second.id else one for one in table.lessons
    )
    codes = {finding.code for finding in check(meeting, structs.replace(table, lessons=lessons))}
    assert codes == {"table_class_clash", "table_teacher_clash", "table_room_clash", "table_link"}


def test_another_communitys_lesson_takes_its_weeks_only() -> None:
    register = a_shared_slot((1, 2, 3))
    held = commitments_of(register, [tabled(register)])
    assert isinstance(held, Commitments)
    teacher, unit = register.requirements[0].parties[0].teachers[0], register.units[0].id
    problem = Problem(register, register.communities[0], held)
    windows = problem.bells.windows(unit, 2, 3)
    assert not problem.teacher_free(teacher, unit, 2, windows, week_set("all"))
    assert problem.teacher_free(teacher, unit, 2, windows, week_set("all", (4, 5)))
    assert [problem.periods_elsewhere(teacher, 2, week_set(*asked)) for asked in (("all",), ("even", (4,)))] == [1, 0]


@pytest.mark.parametrize("only", [(4, 6), ()])
def test_other_weeks_are_fitted_into_a_standing_table(only: tuple[int, ...]) -> None:
    register = a_shared_slot((1, 2, 3))
    asked = structs.replace(register.requirements[0], only_weeks=only)
    after = structs.replace(register, requirements=(asked,))
    fitted = refit(after, tabled(register), seconds=10)
    assert [lesson.only_weeks for lesson in fitted.table.lessons] == [only]
    assert check(after, fitted.table) == []
    assert (len(fitted.changed), fitted.moves) == (1, ())
