"""This module owns pages as workbooks: each page a sheet that prints on one side of paper, the list of lessons last."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from timetable.export.wall_pages import FRAME, HATCH, LOOKS, Look, Page, Style
from timetable.register.cells import guard

PAPER = {"A3": 8, "A4": 9}
MARGIN, FOOT_MARGIN = 0.3, 0.45
"""Inches."""
LONGEST_TITLE = 31
FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
FONT = "Microsoft YaHei"
MADE = datetime(2026, 1, 1)
"""Written as the creation date, so that the same table gives the same bytes."""

LINES = {"thin": 1, "medium": 2, "thick": 5, "double": 6}
HATCHED = 14
POINTS_PER_PIXEL = 0.75
ROW_STEP = 0.75
"""Points by which rows can be higher or lower."""


def wall_workbook(
    pages: Iterable[Page], list_title: str = "", lines: Iterable[Sequence[str | int]] = (), footer: str = ""
) -> bytes:
    """The pages as sheets, and after them the list, where there is one, under its own title."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(content, options) as book:
        book.set_properties({"created": MADE})
        titles = _Titles(list_title)
        formats = _Formats(book)
        for page in pages:
            _write(book.add_worksheet(titles.take(page.name)), page, formats, footer)
        if list_title:
            _write_list(book.add_worksheet(list_title), lines, book.add_format({"bold": True, "bottom": 1}))
    return content.getvalue()


class _Titles:
    """Titles of sheets as spreadsheets allow them: short, without certain signs, none twice."""

    def __init__(self, reserved: str) -> None:
        self._taken = {reserved.lower(), "history", ""}

    def take(self, name: str) -> str:
        wanted = FORBIDDEN.sub(" ", name).strip(" '") or "-"
        title, number = wanted[:LONGEST_TITLE], 1
        while title.lower() in self._taken:
            number += 1
            ending = f" ({number})"
            title = wanted[: LONGEST_TITLE - len(ending)] + ending
        self._taken.add(title.lower())
        return title


class _Formats:
    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._made: dict[tuple[Style, float], Any] = {}

    def of(self, style: Style, size: float) -> Any:
        if (style, size) not in self._made:
            wanted = {**_properties(style, LOOKS[style]), "font_name": FONT, "font_size": size}
            self._made[style, size] = self._book.add_format(wanted)
        return self._made[style, size]


def _properties(style: Style, look: Look) -> dict[str, Any]:
    found: dict[str, Any] = {"align": "center", "valign": "vcenter", "bold": look.bold, "font_color": look.ink}
    if look.framed:
        found |= {"border": 1, "border_color": FRAME, "text_wrap": True}
    if look.edge:
        found |= {"left": LINES[look.line], "left_color": look.edge}
    if look.fill:
        found["bg_color"] = look.fill
    if style == "leftover":
        found |= {"pattern": HATCHED, "fg_color": HATCH, "bg_color": "#FFFFFF"}
    return found


def _write(sheet: Any, page: Page, formats: _Formats, footer: str) -> None:
    for index, width in enumerate(page.columns):
        # whole pixels, rounded down: forty columns that are half a pixel too wide would be printed smaller
        sheet.set_column_pixels(index, index, math.floor(width / POINTS_PER_PIXEL))
    for index, height in enumerate(page.rows):
        sheet.set_row(index, max(ROW_STEP, height // ROW_STEP * ROW_STEP))
    for box in page.boxes:
        cell_format = formats.of(box.style, page.type_of(box.style))
        text = guard(box.text)
        if (box.top, box.left) != (box.bottom, box.right):
            sheet.merge_range(box.top, box.left, box.bottom, box.right, "", cell_format)
        if text:
            sheet.write_string(box.top, box.left, text, cell_format)
        else:
            sheet.write_blank(box.top, box.left, None, cell_format)
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(PAPER[page.paper.name])
    sheet.set_margins(left=MARGIN, right=MARGIN, top=MARGIN, bottom=FOOT_MARGIN)
    sheet.center_horizontally()
    # as wide and high as the paper; where a spreadsheet reckons otherwise it is one sheet all the same
    sheet.fit_to_pages(1, 1)
    sheet.print_area(0, 0, len(page.rows) - 1, len(page.columns) - 1)
    sheet.freeze_panes(page.heads, 1)
    # an ampersand begins a command in a footer
    sheet.set_footer(f"&C&{page.paper.least:.0f} {footer.replace('&', '&&')}" if footer else "")


def _write_list(sheet: Any, lines: Iterable[Sequence[str | int]], heading: Any) -> None:
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(PAPER["A4"])
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for row, line in enumerate(lines):
        for column, value in enumerate(line):
            if isinstance(value, int):
                sheet.write_number(row, column, value)
            elif value:
                sheet.write_string(row, column, value, *([heading] if row == 0 else []))
