"""This module owns a sheet as people see it: merged cells filled, headings of weekdays, rows that belong together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from timetable.own.cells import NO_LESSON, half_day_only, period_of, plain_text, weekday_of
from timetable.register.cells import CellValue
from timetable.register.rows import Source
from timetable.register.sheet_grids import SheetGrid

K = TypeVar("K", bound=Hashable)

MOST_FILLED = 2000
"""Cells of one merged area that are filled: a heading may span a sheet, a lesson does not."""
LEAST_PERIODS = 6
"""Period numbers under a heading of weekdays that make it the form of a whole school."""
LEAST_ALIKE = 3
"""Columns with one text that make a row a rest for everybody."""


@dataclass(frozen=True, slots=True)
class Band(Generic[K]):
    """Rows that say one thing, such as a row of subjects and one of teachers; no `key`: they say nothing."""

    key: K | None
    rows: list[int]


class Grid:
    """The cells of a sheet by row and column, counted from 1; a merged area has its value in every cell."""

    def __init__(self, sheet: SheetGrid) -> None:
        self.source = sheet.source
        self._cells: dict[int, dict[int, CellValue]] = {}
        for source, line in sheet.rows():
            for column, cell in enumerate(line, sheet.first_column):
                if cell is not None and plain_text(cell):
                    self._cells.setdefault(source.row, {})[column] = cell
        for top, left, bottom, right in sheet.merged:
            value = self._cells.get(top, {}).get(left)
            if value is not None and (bottom - top + 1) * (right - left + 1) <= MOST_FILLED:
                for row in range(top, bottom + 1):
                    for column in range(left, right + 1):
                        self._cells.setdefault(row, {})[column] = value
        self.rows: Sequence[int] = sorted(self._cells)

    def at(self, row: int) -> Source:
        return Source(self.source.file, self.source.sheet, row)

    def raw(self, row: int, column: int) -> CellValue:
        return self._cells.get(row, {}).get(column)

    def text(self, row: int, column: int) -> str:
        return plain_text(self.raw(row, column))

    def line(self, row: int) -> Mapping[int, CellValue]:
        """The cells of a row that are not blank, by column."""
        return dict(sorted(self._cells.get(row, {}).items()))

    def weekdays(self, row: int) -> dict[int, int]:
        """The columns whose cell in this row names a weekday."""
        found = ((column, weekday_of(self.text(row, column))) for column in self.line(row))
        return {column: day for column, day in found if day}

    def slots(self, head: int, below: int) -> dict[int, tuple[int, int]]:
        """(weekday, period) by column where a row of weekdays stands over a row of period numbers; else empty."""
        days = self.weekdays(head)
        found: dict[int, tuple[int, int]] = {}
        weekday = 0
        for column in range(min(days), max([*self.line(head), *self.line(below)]) + 1):
            # a heading over several periods is often not merged: its word stands over the first only
            weekday = days.get(column, weekday if self.raw(head, column) is None else 0)
            period = period_of(self.text(below, column))
            if weekday and period:
                found[column] = (weekday, period)
        return found if len(found) >= LEAST_PERIODS else {}

    def labels(self, row: int, first: int) -> list[str]:
        """The texts before the first column of lessons, the nearest first."""
        return [self.text(row, column) for column in reversed([c for c in self.line(row) if c < first])]

    def bands(self, rows: Iterable[int], columns: Iterable[int], key: Callable[[int], K | None]) -> list[Band[K]]:
        """The rows in bands of one key. A row without a label of its own goes with the one above it."""
        lessons = list(columns)
        first = min(lessons)
        found: list[Band[K]] = []
        for row in rows:
            here = key(row)
            labelled = not all(half_day_only(text) for text in self.labels(row, first))
            follows = bool(found) and found[-1].key is not None and found[-1].rows[-1] == row - 1
            if here is None:
                belongs = follows and not labelled and not self._is_rest(row, lessons)
            else:
                belongs = follows and found[-1].key == here
            if belongs:
                found[-1].rows.append(row)
            else:
                found.append(Band(here, [row]))
        return found

    def _is_rest(self, row: int, columns: Sequence[int]) -> bool:
        texts = [text for column in columns if (text := self.text(row, column))]
        return all(text in NO_LESSON for text in texts) or (len(texts) >= LEAST_ALIKE and len(set(texts)) == 1)

    def joined(self, rows: Iterable[int], column: int) -> str:
        """What the rows say in one column, each thing once."""
        return "\n".join(dict.fromkeys(text for row in rows if (text := self.text(row, column))))


def cell_name(row: int, column: int) -> str:
    """C5."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"
