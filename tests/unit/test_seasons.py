"""A table holds under every bell that rings in the term, and shows the right clock on each date."""

from __future__ import annotations

import itertools
from datetime import date

from hypothesis import HealthCheck, assume, event, given, settings
from msgspec import structs

from server.sentences import finding_sentence, words_in
from tests.community_builder import CommunityBuilder, bell_times
from tests.drawn_registers import small_registers
from timetable.bell_changes import parted_lessons
from timetable.bells import Bells, Window
from timetable.checker import check
from timetable.export import feeds
from timetable.export.table_list import list_csv, read_list
from timetable.export.wall_pages import Wall
from timetable.fet.exporting import export
from timetable.model import BusyTime, Leftover, Party, PartyTimes, Register, Table, Travel, clock
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.slots import slots
from timetable.solving.lints import lint
from timetable.solving.solver import solve
from timetable.term import occurrences_on

CHANGE = "2026-11-02"
SUMMER = bell_times(480, 20, 840)


def community(*, winter: list[int], weekly: int = 1, slack: int = 5) -> tuple[CommunityBuilder, str, str]:
    """A host that rings the same all term and a member whose bells change in November; one sync lesson."""
    builder = CommunityBuilder(overlap_slack=slack)
    host, member = builder.unit(SUMMER), builder.unit(SUMMER)
    builder.rings_anew(member, CHANGE, winter)
    parties = [
        Party(unit=unit, classes=(builder.school_class(unit),), teachers=(builder.teacher(unit),))
        for unit in (host, member)
    ]
    builder.require("sync", "语文", weekly, *parties)
    return builder, host, member


def solved(register: Register) -> Table:
    outcome = solve(register, "A", seconds=10, workers=1)
    assert outcome.table is not None, outcome.findings
    assert check(register, outcome.table) == []
    return outcome.table


def test_the_term_has_a_season_between_two_changes_of_bells() -> None:
    builder, host, member = community(winter=[start - 30 for start in SUMMER])
    rung = Bells(builder.units, (1,), "2026-09-01", "2027-01-22")
    assert rung.seasons == ("2026-09-01", CHANGE)
    assert rung.windows(host, 1, 1) == (Window(480, 520), Window(480, 520))
    assert rung.windows(member, 1, 1) == (Window(480, 520), Window(450, 490))
    assert Bells(builder.units, (1,), "2026-12-01").day(member, 1)[1] == Window(450, 490)


def test_a_period_that_does_not_ring_all_term_takes_no_lesson() -> None:
    builder, _, member = community(winter=SUMMER[:5])
    rung = Bells(builder.units, (1,), "2026-09-01", "2027-01-22")
    assert list(rung.day(member, 1)) == [1, 2, 3, 4, 5]


def test_a_lesson_stands_where_the_clocks_meet_before_and_after_the_change() -> None:
    """In winter only the afternoon is rung as before, five minutes later."""
    builder, _, _ = community(winter=[*(start + 25 for start in SUMMER[:4]), *(start + 5 for start in SUMMER[4:])])
    register = builder.register()
    [lesson] = solved(register).lessons
    assert lesson.host.period >= 5
    start, end = lesson.start, lesson.end
    later = lesson.later[0]
    assert (later.first, later.end) == (CHANGE, end)
    assert later.start == f"{start[:3]}{int(start[3:]) + 5:02d}"
    own = lesson.parties[0]
    teacher = own.teachers[0]
    assert (own.leftover, later.parties[0].leftover) == (
        (),
        (Leftover(start=start, end=later.start, teacher=teacher),),
    )
    assert later.parties[1] == PartyTimes(
        start=later.start,
        end=f"{end[:3]}{int(end[3:]) + 5:02d}",
        leftover=(Leftover(start=end, end=f"{end[:3]}{int(end[3:]) + 5:02d}", teacher=lesson.parties[1].teachers[0]),),
    )


def test_each_date_and_its_feed_have_the_clock_of_their_season() -> None:
    builder, _, _ = community(winter=[start + 5 for start in SUMMER])
    register = builder.register()
    [lesson] = solved(register).lessons
    monday = {"autumn": date(2026, 10, 26), "winter": date(2026, 11, 2)}
    found = {}
    for season, first in monday.items():
        day = date.fromordinal(first.toordinal() + lesson.weekday - 1)
        [occurrence] = occurrences_on(register.term, [lesson], day)
        assert occurrence.lesson.later == ()
        found[season] = occurrence
    assert found["autumn"].lesson.start == lesson.start
    assert found["winter"].lesson.start == lesson.later[0].start != lesson.start
    assert found["winter"].starts == found["autumn"].starts + 7 * 86400 + 300
    assert [party.start for party in found["winter"].parties] == [p.start for p in lesson.later[0].parties]


def test_a_teacher_of_two_units_keeps_the_way_in_winter_too() -> None:
    """From November on the second school begins half an hour earlier, when the teacher is still on the road."""
    builder = CommunityBuilder()
    here = builder.unit([480, 530])
    there = builder.unit([600, 650])
    builder.rings_anew(there, CHANGE, [570, 620])
    builder.travel.append(Travel(campuses=("campus-A0", "campus-A1"), minutes=25))
    away = tuple(BusyTime(weekday=day, start="07:00", end="18:00") for day in (2, 3, 4, 5))
    teacher = builder.teacher(here, there, unavailable=away)
    builder.local(builder.school_class(here), "语文", 1, teacher)
    builder.local(builder.school_class(there), "语文", 1, teacher)
    table = solved(builder.register())
    place = {lesson.host.unit: lesson.host.period for lesson in table.lessons}
    assert (place[here], place[there]) != (2, 1)


def test_the_checker_names_the_date_from_which_on_a_table_fails() -> None:
    builder, host, member = community(winter=SUMMER)
    table = solved(builder.register())
    winter = [start + 15 for start in SUMMER]
    builder.units[1] = structs.replace(builder.units[1], bells=builder.units[1].bells[:1])
    builder.rings_anew(member, CHANGE, winter)
    found = check(builder.register(), table)
    assert {finding.code for finding in found} == {"table_bell"}
    assert {finding.values["since"] for finding in found} == {CHANGE}
    [lesson] = table.lessons
    [parted] = parted_lessons(builder.register(), table)
    assert (parted.code, parted.severity) == ("lesson_parted_earlier", "warning")
    assert parted.values == {
        "title": f"语文 {host}-5-1班、{member}-5-1班",
        "weekday": lesson.weekday,
        "date": CHANGE,
        "minutes": 25,
        "required": 35,
        "unit": "学校A1",
        "shift": 10,
    }


def test_counting_names_the_change_that_parts_the_windows_and_the_smallest_shift() -> None:
    builder, _, _ = community(winter=[start + 12 for start in SUMMER], weekly=2)
    register = builder.register()
    found = lint(Problem(register, register.communities[0]))
    requirement = register.requirements[0].id
    values = {"requirement": requirement, "subject": "语文", "units": "学校A0、学校A1", "date": CHANGE, "lessons": 2}
    assert [finding.code for finding in found] == ["change_parts_windows_earlier"]
    assert found[0].values == {**values, "unit": "学校A1", "shift": 7}
    outcome = solve(register, "A", seconds=5)
    assert (outcome.status, outcome.findings) == ("infeasible", tuple(found))


def test_a_table_with_two_clocks_survives_its_list() -> None:
    builder, _, _ = community(winter=[start + 5 for start in SUMMER])
    register = builder.register()
    table = solved(register)
    listed = read_list("课表.csv", list_csv(table.lessons, feeds.names_of(register, lambda id: "")))
    assert listed.findings == ()
    assert listed.lessons == table.lessons
    assert table.lessons[0].later


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(small_registers())
def test_no_date_of_a_table_has_anybody_in_two_places(register: Register) -> None:
    """Plain loops over the dated lessons of days around each change, by the clock."""
    outcome = solve(register, "A", seconds=5, workers=1, improve_until=0)
    assume(outcome.table is not None)
    assert outcome.table is not None
    lessons = outcome.table.lessons
    event(f"changes: {any(lesson.later for lesson in lessons)}, rounds: {any(x.rotation for x in lessons)}")
    units = {unit.id: unit for unit in register.units}
    for first in (date(2026, 9, 7), date(2026, 10, 12), date(2026, 11, 2), date(2026, 11, 9)):
        for n in range(5):
            day = date.fromordinal(first.toordinal() + n)
            busy: dict[str, list[tuple[str, str]]] = {}
            for occurrence in occurrences_on(register.term, lessons, day):
                for party in occurrence.parties:
                    rung = Bells([units[party.unit]], (day.isoweekday(),), day.isoformat())
                    window = rung.day(party.unit, day.isoweekday())[party.period]
                    assert window.start == int(party.start[:2]) * 60 + int(party.start[3:])
                    for who in (*party.classes, *party.teachers):
                        busy.setdefault(who, []).append((party.start, party.end))
            for stays in busy.values():
                stays.sort()
                assert all(a[1] <= b[0] for a, b in itertools.pairwise(stays))


def test_a_wall_is_drawn_by_the_bells_of_its_date() -> None:
    builder, _, _ = community(winter=[start + 5 for start in SUMMER])
    register = builder.register()
    table = solved(register)
    [lesson] = table.lessons
    for on, times in (("", lesson), ("2026-10-30", lesson), (CHANGE, lesson.later[0]), ("2030-01-01", lesson.later[0])):
        wall = Wall(register, register.communities[0], table, words_in("zh-CN"), "", on)
        assert [(one.start, one.end) for one in wall.table.lessons] == [(times.start, times.end)]
        own = {(entry.party.unit, entry.party.start) for entry in wall.entries()}
        assert own == {
            (party.unit, wall_start.start) for party, wall_start in zip(lesson.parties, times.parties, strict=True)
        }
        day = wall.bells.day("A1", lesson.weekday)
        assert clock(day[lesson.parties[1].period].start) == times.parties[1].start


def test_a_fet_file_says_what_it_loses_of_bells_and_turns() -> None:
    builder, host, member = community(winter=[start + 5 for start in SUMMER])
    builder.requirements[0] = structs.replace(builder.requirements[0], rotation=(member, host))
    register = builder.register()
    found = {f.code: f.values for f in export(Problem(register, register.communities[0])).findings}
    assert found["fet_seasons"] == {"units": 1}
    assert found["fet_turns"] == {"requirements": 1}


def test_a_dragged_lesson_is_told_from_when_a_slot_will_not_do() -> None:
    """In the mornings the bells meet until November only."""
    builder, _, _ = community(winter=[*(start + 25 for start in SUMMER[:4]), *SUMMER[4:]])
    register = builder.register()
    table = solved(register)
    problem = Problem(register, register.communities[0])
    arrangement = Arrangement(problem, table)
    verdicts = {(slot.weekday, slot.period): slot for slot in slots(arrangement, table.lessons[0].id)}
    [reason] = verdicts[2, 1].reasons
    assert (verdicts[2, 1].verdict, reason.code, reason.values["since"]) == (
        "impossible",
        "slot_overlap_earlier",
        CHANGE,
    )
    assert reason.values["shift"] == 20
    assert finding_sentence(reason, "zh-CN").endswith(f"（自{CHANGE}起按新作息）")
    assert verdicts[2, 6].verdict in ("fits", "costs", "here")
