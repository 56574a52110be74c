"""This module owns the sheets as bytes: workbooks (xlsx) and text files (csv), written and read.

Reading never fails: whatever cannot be understood becomes a finding that names file, sheet, row and column, and the
rows that can be are returned. Rows are counted as the spreadsheet does, from 1.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import xlsxwriter

from timetable.model import Finding
from timetable.register.cells import CellProblem, CellValue, is_blank, shown
from timetable.register.columns import Column, Sheet
from timetable.register.findings import finding
from timetable.register.rows import Broken, Rows, Source, Sourced
from timetable.register.sheet_format import BY_KEY, SHEETS, sheet_named
from timetable.register.sheet_grids import SheetGrid, open_text, open_workbook, unmerged

HEADING_ROWS = 5
"""The titles of the columns stand in one of so many rows."""

ROWS_WITH_CHOICES = 5000
NOTE_OF_ONE = (
    "写编号或名称（单位也可写简称）；重名的前面加单位（西河五(1)班），或写编号。\n"
    "The id or the name; one that others have too with its school before it, or by the id."
)
NOTE_OF_SEVERAL = f"{NOTE_OF_ONE}\n几个之间用“、”隔开。Several with commas between."
"""Beside the cells that refer to something, while they are filled in."""
COLUMN_WIDTH = 18
FIXED_DATE = datetime(2026, 1, 1)
"""Written as the creation date, so that the same rows give the same bytes."""


@dataclass
class Reading:
    """What was read from files: rows by sheet, and everything that is wrong so far."""

    rows: Rows = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    def add(self, other: Reading) -> None:
        for key, rows in other.rows.items():
            self.rows.setdefault(key, []).extend(rows)
        self.findings += other.findings
        self.broken += other.broken

    def report(self, code: str, source: Source, field: str = "", **values: str | int) -> None:
        self.findings.append(finding(code, source, field, **values))


# Writing ------------------------------------------------------------------------------------------------------------


def workbook(rows: Rows) -> bytes:
    """A workbook with a sheet for every key of `rows`; one without rows is a form to fill in."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(content, options) as book:
        book.set_properties({"created": FIXED_DATE})
        heading = book.add_format({"bold": True, "bottom": 1})
        for sheet in SHEETS:
            if sheet.key not in rows:
                continue
            page = book.add_worksheet(sheet.title)
            page.freeze_panes(1, 0)
            page.set_column(0, len(sheet.columns) - 1, COLUMN_WIDTH)
            for index, column in enumerate(sheet.columns):
                page.write_string(0, index, column.title, heading)
                if column.kind.choices:
                    # a warning only: a cell may also hold the id behind the word
                    choices = {"validate": "list", "source": list(column.kind.choices), "error_type": "warning"}
                    page.data_validation(1, index, ROWS_WITH_CHOICES, index, choices)
                elif note := _note(column):
                    shown_there = {"validate": "any", "input_title": column.title, "input_message": note}
                    page.data_validation(1, index, ROWS_WITH_CHOICES, index, shown_there)
            for number, line in enumerate(lines_of(sheet, rows), 1):
                for index, value in enumerate(line):
                    if isinstance(value, int):
                        page.write_number(number, index, value)
                    elif value:
                        page.write_string(number, index, value)
    return content.getvalue()


def _note(column: Column) -> str:
    """What a form says beside the cell that somebody fills in."""
    if not column.refers:
        return ""
    return NOTE_OF_SEVERAL if column.several else NOTE_OF_ONE


def csv_files(rows: Rows) -> dict[str, bytes]:
    """One text file per key of `rows`, in the encoding that spreadsheets recognise by themselves."""
    found = {}
    for sheet in SHEETS:
        if sheet.key in rows:
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow([column.title for column in sheet.columns])
            writer.writerows(lines_of(sheet, rows))
            found[f"{sheet.title}.csv"] = text.getvalue().encode("utf-8-sig")
    return found


def lines_of(sheet: Sheet, rows: Rows) -> Iterator[list[str | int]]:
    """The rows of one sheet as they are written into cells."""
    for sourced in rows[sheet.key]:
        values = ((column, getattr(sourced.row, column.field)) for column in sheet.columns)
        yield ["" if value is None or value == () else column.kind.write(value) for column, value in values]


# Reading ------------------------------------------------------------------------------------------------------------


def read_workbook(name: str, content: bytes) -> Reading:
    """The rows of a workbook's known sheets."""
    opened = open_workbook(name, content)
    found = Reading(findings=list(opened.findings))
    known = 0
    for grid in opened.grids:
        sheet = sheet_named(grid.source.sheet)
        if sheet is None:
            found.report("sheet_unknown", Source(name, grid.source.sheet, 0), known=_known_sheets())
        else:
            known += 1
            read_grid(found, sheet, grid)
    if known == 0 and not opened.findings:
        found.report("file_without_sheets", Source(name, "", 0), known=_known_sheets())
    return found


def read_csv(name: str, content: bytes) -> Reading:
    """The rows of one text file; its name says which sheet it is."""
    found = Reading()
    sheet = sheet_named(re.sub(r"\.(csv|txt)$", "", name.replace("\\", "/").rsplit("/", 1)[-1], flags=re.IGNORECASE))
    if sheet is None:
        found.report("file_name_unknown", Source(name, "", 0), known=_known_sheets())
        return found
    opened = open_text(name, content)
    found.findings += opened.findings
    for grid in opened.grids:
        read_grid(found, sheet, SheetGrid(Source(name, sheet.title, 1), grid.lines))
    return found


def _known_sheets() -> str:
    return "、".join(sheet.words for sheet in SHEETS)


def read_grid(found: Reading, sheet: Sheet, grid: SheetGrid) -> None:
    """Read a sheet's cells into `found`."""
    rows = found.rows.setdefault(sheet.key, [])
    lines = [(source, line) for source, line in unmerged(grid).rows() if not all(map(is_blank, line))]
    head = _head(sheet, [line for _, line in lines[:HEADING_ROWS]])
    top, titles = lines[head] if lines else (Source(grid.source.file, grid.source.sheet, 1), ())
    columns = _columns(found, sheet, top, titles)
    if columns is None:
        return
    for source, line in lines[head + 1 :]:
        before = len(found.findings)
        values = dict(_values(found, columns, source, line))
        if len(found.findings) == before:
            rows.append(Sourced(sheet.key, sheet.row(**values), source))
        else:
            owner = str(values.get(sheet.columns[0].field, ""))
            found.broken.append(Broken(sheet.key, owner, found.findings[before].code, source))


def _head(sheet: Sheet, lines: Sequence[Sequence[CellValue]]) -> int:
    """Which line has the titles of the columns: a heading over the whole sheet may stand above it."""
    known = [sum(_titled(sheet, cell) is not None for cell in line) for line in lines]
    return known.index(max(known)) if known else 0


def _titled(sheet: Sheet, cell: CellValue) -> Column | None:
    title = " ".join(str(cell).split())
    return sheet.by_name.get(title) or sheet.by_name.get(title.lower())


def _columns(
    found: Reading, sheet: Sheet, source: Source, titles: Sequence[CellValue]
) -> Mapping[int, tuple[Column, str]] | None:
    """Which column of the format each column of the file is, with its title there; None when one is missing."""
    columns: dict[int, tuple[Column, str]] = {}
    for index, cell in enumerate(titles):
        if is_blank(cell):
            continue
        title = " ".join(str(cell).split())
        column = _titled(sheet, cell)
        if column is None:
            found.report("column_unknown", source, title)
        elif any(column is taken for taken, _ in columns.values()):
            found.report("column_twice", source, title)
        else:
            columns[index] = column, title
    present = {column.field for column, _ in columns.values()}
    missing = [column for column in sheet.columns if column.required and column.field not in present]
    for column in missing:
        found.report("column_missing", source, column.title)
    return None if missing else columns


def _values(
    found: Reading, columns: Mapping[int, tuple[Column, str]], source: Source, line: Sequence[CellValue]
) -> Iterator[tuple[str, object]]:
    """The fields of one row that could be read; what could not is reported."""
    for index, (column, title) in columns.items():
        cell = line[index] if index < len(line) else None
        if is_blank(cell):
            if column.required:
                found.report("cell_missing", source, title)
            continue
        try:
            value = column.kind.read(cell)
            yield column.field, msgspec.convert(value, column.type)
        except CellProblem as problem:
            found.report(problem.code, source, title, **problem.values)
        except msgspec.ValidationError:
            found.report(column.kind.beyond, source, title, value=shown(cell))


def empty_forms() -> bytes:
    """A workbook with every sheet and no rows, to be filled in."""
    return workbook({key: [] for key in BY_KEY})
