"""The independent checker on one date: the day's occurrences read as the weekly table of a register made for that day.

Also a small solved community whose published table tests may change.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache

from msgspec import structs

from tests.community_builder import CommunityBuilder, bell_times
from timetable.checker import check
from timetable.days.standing import Standing
from timetable.days.versions import Version, diff
from timetable.model import (
    BusyTime,
    Closure,
    Finding,
    MakeUpDay,
    Party,
    Register,
    Requirement,
    Table,
    Term,
    Travel,
)
from timetable.solving.solver import solve
from timetable.term import moment, teaching_day

TERM = Term(
    id="2026a",
    name="秋",
    first_day="2026-09-01",
    last_day="2026-10-30",
    week_one="2026-08-31",
    closures=(
        Closure(first="2026-09-25", last="2026-09-25", name="中秋"),
        Closure(first="2026-09-16", last="2026-09-17", name="校庆", units=("A1",)),
    ),
    make_up_days=(MakeUpDay(date="2026-09-20", follows_weekday=5),),
)
PUBLISHED = moment(date(2026, 8, 25), "12:00")


@cache
def community() -> tuple[Register, Table]:
    """Three schools with every kind of lesson: shared ones, a roving teacher, odd and even weeks, a double period.
    Their classes have about half of their periods filled, so that lessons can move."""
    builder = CommunityBuilder()
    core = builder.unit(bell_times(480, 30, 840), remote_rooms=2, link=1)
    near = builder.unit(bell_times(485, 30, 840), remote_rooms=1)
    far = builder.unit(bell_times(480, 35, 845), remote_rooms=1)
    for a, b, way in ((core, near, 15), (core, far, 40), (near, far, 30)):
        builder.travel.append(Travel(campuses=(f"campus-{a}", f"campus-{b}"), minutes=way))
    c1, c2 = builder.school_class(core), builder.school_class(core)
    n1, f1 = builder.school_class(near), builder.school_class(far)
    away = BusyTime(weekday=3, start="13:30", end="17:30", reason="教研")
    chinese = {unit: builder.teacher(unit, subject="语文", unavailable=(away,)) for unit in (core, near, far)}
    maths = {unit: builder.teacher(unit, subject="数学", max_per_day=4) for unit in (core, near, far)}
    science, second = builder.teacher(core, subject="科学"), builder.teacher(core, subject="科学")
    roving = builder.teacher(near, far, subject="美术")
    music = builder.teacher(core, subject="音乐", unavailable=(BusyTime(weekday=1, start="08:00", end="12:00"),))
    for school_class, unit in ((c1, core), (c2, core), (n1, near), (f1, far)):
        builder.local(school_class, "语文", 4, chinese[unit])
        builder.local(school_class, "数学", 4, maths[unit])
    builder.local(c1, "科学", 1, science, weeks="odd")
    builder.local(c1, "劳动", 1, second, weeks="even")
    builder.local(c2, "科学", 1, second, block=2)
    for school_class in (n1, f1):
        builder.local(school_class, "美术", 2, roving)
    builder.require(
        "sync",
        "科学",
        2,
        Party(unit=core, classes=(c1,), teachers=(science,)),
        Party(unit=near, classes=(n1,), teachers=(maths[near],)),
        Party(unit=far, classes=(f1,)),
    )
    builder.require(
        "dedicated",
        "音乐",
        1,
        Party(unit=core, teachers=(music,)),
        Party(unit=near, classes=(n1,)),
        Party(unit=far, classes=(f1,), teachers=(chinese[far],)),
    )
    builder.require("joint_preparation", "数学", 1, *(Party(unit=unit, teachers=(maths[unit],)) for unit in maths))
    register = structs.replace(builder.register(), term=TERM)
    table = solve(register, "A", seconds=30, workers=1, improve_until=0).table
    assert table is not None
    return register, table


def version(table: Table, number: int = 1, at: float = PUBLISHED, old: Table | None = None) -> Version:
    return Version(community=table.community, number=number, author="a", at=at, table=table, diff=diff(old, table))


def broken_on(register: Register, day: date, standings: Iterable[Standing]) -> list[Finding]:
    """What the checker has against that day."""
    followed = teaching_day(register.term, day)
    held = [standing for standing in standings if not standing.cancelled]
    if followed is None:
        assert held == []
        return []
    blocks = {requirement.id: requirement.block for requirement in register.requirements}
    weekday = followed.weekday
    parity = "odd" if followed.week % 2 else "even"
    requirements, lessons = [], []
    for standing in held:
        occurrence = standing.occurrence
        lesson = occurrence.lesson
        requirements.append(
            Requirement(
                id=f"on.{occurrence.id}",
                kind=lesson.kind,
                subject=lesson.subject,
                parties=tuple(Party(unit=p.unit, classes=p.classes, teachers=p.teachers) for p in occurrence.parties),
                weekly=1,
                community=standing.community,
                block=blocks[lesson.requirement],
                weeks=parity,  # type: ignore[arg-type]
            )
        )
        lessons.append(
            structs.replace(
                lesson,
                id=f"on.{occurrence.id}.1",
                requirement=f"on.{occurrence.id}",
                weekday=weekday,
                parties=occurrence.parties,
                weeks=parity,
            )
        )
    that_day = structs.replace(
        register,
        term=structs.replace(register.term, first_day=day.isoformat()),
        requirements=tuple(requirements),
    )
    found = check(that_day, Table(community="A", term=register.term.id, lessons=tuple(lessons)))
    # Where a closed school stays away, the others keep the window that they all shared.
    without_all = {
        f"on.{s.occurrence.id}.1" for s in held if len(s.occurrence.parties) < len(s.occurrence.lesson.parties)
    }
    return [
        f for f in found if f.code not in ("table_window", "table_leftover") or f.values["lesson"] not in without_all
    ]


def days(register: Register) -> list[date]:
    first, last = date.fromisoformat(register.term.first_day), date.fromisoformat(register.term.last_day)
    return [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
