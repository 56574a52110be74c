"""This module owns changes that last: a lesson in another weekly slot from some Monday on, which is the next version.

The new table is held to every rule of the weekly table by the independent checker, and on every date to the amendments
that count there already.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, timedelta

from msgspec import structs

from timetable.bells import Bells, Window, shared_window
from timetable.checker import check
from timetable.commitments import commitments_of
from timetable.days.changes import MoveWeekly, SwapWeekly
from timetable.days.dated import DatedTables
from timetable.days.day_book import DayBook, Seat
from timetable.days.day_stays import Kept
from timetable.days.grounds import Grounds
from timetable.days.published import first_date
from timetable.days.scene import Outcome, Refused, Scene, Touched
from timetable.days.versions import Version, diff
from timetable.errors import NotFound
from timetable.model import Finding, Lesson, Table, clock, minutes
from timetable.objective import priced
from timetable.placement import Placement, Side
from timetable.problem import Problem
from timetable.term import local_date
from timetable.timing import timed
from timetable.weeks import weeks_of

UNPRICED = {"table_unknown", "table_lesson_differs"}
"""Findings of the checker with which a table has no price."""


def move_weekly(scene: Scene, change: MoveWeekly) -> Outcome:
    base, begins = _base(scene, change.first)
    lesson = _lesson(scene, base, change.lesson)
    moved = _placed(scene, begins, lesson, change.weekday, change.period, (lesson.id,))
    if (moved.weekday, moved.start, moved.end) == (lesson.weekday, lesson.start, lesson.end):
        raise Refused(Finding(code="amend_no_change_weekly", values={"title": scene.grounds.title(lesson)}))
    return _outcome(scene, base, begins, (moved,))


def swap_weekly(scene: Scene, change: SwapWeekly) -> Outcome:
    base, begins = _base(scene, change.first)
    first, second = _lesson(scene, base, change.lesson), _lesson(scene, base, change.other)
    if first.id == second.id:
        raise Refused(Finding(code="amend_no_change_weekly", values={"title": scene.grounds.title(first)}))
    apart = (first.id, second.id)
    moved = []
    for lesson, into in ((first, second), (second, first)):
        book = week_book(scene.grounds, scene.tables, begins, into.weekday, lesson)
        period = book.matching_period(lesson, into)
        moved.append(_placed(scene, begins, lesson, into.weekday, period, apart))
    return _outcome(scene, base, begins, tuple(moved))


def put_back(scene: Scene, number: int, made: int) -> Outcome:
    """The lessons that amendment `number` moved for good, by version `made`, stand again where they stood before; that
    is a version more, from the next Monday on."""
    newest = scene.tables.newest(scene.community)
    base, begins = _base(scene, first_date(scene.grounds.term, newest).isoformat() if newest else "")
    versions = {version.number: version for version in scene.tables.versions(scene.community)}
    if made not in versions or made - 1 not in versions:
        raise Refused(Finding(code="amend_undo_lasting", values={"number": number}))
    before, after, now = ({x.id: x for x in v.table.lessons} for v in (versions[made - 1], versions[made], base))
    moved = [id for id in versions[made].diff.moved if _slot(before[id]) != _slot(after[id])]
    for id in moved:
        if id not in now or _slot(now[id]) != _slot(after[id]):
            values: dict[str, str | int] = {"number": number, "title": scene.grounds.title(after[id])}
            raise Refused(Finding(code="amend_undo_moved", values=values))
    back = (_placed(scene, begins, now[id], before[id].weekday, before[id].host.period, moved) for id in moved)
    return structs.replace(_outcome(scene, base, begins, tuple(back)), undone=number)


def week_book(grounds: Grounds, tables: DatedTables, begins: date, weekday: int, lesson: Lesson) -> DayBook:
    """One weekday of the newest tables of all communities, in the weeks of `lesson`."""
    weeks = weeks_of(lesson)
    newest = [version for id in tables.communities if (version := tables.newest(id)) is not None]
    kept = (
        Kept(other.id, other, other.parties)
        for version in newest
        for other in (lesson.by_date(begins.isoformat()) for lesson in version.table.lessons)
        if other.weekday == weekday and weeks_of(other) & weeks
    )
    return DayBook(grounds, on=begins, weekday=weekday, weeks=weeks, kept=kept, dated=False)


def _base(scene: Scene, first: str) -> tuple[Version, date]:
    """The newest version, and the Monday from which a next one counts that is asked for from `first` on."""
    base = scene.tables.newest(scene.community)
    if base is None:
        raise NotFound("version", scene.community)
    try:
        wanted = date.fromisoformat(first)
    except ValueError:
        raise Refused(Finding(code="amend_outside_term", values={"date": first})) from None
    day = max(wanted, local_date(scene.now) + timedelta(days=1))
    begins = day + timedelta(days=-day.weekday() % 7)
    if not scene.grounds.term.first_day <= begins.isoformat() <= scene.grounds.term.last_day:
        raise Refused(Finding(code="amend_outside_term", values={"date": begins.isoformat()}))
    waits = first_date(scene.grounds.term, base)
    if base.number > 1 and waits > begins:
        raise Refused(Finding(code="amend_waits", values={"date": waits.isoformat()}))
    return base, begins


def _lesson(scene: Scene, base: Version, id: str) -> Lesson:
    found = next((lesson for lesson in base.table.lessons if lesson.id == id), None)
    if found is None:
        community, elsewhere = scene.tables.lesson(id, local_date(scene.now)) or ("", None)
        if elsewhere is None:
            raise NotFound("lesson", id)
        scene.own(community, elsewhere)
        raise NotFound("lesson", id)
    return found


def _placed(scene: Scene, begins: date, lesson: Lesson, weekday: int, period: int, apart: Collection[str]) -> Lesson:
    seat = week_book(scene.grounds, scene.tables, begins, weekday, lesson).seat(lesson, period, apart=apart)
    if not isinstance(seat, Seat):
        raise Refused(*seat)
    moved = structs.replace(
        lesson,
        weekday=weekday,
        start=clock(seat.window.start),
        end=clock(seat.window.end),
        parties=seat.parties,
        later=(),
    )
    return _in_all_seasons(scene.grounds, moved)


def _in_all_seasons(grounds: Grounds, lesson: Lesson) -> Lesson:
    """The lesson in the same periods with the times of every season of the term."""
    register, weekday = grounds.register, lesson.weekday
    units = [grounds.units[party.unit] for party in lesson.parties]
    rung = Bells(units, (weekday,), register.term.first_day, register.term.last_day)
    runs = [rung.run(party.unit, weekday, party.period, grounds.block(lesson)) for party in lesson.parties]
    sides = tuple(Side(*run) for run in runs if run is not None)
    if len(sides) < len(runs):
        values: dict[str, str | int] = {"title": grounds.title(lesson)}
        raise Refused(Finding(code="amend_not_all_seasons", values=values))

    def supervisor(party: int, season: int, part: Window) -> str | None:
        known = lesson.parties[party]
        here = (left.teacher for left in known.leftover if minutes(left.start) <= part.start < minutes(left.end))
        return known.teachers[0] if known.teachers else next(here, None)

    shares = tuple(shared_window([side.windows[n] for side in sides]) for n in range(len(rung.seasons)))
    return timed(lesson, Placement(weekday, lesson.host.period, sides, shares), rung.seasons, supervisor)


def _outcome(scene: Scene, base: Version, begins: date, moved: Iterable[Lesson]) -> Outcome:
    changed = {lesson.id: lesson for lesson in moved}
    lessons = tuple(changed.get(lesson.id, lesson) for lesson in base.table.lessons)
    table = structs.replace(base.table, lessons=lessons)
    broken = _newly_broken(scene, base.table, table)
    if broken:
        raise Refused(*broken)
    version = Version(
        community=scene.community,
        number=base.number + 1,
        author="",
        at=scene.now,
        table=_priced(scene, table),
        diff=diff(base.table, table),
        valid_from=begins.isoformat(),
    )
    return _on_dates(scene, version, begins, changed.keys())


def _on_dates(scene: Scene, version: Version, begins: date, ids: Collection[str]) -> Outcome:
    """The outcome on every date from the first one of the version on."""
    after = scene.tables.with_version(version)
    alone_before, alone_after = scene.tables.only(ids), after.only(ids)
    uids: dict[str, None] = {}
    day, last = begins, date.fromisoformat(scene.grounds.term.last_day)
    while day <= last:
        for tables in (alone_before, alone_after):
            uids |= dict.fromkeys(standing.uid for standing in tables.on(day) if standing.occurrence.lesson.id in ids)
        day += timedelta(days=1)
    touched = [Touched(before=alone_before.standing(uid), after=alone_after.standing(uid)) for uid in uids]
    touched = [pair for pair in touched if pair.before != pair.after]
    return scene.outcome(after, touched, version=version)


def _slot(lesson: Lesson) -> tuple[int, int]:
    return lesson.weekday, lesson.host.period


def _newly_broken(scene: Scene, old: Table, new: Table) -> list[Finding]:
    """The rules of the weekly table that the new one breaks and the old one keeps."""
    others = _others(scene)
    register = scene.grounds.register
    known = Counter(map(repr, check(register, *others, old)))
    found = []
    for finding in check(register, *others, new):
        known[repr(finding)] -= 1
        if known[repr(finding)] < 0:
            found.append(finding)
    return found


def _others(scene: Scene) -> list[Table]:
    """The newest tables of the other communities."""
    newest = (scene.tables.newest(id) for id in scene.tables.communities if id != scene.community)
    return [version.table for version in newest if version is not None]


def _priced(scene: Scene, table: Table) -> Table:
    """The table with its cost; one that the register no longer fits keeps the cost that it had."""
    register = scene.grounds.register
    if any(finding.code in UNPRICED for finding in check(register, table)):
        return table
    others = _others(scene)
    problem = Problem(register, scene.grounds.communities[scene.community], commitments_of(register, others))
    return priced(problem, table)
