"""This module owns the pages in the classic form: the periods of a class, a teacher or a room down, the weekdays
across; and the whole school on one page, its classes or teachers down and all periods of the week across."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from timetable.bells import Window
from timetable.export.wall_pages import (
    HEAD_HEIGHT,
    REST_HEIGHT,
    Box,
    Entry,
    Page,
    Wall,
    by_weekday,
    clusters,
    headed,
    stretched,
    style_of,
    with_rests,
)
from timetable.model import clock

A4_LABEL, A4_WEEK, A4_HEIGHT = 15.0, 118.0, 400.0
"""What fits A4 in landscape: widths in characters, the height of all periods in points."""
A3_LABEL, A3_WEEK = 13.0, 190.0
TALLEST, LOWEST = 62.0, 26.0
MOST_LINES = 36
"""Classes or teachers on one page."""

_Whose = tuple[str, Sequence[Entry]]
"""A class or teacher by name, with the lessons."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One row: a period of a unit, with its window on the first day that rings it."""

    unit: str
    period: int
    window: Window


def class_page(wall: Wall, id: str) -> Page:
    school_class = wall.classes[id]
    entries = [entry for entry in wall.entries() if id in entry.party.classes]
    name = f"{wall.unit_name(school_class.unit)} {school_class.name}"

    def text(entry: Entry) -> str:
        return _lines(wall.heading(entry.lesson), wall.taught_by(entry), wall.sharing(entry))

    return _week(wall, name, wall.words("export.title", name=name), entries, [school_class.unit], text)


def teacher_page(wall: Wall, id: str) -> Page:
    entries = [entry for entry in wall.entries() if id in entry.party.teachers]
    posts = next((teacher.posts for teacher in wall.register.teachers if teacher.id == id), ())
    units = list(dict.fromkeys(entry.party.unit for entry in entries)) or [p for p in posts if p in wall.units]
    several = len(units) > 1

    def text(entry: Entry) -> str:
        classes = wall.class_names(entry.party, with_unit=several)
        return _lines(wall.heading(entry.lesson), classes, wall.sharing(entry))

    name = wall.teachers.get(id, id)
    return _week(wall, name, wall.words("export.title", name=name), entries, units, text)


def room_page(wall: Wall, id: str) -> Page:
    room = wall.rooms[id]
    entries = [entry for entry in wall.entries() if entry.party.room == id]
    units = list(dict.fromkeys([*(u for u in (room.unit,) if u in wall.units), *(e.party.unit for e in entries)]))

    def text(entry: Entry) -> str:
        classes = wall.class_names(entry.party, with_unit=len(units) > 1)
        return _lines(wall.heading(entry.lesson), classes, wall.taught_by(entry), wall.sharing(entry))

    name = f"{wall.unit_name(room.unit)} {room.name}"
    return _week(wall, name, wall.words("export.title", name=name), entries, units, text)


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _week(
    wall: Wall, name: str, title: str, entries: Sequence[Entry], units: Sequence[str], text: Callable[[Entry], str]
) -> Page:
    lines = _periods(wall, units, entries)
    columns = (A4_LABEL, *[A4_WEEK / len(wall.weekdays)] * len(wall.weekdays))
    rows, boxes = headed(wall, title, columns)
    rows.append(HEAD_HEIGHT)
    boxes.append(Box(2, 0, 2, 0, "", "head"))
    boxes += [Box(2, n, 2, n, wall.words(f"weekday.{day}"), "head") for n, day in enumerate(wall.weekdays, 1)]
    height = min(TALLEST, max(LOWEST, A4_HEIGHT / max(1, len(lines))))
    place: dict[tuple[str, int], int] = {}
    rests = set()
    for line, rest in zip(lines, with_rests([line.window for line in lines]), strict=True):
        if rest:
            boxes.append(Box(len(rows), 0, len(rows), len(columns) - 1, "", "rest"))
            rests.add(len(rows))
            rows.append(REST_HEIGHT)
        place[line.unit, line.period] = len(rows)
        boxes.append(Box(len(rows), 0, len(rows), 0, _label(wall, line, several=len(units) > 1), "label"))
        rows.append(height)
    for column, day in enumerate(wall.weekdays, 1):
        spans = [(*_span(wall, entry, place), entry) for entry in by_weekday(entries)[day]]
        taken: set[int] = set()
        for top, bottom, found in clusters(spans):
            # a box never crosses the rest: it would hide it
            bottom = min([bottom, *(rest - 1 for rest in rests if top < rest <= bottom)])
            words = "\n".join(dict.fromkeys(text(entry) for entry in found))
            boxes.append(Box(top, column, bottom, column, words, style_of(found)))
            taken.update(range(top, bottom + 1))
        free = set(place.values()) - taken
        boxes += [Box(row, column, row, column, "", "empty") for row in sorted(free)]
    return Page(name, "A4", stretched(columns, rows, "A4"), tuple(rows), tuple(boxes))


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


def classes_pages(wall: Wall, unit: str) -> list[Page]:
    """All classes of a school (总课表), as many on a page as can be read from a wall."""
    classes = sorted((c for c in wall.classes.values() if c.unit == unit), key=lambda c: (c.grade, c.number, c.id))
    by_class: dict[str, list[Entry]] = {school_class.id: [] for school_class in classes}
    for entry in wall.entries():
        for id in entry.party.classes:
            if id in by_class:
                by_class[id].append(entry)
    lines = [(school_class.name, by_class[school_class.id]) for school_class in classes]
    name = wall.unit_name(unit)

    def text(entry: Entry) -> str:
        return _lines(wall.heading(entry.lesson), wall.teacher_names(entry.party) or wall.taught_by(entry))

    return _pages(wall, unit, name, wall.words("export.classes", name=name), lines, text)


def teachers_pages(wall: Wall, unit: str) -> list[Page]:
    """All teachers of a school who have lessons there."""
    by_teacher: dict[str, list[Entry]] = {}
    for entry in wall.entries():
        if entry.party.unit == unit:
            for id in entry.party.teachers:
                by_teacher.setdefault(id, []).append(entry)
    ordered = sorted(by_teacher.items(), key=lambda item: (wall.teachers.get(item[0], item[0]), item[0]))
    lines = [(wall.teachers.get(id, id), entries) for id, entries in ordered]
    name = wall.unit_name(unit)

    def text(entry: Entry) -> str:
        return _lines(wall.heading(entry.lesson), wall.class_names(entry.party))

    sheet, title = wall.words("export.teachers_sheet", name=name), wall.words("export.teachers", name=name)
    return _pages(wall, unit, sheet, title, lines, text)


def _pages(
    wall: Wall, unit: str, name: str, title: str, lines: Sequence[_Whose], text: Callable[[Entry], str]
) -> list[Page]:
    parts = max(1, -(-len(lines) // MOST_LINES))
    each = max(1, -(-len(lines) // parts))
    pages = []
    for number in range(1, parts + 1):
        part = lines[(number - 1) * each : number * each]
        which = f" {number}/{parts}" if parts > 1 else ""
        pages.append(_school(wall, unit, name + which, title + which, part, text))
    return pages


def _school(
    wall: Wall, unit: str, name: str, title: str, lines: Sequence[_Whose], text: Callable[[Entry], str]
) -> Page:
    slots: dict[tuple[int, int], int] = {}
    for day in wall.weekdays:
        rung = dict.fromkeys(wall.bells.day(unit, day))
        used = (
            e.party.period for _, entries in lines for e in entries if e.party.unit == unit and e.lesson.weekday == day
        )
        for period in (*rung, *sorted(set(used) - set(rung))):
            slots[day, period] = len(slots) + 1
    columns = (A3_LABEL, *[A3_WEEK / max(1, len(slots))] * len(slots))
    rows, boxes = headed(wall, title, columns)
    rows += [HEAD_HEIGHT, HEAD_HEIGHT]
    boxes.append(Box(2, 0, 3, 0, "", "head"))
    for day in wall.weekdays:
        here = [column for (weekday, _), column in slots.items() if weekday == day]
        if here:
            boxes.append(Box(2, min(here), 2, max(here), wall.words(f"weekday.{day}"), "head"))
    boxes += [Box(3, column, 3, column, str(period), "head") for (_, period), column in slots.items()]
    for label, entries in lines:
        row = len(rows)
        rows.append(LOWEST)
        boxes.append(Box(row, 0, row, 0, label, "label"))
        spans = [(*_columns(wall, unit, entry, slots), entry) for entry in entries if entry.party.unit == unit]
        taken: set[int] = set()
        for left, right, found in clusters(spans):
            words = "\n".join(dict.fromkeys(text(entry) for entry in found))
            boxes.append(Box(row, left, row, right, words, style_of(found)))
            taken.update(range(left, right + 1))
        boxes += [Box(row, column, row, column, "", "empty") for column in slots.values() if column not in taken]
    return Page(name, "A3", stretched(columns, rows, "A3"), tuple(rows), tuple(boxes), small=True)


def _columns(wall: Wall, unit: str, entry: Entry, slots: dict[tuple[int, int], int]) -> tuple[int, int]:
    day = entry.lesson.weekday
    found = [slots[day, entry.party.period]]
    for period, window in wall.bells.day(unit, day).items():
        if window.overlap(entry.window):
            found.append(slots[day, period])
    return min(found), max(found)
