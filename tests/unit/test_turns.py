"""Lessons go round by the calendar: who hosts or chairs follows from the week alone."""

from __future__ import annotations

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.community_builder import TERM, CommunityBuilder, bell_times
from timetable.bells import Bells
from timetable.checker import check
from timetable.export import feeds
from timetable.model import Party, Register, Table, Weeks
from timetable.solving.solver import solve
from timetable.term import occurrences, week_of
from timetable.turns import turn
from timetable.weeks import held_in

STARTS = bell_times(480, 20, 840)
WEEKS = st.sampled_from(["all", "odd", "even"])


def test_a_lesson_of_every_week_passes_on_week_by_week() -> None:
    assert [turn(("a", "b", "c"), "all", (), week) for week in range(1, 6)] == ["a", "b", "c", "a", "b"]


def test_turns_count_only_the_weeks_in_which_it_takes_place() -> None:
    assert [turn(("a", "b"), "odd", (), week) for week in (1, 3, 5)] == ["a", "b", "a"]
    assert [turn(("a", "b"), "even", (), week) for week in (2, 4, 6)] == ["a", "b", "a"]
    assert [turn(("a", "b", "c"), "even", (2, 6, 10, 14), week) for week in (2, 6, 10, 14)] == ["a", "b", "c", "a"]
    assert turn((), "all", (), 3) is None


def test_weeks_are_those_of_the_parity_and_of_the_list() -> None:
    assert [week for week in range(1, 9) if held_in("odd", (), week)] == [1, 3, 5, 7]
    assert [week for week in range(1, 9) if held_in("even", (2, 6), week)] == [2, 6]
    assert [week for week in range(1, 9) if held_in("all", (3, 4), week)] == [3, 4]


@given(WEEKS, st.lists(st.integers(1, 20), unique=True).map(tuple), st.integers(1, 6))
def test_nobody_has_two_turns_more_than_another(weeks: Weeks, only: tuple[int, ...], count: int) -> None:
    units = tuple("abcdef"[:count])
    turns = Counter(dict.fromkeys(units, 0))
    turns.update(str(turn(units, weeks, only, week)) for week in range(1, 21) if held_in(weeks, only, week))
    assert max(turns.values()) - min(turns.values()) <= 1


def rotating() -> tuple[Register, Table]:
    """A sync lesson whose host goes round, and a monthly meeting with a rotating chair."""
    builder = CommunityBuilder()
    units = [builder.unit(STARTS), builder.unit([start + 5 for start in STARTS]), builder.unit(STARTS)]
    parties, delegates = [], []
    for unit in units:
        parties.append(Party(unit=unit, classes=(builder.school_class(unit),), teachers=(builder.teacher(unit),)))
        delegates.append(Party(unit=unit, teachers=(builder.teacher(unit),)))
    builder.require("sync", "语文", 1, *parties, rotation=(units[1], units[0], units[2]))
    builder.require(
        "joint_meeting", "联席会议", 1, *delegates, weeks="even", only_weeks=(2, 6, 10), block=2, rotation=tuple(units)
    )
    register = builder.register()
    outcome = solve(register, "A", seconds=10, workers=1)
    assert outcome.table is not None
    assert check(register, outcome.table) == []
    return register, outcome.table


def test_the_unit_whose_turn_it_is_comes_first_on_each_date() -> None:
    register, table = rotating()
    held = list(occurrences(register.term, table.lessons))
    hosts = [o.parties[0].unit for o in held if o.lesson.kind == "sync"]
    assert hosts[:4] in (["A1", "A0", "A2", "A1"], ["A0", "A2", "A1", "A0"])  # the term begins on a Tuesday
    chairs = {o.day.week: o.lesson.host.unit for o in held if o.lesson.kind == "joint_meeting"}
    assert chairs == {2: "A0", 6: "A1", 10: "A2"}
    for occurrence in held:
        assert {party.unit for party in occurrence.parties} == {"A0", "A1", "A2"}
        assert occurrence.lesson.parties == occurrence.parties


def test_a_turn_keeps_every_unit_on_its_own_clock() -> None:
    register, table = rotating()
    rung = Bells(register.units, register.weekdays, TERM.first_day)
    for occurrence in occurrences(register.term, table.lessons):
        block = 2 if occurrence.lesson.kind == "joint_meeting" else 1
        for party in occurrence.parties:
            run = rung.run(party.unit, occurrence.day.weekday, party.period, block)
            assert run is not None
            assert run[1][0].start == int(party.start[:2]) * 60 + int(party.start[3:])


def test_a_feed_names_the_host_and_the_chair_of_the_week() -> None:
    register, table = rotating()
    names = feeds.names_of(register, lambda id: "")
    titles = {
        (o.lesson.kind, week_of(register.term, o.day.date)): feeds.title(o, names)
        for o in occurrences(register.term, table.lessons)
    }
    meeting = next(lesson for lesson in table.lessons if lesson.kind == "joint_meeting")
    chair = {party.unit: names.teacher(party.teachers[0]) for party in meeting.parties}
    assert titles["joint_meeting", 6] == f"【联席会议】联席会议 · 轮值主席：A1 {chair['A1']}"
    sync = next(lesson for lesson in table.lessons if lesson.kind == "sync")
    host = {party.unit: names.teacher(party.teachers[0]) for party in sync.parties}
    assert titles["sync", 2].endswith(f"· 主讲：A0 {host['A0']}")


def test_the_checker_refuses_turns_of_a_unit_without_a_teacher() -> None:
    register, _ = rotating()
    old = register.requirements[0]
    dumb = [*old.parties[:2], Party(unit=old.parties[2].unit, classes=old.parties[2].classes)]
    changed = structs.replace(old, parties=tuple(dumb))
    wrong = structs.replace(register, requirements=(changed, *register.requirements[1:]))
    outcome = solve(wrong, "A", seconds=10, workers=1)
    assert outcome.table is not None
    assert [finding.code for finding in check(wrong, outcome.table)] == ["table_turns"]


def test_dates_outside_the_listed_weeks_have_no_meeting() -> None:
    register, table = rotating()
    weeks = [o.day.week for o in occurrences(register.term, table.lessons) if o.lesson.kind == "joint_meeting"]
    assert weeks == [2, 6, 10]
    assert date.fromisoformat(register.term.first_day).isoweekday() == 2
