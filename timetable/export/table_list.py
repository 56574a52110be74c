"""This module owns the list form of a table: one row for each side of each lesson, written and read back.

The ids make the list complete: read back, it is the same table. The names beside them are for people and are not read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct, structs

from config.subjects import english_names
from timetable.export.feeds import Names
from timetable.model import (
    ClockTime,
    Finding,
    Id,
    IsoDate,
    Kind,
    Leftover,
    Lesson,
    Name,
    PartyTimes,
    PlacedParty,
    TermWeek,
    Times,
    Weekday,
    Weeks,
)
from timetable.register.cells import DAYS, CellProblem, CellValue, Choice, Many, folded
from timetable.register.columns import make_sheet
from timetable.register.findings import finding
from timetable.register.rows import Source, Sourced
from timetable.register.sheet_format import (
    CLOCK,
    LABEL,
    LABELS,
    NUMBER,
    REQUIREMENT_KIND,
    SUBJECT,
    TEXT,
    WEEKDAY,
    WEEKS,
)
from timetable.register.sheet_grids import open_file
from timetable.register.sheets import Reading, lines_of, read_grid

CODES: Mapping[str, str] = {
    "list_missing": "no sheet of the file is a list of lessons",
    "list_rows_differ": "two rows of one lesson say different things about it",
    "cell_not_leftover": "no leftover minutes such as 10:40-10:45 and who supervises them",
    "cell_not_later": "no times after a change of bells: date, shared window, own period, what is left over",
}
"""Every code that this module can report beside those of the import; each is an error."""

LEFTOVER = re.compile(r"([0-2]\d:[0-5]\d)-([0-2]\d:[0-5]\d)(?:\s+([A-Za-z0-9][A-Za-z0-9._-]*))?")
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
SEPARATORS = re.compile(r"[、,，;；\n]+")


class Later(Struct, frozen=True, kw_only=True):
    """The lesson's and one party's times from a date on."""

    first: IsoDate
    start: ClockTime
    end: ClockTime
    own: PartyTimes


class LessonRow(Struct, frozen=True, kw_only=True):
    """One party's side of a lesson, with what is the lesson's own in every row."""

    lesson: Id
    requirement: Id
    kind: Kind
    subject: Name
    weekday: Weekday
    weeks: Weeks
    start: ClockTime
    end: ClockTime
    unit: Id
    period: Annotated[int, Meta(ge=1, le=16)]
    own_start: ClockTime
    own_end: ClockTime
    room: Id | None = None
    classes: tuple[Id, ...] = ()
    teachers: tuple[Id, ...] = ()
    leftover: tuple[Leftover, ...] = ()
    only_weeks: tuple[TermWeek, ...] = ()
    rotation: tuple[Id, ...] = ()
    later: tuple[Later, ...] = ()
    topic: str = ""
    unit_name: str = ""
    room_name: str = ""
    class_names: str = ""
    teacher_names: str = ""


@dataclass(frozen=True, slots=True)
class _Leftovers:
    """Minutes outside the shared window, each with the id of who supervises: 10:40-10:45 t1."""

    beyond: str = "cell_not_leftover"
    choices: Sequence[str] = ()

    def read(self, cell: CellValue) -> tuple[Leftover, ...]:
        found = []
        for part in SEPARATORS.split(folded(cell)):
            match = LEFTOVER.fullmatch(part.strip())
            if match is None:
                raise CellProblem("cell_not_leftover", cell)
            found.append(Leftover(start=match[1], end=match[2], teacher=match[3]))
        return tuple(found)

    def write(self, value: object) -> str:
        parts = [left for left in value if isinstance(left, Leftover)] if isinstance(value, tuple) else []
        return "、".join(f"{left.start}-{left.end} {left.teacher or ''}".strip() for left in parts)


@dataclass(frozen=True, slots=True)
class _Laters:
    """Times after each change of bells: its date, the shared window, the own period, what is left over.
    2026-10-08 14:05-14:40 14:00-14:40 14:00-14:05 t1；…"""

    beyond: str = "cell_not_later"
    choices: Sequence[str] = ()

    def read(self, cell: CellValue) -> tuple[Later, ...]:
        return tuple(self._one(part.split(), cell) for part in re.split("[;；]", folded(cell)) if part.strip())

    def _one(self, words: list[str], cell: CellValue) -> Later:
        spans = [LEFTOVER.fullmatch(word) for word in words[1:3]]
        if len(words) < 3 or not ISO_DATE.fullmatch(words[0]) or None in spans:
            raise CellProblem("cell_not_later", cell)
        (start, end), (own_start, own_end) = ((span[1], span[2]) for span in spans if span is not None)
        left: list[Leftover] = []
        for word in words[3:]:
            span = LEFTOVER.fullmatch(word)
            if span is not None:
                left.append(Leftover(start=span[1], end=span[2], teacher=None))
            elif left and left[-1].teacher is None:
                left[-1] = structs.replace(left[-1], teacher=word)
            else:
                raise CellProblem("cell_not_later", cell)
        own = PartyTimes(start=own_start, end=own_end, leftover=tuple(left))
        return Later(first=words[0], start=start, end=end, own=own)

    def write(self, value: object) -> str:
        laters = [later for later in value if isinstance(later, Later)] if isinstance(value, tuple) else []
        return "；".join(self._words(later) for later in laters)

    def _words(self, later: Later) -> str:
        left = (f"{one.start}-{one.end} {one.teacher or ''}".strip() for one in later.own.leftover)
        spans = (f"{later.start}-{later.end}", f"{later.own.start}-{later.own.end}")
        return " ".join((later.first, *spans, *left))


LESSONS = make_sheet(
    "lessons",
    "课表",
    LessonRow,
    {
        "lesson": ("课编号", LABEL),
        "requirement": ("要求编号", LABEL),
        "kind": ("种类", REQUIREMENT_KIND),
        "subject": ("学科", SUBJECT),
        "weekday": ("周几", WEEKDAY),
        "weeks": ("单双周", WEEKS),
        "start": ("开始", CLOCK),
        "end": ("结束", CLOCK),
        "unit_name": ("学校", TEXT),
        "unit": ("单位", LABEL),
        "period": ("节次", NUMBER),
        "own_start": ("上课", CLOCK),
        "own_end": ("下课", CLOCK),
        "class_names": ("班级名称", TEXT),
        "classes": ("班级", LABELS),
        "teacher_names": ("教师姓名", TEXT),
        "teachers": ("教师", LABELS),
        "room_name": ("教室名称", TEXT),
        "room": ("教室", LABEL),
        "leftover": ("剩余看护", _Leftovers()),
        "only_weeks": ("只在周次", Many(NUMBER)),
        "rotation": ("轮流单位", LABELS),
        "later": ("作息变动后", _Laters()),
        "topic": ("课题", TEXT),
    },
)
OF_THE_LESSON = (
    "requirement",
    "kind",
    "subject",
    "weekday",
    "weeks",
    "start",
    "end",
    "only_weeks",
    "rotation",
    "topic",
)


class ListedLessons(Struct, frozen=True, kw_only=True):
    """What a list holds; the lessons that could be read, and everything wrong with the others."""

    lessons: tuple[Lesson, ...]
    findings: tuple[Finding, ...]


# Writing ------------------------------------------------------------------------------------------------------------


def list_rows(lessons: Iterable[Lesson], names: Names) -> list[LessonRow]:
    """The lessons as rows, the host's side first."""
    return [_row(lesson, index, names) for lesson in lessons for index in range(len(lesson.parties))]


def list_lines(lessons: Iterable[Lesson], names: Names, *, english: bool = False) -> Iterator[list[str | int]]:
    """The titles, then a line of cells for every row. In English the well-known subjects and what is one of a few
    words are English ones, which are read back as the same."""
    yield [column.title for column in LESSONS.columns]
    rows = [Sourced(LESSONS.key, row, Source("", "", 0)) for row in list_rows(lessons, names)]
    for sourced, line in zip(rows, lines_of(LESSONS, {LESSONS.key: rows}), strict=True):
        yield list(_in_english(sourced.row, line)) if english else line


def _in_english(row: LessonRow, line: Iterable[str | int]) -> Iterator[str | int]:
    for column, written in zip(LESSONS.columns, line, strict=True):
        value = getattr(row, column.field)
        if column.kind is SUBJECT:
            yield english_names().get(value, written)
        elif column.kind is WEEKDAY:
            yield DAYS[value - 1]
        else:
            yield value if isinstance(column.kind, Choice) else written


def list_csv(lessons: Iterable[Lesson], names: Names, *, english: bool = False) -> bytes:
    """The list as a text, in the encoding that spreadsheets recognise by themselves."""
    content = io.StringIO(newline="")
    csv.writer(content).writerows(list_lines(lessons, names, english=english))
    return content.getvalue().encode("utf-8-sig")


def _row(lesson: Lesson, index: int, names: Names) -> LessonRow:
    party = lesson.parties[index]
    later = (
        Later(first=times.first, start=times.start, end=times.end, own=times.parties[index]) for times in lesson.later
    )
    return LessonRow(
        lesson=lesson.id,
        requirement=lesson.requirement,
        kind=lesson.kind,
        subject=lesson.subject,
        weekday=lesson.weekday,
        weeks=lesson.weeks,
        start=lesson.start,
        end=lesson.end,
        unit=party.unit,
        period=party.period,
        own_start=party.start,
        own_end=party.end,
        room=party.room,
        classes=party.classes,
        teachers=party.teachers,
        leftover=party.leftover,
        only_weeks=lesson.only_weeks,
        rotation=lesson.rotation,
        later=tuple(later),
        topic=lesson.topic,
        unit_name=names.unit(party.unit),
        room_name=names.room(party.room) if party.room else "",
        class_names=_joined(names.school_class, party.classes),
        teacher_names=_joined(names.teacher, party.teachers),
    )


def _joined(name: Callable[[str], str], ids: Iterable[str]) -> str:
    return "、".join(name(id) for id in ids)


# Reading ------------------------------------------------------------------------------------------------------------


def read_list(name: str, content: bytes) -> ListedLessons:
    """The lessons of a workbook's list sheet, or of a csv. Whatever is wrong is a finding, never an exception."""
    opened = open_file(name, content)
    reading = Reading(findings=list(opened.findings))
    wanted = [grid for grid in opened.grids if grid.source.sheet in (LESSONS.title, LESSONS.words, LESSONS.key, "")]
    if not wanted and not opened.findings:
        reading.report("list_missing", Source(name, "", 0), known=LESSONS.title)
    for grid in wanted:
        read_grid(reading, LESSONS, grid)
    sides: dict[str, list[Sourced]] = {}
    for sourced in reading.rows.get(LESSONS.key, ()):
        sides.setdefault(sourced.row.lesson, []).append(sourced)
    lessons = []
    for rows in sides.values():
        differing = [row for row in rows if _own(row.row) != _own(rows[0].row)]
        for row in differing:
            reading.findings.append(finding("list_rows_differ", row.source, "", lesson=row.row.lesson))
        if not differing:
            lessons.append(_lesson([row.row for row in rows]))
    return ListedLessons(lessons=tuple(lessons), findings=tuple(reading.findings))


def _own(row: LessonRow) -> list[object]:
    times = [(later.first, later.start, later.end) for later in row.later]
    return [*(getattr(row, field) for field in OF_THE_LESSON), times]


def _lesson(rows: Sequence[LessonRow]) -> Lesson:
    own = {field: getattr(rows[0], field) for field in OF_THE_LESSON}
    later = (
        Times(first=times.first, start=times.start, end=times.end, parties=tuple(row.later[index].own for row in rows))
        for index, times in enumerate(rows[0].later)
    )
    return Lesson(id=rows[0].lesson, parties=tuple(_party(row) for row in rows), later=tuple(later), **own)


def _party(row: LessonRow) -> PlacedParty:
    return PlacedParty(
        unit=row.unit,
        period=row.period,
        start=row.own_start,
        end=row.own_end,
        room=row.room,
        classes=row.classes,
        teachers=row.teachers,
        leftover=row.leftover,
    )
