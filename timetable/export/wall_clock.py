"""This module owns the pages on the clock: what a community shares, a lane for every unit, by minutes and not by
periods, with the minutes that the bells leave over."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from timetable.bells import LONGEST_BREAK_IN_BLOCK, Window
from timetable.export.wall_pages import (
    HEAD_HEIGHT,
    KIND_STYLES,
    REST_HEIGHT,
    Box,
    Entry,
    Page,
    Style,
    Wall,
    clusters,
    headed,
    stretched,
    style_of,
)
from timetable.model import clock, minutes

A3_LABEL, A3_WIDTH, A3_HEIGHT = 8.0, 195.0, 700.0
WIDEST = 2.5
LEAST_HEIGHT = 5.0
"""Of a row, in points: a row of one minute would vanish."""


@dataclass(frozen=True, slots=True)
class _Lane:
    """A column of the page: one unit on one weekday; `index` counts the lanes of a unit that needs several."""

    weekday: int
    unit: str
    index: int = 0


def week_page(wall: Wall) -> Page:
    """The whole week on one page. Lessons of one unit that overlap stand together in one box; meetings, which take
    half a day, stand in a lane beside them."""
    placed: dict[_Lane, list[Entry]] = {}
    shared = _shared(wall)
    for day in wall.weekdays:
        for unit in wall.community.units:
            here = [entry for entry in shared if _is_in(entry, _Lane(day, unit))]
            meetings = [entry for entry in here if KIND_STYLES[entry.lesson.kind] == "joint"]
            placed[_Lane(day, unit)] = [entry for entry in here if entry not in meetings]
            if meetings:
                placed[_Lane(day, unit, 1)] = meetings
    name = wall.words("export.week")
    title = wall.words("export.clock", name=wall.community.name)
    return _page(wall, name, title, list(placed), placed, detailed=False)


def day_page(wall: Wall, weekday: int) -> Page:
    """One day with room for every lesson: a unit with several at one time gets several lanes."""
    placed: dict[_Lane, list[Entry]] = {}
    for unit in wall.community.units:
        here = [entry for entry in _shared(wall) if _is_in(entry, _Lane(weekday, unit))]
        for index, entries in enumerate(_apart(here) or [[]]):
            placed[_Lane(weekday, unit, index)] = entries
    day = wall.words(f"weekday.{weekday}")
    title = wall.words("export.clock_day", name=wall.community.name, day=day)
    return _page(wall, day, title, list(placed), placed, detailed=True)


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


def _page(
    wall: Wall,
    name: str,
    title: str,
    lanes: Sequence[_Lane],
    placed: dict[_Lane, list[Entry]],
    *,
    detailed: bool,
) -> Page:
    weights = [_weight(placed[lane]) for lane in lanes]
    columns = (A3_LABEL, *(A3_WIDTH * weight / sum(weights) for weight in weights))
    rows, boxes = headed(wall, title, columns)
    boxes += _heads(wall, lanes)
    rows += [HEAD_HEIGHT, HEAD_HEIGHT]
    windows = _windows(wall, lanes, placed)
    ticks = list(itertools.pairwise(sorted({moment for window in windows for moment in window})))
    resting = {tick for tick in ticks if _is_rest(tick, windows)}
    scale = A3_HEIGHT / max(1, sum(end - start for start, end in set(ticks) - resting))
    begins: dict[int, int] = {}
    ends: dict[int, int] = {}
    rests = []
    for start, end in ticks:
        rest = (start, end) in resting
        begins[start], ends[end] = len(rows), len(rows)
        if rest:
            boxes.append(Box(len(rows), 0, len(rows), len(columns) - 1, "", "rest"))
            rests.append(len(rows))
        else:
            boxes.append(Box(len(rows), 0, len(rows), 0, clock(start), "label"))
        rows.append(REST_HEIGHT if rest else max(LEAST_HEIGHT, (end - start) * scale))
    for column, lane in enumerate(lanes, 1):
        taken = set(rests)
        for top, bottom, text, style in _blocks(wall, lane, placed[lane], begins, ends, detailed=detailed):
            inside = set(range(top, bottom + 1))
            if inside.isdisjoint(taken):
                taken |= inside
                boxes.append(Box(top, column, bottom, column, text, style))
        for window in wall.bells.day(lane.unit, lane.weekday).values():
            spare = range(begins[window.start], ends[window.end] + 1)
            if taken.isdisjoint(spare):
                boxes.append(Box(spare[0], column, spare[-1], column, "", "empty"))
    return Page(name, "A3", stretched(columns, rows, "A3"), tuple(rows), tuple(boxes), small=True)


def _weight(entries: Sequence[Entry]) -> float:
    """How wide a lane is: the more lessons stand in one of its boxes, the wider."""
    together = clusters((*entry.window, entry) for entry in entries)
    most = max((len(found) for _, _, found in together), default=1)
    return max(1.0, min(WIDEST, most / 2))


def _heads(wall: Wall, lanes: Sequence[_Lane]) -> list[Box]:
    boxes = [Box(2, 0, 3, 0, "", "head")]
    days: dict[int, list[int]] = defaultdict(list)
    units: dict[tuple[int, str], list[int]] = defaultdict(list)
    for column, lane in enumerate(lanes, 1):
        days[lane.weekday].append(column)
        units[lane.weekday, lane.unit].append(column)
    boxes += [Box(2, min(c), 2, max(c), wall.words(f"weekday.{day}"), "head") for day, c in days.items()]
    boxes += [Box(3, min(c), 3, max(c), wall.unit_name(unit), "head") for (_, unit), c in units.items()]
    return boxes


def _windows(wall: Wall, lanes: Sequence[_Lane], placed: dict[_Lane, list[Entry]]) -> set[Window]:
    """Every window that is drawn."""
    found: set[Window] = set()
    for lane in lanes:
        found.update(wall.bells.day(lane.unit, lane.weekday).values())
        for entry in placed[lane]:
            found |= {entry.window, Window(minutes(entry.lesson.start), minutes(entry.lesson.end))}
    return found


def _is_rest(tick: tuple[int, int], windows: Iterable[Window]) -> bool:
    """Whether nobody has anything for long, such as at noon."""
    start, end = tick
    return end - start > LONGEST_BREAK_IN_BLOCK and not any(w.start <= start and end <= w.end for w in windows)


def _blocks(
    wall: Wall, lane: _Lane, entries: Sequence[Entry], begins: dict[int, int], ends: dict[int, int], *, detailed: bool
) -> Iterable[tuple[int, int, str, Style]]:
    """Boxes of a lane: the shared windows first, then the minutes left over."""
    spans = [
        (begins[minutes(e.lesson.start)], ends[minutes(e.lesson.end)], e)
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
                yield begins[start], ends[end], _supervisor(wall, entry, start) if detailed else "", "leftover"


def _text(wall: Wall, entry: Entry, *, detailed: bool) -> str:
    lesson, party = entry
    classes = wall.class_names(party)
    if not detailed:
        return f"{wall.heading(lesson)} {classes}".strip()
    times = f"{lesson.start}–{lesson.end}"
    room = wall.rooms[party.room].name if party.room in wall.rooms else ""
    parts = (wall.heading(lesson), times, classes, wall.taught_by(entry), room)
    return "\n".join(part for part in parts if part)


def _supervisor(wall: Wall, entry: Entry, start: int) -> str:
    for left in entry.party.leftover:
        if minutes(left.start) == start and left.teacher:
            return wall.words("export.supervised", teacher=wall.teachers.get(left.teacher, left.teacher))
    return ""
