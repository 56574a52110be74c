"""This module owns names in place of ids: what the text of a cell that refers to something means.

A text that is an id means what has it. Any other means the thing of exactly that name, of a unit also the short name,
as long as only one has it; what is of the row's own unit comes first, since every school has a 五(1)班. With the unit's
name before it, 西河五(1)班 is that of 西河 in any row, and 西河张伟 rather the one who is at home there than one who
comes there. Of teachers of one name at a school it is the only one who teaches the row's subject. Names are compared in
compatibility form and without spaces: 五（1）班 is 五(1)班, and 张　伟 is 张伟.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from msgspec import structs

from timetable.model import Finding
from timetable.register.columns import Column
from timetable.register.findings import finding
from timetable.register.rows import RequirementRow, Rows, Sourced, TeacherRow, UnitRow, of
from timetable.register.sheet_format import BY_KEY, SHEETS

NOUNS: Mapping[str, str] = {
    "units": "unit",
    "campuses": "campus",
    "communities": "community",
    "rooms": "room",
    "teachers": "teacher",
    "classes": "class",
}
"""The sheets of what is referred to, each with what one of it is called in codes. The units come first: the others are
known by the unit that they are of."""
MOST_LISTED = 6
"""Ids among which a sentence lets people choose."""
MOST_GUESSED = 50
"""Texts of one import for which the nearest name is looked for: a column of nonsense would take minutes."""
NEAR = 0.7
"""How alike a name must be (0 to 1) to be offered; two of three signs, as in 张老师 and 李老师, are not enough."""


def with_ids(given: Rows, whole: Rows) -> Rows:
    """The given rows with the id wherever a name means one thing; what means none or several stays as it is, for
    `unresolved` to name. `whole` are the given rows over what the county has already."""
    names = Names(whole)
    return {key: [names.resolved(sourced) for sourced in rows] for key, rows in given.items()}


def unresolved(rows: Rows, names: Names) -> Iterator[Finding]:
    """A finding for every reference to what there is not, or to what could be several things; `names` are of the same
    rows."""
    for sheet in SHEETS:
        columns = [column for column in sheet.columns if column.refers]
        for sourced in rows.get(sheet.key, ()) if columns else ():
            for column in columns:
                for text in dict.fromkeys(_texts(sourced, column)):
                    if not names.known(column.refers, text):
                        yield from names.problem(sourced, column, text)


def spelled(name: str) -> str:
    """The form in which names are compared."""
    return "".join(unicodedata.normalize("NFKC", name).split())


class Names:
    """What the rows of a register are called."""

    def __init__(self, rows: Rows) -> None:
        self._of: dict[str, dict[str, str]] = {
            sheet: {sourced.row.id: sourced.row.name for sourced in rows.get(sheet, ())} for sheet in NOUNS
        }
        self._named: dict[tuple[str, str], dict[str, dict[str, str]]] = defaultdict(dict)
        """By sheet and unit (none: all units) every name as it is compared, with the ids that have it and how it is
        written there."""
        self._in_full: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        """By sheet and name with that of the unit before it, as they are compared, the ids."""
        self._at_home: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        """The same, by the first of their units alone: the one that a teacher's other posts are visits from."""
        self._subjects = {row.id: frozenset(row.subjects) for row, _ in of(rows, "teachers", TeacherRow)}
        self._guesses: dict[tuple[str, str, str], str] = {}
        units = {row.id: (row.name, row.short_name) for row, _ in of(rows, "units", UnitRow)}
        for sheet in NOUNS:
            for sourced in rows.get(sheet, ()):
                row = sourced.row
                its_units = self._units_of(row)
                for name in (row.name, getattr(row, "short_name", row.name)):
                    for unit in ("", *its_units):
                        self._named[sheet, unit].setdefault(spelled(name), {})[row.id] = name
                for index, unit in enumerate(its_units):
                    for before in units.get(unit, ()):
                        self._in_full[sheet, spelled(before + row.name)][row.id] = None
                        if index == 0:
                            self._at_home[sheet, spelled(before + row.name)][row.id] = None

    def known(self, sheet: str, id: str) -> bool:
        return id in self._of[sheet]

    def called(self, sheet: str, id: str) -> str:
        """For a sentence: the name with the id, 五(1)班 (core.c51); the id alone where nothing has it."""
        return f"{self._of[sheet][id]} ({id})" if self.known(sheet, id) else id

    def meant(self, sheet: str, text: str, unit: str = "", subject: str = "") -> tuple[str, ...]:
        """The ids of all that the text could mean; `unit` is the id of the unit whose row it stands in, `subject` what
        the row is about."""
        if self.known(sheet, text):
            return (text,)
        name = spelled(text)
        if unit and name in self._among(sheet, unit):
            ids = tuple(self._among(sheet, unit)[name])
            return self._only(ids, (id for id in ids if subject in self._subjects.get(id, ())))
        if name in self._among(sheet, ""):
            return tuple(self._among(sheet, "")[name])
        return self._only(tuple(self._in_full.get((sheet, name), ())), self._at_home.get((sheet, name), ()))

    def resolved(self, sourced: Sourced) -> Sourced:
        """The row with ids for the names that mean one thing."""
        unit = self._one("units", getattr(sourced.row, "unit", ""), "")
        changed: dict[str, Any] = {}
        for column in BY_KEY[sourced.sheet].columns:
            if column.refers:
                texts = _texts(sourced, column)
                ids = tuple(self._one(column.refers, text, unit, _subject(sourced)) for text in texts)
                if ids != texts:
                    changed[column.field] = ids if column.several else ids[0]
        return replace(sourced, row=structs.replace(sourced.row, **changed)) if changed else sourced

    def problem(self, sourced: Sourced, column: Column, text: str) -> Iterator[Finding]:
        """What is wrong with a text that is no id."""
        unit = getattr(sourced.row, "unit", "")
        ids = self.meant(column.refers, text, unit, _subject(sourced))
        if len(ids) < 2:
            nearest = self._nearest(column.refers, text, unit)
            values = {"id": text, **({"nearest": nearest} if nearest else {})}
            yield finding(f"unknown_{NOUNS[column.refers]}", sourced.source, column.title, **values)
        elif not unit or self.known("units", unit):
            # without its unit, which is named itself, a row's 五(1)班 could be that of any school
            listed = "、".join((*ids[:MOST_LISTED], *("…",) * (len(ids) > MOST_LISTED)))
            noun, count = NOUNS[column.refers], len(ids)
            yield finding(
                "name_ambiguous", sourced.source, column.title, value=text, noun=noun, count=count, ids=listed
            )

    def _among(self, sheet: str, unit: str) -> Mapping[str, Mapping[str, str]]:
        return self._named.get((sheet, unit), {})

    def _units_of(self, row: Any) -> tuple[str, ...]:
        units = getattr(row, "posts", ()) or (getattr(row, "unit", ""),)
        return tuple(self._one("units", unit, "") for unit in units if unit)

    @staticmethod
    def _only(ids: tuple[str, ...], likely: Iterable[str]) -> tuple[str, ...]:
        """The one of the ids that is more likely than the others, else all."""
        found = tuple(likely) if len(ids) > 1 else ()
        return found if len(found) == 1 else ids

    def _one(self, sheet: str, text: str, unit: str, subject: str = "") -> str:
        ids = self.meant(sheet, text, unit, subject)
        return ids[0] if len(ids) == 1 else text

    def _nearest(self, sheet: str, text: str, unit: str) -> str:
        """The name or id that is most like the text, or nothing."""
        asked = sheet, unit, text
        if asked not in self._guesses and len(self._guesses) < MOST_GUESSED:
            names = self._among(sheet, unit) or self._among(sheet, "")
            written = {spelling: next(iter(ids.values())) for spelling, ids in names.items()}
            written |= {id: id for ids in names.values() for id in ids}
            found = get_close_matches(spelled(text), written, n=1, cutoff=NEAR)
            self._guesses[asked] = written[found[0]] if found else ""
        return self._guesses.get(asked, "")


def _subject(sourced: Sourced) -> str:
    """What whoever the row names teaches; those who assist (the parties' rows) need not."""
    return sourced.row.subject if isinstance(sourced.row, RequirementRow) else ""


def _texts(sourced: Sourced, column: Column) -> tuple[str, ...]:
    value = getattr(sourced.row, column.field)
    return value if column.several else (value,)
