"""This module owns the forms that schools keep their own tables in, read into lessons that know their cell.

Three forms are understood, in any sheet of a workbook or in a csv: a class's week (periods down, weekdays across), the
whole school (classes down, the periods of every weekday across), and a list; and a timetable that FET made. Reading
never fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from timetable.bells import Bells, Window
from timetable.fet.week import open_week
from timetable.model import Finding, Register, SchoolClass, Weeks
from timetable.own.cells import (
    NO_LESSON,
    CellLesson,
    LessonReader,
    class_of,
    is_subject_name,
    names_of,
    period_of,
    times_of,
    weekday_of,
)
from timetable.own.grid import Grid, cell_name
from timetable.register.cells import FORMULA_ERROR, shown
from timetable.register.findings import finding
from timetable.register.rows import Source
from timetable.register.sheet_grids import SheetGrid, open_file

ERRORS: Mapping[str, str] = {
    "own_no_form": "a sheet in none of the forms",
    "own_class_unknown": "a title or row that names no class of the unit",
    "own_no_period": "a period that the unit does not ring on that weekday",
    "own_cell_unreadable": "a cell that names no lesson",
    "own_formula_failed": "a formula without a value",
    "own_row_unreadable": "a row of a list without a class, weekday or period",
    "own_nothing": "no lesson in any of the files",
    "own_fet_without_times": "a FET file whose timetable has not been made yet",
}
WARNINGS: Mapping[str, str] = {
    "own_subject_new": "a subject that only this table names",
    "own_weeks_assumed": "two subjects with a slash were read as odd and even weeks",
    "own_sheet_left_out": "a sheet in none of the forms beside others that are",
}

LIST_TITLES: Mapping[str, frozenset[str]] = {
    "class": frozenset({"班级", "班级名称", "class"}),
    "weekday": frozenset({"星期", "周几", "weekday", "day"}),
    "period": frozenset({"节次", "节", "第几节", "period"}),
    "subject": frozenset({"学科", "科目", "课程", "课程名称", "subject"}),
    "teacher": frozenset({"教师", "任课教师", "老师", "姓名", "teacher"}),
    "weeks": frozenset({"单双周", "weeks"}),
}
NEEDED = frozenset({"class", "weekday", "period", "subject"})
HEADING_ROWS = 10
LEAST_DAYS = 3
"""Weekdays in a row that make it a heading."""
MEETS = 0.5
"""Part of a period that the times on a label have to cover for it to be meant."""
WEEKDAYS = frozenset("1234567")
LONGEST_BLOCK = 3
PERIODS = re.compile(r"第?\s*(\d{1,2})\s*[-–~～至到、,]\s*(\d{1,2})\s*节?")
ENDING = re.compile(r"\.[A-Za-z]{2,4}$")


class OwnLesson(NamedTuple):
    """A lesson as it stands in a school's own table; `teachers` are names as written, `cell` is like C5."""

    source: Source
    cell: str
    school_class: str
    weekday: int
    period: int
    subject: str
    teachers: tuple[str, ...]
    weeks: Weeks


@dataclass
class OwnTable:
    """What was read, and everything wrong so far."""

    lessons: list[OwnLesson] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def report(self, code: str, source: Source, cell: str = "", **values: str | int) -> None:
        self.findings.append(place(code, source, cell, warning=code in WARNINGS, **values))


def place(code: str, source: Source, cell: str = "", /, *, warning: bool = False, **values: str | int) -> Finding:
    """A finding about a cell of a table."""
    return Finding(
        code=code,
        values=values,
        file=source.file,
        sheet=source.sheet,
        row=source.row or None,
        field=cell,
        severity="warning" if warning else "error",
    )


def read_own_table(files: Mapping[str, bytes], register: Register, unit: str) -> OwnTable:
    """The lessons of the unit's classes in these files."""
    reading = _Reading(register, unit)
    table = reading.table
    for name in sorted(files):
        if not files[name]:
            table.findings.append(finding("file_empty", Source(name, "", 0)))
            continue
        opener = open_week if name.lower().endswith(".fet") else open_file
        opened = opener(name, files[name])
        table.findings += opened.findings
        strange = [grid for grid in opened.grids if not reading.read(grid) and any(map(any, grid.lines))]
        code = "own_sheet_left_out" if len(strange) < len(opened.grids) else "own_no_form"
        for grid in strange:
            table.report(code, Source(grid.source.file, grid.source.sheet, 0))
    if not table.lessons and all(problem.severity == "warning" for problem in table.findings):
        table.report("own_nothing", Source("", "", 0))
    return table


class _Reading:
    def __init__(self, register: Register, unit: str) -> None:
        self.table = OwnTable()
        self._classes = [school_class for school_class in register.classes if school_class.unit == unit]
        weekdays = range(1, 8)
        self._bells = Bells([u for u in register.units if u.id == unit], weekdays, register.term.first_day)
        self._unit = unit
        self._teachers = {teacher.name for teacher in register.teachers if unit in teacher.posts}
        subjects = {requirement.subject for requirement in register.requirements}
        subjects |= {subject for teacher in register.teachers for subject in teacher.subjects}
        self._reader = LessonReader(frozenset(subjects | set(register.main_subjects)))

    def read(self, sheet: SheetGrid) -> bool:
        """Read one sheet; False when it is in none of the forms."""
        grid = Grid(sheet)
        for row in grid.rows[:HEADING_ROWS]:
            titles = _titles(grid, row)
            if titles.keys() >= NEEDED:
                self._read_list(grid, [below for below in grid.rows if below > row], titles)
                return True
        heads = [row for row, below in pairwise([*grid.rows, 0]) if _is_head(grid, row, below)]
        for index, head in enumerate(heads):
            above = [row for row in grid.rows if (heads[index - 1] if index else 0) < row < head]
            below = [row for row in grid.rows if head < row < (heads[index + 1] if index + 1 < len(heads) else row + 1)]
            slots = grid.slots(head, below[0]) if below else {}
            if slots and self._is_of_teachers(grid, below[1:], min(slots)):
                return False
            if slots:
                self._read_school(grid, slots, below[1:])
            else:
                self._read_week(grid, above, head, below)
        return bool(heads)

    def _is_of_teachers(self, grid: Grid, below: list[int], first: int) -> bool:
        """Whether the rows are teachers: the same lessons as in the sheet of the classes."""
        labels = [label for row in below for label in grid.labels(row, first) if label]
        return 2 * sum(label in self._teachers for label in labels) > len(labels)

    # A class's week -------------------------------------------------------------------------------------------------

    def _read_week(self, grid: Grid, above: list[int], head: int, below: list[int]) -> None:
        days = grid.weekdays(head)
        school_class = self._titled(grid, above, head, min(days))
        if school_class is None:
            title = grid.source.sheet or _stem(grid.source.file)
            self.table.report("own_class_unknown", grid.at(head), value=shown(title))
            return
        offset = last = 0
        for band in grid.bands(below, days, lambda row: self._period(grid.labels(row, min(days)))):
            if band.key is None:
                continue
            # numbers that begin again after noon go on counting
            offset = last if band.key + offset <= last else offset
            last = band.key + offset
            for column, day in days.items():
                self._take(grid, band.rows, column, school_class, day, last)

    def _titled(self, grid: Grid, above: list[int], head: int, first: int) -> SchoolClass | None:
        """The class that a week is of: named above it, in its corner, by the sheet, or by the file."""
        texts = [grid.text(row, column) for row in reversed(above) for column in grid.line(row)]
        texts += [*grid.labels(head, first), grid.source.sheet, _stem(grid.source.file)]
        return next((found for text in texts if text and (found := class_of(text, self._classes))), None)

    def _period(self, labels: list[str]) -> int | None:
        """The period that the labels of a row name, by its number or by its times."""
        for text in labels:
            if number := period_of(text):
                return number
        for text in labels:
            if times := times_of(text):
                window = Window(*times)
                rung = [item for day in range(1, 8) for item in self._bells.day(self._unit, day).items()]
                best = max(rung, key=lambda item: window.overlap(item[1]), default=None)
                if best and window.overlap(best[1]) >= MEETS * best[1].length:
                    return best[0]
        return None

    # The whole school -----------------------------------------------------------------------------------------------

    def _read_school(self, grid: Grid, slots: Mapping[int, tuple[int, int]], below: list[int]) -> None:
        known = {school_class.id: school_class for school_class in self._classes}

        def key(row: int) -> str | None:
            labels = [text for text in grid.labels(row, min(slots)) if text]
            return next((found.id for text in labels if (found := class_of(text, self._classes))), None)

        for band in grid.bands(below, slots, key):
            if band.key is not None:
                for column, (day, period) in slots.items():
                    self._take(grid, band.rows, column, known[band.key], day, period)
                continue
            labels = [text for text in grid.labels(band.rows[0], min(slots)) if text not in NO_LESSON]
            if labels and any(self._reader.read(grid.raw(band.rows[0], column)) for column in slots):
                self.table.report("own_class_unknown", grid.at(band.rows[0]), value=shown(labels[0]))

    # A list ---------------------------------------------------------------------------------------------------------

    def _read_list(self, grid: Grid, below: list[int], titles: Mapping[str, int]) -> None:
        for row in below:
            said = {title: grid.text(row, column) for title, column in titles.items()}
            school_class = class_of(said["class"], self._classes)
            weekday = weekday_of(said["weekday"]) or (int(said["weekday"]) if said["weekday"] in WEEKDAYS else 0)
            periods = _periods(said["period"])
            for title, found in (("class", school_class), ("weekday", weekday), ("period", periods)):
                if not found:
                    cell = cell_name(row, titles[title])
                    self.table.report("own_row_unreadable", grid.at(row), cell, value=shown(said[title]))
            if school_class is None or not weekday:
                continue
            for period in periods:
                self._take_listed(grid, row, titles, school_class, weekday, period)

    def _take_listed(
        self, grid: Grid, row: int, titles: Mapping[str, int], school_class: SchoolClass, weekday: int, period: int
    ) -> None:
        before = len(self.table.lessons)
        self._take(grid, [row], titles["subject"], school_class, weekday, period)
        teachers = names_of(grid.text(row, titles["teacher"])) if "teacher" in titles else ()
        weeks = grid.text(row, titles["weeks"])[:1] if "weeks" in titles else ""
        for index in range(before, len(self.table.lessons)):
            lesson = self.table.lessons[index]
            parity: Weeks = "odd" if weeks == "单" else "even" if weeks == "双" else lesson.weeks
            self.table.lessons[index] = lesson._replace(teachers=teachers or lesson.teachers, weeks=parity)

    # A cell ---------------------------------------------------------------------------------------------------------

    def _take(
        self, grid: Grid, rows: list[int], column: int, school_class: SchoolClass, weekday: int, period: int
    ) -> None:
        """The lessons of one cell; `rows` are those that its text goes over."""
        source, cell = grid.at(rows[0]), cell_name(rows[0], column)
        text = grid.joined(rows, column)
        if FORMULA_ERROR.fullmatch(text):
            self.table.report("own_formula_failed", source, cell, value=text)
            return
        lessons = self._reader.read(text)
        if lessons and self._bells.window(self._unit, weekday, period) is None:
            self.table.report("own_no_period", source, cell, weekday=weekday, period=period)
            return
        for lesson in lessons:
            if self._is_sound(lesson, source, cell, text):
                self.table.lessons.append(
                    OwnLesson(
                        source, cell, school_class.id, weekday, period, lesson.subject, lesson.teachers, lesson.weeks
                    )
                )

    def _is_sound(self, lesson: CellLesson, source: Source, cell: str, text: str) -> bool:
        if not lesson.known and not is_subject_name(lesson.subject):
            self.table.report("own_cell_unreadable", source, cell, value=shown(text))
            return False
        if not lesson.known:
            self.table.report("own_subject_new", source, cell, subject=lesson.subject)
        if lesson.assumed and lesson.weeks == "odd":
            self.table.report("own_weeks_assumed", source, cell, value=shown(text))
        return True


def _titles(grid: Grid, row: int) -> dict[str, int]:
    """Which column of a list is what."""
    found: dict[str, int] = {}
    for column in grid.line(row):
        word = grid.text(row, column).lower().replace("\n", "")
        for title, words in LIST_TITLES.items():
            if word in words:
                found.setdefault(title, column)
    return found


def _is_head(grid: Grid, row: int, below: int) -> bool:
    """Whether a row is a heading of weekdays: of several, or above the periods of the only day or two on the sheet."""
    days = grid.weekdays(row)
    if len(set(days.values())) >= LEAST_DAYS:
        return True
    return bool(days) and len(days) == len(grid.line(row)) and bool(grid.slots(row, below))


def _periods(text: str) -> range:
    """The periods that a cell of a list names: one, or a block such as 1-2."""
    if block := PERIODS.fullmatch(text):
        return range(int(block[1]), min(int(block[2]), int(block[1]) + LONGEST_BLOCK - 1) + 1)
    number = period_of(text)
    return range(number, number + 1) if number else range(0)


def _stem(file: str) -> str:
    return ENDING.sub("", file.replace("\\", "/").rsplit("/", 1)[-1])
