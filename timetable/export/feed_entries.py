"""This module owns the events of a calendar feed and their history: what each version and each amendment did to them.

An event keeps its identity whatever becomes of its lesson. What nobody wants to know any more (called off, or taught
by somebody else) stays in the feed, marked, so that calendars which have already fetched it strike it out.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from msgspec import Struct, structs

from timetable.days.closings import Closing
from timetable.days.dated import DatedTables
from timetable.days.effects import Applied, Placed, Taught, taught_by
from timetable.days.published import first_date
from timetable.days.standing import Standing
from timetable.days.versions import Version
from timetable.model import Lesson, Term
from timetable.term import Occurrence

WEEKDAYS = "一二三四五六日"

Wanted = Callable[[Lesson], bool]


class Entry(Struct, frozen=True, kw_only=True):
    """One event of a feed: what takes place, or what was called off, with its history."""

    uid: str
    occurrence: Occurrence
    modified: float
    """Unix seconds of the version or the amendment that last changed it."""
    sequence: int
    was: str = ""
    """The slot it stood in before a move, in words."""
    cancelled: bool = False
    made_up: bool = False
    taught: tuple[Taught, ...] = ()
    """Who stands in for whom."""
    elsewhere: bool = False
    """Whether it takes place all the same, but not for whom this feed is."""
    reason: str = ""
    """Why the schools are shut then."""


def entries(
    term: Term,
    versions: Sequence[Version],
    wanted: Wanted,
    amendments: Sequence[Applied] = (),
    closings: Sequence[Closing] = (),
) -> list[Entry]:
    """The events of all lessons that `wanted` picks, from a community's versions (oldest first), the amendments that
    were applied to them and the closings of schools, by their time."""
    concerned = _concerned(versions, wanted, amendments)
    history = _History(term, wanted)
    reaching = [one for one in amendments if _reaches(one, concerned)]
    steps = sorted(_steps(versions, reaching, closings), key=lambda step: step[0])
    for at, index, step, undone in steps:
        if isinstance(step, Version):
            history.publish(step, index, concerned)
        elif isinstance(step, Closing):
            history.close(step, at, reopened=undone)
        else:
            history.amend(step, at, undone=undone)
    return sorted(history.found.values(), key=lambda entry: (entry.occurrence.starts, entry.uid))


def slot_words(occurrence: Occurrence) -> str:
    """9月17日 周四 10:30."""
    day = occurrence.day.date
    return f"{day.month}月{day.day}日 周{WEEKDAYS[day.isoweekday() - 1]} {occurrence.lesson.start}"


class _History:
    """The events as they stand after some steps."""

    def __init__(self, term: Term, wanted: Wanted) -> None:
        self._term = term
        self._wanted = wanted
        self._tables = DatedTables(term, [])
        self.found: dict[str, Entry] = {}

    def publish(self, version: Version, index: int, concerned: set[str]) -> None:
        """A version counts from its first date; what had taken place by then stays as it was."""
        self._tables = self._tables.with_version(version, only=concerned)
        first = first_date(self._term, version)
        current = self._from(first)
        for uid, entry in list(self.found.items()):
            if entry.occurrence.day.date >= first and uid not in current and not entry.cancelled:
                self.found[uid] = _called_off(entry, version.at)
        for uid, standing in current.items():
            before = self.found.get(uid)
            if before is None:
                if not standing.cancelled:
                    self.found[uid] = _new(standing, version.at, index)
            elif before.occurrence.day.date >= first and not _same(before, standing):
                self.found[uid] = _changed(before, standing, version.at, republished=True)

    def amend(self, amendment: Applied, at: float, *, undone: bool) -> None:
        """An amendment touches the occurrences that it names, or has named, and no other."""
        if undone:
            self._tables = self._tables.without(amendment.community, amendment.number)
        else:
            self._tables = self._tables.with_applied(structs.replace(amendment, undone_at=None))
        for uid in dict.fromkeys(effect.uid for effect in amendment.ever):
            self._follow(uid, self._tables.standing(uid), at)

    def close(self, closing: Closing, at: float, *, reopened: bool) -> None:
        """Schools are shut, or open again: that touches whatever stands in that time."""
        others = [one for one in self._tables.closings.all if one.id != closing.id]
        known = closing if reopened else structs.replace(closing, reopened_at=None)
        self._tables = self._tables.with_closings((*others, known))
        for day in closing.days:
            for standing in self._tables.on(day):
                self._follow(standing.uid, standing, at)

    def _follow(self, uid: str, standing: Standing | None, at: float) -> None:
        before = self.found.get(uid)
        if standing is None or not self._mine(standing):
            if before is not None and not before.cancelled:
                self.found[uid] = _called_off(before, at, elsewhere=standing)
        elif before is None:
            if not standing.cancelled:
                self.found[uid] = _new(standing, at, 0)
        elif not _same(before, standing):
            self.found[uid] = _changed(before, standing, at, republished=False)

    def _mine(self, standing: Standing) -> bool:
        """Whether it is for whom this feed is, who may belong to a school that is shut then."""
        lesson = standing.occurrence.lesson
        if standing.closing is not None and not standing.cancelled:
            lesson = structs.replace(lesson, parties=standing.occurrence.parties)
        return self._wanted(lesson)

    def _from(self, first: date) -> dict[str, Standing]:
        planned: dict[str, Standing] = {}
        day, last = first, date.fromisoformat(self._term.last_day)
        while day <= last:
            for standing in self._tables.on(day):
                if self._mine(standing):
                    planned.setdefault(standing.uid, standing)
            day += timedelta(days=1)
        return planned


def _new(standing: Standing, at: float, sequence: int) -> Entry:
    return Entry(
        uid=standing.uid,
        occurrence=standing.occurrence,
        modified=at,
        sequence=sequence,
        was=_planned_slot(standing),
        made_up=standing.made_up,
        taught=standing.taught,
    )


def _changed(entry: Entry, standing: Standing, at: float, *, republished: bool) -> Entry:
    before, now = entry.occurrence, standing.occurrence
    moved = (now.starts, now.ends) != (before.starts, before.ends)
    was = _planned_slot(standing)
    if not was and not standing.made_up:
        # A version says where it stood before; an amendment taken back leaves it where the table has it.
        was = (slot_words(before) if moved else "") if republished else "" if moved else entry.was
    return Entry(
        uid=entry.uid,
        occurrence=now,
        modified=at,
        sequence=entry.sequence + 1,
        was=was,
        cancelled=standing.cancelled,
        made_up=standing.made_up,
        taught=standing.taught,
        reason=_reason(standing),
    )


def _called_off(entry: Entry, at: float, *, elsewhere: Standing | None = None) -> Entry:
    """It is not in this feed any more; `elsewhere` is where it takes place all the same."""
    goes_on = elsewhere is not None and not elsewhere.cancelled and elsewhere.closing is None
    return Entry(
        uid=entry.uid,
        occurrence=entry.occurrence,
        modified=at,
        sequence=entry.sequence + 1,
        was=entry.was,
        cancelled=True,
        made_up=entry.made_up,
        taught=elsewhere.taught if elsewhere is not None else entry.taught,
        elsewhere=goes_on,
        reason=_reason(elsewhere) if elsewhere is not None else "",
    )


def _same(entry: Entry, standing: Standing) -> bool:
    return (entry.occurrence, entry.cancelled, entry.elsewhere, entry.taught) == (
        standing.occurrence,
        standing.cancelled,
        False,
        standing.taught,
    )


def _reason(standing: Standing) -> str:
    return standing.closing.reason if standing.closing is not None else ""


def _planned_slot(standing: Standing) -> str:
    return slot_words(standing.planned) if standing.moved and standing.planned is not None else ""


def _steps(
    versions: Sequence[Version], amendments: Iterable[Applied], closings: Iterable[Closing]
) -> Iterable[tuple[float, int, Version | Applied | Closing, bool]]:
    for index, version in enumerate(versions):
        yield version.at, index, version, False
    for amendment in amendments:
        began = amendment.at
        for number, before in enumerate(amendment.earlier):
            did = structs.replace(amendment, effects=before.effects, earlier=amendment.earlier[:number])
            yield began, 0, did, False
            began = before.until
        yield began, 0, amendment, False
        if amendment.undone_at is not None:
            yield amendment.undone_at, 0, amendment, True
    for closing in closings:
        yield closing.at, 0, closing, False
        if closing.reopened_at is not None:
            yield closing.reopened_at, 0, closing, True


def _reaches(amendment: Applied, concerned: set[str]) -> bool:
    return any(effect.lesson in concerned for effect in amendment.ever)


def _concerned(versions: Sequence[Version], wanted: Wanted, amendments: Sequence[Applied]) -> set[str]:
    """The lessons that are in the feed by some version, or come into it by an amendment."""
    by_lesson: dict[str, list[Applied]] = {}
    for amendment in amendments:
        for id in {effect.lesson for effect in amendment.ever}:
            by_lesson.setdefault(id, []).append(amendment)
    found: set[str] = set()
    for version in versions:
        for lesson in version.table.lessons:
            if lesson.id in found:
                continue
            if wanted(lesson) or any(_brings(lesson, one, wanted) for one in by_lesson.get(lesson.id, ())):
                found.add(lesson.id)
    return found


def _brings(lesson: Lesson, amendment: Applied, wanted: Wanted) -> bool:
    for effect in amendment.ever:
        if effect.lesson == lesson.id:
            match effect:
                case Placed():
                    parties = effect.parties
                case Taught():
                    parties = taught_by(lesson.parties, [effect])
                case _:
                    continue
            if wanted(structs.replace(lesson, parties=parties)):
                return True
    return False
