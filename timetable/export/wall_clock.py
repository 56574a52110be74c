"""This module owns the pages on the clock: what a community shares, a lane for every unit, by minutes and not by
periods, with the minutes that the bells leave over."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from timetable.bells import LONGEST_BREAK_IN_BLOCK, Window
from timetable.export.paper import INSET, LINE, SMALLEST, Paper, Printing, height_of, largest_size, parts_of
from timetable.export.wall_pages import (
    KIND_STYLES,
    NOTE_HEIGHT,
    REST_HEIGHT,
    TITLE_HEIGHT,
    Box,
    Entry,
    Page,
    Style,
    Wall,
    clusters,
    headed,
    style_of,
)
from timetable.model import PlacedParty, clock, minutes

READABLE = Printing()
WIDEST = 2.5
LABEL = 3.4
"""Width of the column of times, by the size of the type."""
LEAST_HEIGHT = 4.0
"""Of a row, in points: a row of one minute would vanish."""


@dataclass(frozen=True, slots=True)
class _Lane:
    """A column: one unit on one weekday; `index` counts the lanes of a unit that needs several."""

    weekday: int
    unit: str
    index: int = 0


_Placed = Mapping[_Lane, Sequence[Entry]]


@dataclass(frozen=True, slots=True)
class _Axis:
    """The minutes of the day as rows: where each moment begins and ends one, and which rows are a rest."""

    ticks: tuple[tuple[int, int], ...]
    rests: frozenset[int]
    begins: Mapping[int, int]
    ends: Mapping[int, int]

    def heights(self, room: float) -> list[float]:
        """The rows' heights, that fill the room: a minute is as high everywhere, and no row vanishes."""
        spans = [0 if row in self.rests else end - start for row, (start, end) in enumerate(self.ticks)]
        room -= REST_HEIGHT * len(self.rests)
        least = min(LEAST_HEIGHT, room / 2 / max(1, len(spans)))  # where many bells ring there is less for each
        low: set[int] = set()
        while True:
            minutes = sum(span for row, span in enumerate(spans) if row not in low)
            scale = (room - least * len(low)) / max(1, minutes)
            more = {row for row, span in enumerate(spans) if 0 < span * scale < least} - low
            if not more:
                break
            low |= more
        return [
            REST_HEIGHT if row in self.rests else least if row in low else span * scale
            for row, span in enumerate(spans)
        ]

    def times(self, heights: Sequence[float], least: float) -> Iterator[tuple[int, int, str]]:
        """The times beside the rows, each over as many rows as its type needs; without words where these are none."""
        row = 0
        while row < len(self.ticks):
            last, high = row, heights[row]
            while high < least and last + 1 < len(self.ticks) and last + 1 not in self.rests:
                last += 1
                high += heights[last]
            if row not in self.rests:
                yield row, last, clock(self.ticks[row][0]) if high >= least else ""
            row = row + 1 if row in self.rests else last + 1


def week_pages(wall: Wall, printing: Printing = READABLE) -> list[Page]:
    """The whole week, cut between days. Lessons of one unit that overlap stand together in one box; meetings, which
    take half a day, stand in a lane beside them."""
    placed: dict[_Lane, list[Entry]] = {}
    shared = _shared(wall)
    for day in wall.weekdays:
        for unit in wall.community.units:
            here = [entry for entry in shared if _is_in(entry, _Lane(day, unit))]
            meetings = [entry for entry in here if KIND_STYLES[entry.lesson.kind] == "joint"]
            placed[_Lane(day, unit)] = [entry for entry in here if entry not in meetings]
            if meetings:
                placed[_Lane(day, unit, 1)] = meetings
    groups = [(wall.words(f"weekday.{day}"), [lane for lane in placed if lane.weekday == day]) for day in wall.weekdays]
    name = wall.words("export.week")
    title = wall.words("export.clock", name=wall.community.name)
    return _Drawing(wall, placed, detailed=False).pages(name, title, groups, printing)


def day_pages(wall: Wall, weekday: int, printing: Printing = READABLE) -> list[Page]:
    """One day with room for every lesson, cut between schools: a unit with several at one time gets several lanes."""
    placed: dict[_Lane, list[Entry]] = {}
    for unit in wall.community.units:
        here = [entry for entry in _shared(wall) if _is_in(entry, _Lane(weekday, unit))]
        for index, entries in enumerate(_apart(here) or [[]]):
            placed[_Lane(weekday, unit, index)] = entries
    groups = [(wall.unit_name(u), [lane for lane in placed if lane.unit == u]) for u in wall.community.units]
    day = wall.words(f"weekday.{weekday}")
    title = wall.words("export.clock_day", name=wall.community.name, day=day)
    return _Drawing(wall, placed, detailed=True).pages(day, title, groups, printing)


def _shared(wall: Wall) -> list[Entry]:
    return [entry for entry in wall.entries() if entry.lesson.kind != "local"]


def _is_in(entry: Entry, lane: _Lane) -> bool:
    return (entry.lesson.weekday, entry.party.unit) == (lane.weekday, lane.unit)


def _apart(entries: Iterable[Entry]) -> list[list[Entry]]:
    """The fewest lanes in which no two lessons overlap."""
    lanes: list[list[Entry]] = []
    for entry in sorted(entries, key=lambda entry: entry.window):
        free = next((lane for lane in lanes if lane[-1].window.end <= entry.window.start), None)
        if free is None:
            lanes.append([entry])
        else:
            free.append(entry)
    return lanes


class _Drawing:
    """Lanes with the lessons in them, as they come onto paper. All sheets have the same rows, so that they line up."""

    def __init__(self, wall: Wall, placed: _Placed, *, detailed: bool) -> None:
        self._wall = wall
        self._placed = placed
        self._axis = _axis(wall, placed)
        self._blocks = {
            lane: list(_blocks(wall, entries, self._axis, detailed=detailed)) for lane, entries in placed.items()
        }

    def pages(
        self, name: str, title: str, groups: Sequence[tuple[str, Sequence[_Lane]]], printing: Printing
    ) -> list[Page]:
        """The fewest sheets with readable type, and on these the largest; or one sheet with the largest it holds."""
        paper = printing.on("A3")

        widths = [sum(_weight(self._placed[lane]) for lane in lanes) for _, lanes in groups]

        def cut(parts: int) -> list[range]:
            return parts_of(widths, parts)

        def fits(parts: int, size: float) -> bool:
            return all(self._fits([lane for g in part for lane in groups[g][1]], paper, size) for part in cut(parts))

        counts = range(1, len(groups) + 1) if printing.fit == "readable" else range(1, 2)
        enough = next((parts for parts in counts if fits(parts, paper.least)), 0)
        least = paper.least if enough else SMALLEST
        # where words are too many for any cut, the one that leaves them largest
        tried = {parts: largest_size(least, partial(fits, parts)) for parts in ([enough] if enough else counts)}
        parts = max(tried, key=lambda parts: (tried[parts], -parts))
        size = tried[parts]
        found = []
        for part in cut(parts):
            first, last = groups[part.start][0], groups[part.stop - 1][0]
            which = "" if parts == 1 else first if first == last else f"{first}–{last}"
            lanes = [lane for group in part for lane in groups[group][1]]
            found.append(self._page(f"{name} {which}".strip(), f"{title} {which}".strip(), lanes, paper, size))
        return found

    def _widths(self, lanes: Sequence[_Lane], paper: Paper, size: float) -> list[float]:
        weights = [_weight(self._placed[lane]) for lane in lanes]
        return [(paper.width - LABEL * size) * weight / sum(weights) for weight in weights]

    def _heights(self, paper: Paper, size: float) -> list[float]:
        return self._axis.heights(paper.height - TITLE_HEIGHT - NOTE_HEIGHT - 2 * _head(size))

    def _fits(self, lanes: Sequence[_Lane], paper: Paper, size: float) -> bool:
        heights = self._heights(paper, size)
        for lane, width in zip(lanes, self._widths(lanes, paper, size), strict=True):
            for top, bottom, text, _ in self._blocks[lane]:
                if height_of(text, width, size) > sum(heights[top : bottom + 1]):
                    return False
        return True

    def _page(self, name: str, title: str, lanes: Sequence[_Lane], paper: Paper, size: float) -> Page:
        axis = self._axis
        columns = (LABEL * size, *self._widths(lanes, paper, size))
        rows, boxes = headed(self._wall, title, len(columns) - 1)
        top = len(rows)
        rows += [_head(size), _head(size)]
        boxes += _heads(self._wall, lanes, top)
        top += 2
        heights = self._heights(paper, size)
        rows += heights
        boxes += [Box(top + row, 0, top + row, len(columns) - 1, "", "rest") for row in axis.rests]
        boxes += [
            Box(top + first, 0, top + last, 0, text, "label") for first, last, text in axis.times(heights, _head(size))
        ]
        for column, lane in enumerate(lanes, 1):
            taken = set(axis.rests)
            for first, last, text, style in self._blocks[lane]:
                inside = set(range(first, last + 1))
                if inside.isdisjoint(taken):
                    taken |= inside
                    boxes.append(Box(top + first, column, top + last, column, text, style))
            for window in self._wall.bells.day(lane.unit, lane.weekday).values():
                spare = range(axis.begins[window.start], axis.ends[window.end] + 1)
                if taken.isdisjoint(spare):
                    boxes.append(Box(top + spare[0], column, top + spare[-1], column, "", "empty"))
        return Page(name, paper, columns, tuple(rows), tuple(boxes), size, heads=top)


def _head(size: float) -> float:
    return size * LINE + INSET


def _axis(wall: Wall, placed: _Placed) -> _Axis:
    windows = _windows(wall, placed)
    ticks = tuple(itertools.pairwise(sorted({moment for window in windows for moment in window})))
    begins = {start: row for row, (start, _) in enumerate(ticks)}
    ends = {end: row for row, (_, end) in enumerate(ticks)}
    rests = frozenset(row for row, tick in enumerate(ticks) if _is_rest(tick, windows))
    return _Axis(ticks, rests, begins, ends)


def _weight(entries: Sequence[Entry]) -> float:
    """How wide a lane is: the more lessons stand in one of its boxes, the wider."""
    together = clusters((*entry.window, entry) for entry in entries)
    most = max((len(found) for _, _, found in together), default=1)
    return max(1.0, min(WIDEST, most / 2))


def _heads(wall: Wall, lanes: Sequence[_Lane], top: int) -> list[Box]:
    boxes = [Box(top, 0, top + 1, 0, "", "head")]
    days: dict[int, list[int]] = defaultdict(list)
    units: dict[tuple[int, str], list[int]] = defaultdict(list)
    for column, lane in enumerate(lanes, 1):
        days[lane.weekday].append(column)
        units[lane.weekday, lane.unit].append(column)
    boxes += [Box(top, min(c), top, max(c), wall.words(f"weekday.{day}"), "head") for day, c in days.items()]
    boxes += [Box(top + 1, min(c), top + 1, max(c), wall.unit_name(unit), "head") for (_, unit), c in units.items()]
    return boxes


def _windows(wall: Wall, placed: _Placed) -> set[Window]:
    """Every window that is drawn."""
    found: set[Window] = set()
    for lane, entries in placed.items():
        found.update(wall.bells.day(lane.unit, lane.weekday).values())
        for entry in entries:
            found |= {entry.window, Window(minutes(entry.lesson.start), minutes(entry.lesson.end))}
    return found


def _is_rest(tick: tuple[int, int], windows: Iterable[Window]) -> bool:
    """Whether nobody has anything for long, such as at noon."""
    start, end = tick
    return end - start > LONGEST_BREAK_IN_BLOCK and not any(w.start <= start and end <= w.end for w in windows)


def _blocks(
    wall: Wall, entries: Sequence[Entry], axis: _Axis, *, detailed: bool
) -> Iterable[tuple[int, int, str, Style]]:
    """Boxes of a lane: the shared windows first, then the minutes left over."""
    spans = [
        (axis.begins[minutes(e.lesson.start)], axis.ends[minutes(e.lesson.end)], e)
        for e in entries
        if e.lesson.start < e.lesson.end
    ]
    for top, bottom, found in clusters(spans):
        text = "\n".join(dict.fromkeys(_text(wall, entry, detailed=detailed) for entry in found))
        yield top, bottom, text, style_of(found)
    for entry in entries:
        shared = Window(minutes(entry.lesson.start), minutes(entry.lesson.end))
        for start, end in ((entry.window.start, shared.start), (shared.end, entry.window.end)):
            if start < end:
                yield axis.begins[start], axis.ends[end], "", "leftover"


def _text(wall: Wall, entry: Entry, *, detailed: bool) -> str:
    lesson, party = entry
    heading = f"{wall.heading(lesson)} {wall.class_names(party)}".strip()
    if not detailed:
        return heading
    room = wall.room_name(party.room) if party.room in wall.rooms else ""
    people = " · ".join(part for part in (wall.taught_by(entry), room) if part)
    parts = (f"{heading} {lesson.start}–{lesson.end}", people, _supervised(wall, party))
    return "\n".join(part for part in parts if part)


def _supervised(wall: Wall, party: PlacedParty) -> str:
    """Who stays with the pupils in the minutes that the bells leave over; a strip of five minutes holds no words."""
    stays = {left.teacher: None for left in party.leftover if left.teacher}
    names = wall.joined(wall.teachers.get(id, id) for id in stays)
    return wall.words("export.supervised", teacher=names) if names else ""
