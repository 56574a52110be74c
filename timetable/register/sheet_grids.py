"""This module owns files as grids of cells: workbooks and texts, opened without trusting them.

Reading never fails: whatever cannot be opened becomes a finding. Rows and columns are counted as the spreadsheet does.
"""

from __future__ import annotations

import csv
import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from python_calamine import CalamineSheet, CalamineWorkbook

from timetable.model import Finding
from timetable.register.cells import CellValue, shown
from timetable.register.failed_formulas import column_number, failed_formulas
from timetable.register.findings import finding
from timetable.register.rows import Source

MOST_BYTES = 256 * 2**20
"""Unpacked; a small archive can hold far more than memory."""
MOST_CELLS = 4_000_000
"""A single cell far out makes a reader lay out everything before it."""
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
CELL_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
MOST_FILLED = 10_000
"""Cells of a merged area whose value is repeated."""
TEXT_ENCODINGS = ("utf-8-sig", "gb18030")
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = ",\t;"

Area = tuple[int, int, int, int]
"""First row, first column, last row, last column."""


@dataclass(frozen=True, slots=True)
class SheetGrid:
    """The cells of one sheet from its first used one on. `source.row` is the number of the first line, from 1."""

    source: Source
    lines: Sequence[Sequence[CellValue]]
    first_column: int = 1
    merged: Sequence[Area] = ()
    """Cells that were made one, counted from 1; the value stands in the first."""

    def rows(self) -> Iterator[tuple[Source, Sequence[CellValue]]]:
        """Every line with where it stands."""
        for number, line in enumerate(self.lines, self.source.row):
            yield Source(self.source.file, self.source.sheet, number), line


def unmerged(grid: SheetGrid) -> SheetGrid:
    """The sheet with the value of a merged area in every cell of it that the sheet has."""
    if not grid.merged:
        return grid
    lines = [list(line) for line in grid.lines]
    for top, left, bottom, right in grid.merged:
        if (bottom - top + 1) * (right - left + 1) > MOST_FILLED:
            continue
        rows = range(top - grid.source.row, min(bottom - grid.source.row + 1, len(lines)))
        columns = range(left - grid.first_column, right - grid.first_column + 1)
        value = lines[rows[0]][columns[0]] if rows and rows[0] >= 0 and columns[0] < len(lines[rows[0]]) else None
        for row in rows:
            for column in columns:
                if value is not None and column < len(lines[row]):
                    lines[row][column] = value
    return replace(grid, lines=lines)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a file holds, or why it cannot be opened."""

    grids: tuple[SheetGrid, ...] = ()
    findings: tuple[Finding, ...] = ()


def open_file(name: str, content: bytes) -> Opened:
    """The grids of a workbook or text by the ending of its name."""
    openers: Mapping[str, Callable[[str, bytes], Opened]] = {
        **dict.fromkeys(("xlsx", "xlsm", "xls", "ods"), open_workbook),
        **dict.fromkeys(("csv", "txt"), open_text),
    }
    opener = openers.get(name.rsplit(".", 1)[-1].lower())
    if opener is None:
        return _refused("file_type_unknown", name, known=" ".join(f".{ending}" for ending in openers))
    return opener(name, content)


def open_workbook(name: str, content: bytes) -> Opened:
    """Every sheet of a workbook."""
    if zipfile.is_zipfile(io.BytesIO(content)) and (problem := _oversized(content)):
        return _refused(problem, name)
    try:
        return Opened(grids=tuple(_sheets(name, content)))
    except Exception as error:  # the reader raises whatever its format libraries do
        return _refused("file_unreadable", name, reason=shown(str(error)))
    except BaseException as error:  # a panic of the reader's native code is no Exception
        if type(error).__name__ != "PanicException":
            raise
        return _refused("file_unreadable", name, reason="panic")


def open_text(name: str, content: bytes) -> Opened:
    """The one grid of a text file; its sheet has no name."""
    text = decoded(content)
    if text is None:
        return _refused("file_not_text", name)
    header = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=header.count)
    lines: list[list[CellValue]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines.extend(list[CellValue](line) for line in reader)
    except csv.Error as error:
        source = Source(name, "", reader.line_num)
        return Opened(findings=(finding("file_unreadable", source, reason=shown(str(error))),))
    return Opened(grids=(SheetGrid(Source(name, "", 1), lines),))


def decoded(content: bytes) -> str | None:
    """The text in the encoding it is in; None for what is no text."""
    encodings = ("utf-16",) if content[:2] in BYTE_ORDER_MARKS else TEXT_ENCODINGS
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _refused(code: str, name: str, **values: str | int) -> Opened:
    return Opened(findings=(finding(code, Source(name, "", 0), "", **values),))


def _oversized(content: bytes) -> str:
    """The code of what makes a zipped workbook too big to open, or nothing."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MOST_BYTES:
                return "file_too_big"
            for part in archive.namelist():
                if re.fullmatch(r"xl/worksheets/[^/]+\.xml", part):
                    cells = CELL_REFERENCE.findall(archive.read(part))
                    width = max((column_number(letters) for letters, _ in cells), default=0)
                    if width * max((int(row) for _, row in cells), default=0) > MOST_CELLS:
                        return "file_too_big"
    except ARCHIVE_DAMAGE:
        return "file_damaged"
    return ""


def _sheets(name: str, content: bytes) -> Iterator[SheetGrid]:
    failed = failed_formulas(content)
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        for title in book.sheet_names:
            page = book.get_sheet_by_name(title)
            row, column = page.start or (0, 0)
            lines = page.to_python(skip_empty_area=True)
            for (at_row, at_column), value in failed.get(title, {}).items():
                if row < at_row <= row + len(lines) and column < at_column <= column + len(lines[at_row - row - 1]):
                    lines[at_row - row - 1][at_column - column - 1] = value
            yield SheetGrid(Source(name, title, row + 1), lines, column + 1, tuple(_merged(page)))


def _merged(page: CalamineSheet) -> Iterator[Area]:
    for (first_row, first_column), (last_row, last_column) in page.merged_cell_ranges or ():
        yield first_row + 1, first_column + 1, last_row + 1, last_column + 1
