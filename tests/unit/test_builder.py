"""Communities that share teachers and rooms get tables that hold together."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.community_builder import CommunityBuilder, bell_times
from timetable.bells import Window
from timetable.checker import check
from timetable.commitments import commitments_of
from timetable.errors import NotFound
from timetable.model import Leftover, Party, Register, Slot, minutes
from timetable.problem import Problem
from timetable.solving.builder import build_all
from timetable.solving.progress import Progress
from timetable.solving.solver import solve
from timetable.weeks import EVERY_WEEK

STARTS = bell_times(480, 20, 840)


def joined(*builders: CommunityBuilder) -> Register:
    """One register of several communities; equal ids (of campuses, rooms, teachers) mean the same thing."""
    parts = [builder.register() for builder in builders]
    communities = [structs.replace(part.communities[0], number=number) for number, part in enumerate(parts, start=1)]
    return structs.replace(
        parts[0],
        communities=tuple(communities),
        campuses=tuple({c.id: c for part in parts for c in part.campuses}.values()),
        travel=tuple(t for part in parts for t in part.travel),
        units=tuple(u for part in parts for u in part.units),
        rooms=tuple({r.id: r for part in parts for r in part.rooms}.values()),
        teachers=tuple({t.id: t for part in parts for t in part.teachers}.values()),
        classes=tuple(c for part in parts for c in part.classes),
        requirements=tuple(r for part in parts for r in part.requirements),
    )


def nine_year_school(*, load: int = 12) -> Register:
    """A primary and a junior unit of two communities on one campus, with one music teacher and one remote room."""
    primary, junior = CommunityBuilder("P"), CommunityBuilder("J")
    small = primary.unit(STARTS, campus="shared", link=2)
    big = junior.unit(
        bell_times(485, 15, 840, lesson=45, morning=4), campus="shared", remote_rooms=0, lesson=45, link=2
    )
    teacher = primary.teacher(small, subject="音乐", max_per_day=8)
    junior.teachers[teacher] = primary.teachers[teacher]
    primary.local(primary.school_class(small), "音乐", load, teacher)
    for _ in range(load // 6):
        junior.local(junior.school_class(big), "音乐", 6, teacher)
    for builder, unit in ((primary, small), (junior, big)):
        far = builder.unit(STARTS, remote_rooms=2)
        builder.overlap_slack = 20
        for _ in range(5):
            builder.require(
                "dedicated",
                "美术",
                2,
                Party(unit=far, teachers=(builder.teacher(far),)),
                Party(unit=unit, classes=(builder.school_class(unit),)),
            )
    return joined(primary, junior)


def test_shared_teachers_and_rooms_are_never_in_two_places() -> None:
    register = nine_year_school()
    build = build_all(register, seconds=20, workers=1)
    assert build.status in ("feasible", "optimal")
    assert [table.community for table in build.tables] == ["P", "J"]
    assert check(register, *build.tables) == []
    assert build.seconds_to_first is not None


def test_a_table_is_built_around_standing_ones() -> None:
    register = nine_year_school()
    [standing] = build_all(register, seconds=10, workers=1, only=["J"]).tables
    build = build_all(register, seconds=10, workers=1, only=["P"], around=[standing])
    assert [outcome.community for outcome in build.outcomes] == ["P"]
    assert check(register, standing, *build.tables) == []


def test_who_supervises_in_one_community_is_not_free_for_another() -> None:
    """A dedicated lesson leaves a class five minutes in which the teacher of both communities watches over it."""
    register = nine_year_school()
    [standing] = build_all(register, seconds=10, workers=1, only=["P"]).tables
    lesson = next(one for one in standing.lessons if one.kind == "dedicated" and one.parties[1].classes)
    teacher = next(t.id for t in register.teachers if "音乐" in t.subjects)
    left = Leftover(start=lesson.end, end="18:00", teacher=teacher)
    watched = structs.replace(lesson, parties=(lesson.parties[0], structs.replace(lesson.parties[1], leftover=(left,))))
    others = tuple(one for one in standing.lessons if one.id != lesson.id)
    table = structs.replace(standing, lessons=(*others, watched))
    held = [c for c in commitments_of(register, [table]).teachers[teacher] if c.periods == 0]
    assert [(c.weekday, c.window) for c in held] == [
        (lesson.weekday, Window(minutes(lesson.end), minutes("18:00"))),
    ]
    problem = Problem(register, register.communities[1], commitments_of(register, [table]))
    unit = lesson.parties[1].unit
    evening = (Window(minutes("17:00"), minutes("17:40")),)
    assert not problem.teacher_free(teacher, unit, lesson.weekday, evening, EVERY_WEEK)
    assert problem.teacher_free(teacher, unit, lesson.weekday % 5 + 1, evening, EVERY_WEEK)


def test_a_community_that_fits_nowhere_goes_first() -> None:
    """The junior unit's music is locked to the very times that the primary table, solved first, gives its own."""
    register = nine_year_school(load=6)
    primary = solve(register, "P", seconds=10, workers=1, improve_until=0).table
    assert primary is not None
    taken = tuple(
        Slot(weekday=lesson.weekday, period=lesson.host.period)
        for lesson in primary.lessons
        if lesson.requirement == "P-r1"
    )
    requirements = tuple(structs.replace(r, locked=taken) if r.id == "J-r1" else r for r in register.requirements)
    tight = structs.replace(register, requirements=requirements)
    around = commitments_of(tight, [primary])
    assert solve(tight, "J", seconds=10, workers=1, busy=around).status == "infeasible"
    build = build_all(tight, seconds=30, workers=1)
    assert [table.community for table in build.tables] == ["P", "J"]
    assert check(tight, *build.tables) == []


def test_one_impossible_community_does_not_stop_the_others() -> None:
    register = nine_year_school()
    crowded = structs.replace(
        register,
        requirements=(*(structs.replace(r, weekly=20) if r.id == "J-r1" else r for r in register.requirements),),
        teachers=tuple(structs.replace(t, max_per_day=5) for t in register.teachers),
    )
    build = build_all(crowded, seconds=15, workers=1)
    assert (build.status, build.seconds_to_first) == ("infeasible", None)
    assert [table.community for table in build.tables] == ["P"]
    failed = build.outcomes[1]
    assert failed.findings
    assert failed.findings[0].severity == "error"


def test_stopping_leaves_the_tables_that_exist() -> None:
    register = nine_year_school()
    stopped = False

    def stop(step: Progress) -> None:
        nonlocal stopped
        stopped = stopped or step.phase == "done"

    build = build_all(register, seconds=60, workers=1, on_progress=stop, should_stop=lambda: stopped)
    assert [table.community for table in build.tables] == ["P"]
    assert build.outcomes[1].status == "unknown"
    assert build.seconds < 30


def test_an_unknown_community_is_refused() -> None:
    with pytest.raises(NotFound):
        build_all(nine_year_school(), seconds=1, only=["Z"])
