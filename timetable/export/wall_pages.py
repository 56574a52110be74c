"""This module owns what a table looks like on a wall: pages of boxes on a grid, whatever they are drawn with.

A page is one sheet of A4 or A3 in landscape. Each kind of lesson has a sign and words beside its colour, so that a
black and white print still tells them apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeVar

from msgspec import structs

from timetable.bells import LONGEST_BREAK_IN_BLOCK, Bells, Window
from timetable.model import SHARED_KINDS, Community, Lesson, PlacedParty, Register, Table, minutes

T = TypeVar("T")

Style = Literal[
    "title", "note", "head", "label", "rest", "empty", "leftover", "local", "sync", "dedicated", "joint", "test"
]
KIND_STYLES: Mapping[str, Style] = {
    "local": "local",
    "sync": "sync",
    "dedicated": "dedicated",
    "joint_preparation": "joint",
    "joint_meeting": "joint",
    "research": "joint",
    "common_test": "test",
}
SIGNS: Mapping[str, str] = {"sync": "◆", "dedicated": "▲", "joint": "■", "test": "★"}
ASPECTS = {"A3": 1.45, "A4": 1.47}
"""Width by height of what is printed on, in landscape, without the margins."""
TITLE_HEIGHT, NOTE_HEIGHT, HEAD_HEIGHT, REST_HEIGHT = 28.0, 16.0, 20.0, 7.0


class Words(Protocol):
    """The catalogue in one language: the sentence of a key with its values filled in."""

    def __call__(self, key: str, /, **values: str | int) -> str: ...


class Box(NamedTuple):
    """Cells that are one, from `top` and `left` to `bottom` and `right`, all counted from 0."""

    top: int
    left: int
    bottom: int
    right: int
    text: str
    style: Style


@dataclass(frozen=True, slots=True)
class Page:
    """`columns` are widths in characters, `rows` heights in points."""

    name: str
    paper: Literal["A3", "A4"]
    columns: tuple[float, ...]
    rows: tuple[float, ...]
    boxes: tuple[Box, ...]
    small: bool = False


class Entry(NamedTuple):
    """A lesson as one of its units has it."""

    lesson: Lesson
    party: PlacedParty

    @property
    def window(self) -> Window:
        return Window(minutes(self.party.start), minutes(self.party.end))


class Wall:
    """The pages of one community's table. `state` says which version or draft it is."""

    def __init__(
        self, register: Register, community: Community, table: Table, words: Words, state: str, on: str = ""
    ) -> None:
        """By the bells of the ISO date `on`; without it those with which the term begins."""
        day = min(max(on or register.term.first_day, register.term.first_day), register.term.last_day)
        self.register = register
        self.community = community
        self.table = structs.replace(table, lessons=tuple(lesson.by_date(day) for lesson in table.lessons))
        self.words = words
        self.note = " · ".join(part for part in (community.name, register.term.name, state) if part)
        units = {party.unit for lesson in table.lessons for party in lesson.parties} | set(community.units)
        self.units = {unit.id: unit for unit in register.units if unit.id in units}
        self.classes = {school_class.id: school_class for school_class in register.classes}
        self.teachers = {teacher.id: teacher.name for teacher in register.teachers}
        self.rooms = {room.id: room for room in register.rooms}
        found = {lesson.weekday for lesson in table.lessons}
        self.weekdays = tuple(sorted(set(register.weekdays) | found))
        self.bells = Bells(self.units.values(), self.weekdays, day)

    def entries(self) -> Iterable[Entry]:
        return (Entry(lesson, party) for lesson in self.table.lessons for party in lesson.parties)

    # Names ----------------------------------------------------------------------------------------------------------

    def unit_name(self, unit: str) -> str:
        return self.units[unit].short_name if unit in self.units else unit

    def class_names(self, party: PlacedParty, *, with_unit: bool = False) -> str:
        names = [self.classes[id].name if id in self.classes else id for id in party.classes]
        return (self.unit_name(party.unit) + " " if with_unit and names else "") + "、".join(names)

    def teacher_names(self, party: PlacedParty) -> str:
        return "、".join(self.teachers.get(id, id) for id in party.teachers)

    # Texts ----------------------------------------------------------------------------------------------------------

    def heading(self, lesson: Lesson) -> str:
        """◆数学 (单周)"""
        sign = SIGNS.get(KIND_STYLES[lesson.kind], "")
        return f"{sign}{lesson.subject}{self._weeks(lesson)}"

    def _weeks(self, lesson: Lesson) -> str:
        """In which weeks it takes place, where that is not in all."""
        if lesson.only_weeks:
            weeks = self.words("list.comma").join(map(str, lesson.only_weeks))
            return f" ({self.words('export.only_weeks', weeks=weeks)})"
        return "" if lesson.weeks == "all" else f" ({self.words(f'parity.{lesson.weeks}')})"

    def sharing(self, entry: Entry) -> str:
        """What a lesson of several units is, with whom, and when, where the shared window is not the own period."""
        lesson, party = entry
        if len(lesson.parties) == 1:
            return ""
        others = "、".join(self.unit_name(other.unit) for other in lesson.parties if other is not party)
        own = (party.start, party.end) == (lesson.start, lesson.end)
        when = "" if own else f" {lesson.start}–{lesson.end}"
        return f"{self.words(f'kind.{lesson.kind}')} {others}{when}"

    def taught_by(self, entry: Entry) -> str:
        """Who stands before the class; for a class that watches, the host's teacher and the own assistant."""
        lesson, party = entry
        own = self.teacher_names(party)
        if lesson.kind not in SHARED_KINDS or party is lesson.host:
            return own
        host = self.words("export.host", teacher=self.teacher_names(lesson.host))
        return f"{host} / {own}" if own else host

    def legend(self) -> str:
        kinds = {KIND_STYLES[lesson.kind]: lesson.kind for lesson in reversed(self.table.lessons)}
        return "   ".join(f"{sign} {self.words(f'kind.{kinds[s]}')}" for s, sign in SIGNS.items() if s in kinds)


# Layout -------------------------------------------------------------------------------------------------------------


def headed(wall: Wall, title: str, columns: Sequence[float]) -> tuple[list[float], list[Box]]:
    """The rows and boxes that every page begins with: whose table it is, which version, what the signs mean."""
    last = len(columns) - 1
    note = "   ".join(part for part in (wall.note, wall.legend()) if part)
    boxes = [Box(0, 0, 0, last, title, "title"), Box(1, 0, 1, last, note, "note")]
    return [TITLE_HEIGHT, NOTE_HEIGHT], boxes


def stretched(columns: Sequence[float], rows: Sequence[float], paper: Literal["A3", "A4"]) -> tuple[float, ...]:
    """The columns made wider where the page would otherwise stay white at its sides."""
    # spreadsheets draw a character 7 pixels wide, a column with 5 more, and a point as 4/3 pixels
    width, height = sum(7 * column + 5 for column in columns), sum(rows) * 4 / 3
    factor = max(1.0, ASPECTS[paper] * height / width)
    return tuple(round(column * factor, 2) for column in columns)


def clusters(spans: Iterable[tuple[int, int, T]]) -> list[tuple[int, int, list[T]]]:
    """Spans (from, to and including) that overlap, as one each, in order."""
    found: list[tuple[int, int, list[T]]] = []
    for first, last, item in sorted(spans, key=lambda span: span[:2]):
        if found and first <= found[-1][1]:
            before, until, items = found[-1]
            found[-1] = (before, max(until, last), [*items, item])
        else:
            found.append((first, last, [item]))
    return found


def style_of(entries: Sequence[Entry]) -> Style:
    """The style of a box that holds these lessons: a shared one shows."""
    styles = [KIND_STYLES[entry.lesson.kind] for entry in entries]
    return next((style for style in styles if style != "local"), styles[0])


def with_rests(windows: Sequence[Window]) -> list[bool]:
    """Before which of the windows, in order, there is a long rest such as at noon."""
    rests, until = [], None
    for window in windows:
        rests.append(until is not None and window.start - until > LONGEST_BREAK_IN_BLOCK)
        until = window.end if until is None else max(until, window.end)
    return rests


def by_weekday(entries: Iterable[Entry]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.lesson.weekday].append(entry)
    return found
