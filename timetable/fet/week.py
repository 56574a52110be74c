"""This module owns the finished week of a FET file as the list that a school keeps: class, weekday, period, subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from timetable.fet.file import FetActivity, FetFile, read
from timetable.fet.hours import hours_of
from timetable.fet.limits import limits_of
from timetable.fet.students import classes_of, parts_of
from timetable.fet.xml import FetUnreadable
from timetable.model import Finding
from timetable.register.cells import CellValue
from timetable.register.findings import finding
from timetable.register.rows import Source
from timetable.register.sheet_grids import Opened, SheetGrid

HEAD: Sequence[CellValue] = ("班级", "星期", "节次", "学科", "教师")


def open_week(name: str, content: bytes) -> Opened:
    """The lessons that have their times; a file without any is refused with the reason."""
    try:
        file = read(content)
    except FetUnreadable as refused:
        return Opened(findings=(finding("file_unreadable", Source(name, "", 0), reason=refused.reason),))
    lines = [HEAD, *_lines(file)]
    if len(lines) == 1:
        return Opened(findings=(Finding(code="own_fet_without_times", file=name),))
    return Opened(grids=(SheetGrid(Source(name, "FET", 1), lines),))


def _lines(file: FetFile) -> Iterator[Sequence[CellValue]]:
    hours = hours_of(file)
    starts = limits_of(file, hours).starts
    classes = classes_of(file)
    for activity in file.activities:
        slot = starts.get(activity.id)
        if slot is None:
            continue
        parts = parts_of(file, activity.students)
        for found in classes:
            if found.parts & parts:
                for period in range(slot.period, slot.period + activity.duration):
                    yield _line(found.name, slot.weekday, period, activity)


def _line(school_class: str, weekday: int, period: int, activity: FetActivity) -> Sequence[CellValue]:
    return (school_class, str(weekday), str(period), activity.subject, "、".join(activity.teachers))
