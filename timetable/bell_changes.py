"""This module owns what a change of bells in mid-term does to shared windows, and the smallest shift that mends it.

A lesson keeps its periods when a unit rings other bells from a date on. Where its parties then no longer share enough,
the lesson and the date are named, with the fewest minutes by which one unit would have to ring earlier or later.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from timetable import bells
from timetable.bells import MOST_MINUTES_OF_SHIFT, Bells, Window
from timetable.model import Finding, Lesson, PlacedParty, Register, Requirement, Table
from timetable.titles import short_title

CODES: Mapping[str, str] = {
    "change_parts_windows": "after a change of bells they meet in too few periods, and no one shift would help",
    "change_parts_windows_earlier": "after it they meet too rarely; one unit that many minutes earlier would do",
    "change_parts_windows_later": "after it they meet too rarely; one unit that many minutes later would do",
    "lesson_parted": "from a date on the parties of a lesson share too few minutes, and no one shift would help",
    "lesson_parted_earlier": "they share too few minutes; one unit that many minutes earlier would do",
    "lesson_unrung": "a school rings a lesson's period no more, or not all term",
    "lesson_parted_later": "they share too few minutes; one unit that many minutes later would do",
}
"""Every code that this module can report."""


class Shift(NamedTuple):
    """One unit's bells rung that many minutes earlier or later."""

    unit: str
    minutes: int
    direction: Literal["earlier", "later"]


def smallest_shift(units: Iterable[str], mended: Callable[[str, int], bool]) -> Shift | None:
    """The smallest shift of one of the units with which `mended(unit, minutes)`; minutes below 0 are earlier."""
    known = list(dict.fromkeys(units))
    for size in range(1, MOST_MINUTES_OF_SHIFT + 1):
        for unit in known:
            for by in (size, -size):
                if mended(unit, by):
                    return Shift(unit, size, "later" if by > 0 else "earlier")
    return None


def told(code: str, shift: Shift | None, names: Mapping[str, str], values: Mapping[str, str | int]) -> Finding:
    """The finding with the shift that mends it, as a warning where nothing more is at stake than the clock."""
    if shift is None:
        return Finding(code=code, values=dict(values))
    more: dict[str, str | int] = {"unit": names[shift.unit], "shift": shift.minutes}
    return Finding(code=f"{code}_{shift.direction}", values={**values, **more})


# Before a table exists ----------------------------------------------------------------------------------------------


def parted_requirement(
    rung: Bells, requirement: Requirement, weekdays: Sequence[int], slack: int, names: Mapping[str, str]
) -> Finding | None:
    """What to say of a requirement whose windows met often enough when the term began; None when they did not."""
    units = tuple(party.unit for party in requirement.parties)
    if len(units) < 2 or _meetings(rung, units, weekdays, requirement.block, slack, 1) < requirement.weekly:
        return None
    counts = (_meetings(rung, units, weekdays, requirement.block, slack, n) for n in range(2, len(rung.seasons) + 1))
    season = next((n for n, count in enumerate(counts, 1) if count < requirement.weekly), None)
    if season is None:
        return None

    def mended(unit: str, by: int) -> bool:
        shifted = rung.shifted(unit, season, by)
        everything = len(rung.seasons)
        return _meetings(shifted, units, weekdays, requirement.block, slack, everything) >= requirement.weekly

    values: dict[str, str | int] = {
        "requirement": requirement.id,
        "subject": requirement.subject,
        "units": "、".join(names[unit] for unit in units),
        "date": rung.seasons[season],
        "lessons": requirement.weekly,
    }
    return told("change_parts_windows", smallest_shift(_movable(rung, units, weekdays, season), mended), names, values)


def _meetings(rung: Bells, units: Sequence[str], weekdays: Sequence[int], block: int, slack: int, seasons: int) -> int:
    """In how many periods of the host's week all meet in each of the first `seasons` seasons."""
    until = rung.first_seasons(seasons)
    return sum(
        until.meeting(units, weekday, period, block, slack) is not None
        for weekday in weekdays
        for period in until.day(units[0], weekday)
    )


# In a table ---------------------------------------------------------------------------------------------------------


def parted_lessons(register: Register, table: Table) -> list[Finding]:
    """Warnings about the lessons of a table whose parties, in the periods where they stand, share too few minutes by
    the bells of some part of the term."""
    term, names = register.term, {unit.id: unit.name for unit in register.units}
    classes = {school_class.id: school_class.name for school_class in register.classes}
    requirements = {requirement.id: requirement for requirement in register.requirements}
    usual = next((c.overlap_slack for c in register.communities if c.id == table.community), 0)
    together = [lesson for lesson in table.lessons if len(lesson.parties) > 1]
    taking = {party.unit for lesson in together for party in lesson.parties}
    units_taking = [unit for unit in register.units if unit.id in taking]
    rung = Bells(units_taking, sorted({lesson.weekday for lesson in together}), term.first_day, term.last_day)
    found = []
    for lesson in together:
        requirement = requirements.get(lesson.requirement)
        block, slack = (requirement.block, usual + requirement.overlap_conceded) if requirement else (1, usual)
        runs = [rung.run(party.unit, lesson.weekday, party.period, block) for party in lesson.parties]
        sides = [run[1] for run in runs if run is not None]
        if len(sides) < len(runs):
            lost = next(party for party, run in zip(lesson.parties, runs, strict=True) if run is None)
            found.append(_warning(_unrung(lesson, lost, names, classes)))
            continue
        for season, first in enumerate(rung.seasons):
            windows = [side[season] for side in sides]
            if bells.windows_meet(windows, slack):
                continue
            units = [party.unit for party in lesson.parties]
            values: dict[str, str | int] = {
                "title": _title(lesson, names, classes),
                "weekday": lesson.weekday,
                "date": first,
                "minutes": max(0, bells.shared_window(windows).length),
                "required": bells.required_overlap(windows, slack),
            }
            movable = _movable(rung, units, (lesson.weekday,), season)
            shift = smallest_shift(movable, _mends(units, windows, slack))
            found.append(_warning(told("lesson_parted", shift, names, values)))
            break
    return found


def _unrung(lesson: Lesson, party: PlacedParty, names: Mapping[str, str], classes: Mapping[str, str]) -> Finding:
    values: dict[str, str | int] = {
        "title": _title(lesson, names, classes),
        "weekday": lesson.weekday,
        "unit": names.get(party.unit, party.unit),
        "period": party.period,
    }
    return Finding(code="lesson_unrung", values=values)


def _title(lesson: Lesson, names: Mapping[str, str], classes: Mapping[str, str]) -> str:
    taught = (classes.get(id, id) for party in lesson.parties for id in party.classes)
    return short_title(lesson, taught, names.get(lesson.host.unit, lesson.host.unit))


def _movable(rung: Bells, units: Sequence[str], weekdays: Iterable[int], season: int) -> list[str]:
    """The units in the order in which a shift of equal size is asked of them: who has just changed before who has not,
    members before the host, who owns the clock."""

    def stays(unit: str) -> bool:
        days = (rung.rung(unit, weekday) for weekday in weekdays)
        return all(day[season] == day[max(0, season - 1)] for day in days)

    return sorted(units, key=lambda unit: (stays(unit), unit == units[0]))


def _mends(units: Sequence[str], windows: Sequence[Window], slack: int) -> Callable[[str, int], bool]:
    def mended(unit: str, by: int) -> bool:
        moved = [w.moved(by) if own == unit else w for own, w in zip(units, windows, strict=True)]
        return bells.windows_meet(moved, slack)

    return mended


def _warning(finding: Finding) -> Finding:
    return Finding(code=finding.code, values=finding.values, severity="warning")
