"""This module owns pages as workbooks: each page a sheet that prints on one side of paper, the list of lessons last."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from timetable.export.wall_pages import Page, Style
from timetable.register.cells import guard

PAPER = {"A3": 8, "A4": 9}
MARGIN, FOOT_MARGIN = 0.3, 0.45
"""Inches."""
LINE = "#CDD3DA"
LONGEST_TITLE = 31
FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
FONT = "Microsoft YaHei"
MADE = datetime(2026, 1, 1)
"""Written as the creation date, so that the same table gives the same bytes."""

_BOX = {"border": 1, "border_color": LINE, "align": "center", "valign": "vcenter", "text_wrap": True}
FORMATS: Mapping[Style, Mapping[str, Any]] = {
    "title": {"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"},
    "note": {"font_size": 9, "font_color": "#465162", "align": "center", "valign": "vcenter"},
    "head": {**_BOX, "bold": True, "bg_color": "#EEF0F2"},
    "label": {**_BOX, "font_size": 9, "font_color": "#465162"},
    "rest": {"bg_color": "#EEF0F2"},
    "empty": _BOX,
    "leftover": {**_BOX, "pattern": 14, "fg_color": "#B9C0C9", "bg_color": "#FFFFFF", "font_size": 6},
    "local": _BOX,
    "sync": {**_BOX, "bold": True, "bg_color": "#E2ECFF", "font_color": "#154291", "left": 5, "left_color": "#2A69DD"},
    "dedicated": {
        **_BOX,
        "bold": True,
        "bg_color": "#F9E5F1",
        "font_color": "#86195F",
        "left": 6,
        "left_color": "#BD3A8E",
    },
    "joint": {**_BOX, "bg_color": "#D9F1EF", "font_color": "#0A5656", "left": 2, "left_color": "#14868A"},
    "test": {**_BOX, "bold": True, "bg_color": "#FFF0D1", "font_color": "#7D4A00", "left": 2, "left_color": "#C77700"},
}
"""Colours as on the pages; the line on the left tells the kinds apart in black and white."""


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
        self._made: dict[tuple[Style, bool], Any] = {}

    def of(self, style: Style, *, small: bool) -> Any:
        if (style, small) not in self._made:
            size = {"title": 16, "leftover": 6}.get(style, 7 if small else 10)
            wanted = {**FORMATS[style], "font_name": FONT, "font_size": size}
            self._made[style, small] = self._book.add_format(wanted)
        return self._made[style, small]


def _write(sheet: Any, page: Page, formats: _Formats, footer: str) -> None:
    for index, width in enumerate(page.columns):
        sheet.set_column(index, index, width)
    for index, height in enumerate(page.rows):
        sheet.set_row(index, height)
    for box in page.boxes:
        cell_format = formats.of(box.style, small=page.small)
        text = guard(box.text)
        if (box.top, box.left) != (box.bottom, box.right):
            sheet.merge_range(box.top, box.left, box.bottom, box.right, "", cell_format)
        if text:
            sheet.write_string(box.top, box.left, text, cell_format)
        else:
            sheet.write_blank(box.top, box.left, None, cell_format)
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(PAPER[page.paper])
    sheet.set_margins(left=MARGIN, right=MARGIN, top=MARGIN, bottom=FOOT_MARGIN)
    sheet.center_horizontally()
    sheet.fit_to_pages(1, 1)
    sheet.print_area(0, 0, len(page.rows) - 1, len(page.columns) - 1)
    sheet.freeze_panes(*((4, 1) if page.small else (3, 1)))
    # an ampersand begins a command in a footer
    sheet.set_footer(f"&C&8{footer.replace('&', '&&')}" if footer else "")


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
