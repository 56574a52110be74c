"""This module owns whether rows make one sound register: everything wrong between them, found at once.

Each row was already read cell by cell; here they are held against each other. `names` says what they refer to in vain,
`requirement_check` holds what must be taught against the places and people checked here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from timetable.model import Closure, Community, Finding, Room, SchoolClass, Stage, minutes
from timetable.register.findings import finding
from timetable.register.names import Names, unresolved
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
    names = Names(rows)
    whole = _Check(rows, names)
    return [
        *_dates(rows),
        *_doubles(rows),
        *unresolved(rows, names),
        *whole.term(),
        *whole.places(),
        *whole.bells(),
        *whole.communities(),
        *whole.wishes(),
        *whole.people(),
        *whole.classes(),
        *check_requirements(rows, names),
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

    def __init__(self, rows: Rows, names: Names) -> None:
        self._rows = rows
        self._called = names.called
        self._campuses = {sourced.row.id for sourced in rows.get("campuses", ())}
        self._units = {row.id: row for row, _ in of(rows, "units", UnitRow)}
        self._rooms = {row.id: row for row, _ in of(rows, "rooms", Room)}
        self._weekdays = next((row.weekdays for row, _ in of(rows, "term", TermRow)), ())

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

    def places(self) -> Iterator[Finding]:
        for road, source in of(self._rows, "travel", TravelRow):
            if road.campus_a == road.campus_b:
                yield finding(
                    "road_to_itself", source, title("travel", "campus_b"), id=self._called("campuses", road.campus_a)
                )
        for room, source in of(self._rows, "rooms", Room):
            unit_row = self._units.get(room.unit)
            if unit_row is not None and room.campus in self._campuses and unit_row.campus != room.campus:
                yield self._elsewhere(room.id, room.unit, source, title("rooms", "campus"))
        for busy, source in of(self._rows, "busy_rooms", BusyRoomRow):
            if busy.end <= busy.start:
                yield finding("times_backwards", source, title("busy_rooms", "end"), start=busy.start, end=busy.end)

    # Bells ----------------------------------------------------------------------------------------------------------

    def bells(self) -> Iterator[Finding]:
        rung: dict[str, list[tuple[BellRow, Source]]] = defaultdict(list)
        for row, source in of(self._rows, "bells", BellRow):
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
                for id in ids:
                    other, called = taken.setdefault(id, row.id), self._called("units", id)
                    if other != row.id:
                        standing = self._called("communities", other)
                        yield finding("unit_in_two_communities", source, where, id=called, other=standing)
                    unit = self._units.get(id)
                    if unit is not None and unit.stage != row.stage:
                        yield finding("stage_differs", source, where, id=called)
            for id in sorted({id for id in row.units if row.units.count(id) > 1}):
                called = self._called("units", id)
                yield finding("unit_named_twice", source, title("communities", "members"), id=called)
        for unit_row, source in of(self._rows, "units", UnitRow):
            if unit_row.id not in taken:
                yield finding("unit_without_community", source, title("units", "id"), unit=unit_row.name)

    def wishes(self) -> Iterator[Finding]:
        for wish, source in of(self._rows, "wishes", WishRow):
            if wish.end <= wish.start:
                yield finding("times_backwards", source, title("wishes", "end"), start=wish.start, end=wish.end)

    # People and classes ---------------------------------------------------------------------------------------------

    def people(self) -> Iterator[Finding]:
        for teacher, source in of(self._rows, "teachers", TeacherRow):
            if not teacher.posts:
                yield finding("cell_missing", source, title("teachers", "posts"))
        for busy, source in of(self._rows, "unavailable", UnavailableRow):
            if busy.end <= busy.start:
                yield finding("times_backwards", source, title("unavailable", "end"), start=busy.start, end=busy.end)

    def classes(self) -> Iterator[Finding]:
        for row, source in of(self._rows, "classes", SchoolClass):
            unit, room = self._units.get(row.unit), self._rooms.get(row.room)
            if unit is not None and room is not None and room.campus != unit.campus:
                yield self._elsewhere(room.id, unit.id, source, title("classes", "room"))

    def _elsewhere(self, room: str, unit: str, source: Source, field: str) -> Finding:
        values = {"id": self._called("rooms", room), "unit": self._called("units", unit)}
        return finding("room_of_other_campus", source, field, **values)


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
