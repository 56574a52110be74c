"""Every table found keeps the rules by an independent check; where there is none, the reason has a name."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, event, given, settings

from tests.community_builder import CommunityBuilder, bell_times
from tests.drawn_registers import small_registers
from tests.instances import generated_community
from timetable.checker import check
from timetable.errors import NotFound
from timetable.habits import remarks
from timetable.model import BusyTime, Party, Register, Slot, Table
from timetable.objective import price
from timetable.problem import Problem
from timetable.solving.formulation import Formulation
from timetable.solving.improvement import TELL_SECONDS
from timetable.solving.progress import Outcome, Progress
from timetable.solving.solver import KEEP_SECONDS, solve

STARTS = bell_times(480, 20, 840)


def table_of(outcome: Outcome) -> Table:
    assert outcome.table is not None, outcome.findings
    return outcome.table


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.findings]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(small_registers())
def test_every_table_found_passes_the_independent_check(register: Register) -> None:
    outcome = solve(register, "A", seconds=10, workers=1)
    event(outcome.status)
    if outcome.table is None:
        assert outcome.status == "infeasible"
        assert outcome.findings
        return
    assert check(register, outcome.table) == []
    problem = Problem(register, register.communities[0])
    assert outcome.table.cost_by_rule == price(problem, outcome.table.lessons)
    assert outcome.cost == sum(rule.cost for rule in outcome.cost_by_rule)
    assert outcome.bound is not None
    assert outcome.bound <= outcome.table.cost
    if not outcome.findings:
        assert remarks(register, outcome.table) == []
    if outcome.status == "optimal":
        assert outcome.bound == outcome.table.cost


def test_a_community_like_the_countys_is_solved_and_priced() -> None:
    register = generated_community(3, shape=(2, 1, 1), lacking={2: ("音乐",)})
    seen: list[Progress] = []
    outcome = solve(register, "A", seconds=20, on_progress=seen.append)
    table = table_of(outcome)
    assert check(register, table) == []
    assert remarks(register, table) == []
    assert [step.phase for step in seen][:2] == ["lints", "first"]
    assert seen[-1].phase == "done"
    costs = [step.cost for step in seen if step.cost is not None]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == outcome.cost


def test_a_sync_lesson_stands_where_the_clocks_meet() -> None:
    builder = CommunityBuilder()
    host, member = builder.unit(STARTS), builder.unit([start + 55 for start in STARTS])
    parties = []
    for unit in (host, member):
        parties.append(Party(unit=unit, classes=(builder.school_class(unit),), teachers=(builder.teacher(unit),)))
    builder.require("sync", "语文", 2, *parties)
    register = builder.register()
    table = table_of(solve(register, "A", seconds=10, workers=1))
    assert check(register, table) == []
    for lesson in table.lessons:
        assert lesson.parties[1].period == lesson.parties[0].period - 1
        assert lesson.parties[0].leftover[0].teacher == parties[0].teachers[0]


def test_minutes_left_over_get_a_free_teacher_of_the_class_or_nobody() -> None:
    builder = CommunityBuilder()
    host, member = builder.unit(STARTS), builder.unit([start + 5 for start in STARTS])
    watched, alone = builder.school_class(member), builder.school_class(member)
    own = builder.teacher(member)
    builder.local(watched, "数学", 1, own)
    for school_class in (watched, alone):
        builder.require(
            "dedicated",
            "音乐",
            1,
            Party(unit=host, teachers=(builder.teacher(host),)),
            Party(unit=member, classes=(school_class,)),
        )
    table = table_of(solve(builder.register(), "A", seconds=10, workers=1))
    supervisors = {
        party.classes[0]: {left.teacher for left in party.leftover}
        for lesson in table.lessons
        for party in lesson.parties
        if party.leftover
    }
    assert supervisors == {watched: {own}, alone: {None}}


def test_lessons_of_odd_and_even_weeks_share_a_period() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    school_class = builder.school_class(unit)
    slots = tuple(Slot(weekday=1, period=period) for period in (1,))
    builder.local(school_class, "音乐", 1, builder.teacher(unit), weeks="odd", locked=slots)
    builder.local(school_class, "美术", 1, builder.teacher(unit), weeks="even", locked=slots)
    register = builder.register()
    table = table_of(solve(register, "A", seconds=10, workers=1))
    assert check(register, table) == []
    assert {(lesson.weekday, lesson.host.period) for lesson in table.lessons} == {(1, 1)}


def test_locked_slots_are_kept() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    school_class = builder.school_class(unit)
    builder.local(school_class, "语文", 3, builder.teacher(unit), locked=(Slot(weekday=5, period=7),))
    table = table_of(solve(builder.register(), "A", seconds=10, workers=1))
    assert (5, 7) in {(lesson.weekday, lesson.host.period) for lesson in table.lessons}


def test_blocks_stand_in_consecutive_periods_of_one_half_day() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    school_class = builder.school_class(unit)
    builder.local(school_class, "综合实践", 2, builder.teacher(unit), block=3)
    register = builder.register()
    table = table_of(solve(register, "A", seconds=10, workers=1))
    assert check(register, table) == []
    assert {lesson.host.period for lesson in table.lessons} <= {1, 2, 5}


def test_a_teacher_of_two_campuses_has_time_for_the_way() -> None:
    builder = CommunityBuilder()
    units = [builder.unit(STARTS), builder.unit(STARTS)]
    roving = builder.teacher(*units, max_per_day=8)
    for unit in units:
        builder.local(builder.school_class(unit), "音乐", 7, roving)
    register = builder.register()
    outcome = solve(register, "A", seconds=20, workers=1)
    assert check(register, table_of(outcome)) == []
    assert [finding.code for finding in outcome.findings] == ["travel_unknown"]


def test_a_table_with_gaps_is_better_than_none_and_says_so() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    school_class = builder.school_class(unit)
    teacher = builder.teacher(
        unit,
        max_per_day=7,
        unavailable=tuple(BusyTime(weekday=day, start="09:00", end="09:20") for day in (1, 2, 3, 4, 5)),
    )
    builder.local(school_class, "语文", 24, teacher)
    register = builder.register()
    outcome = solve(register, "A", seconds=20, workers=1)
    assert check(register, table_of(outcome)) == []
    assert codes(outcome) == ["gave_up_day_without_gaps"]
    gaps = {rule.rule: rule.cost for rule in outcome.cost_by_rule}["class_gap"]
    assert gaps == 50
    assert len(remarks(register, table_of(outcome))) == 5


def test_an_impossible_table_names_the_rule_whose_giving_up_was_verified() -> None:
    builder = CommunityBuilder()
    units = [builder.unit(STARTS, remote_rooms=2, link=1), builder.unit(STARTS, remote_rooms=2)]
    for weekday_slot in (Slot(weekday=1, period=1), Slot(weekday=1, period=1)):
        builder.require(
            "dedicated",
            "音乐",
            1,
            Party(unit=units[0], teachers=(builder.teacher(units[0]),)),
            Party(unit=units[1], classes=(builder.school_class(units[1]),)),
            locked=(weekday_slot,),
        )
    outcome = solve(builder.register(), "A", seconds=30, workers=1)
    assert (outcome.status, outcome.table) == ("infeasible", None)
    assert codes(outcome) == ["without_locked", "without_link_capacity"]


def test_what_counting_proves_impossible_is_not_searched_for() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    builder.local(builder.school_class(unit), "语文", 20, builder.teacher(unit, max_per_day=3))
    outcome = solve(builder.register(), "A", seconds=30, workers=1)
    assert (outcome.status, codes(outcome)) == ("infeasible", ["teacher_over_days"])
    assert outcome.findings[0].values == {"teacher": "语文教师001", "lessons": 20, "most": 15}


def test_a_room_of_a_campus_serves_one_unit_at_a_time() -> None:
    builder = CommunityBuilder()
    first = builder.unit(STARTS, remote_rooms=1, link=3)
    second = builder.unit([start + 5 for start in STARTS], remote_rooms=0, link=3, campus=f"campus-{first}")
    far = builder.unit(STARTS, remote_rooms=3)
    for unit in (first, second) * 6:
        builder.require(
            "dedicated",
            "音乐",
            2,
            Party(unit=far, teachers=(builder.teacher(far),)),
            Party(unit=unit, classes=(builder.school_class(unit),)),
        )
    register = builder.register()
    table = table_of(solve(register, "A", seconds=20, workers=1))
    assert check(register, table) == []
    assert {lesson.parties[1].room for lesson in table.lessons} == {f"{first}-remote1"}


def test_stopping_keeps_the_best_table_so_far() -> None:
    register = generated_community(3, shape=(3, 2, 1), lacking={2: ("音乐",)})
    stopped = False

    def stop_after_the_first(step: Progress) -> None:
        nonlocal stopped
        stopped = step.phase == "improving"

    outcome = solve(register, "A", seconds=60, on_progress=stop_after_the_first, should_stop=lambda: stopped)
    assert check(register, table_of(outcome)) == []
    assert outcome.seconds < 30


@pytest.mark.slow
def test_better_tables_are_told_and_kept_now_and_then_and_the_best_at_last() -> None:
    """Who is told of each has more work of it than the search."""
    register, seen, kept = generated_community(), list[Progress](), list[Table]()
    outcome = solve(register, "A", seconds=10, workers=1, on_progress=seen.append, on_table=kept.append)
    told = [step.cost or 0 for step in seen if step.phase == "improving"]
    assert told == sorted(told, reverse=True)
    assert told[-1] == seen[-1].cost == outcome.cost
    # the first and the last are told of in any case
    assert len(told) <= outcome.seconds / TELL_SECONDS + 2
    assert len(kept) <= outcome.seconds / KEEP_SECONDS + 1


def test_a_standing_table_is_the_starting_point() -> None:
    register = generated_community(3, shape=(2, 1, 1), lacking={2: ("音乐",)})
    first = table_of(solve(register, "A", seconds=20, improve_until=0))
    formulation = Formulation(Problem(register, register.communities[0]))
    assert formulation.fix(first)
    seen: list[Progress] = []
    outcome = solve(register, "A", seconds=10, start=first, on_progress=seen.append)
    assert next(step.cost for step in seen if step.cost is not None) == first.cost
    assert table_of(outcome).cost <= first.cost


def test_an_unknown_community_is_not_found() -> None:
    with pytest.raises(NotFound, match="no community 'Z'"):
        solve(generated_community(1, shape=(1,)), "Z", seconds=1)
