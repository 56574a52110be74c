"""This module owns whether rows make one sound register: everything wrong between them, found at once.

Each row was already read cell by cell; here they are held against each other. `requirement_check` holds what must be
taught against the places and people checked here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from timetable.model import Closure, Community, Finding, Room, SchoolClass, Shortage, Stage, minutes
from timetable.register.findings import finding
from timetable.register.requirement_check import check_requirements
from timetable.register.rows import (
    BellRow,
    BusyRoomRow,
    Rows,
    Source,
    TeacherRow,
    TermRow,
    TravelRow,
    UnavailableRow,
    UnitRow,
    WishRow,
    of,
)
from timetable.register.sheet_format import BY_KEY, SHEETS

EARLIEST: Mapping[Stage, str] = {"primary": "08:20", "junior": "08:00"}
"""No lesson before (2022 curriculum plan and the ministry's rule on sleep)."""
MONDAY = 1
DATED: Mapping[str, tuple[str, ...]] = {
    "term": ("first_day", "last_day", "week_one", "provisional_from"),
    "closures": ("first", "last"),
    "make_up_days": ("date",),
    "bells": ("valid_from", "valid_to"),
}
"""The fields that hold dates: their form was checked in reading, but not every document comes in cells."""


def check(rows: Rows) -> list[Finding]:
    """All findings about the rows, sheet by sheet."""
    whole = _Check(rows)
    return [
        *_dates(rows),
        *_doubles(rows),
        *whole.term(),
        *whole.places(),
        *whole.bells(),
        *whole.communities(),
        *whole.wishes(),
        *whole.people(),
        *whole.classes(),
        *check_requirements(rows),
    ]


def title(sheet: str, field: str) -> str:
    return BY_KEY[sheet].by_name[field].title


def _dates(rows: Rows) -> Iterator[Finding]:
    for sheet, fields in DATED.items():
        for sourced in rows.get(sheet, ()):
            for field in fields:
                value = getattr(sourced.row, field)
                if value is not None and not _is_date(value):
                    yield finding("cell_not_date", sourced.source, title(sheet, field), value=value)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _doubles(rows: Rows) -> Iterator[Finding]:
    """Rows that say a second time what another one of their sheet has said."""
    for sheet in SHEETS:
        seen: dict[tuple[Any, ...], Source] = {}
        for sourced in rows.get(sheet.key, ()) if sheet.identity else ():
            values = tuple(getattr(sourced.row, field) for field in sheet.identity)
            identity = tuple(sorted(values)) if sheet.key == "travel" else values
            first = seen.setdefault(identity, sourced.source)
            if first is not sourced.source:
                code = "duplicate_id" if sheet.identity == ("id",) else "duplicate_row"
                label = "、".join(map(str, values))
                yield finding(code, sourced.source, title(sheet.key, sheet.identity[0]), id=label, first=place(first))


def place(source: Source) -> str:
    """Where a row stands, in few words."""
    return f"{source.file} {source.sheet} {source.row}".strip() if source.file else "—"


class _Check:
    """The checks of places and people, over indexes of what there is."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._campuses = {sourced.row.id for sourced in rows.get("campuses", ())}
        self._units = {row.id: row for row, _ in of(rows, "units", UnitRow)}
        self._rooms = {row.id: row for row, _ in of(rows, "rooms", Room)}
        self._teachers = {row.id for row, _ in of(rows, "teachers", TeacherRow)}
        self._weekdays = next((row.weekdays for row, _ in of(rows, "term", TermRow)), ())

    def _unknown(self, noun: str, known: Iterable[str], source: Source, field: str, *ids: str) -> Iterator[Finding]:
        for id in ids:
            if id not in known:
                yield finding(f"unknown_{noun}", source, field, id=id)

    def term(self) -> Iterator[Finding]:
        terms = list(of(self._rows, "term", TermRow))
        if not terms:
            yield finding("term_missing", Source("", "", 0))
        for row, source in terms[1:]:
            yield finding("second_term", source, title("term", "id"), id=row.id, first=place(terms[0][1]))
        for row, source in terms:
            if row.last_day < row.first_day:
                yield finding("dates_backwards", source, title("term", "last_day"))
            if _is_date(row.week_one) and date.fromisoformat(row.week_one).isoweekday() != MONDAY:
                yield finding("week_one_not_monday", source, title("term", "week_one"), value=row.week_one)
        for closure, source in of(self._rows, "closures", Closure):
            if closure.last < closure.first:
                yield finding("dates_backwards", source, title("closures", "last"))
            yield from self._unknown("unit", self._units, source, title("closures", "units"), *closure.units)

    def places(self) -> Iterator[Finding]:
        for road, source in of(self._rows, "travel", TravelRow):
            for field in ("campus_a", "campus_b"):
                campus = getattr(road, field)
                yield from self._unknown("campus", self._campuses, source, title("travel", field), campus)
            if road.campus_a == road.campus_b:
                yield finding("road_to_itself", source, title("travel", "campus_b"), id=road.campus_a)
        for unit, source in of(self._rows, "units", UnitRow):
            yield from self._unknown("campus", self._campuses, source, title("units", "campus"), unit.campus)
        for room, source in of(self._rows, "rooms", Room):
            yield from self._unknown("unit", self._units, source, title("rooms", "unit"), room.unit)
            yield from self._unknown("campus", self._campuses, source, title("rooms", "campus"), room.campus)
            unit_row = self._units.get(room.unit)
            if unit_row is not None and room.campus in self._campuses and unit_row.campus != room.campus:
                yield finding("room_of_other_campus", source, title("rooms", "campus"), id=room.id, unit=room.unit)
        for busy, source in of(self._rows, "busy_rooms", BusyRoomRow):
            yield from self._unknown("room", self._rooms, source, title("busy_rooms", "room"), busy.room)
            if busy.end <= busy.start:
                yield finding("times_backwards", source, title("busy_rooms", "end"), start=busy.start, end=busy.end)
        for shortage, source in of(self._rows, "shortages", Shortage):
            yield from self._unknown("unit", self._units, source, title("shortages", "unit"), shortage.unit)

    # Bells ----------------------------------------------------------------------------------------------------------

    def bells(self) -> Iterator[Finding]:
        rung: dict[str, list[tuple[BellRow, Source]]] = defaultdict(list)
        for row, source in of(self._rows, "bells", BellRow):
            yield from self._unknown("unit", self._units, source, title("bells", "unit"), row.unit)
            if row.end <= row.start:
                yield finding("times_backwards", source, title("bells", "end"), start=row.start, end=row.end)
                continue
            if row.valid_from and row.valid_to and row.valid_to < row.valid_from:
                yield finding("dates_backwards", source, title("bells", "valid_to"))
            unit = self._units.get(row.unit)
            if unit is not None and row.start < EARLIEST[unit.stage]:
                early = EARLIEST[unit.stage]
                yield finding("bell_too_early", source, title("bells", "start"), start=row.start, earliest=early)
            rung[row.unit].append((row, source))
        for bells in rung.values():
            yield from _bells_together(bells)
        for unit_row, source in of(self._rows, "units", UnitRow):
            days = {weekday for row, _ in rung.get(unit_row.id, ()) for weekday in row.weekdays}
            if not days:
                yield finding("bells_missing", source, title("units", "id"), unit=unit_row.name)
                continue
            for weekday in self._weekdays:
                if weekday not in days:
                    field = title("units", "id")
                    yield finding("bells_missing_weekday", source, field, unit=unit_row.name, weekday=weekday)

    # Communities ----------------------------------------------------------------------------------------------------

    def communities(self) -> Iterator[Finding]:
        taken: dict[str, str] = {}
        for row, source in of(self._rows, "communities", Community):
            for field, ids in (("core", (row.core,)), ("members", row.members)):
                where = title("communities", field)
                yield from self._unknown("unit", self._units, source, where, *ids)
                for id in ids:
                    other = taken.setdefault(id, row.id)
                    if other != row.id:
                        yield finding("unit_in_two_communities", source, where, id=id, other=other)
                    unit = self._units.get(id)
                    if unit is not None and unit.stage != row.stage:
                        yield finding("stage_differs", source, where, id=id)
            for id in sorted({id for id in row.units if row.units.count(id) > 1}):
                yield finding("unit_named_twice", source, title("communities", "members"), id=id)
        for unit_row, source in of(self._rows, "units", UnitRow):
            if unit_row.id not in taken:
                yield finding("unit_without_community", source, title("units", "id"), unit=unit_row.name)

    def wishes(self) -> Iterator[Finding]:
        for wish, source in of(self._rows, "wishes", WishRow):
            yield from self._unknown("unit", self._units, source, title("wishes", "unit"), wish.unit)
            if wish.end <= wish.start:
                yield finding("times_backwards", source, title("wishes", "end"), start=wish.start, end=wish.end)

    # People and classes ---------------------------------------------------------------------------------------------

    def people(self) -> Iterator[Finding]:
        for teacher, source in of(self._rows, "teachers", TeacherRow):
            yield from self._unknown("unit", self._units, source, title("teachers", "posts"), *teacher.posts)
            if not teacher.posts:
                yield finding("cell_missing", source, title("teachers", "posts"))
        for busy, source in of(self._rows, "unavailable", UnavailableRow):
            yield from self._unknown("teacher", self._teachers, source, title("unavailable", "teacher"), busy.teacher)
            if busy.end <= busy.start:
                yield finding("times_backwards", source, title("unavailable", "end"), start=busy.start, end=busy.end)

    def classes(self) -> Iterator[Finding]:
        for row, source in of(self._rows, "classes", SchoolClass):
            yield from self._unknown("unit", self._units, source, title("classes", "unit"), row.unit)
            yield from self._unknown("room", self._rooms, source, title("classes", "room"), row.room)
            unit, room = self._units.get(row.unit), self._rooms.get(row.room)
            if unit is not None and room is not None and room.campus != unit.campus:
                yield finding("room_of_other_campus", source, title("classes", "room"), id=room.id, unit=unit.id)


def _bells_together(bells: list[tuple[BellRow, Source]]) -> Iterator[Finding]:
    """Periods of one unit against each other, each pair reported once, at the later of the two rows."""
    for index, (row, source) in enumerate(bells):
        for other, first in bells[:index]:
            if not set(row.weekdays) & set(other.weekdays) or not _same_dates(row, other):
                continue
            if row.period == other.period:
                yield finding("bell_twice", source, title("bells", "period"), period=row.period, first=place(first))
            elif minutes(row.start) < minutes(other.end) and minutes(other.start) < minutes(row.end):
                where = title("bells", "start")
                yield finding("bell_overlap", source, where, period=row.period, other=other.period, first=place(first))


def _same_dates(row: BellRow, other: BellRow) -> bool:
    """Whether both are in force at one time: a newer schedule takes the place of one begun earlier."""
    return row.valid_from == other.valid_from
