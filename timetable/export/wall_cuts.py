"""This module owns how a grid comes onto paper: how large its type is, and where it is cut into several sheets.

A readable print takes the fewest sheets that have at least the paper's least type, and then the largest type that these
hold. It is cut between days, and between the years of a school where that takes no sheet more. Every sheet has the
heads again; rows are as high on each, so that sheets side by side line up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, groupby, pairwise
from typing import NamedTuple

from timetable.export.paper import (
    INSET,
    LINE,
    SMALLEST,
    Fit,
    Paper,
    filled,
    height_of,
    largest_size,
    longest_word,
    parts_of,
    width_of,
)
from timetable.export.wall_pages import (
    NOTE_HEIGHT,
    REST_HEIGHT,
    TITLE_HEIGHT,
    Box,
    Page,
    Style,
    Wall,
    headed,
)

TALLEST = 84.0
"""Of a row whose texts need less."""
WIDEST_LABEL = 0.16
"""Of the width of the sheet."""
UNBROKEN = 3
"""Chinese signs that a readable column holds in a line: a name is not broken."""
LONGEST_WORD = 8
"""By the size of the type: up to this width a word is not broken either."""


class Line(NamedTuple):
    """A row or a column: how it is called, the group that is not cut without need, and what the group is called."""

    name: str
    group: int
    group_name: str
    after_rest: bool = False


class Cell(NamedTuple):
    """From `top` and `left` to `bottom` and `right`, of the grid's rows and columns; it goes over no rest."""

    top: int
    left: int
    bottom: int
    right: int
    text: str
    style: Style


@dataclass(frozen=True, slots=True)
class Grid:
    """What stands on a wall before it is known how it is cut. `grouped`: the groups of the columns are a head of their
    own, above that of the columns. `whole` rows are never cut apart: a week's periods."""

    name: str
    title: str
    rows: tuple[Line, ...]
    columns: tuple[Line, ...]
    cells: tuple[Cell, ...]
    grouped: bool
    whole: bool


class _Cut(NamedTuple):
    """Which columns and which rows stand together on a sheet, what each row needs, how high the rows of the heads are,
    and how wide the narrowest column is."""

    columns: list[range]
    rows: list[range]
    needs: list[float]
    heads: tuple[float, ...]
    narrowest: float

    @property
    def sheets(self) -> int:
        return len(self.columns) * len(self.rows)


def pages(wall: Wall, grid: Grid, paper: Paper, fit: Fit) -> list[Page]:
    """The grid on as many sheets as it takes, or on one with the largest type that one sheet holds."""
    count = len(list(groupby(grid.columns, key=lambda column: column.group)))
    if fit == "one":
        size = largest_size(SMALLEST, lambda size: _fits(_whole(grid, paper, size), paper, grid))
        return _drawn(wall, grid, paper, size, _whole(grid, paper, size))
    least = {parts: _cut(grid, paper, paper.least, parts) for parts in range(1, max(1, count) + 1)}

    longest = max((longest_word(cell.text) for cell in grid.cells), default=0.0)
    unbroken_ems = max(UNBROKEN, min(longest, LONGEST_WORD))

    def is_readable(cut: _Cut, size: float) -> bool:
        unbroken = cut.narrowest >= unbroken_ems * size + INSET or len(cut.columns) == count
        return unbroken and _fits(cut, paper, grid)

    fitting = {parts: cut.sheets for parts, cut in least.items() if is_readable(cut, paper.least)}
    if not fitting:
        # words that are too many for any cut: smaller type rather than words that are cut off
        sizes = {parts: largest_size(SMALLEST, _whether_fits(grid, paper, parts)) for parts in least}
        return _largest(wall, grid, paper, sizes)
    fewest = min(fitting.values())

    def as_few(parts: int, size: float) -> bool:
        cut = _cut(grid, paper, size, parts)
        return cut.sheets <= fewest and is_readable(cut, size)

    kept = [parts for parts, sheets in fitting.items() if sheets == fewest]
    return _largest(wall, grid, paper, {parts: largest_size(paper.least, partial(as_few, parts)) for parts in kept})


def _largest(wall: Wall, grid: Grid, paper: Paper, sizes: Mapping[int, float]) -> list[Page]:
    """The grid in the parts with the largest type; of several such in those that break the fewest lines."""
    cuts = {parts: _cut(grid, paper, size, parts) for parts, size in sizes.items()}
    parts = max(sizes, key=lambda parts: (sizes[parts], -sum(cuts[parts].needs)))
    return _drawn(wall, grid, paper, sizes[parts], cuts[parts])


def _whether_fits(grid: Grid, paper: Paper, parts: int) -> Callable[[float], bool]:
    return lambda size: _fits(_cut(grid, paper, size, parts), paper, grid)


def _whole(grid: Grid, paper: Paper, size: float) -> _Cut:
    """All of the grid as one sheet, whether that holds it or not."""
    return _cut(grid, paper, size, 1)._replace(rows=[range(len(grid.rows))])


def _heads(grid: Grid, size: float, columns: Sequence[range], width: Callable[[range], float]) -> tuple[float, ...]:
    """How high the rows are that say what the columns are."""
    names = max((height_of(grid.columns[c].name, width(part), size) for part in columns for c in part), default=0.0)
    if not grid.grouped:
        return (names + INSET,)
    groups = 0.0
    for part in columns:
        for _, group in groupby((grid.columns[column] for column in part), key=lambda column: column.group):
            lines = list(group)
            groups = max(groups, height_of(lines[0].group_name, width(part) * len(lines), size))
    return groups + INSET, names + INSET


def _rests(grid: Grid, rows: range) -> int:
    return sum(grid.rows[row].after_rest for row in rows if row > rows.start)


def _fits(cut: _Cut, paper: Paper, grid: Grid) -> bool:
    """Whether every part of the rows is on its sheet; a grid that is whole is one part, however high."""
    return all(_height(grid, cut, rows) <= paper.height for rows in cut.rows)


def _above(cut: _Cut) -> float:
    return TITLE_HEIGHT + NOTE_HEIGHT + sum(cut.heads)


def _height(grid: Grid, cut: _Cut, rows: range) -> float:
    return _above(cut) + sum(cut.needs[row] for row in rows) + REST_HEIGHT * _rests(grid, rows)


def _cut(grid: Grid, paper: Paper, size: float, parts: int) -> _Cut:
    """The sheets in type of that size with the columns in so many parts."""
    columns = _divided(grid, parts)
    label = _label_width(grid, paper, size)
    needs = [max(size * LINE + INSET, height_of(row.name, label, size)) for row in grid.rows]

    def width(part: range) -> float:
        return (paper.width - label) / max(1, len(part))

    for part in columns:
        for cell in grid.cells:
            if cell.text and cell.left in part:
                rows = cell.bottom - cell.top + 1
                need = height_of(cell.text, width(part) * (cell.right - cell.left + 1), size) / rows
                for row in range(cell.top, cell.bottom + 1):
                    needs[row] = max(needs[row], need)
    heads = _heads(grid, size, columns, width)
    room = paper.height - TITLE_HEIGHT - NOTE_HEIGHT - sum(heads)
    return _Cut(columns, _packed(grid, needs, room), needs, heads, min(map(width, columns), default=paper.width))


def _divided(grid: Grid, parts: int) -> list[range]:
    """The columns in so many parts that cut no group."""
    sizes = [len(list(group)) for _, group in groupby(grid.columns, key=lambda column: column.group)]
    ends = list(accumulate(sizes, initial=0))
    return [range(ends[part.start], ends[part.stop]) for part in parts_of(sizes, parts)]


def _label_width(grid: Grid, paper: Paper, size: float) -> float:
    widest = max((width_of(row.name, size) for row in grid.rows), default=0.0)
    return min(max(widest, 5 * size), WIDEST_LABEL * paper.width)


def _packed(grid: Grid, needs: Sequence[float], room: float) -> list[range]:
    """The rows in parts that a sheet holds, the fewest: by whole groups where that takes no part more."""
    everything = range(len(grid.rows))
    if grid.whole or not grid.rows:
        return [everything]
    single = [range(row, row + 1) for row in everything]
    groups, first = [], 0
    for _, group in groupby(grid.rows, key=lambda row: row.group):
        groups.append(range(first, first := first + len(list(group))))
    fewest = _together(single, needs, room)
    by_group = _together(groups, needs, room)
    if len(by_group) <= len(fewest) and all(sum(needs[row] for row in part) <= room for part in by_group):
        return _even(groups, needs, room, len(by_group))
    return _even(single, needs, room, len(fewest))


def _together(pieces: Sequence[range], needs: Sequence[float], room: float) -> list[range]:
    """Consecutive pieces, as many on a sheet as it holds; one at least."""
    found: list[range] = []
    used = 0.0
    for piece in pieces:
        need = sum(needs[row] for row in piece)
        if found and used + need <= room:
            found[-1], used = range(found[-1].start, piece.stop), used + need
        else:
            found.append(piece)
            used = need
    return found


def _even(pieces: Sequence[range], needs: Sequence[float], room: float, count: int) -> list[range]:
    """The pieces in `count` parts of much the same height, which a sheet each holds."""
    total = sum(needs)
    low, high = total / max(1, count), room
    while high - low > 1:
        middle = (low + high) / 2
        parts = _together(pieces, needs, middle)
        if len(parts) <= count and all(sum(needs[row] for row in part) <= middle for part in parts):
            high = middle
        else:
            low = middle
    return _together(pieces, needs, high)


# Drawing ------------------------------------------------------------------------------------------------------------


def _drawn(wall: Wall, grid: Grid, paper: Paper, size: float, cut: _Cut) -> list[Page]:
    # sheets that hang beside each other have their rows at the same height
    heights: dict[int, float] = {}
    for rows in cut.rows:
        room = paper.height - _above(cut) - REST_HEIGHT * _rests(grid, rows)
        needs = [cut.needs[row] for row in rows]
        if sum(needs) > room:
            # more than the smallest type makes room for: cut off at the rows' feet rather than at the sheet's
            needs = [need * room / sum(needs) for need in needs]
        heights |= zip(rows, filled(needs, room, TALLEST), strict=True)
    found = [(rows, columns) for rows in cut.rows for columns in cut.columns]
    return [
        _page(wall, grid, paper, size, cut.heads, rows, columns, heights, _which(grid, rows, columns, cut, number))
        for number, (rows, columns) in enumerate(found, 1)
    ]


def _which(grid: Grid, rows: range, columns: range, cut: _Cut, number: int) -> str:
    """What of the grid a sheet holds, in words: 一年级–三年级 周一–周三; nothing where that is all."""
    said = []
    if len(cut.rows) > 1:
        cuts_groups = any(grid.rows[a.stop - 1].group == grid.rows[b.start].group for a, b in pairwise(cut.rows))
        part = f"{cut.rows.index(rows) + 1}/{len(cut.rows)}"
        said.append(part if cuts_groups else _span(grid.rows, rows) or part)
    if len(cut.columns) > 1:
        said.append(_span(grid.columns, columns))
    return " ".join(said)


def _span(lines: Sequence[Line], part: range) -> str:
    first, last = (lines[part[end]].group_name for end in (0, -1)) if part else ("", "")
    return first if first == last else f"{first}–{last}"


def _page(
    wall: Wall,
    grid: Grid,
    paper: Paper,
    size: float,
    head_rows: Sequence[float],
    rows: range,
    columns: range,
    height: dict[int, float],
    which: str,
) -> Page:
    label = _label_width(grid, paper, size)
    widths = (label, *[(paper.width - label) / max(1, len(columns))] * len(columns))
    title = f"{grid.title} {which}".strip()
    heights, boxes = headed(wall, title, len(columns))
    heads = len(head_rows)
    top = len(heights)
    heights += head_rows
    boxes.append(Box(top, 0, top + heads - 1, 0, "", "head"))
    shown = [grid.columns[column] for column in columns]
    if grid.grouped:
        boxes += list(_group_heads(shown, top))
    boxes += [Box(top + heads - 1, at, top + heads - 1, at, line.name, "head") for at, line in enumerate(shown, 1)]
    place: dict[int, int] = {}
    for row in rows:
        if grid.rows[row].after_rest and row > rows.start:
            boxes.append(Box(len(heights), 0, len(heights), len(columns), "", "rest"))
            heights.append(REST_HEIGHT)
        place[row] = len(heights)
        boxes.append(Box(len(heights), 0, len(heights), 0, grid.rows[row].name, "label"))
        heights.append(height[row])
    free = {(row, column) for row in rows for column in columns}
    for cell in grid.cells:
        if cell.top in rows and cell.left in columns:
            left = cell.left - columns.start + 1
            right = left + cell.right - cell.left
            boxes.append(Box(place[cell.top], left, place[cell.bottom], right, cell.text, cell.style))
            free -= {(row, c) for row in range(cell.top, cell.bottom + 1) for c in range(cell.left, cell.right + 1)}
    for row, column in sorted(free):
        at = column - columns.start + 1
        boxes.append(Box(place[row], at, place[row], at, "", "empty"))
    name = f"{grid.name} {which}".strip()
    return Page(name, paper, widths, tuple(heights), tuple(boxes), size, heads=top + heads)


def _group_heads(shown: Sequence[Line], top: int) -> Iterator[Box]:
    at = 1
    for _, group in groupby(shown, key=lambda line: line.group):
        lines = list(group)
        yield Box(top, at, top, at + len(lines) - 1, lines[0].group_name, "head")
        at += len(lines)
