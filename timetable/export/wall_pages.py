"""This module owns what a table looks like on a wall: pages of boxes on a grid, whatever they are drawn with.

A page is one sheet of A4 or A3 in landscape, and its lengths are points: printed as it is, it fills the sheet. Each
kind of lesson has a sign and words beside its colour, so that a black and white print still tells them apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeVar

from msgspec import structs

from timetable.bells import LONGEST_BREAK_IN_BLOCK, Bells, Window
from timetable.export.paper import Paper
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
TITLE_SIZE = 16.0
TITLE_HEIGHT, NOTE_HEIGHT, HEAD_HEIGHT, REST_HEIGHT = 28.0, 16.0, 20.0, 7.0


class Look(NamedTuple):
    """How a style is drawn; colours are #RRGGBB. The line on the left tells the kinds apart in black and white."""

    fill: str = ""
    ink: str = "#000000"
    bold: bool = False
    edge: str = ""
    line: Literal["thin", "medium", "thick", "double"] = "thin"
    framed: bool = True


FRAME, HATCH = "#CDD3DA", "#B9C0C9"
LOOKS: Mapping[Style, Look] = {
    "title": Look(bold=True, framed=False),
    "note": Look(ink="#465162", framed=False),
    "head": Look(fill="#EEF0F2", bold=True),
    "label": Look(ink="#465162"),
    "rest": Look(fill="#EEF0F2", framed=False),
    "empty": Look(),
    "leftover": Look(),
    "local": Look(),
    "sync": Look("#E2ECFF", "#154291", bold=True, edge="#2A69DD", line="thick"),
    "dedicated": Look("#F9E5F1", "#86195F", bold=True, edge="#BD3A8E", line="double"),
    "joint": Look("#D9F1EF", "#0A5656", edge="#14868A", line="medium"),
    "test": Look("#FFF0D1", "#7D4A00", bold=True, edge="#C77700", line="medium"),
}
"""Colours as on the pages of the interface. Minutes left over are hatched."""


class Words(Protocol):
    """The catalogue in one language: the sentence of a key with its values filled in."""

    @property
    def language(self) -> str: ...

    def __call__(self, key: str, /, **values: str | int) -> str: ...

    def label(self, text: str, /) -> str:
        """A subject, a class or another neutral label of the register as the language says it; what is no such label
        stays as the school wrote it."""
        ...


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
    """`columns` are widths, `rows` heights; `size` is that of the type, but for the title and the note below it. The
    first `heads` rows say what the rows below them are."""

    name: str
    paper: Paper
    columns: tuple[float, ...]
    rows: tuple[float, ...]
    boxes: tuple[Box, ...]
    size: float = 10.0
    heads: int = 3

    def type_of(self, style: Style) -> float:
        """The size of the type in a box."""
        if style == "title":
            return max(TITLE_SIZE, self.size)
        return note_size(self.paper) if style == "note" else self.size

    @property
    def smallest(self) -> float:
        """The smallest type on the page; its foot is as large as the least that may be read from a wall."""
        return min((self.type_of(box.style) for box in self.boxes if box.text), default=self.size)


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

    def joined(self, parts: Iterable[str]) -> str:
        return self.words("list.comma").join(parts)

    # Names ----------------------------------------------------------------------------------------------------------

    def unit_name(self, unit: str) -> str:
        return self.units[unit].short_name if unit in self.units else unit

    def class_name(self, id: str) -> str:
        return self.words.label(self.classes[id].name) if id in self.classes else id

    def room_name(self, id: str) -> str:
        return self.words.label(self.rooms[id].name) if id in self.rooms else id

    def class_names(self, party: PlacedParty, *, with_unit: bool = False) -> str:
        names = _said_once([self.class_name(id) for id in party.classes])
        return (self.unit_name(party.unit) + " " if with_unit and names else "") + self.joined(names)

    def teacher_names(self, party: PlacedParty) -> str:
        return self.joined(self.teachers.get(id, id) for id in party.teachers)

    # Texts ----------------------------------------------------------------------------------------------------------

    def heading(self, lesson: Lesson) -> str:
        """◆数学 (单周)"""
        sign = SIGNS.get(KIND_STYLES[lesson.kind], "")
        return f"{sign}{self.words.label(lesson.subject)}{self._weeks(lesson)}"

    def _weeks(self, lesson: Lesson) -> str:
        """In which weeks it takes place, where that is not in all."""
        if lesson.only_weeks:
            weeks = self.joined(map(str, lesson.only_weeks))
            return f" ({self.words('export.only_weeks', weeks=weeks)})"
        return "" if lesson.weeks == "all" else f" ({self.words(f'parity.{lesson.weeks}')})"

    def sharing(self, entry: Entry) -> str:
        """What a lesson of several units is, with whom, and when, where the shared window is not the own period."""
        lesson, party = entry
        if len(lesson.parties) == 1:
            return ""
        others = self.joined(self.unit_name(other.unit) for other in lesson.parties if other is not party)
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


def _said_once(names: Sequence[str]) -> list[str]:
    """Class 6-1, Class 6-2 as Class 6-1, 6-2: a word that all begin with stands before the first only."""
    word, space, _ = names[0].partition(" ") if names else ("", "", "")
    if not space or not all(name.startswith(word + space) for name in names):
        return list(names)
    return [names[0], *(name.removeprefix(word + space) for name in names[1:])]


# Layout -------------------------------------------------------------------------------------------------------------


def note_size(paper: Paper) -> float:
    return paper.least + 1


def headed(wall: Wall, title: str, last: int) -> tuple[list[float], list[Box]]:
    """The rows and boxes that every page begins with: whose table it is, which version, what the signs mean; `last` is
    its last column."""
    note = "   ".join(part for part in (wall.note, wall.legend()) if part)
    boxes = [Box(0, 0, 0, last, title, "title"), Box(1, 0, 1, last, note, "note")]
    return [TITLE_HEIGHT, NOTE_HEIGHT], boxes


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
