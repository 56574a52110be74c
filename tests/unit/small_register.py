"""A register small enough to see through: a core school and one member, two classes, three teachers, two lessons."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from timetable.model import (
    BellSchedule,
    BusyTime,
    Campus,
    Closure,
    Community,
    MakeUpDay,
    Party,
    Period,
    Register,
    Requirement,
    Room,
    SchoolClass,
    SchoolUnit,
    Shortage,
    Slot,
    Teacher,
    Term,
    Travel,
)
from timetable.register.names import NOUNS
from timetable.register.parts import rows_of
from timetable.register.rows import Rows, Source, Sourced
from timetable.register.sheet_format import BY_KEY

WEEK = (1, 2, 3, 4, 5)


def unit(id: str, short: str, first: str, second: str) -> SchoolUnit:
    periods = (
        Period(number=1, start=first, end=f"{int(first[:2]) + 1:02d}:00"),
        Period(number=2, start=second, end="09:55"),
    )
    return SchoolUnit(
        id=id,
        name=f"{short}学校",
        short_name=short,
        code=short,
        campus=id,
        stage="primary",
        bells=(BellSchedule(weekdays=WEEK, periods=periods),),
        link_capacity=2,
        phone="+86 356",
    )


def school_class(unit: str, *, consent: bool) -> SchoolClass:
    return SchoolClass(
        id=f"{unit}.c51",
        name="五(1)班",
        unit=unit,
        grade=5,
        number=1,
        pupils=30,
        room=f"{unit}.r51",
        recording_consent=consent,
    )


def rooms(unit: str) -> tuple[Room, Room]:
    return (
        Room(id=f"{unit}.r51", name="五(1)班教室", unit=unit, campus=unit, kind="home"),
        Room(id=f"{unit}.remote1", name="远程教室1", unit=unit, campus=unit, kind="remote"),
    )


SMALL = Register(
    county="阳城县",
    term=Term(
        id="2026-autumn",
        name="第一学期",
        first_day="2026-09-01",
        last_day="2027-01-15",
        week_one="2026-08-31",
        closures=(Closure(first="2026-10-01", last="2026-10-07", name="国庆节", units=("east",)),),
        make_up_days=(MakeUpDay(date="2026-10-10", follows_weekday=3, follows_week=6),),
        provisional_from="2027-01-01",
    ),
    communities=(
        Community(id="one", name="一", number=1, stage="primary", mode="collaborative", core="core", members=("east",)),
    ),
    campuses=(Campus(id="core", name="中心"), Campus(id="east", name="东")),
    travel=(Travel(campuses=("core", "east"), minutes=20),),
    units=(unit("core", "中", "08:20", "09:10"), unit("east", "东", "08:25", "09:15")),
    rooms=(*rooms("core"), *rooms("east")),
    teachers=(
        Teacher(id="t1", name="科学教师01", posts=("core",), subjects=("科学", "信息科技"), max_per_day=5),
        Teacher(
            id="t2",
            name="语文教师01",
            posts=("east", "core"),
            subjects=("语文",),
            unavailable=(BusyTime(weekday=2, start="13:30", end="18:00", weeks="odd", reason="语文教研"),),
        ),
        Teacher(id="t3", name="=SUM(A1)", posts=("east",), subjects=("科学",)),
    ),
    classes=(school_class("core", consent=True), school_class("east", consent=False)),
    requirements=(
        Requirement(
            id="sync",
            kind="sync",
            subject="科学",
            parties=(
                Party(unit="core", classes=("core.c51",), teachers=("t1",)),
                Party(unit="east", classes=("east.c51",), teachers=("t3",)),
            ),
            weekly=1,
            community="one",
            overlap_conceded=5,
            topic="光的反射",
        ),
        Requirement(
            id="local",
            kind="local",
            subject="语文",
            parties=(Party(unit="east", classes=("east.c51",), teachers=("t2",)),),
            weekly=6,
            community="one",
            locked=(Slot(weekday=1, period=2), Slot(weekday=3, period=1)),
        ),
    ),
    shortages=(Shortage(unit="east", subject="音乐"),),
    busy_rooms=(("east.remote1", BusyTime(weekday=5, start="14:00", end="15:00", reason="会议")),),
)


def given(register: Register = SMALL, file: str = "a.xlsx") -> Rows:
    """The rows as if they had been read from one workbook."""
    return {
        key: [Sourced(key, row.row, Source(file, BY_KEY[key].title, number)) for number, row in enumerate(rows, 2)]
        for key, rows in rows_of(register).items()
    }


def changed(rows: Rows, sheet: str, index: int, **values: object) -> Rows:
    """The same rows with some fields of one changed."""
    old = rows[sheet][index]
    new = Sourced(sheet, msgspec.structs.replace(old.row, **values), old.source)
    return {**rows, sheet: [*rows[sheet][:index], new, *rows[sheet][index + 1 :]]}


def added(rows: Rows, sheet: str, row: object) -> Rows:
    """The same rows and one more at the end of the sheet."""
    source = Source("a.xlsx", BY_KEY[sheet].title, len(rows.get(sheet, ())) + 2)
    return {**rows, sheet: [*rows.get(sheet, ()), Sourced(sheet, row, source)]}


def with_names(rows: Rows, chosen: Callable[[str, str], bool] = lambda sheet, field: True) -> Rows:
    """The same rows as somebody writes them who knows no ids: in the cells that refer to something stands its name, as
    far as `chosen` says so of a sheet and a field."""
    called = {key: {row.row.id: row.row.name for row in rows.get(key, ())} for key in NOUNS}
    found: Rows = {}
    for key, part in rows.items():
        columns = [column for column in BY_KEY[key].columns if column.refers and chosen(key, column.field)]
        found[key] = []
        for sourced in part:
            values: dict[str, object] = {}
            for column in columns:
                value, names = getattr(sourced.row, column.field), called[column.refers]
                values[column.field] = tuple(names[id] for id in value) if column.several else names[value]
            found[key].append(Sourced(key, msgspec.structs.replace(sourced.row, **values), sourced.source))
    return found
