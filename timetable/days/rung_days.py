"""This module owns changes of single days whose schools have come to ring other bells: they follow, as tables do.

What was moved or is made up keeps its date and its periods, and gets the clock of the bells that ring now, from the
next day on. Where a period rings no more that day, or the schools have no minute in common, it stays as it is until
somebody moves it; it is named, and so is what the new bells leave too few minutes.
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from msgspec import Struct, structs

from timetable import bells
from timetable.bells import Window
from timetable.days.dated import DatedTables
from timetable.days.day_book import DayBook
from timetable.days.effects import Applied, Effect, Placed
from timetable.days.grounds import Grounds
from timetable.model import Finding, Leftover, Lesson, PlacedParty, clock
from timetable.term import local_date

CODES: Mapping[str, str] = {
    "day_followed": "a lesson that was moved to a date, or is made up, follows new bells",
    "day_parted": "by new bells the schools of such a lesson share too few minutes that day",
    "day_unrung": "by new bells a school rings the period of such a lesson no more that day",
    "amendment_followed": "a change after publication follows new bells from the next day on",
}
"""Every code that this module can report; all are warnings."""


class Rung(Struct, frozen=True):
    """What a change does by the bells of now, and what is to be said of the lessons that these touch."""

    effects: tuple[Effect, ...]
    findings: tuple[Finding, ...]


def rung(grounds: Grounds, tables: DatedTables, units: Collection[str], applied: Applied, *, at: float) -> Rung:
    """The effects of a change with those that are to come of these units by the bells of `grounds`. `tables` are those
    in force, `at` is unix seconds."""
    tomorrow = max(local_date(at) + timedelta(days=1), date.fromisoformat(grounds.term.first_day))
    effects: list[Effect] = []
    findings: list[Finding] = []
    for effect in applied.effects:
        if isinstance(effect, Placed) and any(party.unit in units for party in effect.parties):
            day = date.fromisoformat(effect.date)
            found = tables.lesson(effect.lesson, day)
            book = DayBook.of_date(grounds, day, (), tables.closings)
            if day >= tomorrow and found is not None and book is not None:
                placed, told = _placed(grounds, book, found[1], effect, applied.community)
                effects.append(placed)
                findings += told
                continue
        effects.append(effect)
    return Rung(tuple(effects), tuple(findings))


def told(grounds: Grounds, applied: Applied, found: Rung) -> list[Finding]:
    """What to say of a change that has followed: how many of its lessons, and each that the bells part."""
    followed = sum(finding.code == "day_followed" for finding in found.findings)
    about = [finding for finding in found.findings if finding.code != "day_followed"]
    if followed:
        name = grounds.communities[applied.community].name
        values: dict[str, str | int] = {"community": name, "number": applied.number, "lessons": followed}
        about.insert(0, Finding(code="amendment_followed", values=values, severity="warning"))
    return about


def _placed(
    grounds: Grounds, book: DayBook, lesson: Lesson, placed: Placed, community: str
) -> tuple[Placed, list[Finding]]:
    windows = []
    for party in placed.parties:
        day = book.periods(party.unit)
        numbers = bells.run(day, party.period, grounds.block(lesson))
        if numbers is None:
            unit = grounds.unit_name(party.unit)
            return placed, [_finding("day_unrung", grounds, lesson, placed, unit=unit, period=party.period)]
        windows.append(Window(day[numbers[0]].start, day[numbers[-1]].end))
    shared, slack = bells.shared_window(windows), grounds.slack(lesson, community)
    parted = []
    if len(windows) > 1 and not bells.windows_meet(windows, slack):
        least = bells.required_overlap(windows, slack)
        short = max(0, shared.length)
        parted = [_finding("day_parted", grounds, lesson, placed, minutes=short, required=least)]
    if shared.length <= 0:
        return placed, parted
    parties = tuple(_timed(party, window, shared) for party, window in zip(placed.parties, windows, strict=True))
    now = structs.replace(placed, start=clock(shared.start), end=clock(shared.end), parties=parties)
    followed = [] if now == placed else [_finding("day_followed", grounds, lesson, now, was=placed.start)]
    return now, [*followed, *parted]


def _timed(party: PlacedParty, window: Window, shared: Window) -> PlacedParty:
    """Whoever supervised the party's leftover minutes is there for what is left over now, until somebody looks."""
    had = next((left.teacher for left in party.leftover if left.teacher is not None), None)
    supervisor = party.teachers[0] if party.teachers else had
    spare = bells.leftover(window, shared) if party.classes else ()
    leftover = tuple(Leftover(start=clock(part.start), end=clock(part.end), teacher=supervisor) for part in spare)
    return structs.replace(party, start=clock(window.start), end=clock(window.end), leftover=leftover)


def _finding(code: str, grounds: Grounds, lesson: Lesson, placed: Placed, **values: str | int) -> Finding:
    where: dict[str, str | int] = {"title": grounds.title(lesson), "date": placed.date, "start": placed.start}
    return Finding(code=code, values={**where, **values}, severity="warning")
