"""This module owns what a table can be taken away as: for whom, in which form, under which name."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct, structs

from timetable.commitments import Commitments
from timetable.errors import NotFound, TimetableError
from timetable.export import feeds
from timetable.export.feed_entries import Entry
from timetable.export.paper import Printing
from timetable.export.table_list import LESSONS, list_csv, list_lines
from timetable.export.table_sheets import wall_workbook
from timetable.export.wall_clock import day_pages, week_pages
from timetable.export.wall_document import wall_document
from timetable.export.wall_grids import class_pages, classes_pages, room_pages, teacher_pages, teachers_pages
from timetable.export.wall_pages import Page, Wall, Words
from timetable.fet.exporting import export as export_fet
from timetable.model import Community, Finding, Lesson, Register, Table, TableSet
from timetable.problem import Problem

Form = Literal["xlsx", "print", "csv", "json", "fet", "ics"]
Audience = Literal["class", "teacher", "room", "unit", "community"]
Events = Callable[[Callable[[Lesson], bool]], Sequence[Entry]]

CONTENT_TYPES: Mapping[str, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "fet": "application/xml",
    "ics": "text/calendar; charset=utf-8",
    "zip": "application/zip",
}


class ExportRefused(TimetableError):
    """The table cannot be taken away like that: `reason` is `fet_community_only` or `ics_published_only`."""

    code = "export_refused"

    def __init__(self, reason: Literal["fet_community_only", "ics_published_only"]) -> None:
        super().__init__(reason)
        self.reason = reason


class Taken(Struct, frozen=True, kw_only=True):
    """A file to take away. `name` has its ending; the findings say what is lost in this form. `sheets` of paper are
    what a wall takes, by the name of the paper, and `smallest` is its smallest type in points."""

    name: str
    content_type: str
    content: bytes
    findings: tuple[Finding, ...] = ()
    sheets: dict[str, int] = {}
    smallest: float = 0.0


class TableExport:
    """One community's table, ready to be taken away.

    `state` says in words which version or draft it is. `events` gives the published events of the lessons that are
    picked; a table without it is no calendar. `link` is the address at which a lesson is joined, `commitments` what
    other communities hold. Walls are drawn by the bells of the ISO date `on`, and come onto paper as `printing` says.
    """

    def __init__(
        self,
        register: Register,
        community: Community,
        table: Table,
        *,
        words: Words,
        state: str,
        events: Events | None = None,
        link: Callable[[str], str] = lambda lesson: "",
        commitments: Commitments | None = None,
        on: str = "",
        printing: Printing | None = None,
    ) -> None:
        self._register = register
        self._community = community
        self._table = table
        self._words = words
        self._english = words.language == "en"
        self._state = state
        self._events = events
        self._link = link
        self._commitments = commitments
        self._on = on
        self._printing = printing or Printing()

    def take(self, form: Form, audience: Audience, id: str = "") -> Taken:
        """The table for one class, teacher, room or unit, or with no id for all of them. Raises NotFound for an id
        that is not the community's, and ExportRefused."""
        targets = self.targets(audience)
        if id and id not in targets:
            raise NotFound(audience, id)
        wanted = {id: targets[id]} if id else targets
        name = targets[id] if id else f"{self._community.name} {self._words(f'export.for.{audience}')}"
        if form == "ics":
            return self._calendars(audience, wanted, name)
        if form == "fet":
            if audience != "community":
                raise ExportRefused("fet_community_only")
            exported = export_fet(self.problem())
            return structs.replace(_taken(f"{name}.{form}", exported.document), findings=exported.findings)
        if form in ("xlsx", "print"):
            return self._wall(form, audience, wanted, name)
        if form == "csv":
            content = list_csv(self._lessons(audience, wanted), self._names(), english=self._english)
        else:
            content = self._json(audience, wanted)
        return _taken(f"{name}.{form}", content)

    def targets(self, audience: Audience) -> dict[str, str]:
        """Everything that the table can be taken away for: names by id, those of the community only."""
        register, units = self._register, set(self._community.units)
        parties = [party for lesson in self._table.lessons for party in lesson.parties]
        if audience == "community":
            return {self._community.id: self._community.name}
        if audience == "unit":
            return {unit.id: unit.name for unit in register.units if unit.id in units}
        short = {unit.id: unit.short_name for unit in register.units}
        if audience == "class":
            return {c.id: f"{short.get(c.unit, c.unit)} {c.name}" for c in register.classes if c.unit in units}
        if audience == "room":
            used = {party.room for party in parties}
            rooms = (room for room in register.rooms if room.unit in units or room.id in used)
            return {room.id: f"{short.get(room.unit, room.unit)} {room.name}" for room in rooms}
        busy = {teacher for party in parties for teacher in party.teachers}
        return {t.id: t.name for t in register.teachers if units.intersection(t.posts) or t.id in busy}

    def problem(self) -> Problem:
        return Problem(self._register, self._community, self._commitments)

    # Forms ----------------------------------------------------------------------------------------------------------

    def _names(self) -> feeds.Names:
        return feeds.names_of(self._register, self._link)

    def _lessons(self, audience: Audience, wanted: Iterable[str]) -> tuple[Lesson, ...]:
        if audience == "community":
            return self._table.lessons
        ids = set(wanted)
        return tuple(lesson for lesson in self._table.lessons if ids & _concerned(lesson, audience))

    def _json(self, audience: Audience, wanted: Iterable[str]) -> bytes:
        lessons = self._lessons(audience, wanted)
        part = self._table
        if lessons != part.lessons:
            part = structs.replace(part, lessons=lessons, cost=0, cost_by_rule=())
        return msgspec.json.format(msgspec.json.encode(TableSet(tables=(part,))), indent=1)

    def _wall(self, form: Form, audience: Audience, wanted: Iterable[str], name: str) -> Taken:
        wall = Wall(self._register, self._community, self._table, self._words, self._state, self._on)
        pages = list(_pages(wall, audience, wanted, self._printing))
        footer = " · ".join(part for part in (self._community.name, self._state) if part)
        if form == "print":
            taken = _taken(f"{name}.html", wall_document(pages, name, self._words.language, footer))
        else:
            lines = list_lines(self._lessons(audience, wanted), self._names(), english=self._english)
            taken = _taken(f"{name}.xlsx", wall_workbook(pages, LESSONS.title, lines, footer))
        smallest = min((page.smallest for page in pages), default=0.0)
        return structs.replace(taken, sheets=dict(Counter(page.paper.name for page in pages)), smallest=smallest)

    def _calendars(self, audience: Audience, wanted: Mapping[str, str], name: str) -> Taken:
        if self._events is None:
            raise ExportRefused("ics_published_only")
        names = self._names()
        calendars = {}
        for id, title in wanted.items():
            found = self._events(feeds.picks(audience, id))
            calendars[f"{title} {id}.ics"] = feeds.calendar(title, found, names)
        if len(calendars) == 1:
            return _taken(f"{name}.ics", next(iter(calendars.values())))
        return _taken(f"{name}.zip", _archive(calendars))


def _concerned(lesson: Lesson, audience: Audience) -> set[str]:
    read: Mapping[str, Callable[[], Iterator[str]]] = {
        "class": lambda: (id for party in lesson.parties for id in party.classes),
        "teacher": lambda: (id for party in lesson.parties for id in party.teachers),
        "room": lambda: (party.room for party in lesson.parties if party.room),
        "unit": lambda: (party.unit for party in lesson.parties),
    }
    return set(read[audience]())


def _pages(wall: Wall, audience: Audience, wanted: Iterable[str], printing: Printing) -> Iterator[Page]:
    if audience == "community":
        yield from week_pages(wall, printing)
        for day in wall.weekdays:
            yield from day_pages(wall, day, printing)
    elif audience == "unit":
        for id in wanted:
            yield from classes_pages(wall, id, printing)
            yield from teachers_pages(wall, id, printing)
    else:
        draw = {"class": class_pages, "teacher": teacher_pages, "room": room_pages}[audience]
        for id in wanted:
            yield from draw(wall, id, printing)


def _taken(name: str, content: bytes) -> Taken:
    safe = "".join("_" if sign in '\\/:*?"<>|' or not sign.isprintable() else sign for sign in name)
    return Taken(name=safe, content_type=CONTENT_TYPES[name.rsplit(".", 1)[-1]], content=content)


def _archive(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in files.items():
            # the time is fixed, so that the same calendars give the same bytes
            archive.writestr(zipfile.ZipInfo(_taken(name, part).name, (2026, 1, 1, 0, 0, 0)), part)
    return content.getvalue()
