"""This module owns the sheets as bytes: workbooks (xlsx) and text files (csv), written and read.

Reading never fails: whatever cannot be understood becomes a finding that names file, sheet, row and column, and the
rows that can be are returned. Rows are counted as the spreadsheet does, from 1.
"""

from __future__ import annotations

import csv
import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import xlsxwriter
from python_calamine import CalamineWorkbook

from timetable.cells import CellProblem, CellValue, is_blank, shown
from timetable.import_findings import finding
from timetable.model import Finding
from timetable.register_rows import Broken, Rows, Source, Sourced
from timetable.sheet_format import BY_KEY, SHEETS, Column, Sheet, sheet_named

MOST_BYTES = 256 * 2**20
"""Unpacked; a small archive can hold far more than memory."""
MOST_CELLS = 4_000_000
"""A single cell far out makes a reader lay out everything before it."""
ROWS_WITH_CHOICES = 5000
COLUMN_WIDTH = 18
ARCHIVE_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    ValueError,
    RuntimeError,
    EOFError,
    LookupError,
)
"""Whatever opening a broken or locked archive raises."""
FIXED_DATE = datetime(2026, 1, 1)
"""Written as the creation date, so that the same rows give the same bytes."""
CELL_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
TEXT_ENCODINGS = ("utf-8-sig", "gb18030")
DELIMITERS = ",\t;"


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
            for number, line in enumerate(_lines(sheet, rows), 1):
                for index, value in enumerate(line):
                    if isinstance(value, int):
                        page.write_number(number, index, value)
                    elif value:
                        page.write_string(number, index, value)
    return content.getvalue()


def csv_files(rows: Rows) -> dict[str, bytes]:
    """One text file per key of `rows`, in the encoding that spreadsheets recognise by themselves."""
    found = {}
    for sheet in SHEETS:
        if sheet.key in rows:
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow([column.title for column in sheet.columns])
            writer.writerows(_lines(sheet, rows))
            found[f"{sheet.title}.csv"] = text.getvalue().encode("utf-8-sig")
    return found


def _lines(sheet: Sheet, rows: Rows) -> Iterator[list[str | int]]:
    for sourced in rows[sheet.key]:
        values = ((column, getattr(sourced.row, column.field)) for column in sheet.columns)
        yield ["" if value is None or value == () else column.kind.write(value) for column, value in values]


# Reading ------------------------------------------------------------------------------------------------------------


def read_workbook(name: str, content: bytes) -> Reading:
    """The rows of a workbook's known sheets."""
    found = Reading()
    file = Source(name, "", 0)
    if zipfile.is_zipfile(io.BytesIO(content)) and (problem := _oversized(content)):
        found.report(problem, file)
        return found
    try:
        grids = _grids(content)
    except Exception as error:  # the reader raises whatever its format libraries do
        found.report("file_unreadable", file, reason=shown(str(error)))
        return found
    except BaseException as error:  # a panic of the reader's native code is no Exception
        if type(error).__name__ != "PanicException":
            raise
        found.report("file_unreadable", file, reason="panic")
        return found
    known = 0
    for title, (first_row, grid) in grids.items():
        sheet = sheet_named(title)
        if sheet is None:
            found.report("sheet_unknown", Source(name, title, 0), known=_known_sheets())
        else:
            known += 1
            _read_grid(found, sheet, Source(name, title, first_row), grid)
    if known == 0:
        found.report("file_without_sheets", file, known=_known_sheets())
    return found


def _oversized(content: bytes) -> str:
    """The code of what makes a zipped workbook too big to open, or nothing."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MOST_BYTES:
                return "file_too_big"
            for part in archive.namelist():
                if re.fullmatch(r"xl/worksheets/[^/]+\.xml", part):
                    cells = CELL_REFERENCE.findall(archive.read(part))
                    width = max((_column_number(letters) for letters, _ in cells), default=0)
                    if width * max((int(row) for _, row in cells), default=0) > MOST_CELLS:
                        return "file_too_big"
    except ARCHIVE_DAMAGE:
        return "file_damaged"
    return ""


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _grids(content: bytes) -> dict[str, tuple[int, Sequence[Sequence[CellValue]]]]:
    """Every sheet of a workbook: the number of its first row that is not empty, and its cells from there."""
    found: dict[str, tuple[int, Sequence[Sequence[CellValue]]]] = {}
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        for title in book.sheet_names:
            page = book.get_sheet_by_name(title)
            found[title] = ((page.start or (0, 0))[0] + 1, page.to_python(skip_empty_area=True))
    return found


def read_csv(name: str, content: bytes) -> Reading:
    """The rows of one text file; its name says which sheet it is."""
    found = Reading()
    file = Source(name, "", 0)
    sheet = sheet_named(re.sub(r"\.(csv|txt)$", "", name.replace("\\", "/").rsplit("/", 1)[-1], flags=re.IGNORECASE))
    if sheet is None:
        found.report("file_name_unknown", file, known=_known_sheets())
        return found
    text = _decoded(content)
    if text is None:
        found.report("file_not_text", file)
        return found
    header = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=header.count)
    grid: list[list[CellValue]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        grid.extend(list[CellValue](line) for line in reader)
    except csv.Error as error:
        found.report("file_unreadable", Source(name, "", reader.line_num), reason=shown(str(error)))
        return found
    _read_grid(found, sheet, Source(name, sheet.title, 1), grid)
    return found


def _decoded(content: bytes) -> str | None:
    for encoding in TEXT_ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _known_sheets() -> str:
    return "、".join(sheet.words for sheet in SHEETS)


def _read_grid(found: Reading, sheet: Sheet, start: Source, grid: Sequence[Sequence[CellValue]]) -> None:
    """Read a sheet's cells into `found`; `start` is where the first line of `grid` stands."""
    rows = found.rows.setdefault(sheet.key, [])
    lines = ((start.row + index, line) for index, line in enumerate(grid) if not all(map(is_blank, line)))
    number, titles = next(lines, (1, []))
    columns = _columns(found, sheet, Source(start.file, start.sheet, number), titles)
    if columns is None:
        return
    for number, line in lines:
        source = Source(start.file, start.sheet, number)
        before = len(found.findings)
        values = dict(_values(found, columns, source, line))
        if len(found.findings) == before:
            rows.append(Sourced(sheet.key, sheet.row(**values), source))
        else:
            owner = str(values.get(sheet.columns[0].field, ""))
            found.broken.append(Broken(sheet.key, owner, found.findings[before].code))


def _columns(
    found: Reading, sheet: Sheet, source: Source, titles: Sequence[CellValue]
) -> Mapping[int, tuple[Column, str]] | None:
    """Which column of the format each column of the file is, with its title there; None when one is missing."""
    columns: dict[int, tuple[Column, str]] = {}
    for index, cell in enumerate(titles):
        if is_blank(cell):
            continue
        title = " ".join(str(cell).split())
        column = sheet.by_name.get(title) or sheet.by_name.get(title.lower())
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
