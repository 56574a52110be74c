"""A lesson's report as a sheet to keep: one line for each room, one for each class and exercise; csv or xlsx."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

import xlsxwriter

from server.shapes.report import LessonReport, RoomReport
from timetable.register.cells import guard

SheetForm = Literal["csv", "xlsx"]
Words = Callable[..., str]
Cell = str | int | float | None

CONTENT_TYPES: dict[SheetForm, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
CHINA = timedelta(hours=8)

ROOM_COLUMNS = (
    "room",
    "class",
    "pupils",
    "absent",
    "late",
    "talk",
    "turns",
    "hands",
    "answered",
    "asked",
    "connected",
    "reconnects",
    "outage",
    "loss",
    "rtt",
    "freezes",
)

ANSWER_COLUMNS = (
    "exercise",
    "question",
    "kind",
    "room",
    "expected",
    "answered",
    "right",
    "unanswered",
    "photos",
    "options",
)


def report_file(report: LessonReport, form: SheetForm, words: Words) -> tuple[str, bytes]:
    """Its name and its bytes. Cells that a spreadsheet would run as a formula are made text."""
    day = (datetime.fromtimestamp(report.live_since or report.starts, UTC) + CHINA).strftime("%Y-%m-%d")
    name = f"{words('report.title')} {report.title} {day}.{form}"
    if form == "csv":
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerows(_rooms(report, words))
        writer.writerow([])
        writer.writerows(_answers(report, words))
        # spreadsheets recognise the encoding by its mark
        return name, text.getvalue().encode("utf-8-sig")
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True})
        sheets = {"report.rooms": _rooms(report, words), "report.exercises": _answers(report, words)}
        for title, lines in sheets.items():
            sheet = book.add_worksheet(words(title))
            for row, cells in enumerate(lines):
                sheet.write_row(row, 0, ["" if cell is None else cell for cell in cells], bold if row == 0 else None)
            sheet.set_column(0, 0, 24)
            sheet.freeze_panes(1, 1)
    return name, content.getvalue()


def _rooms(report: LessonReport, words: Words) -> Iterator[list[Cell]]:
    yield [words(f"report.column.{column}") for column in ROOM_COLUMNS]
    for room in report.rooms:
        yield [_text(cell) for cell in _room(room)]


def _room(room: RoomReport) -> list[Cell]:
    line = room.line
    return [
        room.unit_name,
        room.class_name,
        room.pupils or None,
        room.absent,
        room.late,
        round(room.talk_seconds),
        room.turns,
        room.hands,
        room.answered,
        room.asked,
        round(line.connected * 100, 1),
        line.reconnects,
        round(line.longest_outage),
        None if line.loss is None else round(line.loss * 100, 2),
        None if line.rtt_ms is None else round(line.rtt_ms),
        line.freezes,
    ]


def _answers(report: LessonReport, words: Words) -> Iterator[list[Cell]]:
    yield [words(f"report.column.{column}") for column in ANSWER_COLUMNS]
    names = {room.unit: room.unit_name for room in report.rooms}
    for exercise in report.exercises:
        for one in exercise.classes:
            options = " / ".join(f"{text}: {n}" for text, n in zip(exercise.options, one.by_option, strict=True))
            cells: list[Cell] = [
                exercise.number,
                exercise.prompt,
                words(f"classroom.exercise.kind_{exercise.kind}"),
                names.get(one.unit, one.unit),
                one.pupils or None,
                one.answered,
                one.right,
                max(0, one.pupils - one.answered),
                one.photos,
                options,
            ]
            yield [_text(cell) for cell in cells]


def _text(cell: Cell) -> Cell:
    return guard(cell) if isinstance(cell, str) else cell
