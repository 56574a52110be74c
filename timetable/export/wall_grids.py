"""This module owns the pages in the classic form: the periods of a class, a teacher or a room down, the weekdays
across; and the whole school, its classes or teachers down and all periods of the week across."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from timetable.bells import Window
from timetable.export.paper import Printing
from timetable.export.wall_cuts import Cell, Grid, Line, pages
from timetable.export.wall_pages import (
    Entry,
    Page,
    Wall,
    by_weekday,
    clusters,
    style_of,
    with_rests,
)
from timetable.model import clock

READABLE = Printing()
_Whose = tuple[str, int, Sequence[Entry]]
"""A class or teacher by name, with the grade (0: none) and the lessons."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One row: a period of a unit, with its window on the first day that rings it."""

    unit: str
    period: int
    window: Window


def class_pages(wall: Wall, id: str, printing: Printing = READABLE) -> list[Page]:
    school_class = wall.classes[id]
    entries = [entry for entry in wall.entries() if id in entry.party.classes]
    name = f"{wall.unit_name(school_class.unit)} {wall.class_name(id)}"

    def text(entry: Entry) -> str:
        return _lines(wall.heading(entry.lesson), wall.taught_by(entry), wall.sharing(entry))

    return _week(wall, name, wall.words("export.title", name=name), entries, [school_class.unit], text, printing)


def teacher_pages(wall: Wall, id: str, printing: Printing = READABLE) -> list[Page]:
    entries = [entry for entry in wall.entries() if id in entry.party.teachers]
    posts = next((teacher.posts for teacher in wall.register.teachers if teacher.id == id), ())
    units = list(dict.fromkeys(entry.party.unit for entry in entries)) or [p for p in posts if p in wall.units]
    several = len(units) > 1

    def text(entry: Entry) -> str:
        classes = wall.class_names(entry.party, with_unit=several)
        return _lines(wall.heading(entry.lesson), classes, wall.sharing(entry))

    name = wall.teachers.get(id, id)
    return _week(wall, name, wall.words("export.title", name=name), entries, units, text, printing)


def room_pages(wall: Wall, id: str, printing: Printing = READABLE) -> list[Page]:
    room = wall.rooms[id]
    entries = [entry for entry in wall.entries() if entry.party.room == id]
    units = list(dict.fromkeys([*(u for u in (room.unit,) if u in wall.units), *(e.party.unit for e in entries)]))

    def text(entry: Entry) -> str:
        classes = wall.class_names(entry.party, with_unit=len(units) > 1)
        return _lines(wall.heading(entry.lesson), classes, wall.taught_by(entry), wall.sharing(entry))

    name = f"{wall.unit_name(room.unit)} {wall.room_name(id)}"
    return _week(wall, name, wall.words("export.title", name=name), entries, units, text, printing)


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _week(
    wall: Wall,
    name: str,
    title: str,
    entries: Sequence[Entry],
    units: Sequence[str],
    text: Callable[[Entry], str],
    printing: Printing,
) -> list[Page]:
    lines = _periods(wall, units, entries)
    rests = with_rests([line.window for line in lines])
    rows = [
        Line(_label(wall, line, several=len(units) > 1), 0, "", rest) for line, rest in zip(lines, rests, strict=True)
    ]
    place = {(line.unit, line.period): row for row, line in enumerate(lines)}
    cells = []
    for column, day in enumerate(wall.weekdays):
        spans = [(*_span(wall, entry, place), entry) for entry in by_weekday(entries)[day]]
        for top, bottom, found in clusters(spans):
            # a box never crosses the rest: it would hide it
            bottom = min([bottom, *(row - 1 for row in range(top + 1, bottom + 1) if rests[row])])
            cells.append(Cell(top, column, bottom, column, _all(text, found), style_of(found)))
    days = [wall.words(f"weekday.{day}") for day in wall.weekdays]
    columns = tuple(Line(day, number, day) for number, day in enumerate(days))
    grid = Grid(name, title, tuple(rows), columns, tuple(cells), grouped=False, whole=True)
    return pages(wall, grid, printing.on("A4"), printing.fit)


def _all(text: Callable[[Entry], str], found: Iterable[Entry]) -> str:
    return "\n".join(dict.fromkeys(text(entry) for entry in found))


def _periods(wall: Wall, units: Sequence[str], entries: Iterable[Entry]) -> list[_Line]:
    """Every period of the units and every one that a lesson is in, by the clock."""
    found: dict[tuple[str, int], Window] = {}
    for unit in units:
        for day in wall.weekdays:
            for period, window in wall.bells.day(unit, day).items():
                found.setdefault((unit, period), window)
    for entry in entries:
        found.setdefault((entry.party.unit, entry.party.period), entry.window)
    lines = [_Line(unit, period, window) for (unit, period), window in found.items()]
    return sorted(lines, key=lambda line: (line.window, list(units).index(line.unit), line.period))


def _label(wall: Wall, line: _Line, *, several: bool) -> str:
    times = f"{clock(line.window.start)}–{clock(line.window.end)}"
    period = wall.words("export.period", number=line.period)
    return _lines(f"{wall.unit_name(line.unit)} {period}" if several else period, times)


def _span(wall: Wall, entry: Entry, place: dict[tuple[str, int], int]) -> tuple[int, int]:
    """The first and last row of a lesson; a block takes several."""
    unit, day = entry.party.unit, entry.lesson.weekday
    rows = [place[unit, entry.party.period]]
    for period, window in wall.bells.day(unit, day).items():
        if window.overlap(entry.window) and (unit, period) in place:
            rows.append(place[unit, period])
    return min(rows), max(rows)


# The whole school ---------------------------------------------------------------------------------------------------


def classes_pages(wall: Wall, unit: str, printing: Printing = READABLE) -> list[Page]:
    """All classes of a school (总课表)."""
    classes = sorted((c for c in wall.classes.values() if c.unit == unit), key=lambda c: (c.grade, c.number, c.id))
    by_class: dict[str, list[Entry]] = {school_class.id: [] for school_class in classes}
    for entry in wall.entries():
        for id in entry.party.classes:
            if id in by_class:
                by_class[id].append(entry)
    lines = [(wall.class_name(one.id), one.grade, by_class[one.id]) for one in classes]
    name = wall.unit_name(unit)

    def text(entry: Entry) -> str:
        return _lines(wall.heading(entry.lesson), wall.teacher_names(entry.party) or wall.taught_by(entry))

    return _school(wall, unit, name, wall.words("export.classes", name=name), lines, text, printing)


def teachers_pages(wall: Wall, unit: str, printing: Printing = READABLE) -> list[Page]:
    """All teachers of a school who have lessons there."""
    by_teacher: dict[str, list[Entry]] = {}
    for entry in wall.entries():
        if entry.party.unit == unit:
            for id in entry.party.teachers:
                by_teacher.setdefault(id, []).append(entry)
    ordered = sorted(by_teacher.items(), key=lambda item: (wall.teachers.get(item[0], item[0]), item[0]))
    lines = [(wall.teachers.get(id, id), 0, entries) for id, entries in ordered]
    name = wall.unit_name(unit)

    def text(entry: Entry) -> str:
        return _lines(wall.heading(entry.lesson), wall.class_names(entry.party))

    sheet, title = wall.words("export.teachers_sheet", name=name), wall.words("export.teachers", name=name)
    return _school(wall, unit, sheet, title, lines, text, printing)


def _school(
    wall: Wall,
    unit: str,
    name: str,
    title: str,
    lines: Sequence[_Whose],
    text: Callable[[Entry], str],
    printing: Printing,
) -> list[Page]:
    slots: dict[tuple[int, int], int] = {}
    for day in wall.weekdays:
        rung = dict.fromkeys(wall.bells.day(unit, day))
        used = (e.party.period for _, _, all in lines for e in all if e.party.unit == unit and e.lesson.weekday == day)
        for period in (*rung, *sorted(set(used) - set(rung))):
            slots[day, period] = len(slots)
    columns = tuple(Line(str(period), day, wall.words(f"weekday.{day}")) for day, period in slots)
    # those without a grade are a group each: they can be cut anywhere
    rows = tuple(
        Line(label, grade or -row, wall.words(f"grade.{grade}") if grade else "")
        for row, (label, grade, _) in enumerate(lines)
    )
    cells = []
    for row, (_, _, entries) in enumerate(lines):
        spans = [(*_columns(wall, unit, entry, slots), entry) for entry in entries if entry.party.unit == unit]
        cells += [
            Cell(row, left, row, right, _all(text, found), style_of(found)) for left, right, found in clusters(spans)
        ]
    grid = Grid(name, title, rows, columns, tuple(cells), grouped=True, whole=False)
    return pages(wall, grid, printing.on("A3"), printing.fit)


def _columns(wall: Wall, unit: str, entry: Entry, slots: dict[tuple[int, int], int]) -> tuple[int, int]:
    day = entry.lesson.weekday
    found = [slots[day, entry.party.period]]
    for period, window in wall.bells.day(unit, day).items():
        if window.overlap(entry.window):
            found.append(slots[day, period])
    return min(found), max(found)
